import { AsyncLocalStorage } from 'node:async_hooks';
import type { Lane } from '../contracts/io.ts';
import { Failure } from '../failures.ts';
import type { QueueName } from '../ports/change-queue.ts';
import type { Clock, Ids, Random } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { StateStore } from '../ports/state-store.ts';
import { connectionKey } from './notes.ts';
import { giveBackLease, type Holding, renewLease, takeLease } from './state-lease.ts';

/** A lane that nobody renews is free after this: so long does a crashed worker block the others. */
const holdForMs = 30_000;
/** In use, it is renewed this long after the last time; a bulk worker then also sees whether live work asks for it. */
const renewAfterMs = 10_000;
/** An idle lane is given up for lost this long before its deadline, so that no request starts on one that is about to end. */
const safetyMs = 5000;
const pollMs = 400;
/** How long a record waits for another worker's lane before it goes back on the queue. */
const patienceMs: Readonly<Record<QueueName, number>> = { live: 20_000, bulk: 5000 };
/** How long the wish of live work keeps bulk work out. */
const wantedForMs = 20_000;

export interface LaneParts {
  readonly state: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly log: Log;
  readonly connection: string;
  /** Sessions the vendor allows at once. */
  readonly capacity: number;
  readonly queue: QueueName;
}

/** A lane that is shared across workers, and its end: `release` gives back what is held and lets what is running finish first. */
export interface SharedLane extends Lane {
  release(): Promise<void>;
}

/** For vendors without a limit of sessions. */
export const openLane: SharedLane = {
  run: (work) => work(),
  release: async () => undefined,
};

interface Waiter {
  readonly sinceMs: number;
  readonly enter: (slot: Slot) => void;
  readonly refuse: (error: unknown) => void;
}

/** One lane of the connection while this worker holds it. */
interface Slot {
  holding: Holding;
  renewedAtMs: number;
  /** To be given back as soon as it is idle. */
  leaving: boolean;
}

export function createLane(parts: LaneParts): SharedLane {
  return new WorkerLane(parts);
}

/** The lanes that the work going on is in. One storage for all lanes of a process: every further one costs each promise of the process. */
const inside = new AsyncLocalStorage<readonly SharedLane[]>();

class WorkerLane implements SharedLane {
  readonly #parts: LaneParts;
  readonly #waiters: Waiter[] = [];
  readonly #idle: Slot[] = [];
  #busy = 0;
  #releases = 0;
  #pumping = false;
  /** When this worker last held a lane: the patience of its waiters counts from there. */
  #heldAtMs = 0;
  #askedAtMs: number | undefined;

  constructor(parts: LaneParts) {
    this.#parts = parts;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    // Work that already is in the lane goes on in it: waiting for itself would be for ever.
    const outer = inside.getStore() ?? [];
    if (outer.includes(this)) return work();
    const slot = await this.#enter();
    const releases = this.#releases;
    const done = new AbortController();
    const renewing = this.#renewWhileInUse(slot, done.signal);
    try {
      return await inside.run([...outer, this], work);
    } finally {
      done.abort();
      await renewing;
      await this.#leave(slot, releases);
    }
  }

  async release(): Promise<void> {
    this.#releases += 1;
    const idle = this.#idle.splice(0);
    await Promise.all(idle.map((slot) => giveBackLease(this.#parts.state, slot.holding)));
  }

  #enter(): Promise<Slot> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ sinceMs: this.#nowMs(), enter: resolve, refuse: reject });
      this.#pump();
    });
  }

