import type { AuditEntry, Outcome } from '../contracts/audit.ts';
import type { Cause } from '../contracts/change.ts';
import type { FailureRecord } from '../failures.ts';
import type { Json } from '../values/json.ts';
import type { Money } from '../values/money.ts';
import { integrationOf, type RecordRef, refText } from '../values/record-ref.ts';
import type { Desk } from './shift.ts';

export interface Told {
  readonly outcome: Outcome;
  readonly sentence: string;
  readonly reason?: string | undefined;
  readonly label?: string | undefined;
  readonly target?: string | undefined;
  readonly money?: Money | undefined;
  readonly before?: Json | undefined;
  readonly after?: Json | undefined;
  readonly failure?: FailureRecord | undefined;
  readonly fence?: number | undefined;
}

/** One line of the audit. What was not told is left out, so that entries stay short and equal in every store. */
export function auditEntry(
  desk: Desk,
  record: RecordRef,
  attempt: { readonly cause: Cause | 'operator' | 'webhook-intake'; readonly correlation?: string | undefined },
  told: Told,
): AuditEntry {
  const { outcome, sentence, ...rest } = told;
  return {
    id: desk.ids.next(),
    at: desk.clock.now().toISOString(),
    integration: integrationOf(record.flow),
    record: refText(record),
    cause: attempt.cause,
    outcome,
    sentence,
    ...present({ ...rest, correlation: attempt.correlation }),
  };
}

/** The members that have a value. */
export function present<Members extends object>(members: Members): { [Name in keyof Members]?: Exclude<Members[Name], undefined> } {
  const kept: { [Name in keyof Members]?: Exclude<Members[Name], undefined> } = {};
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined) Object.assign(kept, { [name]: value });
  }
  return kept;
}
