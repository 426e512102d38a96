import { add } from '../../../lib/values/decimal.ts';
import { ControlError } from '../kit.ts';
import { countryName, stateName } from './countries.ts';
import type { Account, AccountingCode, Contact } from './rows.ts';
import type { AccountInput, AccountingCodeInput, ContactInput } from './shapes.ts';
import type { Tenant } from './tenant.ts';

export function createContact(tenant: Tenant, accountId: string, input: ContactInput, name = ''): Contact {
  const [first = '', ...rest] = name.split(' ');
  const country = input.country == null ? null : countryName(input.country);
  if (country === undefined) throw new ControlError(`${input.country} is no country Zuora knows`);
  return tenant.save(tenant.contacts, {
    ...tenant.stamp(input.id),
    accountId,
    firstName: input.firstName ?? first,
    lastName: input.lastName ?? (rest.join(' ') || '.'),
    address1: input.address1 ?? '',
    address2: input.address2 ?? '',
    city: input.city ?? '',
    state: stateName(input.state ?? '', country),
    county: input.county ?? null,
    country,
    postalCode: input.postalCode ?? '',
    workEmail: input.workEmail ?? '',
    personalEmail: input.personalEmail ?? '',
    workPhone: input.workPhone ?? '',
    mobilePhone: input.mobilePhone ?? '',
    taxRegion: input.taxRegion ?? null,
  });
}

export function createAccount(tenant: Tenant, input: AccountInput): Account {
  const stamp = tenant.stamp(input.id);
  const number = tenant.numberFor('account', tenant.accounts, input.number);
  if (input.parent !== undefined && !tenant.features.customerHierarchy) throw new ControlError('Customer Hierarchy is off: no parent');
  const billTo = createContact(tenant, stamp.id, input.billTo ?? {}, input.name);
  const soldTo = input.soldTo === undefined ? billTo : createContact(tenant, stamp.id, input.soldTo, input.name);
  return tenant.save(tenant.accounts, {
    ...stamp,
    number,
    name: input.name,
    status: input.status,
    currency: input.currency,
    paymentTerm: input.paymentTerm,
    batch: input.batch,
    billCycleDay: input.billCycleDay,
    autoPay: input.autoPay,
    invoiceDeliveryPrefsEmail: false,
    parentId: input.parent === undefined ? null : tenant.need(tenant.accounts, input.parent).id,
    billToId: billTo.id,
    soldToId: soldTo.id,
    crmId: input.crmId ?? null,
    salesRep: input.salesRep ?? null,
    notes: input.notes ?? '',
    purchaseOrderNumber: input.purchaseOrderNumber ?? null,
    communicationProfileId: profileId(tenant, input.communicationProfile),
    taxExemptStatus: input.taxExemptStatus,
    vatId: input.vatId ?? null,
    lastInvoiceDate: null,
    totalInvoiceBalance: '0',
    totalDebitMemoBalance: '0',
    unappliedPaymentAmount: '0',
    unappliedCreditMemoAmount: '0',
    custom: input.custom,
  });
}

export function profileId(tenant: Tenant, wanted: string | undefined): string {
  if (wanted === undefined) return tenant.defaultProfile().id;
  const profile = tenant.profiles.get(wanted) ?? tenant.profiles.by('number', wanted)[0] ?? tenant.profiles.by('name', wanted)[0];
  if (!profile) throw new ControlError(`no communication profile ${wanted}`);
  return profile.id;
}

export interface BalanceChange {
  readonly invoices?: string;
  readonly debitMemos?: string;
  readonly unappliedPayments?: string;
  readonly unappliedCreditMemos?: string;
  readonly lastInvoiceDate?: string;
}

/** Balances move the account's `updatedDate` too: that is why an account trigger must look at single fields. */
export function moveBalance(tenant: Tenant, accountId: string, change: BalanceChange): void {
  const account = tenant.need(tenant.accounts, accountId);
  const last = change.lastInvoiceDate;
  tenant.change(tenant.accounts, account, {
    totalInvoiceBalance: add(account.totalInvoiceBalance, change.invoices ?? '0'),
    totalDebitMemoBalance: add(account.totalDebitMemoBalance, change.debitMemos ?? '0'),
    unappliedPaymentAmount: add(account.unappliedPaymentAmount, change.unappliedPayments ?? '0'),
    unappliedCreditMemoAmount: add(account.unappliedCreditMemoAmount, change.unappliedCreditMemos ?? '0'),
    ...(last !== undefined && (account.lastInvoiceDate === null || last > account.lastInvoiceDate) ? { lastInvoiceDate: last } : {}),
  });
}

const categories: Readonly<Record<string, string>> = {
  AccountsReceivable: 'Assets',
  'On-Account Receivable': 'Assets',
  Cash: 'Assets',
  OtherAssets: 'Assets',
  CustomerCashOnAccount: 'Liabilities',
  DeferredRevenue: 'Liabilities',
  SalesTaxPayable: 'Liabilities',
  OtherLiabilities: 'Liabilities',
  SalesRevenue: 'Revenue',
  SalesDiscounts: 'Revenue',
  OtherRevenue: 'Revenue',
  OtherEquity: 'Equity',
  BadDebt: 'Expenses',
  OtherExpenses: 'Expenses',
};

export function saveAccountingCode(tenant: Tenant, input: AccountingCodeInput): AccountingCode {
  const category = input.category ?? categories[input.type];
  if (category === undefined) throw new ControlError(`${input.type} is no type of accounting code: ${Object.keys(categories).join(', ')}`);
  const before = tenant.accountingCodes.by('name', input.name)[0];
  return tenant.save(tenant.accountingCodes, {
    ...tenant.stamp(input.id ?? before?.id),
    ...(before === undefined ? {} : { createdAt: before.createdAt }),
    name: input.name,
    type: input.type,
    category,
    status: input.status,
    glAccountName: input.glAccountName ?? null,
    glAccountNumber: input.glAccountNumber ?? null,
    notes: input.notes ?? null,
  });
}

/** The code that a document names; a new one is made without G/L number, as tenants without Zuora Finance have them. */
export function accountingCodeNamed(tenant: Tenant, name: string, type: string): AccountingCode {
  return tenant.accountingCodes.by('name', name)[0] ?? saveAccountingCode(tenant, { name, type, status: 'Active' });
}

/** The first code of a type: receivables and cash are not named by documents. */
export function accountingCodeOfType(tenant: Tenant, type: string): AccountingCode | undefined {
  return tenant.accountingCodes.all().find((code) => code.type === type);
}
