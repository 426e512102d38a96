import type { FailureRecord } from '../failures.ts';
import type { Json } from '../values/json.ts';
import type { Money } from '../values/money.ts';
import { refText } from '../values/record-ref.ts';
import { auditEntry, present } from './audit-entry.ts';
import { endPlanned } from './conclude.ts';
import { planKey } from './state-keys.ts';
import { type Batch, labelOf, type Work } from './work.ts';

/** What a flow in preview would do with one record. */
export interface Plan {
  readonly record: string;
  readonly label: string;
  readonly at: string;
  /** `post`, `reverse`, `create`, `update`, `adopt`, or `trouble` with the failure that stands in the way. */
  readonly would: string;
  readonly sentence: string;
  readonly money?: Money;
  readonly draft?: Json;
  readonly failure?: FailureRecord;
}

const keptForMs = 30 * 86_400_000;

/** Stores the plan of a record and ends its attempt; link and vendors stay as they were. */
export async function storePlan(
  batch: Batch,
  work: Work,
  plan: { would: string; sentence: string; money?: Money | undefined; draft?: Json | undefined; failure?: FailureRecord | undefined },
): Promise<void> {
  const { desk } = batch.shift;
  const now = desk.clock.now();
  const { would, sentence, ...more } = plan;
  const label = labelOf(work);
  const record = refText(work.task.ref);
  const told = present(more);
  await desk.state.put(
    planKey(batch.flowKey, work.task.ref.key),
    JSON.parse(JSON.stringify({ record, label, at: now.toISOString(), would, sentence, ...told })),
    { expiresAt: new Date(now.getTime() + keptForMs) },
  );
  await desk.audit.append([
    auditEntry(desk, work.task.ref, work.task.change, {
      outcome: 'planned',
      sentence,
      reason: would,
      label,
      money: plan.money,
      failure: plan.failure,
    }),
  ]);
  endPlanned(batch, work);
}
