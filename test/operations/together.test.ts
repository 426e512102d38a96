import { describe, expect, test } from 'vitest';
import { asFailure } from '../../lib/failures.ts';
import { runOperation } from '../../lib/operations/operations.ts';
import { type Desk, invoice, openDesk, usageInvoice } from './kestrel-desk.ts';

/** Two people at once, and a person whose command was cut off: nobody does harm, and a command can be said again. */

const both = (desk: Desk, one: readonly [string, object], other: readonly [string, object]): Promise<readonly string[]> =>
  desk.world.time.run(
    Promise.all(
      [one, other].map(async ([name, input], index) => {
        try {
          return JSON.stringify(await runOperation(desk.world.operator, name, input, { name: index === 0 ? 'anna' : 'bert' }));
        } catch (error) {
          return asFailure(error).message;
        }
      }),
    ),
  );
const references = async (desk: Desk): Promise<unknown[]> => (await desk.books('invoices')).map((row) => row['reference']).sort();

describe('two operators at once', () => {
  test('replaying the same holds post each document once', async () => {
    const desk = await openDesk({ workers: 3 });
    await desk.zuora(usageInvoice('INV00000420'), usageInvoice('INV00000421'));
    await desk.settle();
    const map = ['map', { table: 'accountMap', row: { code: 'EU Usage', account: '40100' } }] as const;
    await both(desk, map, map);
    await both(desk, ['replay', { record: 'INV00000420' }], ['replay', { record: 'INV00000420' }]);
    await desk.settle();
    expect(await references(desk)).toEqual(['INV00000420', 'INV00000421']);
  });

  test('redriving and purging the same letters handle each letter once', async () => {
    const desk = await openDesk();
    await desk.zuora(...Array.from({ length: 25 }, (_, index) => usageInvoice(`INV000005${String(index).padStart(2, '0')}`)));
    await desk.settle();
    await both(desk, ['dlq-redrive', { all: true }], ['dlq-purge', { all: true }]);
    await desk.world.pass(120_000);
    await desk.world.work();
    expect(await desk.ask('holds')).toMatchObject({ groups: [{ count: 25 }] });
    expect(await desk.ask('replay', { held: true })).toMatchObject({ replayed: expect.objectContaining({ length: 25 }) });
  });

  test('a list while another one lists says what it cannot see, and loses nothing', async () => {
    const desk = await openDesk();
    await desk.zuora(...Array.from({ length: 12 }, (_, index) => usageInvoice(`INV000005${String(index).padStart(2, '0')}`)));
    await desk.settle();
    const answers = await both(desk, ['dlq-list', {}], ['dlq-list', {}]);
    for (const answer of answers) {
      const { letters, others } = JSON.parse(answer) as { letters: readonly unknown[]; others: number };
      expect(letters.length + others).toBe(12);
    }
    expect(await desk.ask('dlq-list')).toMatchObject({ letters: expect.objectContaining({ length: 12 }), others: 0 });
  });

  test('unlinking the same record twice: one does it, the other is told', async () => {
    const desk = await openDesk();
    await desk.zuora(invoice('INV00000417'));
    await desk.settle();
    const answers = await both(desk, ['unlink', { record: 'INV00000417' }], ['unlink', { record: 'INV00000417' }]);
    expect(answers.filter((answer) => answer.startsWith('{'))).toHaveLength(1);
    await desk.ask('replay', { record: 'INV00000417' });
    await desk.settle();
    expect(await references(desk)).toEqual(['INV00000417']);
  });

  test('switching one flow to two modes ends in one of them, with a line for each', async () => {
    const desk = await openDesk();
    await both(desk, ['mode', { flow: 'refunds', mode: 'paused' }], ['mode', { flow: 'refunds', mode: 'off' }]);
    const { entries } = await desk.ask<{ entries: readonly unknown[] }>('audit', { flow: 'refunds', outcome: 'operator' });
    expect(entries).toHaveLength(2);
  });
});

describe('a command that was cut off', () => {
  /** The connector with one port that fails at its nth use, as a function does that is cut off there. */
  async function cutOff(desk: Desk, port: 'queue' | 'audit' | 'deadLetters', work: () => Promise<unknown>): Promise<string> {
    const { operator } = desk.world;
    const trouble = (): never => {
      throw new Error('cut off');
    };
    const ports = {
      ...operator.ports,
      ...(port === 'queue' ? { queue: () => ({ send: async () => trouble(), bury: async () => trouble() }) } : {}),
      ...(port === 'audit'
        ? { audit: { append: async () => trouble(), query: operator.ports.audit.query.bind(operator.ports.audit) } }
        : {}),
      ...(port === 'deadLetters'
        ? { deadLetters: (name: string) => ({ ...operator.ports.deadLetters(name), remove: async () => trouble() }) }
        : {}),
    };
    desk.world.operator = { ...operator, ports };
    try {
      return JSON.stringify(await work());
    } catch (error) {
      return asFailure(error).record.said ?? asFailure(error).message;
    } finally {
      desk.world.operator = operator;
    }
  }

  test('a redrive that stops half-way can be said again: each record is looked at, none is booked twice', async () => {
    const desk = await openDesk();
    await desk.zuora(usageInvoice('INV00000420'), usageInvoice('INV00000421'));
    await desk.settle();
    await desk.ask('map', { table: 'accountMap', row: { code: 'EU Usage', account: '40100' } });
    for (const port of ['queue', 'deadLetters', 'audit'] as const)
      expect(await cutOff(desk, port, () => desk.ask('dlq-redrive', { all: true }))).toContain('cut off');
    // Letters that were in hand are there at once: nobody waits for a visibility to end.
    await desk.refusal('dlq-redrive', { all: true });
    await desk.settle();
    expect(await references(desk)).toEqual(['INV00000420', 'INV00000421']);
  });

  test('a replay, a mapping and a decision that stop before the queue can be said again', async () => {
    const desk = await openDesk();
    await desk.zuora(usageInvoice('INV00000420'));
    await desk.settle();
    expect(await cutOff(desk, 'queue', () => desk.ask('replay', { held: true }))).toContain('cut off');
    expect(await cutOff(desk, 'queue', () => desk.ask('decide', { record: 'INV00000420', decision: 'ignore' }))).toContain('cut off');
    expect(
      await cutOff(desk, 'queue', () => desk.ask('map', { table: 'accountMap', row: { code: 'EU Usage', account: '40100' } })),
    ).toContain('cut off');
    expect(await desk.ask('map', { table: 'accountMap', row: { code: 'EU Usage', account: '40100' } })).toMatchObject({ released: 1 });
    await desk.settle();
    // The decision was stored before it was cut off: it is carried out with the next look.
    expect(await desk.ask('explain', { record: 'INV00000420' })).toMatchObject({ stories: [{ state: 'synced', note: 'ignored' }] });
  });

  test('an unlink that stops before it is written leaves the record free at once', async () => {
    const desk = await openDesk();
    await desk.zuora(invoice('INV00000417'));
    await desk.settle();
    const { links } = desk.world.operator.ports;
    const failing = {
      ...desk.world.operator.ports,
      links: new Proxy(links, {
        get: (target, name) =>
          name === 'remove' ? async () => Promise.reject(new Error('cut off')) : Reflect.get(target, name).bind(target),
      }),
    };
    const whole = desk.world.operator;
    desk.world.operator = { ...whole, ports: failing };
    await expect(desk.ask('unlink', { record: 'INV00000417' })).rejects.toThrow('cut off');
    desk.world.operator = whole;
    expect(await desk.ask('unlink', { record: 'INV00000417' })).toMatchObject({ label: 'INV00000417' });
  });
});
