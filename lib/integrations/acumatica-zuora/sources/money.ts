import type { Feed, Found } from '../../../contracts/flow.ts';
import type { CreditMemoRow, PaymentRow, RefundRow } from '../../../vendors/zuora/wire.ts';
import { instantOf } from '../../../vendors/zuora/wire.ts';
import { desiredFromParts, desiredFromRows } from '../applied.ts';
import type { ApplicationRow, DesiredRow, MoneySource, RefundHeader } from '../canonical.ts';
import type { PairContext } from '../context.ts';

/** Reads payments, credit memos (as money to apply) and refunds of Zuora. */

const given = <Name extends string, Value>(name: Name, value: Value | undefined): { readonly [N in Name]?: Value } =>
  value === undefined ? {} : ({ [name]: value } as { readonly [N in Name]?: Value });

export function paymentSource(row: PaymentRow): MoneySource {
  return {
    object: 'payment',
    id: row.id,
    number: row.paymentNumber,
    accountId: row.accountId ?? '',
    status: row.status,
    standalone: row.isStandalone ?? false,
    date: row.effectiveDate,
    amount: row.amount,
    refunded: row.refundAmount ?? '0',
    updatedAt: row.updatedDate,
    rows: (row.paymentApplications ?? []).map((each): ApplicationRow => {
      const docId = each.invoiceId ?? each.debitMemoId;
      return {
        amount: each.applyAmount,
        ...given('docId', docId),
        ...given('ownerId', each.billingDocumentOwnerId),
        ...given('date', each.effectiveDate),
        ...given('updatedAt', each.updatedDate),
      };
    }),
    ...given('type', row.type),
    ...given('currency', row.currency),
    ...given('applied', row.appliedAmount),
    ...given('gateway', row.gateway),
    ...given('methodType', row.paymentMethod?.type),
  };
}

export function memoSource(row: CreditMemoRow): MoneySource {
  return {
    object: 'credit-memo',
    id: row.id,
    number: row.memoNumber,
    accountId: row.accountId,
    status: row.status,
    standalone: false,
    date: row.memoDate,
    amount: row.totalAmount,
    refunded: row.refundAmount ?? '0',
    updatedAt: row.updatedDate,
    rows: (row.creditMemoApplications ?? []).map((each): ApplicationRow => {
      const docId = each.invoiceId ?? each.debitMemoId;
      return {
        amount: each.amount,
        ...given('docId', docId),
        ...given('ownerId', each.billingDocumentOwnerId),
        ...given('date', each.effectiveDate),
        ...given('updatedAt', each.updatedDate),
      };
    }),
    ...given('currency', row.currency),
    ...given('applied', row.appliedAmount),
  };
}

export function refundHeader(row: RefundRow): RefundHeader {
  return {
    id: row.id,
    number: row.refundNumber,
    accountId: row.accountId ?? '',
    status: row.status,
    date: row.refundDate,
    amount: row.amount,
    updatedAt: row.updatedDate,
    ...given('type', row.type),
    ...given('currency', row.currency),
    ...given('gateway', row.gateway),
    ...given('methodType', row.methodType ?? row.paymentMethod?.type),
    ...given('reason', row.reasonCode),
  };
}

const withApplications = (settled: boolean): readonly string[] => (settled ? ['paymentapplications', 'paymentmethod'] : ['paymentmethod']);

const asFound = (source: MoneySource): Found<MoneySource> => ({ key: source.id, at: instantOf(source.updatedAt), row: source });

export const paymentFeed: Feed<MoneySource, PairContext> = {
  name: 'payments',
  async *list(context, since) {
    const expand = withApplications(await context.hasInvoiceSettlement());
    const ask = since === undefined ? { filters: [`effectivedate.GE:${context.settings.startFrom}`, 'status.EQ:Processed'] } : { since };
    for await (const page of context.zuora.listChanged('payments', { ...ask, expand }))
      yield page.map((row) => asFound(paymentSource(row)));
  },
};

export const memoFeed: Feed<MoneySource, PairContext> = {
  name: 'credit-memos',
  async *list(context, since) {
    if (!(await context.hasInvoiceSettlement())) return;
    const ask = since === undefined ? { filters: [`memodate.GE:${context.settings.startFrom}`, 'status.EQ:Posted'] } : { since };
    for await (const page of context.zuora.listChanged('credit-memos', { ...ask, expand: ['creditmemoapplications'] }))
      yield page.map((row) => asFound(memoSource(row)));
  },
};

