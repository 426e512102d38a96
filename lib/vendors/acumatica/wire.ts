import * as z from 'zod';
import { amount, day, flag, instant, system, text } from './wire-fields.ts';
import {
  accountRowSchema,
  currencyRowSchema,
  customerClassRowSchema,
  ledgerRowSchema,
  paymentMethodRowSchema,
  periodCalendarSchema,
  subaccountRowSchema,
  taxCategoryRowSchema,
  taxRowSchema,
  taxZoneRowSchema,
} from './wire-reference.ts';

export type * from './wire-reference.ts';

/**
 * Records as the client hands them out: unwrapped, with Acumatica's own names, only the fields we use. Key fields are always there.
 * Source: contract of the endpoint Default/24.200.001, github.com/Acumatica/AcumaticaRESTAPIClientForCSharp, EndpointDefinitions
 * (read 2026-11-20). The same names serve 20.200.001 to 25.200.001; fields that came later are simply absent before.
 */

const addressSchema = z.object({
  ...system,
  AddressLine1: text.optional(),
  AddressLine2: text.optional(),
  City: text.optional(),
  Country: text.optional(),
  PostalCode: text.optional(),
  State: text.optional(),
});

const contactSchema = z.object({
  ...system,
  Attention: text.optional(),
  Email: text.optional(),
  FullName: text.optional(),
  CompanyName: text.optional(),
  DisplayName: text.optional(),
  FirstName: text.optional(),
  LastName: text.optional(),
  Phone1: text.optional(),
  Phone2: text.optional(),
  Phone3: text.optional(),
  WebSite: text.optional(),
  JobTitle: text.optional(),
  Address: addressSchema.optional(),
});

export const customerRowSchema = z.object({
  ...system,
  CustomerID: text,
  CustomerName: text.optional(),
  CustomerClass: text.optional(),
  AccountRef: text.optional(),
  Status: text.optional(),
  Terms: text.optional(),
  CurrencyID: text.optional(),
  CurrencyRateType: text.optional(),
  EnableCurrencyOverride: flag.optional(),
  EnableRateOverride: flag.optional(),
  StatementCycleID: text.optional(),
  TaxZone: text.optional(),
  TaxRegistrationID: text.optional(),
  AutoApplyPayments: flag.optional(),
  PrintInvoices: flag.optional(),
  SendInvoicesbyEmail: flag.optional(),
  ParentRecord: text.optional(),
  Email: text.optional(),
  BAccountID: text.optional(),
  CreditLimit: amount.optional(),
  NoteID: text.optional(),
  BillingContactOverride: flag.optional(),
  BillingAddressOverride: flag.optional(),
  CreatedDateTime: instant.optional(),
  LastModifiedDateTime: instant.optional(),
  MainContact: contactSchema.optional(),
  BillingContact: contactSchema.optional(),
});
export type CustomerRow = z.infer<typeof customerRowSchema>;

const invoiceDetailSchema = z.object({
  ...system,
  LineNbr: text.optional(),
  Account: text.optional(),
  Subaccount: text.optional(),
  Branch: text.optional(),
  InventoryID: text.optional(),
  TransactionDescription: text.optional(),
  Qty: amount.optional(),
  UOM: text.optional(),
  UnitPrice: amount.optional(),
  ExtendedPrice: amount.optional(),
  DiscountAmount: amount.optional(),
  Amount: amount.optional(),
  TaxCategory: text.optional(),
  ProjectTask: text.optional(),
  CalculateDiscountsOnImport: flag.optional(),
});
export type InvoiceDetailRow = z.infer<typeof invoiceDetailSchema>;

const invoiceTaxSchema = z.object({
  ...system,
  TaxID: text.optional(),
  TaxRate: amount.optional(),
  TaxableAmount: amount.optional(),
  TaxAmount: amount.optional(),
});

/** Payments and memos on an invoice, read only. */
const invoiceApplicationSchema = z.object({
  ...system,
  DocType: text.optional(),
  ReferenceNbr: text.optional(),
  AmountPaid: amount.optional(),
  CashDiscountTaken: amount.optional(),
  PaymentDate: day.optional(),
  Balance: amount.optional(),
  Status: text.optional(),
  Customer: text.optional(),
  CustomerOrder: text.optional(),
  PostPeriod: text.optional(),
});

/** Form AR301000: invoices, debit memos, credit memos. Amounts are in the document's currency, which the contract does not show:
 * ask `custom: ['Document.CuryID']` and read `custom.Document.CuryID`. */
export const invoiceRowSchema = z.object({
  ...system,
  Type: text,
  ReferenceNbr: text,
  Customer: text.optional(),
  CustomerOrder: text.optional(),
  LocationID: text.optional(),
  Date: day.optional(),
  DueDate: day.optional(),
  PostPeriod: text.optional(),
  Terms: text.optional(),
  Description: text.optional(),
  LinkARAccount: text.optional(),
  LinkBranch: text.optional(),
  Project: text.optional(),
  Hold: flag.optional(),
  Amount: amount.optional(),
  Balance: amount.optional(),
  TaxTotal: amount.optional(),
  IsTaxValid: flag.optional(),
  Status: text.optional(),
  BillingPrinted: flag.optional(),
  CreatedDateTime: instant.optional(),
  LastModifiedDateTime: instant.optional(),
  Details: z.array(invoiceDetailSchema).optional(),
  TaxDetails: z.array(invoiceTaxSchema).optional(),
  ApplicationsDefault: z.array(invoiceApplicationSchema).optional(),
  ApplicationsCreditMemo: z.array(invoiceApplicationSchema).optional(),
});
export type InvoiceRow = z.infer<typeof invoiceRowSchema>;

