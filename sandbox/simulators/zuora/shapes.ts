import * as z from 'zod';
import { isCalendarDate } from '../../../lib/values/calendar-date.ts';
import { type Decimal, decimal } from '../../../lib/values/decimal.ts';

/** The friendly shapes in which records are seeded and actions are spoken. Every object is strict: an unknown field is a mistake. */

const text = z.string().min(1);
export const key = text.describe('id or number');
export const amount = z.union([z.string(), z.number()]).transform((value, context): Decimal => {
  try {
    return decimal(value);
  } catch {
    context.addIssue({ code: 'custom', message: `not a decimal number: ${JSON.stringify(value)}` });
    return z.NEVER;
  }
});
export const date = z.string().refine(isCalendarDate, 'not a date, write YYYY-MM-DD');
const instant = z.iso.datetime({ offset: true });

export const processingTypes = ['Charge', 'Discount', 'Prepayment', 'Tax', 'Rounding'] as const;

const tax = z.strictObject({
  name: text.optional(),
  amount,
  taxable: amount.optional(),
  rate: amount.optional(),
  jurisdiction: text.optional(),
  code: text.optional(),
  accountingCode: text.optional(),
});

export const item = z.strictObject({
  id: text.optional(),
  chargeName: text.default('Charge'),
  chargeNumber: text.optional(),
  /** Net. */
  amount,
  /** Short form of one entry in `taxes`. */
  tax: amount.optional(),
  taxName: text.optional(),
  taxAccountingCode: text.optional(),
  taxes: z.array(tax).optional(),
  taxMode: z.enum(['TaxExclusive', 'TaxInclusive']).default('TaxExclusive'),
  quantity: amount.optional(),
  unitPrice: amount.optional(),
  sku: text.optional(),
  unitOfMeasure: z.string().optional(),
  processingType: z.union([z.enum(processingTypes), z.enum(['0', '1', '2', '3', '4'])]).default('Charge'),
  serviceStartDate: date.optional(),
  serviceEndDate: date.optional(),
  description: z.string().optional(),
  subscriptionNumber: text.optional(),
  accountingCode: text.optional(),
  recognizedRevenueAccountingCode: text.optional(),
  deferredRevenueAccountingCode: text.optional(),
  /** Position (from 0) of the discounted item in the same document. */
  appliedToItem: z.number().int().nonnegative().optional(),
});

const document = {
  id: text.optional(),
  number: text.optional(),
  account: key,
  date,
  items: z.array(item).default([]),
  /** A total that is not the sum of the items, to rehearse a document that does not add up. */
  total: amount.optional(),
  currency: text.length(3).optional(),
  source: text.optional(),
  sourceType: text.optional(),
  comments: z.string().optional(),
  postedAt: instant.optional(),
  status: z.enum(['Draft', 'Posted', 'Canceled', 'Error', 'PendingForTax', 'Generating', 'CancelInProgress']).default('Posted'),
} as const;

const application = z
  .strictObject({ invoice: key.optional(), debitMemo: key.optional(), amount, date: date.optional() })
  .refine((row) => (row.invoice === undefined) !== (row.debitMemo === undefined), 'name either invoice or debitMemo');

export const invoice = z.strictObject({
  ...document,
  dueDate: date.optional(),
  paymentTerm: text.optional(),
  reversed: z.boolean().optional(),
});

export const debitMemo = z.strictObject({
  ...document,
  dueDate: date.optional(),
  reasonCode: text.optional(),
  invoice: key.optional(),
  creditMemo: key.optional(),
});

export const creditMemo = z.strictObject({
  ...document,
  reasonCode: text.optional(),
  /** The invoice it refers to. */
  invoice: key.optional(),
  applications: z.array(application).default([]),
});

export const payment = z.strictObject({
  id: text.optional(),
  number: text.optional(),
  account: key,
  amount,
  date,
  type: z.enum(['External', 'Electronic']).default('External'),
  status: z.enum(['Draft', 'Processing', 'Processed', 'Error', 'Canceled', 'Posted']).default('Processed'),
  gateway: text.optional(),
  methodType: text.optional(),
  currency: text.length(3).optional(),
  referenceId: text.optional(),
  comment: z.string().optional(),
  isStandalone: z.boolean().default(false),
  applications: z.array(application).default([]),
});

