import type { Hono } from 'hono';
import * as z from 'zod';
import { subtract } from '../../../lib/values/decimal.ts';
import { jsonNumber, parseJson } from '../../../lib/values/json.ts';
import { notFound, Refused } from './failures.ts';
import { json } from './gateway.ts';
import { type DocumentKind, itemTables } from './items.ts';
import { pageOf, withNext } from './paging.ts';
import { memoItemAmount } from './query-objects/common-fields.ts';
import { apiUserId } from './query-objects/define.ts';
import type { BillingDocument, CreditMemo, DebitMemo, Invoice, Item, Row, TaxItem } from './rows.ts';
import { processingTypes } from './shapes.ts';
import type { Table } from './table.ts';
import type { Tenant } from './tenant.ts';
import { localDate, plainTime } from './tenant-time.ts';
import { saysAmount, saysDescription, saysTaxationItems, versionAge } from './versions.ts';

const itemPages = { usual: 20, most: 40 } as const;

export function requireFeature(tenant: Tenant): void {
  if (!tenant.features.invoiceSettlement)
    throw new Refused('30', 'Invoice Settlement is not enabled for your tenant.', { object: '509600' });
}

export function needRow<T extends Row>(tenant: Tenant, table: Table<T>, key: string): T {
  const row = tenant.find(table, key);
  if (!row) throw notFound(key);
  return row;
}

export function times(tenant: Tenant, row: Row) {
  const { zone } = tenant.settings;
  return {
    createdDate: plainTime(row.createdAt, zone),
    createdById: apiUserId,
    updatedDate: plainTime(row.updatedAt, zone),
    updatedById: apiUserId,
  };
}

export function invoiceRoutes(app: Hono, tenant: Tenant): void {
  app.get('/v1/invoices/:key', (context) =>
    json({ ...invoice(tenant, needRow(tenant, tenant.invoices, context.req.param('key'))), success: true }),
  );
  app.get('/v1/invoices/:key/items', (context) => {
    const row = needRow(tenant, tenant.invoices, context.req.param('key'));
    const page = pageOf(tenant.invoiceItems.by('documentId', row.id), context.req.url, itemPages);
    return json({ invoiceItems: page.rows.map((item) => invoiceItem(tenant, item)), ...withNext(page), success: true });
  });
  app.get('/v1/invoices/:key/application-parts', (context) => {
    requireFeature(tenant);
    const row = needRow(tenant, tenant.invoices, context.req.param('key'));
    return json({ ...applicationParts(tenant, 'invoiceId', row.id, context.req.url), success: true });
  });
  app.put('/v1/invoices/:key', async (context) => {
    const row = needRow(tenant, tenant.invoices, context.req.param('key'));
    const flag = transferred(await context.req.text());
    return json({ ...invoice(tenant, tenant.change(tenant.invoices, row, { transferredToAccounting: flag })), success: true });
  });
}

export function memoRoutes(app: Hono, tenant: Tenant): void {
  app.get('/v1/credit-memos/:key', (context) => {
    requireFeature(tenant);
    return json({ ...creditMemo(tenant, needRow(tenant, tenant.creditMemos, context.req.param('key'))), success: true });
  });
  app.get('/v1/credit-memos/:key/items', (context) => {
    requireFeature(tenant);
    const row = needRow(tenant, tenant.creditMemos, context.req.param('key'));
    return json(memoItems(tenant, 'credit-memo', row.id, context.req.url, versionAge(context.req.header('zuora-version'))));
  });
  app.get('/v1/credit-memos/:key/parts', (context) => {
    requireFeature(tenant);
    return json({
      ...sourceParts(tenant, needRow(tenant, tenant.creditMemos, context.req.param('key')).id, context.req.url),
      success: true,
    });
  });
  app.put('/v1/credit-memos/:key', async (context) => {
    requireFeature(tenant);
    const row = needRow(tenant, tenant.creditMemos, context.req.param('key'));
    const flag = transferred(await context.req.text());
    return json({ ...creditMemo(tenant, tenant.change(tenant.creditMemos, row, { transferredToAccounting: flag })), success: true });
  });
  app.get('/v1/debit-memos/:key', (context) => {
    requireFeature(tenant);
    return json({ ...debitMemo(tenant, needRow(tenant, tenant.debitMemos, context.req.param('key'))), success: true });
  });
  app.get('/v1/debit-memos/:key/items', (context) => {
    requireFeature(tenant);
    const row = needRow(tenant, tenant.debitMemos, context.req.param('key'));
    return json(memoItems(tenant, 'debit-memo', row.id, context.req.url, versionAge(context.req.header('zuora-version'))));
  });
  app.get('/v1/debit-memos/:key/application-parts', (context) => {
    requireFeature(tenant);
    const row = needRow(tenant, tenant.debitMemos, context.req.param('key'));
    return json({ ...applicationParts(tenant, 'debitMemoId', row.id, context.req.url), success: true });
  });
  app.put('/v1/debit-memos/:key', async (context) => {
    requireFeature(tenant);
    const row = needRow(tenant, tenant.debitMemos, context.req.param('key'));
    const flag = transferred(await context.req.text());
    return json({ ...debitMemo(tenant, tenant.change(tenant.debitMemos, row, { transferredToAccounting: flag })), success: true });
  });
}

