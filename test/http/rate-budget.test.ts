import { describe, expect, test } from 'vitest';
import { Failure } from '../../lib/failures.ts';
import { createRateBudget } from '../../lib/http/rate-budget.ts';
import type { StateStore } from '../../lib/ports/state-store.ts';
import { createWorld } from './world.ts';

const minuteMs = 60_000;

/** Workers that send as fast as they may, each with several requests at once, for a while. */
async function rush(options: {
  readonly perMinute: number;
  readonly burst: number;
  readonly workers: number;
  readonly loops: number;
  readonly latencyMs: number;
  readonly minutes: number;
  readonly patienceMs?: number;
}) {
  const world = createWorld(7);
  let writes = 0;
  const state: StateStore = {
    ...world.state,
    put: (key, value, more) => {
      writes += 1;
      return world.state.put(key, value, more);
    },
  };
  const sentAt: number[] = [];
  const endMs = world.clock.now().getTime() + options.minutes * minuteMs;
  const loop = async (gate: { pass(): Promise<void> }) => {
    while (world.clock.now().getTime() < endMs) {
      try {
        await gate.pass();
      } catch (error) {
        if (!(error instanceof Failure) || error.kind !== 'RateLimited') throw error;
        await world.clock.sleep(Date.parse(error.record.at ?? '') - world.clock.now().getTime());
        continue;
      }
      if (world.clock.now().getTime() < endMs) sentAt.push(world.clock.now().getTime());
      await world.clock.sleep(options.latencyMs * (0.5 + world.random.next()));
    }
  };
  const all = Promise.all(
    Array.from({ length: options.workers }, () => {
      const { gate } = createRateBudget({
        ...world,
        state,
        connection: 'vendor',
        requestsPerMinute: options.perMinute,
        burst: options.burst,
        ...(options.patienceMs === undefined ? {} : { patienceMs: options.patienceMs }),
      });
      return Promise.all(Array.from({ length: options.loops }, () => loop(gate)));
    }),
  );
  let over = false;
  const failed = all.then(
    () => {
      over = true;
    },
    (error: unknown) => {
      over = true;
      throw error;
    },
  );
  while (!over) await world.clock.pass(1000);
  await failed;
  return { sentAt, writes };
}

