import type { MessageAttributes } from './sqs-attributes.ts';

export interface Message {
  readonly id: string;
  readonly body: string;
  readonly attributes: MessageAttributes;
  readonly systemAttributes: MessageAttributes;
  readonly senderId: string;
  /** Milliseconds since 1970, like all instants here. */
  readonly sentAt: number;
  /** Invisible until then: delayed when it was never received, in flight otherwise. */
  readonly visibleAt: number;
  readonly receiveCount: number;
  readonly firstReceivedAt?: number;
  /** ARN of the queue that gave it up; absent when somebody sent it to the dead-letter queue directly. */
  readonly givenUpBy?: string;
}

export interface RedrivePolicy {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number;
}

/** One line of the journal; replaying all lines gives the queues back. */
export type Entry =
  | { readonly is: 'queue'; readonly queue: string; readonly attributes: Readonly<Record<string, string>>; readonly createdAt: number }
  | { readonly is: 'queue-deleted'; readonly queue: string }
  | { readonly is: 'message'; readonly queue: string; readonly message: Message }
  | { readonly is: 'deleted'; readonly queue: string; readonly id: string }
  | { readonly is: 'moved'; readonly queue: string; readonly id: string; readonly to: string; readonly message: Message }
  | { readonly is: 'purged'; readonly queue: string };

export interface Queue {
  readonly name: string;
  readonly createdAt: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** In the order they were sent. */
  readonly messages: Map<string, Message>;
}

/** Every queue's state, changed only by entries, so that what is in memory and what the journal says cannot differ. */
export class Queues {
  readonly all = new Map<string, Queue>();

  apply(entry: Entry): void {
    const queue = this.all.get(entry.queue);
    switch (entry.is) {
      case 'queue':
        this.all.set(entry.queue, {
          name: entry.queue,
          createdAt: queue?.createdAt ?? entry.createdAt,
          attributes: entry.attributes,
          messages: queue?.messages ?? new Map(),
        });
        break;
      case 'queue-deleted':
        this.all.delete(entry.queue);
        break;
      case 'message':
        queue?.messages.set(entry.message.id, entry.message);
        break;
      case 'deleted':
        queue?.messages.delete(entry.id);
        break;
      case 'moved':
        queue?.messages.delete(entry.id);
        this.all.get(entry.to)?.messages.set(entry.message.id, entry.message);
        break;
      case 'purged':
        queue?.messages.clear();
        break;
    }
  }

  /** The shortest journal that leads to the present state. */
  *entries(): Iterable<Entry> {
    for (const queue of this.all.values()) {
      yield { is: 'queue', queue: queue.name, attributes: queue.attributes, createdAt: queue.createdAt };
      for (const message of queue.messages.values()) yield { is: 'message', queue: queue.name, message };
    }
  }
}

export function redrivePolicyOf(queue: Queue): RedrivePolicy | undefined {
  const text = queue.attributes['RedrivePolicy'];
  if (!text) return undefined;
  const policy: { readonly deadLetterTargetArn: string; readonly maxReceiveCount: number | string } = JSON.parse(text);
  return { deadLetterTargetArn: policy.deadLetterTargetArn, maxReceiveCount: Number(policy.maxReceiveCount) };
}

export const nameOfArn = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);

/** Numbers of `GetQueueAttributes`. */
export function depthOf(queue: Queue, now: number): { readonly waiting: number; readonly inFlight: number; readonly delayed: number } {
  let waiting = 0;
  let inFlight = 0;
  let delayed = 0;
  for (const message of queue.messages.values()) {
    if (message.visibleAt <= now) waiting += 1;
    else if (message.receiveCount === 0) delayed += 1;
    else inFlight += 1;
  }
  return { waiting, inFlight, delayed };
}

/** Takes up to `limit` visible messages for a receiver, and says what else this causes: messages given up or past their retention. */
export function receiveFrom(
  queue: Queue,
  asked: {
    readonly limit: number;
    readonly visibilityMs: number;
    readonly now: number;
    readonly arn: string;
    /** Whether the dead-letter queue is still there: without it messages stay. */
    readonly exists: (queue: string) => boolean;
  },
): { readonly taken: readonly Message[]; readonly entries: readonly Entry[] } {
  const policy = redrivePolicyOf(queue);
  const redrive = policy && asked.exists(nameOfArn(policy.deadLetterTargetArn)) ? policy : undefined;
  const retentionMs = Number(queue.attributes['MessageRetentionPeriod']) * 1000;
  const taken: Message[] = [];
  const entries: Entry[] = [];
  for (const message of queue.messages.values()) {
    if (taken.length === asked.limit) break;
    if (message.sentAt + retentionMs <= asked.now) {
      entries.push({ is: 'deleted', queue: queue.name, id: message.id });
    } else if (message.visibleAt <= asked.now) {
      if (redrive !== undefined && message.receiveCount >= redrive.maxReceiveCount) {
        const to = nameOfArn(redrive.deadLetterTargetArn);
        entries.push({
          is: 'moved',
          queue: queue.name,
          id: message.id,
          to,
          message: { ...message, visibleAt: asked.now, givenUpBy: asked.arn },
        });
        continue;
      }
      const received: Message = {
        ...message,
        visibleAt: asked.now + asked.visibilityMs,
        receiveCount: message.receiveCount + 1,
        firstReceivedAt: message.firstReceivedAt ?? asked.now,
      };
      taken.push(received);
      entries.push({ is: 'message', queue: queue.name, message: received });
    }
  }
  return { taken, entries };
}

/** When the next message becomes visible, if any will. */
export function nextVisibleAt(queue: Queue, now: number): number | undefined {
  let next: number | undefined;
  for (const message of queue.messages.values()) {
    if (message.visibleAt > now && (next === undefined || message.visibleAt < next)) next = message.visibleAt;
  }
  return next;
}
