import * as z from 'zod';
import type { RateBudget } from '../contracts/io.ts';
import { Failure } from '../failures.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { StateStore } from '../ports/state-store.ts';
import { connectionKey } from './notes.ts';
import type { Gate } from './sender.ts';

/*
 * GCRA as a row of slots. The item in the state store holds the instant of the next free slot; slots lie `interval` apart. A worker leases a block of
 * slots with one write and sends one request per slot, not before the slot's instant and not later than `usable` after it. Requests of any minute
 * therefore have slots in a stretch of one minute plus `usable`, and the interval is chosen so that no such stretch has more slots than the
 * limit: the limit holds in every minute, however many workers there are and however late they use what they leased.
 */

/** How long a leased slot stays good: what a worker that turns busy elsewhere for a moment does not lose. */
const holdMs = 2000;
/** At most this much of the past may be caught up in one go (the burst). With `holdMs` it costs 8 % of the limit. */
const longestCreditMs = 3000;
/** A block reaches at most this far ahead: so long do other workers go on after one was told to stop. */
const lookAheadMs = 5000;
const largestBlock = 40;
const recoveryMs = 10 * 60_000;
const lowestPerMinute = 10;
const lowestShare = 0.1;
/** A vendor that says "in three days" is asked again every hour. */
const longestStopMs = 60 * 60_000;
const minuteMs = 60_000;

const rateSchema = z.object({
  /** Instant of the next free slot, in microseconds: an interval in whole milliseconds would waste up to 4 % at 2,500 a minute. */
  nextUs: z.number(),
  stoppedUntilMs: z.number(),
  /** Part of the configured rate that is used until `lowUntilMs`. */
  share: z.number(),
  lowUntilMs: z.number(),
  /** The vendor's own count, when it is tighter than ours. */
  pace: z.object({ untilMs: z.number(), intervalUs: z.number() }).optional(),
});
type Rate = z.infer<typeof rateSchema>;
const fresh: Rate = { nextUs: 0, stoppedUntilMs: 0, share: 1, lowUntilMs: 0 };

export interface RateParts {
  readonly state: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly connection: string;
  readonly requestsPerMinute: number;
  /** Requests that may leave at once after a pause. */
  readonly burst: number;
  /** How long `pass` waits for a slot before it fails with RateLimited. */
  readonly patienceMs?: number;
}

export function createRateBudget(parts: RateParts): { readonly gate: Gate; readonly budget: RateBudget } {
  const shared = new SharedRate(parts);
  const gate = new RateGate(parts, shared);
  return {
    gate,
    budget: {
      async throttled(until) {
        gate.stop(until.getTime());
        await shared.throttled(until);
      },
      async observed(seen) {
        if (await shared.observed(seen)) gate.dropBlock();
      },
    },
  };
}

/** What all workers of the connection agree on. */
class SharedRate {
  readonly usableMs: number;
  readonly #parts: RateParts;
  readonly #creditMs: number;
  readonly #fullIntervalUs: number;
  #pace: Rate['pace'];

  constructor(parts: RateParts) {
    this.#parts = parts;
    this.#creditMs = Math.min((Math.max(1, parts.burst) - 1) * (minuteMs / parts.requestsPerMinute), longestCreditMs);
    this.usableMs = holdMs + this.#creditMs;
    this.#fullIntervalUs = Math.ceil(((minuteMs + this.usableMs) * 1000) / parts.requestsPerMinute);
  }

