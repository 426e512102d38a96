import type { Hono } from 'hono';
import { jsonNumber } from '../../../lib/values/json.ts';
import { accountingCodeOfType } from './accounts.ts';
import { Refused } from './failures.ts';
import { json } from './gateway.ts';
import { pageOf, withNext } from './paging.ts';
import type { Payment, Refund, Row } from './rows.ts';
import type { Table } from './table.ts';
import type { Tenant } from './tenant.ts';
import { creditMemo, needRow, requireFeature, sourceParts, times } from './v1-documents.ts';

export function paymentRoutes(app: Hono, tenant: Tenant): void {
  app.get('/v1/payments', (context) => list(tenant, tenant.payments, 'payments', context.req.url, (row) => payment(tenant, row)));
  app.get('/v1/credit-memos', (context) =>
    list(tenant, tenant.creditMemos, 'creditmemos', context.req.url, (row) => creditMemo(tenant, row)),
  );
  app.get('/v1/refunds', (context) => list(tenant, tenant.refunds, 'refunds', context.req.url, (row) => refund(tenant, row)));
  app.get('/v1/payments/:key', (context) => {
    requireFeature(tenant);
    return json({ ...payment(tenant, needRow(tenant, tenant.payments, context.req.param('key'))), success: true });
  });
  app.get('/v1/payments/:key/parts', (context) => {
    requireFeature(tenant);
    return json({ ...sourceParts(tenant, needRow(tenant, tenant.payments, context.req.param('key')).id, context.req.url), success: true });
  });
  app.get('/v1/refunds/:key', (context) => {
    requireFeature(tenant);
    return json({ ...refund(tenant, needRow(tenant, tenant.refunds, context.req.param('key'))), success: true });
  });
  app.get('/v1/refunds/:key/parts', (context) => {
    requireFeature(tenant);
    const row = needRow(tenant, tenant.refunds, context.req.param('key'));
    const parts = tenant.refundApplications.by('refundId', row.id).map((part) => ({
      id: part.id,
      paymentId: part.paymentId,
      creditMemoId: part.creditMemoId,
      amount: jsonNumber(part.amount),
      ...times(tenant, part),
    }));
    return json({ parts, success: true });
  });
}

/**
 * The old lists: filters are equality only, also on `updatedDate`; `+field` (and no sign) sorts descending and `-field` ascending.
 */
function list<T extends Row>(
  tenant: Tenant,
  table: Table<T>,
  name: string,
  address: string,
  shown: (row: T) => Readonly<Record<string, unknown>>,
): Response {
  requireFeature(tenant);
  const url = new URL(address);
  let rows = table.all().map((row) => shown(row));
  for (const [field, value] of url.searchParams) {
    if (['page', 'pageSize', 'sort'].includes(field)) continue;
    if (rows.length > 0 && !rows.some((row) => field in row)) throw new Refused('20', `'${field}' is not a filter`);
    rows = rows.filter((row) => plain(row[field]) === value);
  }
  const sort = url.searchParams.get('sort') ?? '+updatedDate';
  // A raw plus sign arrives as a blank and means the same.
  const field = sort.replace(/^[+\- ]/, '');
  const ascending = sort.startsWith('-');
  rows = rows.toSorted((left, right) => (plain(left[field]) < plain(right[field]) ? -1 : 1) * (ascending ? 1 : -1));
  const page = pageOf(rows, address, { usual: 20, most: 40 });
  return json({ [name]: page.rows, ...withNext(page), success: true });
}

const plain = (value: unknown): string => (value === null || value === undefined ? '' : String(value));

function payment(tenant: Tenant, row: Payment) {
  const cash = tenant.features.finance ? accountingCodeOfType(tenant, 'Cash') : undefined;
  return {
    id: row.id,
    number: row.number,
    status: row.status,
    type: row.type,
    accountId: row.accountId,
    accountNumber: tenant.accounts.get(row.accountId)?.number ?? null,
    amount: jsonNumber(row.amount),
    appliedAmount: jsonNumber(row.appliedAmount),
    unappliedAmount: jsonNumber(row.unappliedAmount),
    refundAmount: jsonNumber(row.refundAmount),
    creditBalanceAmount: jsonNumber('0'),
    currency: row.currency,
    effectiveDate: row.effectiveDate,
    comment: row.comment,
    paymentMethodId: row.paymentMethodId,
    gatewayId: null,
    gatewayState: row.gatewayState,
    referenceId: row.referenceId,
    ...times(tenant, row),
    financeInformation: {
      bankAccountAccountingCode: cash?.name ?? null,
      bankAccountAccountingCodeType: cash?.type ?? null,
      unappliedPaymentAccountingCode: null,
      unappliedPaymentAccountingCodeType: null,
      transferredToAccounting: row.transferredToAccounting,
    },
  };
}

function refund(tenant: Tenant, row: Refund) {
  const application = tenant.refundApplications.by('refundId', row.id)[0];
  return {
    id: row.id,
    number: row.number,
    type: row.type,
    methodType: row.methodType,
    status: row.status,
    accountId: row.accountId,
    amount: jsonNumber(row.amount),
    refundDate: row.refundDate,
    paymentId: application?.paymentId ?? null,
    creditMemoId: application?.creditMemoId ?? null,
    reasonCode: row.reasonCode,
    comment: row.comment,
    gatewayState: row.gatewayState,
    ...times(tenant, row),
  };
}
