import type { Entity } from './wire.ts';
import type { Inquiry } from './wire-reference.ts';

/** Key fields in the order of the form, which is also their order in a path. */
export const keyFields: Readonly<Record<Entity, readonly string[]>> = {
  Customer: ['CustomerID'],
  Invoice: ['Type', 'ReferenceNbr'],
  Payment: ['Type', 'ReferenceNbr'],
  JournalTransaction: ['Module', 'BatchNbr'],
  Account: ['AccountCD'],
  Subaccount: ['SubaccountCD'],
  Ledger: ['LedgerID'],
  Currency: ['CurrencyID'],
  PaymentMethod: ['PaymentMethodID'],
  CustomerClass: ['ClassID'],
  TaxCategory: ['TaxCategoryID'],
  TaxZone: ['TaxZoneID'],
  Tax: ['TaxID'],
  FinancialPeriod: ['FinancialYear'],
  CompanyFinancialPeriod: ['Company', 'FinancialYear'],
};

/** The form a person opens to see or to permit what the entity shows. */
export const forms: Readonly<Record<Entity | Inquiry, string>> = {
  Customer: 'Customers (AR303000)',
  Invoice: 'Invoices and Memos (AR301000)',
  Payment: 'Payments and Applications (AR302000)',
  JournalTransaction: 'Journal Transactions (GL301000)',
  Account: 'Chart of Accounts (GL202500)',
  Subaccount: 'Subaccounts (GL203000)',
  Ledger: 'Ledgers (GL201500)',
  Currency: 'Currencies (CM202000)',
  PaymentMethod: 'Payment Methods (CA204000)',
  CustomerClass: 'Customer Classes (AR201000)',
  TaxCategory: 'Tax Categories (TX205500)',
  TaxZone: 'Tax Zones (TX206000)',
  Tax: 'Taxes (TX205000)',
  FinancialPeriod: 'Master Financial Calendar (GL201000)',
  CompanyFinancialPeriod: 'Company Financial Calendar (GL201100)',
  CompaniesStructure: 'Company Structure (CS401000)',
  AccountSummaryInquiry: 'Account Summary (GL401000)',
  AccountDetailsForPeriodInquiry: 'Account Details for Period (GL404001)',
};

/** Actions of the contract and the entity they belong to. All run in the background and may keep the form of the entity busy. */
const actions = {
  ReleaseInvoice: 'Invoice',
  ReleasePayment: 'Payment',
  VoidPayment: 'Payment',
  ReleaseJournalTransaction: 'JournalTransaction',
} as const satisfies Readonly<Record<string, Entity>>;

export type ActionEntity = (typeof actions)[keyof typeof actions];
export type ActionOf<E extends ActionEntity> = {
  [A in keyof typeof actions]: (typeof actions)[A] extends E ? A : never;
}[keyof typeof actions];
