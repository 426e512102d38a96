import type { ReportLine } from '../../../contracts/integration.ts';
import { absolute, equal, isNegative, negate } from '../../../values/decimal.ts';
import { sameText } from '../markers.ts';
import type { FinancialPeriod } from '../periods.ts';
import { type Entry, openTrouble, type Rules, whyNotBooked, type ZuoraDocument } from './evidence.ts';
import { type Compared, countLine, groupBy, moneyLine } from './lines.ts';
import { periodOf } from './period.ts';
import type { Standing } from './read-acumatica.ts';

/** R1: every posted document of the period stands in the books of the same period, with the same amount. Pure. */
export interface DocumentEvidence {
  readonly period: FinancialPeriod;
  readonly periods: readonly FinancialPeriod[];
  readonly documents: readonly ZuoraDocument[];
  readonly entries: ReadonlyMap<string, Entry>;
  readonly standing: ReadonlyMap<string, Standing>;
  /** Zuora's present state of documents that are booked in the period and were not listed in it. */
  readonly strays: ReadonlyMap<string, ZuoraDocument & { readonly counts: boolean }>;
  /** Documents that were voided on purpose: a refund stands for the void. */
  readonly voided: ReadonlySet<string>;
  readonly rules: Rules;
}

export function compareDocuments(evidence: DocumentEvidence): readonly ReportLine[] {
  const { documents, entries } = evidence;
  const listed = new Set(documents.map((document) => document.key));
  const compared = [
    ...documents.map((document) => ({
      group: `${document.kind} ${document.currency}`,
      ...compareOne(document, entries.get(document.key), evidence),
    })),
    ...[...entries.values()].flatMap((entry) => (listed.has(entry.key) ? [] : compareStray(entry, evidence))),
  ];
  return groupBy(compared, ({ group }) => group).flatMap(([group, some]) => {
    const currency = group.slice(-3);
    return [countLine('R1', `${group}, count`, some), moneyLine('R1', group, currency, some)];
  });
}

function compareOne(document: ZuoraDocument, entry: Entry | undefined, evidence: DocumentEvidence): Compared {
  const { booked } = entry ?? {};
  const b = document.amount;
  const record = document.number;
  if (entry === undefined || booked === undefined) return { a: '0', b, record, cause: whyNotBooked(document, entry, evidence.rules) };
  const standing = evidence.standing.get(booked.target);
  if (standing === undefined) return { a: '0', b, record, cause: `deleted in Acumatica: ${booked.target}` };
  if (isWithdrawn(standing, evidence.voided))
    return { a: '0', b, record, cause: openTrouble(entry) ?? `voided in Acumatica: ${booked.target}` };
  const period = bookedPeriod(entry, standing, evidence);
  if (period !== evidence.period.id) return { a: '0', b, record, cause: `other period: ${period ?? 'unknown'}` };
  const a = isNegative(document.amount) ? negate(absolute(standing.amount)) : absolute(standing.amount);
  if (equal(a, b)) return { a, b, record, cause: undefined };
  if (!equal(absolute(standing.amount), absolute(booked.amount)))
    return { a, b, record, cause: openTrouble(entry) ?? `edited in Acumatica: ${booked.target}` };
  return { a, b, record, cause: openTrouble(entry) ?? whyNotBooked(document, undefined, evidence.rules) };
}

/** Booked in this period, and Zuora does not list it there. */
function compareStray(entry: Entry, evidence: DocumentEvidence): readonly (Compared & { readonly group: string })[] {
  const { booked } = entry;
  const standing = booked === undefined ? undefined : evidence.standing.get(booked.target);
  if (booked === undefined || standing === undefined || isWithdrawn(standing, evidence.voided)) return [];
  if (bookedPeriod(entry, standing, evidence) !== evidence.period.id) return [];
  const present = evidence.strays.get(entry.key);
  const kind = present?.kind ?? kindOf(entry);
  const a = present !== undefined && isNegative(present.amount) ? negate(absolute(standing.amount)) : absolute(standing.amount);
  return [{ group: `${kind} ${booked.currency}`, a, b: '0', record: entry.label, cause: strayCause(entry, present, evidence) }];
}

function strayCause(
  entry: Entry,
  present: (ZuoraDocument & { readonly counts: boolean }) | undefined,
  evidence: DocumentEvidence,
): string | undefined {
  const { period, periods, rules } = evidence;
  if (present === undefined) return 'source-vanished';
  if (!present.counts) return openTrouble(entry) ?? whyNotBooked(present, undefined, { ...rules, startFrom: '' });
  const own = periodOf(periods, present.date);
  return own === period.id ? openTrouble(entry) : `other period: ${own ?? present.date}`;
}

/** Documents of AR301000 show their period; the others were dated by us. */
export function bookedPeriod(
  entry: Entry,
  standing: Standing | undefined,
  { periods }: Pick<DocumentEvidence, 'periods'>,
): string | undefined {
  const { booked } = entry;
  if (booked === undefined) return undefined;
  return standing?.period ?? booked.period ?? periodOf(periods, booked.date);
}

export const isWithdrawn = ({ target, status }: Standing, voided: ReadonlySet<string>): boolean =>
  !voided.has(target) && !target.startsWith('Voided') && ['voided', 'canceled', 'rejected'].some((one) => sameText(one, status));

function kindOf({ flow, booked }: Entry): string {
  if (flow === 'payments') return 'payment';
  if (flow === 'refunds') return 'refund';
  return booked?.type === 'Credit Memo' ? 'credit memo' : booked?.type === 'Debit Memo' ? 'debit memo' : 'invoice';
}
