import { absolute, add, type Decimal, equal, isZero, subtract, sum } from '../../lib/values/decimal.ts';
import { type Evidence, type Finding, isOf, isSettled } from './finding.ts';
import type { ArPayment, Paid, Refunded } from './systems.ts';

/** All money that came and went is in the books once, and applied to the same documents. */
export function judgeMoney(evidence: Evidence): readonly Finding[] {
  const { billing, books } = evidence.systems;
  const findings = billing.payments.flatMap((payment) => [...judgeNet(evidence, payment), ...judgeApplied(evidence, payment, 'payments')]);
  findings.push(...billing.refunds.flatMap((refund) => judgeMemoRefund(evidence, refund)));
  findings.push(...billing.creditMemos.flatMap((memo) => judgeApplied(evidence, { ...memo, effectiveDate: memo.date }, 'credit-memos')));
  const markers = new Map<string, string[]>();
  for (const { type, ref, reference } of books.payments) {
    if (reference === undefined || (type !== 'Payment' && type !== 'Refund')) continue;
    markers.set(reference, [...(markers.get(reference) ?? []), `${type} ${ref}`]);
  }
  for (const [reference, targets] of markers)
    if (targets.length > 1)
      findings.push({
        kind: 'duplicate',
        what: `${reference} is there as ${targets.join(' and ')}`,
        records: [reference.split('~')[0] ?? ''],
      });
  return findings;
}

/** Payments, refunds and their voids of a number: what they did to cash. */
function cashOf(evidence: Evidence, number: string, type: 'Payment' | 'Refund'): Decimal {
  const { payments } = evidence.systems.books;
  const own = payments.filter((one) => one.type === type && one.released && isOf(number, one.reference));
  const refs = new Set(own.map(({ ref }) => ref));
  const voids = payments.filter((one) => one.type === `Voided ${type}` && one.released && refs.has(one.ref));
  return subtract(sum(own.map(({ amount }) => amount)), sum(voids.map(({ amount }) => absolute(amount))));
}

/** What is left of a payment after its refunds, whichever way they were booked. */
function judgeNet(evidence: Evidence, payment: Paid): readonly Finding[] {
  const { startFrom } = evidence.expected;
  const { number, id, status, amount, effectiveDate } = payment;
  const records = [number];
  const link = evidence.link('payments', id);
  const counts = status === 'Processed' && effectiveDate >= startFrom;
  if (link === undefined) return counts ? [{ kind: 'lost', what: `${number} (${status}) is unknown to the connector`, records }] : [];
  const refunds = evidence.systems.billing.refunds.filter((refund) => refund.applications.some((part) => part.payment === number));
  const canceled = evidence.systems.billing.refunds.filter((refund) => refund.status === 'Canceled');
  const findings = refunds.flatMap((refund): readonly Finding[] =>
    evidence.link('refunds', refund.id) === undefined && refund.refundDate >= startFrom
      ? [{ kind: 'lost', what: `${refund.number} is unknown to the connector`, records: [refund.number, number] }]
      : [],
  );
  if (!isSettled(link) || refunds.some((refund) => !isSettled(evidence.link('refunds', refund.id)))) return findings;
  if (canceled.some((refund) => !isSettled(evidence.link('refunds', refund.id)))) return findings;
  const processed = refunds.filter((refund) => refund.status === 'Processed');
  const wanted = subtract(counts ? amount : '0', counts ? sum(processed.map((refund) => refund.amount)) : '0');
  const there = subtract(cashOf(evidence, number, 'Payment'), sum(refunds.map((refund) => cashOf(evidence, refund.number, 'Refund'))));
  if (!equal(wanted, there)) {
    const own = evidence.systems.books.payments.filter(
      (one) => isOf(number, one.reference) || refunds.some((refund) => isOf(refund.number, one.reference)),
    );
    const what = `${number} is ${status} with ${wanted} left, the books have ${there}: ${own.map((one) => `${one.type} ${one.ref} ${one.amount} ${one.status}`).join('; ')}`;
    findings.push({
      kind: 'content',
      what,
      records: [number, ...refunds.map((refund) => refund.number)],
      cents: absolute(subtract(wanted, there)),
    });
  }
  const drafts = evidence.systems.books.payments.filter((one) => isOf(number, one.reference) && !one.released);
  if (drafts.length > 0)
    findings.push({ kind: 'lost', what: `${number} is settled, and ${drafts.map(({ ref }) => ref).join(', ')} is left a draft`, records });
  return findings;
}

