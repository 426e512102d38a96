import type { ReportLine } from '../../../contracts/integration.ts';
import { absolute, add, type Decimal, equal, isZero, negate, readable, subtract, sum } from '../../../values/decimal.ts';
import type { Books } from '../books.ts';
import { type Booking, type Entry, openTrouble, type Rules, whyNotBooked, type ZuoraDocument } from './evidence.ts';
import { type Compared, groupBy, moneyLine } from './lines.ts';
import type { LedgerLine } from './read-acumatica.ts';

/** The lines of a period, found by document without looking at all of them each time. */
export interface LedgerLines {
  readonly all: readonly LedgerLine[];
  readonly byTarget: ReadonlyMap<string, readonly LedgerLine[]>;
}

export function indexLines(all: readonly LedgerLine[]): LedgerLines {
  return { all, byTarget: new Map(groupBy(all, (line) => line.target.toLowerCase())) };
}

/** R3 and R4: what our documents of a period made of the ledger. Pure. */
export interface LedgerEvidence {
  readonly entries: readonly Entry[];
  /** Entries whose document stands in this period. */
  readonly inPeriod: (booking: Booking) => boolean;
  readonly lines: LedgerLines;
  readonly books: Pick<Books, 'arAccounts' | 'accounts'>;
  readonly ours: ReadonlyMap<string, Entry>;
  readonly rules: Rules;
}

/** What Acumatica chooses the account of by itself: taxes as details, deferred revenue. */
const chosenByAcumatica = 'taxes and deferrals';

/** R3: per account, the lines as meant against the ledger. `b` is what was meant: it is Zuora's, by way of the mapping. */
export function compareAccounts(evidence: LedgerEvidence): readonly ReportLine[] {
  const compared = evidence.entries.flatMap((entry) => {
    const { booked } = entry;
    if (booked?.document === undefined || !evidence.inPeriod(booked)) return [];
    const meant = meantOf(booked.document);
    const there = linesOf(booked, evidence).filter((line) => !isControl(line, evidence));
    const known = new Set([...meant.keys()].filter((account) => account !== chosenByAcumatica));
    const actual = new Map<string, Decimal>();
    for (const line of there) {
      const account = known.has(line.account) ? line.account : chosenByAcumatica;
      actual.set(account, add(actual.get(account) ?? '0', line.amount));
    }
    return [...new Set([...meant.keys(), ...actual.keys()])].map((account) => {
      const a = actual.get(account) ?? '0';
      const b = meant.get(account) ?? '0';
      const cause = equal(a, b) ? undefined : differenceOf(entry, there);
      return { group: `${account} ${booked.currency}`, a, b, record: `${booked.target} ${entry.label}`, cause };
    });
  });
  return [
    ...groupBy(compared, ({ group }) => group).map(([group, some]) => moneyLine('R3', group, group.slice(-3), some)),
    ...comparePairs(evidence),
  ];
}

function differenceOf(entry: Entry, there: readonly LedgerLine[]): string | undefined {
  if (entry.note === 'lines-differ') return 'adopted with other lines';
  if (there.length === 0) return openTrouble(entry) ?? 'deleted in Acumatica';
  return openTrouble(entry) ?? 'edited in Acumatica';
}

function meantOf(document: NonNullable<Booking['document']>): ReadonlyMap<string, Decimal> {
  const sign = (amount: Decimal) => (document.type === 'Credit Memo' ? amount : negate(amount));
  const meant = new Map<string, Decimal>();
  const put = (account: string, amount: Decimal) => void meant.set(account, add(meant.get(account) ?? '0', sign(amount)));
  for (const line of document.lines) put(line.deferral === undefined ? line.account : chosenByAcumatica, line.amount);
  for (const tax of document.taxDetails) put(chosenByAcumatica, tax.amount);
  for (const [account, amount] of meant) if (isZero(amount)) meant.delete(account);
  return meant;
}

const linesOf = (booking: Booking, { lines }: LedgerEvidence): readonly LedgerLine[] =>
  lines.byTarget.get(booking.target.toLowerCase()) ?? [];
