import type { FailureRecord } from '../failures.ts';
import type { Json } from '../values/json.ts';
import type { Money } from '../values/money.ts';
import type { Cause } from './change.ts';

export type Outcome =
  | 'created'
  | 'updated'
  | 'adopted'
  | 'posted'
  | 'applied'
  | 'reversed'
  | 'unchanged'
  | 'noted'
  | 'filtered'
  | 'waiting'
  | 'held'
  | 'retried'
  | 'planned'
  | 'operator';

/** One line per attempt on a record that decided or wrote something. Never changed afterwards. */
export interface AuditEntry {
  /** Time-ordered unique id. */
  readonly id: string;
  readonly at: string;
  readonly integration: string;
  /** `refText` of the record; `<flow>|*` for what concerns a whole flow or connection. */
  readonly record: string;
  readonly label?: string;
  readonly cause: Cause | 'operator' | 'webhook-intake';
  readonly outcome: Outcome;
  /** `reversed`, `flow-off`, `before-start`, `period:202602`. */
  readonly reason?: string;
  /** The sentence a person reads: `INV00000417 posted as Invoice AR000012: 1,334.88 USD`. */
  readonly sentence: string;
  /** Durable key of the target document. */
  readonly target?: string;
  readonly money?: Money;
  /** Canonical fields before and after; secret fields never. */
  readonly before?: Json;
  readonly after?: Json;
  readonly failure?: FailureRecord;
  readonly correlation?: string;
  /** Fence of the lease under which it was written: orders attempts of two workers. */
  readonly fence?: number;
  /** Who acted, when it was a person. */
  readonly operator?: string;
}
