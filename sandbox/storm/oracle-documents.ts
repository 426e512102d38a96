import { absolute, add, type Decimal, equal, isNegative, isZero, negate, subtract, sum } from '../../lib/values/decimal.ts';
import { type Evidence, type Finding, isOf, isSettled } from './finding.ts';
import type { ArDocument, Billed } from './systems.ts';

const numbersOfCodes: Readonly<Record<string, string>> = {
  'Subscription Revenue': '40000',
  'Usage Revenue': '40100',
  'EU Usage': '40100',
  'Deferred Revenue': '24000',
  'Sales Tax Payable': '23000',
  Discounts: '40900',
};

const effectOf = ({ type, amount }: ArDocument): Decimal => (type === 'Credit Memo' ? negate(amount) : amount);

/** Every billing document once in the receivables, whole and as it is now; what does not count any more is taken back to the cent. */
export function judgeDocuments(evidence: Evidence): readonly Finding[] {
  const { billing, books } = evidence.systems;
  const kinds = [
    { flow: 'invoices', sign: '1', documents: billing.invoices },
    { flow: 'invoices', sign: '1', documents: billing.debitMemos },
    { flow: 'credit-memos', sign: '-1', documents: billing.creditMemos },
  ] as const;
  const findings = kinds.flatMap(({ flow, sign, documents }) =>
    documents.flatMap((document) => judgeOne(evidence, document, { flow, sign })),
  );
  const known = new Set([...billing.invoices, ...billing.debitMemos, ...billing.creditMemos].map(({ number }) => number));
  const markers = new Map<string, string[]>();
  for (const { reference, type, ref, status } of books.documents) {
    if (reference === undefined || status === 'Voided') continue;
    markers.set(reference, [...(markers.get(reference) ?? []), `${type} ${ref}`]);
  }
  for (const [reference, targets] of markers) {
    const number = reference.split('~')[0] ?? '';
    if (targets.length > 1)
      findings.push({ kind: 'duplicate', what: `${reference} is there as ${targets.join(' and ')}`, records: [number] });
    if (known.has(number) || !/^(INV|DM|CM)\d/.test(number)) continue;
    const effect = sum(books.documents.filter((one) => isOf(number, one.reference)).map(effectOf));
    if (!isZero(effect) && ![...linksHeldAs(evidence, number)].length)
      findings.push({
        kind: 'content',
        what: `${reference} stands for nothing in the billing system`,
        records: [number],
        cents: absolute(effect),
      });
  }
  return findings;
}

function* linksHeldAs(evidence: Evidence, number: string) {
  for (const link of evidence.links()) if (link.label?.startsWith(number) && link.state === 'held') yield link;
}

function judgeOne(
  evidence: Evidence,
  document: Billed,
  { flow, sign }: { readonly flow: string; readonly sign: Decimal },
): readonly Finding[] {
  const { number, id, status, date, amount } = document;
  const { books } = evidence.systems;
  const { startFrom } = evidence.expected;
  const own = books.documents.filter((one) => isOf(number, one.reference));
  const counts = status === 'Posted' && date >= startFrom && !isNothing(document);
  const link = evidence.link(flow, id);
  const records = [number];
  if (link === undefined) {
    if (counts) return [{ kind: 'lost', what: `${number} (${status}) is unknown to the connector`, records }];
    return own.length > 0 ? [{ kind: 'lost', what: `${number} was written and is unknown to the connector`, records }] : [];
  }
  if (!isSettled(link)) return [];
  const findings: Finding[] = [];
  const wanted = counts ? (sign === '1' ? amount : negate(amount)) : '0';
  const there = sum(own.filter(({ released }) => released).map(effectOf));
  const surplus = subtract(there, wanted);
  if (!equal(there, wanted)) {
    const kind = own.length > 1 && isNegative(surplus) === isNegative(wanted) ? 'duplicate' : 'content';
    const targets = own.map((one) => `${one.type} ${one.ref} ${one.reference} ${effectOf(one)}${one.released ? '' : ' unreleased'}`);
    findings.push({
      kind,
      what: `${number} is ${status} with ${wanted}, the books have ${there}: ${targets.join('; ') || 'nothing'}`,
      records,
      cents: absolute(surplus),
    });
  }
  const drafts = own.filter(({ released, status: there }) => !released && there !== 'Voided');
  if (drafts.length > 0)
    findings.push({ kind: 'lost', what: `${number} is settled, and ${drafts.map(({ ref }) => ref).join(', ')} is left a draft`, records });
  const live = liveOf(number, own);
  if (counts && live) findings.push(...judgeContent(evidence, document, live));
  return findings;
}

