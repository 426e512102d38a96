import { describe, expect, it } from 'vitest';
import { alignmentKey, reportKey } from '../../lib/engine/state-keys.ts';
import { Failure } from '../../lib/failures.ts';
import { integration, notesFlow, World } from './world.ts';

const keep = (world: World): Promise<Readonly<Record<string, number>>> => world.worker.engine.keep(integration);

describe('the housekeeping', () => {
  it('takes up a write whose worker never came back and whose message is gone', async () => {
    const world = new World();
    await world.withPerson();
    world.quill.note({ id: 'n1' });
    await world.change(notesFlow, 'n1');
    world.abacus.fail('post', 'lost-before');
    await world.drain();
    for (const queue of ['live', 'bulk'] as const) {
      await world.clock.pass(900_000);
      await world.queues.remove(
        queue,
        (await world.queues.receive(queue, { visibilityMs: 1 })).map(({ handle }) => handle),
      );
    }
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'working' });
    await world.clock.pass(900_000);
    expect(await keep(world)).toMatchObject({ abandoned: 1 });
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
  });

  it('wakes a waiting record whose wake-up was lost', async () => {
    const world = new World();
    world.quill.contact({ id: 'c1', name: 'Ada' });
    world.quill.note({ id: 'n1' });
    const { listWaiting } = world.database.links;
    world.database.links.listWaiting = async () => ({ links: [] });
    const worker = world.hire();
    await world.change(notesFlow, 'n1');
    for (let turn = 0; turn < 5; turn++) await world.deliver(worker);
    expect(world.posted()).toEqual({});
    world.database.links.listWaiting = listWaiting.bind(world.database.links);
    await keep(world);
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
  });

  it('looks again at records that wait for a condition without an instant', async () => {
    const world = new World();
    await world.withPerson();
    world.quill.note({ id: 'n1' });
    world.abacus.fail('post', new Failure('ConditionPending', { cause: 'approval', sentence: 'An approval is missing.' }));
    await keep(world);
    await world.change(notesFlow, 'n1');
    await world.drain();
    await keep(world);
    expect(await world.hasWork()).toBe(false);
    await world.clock.pass(1_900_000);
    await keep(world);
    await world.settle();
    expect(world.posted()).toEqual({ 'N-n1': '10.00' });
  });

  it('reads reference data when it is due, and before a missing mapping is believed', async () => {
    const world = new World();
    let reads = 0;
    Object.assign(world.extra, {
      reference: {
        everyMinutes: 1_440,
        async refresh() {
          reads++;
          return { codes: reads };
        },
      },
    });
    const worker = world.hire();
    await worker.engine.keep(integration);
    expect(reads).toBe(1);
    expect((await world.state.get(alignmentKey(integration)))?.value).toEqual({ codes: 1 });
    await world.withPerson();
    await world.clock.pass(700_000);
    for (const id of ['n1', 'n2']) {
      world.quill.note({ id, code: 'GIFT' });
      await world.change(notesFlow, id);
    }
    for (let turn = 0; turn < 5; turn++) await world.deliver(worker);
    expect(reads).toBe(2);
    expect(await world.link(notesFlow, 'n1')).toMatchObject({ state: 'held' });
  });

  it('runs a report at its hour, keeps its result, and tells of an open difference once', async () => {
    const world = new World();
    let result: 'open' | 'tied' = 'open';
    Object.assign(world.extra, {
      reports: [
        {
          id: 'tie-out',
          summary: 'Both sides agree',
          schedule: '0 2 * * *',
          async run(_context: unknown, input: { links(flow: string): AsyncIterable<unknown> }) {
            let count = 0;
            for await (const _link of input.links('notes')) count++;
            return { key: '202603', title: 'Tie-out', result, lines: [], notes: [`${count} links`] };
          },
        },
      ],
    });
    world.pollEvery['tie-out'] = '0 2 * * *';
    const worker = world.hire();
    const turn = async (hours: number): Promise<number | undefined> => {
      await world.clock.pass(hours * 3_600_000);
      return (await worker.engine.keep(integration))['reports'];
    };
    expect(await turn(0)).toBe(0);
    expect(await turn(10)).toBe(0);
    expect(await turn(9)).toBe(1);
    expect(await turn(1)).toBe(0);
    expect(await turn(24)).toBe(1);
    expect(world.alerts.raised).toHaveLength(1);
    expect((await world.state.get(reportKey(integration, 'tie-out', '202603')))?.value).toMatchObject({
      result: 'open',
      notes: ['0 links'],
    });
    result = 'tied';
    await turn(24);
    result = 'open';
    await turn(24);
    expect(world.alerts.raised).toHaveLength(2);
  });

  it('one piece that fails does not keep the others from their turn', async () => {
    const world = new World();
    await world.withPerson();
    world.quill.note({ id: 'n1', code: 'GIFT' });
    await world.change(notesFlow, 'n1');
    await world.settle();
    Object.assign(world.extra, {
      reference: {
        everyMinutes: 1,
        async refresh() {
          throw new Failure('VendorUnavailable', { sentence: 'away' });
        },
      },
    });
    await world.clock.pass(1_900_000);
    const counts = await world.hire().engine.keep(integration);
    expect(counts).toMatchObject({ released: 1 });
    expect(world.log.lines.find(({ event }) => event === 'keeping.failed')?.fields).toMatchObject({ piece: 'reference' });
  });
});
