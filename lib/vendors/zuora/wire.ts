import * as z from 'zod';
import { dateText, decimalText, flag, instantText, type Known, record, renamed, text } from './text.ts';
import { paymentApplicationSchema, paymentSchema, refundApplicationSchema, refundSchema } from './wire-payments.ts';

/*
 * Rows of Object Query, with its own names (the v1 resources call the same things differently: `number` for `paymentNumber`,
 * `referredInvoiceId` for `invoiceId`). Members that are null, missing or "" are absent. Amounts, prices and quantities are decimal text in
 * the document's currency; business dates are `YYYY-MM-DD`; `updatedDate` keeps its text with offset (`instantOf` makes an instant of it). Only
 * members that decide something are held to a form: one odd row must not stop a list.
 * Statuses and kinds are open texts: Zuora adds values without notice. Unknown members pass through, because custom fields are among them.
 * Every schema reads its own output again, so a row may travel as a snapshot.
 * Source: https://developer.zuora.com/v1-api-reference/api/tag/Object-Queries/ (read 2026-01-20)
 */

const person = {
  id: text,
  firstName: text.optional(),
  lastName: text.optional(),
  address1: text.optional(),
  address2: text.optional(),
  city: text.optional(),
  state: text.optional(),
  county: text.optional(),
  /** The full name in English, `United States`; input may have been an ISO code. */
  country: text.optional(),
  zipCode: text.optional(),
  postalCode: text.optional(),
  workEmail: text.optional(),
  personalEmail: text.optional(),
  workPhone: text.optional(),
};

const billToSchema = record({ ...person, accountId: text.optional(), updatedDate: text.optional() });
export type BillToRow = Known<z.infer<typeof billToSchema>>;

const contactSchema = record({ ...person, accountId: text, updatedDate: instantText });
export type ContactRow = Known<z.infer<typeof contactSchema>>;

const accountSchema = z.preprocess(
  (value) => renamed(value, { billto: 'billTo', soldto: 'soldTo' }),
  record({
    id: text,
    accountNumber: text,
    name: text,
    status: text,
    currency: text,
    updatedDate: instantText,
    createdDate: text.optional(),
    batch: text.optional(),
    paymentTerm: text.optional(),
    parentId: text.optional(),
    billToId: text.optional(),
    soldToId: text.optional(),
    crmId: text.optional(),
    communicationProfileId: text.optional(),
    balance: decimalText.optional(),
    billTo: billToSchema.optional(),
    soldTo: billToSchema.optional(),
  }),
);
export type AccountRow = Known<z.infer<typeof accountSchema>>;

const invoiceSchema = record({
  id: text,
  accountId: text,
  invoiceNumber: text,
  status: text,
  amount: decimalText,
  balance: decimalText,
  invoiceDate: dateText,
  updatedDate: instantText,
  createdDate: text.optional(),
  amountWithoutTax: decimalText.optional(),
  taxAmount: decimalText.optional(),
  paymentAmount: decimalText.optional(),
  creditMemoAmount: decimalText.optional(),
  refundAmount: decimalText.optional(),
  adjustmentAmount: decimalText.optional(),
  creditBalanceAdjustmentAmount: decimalText.optional(),
  currency: text.optional(),
  dueDate: dateText.optional(),
  targetDate: text.optional(),
  postedDate: text.optional(),
  paymentTerm: text.optional(),
  reversed: flag.optional(),
  source: text.optional(),
  sourceType: text.optional(),
  transferredToAccounting: text.optional(),
});
export type InvoiceRow = Known<z.infer<typeof invoiceSchema>>;

/** Taxation items of invoice, debit memo and credit memo items have one form; only the parent's id has its own name. */
const taxationItemSchema = record({
  id: text,
  taxAmount: decimalText,
  name: text.optional(),
  invoiceItemId: text.optional(),
  debitMemoItemId: text.optional(),
  creditMemoItemId: text.optional(),
  accountingCode: text.optional(),
  salesTaxPayableAccountingCodeId: text.optional(),
  taxCode: text.optional(),
  taxRate: decimalText.optional(),
  taxRateType: text.optional(),
  taxableAmount: decimalText.optional(),
  exemptAmount: decimalText.optional(),
  taxMode: text.optional(),
  jurisdiction: text.optional(),
  taxDate: text.optional(),
  updatedDate: text.optional(),
});
export type TaxationItemRow = Known<z.infer<typeof taxationItemSchema>>;

/** What every kind of item has. Accounting codes come as ids, resolved through `listAccountingCodes`. */
const item = {
  id: text,
  updatedDate: text.optional(),
  chargeName: text.optional(),
  chargeNumber: text.optional(),
  description: text.optional(),
  /** A number as text: 0 charge, 1 discount, 2 prepayment, 3 tax, 4 rounding. */
  processingType: text.optional(),
  quantity: decimalText.optional(),
  unitPrice: decimalText.optional(),
  serviceStartDate: dateText.optional(),
  serviceEndDate: dateText.optional(),
  subscriptionNumber: text.optional(),
  accountingCode: text.optional(),
  recognizedRevenueAccountingCodeId: text.optional(),
  deferredRevenueAccountingCodeId: text.optional(),
  accountReceivableAccountingCodeId: text.optional(),
  sourceItemType: text.optional(),
};

const invoiceItemSchema = z.preprocess(
  (value) => renamed(value, { taxationitems: 'taxationItems' }),
  record({
    ...item,
    invoiceId: text,
    /** Net, whatever the tax mode. */
    chargeAmount: decimalText,
    taxAmount: decimalText.optional(),
    sKU: text.optional(),
    uOM: text.optional(),
    appliedToInvoiceItemId: text.optional(),
    taxationItems: z.array(taxationItemSchema).optional(),
  }),
);
export type InvoiceItemRow = Known<z.infer<typeof invoiceItemSchema>>;

