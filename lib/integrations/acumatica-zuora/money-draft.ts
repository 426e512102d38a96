import * as z from 'zod';
import type { Json } from '../../values/json.ts';

/** Documents of form AR302000 as they are meant to be booked: receipts (payments, refunds) and voids. */

export const receiptDraftSchema = z.object({
  way: z.literal('receipt'),
  type: z.enum(['Payment', 'Refund']),
  marker: z.string(),
  number: z.string(),
  description: z.string(),
  customer: z.string(),
  accountId: z.string(),
  paymentMethod: z.string(),
  cashAccount: z.string(),
  currency: z.string(),
  amount: z.string(),
  /** Application date; on the first release it is the document's date as well. */
  date: z.string(),
  branch: z.string(),
  rows: z.array(z.object({ docType: z.string(), ref: z.string(), number: z.string(), amount: z.string() })),
  /** Fingerprint of everything Zuora wants applied, and whether `rows` is all of it. */
  desired: z.string(),
  complete: z.boolean(),
  content: z.string(),
});
export type ReceiptDraft = z.infer<typeof receiptDraftSchema>;

export const voidDraftSchema = z.object({
  way: z.literal('void'),
  /** Type of the document that is voided. */
  type: z.enum(['Payment', 'Refund']),
  /** Its key, as far as the link knows it; else it is found by `originalMarker`. */
  target: z.string().optional(),
  originalMarker: z.string(),
  marker: z.string(),
  number: z.string(),
  description: z.string(),
  currency: z.string(),
  amount: z.string(),
  date: z.string(),
  /** A refund that is booked by voiding its payment. */
  isRefund: z.boolean(),
  content: z.string(),
});
export type VoidDraft = z.infer<typeof voidDraftSchema>;

export const moneyDraftSchema = z.discriminatedUnion('way', [receiptDraftSchema, voidDraftSchema]);
export type MoneyDraft = z.infer<typeof moneyDraftSchema>;

export const asJson = (draft: unknown): Json => JSON.parse(JSON.stringify(draft)) as Json;
