import { describe, expect, test } from 'vitest';
import { createLane } from '../../lib/http/lane.ts';
import type { QueueName } from '../../lib/ports/change-queue.ts';
import { createWorld, finish, start } from './world.ts';

const minuteMs = 60_000;

function setUp() {
  const world = createWorld();
  let inside = 0;
  const stats = { most: 0 };
  return {
    ...world,
    stats,
    lane: (queue: QueueName = 'live', capacity = 1) => createLane({ ...world, connection: 'kestrel', capacity, queue }),
    /** Work that takes its time and notices company. */
    work: async (ms: number) => {
      inside += 1;
      stats.most = Math.max(stats.most, inside);
      await world.clock.sleep(ms);
      inside -= 1;
    },
    elapsedMs: () => world.clock.now().getTime() - start.getTime(),
  };
}

describe('lane', () => {
  test('inside a process work goes one after the other, in the order of its coming', async () => {
    const world = setUp();
    const lane = world.lane();
    const order: number[] = [];
    const all = [1, 2, 3, 4].map((number) =>
      lane.run(async () => {
        await world.work(100);
        order.push(number);
      }),
    );
    await finish(world.clock, Promise.all(all));
    expect([order, world.stats.most]).toEqual([[1, 2, 3, 4], 1]);
  });

  test('two workers are never in one lane at once, also when one works far longer than a lane is held', async () => {
    const world = setUp();
    const one = world.lane();
    const other = world.lane();
    const long = one.run(() => world.work(2 * minuteMs));
    await world.clock.pass(1000);
    await expect(
      finish(
        world.clock,
        other.run(() => world.work(1)),
      ),
    ).rejects.toMatchObject({ kind: 'LaneBusy', record: { at: expect.any(String) } });
    await finish(world.clock, long);
    await one.release();
    await finish(
      world.clock,
      other.run(() => world.work(1)),
    );
    expect(world.stats.most).toBe(1);
  });

  test('LaneBusy says when to come back: later than now, within the time a lane is held', async () => {
    const world = setUp();
    const holder = world.lane();
    await finish(
      world.clock,
      holder.run(() => world.work(1)),
    );
    const failure = await finish(
      world.clock,
      world
        .lane('bulk')
        .run(() => world.work(1))
        .catch((error: unknown) => error),
    );
    expect(failure).toMatchObject({ kind: 'LaneBusy' });
    const atMs = Date.parse((failure as { record: { at: string } }).record.at);
    expect(atMs).toBeGreaterThan(world.clock.now().getTime());
    expect(atMs).toBeLessThanOrEqual(world.clock.now().getTime() + 30_000);
  });

  test('what is held idle is free for others after release, and without it when its time is over', async () => {
    const world = setUp();
    const one = world.lane();
    await finish(
      world.clock,
      one.run(() => world.work(10)),
    );
    await one.release();
    await finish(
      world.clock,
      world.lane().run(() => world.work(10)),
    );
    expect(world.elapsedMs()).toBeLessThan(100);
    await world.clock.pass(31_000);
    await finish(
      world.clock,
      world.lane().run(() => world.work(10)),
    );
    expect(world.elapsedMs()).toBeLessThan(32_000);
  });

  test('a release during work lets it finish and then gives the lane back', async () => {
    const world = setUp();
    const one = world.lane();
    const work = one.run(() => world.work(5000));
    await world.clock.pass(1000);
    await one.release();
    const next = world.lane().run(() => world.work(10));
    await finish(world.clock, Promise.all([work, next]));
    expect(world.stats.most).toBe(1);
    expect(world.elapsedMs()).toBeLessThan(7000);
  });

  test('a connection with three lanes has three in work, over all workers', async () => {
    const world = setUp();
    const lanes = [world.lane('live', 3), world.lane('live', 3)];
    const all = lanes.flatMap((lane) => Array.from({ length: 4 }, () => lane.run(() => world.work(500))));
    const end = Promise.allSettled(all).then(async (settled) => {
      await Promise.all(lanes.map((lane) => lane.release()));
      return settled;
    });
    const settled = await finish(world.clock, end);
    expect(world.stats.most).toBe(3);
    expect(settled.filter((one) => one.status === 'fulfilled').length).toBeGreaterThanOrEqual(4);
  });

  test('live work gets the lane from a bulk worker that would keep it for ever', async () => {
    const world = setUp();
    const bulk = world.lane('bulk');
    const refused: unknown[] = [];
    const endless = (async () => {
      while (world.elapsedMs() < 2 * minuteMs) {
        await bulk
          .run(() => world.work(700))
          .catch(async (error: unknown) => {
            refused.push(error);
            await world.clock.sleep(3000);
          });
      }
    })();
    await world.clock.pass(5000);
    const live = world.lane('live');
    let gotAtMs = 0;
    const wish = live.run(async () => {
      gotAtMs = world.elapsedMs();
      await world.work(100);
    });
    await world.clock.pass(25_000);
    await wish;
    await live.release();
    await finish(world.clock, endless);
    expect(gotAtMs).toBeLessThan(20_000);
    expect(world.stats.most).toBe(1);
    expect(refused[0]).toMatchObject({ kind: 'LaneBusy' });
  });

  test('work that is in the lane already may ask for it again', async () => {
    const world = setUp();
    const lane = world.lane();
    expect(
      await finish(
        world.clock,
        lane.run(() => lane.run(async () => 'through')),
      ),
    ).toBe('through');
  });

  test('work that fails leaves the lane', async () => {
    const world = setUp();
    const lane = world.lane();
    await expect(lane.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await finish(
      world.clock,
      lane.run(() => world.work(1)),
    );
  });

  test('a hundred small pieces of work cost few writes', async () => {
    const world = setUp();
    const lane = world.lane();
    const run = async () => {
      for (let count = 0; count < 100; count += 1) await lane.run(() => world.work(100));
    };
    await finish(world.clock, run());
    const item = await world.state.get({ partition: 'connection|kestrel', name: 'lane|0' });
    expect(item?.version).toBeLessThanOrEqual(3);
  });
});
