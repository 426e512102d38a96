import { instantOf } from '../../../vendors/zuora/wire.ts';
import type { DocumentHeader, MoneySource, RefundHeader } from '../canonical.ts';
import type { PairContext } from '../context.ts';
import type { FinancialPeriod } from '../periods.ts';
import { fetchAccounts, invoiceHeader, memoHeader } from '../sources/documents.ts';
import { paymentSource, refundHeader } from '../sources/money.ts';
import type { Kind, ZuoraDocument } from './evidence.ts';

/** Reads what Zuora shows now: documents of a period, what is open, and single documents again. */

type Found = Omit<ZuoraDocument, 'batch' | 'currency'> & { readonly currency: string | undefined };

const documentKinds: Readonly<Record<DocumentHeader['object'], Kind>> = {
  invoice: 'invoice',
  'debit-memo': 'debit memo',
  'credit-memo': 'credit memo',
};

function ofDocument(header: DocumentHeader): Found {
  return {
    key: header.id,
    kind: documentKinds[header.object],
    number: header.number,
    accountId: header.accountId,
    date: header.date,
    currency: header.currency,
    amount: header.total,
    open: header.balance ?? '0',
    updatedAt: instantOf(header.updatedAt),
    gateway: undefined,
    methodType: undefined,
  };
}

function ofMoney(source: MoneySource, open: string): Found {
  return {
    key: source.id,
    kind: 'payment',
    number: source.number,
    accountId: source.accountId,
    date: source.date,
    currency: source.currency,
    amount: source.amount,
    open,
    updatedAt: instantOf(source.updatedAt),
    gateway: source.gateway,
    methodType: source.methodType,
  };
}

function ofRefund(refund: RefundHeader): Found {
  return {
    key: refund.id,
    kind: 'refund',
    number: refund.number,
    accountId: refund.accountId,
    date: refund.date,
    currency: refund.currency,
    amount: refund.amount,
    open: '0',
    updatedAt: instantOf(refund.updatedAt),
    gateway: refund.gateway,
    methodType: refund.methodType,
  };
}

/** Posted and processed documents dated in the period. */
export async function readDocumentsOf(context: PairContext, { start, end }: FinancialPeriod): Promise<readonly ZuoraDocument[]> {
  const { zuora } = context;
  const within = (field: string, status: string) => [`${field}.GE:${start}`, `${field}.LE:${end}`, `status.EQ:${status}`];
  const found: Found[] = [];
  for (const row of await zuora.findWhere('invoices', within('invoicedate', 'Posted'))) found.push(ofDocument(invoiceHeader(row)));
  if (await context.hasInvoiceSettlement()) {
    for (const row of await zuora.findWhere('debit-memos', within('memodate', 'Posted')))
      found.push(ofDocument(memoHeader('debit-memo', row)));
    for (const row of await zuora.findWhere('credit-memos', within('memodate', 'Posted')))
      found.push(ofDocument(memoHeader('credit-memo', row)));
  }
  for (const row of await zuora.findWhere('payments', within('effectivedate', 'Processed'), { expand: ['paymentmethod'] }))
    if (row.isStandalone !== true) found.push(ofMoney(paymentSource(row), row.unappliedAmount ?? '0'));
  for (const row of await zuora.findWhere('refunds', within('refunddate', 'Processed'))) found.push(ofRefund(refundHeader(row)));
  return withAccounts(context, found);
}

/** Everything that is still open, of any age. */
export async function readOpen(context: PairContext): Promise<readonly ZuoraDocument[]> {
  const { zuora } = context;
  const found: Found[] = [];
  const open = ['balance.NE:0', 'status.EQ:Posted'];
  for (const row of await zuora.findWhere('invoices', open)) found.push(ofDocument(invoiceHeader(row)));
  if (await context.hasInvoiceSettlement()) {
    for (const row of await zuora.findWhere('debit-memos', open)) found.push(ofDocument(memoHeader('debit-memo', row)));
    for (const row of await zuora.findWhere('credit-memos', open)) found.push(ofDocument(memoHeader('credit-memo', row)));
    for (const row of await zuora.findWhere('payments', ['unappliedamount.NE:0', 'status.EQ:Processed']))
      if (row.isStandalone !== true) found.push(ofMoney(paymentSource(row), row.unappliedAmount ?? '0'));
  }
  return withAccounts(context, found);
}

/** Documents by flow and id, whatever their status; `counts` tells whether they are posted or processed. */
export async function readAgain(
  context: PairContext,
  flow: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ZuoraDocument & { readonly counts: boolean }>> {
  const { zuora } = context;
  const settled = await context.hasInvoiceSettlement();
  const found: (Found & { readonly counts: boolean })[] = [];
  if (ids.length === 0) return new Map();
  if (flow === 'invoices') {
    for (const row of await zuora.fetchByIds('invoices', ids))
      found.push({ ...ofDocument(invoiceHeader(row)), counts: row.status === 'Posted' });
    const rest = ids.filter((id) => !found.some((one) => one.key === id));
    if (settled && rest.length > 0)
      for (const row of await zuora.fetchByIds('debit-memos', rest))
        found.push({ ...ofDocument(memoHeader('debit-memo', row)), counts: row.status === 'Posted' });
  } else if (flow === 'credit-memos' && settled) {
    for (const row of await zuora.fetchByIds('credit-memos', ids))
      found.push({ ...ofDocument(memoHeader('credit-memo', row)), counts: row.status === 'Posted' });
  } else if (flow === 'payments') {
    for (const row of await zuora.fetchByIds('payments', ids, { expand: ['paymentmethod'] }))
      found.push({ ...ofMoney(paymentSource(row), row.unappliedAmount ?? '0'), counts: row.status === 'Processed' });
  } else if (flow === 'refunds') {
    for (const row of await zuora.fetchByIds('refunds', ids))
      found.push({ ...ofRefund(refundHeader(row)), counts: row.status === 'Processed' });
  }
  const counts = new Map(found.map((one) => [one.key, one.counts]));
  const documents = await withAccounts(context, found);
  return new Map(documents.map((document) => [document.key, { ...document, counts: counts.get(document.key) ?? false }]));
}

/** Batch and, where the document names none, currency come from the account. */
async function withAccounts(context: PairContext, found: readonly Found[]): Promise<readonly ZuoraDocument[]> {
  const accounts = await fetchAccounts(
    context,
    found.map((one) => one.accountId),
  );
  return found.map((one): ZuoraDocument => {
    const account = accounts.get(one.accountId);
    return { ...one, currency: one.currency ?? account?.currency ?? '', batch: account?.batch };
  });
}
