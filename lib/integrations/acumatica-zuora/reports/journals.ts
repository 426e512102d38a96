import type { ReportLine } from '../../../contracts/integration.ts';
import type { Link } from '../../../contracts/link.ts';
import { add, type Decimal, isNegative, sum } from '../../../values/decimal.ts';
import { journalSchema } from '../canonical.ts';
import { batchDraftSchema } from '../maps/zuora-journal-to-gl-batch.ts';
import type { FinancialPeriod } from '../periods.ts';
import { standingOf } from '../standing.ts';
import { type Compared, countLine, groupBy, moneyLine } from './lines.ts';

/** R6: journal entries of runs we were told of, against their batches. v1 has no list of runs: what never reached us cannot be seen. Pure. */
export function compareJournals(given: {
  readonly links: readonly Link[];
  readonly period: FinancialPeriod;
  /** Debits of the batches as they stand, by target. */
  readonly batches: ReadonlyMap<string, Decimal>;
}): readonly ReportLine[] {
  const compared = given.links.flatMap((link) => compareOne(link, given));
  return groupBy(compared, ({ group }) => group).flatMap(([currency, some]) => [
    countLine('R6', `journals ${currency}, count`, some),
    moneyLine('R6', `journals ${currency}`, currency, some),
  ]);
}

function compareOne(
  link: Link,
  { period, batches }: { readonly period: FinancialPeriod; readonly batches: ReadonlyMap<string, Decimal> },
): readonly (Compared & { readonly group: string })[] {
  const { latest, undone } = standingOf(link);
  const journal = journalSchema.safeParse(link.base);
  const draft = batchDraftSchema.safeParse(latest?.draft);
  if (!isDatedIn(link, period) || link.state === 'filtered') return [];
  const currency = draft.success ? draft.data.currency : journal.success ? journal.data.currency : '';
  const booked = latest?.stage === 'posted' && !undone ? latest.target : undefined;
  const a = booked === undefined ? '0' : (batches.get(booked) ?? '0');
  const b = undone ? '0' : draft.success ? sum(draft.data.lines.map((line) => line.debit)) : journal.success ? debits(journal.data) : '0';
  return [{ group: currency, a, b, record: link.label ?? link.origin.key, cause: causeOf(link, booked, batches) }];
}

function isDatedIn(link: Link, { start, end }: FinancialPeriod): boolean {
  const draft = batchDraftSchema.safeParse(standingOf(link).latest?.draft);
  const journal = journalSchema.safeParse(link.base);
  const date = draft.success ? draft.data.date : journal.success ? journal.data.date : undefined;
  return date !== undefined && start <= date && date <= end;
}

/** The batch in the books for a journal of this period. */
export function journalTarget(link: Link, period: FinancialPeriod): string | undefined {
  const { latest, undone } = standingOf(link);
  return latest?.stage === 'posted' && !undone && isDatedIn(link, period) ? latest.target : undefined;
}

function causeOf(link: Link, booked: string | undefined, batches: ReadonlyMap<string, Decimal>): string | undefined {
  if (link.state === 'held' || link.state === 'waiting') return `${link.state}: ${link.trouble?.cause ?? 'unknown'}`;
  if (link.state === 'new' || link.state === 'working') return 'in flight';
  if (booked === undefined) return undefined;
  return batches.has(booked) ? 'edited in Acumatica' : `deleted in Acumatica: ${booked}`;
}

function debits(journal: ReturnType<typeof journalSchema.parse>): Decimal {
  return journal.lines.reduce<Decimal>((total, { side, amount }) => {
    const debit = side.toLowerCase() === 'debit';
    if (isNegative(amount)) return debit ? total : add(total, amount.slice(1));
    return debit ? add(total, amount) : total;
  }, '0');
}
