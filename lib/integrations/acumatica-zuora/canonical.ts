import * as z from 'zod';

/**
 * Records between the two systems: Zuora → canonical → Acumatica. Amounts, quantities and prices are decimal text with Zuora's signs;
 * dates are calendar dates; what Zuora leaves out, sends as null or as "" is absent.
 */

const day = z.string();
const decimalText = z.string();

export const billingObjects = ['invoice', 'debit-memo', 'credit-memo'] as const;

/** What a list row of an invoice or memo tells; all that is needed to know whether anything changed. */
export const documentHeaderSchema = z.object({
  object: z.enum(billingObjects),
  id: z.string(),
  number: z.string(),
  accountId: z.string(),
  accountNumber: z.string().optional(),
  batch: z.string().optional(),
  status: z.string(),
  reversed: z.boolean(),
  date: day,
  dueDate: day.optional(),
  terms: z.string().optional(),
  currency: z.string().optional(),
  total: decimalText,
  tax: decimalText.optional(),
  balance: decimalText.optional(),
  reason: z.string().optional(),
  postedAt: z.string().optional(),
  updatedAt: z.string(),
});
export type DocumentHeader = z.infer<typeof documentHeaderSchema>;

export const documentLineSchema = z.object({
  key: z.string(),
  text: z.string(),
  from: day.optional(),
  to: day.optional(),
  qty: decimalText.optional(),
  uom: z.string().optional(),
  price: decimalText.optional(),
  net: decimalText,
  tax: decimalText,
  /** Names of accounting codes: the recognised one, the item's own, the deferred one. */
  recognisedCode: z.string().optional(),
  ownCode: z.string().optional(),
  deferredCode: z.string().optional(),
});
export type DocumentLine = z.infer<typeof documentLineSchema>;

export const documentTaxSchema = z.object({
  lineKey: z.string(),
  name: z.string(),
  code: z.string().optional(),
  taxable: decimalText.optional(),
  amount: decimalText,
});
export type DocumentTax = z.infer<typeof documentTaxSchema>;

/** An invoice or memo as posted: total = Σ net + Σ tax. */
export const arDocumentSchema = documentHeaderSchema.extend({
  accountNumber: z.string(),
  currency: z.string(),
  lines: z.array(documentLineSchema),
  taxes: z.array(documentTaxSchema),
});
export type ArDocument = z.infer<typeof arDocumentSchema>;

/** What of an applied or moved amount is known. `docId` is an invoice or a debit memo. */
export const desiredRowSchema = z.object({
  docId: z.string(),
  ownerId: z.string().optional(),
  amount: decimalText,
  date: day.optional(),
});
export type DesiredRow = z.infer<typeof desiredRowSchema>;

/** Application rows as listed, not yet proven to be the present state. */
export const applicationRowSchema = z.object({
  docId: z.string().optional(),
  ownerId: z.string().optional(),
  amount: decimalText,
  date: day.optional(),
  updatedAt: z.string().optional(),
});
export type ApplicationRow = z.infer<typeof applicationRowSchema>;

/** A payment or credit memo as a source of money. */
export const moneySourceSchema = z.object({
  object: z.enum(['payment', 'credit-memo']),
  id: z.string(),
  number: z.string(),
  accountId: z.string(),
  accountNumber: z.string().optional(),
  accountCurrency: z.string().optional(),
  batch: z.string().optional(),
  status: z.string(),
  type: z.string().optional(),
  standalone: z.boolean(),
  date: day,
  currency: z.string().optional(),
  amount: decimalText,
  applied: decimalText.optional(),
  refunded: decimalText,
  gateway: z.string().optional(),
  methodType: z.string().optional(),
  rows: z.array(applicationRowSchema),
  updatedAt: z.string(),
});
export type MoneySource = z.infer<typeof moneySourceSchema>;

export const refundHeaderSchema = z.object({
  id: z.string(),
  number: z.string(),
  accountId: z.string(),
  accountNumber: z.string().optional(),
  accountCurrency: z.string().optional(),
  batch: z.string().optional(),
  status: z.string(),
  type: z.string().optional(),
  date: day,
  currency: z.string().optional(),
  amount: decimalText,
  gateway: z.string().optional(),
  methodType: z.string().optional(),
  reason: z.string().optional(),
  updatedAt: z.string(),
});
export type RefundHeader = z.infer<typeof refundHeaderSchema>;

export const journalSchema = z.object({
  number: z.string(),
  run: z.string(),
  type: z.string(),
  status: z.string(),
  transferred: z.string().optional(),
  date: day,
  from: day.optional(),
  to: day.optional(),
  period: z.string().optional(),
  currency: z.string(),
  homeCurrency: z.string().optional(),
  aggregate: z.boolean(),
  lines: z.array(
    z.object({
      code: z.string(),
      side: z.string(),
      amount: decimalText,
      homeAmount: decimalText.optional(),
      segments: z.string(),
    }),
  ),
});
export type Journal = z.infer<typeof journalSchema>;