const documentToApplySchema = z.object({
  ...system,
  DocType: text.optional(),
  ReferenceNbr: text.optional(),
  DocLineNbr: text.optional(),
  AmountPaid: amount.optional(),
  CashDiscountTaken: amount.optional(),
  BalanceWriteOff: amount.optional(),
  WriteOffReasonCode: text.optional(),
  CustomerOrder: text.optional(),
  Description: text.optional(),
});
export type DocumentToApplyRow = z.infer<typeof documentToApplySchema>;

const applicationHistorySchema = z.object({
  ...system,
  DisplayDocType: text.optional(),
  DisplayRefNbr: text.optional(),
  AdjustedDocType: text.optional(),
  AdjustedRefNbr: text.optional(),
  AdjustingDocType: text.optional(),
  AdjustingRefNbr: text.optional(),
  AdjustmentNbr: text.optional(),
  AmountPaid: amount.optional(),
  Balance: amount.optional(),
  BalanceWriteOff: amount.optional(),
  CashDiscountTaken: amount.optional(),
  BatchNbr: text.optional(),
  CurrencyID: text.optional(),
  Customer: text.optional(),
  CustomerOrder: text.optional(),
  Date: day.optional(),
  PostPeriod: text.optional(),
  ApplicationPeriod: text.optional(),
});
export type ApplicationHistoryRow = z.infer<typeof applicationHistorySchema>;

/** Form AR302000: payments, prepayments, refunds, voids, and credit memos as money to apply. `ApplicationHistory` comes on key reads only. */
export const paymentRowSchema = z.object({
  ...system,
  Type: text,
  ReferenceNbr: text,
  CustomerID: text.optional(),
  CustomerLocationID: text.optional(),
  ApplicationDate: day.optional(),
  PaymentMethod: text.optional(),
  CashAccount: text.optional(),
  CurrencyID: text.optional(),
  PaymentAmount: amount.optional(),
  PaymentRef: text.optional(),
  ExternalRef: text.optional(),
  Description: text.optional(),
  Branch: text.optional(),
  BranchID: text.optional(),
  Hold: flag.optional(),
  AppliedToDocuments: amount.optional(),
  AppliedToOrders: amount.optional(),
  AvailableBalance: amount.optional(),
  Status: text.optional(),
  OrigTransaction: text.optional(),
  NoteID: text.optional(),
  LastModifiedDateTime: instant.optional(),
  DocumentsToApply: z.array(documentToApplySchema).optional(),
  ApplicationHistory: z.array(applicationHistorySchema).optional(),
});
export type PaymentRow = z.infer<typeof paymentRowSchema>;

const journalDetailSchema = z.object({
  ...system,
  LineNbr: text.optional(),
  Account: text.optional(),
  Subaccount: text.optional(),
  BranchID: text.optional(),
  DebitAmount: amount.optional(),
  CreditAmount: amount.optional(),
  TransactionDescription: text.optional(),
  ReferenceNbr: text.optional(),
  Qty: amount.optional(),
  UOM: text.optional(),
  Project: text.optional(),
  ProjectTask: text.optional(),
});
export type JournalDetailRow = z.infer<typeof journalDetailSchema>;

/** Form GL301000. Amounts are in the batch's currency. */
export const journalTransactionRowSchema = z.object({
  ...system,
  Module: text,
  BatchNbr: text,
  LedgerID: text.optional(),
  BranchID: text.optional(),
  TransactionDate: day.optional(),
  PostPeriod: text.optional(),
  CurrencyID: text.optional(),
  Description: text.optional(),
  Hold: flag.optional(),
  Status: text.optional(),
  CreatedDateTime: instant.optional(),
  LastModifiedDateTime: instant.optional(),
  Details: z.array(journalDetailSchema).optional(),
});
export type JournalTransactionRow = z.infer<typeof journalTransactionRowSchema>;

/** Every record the client reads, by the name of its entity in the endpoint. */
export const rowSchemas = {
  Customer: customerRowSchema,
  Invoice: invoiceRowSchema,
  Payment: paymentRowSchema,
  JournalTransaction: journalTransactionRowSchema,
  Account: accountRowSchema,
  Subaccount: subaccountRowSchema,
  Ledger: ledgerRowSchema,
  Currency: currencyRowSchema,
  PaymentMethod: paymentMethodRowSchema,
  CustomerClass: customerClassRowSchema,
  TaxCategory: taxCategoryRowSchema,
  TaxZone: taxZoneRowSchema,
  Tax: taxRowSchema,
  FinancialPeriod: periodCalendarSchema,
  CompanyFinancialPeriod: periodCalendarSchema,
} as const;

export type Entity = keyof typeof rowSchemas;
export type RowOf<E extends Entity> = z.infer<(typeof rowSchemas)[E]>;
