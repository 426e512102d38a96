import { add } from '../../../../lib/values/decimal.ts';
import type { Item, Receivable, TaxItem } from '../rows.ts';
import type { Tenant } from '../tenant.ts';

const accountOf = (row: { readonly accountId: string }, tenant: Tenant) => [tenant.accounts.get(row.accountId)];
export const account = { account: ['account', 'accounts', 'one', accountOf] } as const;
export const contactOf = (id: string | null, tenant: Tenant) => [id === null ? undefined : tenant.contacts.get(id)];

export const receivableAmounts = {
  balance: (row: Receivable) => row.balance,
  taxAmount: (row: Receivable) => row.taxAmount,
  discountAmount: () => '0',
} as const;

export function itemFields(documentField: 'invoiceId' | 'creditMemoId' | 'debitMemoId') {
  return {
    text: {
      accountId: (row: Item) => row.accountId,
      [documentField]: (row: Item) => row.documentId,
      chargeName: (row: Item) => row.chargeName,
      chargeNumber: (row: Item) => row.chargeNumber,
      processingType: (row: Item) => row.processingType,
      subscriptionNumber: (row: Item) => row.subscriptionNumber,
      description: (row: Item) => row.description,
      accountReceivableAccountingCodeId: (row: Item) => row.accountReceivableAccountingCodeId,
      recognizedRevenueAccountingCodeId: (row: Item, tenant: Tenant) =>
        tenant.features.finance ? row.recognizedRevenueAccountingCodeId : null,
      deferredRevenueAccountingCodeId: (row: Item, tenant: Tenant) =>
        tenant.features.finance ? row.deferredRevenueAccountingCodeId : null,
    },
    amount: {
      quantity: (row: Item) => row.quantity,
      unitPrice: (row: Item) => row.unitPrice,
      taxAmount: (row: Item) => row.taxAmount,
      taxExemptAmount: () => '0',
    },
    date: { serviceStartDate: (row: Item) => row.serviceStartDate, serviceEndDate: (row: Item) => row.serviceEndDate },
    instant: { chargeDate: (row: Item) => row.createdAt },
    boolean: { excludeItemBillingFromRevenueAccounting: () => false },
  } as const;
}

/** A memo line's `amount` is gross when the tax is inclusive, net otherwise. */
export function memoItemAmount(row: Item): string {
  return row.taxMode === 'TaxInclusive' ? add(row.amountWithoutTax, row.taxAmount) : row.amountWithoutTax;
}

export function memoItemFields(documentField: 'creditMemoId' | 'debitMemoId') {
  const common = itemFields(documentField);
  return {
    ...common,
    text: {
      ...common.text,
      sku: (row: Item) => row.sku,
      unitOfMeasure: (row: Item) => row.unitOfMeasure,
      sourceItemType: (row: Item) => (row.sourceItemId === null ? 'ProductRatePlanCharge' : 'InvoiceDetail'),
      invoiceItemId: (row: Item, tenant: Tenant) =>
        row.sourceItemId !== null && tenant.invoiceItems.get(row.sourceItemId) ? row.sourceItemId : null,
      creditMemoItemId: (row: Item, tenant: Tenant) =>
        documentField === 'debitMemoId' && row.sourceItemId !== null && tenant.creditMemoItems.get(row.sourceItemId)
          ? row.sourceItemId
          : null,
      taxMode: (row: Item) => row.taxMode,
    },
    amount: { ...common.amount, amount: memoItemAmount, amountWithoutTax: (row: Item) => row.amountWithoutTax },
  } as const;
}

export function taxFields(itemField: 'invoiceItemId' | 'creditMemoItemId' | 'debitMemoItemId') {
  return {
    text: {
      [itemField]: (row: TaxItem) => row.itemId,
      name: (row: TaxItem) => row.name,
      jurisdiction: (row: TaxItem) => row.jurisdiction,
      taxCode: (row: TaxItem) => row.taxCode,
      taxMode: (row: TaxItem) => row.taxMode,
      taxRateType: (row: TaxItem) => row.taxRateType,
      accountingCode: (row: TaxItem) => row.accountingCode,
      salesTaxPayableAccountingCodeId: (row: TaxItem, tenant: Tenant) =>
        tenant.features.finance ? row.salesTaxPayableAccountingCodeId : null,
    },
    amount: {
      taxAmount: (row: TaxItem) => row.taxAmount,
      taxableAmount: (row: TaxItem) => row.taxableAmount,
      taxRate: (row: TaxItem) => row.taxRate,
      exemptAmount: () => '0',
    },
    date: { taxDate: (row: TaxItem) => row.taxDate },
  } as const;
}

export const taxIndexes = { invoiceitemid: 'itemId', creditmemoitemid: 'itemId', debitmemoitemid: 'itemId' } as const;
