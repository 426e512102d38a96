import * as z from 'zod';
import { dateText, decimalText, flag, instantText, type Known, record, renamed, text } from './text.ts';

/* Rows of Object Query about money that came in and went out. The rules are those of wire.ts. */

export const paymentApplicationSchema = record({
  id: text,
  applyAmount: decimalText,
  paymentId: text.optional(),
  invoiceId: text.optional(),
  debitMemoId: text.optional(),
  accountId: text.optional(),
  /** The account of the paid document: it may be another one than the payer's. */
  billingDocumentOwnerId: text.optional(),
  effectiveDate: dateText.optional(),
  paymentApplicationStatus: text.optional(),
  applicationGroupId: text.optional(),
  updatedDate: text.optional(),
});
export type PaymentApplicationRow = Known<z.infer<typeof paymentApplicationSchema>>;

const paymentMethodSchema = record({ id: text.optional(), type: text.optional(), name: text.optional() });
export type PaymentMethodRow = Known<z.infer<typeof paymentMethodSchema>>;

/** Applications expanded here stop at 99 without a sign: with 99 of them, read the parts. */
export const paymentSchema = z.preprocess(
  (value) => renamed(value, { paymentapplications: 'paymentApplications', paymentmethod: 'paymentMethod' }),
  record({
    id: text,
    accountId: text.optional(),
    paymentNumber: text,
    status: text,
    amount: decimalText,
    effectiveDate: dateText,
    updatedDate: instantText,
    createdDate: text.optional(),
    /** External or Electronic. The server cannot filter by it. */
    type: text.optional(),
    appliedAmount: decimalText.optional(),
    unappliedAmount: decimalText.optional(),
    refundAmount: decimalText.optional(),
    appliedCreditBalanceAmount: decimalText.optional(),
    currency: text.optional(),
    gateway: text.optional(),
    gatewayState: text.optional(),
    paymentMethodId: text.optional(),
    referenceId: text.optional(),
    source: text.optional(),
    isStandalone: flag.optional(),
    transferredToAccounting: text.optional(),
    paymentApplications: z.array(paymentApplicationSchema).optional(),
    paymentMethod: paymentMethodSchema.optional(),
  }),
);
export type PaymentRow = Known<z.infer<typeof paymentSchema>>;

export const refundApplicationSchema = record({
  id: text,
  applyAmount: decimalText,
  refundId: text.optional(),
  paymentId: text.optional(),
  creditMemoId: text.optional(),
  accountId: text.optional(),
  effectiveDate: dateText.optional(),
  applicationGroupId: text.optional(),
  updatedDate: text.optional(),
});
export type RefundApplicationRow = Known<z.infer<typeof refundApplicationSchema>>;

export const refundSchema = z.preprocess(
  (value) => renamed(value, { refundapplications: 'refundApplications', paymentmethod: 'paymentMethod', referenceid: 'referenceId' }),
  record({
    id: text,
    accountId: text.optional(),
    refundNumber: text,
    status: text,
    amount: decimalText,
    refundDate: dateText,
    updatedDate: instantText,
    createdDate: text.optional(),
    type: text.optional(),
    methodType: text.optional(),
    sourceType: text.optional(),
    reasonCode: text.optional(),
    currency: text.optional(),
    gateway: text.optional(),
    gatewayState: text.optional(),
    paymentMethodId: text.optional(),
    referenceId: text.optional(),
    transferredToAccounting: text.optional(),
    refundApplications: z.array(refundApplicationSchema).optional(),
    paymentMethod: paymentMethodSchema.optional(),
  }),
);
export type RefundRow = Known<z.infer<typeof refundSchema>>;