/** Applications made or moved later, of payments and memos of any age. */
export function applicationFeed(noun: 'payment-applications' | 'credit-memo-applications'): Feed<MoneySource, PairContext> {
  return {
    name: noun,
    async *list(context, since) {
      if (!(await context.hasInvoiceSettlement())) return;
      const ask = since === undefined ? { filters: [`effectivedate.GE:${context.settings.startFrom}`] } : { since };
      if (noun === 'payment-applications')
        for await (const page of context.zuora.listChanged('payment-applications', ask))
          yield page.flatMap((row) => keyOnly(row.paymentId, row.updatedDate, since));
      else
        for await (const page of context.zuora.listChanged('credit-memo-applications', ask))
          yield page.flatMap((row) => keyOnly(row.creditMemoId, row.updatedDate, since));
    },
  };
}

function keyOnly(key: string | undefined, updatedAt: string | undefined, since: Date | undefined): readonly Found<MoneySource>[] {
  const at = updatedAt === undefined ? since : instantOf(updatedAt);
  return key === undefined || at === undefined ? [] : [{ key, at }];
}

export async function fetchPayments(context: PairContext, ids: readonly string[]): Promise<ReadonlyMap<string, MoneySource>> {
  const rows = await context.zuora.fetchByIds('payments', ids, { expand: withApplications(await context.hasInvoiceSettlement()) });
  return new Map(rows.map((row) => [row.id, paymentSource(row)]));
}

export async function fetchMemoSources(context: PairContext, ids: readonly string[]): Promise<ReadonlyMap<string, MoneySource>> {
  if (!(await context.hasInvoiceSettlement())) return new Map();
  const rows = await context.zuora.fetchByIds('credit-memos', ids, { expand: ['creditmemoapplications'] });
  return new Map(rows.map((row) => [row.id, memoSource(row)]));
}

export async function fetchPaymentsAndMemos(context: PairContext, ids: readonly string[]): Promise<ReadonlyMap<string, MoneySource>> {
  const payments = await fetchPayments(context, ids);
  const rest = ids.filter((id) => !payments.has(id));
  return rest.length === 0 ? payments : new Map([...payments, ...(await fetchMemoSources(context, rest))]);
}

/** What Zuora wants applied now: the listed rows where they prove themselves, else the parts. */
export async function fetchDesired(context: PairContext, source: MoneySource): Promise<readonly DesiredRow[]> {
  if (!(await context.hasInvoiceSettlement())) return source.object === 'payment' ? fetchInvoicePayments(context, source.id) : [];
  const listed = desiredFromRows(source);
  if (listed !== undefined) return listed;
  const parts =
    source.object === 'payment' ? await context.zuora.fetchPaymentParts(source.id) : await context.zuora.fetchCreditMemoParts(source.id);
  return desiredFromParts(
    parts.map((part) => ({ docId: part.invoiceId ?? part.debitMemoId, amount: part.amount })),
    source.rows,
  );
}

/** Without Invoice Settlement a payment is applied through InvoicePayment rows. */
async function fetchInvoicePayments(context: PairContext, paymentId: string): Promise<readonly DesiredRow[]> {
  const rows = await context.zuora.queryZoql(`select Id, Amount, InvoiceId from InvoicePayment where PaymentId = '${paymentId}'`);
  return desiredFromParts(
    rows.map((row) => ({ docId: row['InvoiceId'], amount: row['Amount'] ?? '0' })),
    [],
  );
}

export const refundFeed: Feed<RefundHeader, PairContext> = {
  name: 'refunds',
  async *list(context, since) {
    const ask = since === undefined ? { filters: [`refunddate.GE:${context.settings.startFrom}`, 'status.EQ:Processed'] } : { since };
    for await (const page of context.zuora.listChanged('refunds', ask))
      yield page.map((row) => ({ key: row.id, at: instantOf(row.updatedDate), row: refundHeader(row) }));
  },
};

export async function fetchRefunds(context: PairContext, ids: readonly string[]): Promise<ReadonlyMap<string, RefundHeader>> {
  const rows = await context.zuora.fetchByIds('refunds', ids);
  return new Map(rows.map((row) => [row.id, refundHeader(row)]));
}
