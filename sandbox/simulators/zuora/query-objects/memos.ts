import { subtract } from '../../../../lib/values/decimal.ts';
import type { CreditMemo, DebitMemo, Item, TaxItem } from '../rows.ts';
import { account, contactOf, memoItemFields, receivableAmounts, taxFields, taxIndexes } from './common-fields.ts';
import { define, type QueryObject } from './define.ts';

export const memoObjects: readonly QueryObject[] = [
  define<CreditMemo>('credit-memos', {
    table: (tenant) => tenant.creditMemos,
    singular: 'creditmemo',
    needsSettlement: true,
    indexes: { accountid: 'accountId', memonumber: 'number', invoiceid: 'invoiceId' },
    fields: {
      text: {
        accountId: (row) => row.accountId,
        memoNumber: (row) => row.number,
        status: (row) => row.status,
        currency: (row) => row.currency,
        reasonCode: (row) => row.reasonCode,
        source: (row) => row.source,
        sourceType: (row) => row.sourceType,
        sourceId: (row) => row.sourceId,
        invoiceId: (row) => row.invoiceId,
        billToContactId: (row) => row.billToContactId,
        comments: (row) => row.comments,
      },
      date: { memoDate: (row) => row.date },
      instant: { postedOn: (row) => row.postedAt },
      boolean: { reversed: (row) => row.reversed, autoApplyUponPosting: (row) => row.autoApplyUponPosting },
      amount: {
        totalAmount: (row) => row.amount,
        totalAmountWithoutTax: (row) => subtract(row.amount, row.taxAmount),
        taxAmount: (row) => row.taxAmount,
        appliedAmount: (row) => row.appliedAmount,
        balance: (row) => row.balance,
        refundAmount: (row) => row.refundAmount,
        discountAmount: () => '0',
        totalTaxExemptAmount: () => '0',
      },
    },
    relations: {
      ...account,
      billtocontact: ['billToContact', 'contacts', 'one', (row, tenant) => contactOf(row.billToContactId, tenant)],
      creditmemoitems: ['creditMemoItems', 'credit-memo-items', 'many', (row, tenant) => tenant.creditMemoItems.by('documentId', row.id)],
      creditmemoapplications: [
        'creditMemoApplications',
        'credit-memo-applications',
        'many',
        (row, tenant) => tenant.creditMemoApplications.by('sourceId', row.id),
      ],
    },
  }),
  define<Item>('credit-memo-items', {
    table: (tenant) => tenant.creditMemoItems,
    singular: 'creditmemoitem',
    needsSettlement: true,
    indexes: { creditmemoid: 'documentId' },
    fields: memoItemFields('creditMemoId'),
    relations: {
      // The one relation that keeps its lower-case name in answers.
      credittaxationitems: [
        'credittaxationitems',
        'credit-taxation-items',
        'many',
        (row, tenant) => tenant.creditTaxationItems.by('itemId', row.id),
      ],
    },
  }),
  define<TaxItem>('credit-taxation-items', {
    table: (tenant) => tenant.creditTaxationItems,
    singular: 'credittaxationitem',
    needsSettlement: true,
    indexes: taxIndexes,
    fields: taxFields('creditMemoItemId'),
  }),
  define<DebitMemo>('debit-memos', {
    table: (tenant) => tenant.debitMemos,
    singular: 'debitmemo',
    needsSettlement: true,
    indexes: { accountid: 'accountId', memonumber: 'number', invoiceid: 'invoiceId' },
    fields: {
      text: {
        accountId: (row) => row.accountId,
        memoNumber: (row) => row.number,
        status: (row) => row.status,
        currency: (row) => row.currency,
        reasonCode: (row) => row.reasonCode,
        source: (row) => row.source,
        sourceType: (row) => row.sourceType,
        sourceId: (row) => row.sourceId,
        invoiceId: (row) => row.invoiceId,
        creditMemoId: (row) => row.creditMemoId,
        paymentTerm: (row) => row.paymentTerm,
        comments: (row) => row.comments,
      },
      date: { memoDate: (row) => row.date, dueDate: (row) => row.dueDate },
      instant: { postedOn: (row) => row.postedAt },
      amount: {
        ...receivableAmounts,
        totalAmount: (row) => row.amount,
        totalAmountWithoutTax: (row) => subtract(row.amount, row.taxAmount),
        totalTaxExemptAmount: () => '0',
      },
    },
    relations: {
      ...account,
      debitmemoitems: ['debitMemoItems', 'debit-memo-items', 'many', (row, tenant) => tenant.debitMemoItems.by('documentId', row.id)],
    },
  }),
  define<Item>('debit-memo-items', {
    table: (tenant) => tenant.debitMemoItems,
    singular: 'debitmemoitem',
    needsSettlement: true,
    indexes: { debitmemoid: 'documentId' },
    fields: memoItemFields('debitMemoId'),
    relations: {
      debittaxationitems: [
        'debitTaxationItems',
        'debit-taxation-items',
        'many',
        (row, tenant) => tenant.debitTaxationItems.by('itemId', row.id),
      ],
    },
  }),
  define<TaxItem>('debit-taxation-items', {
    table: (tenant) => tenant.debitTaxationItems,
    singular: 'debittaxationitem',
    needsSettlement: true,
    indexes: taxIndexes,
    fields: taxFields('debitMemoItemId'),
  }),
];
