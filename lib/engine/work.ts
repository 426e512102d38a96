import type { Described, Flow, Memory } from '../contracts/flow.ts';
import type { Leased, Link } from '../contracts/link.ts';
import { asFailure, Failure } from '../failures.ts';
import { refText, type Side } from '../values/record-ref.ts';
import { PortTrouble } from './guarded-ports.ts';
import type { Parked, Settled } from './references.ts';
import type { Ending, Shift, Task } from './shift.ts';

/** One record in hand, under lease, from its row to its ending. */
export interface Work {
  readonly task: Task;
  /** The side the change came from. */
  readonly from: Side;
  leased: Leased;
  readonly leasedUntil: Date;
  /** The link as the store last had it, for "nothing new" decisions. */
  stored: Link;
  row: unknown;
  described: Described | undefined;
  /** The row could not be described or read: decided once the record is in hand. */
  trouble: Failure | undefined;
}

/** One flow's share of a batch. */
export interface Batch<OneFlow extends Flow = Flow> {
  readonly shift: Shift;
  readonly flow: OneFlow;
  readonly flowKey: string;
  readonly preview: boolean;
  readonly endings: Map<string, Ending>;
  /** Records in hand that are not concluded. */
  readonly open: Map<string, Work>;
  /** Leases to end, in one call, when the batch is over. */
  readonly toRelease: Leased[];
  /** Records that came to rest: at the end of the batch those that wait for them are woken, in few messages. */
  readonly settled: Settled[];
  /** Records that wait: at the end of the batch what they wait for is asked for, once. */
  readonly parked: Parked[];
  /** Why no further record of this batch is begun. */
  stopped: { readonly delayMs: number; readonly spends: boolean } | undefined;
  /** The side being talked to, to know which connection a failure is about. */
  talkingTo: Side;
  /** Reference data was read afresh for a missing mapping, once per batch. */
  refreshed: boolean;
}

/** A failure that concerns the whole batch, thrown out of a bulk read. */
export class BatchStop extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message, { cause: failure });
    this.failure = failure;
  }
}

export function startBatch<OneFlow extends Flow>(
  shift: Shift,
  flow: OneFlow,
  options: { readonly flowKey: string; readonly preview: boolean; readonly endings: Map<string, Ending> },
): Batch<OneFlow> {
  return {
    shift,
    flow,
    ...options,
    open: new Map(),
    toRelease: [],
    settled: [],
    parked: [],
    stopped: undefined,
    talkingTo: 'a',
    refreshed: false,
  };
}

/** Anything thrown, as a Failure; troubles of our own ports and stops of the batch go on up. */
export function recordFailure(thrown: unknown): Failure {
  if (thrown instanceof PortTrouble || thrown instanceof BatchStop) throw thrown;
  return asFailure(thrown);
}

/** The present time is within the lease with a second to spare: right before a write leaves, an old worker stops here. */
export function ensureLease(batch: Batch, work: Work): void {
  if (batch.shift.desk.clock.now().getTime() < work.leasedUntil.getTime() - 1_000) return;
  throw new Failure('LeaseLost', {
    sentence: 'This worker was slow and its right to the record has ended; another one goes on with it.',
    details: { record: refText(work.task.ref) },
  });
}

export const headerOf = (link: Link, side: Side): string | undefined => link.headers?.[side];

/** The link as a flow may see it. */
export function memoryOf(link: Link, side: Side): Memory {
  const { state, base, postings, note, decision, keys, trouble } = link;
  const header = headerOf(link, side);
  return {
    state,
    keys,
    ...(base === undefined ? {} : { base }),
    ...(postings === undefined ? {} : { postings }),
    ...(note === undefined ? {} : { note }),
    ...(decision === undefined ? {} : { decision }),
    ...(trouble === undefined ? {} : { trouble }),
    ...(header === undefined ? {} : { header }),
  };
}

export const labelOf = (work: Work): string => work.described?.label ?? work.leased.link.label ?? work.task.ref.key;
