import type { Report, ReportLine, ReportResult } from '../../../contracts/integration.ts';
import type { Link } from '../../../contracts/link.ts';
import { asFailure } from '../../../failures.ts';
import { addDays } from '../../../values/calendar-date.ts';
import { negate, readable, sum } from '../../../values/decimal.ts';
import { parseTarget } from '../ar-draft.ts';
import type { PairContext } from '../context.ts';
import { methodOf } from '../method-map.ts';
import type { FinancialPeriod } from '../periods.ts';
import { compareCustomers } from './customers.ts';
import { bookedPeriod, compareDocuments } from './documents.ts';
import { type Booking, type Entry, entryOf, ourTargets, type Rules, voidedForRefunds, type ZuoraDocument } from './evidence.ts';
import { compareJournals, journalTarget } from './journals.ts';
import { compareAccounts, compareCash, indexLines, othersOn } from './ledger.ts';
import { moneyLine, worst } from './lines.ts';
import { compareOpenItems, differingAccounts } from './open-items.ts';
import { findPeriod, periodOf, shownPeriod } from './period.ts';
import {
  readAccountTotals,
  readCustomersNow,
  readLedger,
  readOpenDocuments,
  readPosted,
  readPostedMoney,
  readStanding,
  type Standing,
} from './read-acumatica.ts';
import { readAgain, readDocumentsOf, readOpen } from './read-zuora.ts';

/** Explains every cent between the two systems. Reads both of them and the links, and writes nothing. */
export const reconcile: Report<PairContext> = {
  id: 'reconcile',
  summary: 'Documents, open balances, accounts, cash, customers and journals of a period: tied, explained, or open.',
  schedule: '0 2 * * *',
  async run(context, input) {
    // At night the day that ended counts: on the first of a month that is still the period before.
    const yesterday = addDays(context.today, -1);
    await context.loadBooks(input.period === undefined ? [yesterday] : datesOf(input.period));
    const period = findPeriod((await context.refreshBooks()).periods, input.period, yesterday);
    const first = await reconcilePeriod(context, period, input.links);
    // What moved while both systems were read shows as a difference: it is looked at once more before it is called one.
    return first.result === 'open' ? reconcilePeriod(context, period, input.links) : first;
  },
};

const documentFlows = ['invoices', 'credit-memos', 'payments', 'refunds'] as const;

/** A day of the year that a period's text names, so that its calendar is read. */
function datesOf(period: string): readonly string[] {
  const year = /(19|20)\d\d/.exec(period)?.[0];
  return year === undefined ? [] : [`${year}-01-01`];
}

async function reconcilePeriod(
  context: PairContext,
  period: FinancialPeriod,
  links: (flow: string) => AsyncIterable<Link>,
): Promise<ReportResult> {
  const notes: string[] = [];
  const evidence = await gather(context, period, links);
  const lines = [
    ...compareDocuments(evidence),
    ...(await openItems(context, evidence, links)),
    ...(await ledger(context, evidence, notes)),
    ...(await customers(context, links)),
    ...(await journals(context, period, links)),
  ];
  const pairs = [...evidence.entries.values()].reduce((count, entry) => count + entry.pairs.length, 0);
  if (pairs > 0) notes.push(`${pairs} reversed generations cancel each other out and are compared as pairs only.`);
  if (!(await context.hasInvoiceSettlement()))
    notes.push('Invoice Settlement is off: adjustments and credit balances of Zuora have no counterpart.');
  const shown = shownPeriod(period.id);
  return {
    key: period.id,
    title: `Reconciliation ${shown}`,
    period: period.id,
    result: worst(lines.map((line) => line.result)),
    lines,
    notes,
  };
}

interface Evidence {
  readonly period: FinancialPeriod;
  readonly periods: readonly FinancialPeriod[];
  readonly documents: readonly ZuoraDocument[];
  readonly entries: ReadonlyMap<string, Entry>;
  readonly standing: ReadonlyMap<string, Standing>;
  readonly strays: ReadonlyMap<string, ZuoraDocument & { readonly counts: boolean }>;
  readonly voided: ReadonlySet<string>;
  readonly rules: Rules;
}

