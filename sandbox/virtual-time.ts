import type { HandTurnedClock } from '../lib/memory/hand-turned-clock.ts';

/**
 * Time that jumps: while anything can go on, it goes on; when everything sleeps, whoever drives the world turns the clock to the next instant
 * that matters. A history of a month passes in milliseconds, and always in the same order.
 */
export interface VirtualTime {
  readonly clock: HandTurnedClock;
  /** The same clock for simulators: a request that sleeps there does not count as busy. */
  readonly serverClock: { now(): Date; sleep(ms: number): Promise<void> };
  /** Counts a request in progress: nobody is quiet while one is being answered. */
  during<Result>(request: () => Promise<Result>): Promise<Result>;
  /** Resolves when nothing can go on before the clock is turned. */
  quiet(): Promise<void>;
  /** Turns the clock to an instant, or not at all when that has passed. */
  turnTo(instant: Date): void;
  /** Waits for `work` alone, turning the clock whenever everything is quiet. Fails when nothing sleeps and nothing moves. */
  run<Result>(work: Promise<Result>): Promise<Result>;
}

/** Turns of the event loop without any progress after which everybody is taken to be asleep. */
const quietTurns = 4;
/** Turns after which a request in progress that does not move is taken to wait for the clock, when anybody does: our own end of it may sleep too. */
const asleepTurns = 2_000;
/** Turns of waiting for a request in progress after which something is broken. */
const deadTurns = 200_000;

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

  async function quiet(): Promise<void> {
    let seen = activity;
    let turns = 0;
    for (let waited = 0; turns < quietTurns || busy > 0; waited += 1) {
      if (waited > deadTurns) throw new Error(`virtual time stands still: ${busy} requests in progress and none of them asleep`);
      await new Promise<void>((resolve) => setImmediate(resolve));
      turns = activity === seen ? turns + 1 : 0;
      if (turns > asleepTurns && clock.nextWakeAt() !== undefined) return;
      seen = activity;
    }
  }

  function turnTo(instant: Date): void {
    const ms = instant.getTime() - clock.now().getTime();
    if (ms >= 0) clock.advance(ms);
  }

  async function run<Result>(work: Promise<Result>): Promise<Result> {
    let done = false;
    const end = (): void => {
      done = true;
    };
    work.then(end, end);
    for (;;) {
      await quiet();
      if (done) return work;
      const next = clock.nextWakeAt();
      if (!next) throw new Error('virtual time stands still: the work waits for something that never comes');
      turnTo(next);
    }
  }

  return { clock, serverClock, during, quiet, turnTo, run };
}
