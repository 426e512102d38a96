import type { FailureRecord } from '../failures.ts';
import type { ChangeQueue, DeadLetter, DeadLetters, QueueDepth, QueueGauge, QueueName } from '../ports/change-queue.ts';
import type { Clock, Ids } from '../ports/clock.ts';

/** After so many deliveries a message that was never removed is a dead letter. */
export const maxReceives = 5;

interface Kept {
  readonly id: string;
  readonly body: string;
  readonly sentAtMs: number;
  readonly reason: FailureRecord | undefined;
  /** Not delivered before this instant. */
  visibleAtMs: number;
  receiveCount: number;
  handle: string | undefined;
}

export interface Delivery {
  readonly id: string;
  /** Names this delivery for `remove` and `changeVisibility`. */
  readonly handle: string;
  readonly body: string;
  readonly receiveCount: number;
}

/** The queues of one integration in memory, with what the worker loop of this process needs of them. */
export interface MemoryQueues extends ChangeQueue, QueueGauge {
  readonly deadLetters: DeadLetters;
  /** Up to `limit` messages (default 10), invisible to others for `visibilityMs`. */
  receive(queue: QueueName, options: { readonly limit?: number; readonly visibilityMs: number }): Promise<readonly Delivery[]>;
  remove(queue: QueueName, handles: readonly string[]): Promise<void>;
  /** 0 gives the message back at once. */
  changeVisibility(queue: QueueName, handle: string, visibilityMs: number): Promise<void>;
  /** Puts any text on the queue, as somebody with access to it could. */
  sendText(queue: QueueName, body: string): Promise<void>;
  /** When the next message can be delivered, now or later; undefined when the queue is empty. */
  nextVisibleAt(queue: QueueName): Date | undefined;
}

export function createMemoryQueues(parts: { readonly clock: Clock; readonly ids: Ids }): MemoryQueues {
  const nowMs = () => parts.clock.now().getTime();
  const dead = new MemoryQueue(parts);
  const queues: Readonly<Record<QueueName, MemoryQueue>> = { live: new MemoryQueue(parts, dead), bulk: new MemoryQueue(parts, dead) };

  const deadLetters: DeadLetters = {
    async count() {
      return dead.size();
    },
    async receive({ limit, visibilitySeconds }) {
      return dead.receive(limit, visibilitySeconds * 1000).map(
        ({ body, handle, id, reason, receiveCount, sentAtMs }): DeadLetter => ({
          id,
          handle,
          body,
          sentAt: new Date(sentAtMs),
          receiveCount,
          ...(reason === undefined ? {} : { reason }),
        }),
      );
    },
    async remove(handles) {
      dead.remove(handles);
    },
    async release(handles) {
      for (const handle of handles) dead.changeVisibility(handle, 0);
    },
  };

  return {
    deadLetters,
    async send(queue, messages) {
      for (const { delaySeconds = 0 } of messages) {
        if (delaySeconds < 0 || delaySeconds > 900) throw new RangeError(`a delay is 0 to 900 seconds, not ${delaySeconds}`);
      }
      for (const { body, delaySeconds = 0 } of messages) queues[queue].add(JSON.stringify(body), nowMs() + delaySeconds * 1000);
    },
    async bury(messages) {
      for (const { body, reason } of messages) dead.add(typeof body === 'string' ? body : JSON.stringify(body), nowMs(), reason);
    },
    async receive(queue, { limit = 10, visibilityMs }) {
      return queues[queue].receive(limit, visibilityMs).map(({ body, handle, id, receiveCount }) => ({ id, handle, body, receiveCount }));
    },
    async remove(queue, handles) {
      queues[queue].remove(handles);
    },
    async changeVisibility(queue, handle, visibilityMs) {
      queues[queue].changeVisibility(handle, visibilityMs);
    },
    async sendText(queue, body) {
      queues[queue].add(body, nowMs());
    },
    nextVisibleAt(queue) {
      return queues[queue].nextVisibleAt();
    },
    async depth(queue) {
      return queues[queue].depth();
    },
  };
}