const isControl = ({ account }: LedgerLine, { books }: LedgerEvidence): boolean => books.arAccounts.has(account);
const isCash = ({ account }: LedgerLine, { books }: LedgerEvidence): boolean =>
  books.accounts.get(account.trim().toUpperCase())?.cash === true;

/** A reversed generation and its reversal leave nothing behind, when both are in the period. */
function comparePairs(evidence: LedgerEvidence): readonly ReportLine[] {
  const compared = evidence.entries.flatMap((entry) =>
    entry.pairs.flatMap(([booking, reversal]) => {
      if (booking.document === undefined || reversal?.document === undefined) return [];
      if (!evidence.inPeriod(booking) || !evidence.inPeriod(reversal)) return [];
      const both = [...linesOf(booking, evidence), ...linesOf(reversal, evidence)].filter((line) => !isControl(line, evidence));
      return groupBy(both, (line) => line.account).map(([account, lines]) => ({
        group: `${account} ${booking.currency}`,
        a: sum(lines.map((line) => line.amount)),
        b: '0',
        record: `${booking.target}, ${reversal.target}`,
        cause: openTrouble(entry),
      }));
    }),
  );
  return groupBy(compared, ({ group }) => group).map(([group, some]) => moneyLine('R3', `${group}: reversed`, group.slice(-3), some));
}

/** What others booked on the accounts our documents use, for the notes. */
export function othersOn(evidence: LedgerEvidence): readonly string[] {
  const accounts = new Set(
    evidence.entries.flatMap(({ booked }) => [
      ...(booked?.document?.lines.map((line) => line.account) ?? []),
      ...(booked?.cashAccount === undefined ? [] : [booked.cashAccount]),
    ]),
  );
  const others = evidence.lines.all.filter((line) => accounts.has(line.account) && !evidence.ours.has(line.target));
  return groupBy(others, (line) => `${line.account} ${line.currency}`).map(
    ([group, lines]) => `${group}: ${lines.length} lines of others, ${readable(sum(lines.map((line) => line.amount)))}.`,
  );
}

/** R4: money that came in and went out, per cash account. */
export function compareCash(
  evidence: LedgerEvidence & {
    readonly documents: readonly ZuoraDocument[];
    readonly byKey: ReadonlyMap<string, Entry>;
    /** Where a payment or refund belongs by the table of methods; undefined: no row fits. */
    readonly cashAccountFor: (document: ZuoraDocument) => string | undefined;
  },
): readonly ReportLine[] {
  const money = evidence.documents.filter(({ kind }) => kind === 'payment' || kind === 'refund');
  const compared = money.map((document): Compared & { readonly group: string } => {
    const entry = evidence.byKey.get(document.key);
    const booked = entry?.booked;
    const b = document.kind === 'payment' ? document.amount : negate(document.amount);
    if (entry === undefined || booked === undefined || !evidence.inPeriod(booked)) {
      const account = booked?.cashAccount ?? evidence.cashAccountFor(document) ?? '(no method)';
      const cause = booked === undefined ? whyNotBooked(document, entry, evidence.rules) : 'other period';
      return { group: `${account} ${document.currency}`, a: '0', b, record: document.number, cause };
    }
    const there = linesOf(booked, evidence).filter((line) => isCash(line, evidence));
    const account = booked.cashAccount ?? there[0]?.account ?? '(unknown)';
    const a = sum(there.map((line) => line.amount));
    const cause = equal(a, b) ? undefined : (openTrouble(entry) ?? cashDifference(there, booked));
    return { group: `${account} ${document.currency}`, a, b, record: `${booked.target} ${document.number}`, cause };
  });
  return groupBy(compared, ({ group }) => group).map(([group, some]) => moneyLine('R4', group, group.slice(-3), some));
}

function cashDifference(there: readonly LedgerLine[], booked: Booking): string | undefined {
  if (there.length === 0) return 'deleted in Acumatica';
  const moved = absolute(sum(there.map((line) => line.amount)));
  return isZero(subtract(moved, absolute(booked.amount))) ? undefined : 'edited in Acumatica';
}
