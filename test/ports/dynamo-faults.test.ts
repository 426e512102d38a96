import { afterAll, describe, expect, test } from 'vitest';
import { createAwsAuditStore } from '../../lib/aws/audit-store.ts';
import { createDynamo, type Dynamo } from '../../lib/aws/dynamo.ts';
import { createAwsLinkStore } from '../../lib/aws/link-store.ts';
import { createAwsStateStore } from '../../lib/aws/state-store.ts';
import { createHandTurnedClock } from '../../lib/memory/hand-turned-clock.ts';
import { createOrderedIds } from '../../lib/memory/ordered-ids.ts';
import { createSeededRandom } from '../../lib/memory/seeded-random.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { refText } from '../../lib/values/record-ref.ts';
import { entryOf } from '../conformance/link-store-port.ts';
import { localConfig, startTables } from './local-aws.ts';

const turned = createHandTurnedClock(new Date('2026-03-02T08:00:00.000Z'));
let slept = 0;
const clock: Clock = {
  now: () => turned.now(),
  sleep: async () => {
    slept += 1;
  },
};
const random = createSeededRandom(3);
const ids = createOrderedIds({ clock, random });
const tables = await startTables(turned);
afterAll(() => tables.close());

type Fault = (command: string, count: number) => 'lose-answer' | Error | undefined;

/** Stores whose requests meet faults: an error instead of the request, or the request done and its answer lost, as the SDK would repeat it. */
async function open(fault: Fault) {
  const dynamo: Dynamo = createDynamo({ clock, random, config: { ...localConfig(tables.url), maxAttempts: 1 } });
  const counts = new Map<string, number>();
  dynamo.client.middlewareStack.add(
    (next, context) => async (args) => {
      const command = context.commandName?.replace('Command', '').replace('Item', '') ?? '';
      const count = (counts.get(command) ?? 0) + 1;
      counts.set(command, count);
      const what = fault(command, count);
      if (what instanceof Error) throw what;
      if (what === 'lose-answer') await next(args);
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low', name: 'faults' },
  );
  const names = await tables.create();
  const audit = createAwsAuditStore({ dynamo, table: names.audit, years: 10 });
  return {
    audit,
    links: createAwsLinkStore({ dynamo, table: names.links, audit, ids }),
    state: createAwsStateStore({ dynamo, table: names.state, ids }),
  };
}

const named = (name: string, more: object = {}) => Object.assign(new Error(name), { name, ...more });
const ref = { flow: 'acumatica-zuora.invoices', side: 'b', key: '8ad0' } as const;
const key = { partition: 'webhook', name: 'n-1' };
const wish = () => ({ owner: 'worker', now: turned.now(), until: new Date(turned.now().getTime() + 60_000) });

describe('DynamoDB in trouble', () => {
  test('a put whose answer was lost and that was repeated is no conflict with itself', async () => {
    const { state } = await open((command, count) => (command === 'Update' && count === 1 ? 'lose-answer' : undefined));
    expect(await state.put(key, 'seen', { expect: 'absent' })).toEqual({ version: 1 });
    expect(await state.put(key, 'seen', { expect: 'absent' })).toBe('conflict');
  });

  test('a lease whose answer was lost and that was repeated is ours', async () => {
    const { links } = await open((command, count) => (command === 'Update' && count === 1 ? 'lose-answer' : undefined));
    expect((await links.lease([ref], wish())).get(refText(ref))).toMatchObject({ link: { state: 'new' } });
    expect((await links.lease([ref], wish())).get(refText(ref))).toHaveProperty('busy');
  });

  test('a commit whose answer was lost and that was repeated is done once', async () => {
    const { audit, links } = await open((command) =>
      command === 'TransactWrite' || command === 'TransactWrites' ? 'lose-answer' : undefined,
    );
    const leased = (await links.lease([ref], wish())).get(refText(ref));
    if (!leased || 'busy' in leased) throw new Error('busy');
    await links.commit({ ...leased, link: { ...leased.link, state: 'synced', keys: { a: 'AR1', b: '8ad0' } } }, [entryOf(refText(ref))]);
    expect((await audit.query({ integration: 'acumatica-zuora', record: refText(ref) })).entries).toHaveLength(1);
  });

  test.each(['ProvisionedThroughputExceededException', 'ThrottlingException', 'TransactionConflictException'])(
    '%s is tried again a few times, and then puts the record back',
    async (name) => {
      slept = 0;
      const short = await open((command, count) => (command === 'Update' && count <= 3 ? named(name) : undefined));
      expect(await short.state.put(key, 1)).toEqual({ version: 1 });
      expect(slept).toBe(3);
      const long = await open((command) => (command === 'Update' ? named(name) : undefined));
      await expect(long.state.put(key, 1)).rejects.toMatchObject({ kind: 'VendorUnavailable', record: { cause: 'store-busy' } });
    },
  );

  test('a transaction that met another one is tried again', async () => {
    const conflict = named('TransactionCanceledException', { CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }] });
    const { links } = await open((command, count) => (command.startsWith('TransactWrite') && count <= 2 ? conflict : undefined));
    const leased = (await links.lease([ref], wish())).get(refText(ref));
    if (!leased || 'busy' in leased) throw new Error('busy');
    await links.commit({ ...leased, link: { ...leased.link, state: 'synced' } }, [entryOf(refText(ref))]);
    expect((await links.findMany([ref])).get(refText(ref))?.state).toBe('synced');
  });

  test('an error that does not pass is not tried again', async () => {
    slept = 0;
    const { state } = await open(() => named('AccessDeniedException'));
    await expect(state.get(key)).rejects.toThrow('AccessDeniedException');
    expect(slept).toBe(0);
  });

  test('a link that outgrew an item says so, and what was there stays', async () => {
    const { links } = await open(() => undefined);
    const leased = (await links.lease([ref], wish())).get(refText(ref));
    if (!leased || 'busy' in leased) throw new Error('busy');
    const grown = { ...leased, link: { ...leased.link, state: 'working' as const, base: 'x'.repeat(400 * 1024) } };
    await expect(links.save(grown)).rejects.toMatchObject({ kind: 'NeedsPerson', record: { cause: 'record-too-large' } });
    expect((await links.findMany([ref])).get(refText(ref))?.state).toBe('new');
  });
});