function busiestMinute(sentAt: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (let last = 0; last < sentAt.length; last += 1) {
    while ((sentAt[first] ?? 0) <= (sentAt[last] ?? 0) - minuteMs) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

describe('rate budget', () => {
  test.each([
    { perMinute: 60, burst: 5, workers: 2, loops: 4, latencyMs: 300 },
    { perMinute: 600, burst: 20, workers: 2, loops: 8, latencyMs: 400 },
    { perMinute: 600, burst: 20, workers: 5, loops: 3, latencyMs: 250 },
    { perMinute: 10, burst: 1, workers: 2, loops: 2, latencyMs: 300 },
    { perMinute: 2400, burst: 50, workers: 3, loops: 12, latencyMs: 200 },
  ])('$workers workers use at least nine tenths of $perMinute a minute and never more than all of it', async (options) => {
    const minutes = 10;
    const { sentAt } = await rush({ ...options, minutes });
    expect(busiestMinute(sentAt)).toBeLessThanOrEqual(options.perMinute);
    expect(sentAt.length).toBeGreaterThanOrEqual(0.9 * options.perMinute * minutes);
  });

  test('at a high rate the store is written about once in ten requests', async () => {
    const { sentAt, writes } = await rush({ perMinute: 600, burst: 20, workers: 2, loops: 8, latencyMs: 400, minutes: 5 });
    expect(writes).toBeLessThanOrEqual(sentAt.length / 10);
  });

  test('a busy worker and one that rarely sends do not spoil the rate for each other', async () => {
    const world = createWorld(3);
    const parts = { ...world, connection: 'vendor', requestsPerMinute: 120, burst: 10 };
    const busy = createRateBudget(parts).gate;
    const rare = createRateBudget(parts).gate;
    const sentAt: number[] = [];
    const endMs = world.clock.now().getTime() + 5 * minuteMs;
    const loop = async (gate: typeof busy, pauseMs: number) => {
      while (world.clock.now().getTime() < endMs) {
        await gate.pass();
        sentAt.push(world.clock.now().getTime());
        await world.clock.sleep(pauseMs);
      }
    };
    const all = Promise.all([loop(busy, 1), loop(busy, 1), loop(rare, 7000)]);
    await world.clock.pass(5 * minuteMs + 20_000);
    await all;
    expect(busiestMinute(sentAt)).toBeLessThanOrEqual(120);
    expect(sentAt.length).toBeGreaterThanOrEqual(0.9 * 120 * 5);
  });

  test('a refusal stops every worker until its instant, and halves the rate once for all who heard of it', async () => {
    const world = createWorld();
    const parts = { ...world, connection: 'vendor', requestsPerMinute: 600, burst: 1 };
    const one = createRateBudget(parts);
    const other = createRateBudget(parts);
    await one.gate.pass();
    const until = new Date(world.clock.now().getTime() + minuteMs);
    await one.budget.throttled(until);
    await other.budget.throttled(until);
    await expect(other.gate.pass()).rejects.toMatchObject({ kind: 'RateLimited', record: { at: until.toISOString() } });
    await expect(one.gate.pass()).rejects.toMatchObject({ kind: 'RateLimited' });
    expect(world.log.lines.filter((line) => line.event === 'rate.throttled').map((line) => line.fields['share'])).toEqual([0.5, 0.5]);

    await world.clock.pass(minuteMs);
    const sentAt: number[] = [];
    let stop = false;
    const loop = async () => {
      while (!stop) {
        await other.gate.pass();
        sentAt.push(world.clock.now().getTime());
      }
    };
    const running = loop();
    await world.clock.pass(2 * minuteMs);
    expect(sentAt.length).toBeLessThanOrEqual(602);
    expect(sentAt.length).toBeGreaterThanOrEqual(0.9 * 600);
    await world.clock.pass(9 * minuteMs);
    const before = sentAt.length;
    await world.clock.pass(minuteMs);
    expect(sentAt.length - before).toBeGreaterThanOrEqual(0.9 * 600);
    stop = true;
    await world.clock.pass(minuteMs);
    await running;
  });

  test('a worker that was not told learns of the stop within the reach of a block', async () => {
    const world = createWorld();
    const parts = { ...world, connection: 'vendor', requestsPerMinute: 600, burst: 1, patienceMs: 1000 };
    const told = createRateBudget(parts);
    const untold = createRateBudget(parts);
    let sent = 0;
    let refused: unknown;
    const loop = async () => {
      for (;;) {
        await untold.gate.pass();
        sent += 1;
      }
    };
    const running = loop().catch((error: unknown) => {
      refused = error;
    });
    await world.clock.pass(30_000);
    await told.budget.throttled(new Date(world.clock.now().getTime() + 10 * minuteMs));
    const before = sent;
    await world.clock.pass(5000);
    await running;
    expect(refused).toMatchObject({ kind: 'RateLimited' });
    expect(sent - before).toBeLessThanOrEqual(50);
  });

  test('repeated refusals never lower the rate below ten a minute', async () => {
    const world = createWorld();
    const { budget } = createRateBudget({ ...world, connection: 'vendor', requestsPerMinute: 40, burst: 1 });
    for (let count = 0; count < 6; count += 1) {
      await budget.throttled(new Date(world.clock.now().getTime() + 1000));
      await world.clock.pass(2000);
    }
    expect(world.log.lines.at(-1)?.fields['share']).toBe(0.25);
  });

  test('an instant three days away is taken for an hour', async () => {
    const world = createWorld();
    const { budget, gate } = createRateBudget({ ...world, connection: 'vendor', requestsPerMinute: 60, burst: 1 });
    await budget.throttled(new Date(world.clock.now().getTime() + 3 * 86_400_000));
    await expect(gate.pass()).rejects.toMatchObject({
      record: { at: new Date(world.clock.now().getTime() + 60 * minuteMs).toISOString() },
    });
  });

  test('the vendor saying that nothing remains stops the connection until the reset, without lowering the rate', async () => {
    const world = createWorld();
    const { budget, gate } = createRateBudget({ ...world, connection: 'vendor', requestsPerMinute: 60, burst: 5 });
    await budget.observed({ remaining: 0, resetMs: 120_000 });
    await expect(gate.pass()).rejects.toMatchObject({
      kind: 'RateLimited',
      record: { at: new Date(world.clock.now().getTime() + 120_000).toISOString() },
    });
    await world.clock.pass(120_000);
    await gate.pass();
  });

  test('what the vendor says remains is spread over the time to the reset', async () => {
    const world = createWorld();
    const { budget, gate } = createRateBudget({ ...world, connection: 'vendor', requestsPerMinute: 600, burst: 1 });
    await budget.observed({ remaining: 100, resetMs: 10 * minuteMs });
    let sent = 0;
    let stop = false;
    const loop = async () => {
      while (!stop) {
        await gate.pass();
        sent += 1;
      }
    };
    const running = loop();
    await world.clock.pass(9 * minuteMs);
    expect(sent).toBeLessThanOrEqual(100);
    expect(sent).toBeGreaterThanOrEqual(80);
    stop = true;
    await world.clock.pass(minuteMs);
    await running;
  });

  test('plenty remaining costs no write', async () => {
    const world = createWorld();
    const { budget } = createRateBudget({ ...world, connection: 'vendor', requestsPerMinute: 60, burst: 5 });
    await budget.observed({ remaining: 40_000, resetMs: 30_000 });
    expect((await world.state.list('connection|vendor')).items).toEqual([]);
  });
});
