import type { Cause, Change } from '../contracts/change.ts';
import type { Flow } from '../contracts/flow.ts';
import type { Integration } from '../contracts/integration.ts';
import type { Alerts } from '../ports/alerts.ts';
import type { ChangeQueue, DeadLetters, QueueName } from '../ports/change-queue.ts';
import type { Clock, Ids, Random } from '../ports/clock.ts';
import type { AuditStore, LinkStore } from '../ports/link-store.ts';
import type { Log } from '../ports/log.ts';
import type { StateStore } from '../ports/state-store.ts';
import type { RecordRef } from '../values/record-ref.ts';
import type { OpenIntegration } from './running.ts';

/** The ports as one integration sees them. */
export interface Desk {
  readonly links: LinkStore;
  readonly audit: AuditStore;
  readonly state: StateStore;
  readonly queue: ChangeQueue;
  readonly deadLetters: DeadLetters;
  readonly alerts: Alerts;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly log: Log;
}

/** One worker's turn at one integration: who it is, with what, until when. Nothing that matters lives only here. */
export interface Shift {
  /** Name of the integration. */
  readonly name: string;
  readonly definition: Integration;
  readonly open: OpenIntegration;
  readonly desk: Desk;
  /** Owner of the leases it takes. */
  readonly owner: string;
  readonly deadline: Date;
}

export const flowKeyOf = (integration: string, flow: Pick<Flow, 'id'>): string => `${integration}.${flow.id}`;

/** Changes of one record from one batch, merged. */
export interface Task {
  readonly ref: RecordRef;
  readonly change: Change;
  readonly queue: QueueName;
  /** Attempts already spent. */
  readonly attempt: number;
}

/** How a task ended. `again`: put back on the queue. `redeliver`: our own ports failed, the queue delivers its message again. */
export type Ending =
  | { readonly is: 'done' }
  /** `as`: the cause it comes back with, when what found it is not why it is to be looked at again. */
  | { readonly is: 'again'; readonly delayMs: number; readonly spends: boolean; readonly as?: Cause }
  | { readonly is: 'redeliver' };

/** What is left of the shift before it must stop beginning new work. */
export const timeIsUp = (shift: Shift): boolean => shift.desk.clock.now().getTime() >= shift.deadline.getTime() - 5_000;

/** "Look at this record", for the queue. */
export function changeOf(desk: Desk, ref: RecordRef, cause: Cause, correlation?: string): Change {
  return {
    flow: ref.flow,
    side: ref.side,
    key: ref.key,
    cause,
    at: desk.clock.now().toISOString(),
    ...(correlation === undefined ? {} : { correlation }),
  };
}
