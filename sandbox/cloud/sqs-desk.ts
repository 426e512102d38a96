import type { Place } from './access.ts';
import type { CloudClock } from './clock.ts';
import { queueDoesNotExist } from './sqs-errors.ts';
import type { Journal } from './sqs-journal.ts';
import { type Entry, nameOfArn, type Queue } from './sqs-queue.ts';

/** What every SQS operation works with. */
export class SqsDesk {
  readonly clock: CloudClock;
  readonly #journal: Journal;
  readonly #place: Place;
  readonly #waiting = new Map<string, Set<() => void>>();
  #url = '';

  constructor(journal: Journal, clock: CloudClock, place: Place) {
    this.#journal = journal;
    this.clock = clock;
    this.#place = place;
  }

  /** Known only once the server listens. */
  set url(url: string) {
    this.#url = url;
  }

  now(): number {
    return this.clock.now().getTime();
  }

  queues(): readonly Queue[] {
    return [...this.#journal.queues.all.values()];
  }

  findQueue(name: string): Queue | undefined {
    return this.#journal.queues.all.get(name);
  }

  /** By the last part of its URL: the port may have been another one when the caller learned the URL. */
  queueAt(url: unknown): Queue {
    const queue = this.findQueue(nameOfUrl(url));
    if (queue === undefined) throw queueDoesNotExist();
    return queue;
  }

  queueOfArn(arn: string): Queue | undefined {
    return arn.startsWith('arn:') ? this.findQueue(nameOfArn(arn)) : undefined;
  }

  urlOf(name: string): string {
    return `${this.#url}/${this.#place.accountId}/${name}`;
  }

  arnOf(name: string): string {
    return `arn:aws:sqs:${this.#place.region}:${this.#place.accountId}:${name}`;
  }

  /** Stores entries, then wakes whoever waits for messages of the queues they name. */
  write(entries: readonly Entry[]): void {
    this.#journal.write(entries);
    for (const entry of entries) {
      this.wake(entry.queue);
      if (entry.is === 'moved') this.wake(entry.to);
    }
  }

  wake(name: string): void {
    for (const wake of [...(this.#waiting.get(name) ?? [])]) wake();
  }

  /** Resolves when something happened to the queue or `signal` is aborted. */
  changed(name: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(name) ?? new Set();
      this.#waiting.set(name, waiting);
      const end = () => {
        waiting.delete(end);
        signal.removeEventListener('abort', end);
        resolve();
      };
      waiting.add(end);
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    });
  }
}

export const nameOfUrl = (url: unknown): string => String(url).slice(String(url).lastIndexOf('/') + 1);