async function gather(context: PairContext, period: FinancialPeriod, links: (flow: string) => AsyncIterable<Link>): Promise<Evidence> {
  const entries = new Map<string, Entry>();
  for (const flow of documentFlows) for await (const link of links(flow)) entries.set(link.origin.key, entryOf(link));
  const documents = await readDocumentsOf(context, period);
  const { periods } = context.books();
  const listed = new Set(documents.map((document) => document.key));
  const dated = [...(await readPosted(context, period.id)), ...(await readPostedMoney(context, period))];
  const posted = new Map(dated.map((one) => [one.target, one]));
  const near = [...entries.values()].filter(
    ({ key, booked }) => booked !== undefined && (listed.has(key) || isNear(booked, period, posted, periods)),
  );
  const missing = near.flatMap(({ booked }) => (booked === undefined || posted.has(booked.target) ? [] : [booked.target]));
  const standing = new Map([...posted, ...(await readStanding(context, missing))]);
  const strays = new Map<string, ZuoraDocument & { readonly counts: boolean }>();
  for (const flow of documentFlows) {
    const ids = near.filter((entry) => entry.flow === flow && !listed.has(entry.key)).map(({ key }) => key);
    for (const [key, document] of await readAgain(context, flow, ids)) strays.set(key, document);
  }
  const { settings, now } = context;
  const rules = { now, startFrom: settings.startFrom, excludeBatches: settings.customers.excludeBatches };
  return { period, periods, documents, entries, standing, strays, voided: voidedForRefunds(entries.values()), rules };
}

function isNear(
  booking: Booking,
  period: FinancialPeriod,
  posted: ReadonlyMap<string, Standing>,
  periods: readonly FinancialPeriod[],
): boolean {
  return posted.get(booking.target)?.period === period.id || (booking.period ?? periodOf(periods, booking.date)) === period.id;
}

async function openItems(
  context: PairContext,
  evidence: Evidence,
  links: (flow: string) => AsyncIterable<Link>,
): Promise<readonly ReportLine[]> {
  const linked = new Map<string, string>();
  const labels = new Map<string, string>();
  for await (const link of links('customers')) {
    if (link.keys.a !== undefined && link.keys.b !== undefined) linked.set(link.keys.b, link.keys.a);
    if (link.label !== undefined) labels.set(link.keys.b ?? link.origin.key, link.label);
  }
  const entries = [...evidence.entries.values()];
  const ours = ourTargets(entries);
  const zuora = await readOpen(context);
  const acumatica = await readOpenDocuments(context);
  const open = { customers: linked, labels, zuora, acumatica, ours };
  const differing = differingAccounts(open);
  const unbooked = await readTroubled(context, entries);
  const missing = new Map(unbooked.filter(({ counts, booked }) => counts && !booked).map(({ document }) => [document.key, document]));
  for (const document of zuora) if (evidence.entries.get(document.key)?.booked === undefined) missing.set(document.key, document);
  const suspects = entries.flatMap(({ accountId, booked }) =>
    booked !== undefined && accountId !== undefined && differing.has(accountId) ? [booked.target] : [],
  );
  return compareOpenItems({
    ...open,
    entries: evidence.entries,
    markers: new Set(entries.flatMap(({ booked }) => (booked === undefined ? [] : [booked.marker.trim().toLowerCase()]))),
    standing: await readStanding(context, suspects),
    missing: [...missing.values()],
    unwound: unbooked.filter(({ counts, booked }) => !counts && booked).map(({ document }) => document),
    appliedByHand: await readAppliedByHand(context, zuora, { ...evidence, ours, differing }),
    voided: evidence.voided,
    rules: evidence.rules,
  });
}

interface Troubled {
  readonly document: ZuoraDocument;
  readonly counts: boolean;
  readonly booked: boolean;
}

/** Zuora's present state of every record that is not settled, or was left out by something else than its age. */
async function readTroubled(context: PairContext, entries: readonly Entry[]): Promise<readonly Troubled[]> {
  const troubled = entries.filter(({ state, note, booked }) =>
    state === 'filtered' ? note !== 'before-start' : state !== 'synced' || booked === undefined,
  );
  const found: Troubled[] = [];
  for (const flow of documentFlows) {
    const some = troubled.filter((entry) => entry.flow === flow);
    const present = await readAgain(
      context,
      flow,
      some.map(({ key }) => key),
    );
    for (const { key, booked } of some) {
      const document = present.get(key);
      if (document !== undefined) found.push({ document, counts: document.counts, booked: booked !== undefined });
    }
  }
  return found;
}

/** Money that people applied to our documents, where balances differ. */
async function readAppliedByHand(
  context: PairContext,
  zuora: readonly ZuoraDocument[],
  given: {
    readonly entries: ReadonlyMap<string, Entry>;
    readonly ours: ReadonlyMap<string, Entry>;
    readonly differing: ReadonlySet<string>;
  },
): Promise<ReadonlyMap<string, string>> {
  const byHand = new Map<string, string>();
  for (const document of zuora) {
    const booked = given.entries.get(document.key)?.booked;
    if (booked?.document === undefined || booked.type === 'Credit Memo' || !given.differing.has(document.accountId)) continue;
    const row = await context.acumatica.findByKey('Invoice', [booked.type, parseTarget(booked.target).ref], {
      expand: ['ApplicationsDefault'],
    });
    const foreign = (row?.ApplicationsDefault ?? []).filter(
      ({ DocType, ReferenceNbr }) => !given.ours.has(`${DocType ?? ''}/${ReferenceNbr ?? ''}`),
    );
    if (foreign.length > 0) byHand.set(booked.target, sum(foreign.map(({ AmountPaid }) => AmountPaid ?? '0')));
  }
  return byHand;
}

