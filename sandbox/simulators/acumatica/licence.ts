import type { SimulatedWorld } from '../kit.ts';
import type { Licence } from './options.ts';
import { Refusal } from './refusals.ts';

const minuteMs = 60_000;
const longestQueue = 20;
const longestWaitMs = 10 * minuteMs;
const lookAgainMs = 250;

/** A 429 whose body may be plain text of the web server. */
export class Declined extends Refusal {
  readonly text: string | undefined;
  constructor(kind: Licence['declinedBody']) {
    super(429, { message: 'The request was declined because the limit of API requests of the license is exceeded.' });
    this.text = kind === 'text' ? 'The custom error module does not recognize this error.' : undefined;
  }
}

/**
 * The request queue of a licence. From half of the minute's limit on, every request waits `time left / (limit − processed)`; it is declined
 * only when more than 20 wait or it has waited 10 minutes. A waiting client sees nothing but an open socket.
 */
export class RequestQueue {
  readonly #world: SimulatedWorld;
  readonly #licence: () => Licence;
  #minute = -1;
  #processed = 0;
  #waiting = 0;
  #running = 0;
  /** When the request before this one starts, so that delayed requests line up behind each other. */
  #nextStart = 0;

  constructor(world: SimulatedWorld, licence: () => Licence) {
    this.#world = world;
    this.#licence = licence;
  }

  /** Waits for admission and returns what to call when the request is over. */
  async enter(): Promise<() => void> {
    const licence = this.#licence();
    if (licence.requestsPerMinute === null && licence.concurrentRequests === null) return () => undefined;
    if (this.#waiting > longestQueue) throw new Declined(licence.declinedBody);
    const arrivedAt = this.#now();
    this.#waiting += 1;
    try {
      await this.#turn(licence, arrivedAt);
      while (licence.concurrentRequests !== null && this.#running >= licence.concurrentRequests)
        await this.#sleep(lookAgainMs, arrivedAt, licence);
    } finally {
      this.#waiting -= 1;
    }
    this.#running += 1;
    return () => {
      this.#running -= 1;
    };
  }

  async #turn(licence: Licence, arrivedAt: number): Promise<void> {
    const limit = licence.requestsPerMinute;
    if (limit === null) return;
    for (;;) {
      this.#startMinute();
      if (this.#processed < limit) break;
      await this.#sleep(minuteMs - (this.#now() % minuteMs), arrivedAt, licence);
    }
    const left = minuteMs - (this.#now() % minuteMs);
    const delayMs = this.#processed >= limit / 2 ? left / (limit - this.#processed) : 0;
    const startsAt = Math.max(this.#now(), this.#nextStart) + delayMs;
    if (startsAt - arrivedAt > longestWaitMs) throw new Declined(licence.declinedBody);
    // Declined requests do not count.
    this.#processed += 1;
    this.#nextStart = delayMs > 0 ? startsAt : 0;
    if (startsAt > this.#now()) await this.#sleep(startsAt - this.#now(), arrivedAt, licence);
  }

  #startMinute(): void {
    const minute = Math.floor(this.#now() / minuteMs);
    if (minute === this.#minute) return;
    this.#minute = minute;
    this.#processed = 0;
    this.#nextStart = 0;
  }

  async #sleep(ms: number, arrivedAt: number, licence: Licence): Promise<void> {
    if (this.#now() + ms - arrivedAt > longestWaitMs) throw new Declined(licence.declinedBody);
    await this.#world.clock.sleep(Math.ceil(ms));
  }

  #now(): number {
    return this.#world.clock.now().getTime();
  }
}
