import type { ReportLine } from '../../../contracts/integration.ts';
import { absolute, type Decimal, equal, isZero, negate, readable, subtract, sum } from '../../../values/decimal.ts';
import { sameText } from '../markers.ts';
import { isWithdrawn } from './documents.ts';
import { type Entry, openTrouble, owed, type Rules, whyNotBooked, type ZuoraDocument } from './evidence.ts';
import { groupBy, moneyLine } from './lines.ts';
import type { Standing } from './read-acumatica.ts';

/**
 * R2: what every customer owes now. Applications move nothing here: money counts as soon as it is there, applied or not. What a difference is made of
 * is therefore the documents that stand on one side only, or with another amount. Pure.
 */
export interface OpenEvidence {
  /** CustomerID by Zuora account id, linked customers only. */
  readonly customers: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  readonly zuora: readonly ZuoraDocument[];
  readonly acumatica: readonly Standing[];
  readonly entries: ReadonlyMap<string, Entry>;
  readonly ours: ReadonlyMap<string, Entry>;
  /** References of what we booked, lower case: whoever else carries one is a duplicate. */
  readonly markers: ReadonlySet<string>;
  /** Present state of everything we booked for customers whose balances differ. */
  readonly standing: ReadonlyMap<string, Standing>;
  /** Documents that stand in the books and no longer count in Zuora. */
  readonly unwound: readonly ZuoraDocument[];
  /** Documents that count in Zuora and do not stand in the books, of any date. */
  readonly missing: readonly ZuoraDocument[];
  /** Money that people in Acumatica applied to our documents, by target. */
  readonly appliedByHand: ReadonlyMap<string, Decimal>;
  readonly voided: ReadonlySet<string>;
  readonly rules: Rules;
}

interface Part {
  readonly amount: Decimal;
  readonly cause: string;
  readonly record: string;
}

export function compareOpenItems(evidence: OpenEvidence): readonly ReportLine[] {
  const compared = totalsOf(evidence).map((totals) => ({ ...totals, label: evidence.labels.get(totals.account) ?? totals.account }));
  const tied = compared.filter(({ a, b }) => equal(a, b));
  return [
    ...groupBy(tied, ({ currency }) => currency).map(([currency, some]) =>
      moneyLine(
        'R2',
        `${some.length} customers that agree, ${currency}`,
        currency,
        some.map(({ a, b, label }) => ({ a, b, record: label, cause: undefined })),
      ),
    ),
    ...compared
      .filter(({ a, b }) => !equal(a, b))
      .map((totals) => differing({ ...totals, parts: partsOf(`${totals.account} ${totals.currency}`, totals, evidence) })),
  ];
}

const owedThere = ({ target, open }: Standing): Decimal =>
  target.startsWith('Invoice/') || target.startsWith('Debit Memo/') ? open : negate(open);

function differing(one: {
  readonly label: string;
  readonly currency: string;
  readonly a: Decimal;
  readonly b: Decimal;
  readonly parts: readonly Part[];
}): ReportLine {
  const difference = subtract(one.a, one.b);
  const rest = subtract(difference, sum(one.parts.map((part) => part.amount)));
  const parts = isZero(rest) ? one.parts : [...one.parts, { amount: rest, cause: 'unexplained', record: one.label }];
  return {
    section: 'R2',
    label: `${one.label}, ${one.currency}`,
    a: { amount: one.a, currency: one.currency },
    b: { amount: one.b, currency: one.currency },
    difference: readable(difference),
    causes: groupBy(parts, (part) => part.cause).map(([cause, some]) => ({
      cause,
      amount: readable(sum(some.map((part) => part.amount))),
      records: some.map((part) => part.record).slice(0, 50),
    })),
    result: isZero(rest) ? 'explained' : 'open',
  };
}

/** Everything that makes the customer's balance in Acumatica differ from Zuora's, each with the amount it moves. */
function partsOf(
  group: string,
  { ofLeft, ofRight }: { readonly ofLeft: readonly Standing[]; readonly ofRight: readonly ZuoraDocument[] },
  evidence: OpenEvidence,
): readonly Part[] {
  const parts: Part[] = [];
  const missing = evidence.missing.filter((document) => `${document.accountId} ${document.currency}` === group);
  const unmatched = ofLeft.filter((standing) => !evidence.ours.has(standing.target));
  const byMarker = (document: ZuoraDocument) => unmatched.find((standing) => sameText(standing.marker, document.number));
  for (const document of missing) {
    const before = document.date < evidence.rules.startFrom;
    // What is older than the cut-over settled most of itself before: only its present balance is known to be missing.
    const amount = before ? document.open : document.amount;
    const cause = whyNotBooked(document, evidence.entries.get(document.key), evidence.rules);
    if (cause !== undefined && byMarker(document) === undefined && !isZero(amount))
      parts.push({ amount: negate(owed(document.kind, amount)), cause, record: document.number });
  }
  for (const standing of unmatched) {
    const source = ofRight.find((document) => sameText(standing.marker, document.number));
    if (source !== undefined && evidence.entries.get(source.key)?.booked === undefined) {
      // An opening balance that carries the Zuora number stands for that document.
      const difference = subtract(owedThere(standing), owed(source.kind, source.open));
      if (!isZero(difference))
        parts.push({ amount: difference, cause: 'opening balance differs', record: `${standing.target} ${source.number}` });
      continue;
    }
    const cause =
      source === undefined && !evidence.markers.has(standing.marker?.trim().toLowerCase() ?? '')
        ? 'manual document in Acumatica'
        : 'duplicate';
    parts.push({ amount: owedThere(standing), cause, record: standing.target });
  }
  return [...parts, ...partsOfOurs(group, evidence)];
}