export const refund = z
  .strictObject({
    id: text.optional(),
    number: text.optional(),
    payment: key.optional(),
    creditMemo: key.optional(),
    amount,
    date: date.optional(),
    type: z.enum(['External', 'Electronic']).default('External'),
    methodType: text.optional(),
    gateway: text.optional(),
    reasonCode: text.optional(),
    comment: z.string().optional(),
    /** Free this much of the documents first; `true`: as much as the refund needs, newest application first. */
    unapply: z.union([z.literal(true), z.array(application)]).optional(),
  })
  .refine((row) => (row.payment === undefined) !== (row.creditMemo === undefined), 'name either payment or creditMemo');

const contactFields = {
  firstName: z.string(),
  lastName: z.string(),
  address1: z.string(),
  address2: z.string(),
  city: z.string(),
  state: z.string(),
  county: z.string().nullable(),
  country: z.string().nullable(),
  postalCode: z.string(),
  workEmail: z.string(),
  personalEmail: z.string(),
  workPhone: z.string(),
  mobilePhone: z.string(),
  taxRegion: z.string().nullable(),
} as const;

export const contact = z.strictObject({ id: text.optional(), ...contactFields }).partial();

export const account = z.strictObject({
  id: text.optional(),
  number: text.optional(),
  name: text,
  status: z.enum(['Draft', 'Active', 'Canceled']).default('Active'),
  currency: text.length(3).default('USD'),
  paymentTerm: text.default('Net 30'),
  batch: text.default('Batch1'),
  billCycleDay: z.number().int().min(0).max(31).default(1),
  autoPay: z.boolean().default(false),
  parent: key.optional(),
  communicationProfile: text.optional(),
  crmId: text.optional(),
  salesRep: text.optional(),
  notes: z.string().optional(),
  purchaseOrderNumber: text.optional(),
  taxExemptStatus: z.enum(['No', 'Yes', 'PendingVerification']).default('No'),
  vatId: text.optional(),
  /** Absent: an empty contact with the account's name is made. */
  billTo: contact.optional(),
  /** Absent: the same contact record as bill-to. */
  soldTo: contact.optional(),
  custom: z.record(z.string().regex(/__(c|NS)$/, 'custom fields end in __c or __NS'), z.string().nullable()).default({}),
});

const accountingCode = z.strictObject({
  id: text.optional(),
  name: text,
  type: text.default('SalesRevenue'),
  category: z.enum(['Assets', 'Liabilities', 'Equity', 'Revenue', 'Expenses']).optional(),
  status: z.enum(['Active', 'Inactive']).default('Active'),
  glAccountName: z.string().nullable().optional(),
  glAccountNumber: z.string().nullable().optional(),
  notes: z.string().nullable().optional(),
});

export const journalRun = z.strictObject({
  number: text.optional(),
  journalEntryDate: date.optional(),
  targetStartDate: date.optional(),
  targetEndDate: date.optional(),
  accountingPeriodName: text.optional(),
  transactionTypes: z.array(text).default([]),
  aggregateCurrency: z.boolean().default(false),
  /** Absent: entries are made from the documents of the period. */
  entries: z
    .array(
      z.strictObject({
        number: text.optional(),
        transactionType: text,
        currency: text.length(3).optional(),
        status: z.enum(['Created', 'Cancelled']).default('Created'),
        transferredToAccounting: z.enum(['No', 'Processing', 'Yes', 'Error', 'Ignore']).default('No'),
        notes: z.string().default(''),
        segments: z.array(z.strictObject({ segmentName: text, segmentValue: z.string() })).default([]),
        lines: z.array(
          z.strictObject({ type: z.enum(['Debit', 'Credit']), accountingCode: text, amount, homeCurrencyAmount: amount.optional() }),
        ),
      }),
    )
    .optional(),
});

const profile = z.strictObject({ id: text.optional(), name: text, number: text.optional() });

export const seed = z
  .strictObject({
    communicationProfiles: z.array(profile),
    accountingCodes: z.array(accountingCode),
    accounts: z.array(account),
    invoices: z.array(invoice),
    creditMemos: z.array(creditMemo),
    debitMemos: z.array(debitMemo),
    payments: z.array(payment),
    refunds: z.array(refund),
    journalRuns: z.array(journalRun),
  })
  .partial();

export type ItemInput = z.output<typeof item>;
export type InvoiceInput = z.output<typeof invoice>;
export type CreditMemoInput = z.output<typeof creditMemo>;
export type DebitMemoInput = z.output<typeof debitMemo>;
export type PaymentInput = z.output<typeof payment>;
export type RefundInput = z.output<typeof refund>;
export type AccountInput = z.output<typeof account>;
export type ContactInput = z.output<typeof contact>;
export type ApplicationInput = z.output<typeof application>;
export type AccountingCodeInput = z.output<typeof accountingCode>;
export type JournalRunInput = z.output<typeof journalRun>;