const memo = {
  id: text,
  accountId: text,
  memoNumber: text,
  status: text,
  totalAmount: decimalText,
  memoDate: dateText,
  updatedDate: instantText,
  createdDate: text.optional(),
  totalAmountWithoutTax: decimalText.optional(),
  taxAmount: decimalText.optional(),
  balance: decimalText.optional(),
  appliedAmount: decimalText.optional(),
  currency: text.optional(),
  postedOn: text.optional(),
  reasonCode: text.optional(),
  source: text.optional(),
  sourceType: text.optional(),
  /** The invoice the memo was made from. */
  invoiceId: text.optional(),
  reversed: flag.optional(),
  transferredToAccounting: text.optional(),
};

const debitMemoSchema = record({
  ...memo,
  dueDate: dateText.optional(),
  paymentTerm: text.optional(),
  creditMemoId: text.optional(),
});
export type DebitMemoRow = Known<z.infer<typeof debitMemoSchema>>;

const memoItem = {
  ...item,
  /** Contains the tax in tax-inclusive mode: `amountWithoutTax` is the net. */
  amount: decimalText,
  amountWithoutTax: decimalText.optional(),
  taxAmount: decimalText.optional(),
  taxMode: text.optional(),
  sku: text.optional(),
  unitOfMeasure: text.optional(),
  invoiceItemId: text.optional(),
};

const debitMemoItemSchema = z.preprocess(
  (value) => renamed(value, { debittaxationitems: 'taxationItems', taxationitems: 'taxationItems' }),
  record({ ...memoItem, debitMemoId: text, taxationItems: z.array(taxationItemSchema).optional() }),
);
export type DebitMemoItemRow = Known<z.infer<typeof debitMemoItemSchema>>;

const creditMemoApplicationSchema = record({
  id: text,
  amount: decimalText,
  creditMemoId: text.optional(),
  invoiceId: text.optional(),
  debitMemoId: text.optional(),
  accountId: text.optional(),
  billingDocumentOwnerId: text.optional(),
  effectiveDate: dateText.optional(),
  applicationGroupId: text.optional(),
  updatedDate: text.optional(),
});
export type CreditMemoApplicationRow = Known<z.infer<typeof creditMemoApplicationSchema>>;

/** Applications expanded here stop at 99 without a sign: with 99 of them, read the parts. */
const creditMemoSchema = z.preprocess(
  (value) => renamed(value, { creditmemoapplications: 'creditMemoApplications' }),
  record({
    ...memo,
    refundAmount: decimalText.optional(),
    creditMemoApplications: z.array(creditMemoApplicationSchema).optional(),
  }),
);
export type CreditMemoRow = Known<z.infer<typeof creditMemoSchema>>;

const creditMemoItemSchema = z.preprocess(
  (value) => renamed(value, { credittaxationitems: 'taxationItems', taxationitems: 'taxationItems' }),
  record({
    ...memoItem,
    creditMemoId: text,
    creditFromItemId: text.optional(),
    creditFromItemSource: text.optional(),
    taxationItems: z.array(taxationItemSchema).optional(),
  }),
);
export type CreditMemoItemRow = Known<z.infer<typeof creditMemoItemSchema>>;

/**
 * Object Query resources by name, with the schema of their rows. `credit-taxation-items` and `debit-taxation-items` are documented only as
 * relations of memo items (`expand`), not as lists of their own: read them through the expansion, and past 99 with `fetchMemoItemTaxes`.
 */
const nouns = {
  accounts: accountSchema,
  contacts: contactSchema,
  invoices: invoiceSchema,
  'invoice-items': invoiceItemSchema,
  'taxation-items': taxationItemSchema,
  'debit-memos': debitMemoSchema,
  'debit-memo-items': debitMemoItemSchema,
  'debit-taxation-items': taxationItemSchema,
  'credit-memos': creditMemoSchema,
  'credit-memo-items': creditMemoItemSchema,
  'credit-taxation-items': taxationItemSchema,
  payments: paymentSchema,
  'payment-applications': paymentApplicationSchema,
  'credit-memo-applications': creditMemoApplicationSchema,
  refunds: refundSchema,
  'refund-applications': refundApplicationSchema,
} as const;

export type Noun = keyof typeof nouns;
export type RowOf = { readonly [Name in Noun]: Known<z.infer<(typeof nouns)[Name]>> };
/** The table for readers: `rowSchemas.invoices` also reads rows that travelled as snapshots. */
export const rowSchemas: { readonly [Name in Noun]: z.ZodType<RowOf[Name]> } = nouns;

/**
 * A custom field of a row as text. Object Query lowers the first letter of every name (`NAVNo__c` arrives as `nAVNo__c`); v1 does not:
 * both are found. Absent, null and "" are undefined.
 */
export function customField(row: object, name: string): string | undefined {
  const lowered = name.charAt(0).toLowerCase() + name.slice(1);
  for (const [member, value] of Object.entries(row)) {
    if (member !== lowered && member !== name) continue;
    if (typeof value === 'string' && value !== '') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  }
  return undefined;
}

/** Nouns whose rows tell when they last changed: those that can be polled. */
export type ChangingNoun = { [Name in Noun]: RowOf[Name] extends { readonly updatedDate?: string | undefined } ? Name : never }[Noun];

export { instantOf } from './text.ts';
export type { PaymentApplicationRow, PaymentMethodRow, PaymentRow, RefundApplicationRow, RefundRow } from './wire-payments.ts';