function judgeMemoRefund(evidence: Evidence, refund: Refunded): readonly Finding[] {
  const memo = refund.applications.find((part) => typeof part.creditMemo === 'string');
  const link = evidence.link('refunds', refund.id);
  if (!memo || !isSettled(link)) return [];
  const wanted = refund.status === 'Processed' && refund.refundDate >= evidence.expected.startFrom ? refund.amount : '0';
  const there = cashOf(evidence, refund.number, 'Refund');
  if (equal(wanted, there)) return [];
  const cents = absolute(subtract(wanted, there));
  return [
    {
      kind: 'content',
      what: `${refund.number} is ${refund.status} with ${wanted}, the books have ${there}`,
      records: [refund.number],
      cents,
    },
  ];
}

type Source = Pick<Paid, 'id' | 'number' | 'status' | 'effectiveDate'> & { readonly applications?: Paid['applications'] | undefined };

/** Per document: as much applied there as here. */
function judgeApplied(evidence: Evidence, source: Source, flow: 'payments' | 'credit-memos'): readonly Finding[] {
  const { number, id, status, effectiveDate } = source;
  const { expected, systems } = evidence;
  const counts = (status === 'Processed' || status === 'Posted') && effectiveDate >= expected.startFrom;
  if (!counts || !isSettled(evidence.link('applications', id)) || evidence.link(flow, id)?.state !== 'synced') {
    const needed = counts && (source.applications ?? []).length > 0 && evidence.link('applications', id) === undefined;
    return needed ? [{ kind: 'lost', what: `the applications of ${number} are unknown to the connector`, records: [number] }] : [];
  }
  const numberOf = new Map(systems.books.documents.map((one) => [`${one.type} ${one.ref}`, (one.reference ?? '').split('~')[0] ?? '']));
  const refs = refsOf(evidence, number, flow);
  const there = new Map<string, Decimal>();
  for (const payment of systems.books.payments) {
    if (!refs.has(`${payment.type} ${payment.ref}`) || payment.status === 'Voided') continue;
    for (const row of payment.applications) {
      const owed = numberOf.get(`${row.type} ${row.ref}`);
      if (owed !== undefined && owed !== '' && owed !== number) there.set(owed, add(there.get(owed) ?? '0', row.amount));
    }
  }
  const wanted = new Map<string, Decimal>();
  for (const part of source.applications ?? []) {
    const owed = part.invoice ?? part.debitMemo ?? '';
    const document = [...systems.billing.invoices, ...systems.billing.debitMemos].find((one) => one.number === owed);
    if (document !== undefined && document.date >= expected.startFrom) wanted.set(owed, add(wanted.get(owed) ?? '0', part.amount));
  }
  return [...new Set([...wanted.keys(), ...there.keys()])].flatMap((owed): readonly Finding[] => {
    const [one, other] = [wanted.get(owed) ?? '0', there.get(owed) ?? '0'];
    if (equal(one, other)) return [];
    return [
      {
        kind: 'balance',
        what: `${number} pays ${one} of ${owed}, in the books ${other}`,
        records: [number, owed],
        cents: absolute(subtract(one, other)),
      },
    ];
  });
}

function refsOf({ systems }: Evidence, number: string, flow: 'payments' | 'credit-memos'): ReadonlySet<string> {
  if (flow === 'payments')
    return new Set(systems.books.payments.filter((one) => one.type === 'Payment' && isOf(number, one.reference)).map(keyOf));
  return new Set(systems.books.documents.filter((one) => one.type === 'Credit Memo' && isOf(number, one.reference)).map(keyOf));
}

const keyOf = ({ type, ref }: Pick<ArPayment, 'type' | 'ref'>): string => `${type} ${ref}`;

/** Every entry in the ledger balances, and the receivables account is what the documents say. */
export function judgeLedger({ systems }: Evidence): readonly Finding[] {
  const { ledger } = systems.books;
  const debit = sum(ledger.map((row) => row.debit));
  const credit = sum(ledger.map((row) => row.credit));
  if (isZero(subtract(debit, credit))) return [];
  return [
    {
      kind: 'balance',
      what: `the ledger has ${debit} in debit and ${credit} in credit`,
      records: [],
      cents: absolute(subtract(debit, credit)),
    },
  ];
}
