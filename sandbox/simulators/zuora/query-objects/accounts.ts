import { add, subtract } from '../../../../lib/values/decimal.ts';
import type { Account, Contact, PaymentMethod } from '../rows.ts';
import { contactOf } from './common-fields.ts';
import { define, type QueryObject } from './define.ts';

/** What the customer owes in all: documents minus money that is not applied yet. */
export function accountBalance(row: Account): string {
  const owed = add(row.totalInvoiceBalance, row.totalDebitMemoBalance);
  return subtract(subtract(owed, row.unappliedPaymentAmount), row.unappliedCreditMemoAmount);
}

export const accountObjects: readonly QueryObject[] = [
  define<Account>('accounts', {
    table: (tenant) => tenant.accounts,
    singular: 'account',
    indexes: { accountnumber: 'number', parentid: 'parentId' },
    fields: {
      text: {
        accountNumber: (row) => row.number,
        name: (row) => row.name,
        status: (row) => row.status,
        currency: (row) => row.currency,
        paymentTerm: (row) => row.paymentTerm,
        batch: (row) => row.batch,
        parentId: (row) => row.parentId,
        billToId: (row) => row.billToId,
        soldToId: (row) => row.soldToId,
        crmId: (row) => row.crmId,
        salesRep: (row) => row.salesRep,
        notes: (row) => row.notes,
        purchaseOrderNumber: (row) => row.purchaseOrderNumber,
        communicationProfileId: (row) => row.communicationProfileId,
        taxExemptStatus: (row) => row.taxExemptStatus,
        vATId: (row) => row.vatId,
      },
      integer: { billCycleDay: (row) => row.billCycleDay },
      date: { lastInvoiceDate: (row) => row.lastInvoiceDate },
      boolean: {
        autoPay: (row) => row.autoPay,
        invoiceDeliveryPrefsEmail: (row) => row.invoiceDeliveryPrefsEmail,
        invoiceDeliveryPrefsPrint: () => false,
      },
      amount: {
        balance: accountBalance,
        creditBalance: () => '0',
        totalInvoiceBalance: (row) => row.totalInvoiceBalance,
        totalDebitMemoBalance: (row) => row.totalDebitMemoBalance,
        unappliedBalance: (row) => row.unappliedPaymentAmount,
        unappliedCreditMemoAmount: (row) => row.unappliedCreditMemoAmount,
      },
    },
    relations: {
      billto: ['billTo', 'contacts', 'one', (row, tenant) => contactOf(row.billToId, tenant)],
      soldto: ['soldTo', 'contacts', 'one', (row, tenant) => contactOf(row.soldToId, tenant)],
      payments: ['payments', 'payments', 'many', (row, tenant) => tenant.payments.by('accountId', row.id)],
      refunds: ['refunds', 'refunds', 'many', (row, tenant) => tenant.refunds.by('accountId', row.id)],
      invoices: ['invoices', 'invoices', 'many', (row, tenant) => tenant.invoices.by('accountId', row.id)],
      creditmemos: ['creditMemos', 'credit-memos', 'many', (row, tenant) => tenant.creditMemos.by('accountId', row.id)],
      debitmemos: ['debitMemos', 'debit-memos', 'many', (row, tenant) => tenant.debitMemos.by('accountId', row.id)],
    },
    custom: (row) => row.custom,
  }),
  define<Contact>('contacts', {
    table: (tenant) => tenant.contacts,
    singular: 'contact',
    indexes: { accountid: 'accountId' },
    fields: {
      text: {
        accountId: (row) => row.accountId,
        firstName: (row) => row.firstName,
        lastName: (row) => row.lastName,
        address1: (row) => row.address1,
        address2: (row) => row.address2,
        city: (row) => row.city,
        state: (row) => row.state,
        county: (row) => row.county,
        country: (row) => row.country,
        postalCode: (row) => row.postalCode,
        workEmail: (row) => row.workEmail,
        personalEmail: (row) => row.personalEmail,
        workPhone: (row) => row.workPhone,
        mobilePhone: (row) => row.mobilePhone,
        taxRegion: (row) => row.taxRegion,
      },
    },
  }),
  define<PaymentMethod>('payment-methods', {
    table: (tenant) => tenant.paymentMethods,
    singular: 'paymentmethod',
    indexes: { type: 'type' },
    fields: {
      text: { type: (row) => row.type, accountId: (row) => row.accountId, paymentMethodStatus: () => 'Active' },
      boolean: { isSystem: (row) => row.isSystem, active: () => true },
    },
    relations: {
      account: ['account', 'accounts', 'one', (row, tenant) => [row.accountId === null ? undefined : tenant.accounts.get(row.accountId)]],
    },
  }),
];