/** Documents of ours that were edited, voided or deleted, and money people applied to them by hand. */
function partsOfOurs(group: string, evidence: OpenEvidence): readonly Part[] {
  const unwound = evidence.unwound.flatMap((document): readonly Part[] => {
    const entry = evidence.entries.get(document.key);
    if (entry === undefined || `${document.accountId} ${document.currency}` !== group) return [];
    const cause = openTrouble(entry) ?? whyNotBooked(document, undefined, { ...evidence.rules, startFrom: '' });
    return cause === undefined ? [] : [{ amount: owed(document.kind, document.amount), cause, record: document.number }];
  });
  const changed = [...evidence.entries.values()].flatMap((entry): readonly Part[] => {
    const { booked } = entry;
    if (booked === undefined || `${entry.accountId} ${booked.currency}` !== group) return [];
    const record = `${booked.target} ${entry.label}`;
    const standing = evidence.standing.get(booked.target);
    const raises = raisingTypes.includes(booked.type);
    const sign = (amount: Decimal) => (raises ? amount : negate(amount));
    const trouble = openTrouble(entry);
    if (standing === undefined) return [{ amount: sign(negate(booked.amount)), cause: trouble ?? 'deleted in Acumatica', record }];
    if (isWithdrawn(standing, evidence.voided))
      return [{ amount: sign(negate(booked.amount)), cause: trouble ?? 'voided in Acumatica', record }];
    const edited = subtract(absolute(standing.amount), absolute(booked.amount));
    const byHand = evidence.appliedByHand.get(booked.target) ?? '0';
    return [
      ...(isZero(edited) ? [] : [{ amount: sign(edited), cause: trouble ?? 'edited in Acumatica', record }]),
      ...(isZero(byHand) ? [] : [{ amount: sign(negate(byHand)), cause: 'manual document in Acumatica', record }]),
    ];
  });
  return [...unwound, ...changed];
}

/** Documents that raise what a customer owes. */
const raisingTypes: readonly string[] = ['Invoice', 'Debit Memo', 'Refund', 'Voided Payment'];

/** Accounts whose balances differ: only theirs are looked into. */
export function differingAccounts(evidence: Pick<OpenEvidence, 'customers' | 'zuora' | 'acumatica' | 'ours'>): ReadonlySet<string> {
  return new Set(totalsOf(evidence).flatMap(({ a, b, account }) => (equal(a, b) ? [] : [account])));
}

interface Totals {
  readonly account: string;
  readonly currency: string;
  readonly a: Decimal;
  readonly b: Decimal;
  readonly ofLeft: readonly Standing[];
  readonly ofRight: readonly ZuoraDocument[];
}

function totalsOf(evidence: Pick<OpenEvidence, 'customers' | 'zuora' | 'acumatica' | 'ours'>): readonly Totals[] {
  const accounts = new Map([...evidence.customers].map(([account, customer]) => [customer.toLowerCase(), account]));
  const groups = new Map<string, { readonly left: Standing[]; readonly right: ZuoraDocument[] }>();
  const groupFor = (account: string, currency: string) => {
    const group = groups.get(`${account} ${currency}`) ?? { left: [], right: [] };
    groups.set(`${account} ${currency}`, group);
    return group;
  };
  for (const standing of evidence.acumatica) {
    const account = accounts.get(standing.customer?.toLowerCase() ?? '');
    const currency = standing.currency ?? evidence.ours.get(standing.target)?.booked?.currency;
    if (account !== undefined && currency !== undefined) groupFor(account, currency).left.push(standing);
  }
  for (const document of evidence.zuora)
    if (evidence.customers.has(document.accountId)) groupFor(document.accountId, document.currency).right.push(document);
  return [...groups].map(([group, { left, right }]): Totals => {
    const [account = '', currency = ''] = group.split(' ');
    const b = sum(right.map((document) => owed(document.kind, document.open)));
    return { account, currency, a: sum(left.map(owedThere)), b, ofLeft: left, ofRight: right };
  });
}
