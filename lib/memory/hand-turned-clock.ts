import type { Clock } from '../ports/clock.ts';

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** Time that passes only when somebody turns it. */
export interface HandTurnedClock extends Clock {
  /** Lets `ms` pass at once and wakes those whose time has come, the earliest first. What they do then they do at the new time. */
  advance(ms: number): void;
  /** The instant of the next sleeper; undefined when nobody sleeps. */
  nextWakeAt(): Date | undefined;
  /** Lets `ms` pass from one sleeper's instant to the next, giving those who wake the time to do their work at their instant. */
  pass(ms: number): Promise<void>;
}

/** Turns of the event loop after which everything that could go on has come to an await on the clock or on the outside world. */
const turnsToSettle = 3;

export function createHandTurnedClock(start: Date): HandTurnedClock {
  let nowMs = start.getTime();
  /** Ordered by instant; of one instant, first come first woken. */
  const sleepers: Sleeper[] = [];

  function add(sleeper: Sleeper): void {
    const after = sleepers.findLastIndex((other) => other.atMs <= sleeper.atMs);
    sleepers.splice(after + 1, 0, sleeper);
  }

  function drop(sleeper: Sleeper): void {
    const index = sleepers.indexOf(sleeper);
    if (index !== -1) sleepers.splice(index, 1);
  }

  function advanceTo(untilMs: number): void {
    for (let next = sleepers[0]; next && next.atMs <= untilMs; next = sleepers[0]) {
      sleepers.shift();
      nowMs = Math.max(nowMs, next.atMs);
      next.wake();
    }
    nowMs = Math.max(nowMs, untilMs);
  }

  return {
    now: () => new Date(nowMs),
    sleep(ms, signal) {
      return new Promise((resolve) => {
        if (signal?.aborted) {
          resolve();
          return;
        }
        const end = (): void => {
          drop(sleeper);
          resolve();
        };
        const sleeper: Sleeper = {
          // Instants are whole milliseconds, or whoever turns the clock to `nextWakeAt` would stop just before it.
          atMs: nowMs + Math.max(0, Math.ceil(ms)),
          wake() {
            signal?.removeEventListener('abort', end);
            resolve();
          },
        };
        signal?.addEventListener('abort', end, { once: true });
        add(sleeper);
      });
    },
    advance(ms) {
      advanceTo(nowMs + Math.ceil(ms));
    },
    nextWakeAt() {
      const next = sleepers[0];
      return next && new Date(next.atMs);
    },
    async pass(ms) {
      const untilMs = nowMs + ms;
      await settle();
      for (let next = sleepers[0]; next && next.atMs <= untilMs; next = sleepers[0]) {
        advanceTo(next.atMs);
        await settle();
      }
      advanceTo(untilMs);
      await settle();
    },
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < turnsToSettle; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