/** One queue; without `letters` nothing is ever moved off it. Deliverable messages are apart from those that come later, so that a long queue costs no more than a short one. */
class MemoryQueue {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #letters: MemoryQueue | undefined;
  /** Deliverable, in the order in which they became so. */
  readonly #visible = new Map<string, Kept>();
  /** Delayed or being worked on, the earliest first. */
  readonly #hidden: Kept[] = [];
  readonly #byHandle = new Map<string, Kept>();

  constructor(parts: { readonly clock: Clock; readonly ids: Ids }, letters?: MemoryQueue) {
    this.#clock = parts.clock;
    this.#ids = parts.ids;
    this.#letters = letters;
  }

  add(body: string, visibleAtMs: number, reason?: FailureRecord): void {
    const id = this.#ids.next();
    this.#place({ id, body, sentAtMs: this.#nowMs(), reason, visibleAtMs, receiveCount: 0, handle: undefined });
  }

  receive(limit: number, visibilityMs: number): readonly (Kept & { readonly handle: string })[] {
    this.#surface();
    const nowMs = this.#nowMs();
    const taken: { readonly message: Kept; readonly handle: string }[] = [];
    for (const message of this.#visible.values()) {
      if (taken.length >= limit) break;
      this.#withdraw(message);
      if (this.#letters && message.receiveCount >= maxReceives) {
        this.#letters.take(message);
        continue;
      }
      const handle = this.#ids.next();
      message.receiveCount += 1;
      message.visibleAtMs = nowMs + visibilityMs;
      message.handle = handle;
      taken.push({ message, handle });
    }
    // Only now: with a visibility of 0 they are deliverable again at once.
    for (const { message } of taken) this.#place(message);
    return taken.map(({ message, handle }) => ({ ...message, handle }));
  }

  /** A message of another queue, with its age and its count. */
  take(message: Kept): void {
    this.#place({ ...message, visibleAtMs: this.#nowMs(), handle: undefined });
  }

  /** A handle of an earlier delivery names nothing any more. */
  remove(handles: readonly string[]): void {
    for (const handle of handles) {
      const message = this.#byHandle.get(handle);
      if (message) this.#withdraw(message);
    }
  }

  changeVisibility(handle: string, visibilityMs: number): void {
    const message = this.#byHandle.get(handle);
    if (!message) return;
    this.#withdraw(message);
    message.visibleAtMs = this.#nowMs() + visibilityMs;
    this.#place(message);
  }

  size(): number {
    return this.#visible.size + this.#hidden.length;
  }

  nextVisibleAt(): Date | undefined {
    this.#surface();
    if (this.#visible.size > 0) return new Date(this.#nowMs());
    const next = this.#hidden[0];
    return next && new Date(next.visibleAtMs);
  }

  depth(): QueueDepth {
    this.#surface();
    const inFlight = this.#hidden.filter((message) => message.receiveCount > 0).length;
    return { waiting: this.#visible.size, inFlight, delayed: this.#hidden.length - inFlight };
  }

  #place(message: Kept): void {
    if (message.handle !== undefined) this.#byHandle.set(message.handle, message);
    if (message.visibleAtMs <= this.#nowMs()) {
      this.#visible.set(message.id, message);
      return;
    }
    const after = this.#hidden.findLastIndex((other) => other.visibleAtMs <= message.visibleAtMs);
    this.#hidden.splice(after + 1, 0, message);
  }

  #withdraw(message: Kept): void {
    if (message.handle !== undefined) this.#byHandle.delete(message.handle);
    if (this.#visible.delete(message.id)) return;
    const index = this.#hidden.indexOf(message);
    if (index !== -1) this.#hidden.splice(index, 1);
  }

  /** What has become deliverable since the last look. */
  #surface(): void {
    const nowMs = this.#nowMs();
    const due = this.#hidden.findIndex((message) => message.visibleAtMs > nowMs);
    for (const message of this.#hidden.splice(0, due === -1 ? this.#hidden.length : due)) this.#visible.set(message.id, message);
  }

  #nowMs(): number {
    return this.#clock.now().getTime();
  }
}