async function ledger(context: PairContext, evidence: Evidence, notes: string[]): Promise<readonly ReportLine[]> {
  const { period, documents, entries, standing, rules } = evidence;
  const { settings } = context;
  if (settings.postingMode === 'gl-summary') return [];
  const all = [...entries.values()];
  const byTarget = ourTargets(all);
  const inPeriod = (booking: Booking) => {
    const entry = byTarget.get(booking.target);
    const own = entry?.booked === booking ? bookedPeriod(entry, standing.get(booking.target), evidence) : undefined;
    return (own ?? booking.period ?? periodOf(evidence.periods, booking.date)) === period.id;
  };
  const books = context.books();
  const lines = await readLedger(context, period.id);
  if (lines === undefined) return totalsOnly(context, { all, inPeriod, period }, notes);
  const given = { entries: all, inPeriod, lines: indexLines(lines), books, ours: byTarget, rules };
  notes.push(...othersOn(given));
  const cashAccountFor = (document: ZuoraDocument) => {
    try {
      return methodOf({ gateway: document.gateway, methodType: document.methodType, currency: document.currency }, settings.methods, books)
        .cashAccount;
    } catch (thrown) {
      if (asFailure(thrown).disposition === 'held') return undefined;
      throw thrown;
    }
  };
  return [...compareAccounts(given), ...compareCash({ ...given, documents, byKey: entries, cashAccountFor })];
}

/** The details did not come in time: the totals of the accounts are shown beside what is ours, and whose the rest is stays unsaid. */
async function totalsOnly(
  context: PairContext,
  given: { readonly all: readonly Entry[]; readonly inPeriod: (booking: Booking) => boolean; readonly period: FinancialPeriod },
  notes: string[],
): Promise<readonly ReportLine[]> {
  notes.push('Account Details for Period (GL404001) timed out: R3 shows totals of accounts in the base currency only, R4 is missing.');
  const totals = await readAccountTotals(context, given.period.id);
  const ours = new Map<string, string[]>();
  for (const { booked } of given.all) {
    if (booked?.document === undefined || !given.inPeriod(booked)) continue;
    for (const { account, amount } of booked.document.lines)
      ours.set(account, [...(ours.get(account) ?? []), booked.type === 'Credit Memo' ? amount : negate(amount)]);
  }
  return [...ours]
    .sort()
    .map(([account, amounts]) =>
      moneyLine('R3', `${account}: totals only`, context.books().baseCurrency ?? '', [
        { a: totals.get(account) ?? '0', b: sum(amounts), record: account, cause: `details timed out; ours ${readable(sum(amounts))}` },
      ]),
    );
}

async function customers(context: PairContext, links: (flow: string) => AsyncIterable<Link>): Promise<readonly ReportLine[]> {
  const { settings } = context;
  const byAccount = new Map<string, Link>();
  for await (const link of links('customers')) byAccount.set(link.keys.b ?? link.origin.key, link);
  const accounts = [];
  for await (const page of context.zuora.listChanged('accounts', { filters: ['status.EQ:Active'] })) {
    for (const { id, accountNumber, name, currency, batch } of page) {
      if (batch !== undefined && settings.customers.excludeBatches.includes(batch)) continue;
      accounts.push({ id, label: `${accountNumber} ${name}`, currency });
    }
  }
  const present = await readCustomersNow(context);
  return compareCustomers({ accounts, links: byAccount, customers: present, onDemand: settings.customers.create === 'on-demand' });
}

async function journals(
  context: PairContext,
  period: FinancialPeriod,
  links: (flow: string) => AsyncIterable<Link>,
): Promise<readonly ReportLine[]> {
  const all: Link[] = [];
  const batches = new Map<string, string>();
  for await (const link of links('journals')) {
    all.push(link);
    const target = journalTarget(link, period);
    if (target === undefined) continue;
    const { type, ref } = parseTarget(target);
    const row = await context.acumatica.findByKey('JournalTransaction', [type, ref], { expand: ['Details'] });
    if (row !== undefined) batches.set(target, sum((row.Details ?? []).map((line) => line.DebitAmount ?? '0')));
  }
  return compareJournals({ links: all, period, batches });
}
