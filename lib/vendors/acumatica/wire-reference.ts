import * as z from 'zod';
import { amount, day, flag, instant, system, text } from './wire-fields.ts';

/** Reference data and inquiries. Source: as in wire.ts. */

export const accountRowSchema = z.object({
  ...system,
  AccountCD: text,
  Description: text.optional(),
  Type: text.optional(),
  Active: flag.optional(),
  CashAccount: flag.optional(),
  CurrencyID: text.optional(),
  PostOption: text.optional(),
  UseDefaultSubaccount: flag.optional(),
  TaxCategory: text.optional(),
  AccountClass: text.optional(),
  LastModifiedDateTime: instant.optional(),
});
export type AccountRow = z.infer<typeof accountRowSchema>;

/** `SubaccountCD` comes without separators: `SAS000`, not `SAS-000`. */
export const subaccountRowSchema = z.object({
  ...system,
  SubaccountCD: text,
  Description: text.optional(),
  Active: flag.optional(),
});
export type SubaccountRow = z.infer<typeof subaccountRowSchema>;

const ledgerBranchSchema = z.object({ ...system, BranchID: text.optional(), BranchName: text.optional(), Active: flag.optional() });

export const ledgerRowSchema = z.object({
  ...system,
  LedgerID: text,
  Description: text.optional(),
  Currency: text.optional(),
  Type: text.optional(),
  LastModifiedDateTime: instant.optional(),
  Branches: z.array(ledgerBranchSchema).optional(),
});
export type LedgerRow = z.infer<typeof ledgerRowSchema>;

export const currencyRowSchema = z.object({
  ...system,
  CurrencyID: text,
  Description: text.optional(),
  DecimalPrecision: text.optional(),
  Active: flag.optional(),
  UseForAccounting: flag.optional(),
  LastModifiedDateTime: instant.optional(),
});
export type CurrencyRow = z.infer<typeof currencyRowSchema>;

const allowedCashAccountSchema = z.object({
  ...system,
  CashAccount: text.optional(),
  Branch: text.optional(),
  Description: text.optional(),
  UseInAR: flag.optional(),
  ARDefault: flag.optional(),
  ARDefaultForRefund: flag.optional(),
});
export type AllowedCashAccountRow = z.infer<typeof allowedCashAccountSchema>;

export const paymentMethodRowSchema = z.object({
  ...system,
  PaymentMethodID: text,
  Description: text.optional(),
  Active: flag.optional(),
  MeansOfPayment: text.optional(),
  IntegratedProcessing: flag.optional(),
  UseInAR: flag.optional(),
  LastModifiedDateTime: instant.optional(),
  AllowedCashAccounts: z.array(allowedCashAccountSchema).optional(),
});
export type PaymentMethodRow = z.infer<typeof paymentMethodRowSchema>;

export const customerClassRowSchema = z.object({
  ...system,
  ClassID: text,
  Description: text.optional(),
  ARAccount: text.optional(),
  ARSubaccount: text.optional(),
  Terms: text.optional(),
  CurrencyID: text.optional(),
  EnableCurrencyOverride: flag.optional(),
  StatementCycleID: text.optional(),
  TaxZoneID: text.optional(),
  LastModifiedDateTime: instant.optional(),
});
export type CustomerClassRow = z.infer<typeof customerClassRowSchema>;

export const taxCategoryRowSchema = z.object({
  ...system,
  TaxCategoryID: text,
  Description: text.optional(),
  Active: flag.optional(),
  ExcludeListedTaxes: flag.optional(),
  LastModifiedDateTime: instant.optional(),
});
export type TaxCategoryRow = z.infer<typeof taxCategoryRowSchema>;

export const taxZoneRowSchema = z.object({
  ...system,
  TaxZoneID: text,
  Description: text.optional(),
  LastModifiedDateTime: instant.optional(),
});
export type TaxZoneRow = z.infer<typeof taxZoneRowSchema>;

export const taxRowSchema = z.object({
  ...system,
  TaxID: text,
  Description: text.optional(),
  TaxType: text.optional(),
  TaxPayableAccount: text.optional(),
  TaxPayableSubaccount: text.optional(),
  LastModifiedDateTime: instant.optional(),
});
export type TaxRow = z.infer<typeof taxRowSchema>;

/** `FinancialPeriodID` is `MMYYYY`; `EndDate` as the form shows it, the last day of the period. */
const financialPeriodRowSchema = z.object({
  ...system,
  FinancialPeriodID: text,
  PeriodNbr: text.optional(),
  Description: text.optional(),
  StartDate: day.optional(),
  EndDate: day.optional(),
  Status: text.optional(),
  AdjustmentPeriod: flag.optional(),
  ClosedInAR: flag.optional(),
  ClosedInAP: flag.optional(),
  ClosedInCA: flag.optional(),
});
export type FinancialPeriodRow = z.infer<typeof financialPeriodRowSchema>;

/** One year of the master calendar (FinancialPeriod) or of a company (CompanyFinancialPeriod). */
export const periodCalendarSchema = z.object({
  ...system,
  Company: text.optional(),
  FinancialYear: text,
  StartDate: day.optional(),
  Details: z.array(financialPeriodRowSchema).optional(),
});
export type PeriodCalendarRow = z.infer<typeof periodCalendarSchema>;

/** One row of CompaniesStructure: a branch and the company it belongs to. */
const branchRowSchema = z.object({
  ...system,
  CompanyID: text.optional(),
  CompanyName: text.optional(),
  CompanyType: text.optional(),
  CompanyStatus: flag.optional(),
  BranchID: text.optional(),
  BranchName: text.optional(),
  BranchStatus: flag.optional(),
  BaseCurrencyID: text.optional(),
});
export type BranchRow = z.infer<typeof branchRowSchema>;

const accountSummaryRowSchema = z.object({
  ...system,
  Account: text.optional(),
  Subaccount: text.optional(),
  Branch: text.optional(),
  Type: text.optional(),
  Description: text.optional(),
  CurrencyID: text.optional(),
  BeginningBalance: amount.optional(),
  DebitTotal: amount.optional(),
  CreditTotal: amount.optional(),
  PtdTotal: amount.optional(),
  EndingBalance: amount.optional(),
});
export type AccountSummaryRow = z.infer<typeof accountSummaryRowSchema>;

const accountDetailsRowSchema = z.object({
  ...system,
  Account: text.optional(),
  Subaccount: text.optional(),
  Branch: text.optional(),
  BatchNumber: text.optional(),
  Module: text.optional(),
  RefNumber: text.optional(),
  TransactionType: text.optional(),
  TransactionDate: day.optional(),
  TransactionDescription: text.optional(),
  CustomerVendor: text.optional(),
  PeriodID: text.optional(),
  Ledger: text.optional(),
  Currency: text.optional(),
  DebitAmount: amount.optional(),
  CreditAmount: amount.optional(),
  DebitAmountInBaseCurrency: amount.optional(),
  CreditAmountInBaseCurrency: amount.optional(),
  Posted: flag.optional(),
  Released: flag.optional(),
  LastModifiedDateTime: instant.optional(),
});
export type AccountDetailsRow = z.infer<typeof accountDetailsRowSchema>;

/** Inquiries: answered by PUT with the filter as body. */
export const inquirySchemas = {
  CompaniesStructure: branchRowSchema,
  AccountSummaryInquiry: accountSummaryRowSchema,
  AccountDetailsForPeriodInquiry: accountDetailsRowSchema,
} as const;

export type Inquiry = keyof typeof inquirySchemas;
export type InquiryRow<I extends Inquiry> = z.infer<(typeof inquirySchemas)[I]>;