const isNothing = ({ amount, items }: Billed): boolean =>
  isZero(amount) && items.every((item) => isZero(item.amountWithoutTax) && isZero(item.taxAmount));

/** The latest generation. */
export function liveOf<One extends { readonly reference?: string | undefined }>(number: string, own: readonly One[]): One | undefined {
  const generation = ({ reference = '' }: One): number => (reference === number ? 1 : Number(/~(\d+)$/.exec(reference)?.[1] ?? 0));
  return own.filter((one) => generation(one) > 0).sort((left, right) => generation(right) - generation(left))[0];
}

/** Customer, currency, date and the sum of every account are those of the present version. */
function judgeContent(evidence: Evidence, document: Billed, live: ArDocument): readonly Finding[] {
  const { books } = evidence.systems;
  const records = [document.number];
  const findings: Finding[] = [];
  const differs = (field: string, wanted: unknown, there: unknown): void => {
    if (wanted !== there)
      findings.push({
        kind: 'content',
        what: `${document.number} as ${live.ref}: ${field} is ${String(there)}, not ${String(wanted)}`,
        records,
      });
  };
  const customer = books.customers.find(({ id }) => id === live.customer);
  const customerLink = evidence.link('customers', document.accountId);
  if (isSettled(customerLink)) differs('customer', document.account, customer?.accountRef);
  differs('currency', document.currency, live.currency);
  differs('date', document.date, live.date.slice(0, 10));
  // Somebody released it there before it was compared: noted, and shown by the reconciliation.
  if (evidence.isNoted(document.id, 'lines-differ')) return findings;
  const wanted = accountsOf(evidence, document);
  const there = new Map<string, Decimal>();
  const turned = live.type === 'Credit Memo';
  for (const line of live.lines) there.set(line.account, add(there.get(line.account) ?? '0', turned ? negate(line.amount) : line.amount));
  for (const account of new Set([...wanted.keys(), ...there.keys()])) {
    const [one, other] = [wanted.get(account) ?? '0', there.get(account) ?? '0'];
    if (!equal(one, other)) differs(`account ${account}`, one, other);
  }
  return findings;
}

/** What a document credits, by account; with the sign of the receivable. */
function accountsOf({ expected, systems }: Evidence, { items, reasonCode, number }: Billed): ReadonlyMap<string, Decimal> {
  const accounts = new Map<string, Decimal>();
  const isCredit = systems.billing.creditMemos.some((memo) => memo.number === number);
  const book = (account: string, amount: Decimal): void => {
    accounts.set(account, add(accounts.get(account) ?? '0', isCredit ? negate(amount) : amount));
  };
  for (const item of items) {
    const code = expected.deferred
      ? (item.deferredRevenueAccountingCode ?? item.recognizedRevenueAccountingCode)
      : item.recognizedRevenueAccountingCode;
    const revenue = numbersOfCodes[code ?? item.accountingCode ?? ''] ?? 'unknown';
    book(reasonCode === 'Write-off' ? '66000' : revenue, item.amountWithoutTax);
    for (const tax of item.taxes) book(numbersOfCodes[tax.accountingCode ?? 'Sales Tax Payable'] ?? 'unknown', tax.taxAmount);
  }
  return accounts;
}
