import { putBack, settleGone } from './conclude.ts';
import { type Batch, labelOf, type Work } from './work.ts';

/** A notice can be quicker than the vendor's own reads: so long we look again before we believe that the record is not there. */
const lookAgainAfterMs = [5_000, 30_000, 120_000];

/** A record we never knew cannot be read. */
export async function awaitReadable(batch: Batch, work: Work): Promise<void> {
  const { cause } = work.task.change;
  const delayMs = cause === 'webhook' || cause === 'dependency' ? lookAgainAfterMs[work.task.attempt] : undefined;
  if (delayMs !== undefined) putBack(batch, work, { delayMs, spends: true });
  else await settleGone(batch, work, `${labelOf(work)} cannot be read at its source; if it appears later, the next poll brings it.`);
}