  async #leave(slot: Slot, releases: number): Promise<void> {
    this.#busy -= 1;
    this.#heldAtMs = this.#nowMs();
    if (slot.leaving || (releases !== this.#releases && this.#waiters.length === 0)) {
      await giveBackLease(this.#parts.state, slot.holding).catch((error: unknown) => this.#warn('lane.not-given-back', error));
    } else {
      this.#idle.push(slot);
    }
    this.#pump();
  }

  /** Serves waiters one after the other; there is never more than one of it. */
  #pump(): void {
    if (this.#pumping || this.#waiters.length === 0) return;
    this.#pumping = true;
    this.#serve()
      .catch((error: unknown) => {
        for (const waiter of this.#waiters.splice(0)) waiter.refuse(error);
      })
      .finally(() => {
        this.#pumping = false;
        // Somebody may have come, or a lane become idle, while the last one was served.
        if (this.#waiters.length > 0 && (this.#idle.length > 0 || this.#busy === 0)) this.#pump();
      });
  }

  async #serve(): Promise<void> {
    const { clock, random } = this.#parts;
    while (this.#waiters.length > 0) {
      const slot = (await this.#idleSlot()) ?? (await this.#takeSlot());
      if (typeof slot === 'object') {
        const next = this.#waiters.shift();
        if (!next) {
          this.#idle.push(slot);
          return;
        }
        this.#busy += 1;
        next.enter(slot);
        continue;
      }
      if (this.#idle.length > 0) continue;
      // Our own work will make room: its end calls again.
      if (this.#busy > 0) return;
      this.#refuseImpatient(slot);
      if (this.#waiters.length > 0) await clock.sleep(pollMs * (0.5 + random.next()));
    }
  }

  async #idleSlot(): Promise<Slot | undefined> {
    for (let slot = this.#idle.shift(); slot; slot = this.#idle.shift()) {
      if (this.#nowMs() - slot.renewedAtMs < renewAfterMs) return slot;
      if (await this.#renew(slot)) {
        if (!slot.leaving) return slot;
        await giveBackLease(this.#parts.state, slot.holding);
      }
    }
    return undefined;
  }

  /** A free lane of the connection, or the instant before which none is. */
  async #takeSlot(): Promise<Slot | number> {
    const { capacity, connection, ids, queue, state } = this.#parts;
    const nowMs = this.#nowMs();
    if (queue === 'bulk') {
      const wantedUntilMs = await this.#wantedUntilMs();
      if (wantedUntilMs !== undefined) return wantedUntilMs;
    }
    let freeAtMs = Number.POSITIVE_INFINITY;
    for (let index = 0; index < capacity; index += 1) {
      const taken = await takeLease(state, connectionKey(connection, `lane|${index}`), { owner: ids.next(), nowMs, forMs: holdForMs });
      if ('holding' in taken) {
        if (this.#askedAtMs !== undefined) {
          this.#askedAtMs = undefined;
          await state.remove(this.#wantedKey());
        }
        return { holding: taken.holding, renewedAtMs: nowMs, leaving: false };
      }
      freeAtMs = Math.min(freeAtMs, taken.busyUntilMs);
    }
    if (queue === 'live' && this.#busy === 0 && (this.#askedAtMs === undefined || nowMs - this.#askedAtMs >= renewAfterMs)) {
      this.#askedAtMs = nowMs;
      await state.put(this.#wantedKey(), { untilMs: nowMs + wantedForMs }, { expiresAt: new Date(nowMs + wantedForMs) });
    }
    return freeAtMs;
  }

  #refuseImpatient(freeAtMs: number): void {
    const { connection, queue } = this.#parts;
    const nowMs = this.#nowMs();
    while (this.#waiters[0] && nowMs - Math.max(this.#waiters[0].sinceMs, this.#heldAtMs) >= patienceMs[queue]) {
      this.#waiters.shift()?.refuse(
        new Failure('LaneBusy', {
          cause: `lane:${connection}`,
          sentence: `${connection} takes one session at a time and another worker is using it; this record is tried again in a moment.`,
          at: new Date(Math.min(Math.max(freeAtMs, nowMs + 1000), nowMs + holdForMs)),
        }),
      );
    }
  }

  async #renewWhileInUse(slot: Slot, done: AbortSignal): Promise<void> {
    for (;;) {
      await this.#parts.clock.sleep(Math.max(1, slot.renewedAtMs + renewAfterMs - this.#nowMs()), done);
      if (done.aborted) return;
      if (!(await this.#renew(slot))) {
        slot.leaving = true;
        return;
      }
    }
  }

  /** False when another worker has it by now, or may have. A bulk worker learns here that live work asks for the lane. */
  async #renew(slot: Slot): Promise<boolean> {
    const nowMs = this.#nowMs();
    try {
      const renewed = await renewLease(this.#parts.state, slot.holding, nowMs + holdForMs);
      if (renewed === undefined) return false;
      slot.holding = renewed;
      slot.renewedAtMs = nowMs;
      if (this.#parts.queue === 'bulk' && (await this.#wantedUntilMs()) !== undefined) slot.leaving = true;
      return true;
    } catch (error) {
      this.#warn('lane.not-renewed', error);
      slot.renewedAtMs = nowMs;
      return nowMs < slot.holding.untilMs - safetyMs;
    }
  }

  async #wantedUntilMs(): Promise<number | undefined> {
    const item = await this.#parts.state.get<{ readonly untilMs: number }>(this.#wantedKey());
    return item?.value.untilMs;
  }

  #wantedKey() {
    return connectionKey(this.#parts.connection, 'lane-wanted');
  }

  #warn(event: string, error: unknown): void {
    this.#parts.log.warn(event, { connection: this.#parts.connection, error: error instanceof Error ? error.message : String(error) });
  }

  #nowMs(): number {
    return this.#parts.clock.now().getTime();
  }
}
