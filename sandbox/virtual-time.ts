import type { HandTurnedClock } from '../lib/memory/hand-turned-clock.ts';

/**
 * Runs work in virtual time: while anything can go on, it goes on; when everything sleeps, the clock jumps to the next wake-up. A history that
 * takes a month passes in milliseconds, and always in the same order.
 */
export interface VirtualTime {
  readonly clock: HandTurnedClock;
  /** The same clock for simulators: a request that sleeps there does not count as busy. */
  readonly serverClock: { now(): Date; sleep(ms: number): Promise<void> };
  /** Counts a request in progress: time does not jump while one is being answered. */
  during<Result>(request: () => Promise<Result>): Promise<Result>;
  /** Waits for `work`, turning the clock whenever everybody sleeps. Fails when nothing sleeps and nothing moves. */
  run<Result>(work: Promise<Result>): Promise<Result>;
}

/** Turns of the event loop without any progress after which everybody is taken to be asleep. */
const quietTurns = 4;
/** Turns after which waiting without a sleeper is called a deadlock. */
const deadTurns = 20_000;

export function createVirtualTime(clock: HandTurnedClock): VirtualTime {
  let busy = 0;
  let activity = 0;

  async function during<Result>(request: () => Promise<Result>): Promise<Result> {
    busy += 1;
    activity += 1;
    try {
      return await request();
    } finally {
      busy -= 1;
      activity += 1;
    }
  }

  const serverClock = {
    now: () => clock.now(),
    async sleep(ms: number): Promise<void> {
      busy -= 1;
      try {
        await clock.sleep(ms);
      } finally {
        busy += 1;
        activity += 1;
      }
    },
  };

  async function run<Result>(work: Promise<Result>): Promise<Result> {
    let done = false;
    const end = (): void => {
      done = true;
    };
    work.then(end, end);
    let seen = activity;
    let quiet = 0;
    while (!done) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (activity !== seen) {
        seen = activity;
        quiet = 0;
        continue;
      }
      quiet += 1;
      if (quiet < quietTurns || busy > 0 || done) {
        if (quiet > deadTurns) throw new Error(`virtual time stands still with ${busy} requests in progress and nobody asleep`);
        continue;
      }
      const next = clock.nextWakeAt();
      if (next) {
        clock.advance(Math.max(0, next.getTime() - clock.now().getTime()));
        quiet = 0;
      } else if (quiet > deadTurns) {
        throw new Error('virtual time stands still: the work waits for something that never comes');
      }
    }
    return work;
  }

  return { clock, serverClock, during, run };
}
