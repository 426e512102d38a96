import type { ChangeMessage } from '../contracts/change.ts';
import type { FailureRecord } from '../failures.ts';

/** `live`: webhooks, small polls, replays. `bulk`: backfill and large polls; never slows `live`. */
export type QueueName = 'live' | 'bulk';

export interface OutgoingMessage {
  readonly body: ChangeMessage;
  /** 0 to 900 seconds. */
  readonly delaySeconds?: number;
}

/**
 * The queues of one integration. At least once, in no particular order. `send` resolves only when every message is durably accepted;
 * if it throws, any part of them may have been accepted. Messages are packed into the fewest requests (10 messages or 1 MiB each).
 */
export interface ChangeQueue {
  send(queue: QueueName, messages: readonly OutgoingMessage[]): Promise<void>;
  /** Parks messages for a person, with the reason beside the body: text when what arrived could not be read as a message. */
  bury(messages: readonly { readonly body: ChangeMessage | string; readonly reason: FailureRecord }[]): Promise<void>;
}

export interface DeadLetter {
  readonly id: string;
  /** Names this delivery, for `remove`; valid until the visibility given to `receive` is over. */
  readonly handle: string;
  /** The raw text, which may be anything when something foreign landed on the queue. */
  readonly body: string;
  readonly reason?: FailureRecord;
  readonly sentAt: Date;
  readonly receiveCount: number;
}

/** The dead-letter queue of one integration as an operator sees it. */
export interface DeadLetters {
  count(): Promise<number>;
  /** Up to `limit` messages, invisible to others for `visibilitySeconds`; fewer does not mean there are no more. */
  receive(options: { readonly limit: number; readonly visibilitySeconds: number }): Promise<readonly DeadLetter[]>;
  remove(handles: readonly string[]): Promise<void>;
  /** Makes received letters visible again at once. */
  release(handles: readonly string[]): Promise<void>;
}

export interface QueueDepth {
  readonly waiting: number;
  readonly inFlight: number;
  readonly delayed: number;
}

/** Depths for `status`. */
export interface QueueGauge {
  depth(queue: QueueName): Promise<QueueDepth>;
}