  /** Slots (instants in ms) for this worker, or the instant before which no slot is free, when that is further away than a block may reach. */
  async lease(wanted: number): Promise<{ readonly slots: readonly number[] } | { readonly notBeforeMs: number }> {
    const { clock } = this.#parts;
    let slots: readonly number[] = [];
    let notBeforeMs: number | undefined;
    await this.#change((rate) => {
      const nowMs = clock.now().getTime();
      const startUs = Math.max(rate.nextUs, rate.stoppedUntilMs * 1000, (nowMs - this.#creditMs) * 1000);
      notBeforeMs = startUs > (nowMs + lookAheadMs) * 1000 ? Math.ceil(startUs / 1000) : undefined;
      if (notBeforeMs !== undefined) return undefined;
      const intervalUs = this.#intervalUs(rate, nowMs);
      const count = Math.max(1, Math.min(wanted, largestBlock, Math.floor((lookAheadMs * 1000) / intervalUs)));
      slots = Array.from({ length: count }, (_, index) => Math.ceil((startUs + index * intervalUs) / 1000));
      return { ...rate, nextUs: startUs + count * intervalUs };
    });
    return notBeforeMs === undefined ? { slots } : { notBeforeMs };
  }

  async throttled(until: Date): Promise<void> {
    const { clock, connection, log, requestsPerMinute } = this.#parts;
    const floor = Math.min(1, Math.max(lowestPerMinute / requestsPerMinute, lowestShare));
    let share = 1;
    await this.#change((rate) => {
      const nowMs = clock.now().getTime();
      const untilMs = Math.min(until.getTime(), nowMs + longestStopMs);
      // Several workers hear of one refusal: only the first one lowers the rate.
      const known = rate.stoppedUntilMs > nowMs;
      const before = nowMs < rate.lowUntilMs ? rate.share : 1;
      share = known ? before : Math.max(floor, before / 2);
      return {
        ...rate,
        share,
        stoppedUntilMs: Math.max(rate.stoppedUntilMs, untilMs),
        lowUntilMs: Math.max(nowMs, untilMs) + recoveryMs,
      };
    });
    log.warn('rate.throttled', { connection, until: until.toISOString(), share });
  }

  /** True when the vendor's count made the rate tighter. */
  async observed(seen: { readonly remaining: number; readonly resetMs: number }): Promise<boolean> {
    if (seen.resetMs <= 0) return false;
    const nowMs = this.#parts.clock.now().getTime();
    const resetMs = Math.min(seen.resetMs, longestStopMs);
    const intervalUs = Math.ceil((seen.resetMs * 1000) / Math.max(1, seen.remaining));
    const known = this.#pace !== undefined && nowMs < this.#pace.untilMs ? this.#pace.intervalUs : this.#fullIntervalUs;
    // A write only when the picture changed: tighter by a tenth, or looser by half.
    const tighter = seen.remaining <= 0 || intervalUs > known * 1.1;
    const looser = known > this.#fullIntervalUs && intervalUs < known / 2;
    if (!tighter && !looser) return false;
    await this.#change((rate) => ({
      ...rate,
      pace: { untilMs: nowMs + resetMs, intervalUs },
      ...(seen.remaining <= 0 ? { stoppedUntilMs: Math.max(rate.stoppedUntilMs, nowMs + resetMs) } : {}),
    }));
    return tighter;
  }

  #intervalUs(rate: Rate, nowMs: number): number {
    const share = nowMs < rate.lowUntilMs ? rate.share : 1;
    const own = Math.ceil(this.#fullIntervalUs / share);
    return rate.pace !== undefined && nowMs < rate.pace.untilMs ? Math.max(own, rate.pace.intervalUs) : own;
  }

  /** Read, change, write if nobody else wrote; again until it fits. `undefined` changes nothing. */
  async #change(change: (rate: Rate) => Rate | undefined): Promise<void> {
    const { clock, connection, random, state } = this.#parts;
    const key = connectionKey(connection, 'rate');
    for (;;) {
      const item = await state.get(key);
      const known = rateSchema.safeParse(item?.value);
      const changed = change(known.success ? known.data : fresh);
      if (changed === undefined) return;
      const put = await state.put(key, changed, { expect: item?.version ?? 'absent' });
      if (put !== 'conflict') {
        this.#pace = changed.pace;
        return;
      }
      await clock.sleep(5 + random.next() * 20);
    }
  }
}

