import { describe, expect, test } from 'vitest';
import { createMemoryQueues } from '../../lib/memory/change-queue.ts';
import { createCollectingLog } from '../../lib/memory/collecting-log.ts';
import { createMemoryDatabase } from '../../lib/memory/database.ts';
import { createHandTurnedClock } from '../../lib/memory/hand-turned-clock.ts';
import { createOrderedIds } from '../../lib/memory/ordered-ids.ts';
import { createMemorySecretStore } from '../../lib/memory/secret-store.ts';
import { createSeededRandom } from '../../lib/memory/seeded-random.ts';
import { createMemoryStateStore } from '../../lib/memory/state-store.ts';
import { describeAuditStore } from '../conformance/audit-store-port.ts';
import { describeChangeQueue } from '../conformance/change-queue-port.ts';
import { describeLinkStore } from '../conformance/link-store-port.ts';
import { describeSecretStore } from '../conformance/secret-store-port.ts';
import { describeStateStore } from '../conformance/state-store-port.ts';

const start = new Date('2026-03-02T08:00:00.000Z');

describeStateStore('memory', async () => {
  const clock = createHandTurnedClock(start);
  return { clock, store: createMemoryStateStore({ clock }) };
});
describeLinkStore('memory', async () => createMemoryDatabase());
describeAuditStore('memory', async () => createMemoryDatabase());
describeSecretStore('memory', async () => ({ store: createMemorySecretStore() }));
describeChangeQueue('memory', async () => {
  const clock = createHandTurnedClock(start);
  const queue = createMemoryQueues({ clock, ids: createOrderedIds({ clock, random: createSeededRandom(1) }) });
  return {
    clock,
    queue,
    letters: queue.deadLetters,
    receive: (name, visibilitySeconds) => queue.receive(name, { visibilityMs: visibilitySeconds * 1000 }),
    remove: (name, handle) => queue.remove(name, [handle]),
  };
});

describe('hand-turned clock', () => {
  test('sleepers wake in the order of their instants, and of one instant in the order of their coming', async () => {
    const clock = createHandTurnedClock(start);
    const woken: string[] = [];
    const sleep = (name: string, ms: number) =>
      clock.sleep(ms).then(() => woken.push(`${name}@${clock.now().getTime() - start.getTime()}`));
    void sleep('late', 300);
    void sleep('first', 100);
    void sleep('second', 100).then(() => sleep('nested', 50));
    expect(clock.nextWakeAt()).toEqual(new Date(start.getTime() + 100));
    await clock.pass(300);
    expect(woken).toEqual(['first@100', 'second@100', 'nested@150', 'late@300']);
    expect(clock.nextWakeAt()).toBeUndefined();
  });

  test('a sleep of a fraction of a millisecond is over at the instant the clock names', async () => {
    const clock = createHandTurnedClock(start);
    const sleep = clock.sleep(0.4);
    const next = clock.nextWakeAt() ?? start;
    clock.advance(next.getTime() - clock.now().getTime());
    await sleep;
    expect(clock.nextWakeAt()).toBeUndefined();
  });

  test('a sleep that was called off is over at once and no longer a reason to turn the clock', async () => {
    const clock = createHandTurnedClock(start);
    const end = new AbortController();
    const sleep = clock.sleep(1000, end.signal);
    end.abort();
    await sleep;
    await clock.sleep(1000, end.signal);
    expect(clock.nextWakeAt()).toBeUndefined();
    expect(clock.now()).toEqual(start);
  });
});

describe('ids', () => {
  test('they are well formed, grow as texts, and are the same for the same seed', () => {
    const make = () => {
      const clock = createHandTurnedClock(start);
      const ids = createOrderedIds({ clock, random: createSeededRandom(5) });
      return Array.from({ length: 500 }, (_, index) => {
        if (index % 100 === 0) clock.advance(1);
        return ids.next();
      });
    };
    const ids = make();
    expect(ids.every((id) => /^[0-9A-Z]{26}$/.test(id))).toBe(true);
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(500);
    expect(make()).toEqual(ids);
  });
});

describe('collecting log', () => {
  test('a total adds up what has at least the dimensions asked for', () => {
    const log = createCollectingLog();
    log.count('vendor.calls', 1, { connection: 'heron', operation: 'GET /a' });
    log.count('vendor.calls', 2, { connection: 'heron', operation: 'GET /b' });
    log.count('vendor.calls', 4, { connection: 'owl', operation: 'GET /a' });
    expect(log.total('vendor.calls')).toBe(7);
    expect(log.total('vendor.calls', { connection: 'heron' })).toBe(3);
  });
});
