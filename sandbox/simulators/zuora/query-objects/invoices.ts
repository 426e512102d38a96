import { subtract } from '../../../../lib/values/decimal.ts';
import type { Invoice, Item, TaxItem } from '../rows.ts';
import { account, contactOf, itemFields, receivableAmounts, taxFields, taxIndexes } from './common-fields.ts';
import { apiUserId, define, type QueryObject } from './define.ts';

export const invoiceObjects: readonly QueryObject[] = [
  define<Invoice>('invoices', {
    table: (tenant) => tenant.invoices,
    singular: 'invoice',
    cursorIsOffset: true,
    indexes: { accountid: 'accountId', invoicenumber: 'number' },
    fields: {
      text: {
        accountId: (row) => row.accountId,
        invoiceNumber: (row) => row.number,
        status: (row) => row.status,
        currency: (row) => row.currency,
        source: (row) => row.source,
        sourceType: (row) => row.sourceType,
        sourceId: (row) => row.sourceId,
        paymentTerm: (row) => row.paymentTerm,
        billToContactId: (row) => row.billToContactId,
        comments: (row) => row.comments,
        postedBy: (row) => (row.postedAt === null ? null : apiUserId),
      },
      date: { invoiceDate: (row) => row.date, dueDate: (row) => row.dueDate, targetDate: (row) => row.targetDate },
      instant: { postedDate: (row) => row.postedAt },
      boolean: { reversed: (row) => row.reversed, autoPay: (row) => row.autoPay },
      amount: {
        ...receivableAmounts,
        amount: (row) => row.amount,
        amountWithoutTax: (row) => subtract(row.amount, row.taxAmount),
        taxExemptAmount: () => '0',
        paymentAmount: (row) => row.paymentAmount,
        creditMemoAmount: (row) => row.creditMemoAmount,
        refundAmount: (row) => row.refundAmount,
        adjustmentAmount: () => '0',
        creditBalanceAdjustmentAmount: () => '0',
      },
    },
    relations: {
      ...account,
      billtocontact: ['billToContact', 'contacts', 'one', (row, tenant) => contactOf(row.billToContactId, tenant)],
      invoiceitems: ['invoiceItems', 'invoice-items', 'many', (row, tenant) => tenant.invoiceItems.by('documentId', row.id)],
    },
  }),
  define<Item>('invoice-items', {
    table: (tenant) => tenant.invoiceItems,
    singular: 'invoiceitem',
    cursorIsOffset: true,
    indexes: { invoiceid: 'documentId' },
    fields: {
      ...itemFields('invoiceId'),
      text: {
        ...itemFields('invoiceId').text,
        sKU: (row) => row.sku,
        uOM: (row) => row.unitOfMeasure,
        appliedToInvoiceItemId: (row) => row.appliedToItemId,
        accountingCode: (row) => row.accountingCode,
        sourceItemType: () => 'SubscriptionComponent',
      },
      amount: { ...itemFields('invoiceId').amount, chargeAmount: (row) => row.amountWithoutTax },
    },
    relations: {
      invoice: ['invoice', 'invoices', 'one', (row, tenant) => [tenant.invoices.get(row.documentId)]],
      taxationitems: ['taxationItems', 'taxation-items', 'many', (row, tenant) => tenant.taxationItems.by('itemId', row.id)],
    },
  }),
  define<TaxItem>('taxation-items', {
    table: (tenant) => tenant.taxationItems,
    singular: 'taxationitem',
    indexes: taxIndexes,
    fields: taxFields('invoiceItemId'),
  }),
];