const transferredBody = z.strictObject({ transferredToAccounting: z.enum(['Processing', 'Yes', 'No', 'Error', 'Ignore']) });

function transferred(text: string): string {
  const body = transferredBody.safeParse(readJson(text));
  if (!body.success)
    throw new Refused('20', `transferredToAccounting is the only field that can be updated here: ${z.prettifyError(body.error)}`);
  return body.data.transferredToAccounting;
}

export function readJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    throw new Refused('90', 'Malformed request: the body is not JSON');
  }
}

/** Applied and free money of a payment or credit memo, as it is now. */
export function sourceParts(tenant: Tenant, sourceId: string, address: string) {
  const page = pageOf(tenant.parts.by('sourceId', sourceId), address, itemPages);
  const parts = page.rows.map((part) => ({
    id: part.id,
    invoiceId: part.invoiceId,
    debitMemoId: part.debitMemoId,
    amount: jsonNumber(part.amount),
    ...times(tenant, part),
  }));
  return { parts, ...withNext(page) };
}

function applicationParts(tenant: Tenant, field: 'invoiceId' | 'debitMemoId', id: string, address: string) {
  const page = pageOf(tenant.parts.by(field, id), address, itemPages);
  const parts = page.rows.map((part) => {
    const isPayment = tenant.payments.get(part.sourceId) !== undefined;
    return {
      paymentId: isPayment ? part.sourceId : null,
      creditMemoId: isPayment ? null : part.sourceId,
      appliedAmount: jsonNumber(part.amount),
      ...times(tenant, part),
    };
  });
  return { applicationParts: parts, ...withNext(page) };
}

/** No flag `reversed` here: Object Query alone has it. */
function invoice(tenant: Tenant, row: Invoice) {
  return {
    id: row.id,
    invoiceNumber: row.number,
    accountId: row.accountId,
    amount: jsonNumber(row.amount),
    amountWithoutTax: jsonNumber(subtract(row.amount, row.taxAmount)),
    taxAmount: jsonNumber(row.taxAmount),
    discount: jsonNumber('0'),
    invoiceDate: row.date,
    dueDate: row.dueDate,
    targetDate: row.targetDate,
    status: row.status,
    balance: jsonNumber(row.balance),
    paymentAmount: jsonNumber(row.paymentAmount),
    creditMemoAmount: jsonNumber(row.creditMemoAmount),
    refundAmount: jsonNumber(row.refundAmount),
    adjustmentAmount: jsonNumber('0'),
    autoPay: row.autoPay,
    paymentTerm: row.paymentTerm,
    billToContactId: row.billToContactId,
    ...documentFields(tenant, row),
    postedDate: row.postedAt === null ? null : localDate(row.postedAt, tenant.settings.zone),
    comments: row.comments,
  };
}

function documentFields(tenant: Tenant, row: BillingDocument) {
  return {
    currency: row.currency,
    source: row.source,
    sourceId: row.sourceId,
    sourceType: row.sourceType,
    transferredToAccounting: row.transferredToAccounting,
    ...times(tenant, row),
  };
}

export function creditMemo(tenant: Tenant, row: CreditMemo) {
  return {
    ...memo(tenant, row),
    creditMemoDate: row.date,
    appliedAmount: jsonNumber(row.appliedAmount),
    unappliedAmount: jsonNumber(row.balance),
    refundAmount: jsonNumber(row.refundAmount),
    referredInvoiceId: row.invoiceId,
    reasonCode: row.reasonCode,
    reversed: row.reversed,
    autoApplyUponPosting: row.autoApplyUponPosting,
  };
}

function debitMemo(tenant: Tenant, row: DebitMemo) {
  return {
    ...memo(tenant, row),
    debitMemoDate: row.date,
    dueDate: row.dueDate,
    balance: jsonNumber(row.balance),
    beAppliedAmount: jsonNumber(subtract(row.amount, row.balance)),
    referredInvoiceId: row.invoiceId,
    referredCreditMemoId: row.creditMemoId,
    reasonCode: row.reasonCode,
  };
}