/** One worker's place in the queue. */
class RateGate implements Gate {
  readonly #parts: RateParts;
  readonly #shared: SharedRate;
  #slots: number[] = [];
  #stoppedUntilMs = 0;
  /** Grows when leased slots are thrown away: whoever sleeps for one of them asks again. */
  #generation = 0;
  #waiting = 0;
  #block = 1;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: RateParts, shared: SharedRate) {
    this.#parts = parts;
    this.#shared = shared;
  }

  async pass(): Promise<void> {
    const { clock } = this.#parts;
    const deadlineMs = clock.now().getTime() + (this.#parts.patienceMs ?? 20_000);
    this.#waiting += 1;
    try {
      for (;;) {
        const slotMs = await this.#inTurn(() => this.#claim(deadlineMs));
        const generation = this.#generation;
        const waitMs = slotMs - clock.now().getTime();
        if (waitMs > 0) await clock.sleep(waitMs);
        const good = generation === this.#generation && clock.now().getTime() <= slotMs + this.#shared.usableMs;
        if (good) return;
      }
    } finally {
      this.#waiting -= 1;
    }
  }

  stop(untilMs: number): void {
    this.#stoppedUntilMs = Math.max(this.#stoppedUntilMs, Math.min(untilMs, this.#parts.clock.now().getTime() + longestStopMs));
    this.dropBlock();
  }

  dropBlock(): void {
    this.#slots = [];
    this.#generation += 1;
  }

  /** First come, first served. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #claim(deadlineMs: number): Promise<number> {
    const { clock } = this.#parts;
    for (;;) {
      const nowMs = clock.now().getTime();
      if (this.#stoppedUntilMs > nowMs) {
        await this.#waitUntil(this.#stoppedUntilMs, deadlineMs);
        continue;
      }
      const spoiled = this.#slots.findIndex((slot) => slot + this.#shared.usableMs >= nowMs);
      const lost = spoiled === -1 ? this.#slots.length : spoiled;
      if (lost > 0) {
        // More was leased than this worker needs.
        this.#slots.splice(0, lost);
        this.#block = Math.max(1, this.#block - lost);
      }
      const slot = this.#slots[0];
      if (slot === undefined) {
        await this.#refill(lost > 0, deadlineMs);
        continue;
      }
      if (slot > deadlineMs) throw this.#spent(slot);
      this.#slots.shift();
      return slot;
    }
  }

  async #refill(tooMany: boolean, deadlineMs: number): Promise<void> {
    const generation = this.#generation;
    const offer = await this.#shared.lease(Math.max(this.#waiting, this.#block));
    if ('notBeforeMs' in offer) {
      await this.#waitUntil(offer.notBeforeMs, deadlineMs);
      return;
    }
    if (generation !== this.#generation) return;
    this.#slots = [...offer.slots];
    if (!tooMany) this.#block = Math.min(largestBlock, this.#block * 2);
  }

  /** Waits until a block that begins at `atMs` may be leased; at the end of a patience it says so instead. */
  async #waitUntil(atMs: number, deadlineMs: number): Promise<void> {
    if (atMs > deadlineMs) throw this.#spent(atMs);
    const nowMs = this.#parts.clock.now().getTime();
    const stopped = this.#stoppedUntilMs > nowMs;
    await this.#parts.clock.sleep(Math.max(1, stopped ? atMs - nowMs : atMs - lookAheadMs - nowMs));
  }

  #spent(atMs: number): Failure {
    const { connection, requestsPerMinute } = this.#parts;
    return new Failure('RateLimited', {
      cause: `rate:${connection}`,
      sentence: `The requests that ${connection} allows (${requestsPerMinute} a minute, or fewer after it asked us to slow down) are used up; it goes on by itself.`,
      at: new Date(atMs),
    });
  }
}