function memo(tenant: Tenant, row: BillingDocument) {
  return {
    id: row.id,
    number: row.number,
    accountId: row.accountId,
    accountNumber: tenant.accounts.get(row.accountId)?.number ?? null,
    status: row.status,
    amount: jsonNumber(row.amount),
    taxAmount: jsonNumber(row.taxAmount),
    comment: row.comments,
    postedOn: row.postedAt === null ? null : plainTime(row.postedAt, tenant.settings.zone),
    ...documentFields(tenant, row),
  };
}

function codeName(tenant: Tenant, id: string | null): string | null {
  return id === null || !tenant.features.finance ? null : (tenant.accountingCodes.get(id)?.name ?? null);
}

const processingName = (code: string): string => processingTypes[Number(code)] ?? 'Charge';

function invoiceItem(tenant: Tenant, row: Item) {
  return {
    id: row.id,
    subscriptionName: row.subscriptionNumber,
    chargeName: row.chargeName,
    chargeType: 'Recurring',
    processingType: processingName(row.processingType),
    chargeAmount: jsonNumber(row.amountWithoutTax),
    taxAmount: jsonNumber(row.taxAmount),
    quantity: jsonNumber(row.quantity),
    unitPrice: jsonNumber(row.unitPrice),
    unitOfMeasure: row.unitOfMeasure,
    sku: row.sku,
    description: row.description,
    serviceStartDate: row.serviceStartDate,
    serviceEndDate: row.serviceEndDate,
    chargeDate: plainTime(row.createdAt, tenant.settings.zone),
    appliedToItemId: row.appliedToItemId,
    accountingCode: row.accountingCode,
    recognizedRevenueAccountingCode: codeName(tenant, row.recognizedRevenueAccountingCodeId),
    deferredRevenueAccountingCode: codeName(tenant, row.deferredRevenueAccountingCodeId),
    taxationItems: { data: tenant.taxationItems.by('itemId', row.id).map(taxItem) },
    success: true,
  };
}

function taxItem(row: TaxItem) {
  return {
    id: row.id,
    name: row.name,
    taxCode: row.taxCode,
    taxRate: jsonNumber(row.taxRate),
    taxRateType: row.taxRateType,
    taxAmount: jsonNumber(row.taxAmount),
    jurisdiction: row.jurisdiction,
    taxDate: row.taxDate,
    exemptAmount: jsonNumber('0'),
  };
}

/** Member names of memo items changed with the versions. */
function memoItems(tenant: Tenant, kind: Exclude<DocumentKind, 'invoice'>, documentId: string, address: string, age: number) {
  const { items, taxes } = itemTables(tenant, kind);
  const page = pageOf(items.by('documentId', documentId), address, itemPages);
  const rendered = page.rows.map((row) => {
    const taxRows = taxes.by('itemId', row.id);
    const finance = {
      recognizedRevenueAccountingCode: codeName(tenant, row.recognizedRevenueAccountingCodeId),
      deferredRevenueAccountingCode: codeName(tenant, row.deferredRevenueAccountingCodeId),
      onAccountAccountingCode: null,
    };
    const memoTaxes = taxRows.map((tax) => ({
      ...taxItem(tax),
      financeInformation: { salesTaxPayableAccountingCode: codeName(tenant, tax.salesTaxPayableAccountingCodeId) },
    }));
    return {
      id: row.id,
      [saysAmount(age) ? 'amount' : 'memoItemAmount']: jsonNumber(memoItemAmount(row)),
      amountWithoutTax: jsonNumber(row.amountWithoutTax),
      taxMode: row.taxMode,
      quantity: jsonNumber(row.quantity),
      unitPrice: jsonNumber(row.unitPrice),
      unitOfMeasure: row.unitOfMeasure,
      sku: row.sku,
      skuName: row.chargeName,
      serviceStartDate: row.serviceStartDate,
      serviceEndDate: row.serviceEndDate,
      processingType: processingName(row.processingType),
      appliedToItemId: row.appliedToItemId,
      creditFromItemId: row.sourceItemId,
      creditFromItemSource: row.sourceItemId === null ? null : 'InvoiceItem',
      sourceItemId: row.sourceItemId,
      [saysDescription(age) ? 'description' : 'comment']: row.description,
      financeInformation: finance,
      ...(saysTaxationItems(age) ? { taxationItems: { data: memoTaxes } } : { creditTaxItems: memoTaxes }),
    };
  });
  return { items: rendered, ...withNext(page), success: true };
}
