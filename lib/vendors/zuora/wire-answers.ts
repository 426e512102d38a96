import * as z from 'zod';
import { dateText, decimalText, flag, type Known, record, text } from './text.ts';

/* Answers of the v1 resources, Actions, Data Query and the notification API. Same rules as in wire.ts: absent is absent, amounts are text. */

/** Source: https://developer.zuora.com/v1-api-reference/api/operation/GET_PaymentParts/ (read 2023-12-15) */
const partSchema = record({ id: text, amount: decimalText, invoiceId: text.optional(), debitMemoId: text.optional() });
export const partsAnswer = record({ parts: z.array(partSchema).default([]), nextPage: text.optional() });
/** What a payment or memo settles now. Both ids absent: the unapplied rest. */
export type ApplicationPart = Known<z.infer<typeof partSchema>>;

/** Source: https://developer.zuora.com/v1-api-reference/api/operation/GET_AllAccountingCodes/ (read 2023-12-15) */
const accountingCodeSchema = record({
  id: text,
  name: text,
  type: text,
  status: text,
  glAccountName: text.optional(),
  glAccountNumber: text.optional(),
  category: text.optional(),
});
export const accountingCodesAnswer = record({ accountingCodes: z.array(accountingCodeSchema), nextPage: text.optional() });
export type AccountingCode = Known<z.infer<typeof accountingCodeSchema>>;

/** The grouped account of v1, as far as Object Query does not have it. */
export const accountDetailSchema = record({
  basicInfo: record({ id: text, accountNumber: text, name: text, status: text.optional(), batch: text.optional() }),
  taxInfo: record({ VATId: text.optional(), exemptStatus: text.optional() }).optional(),
});
export type AccountDetail = Known<z.infer<typeof accountDetailSchema>>;

/** Source: https://developer.zuora.com/v1-api-reference/api/operation/GET_AllSummaryJournalEntries/ (read 2023-12-15) */
const journalEntrySchema = record({
  number: text,
  status: text,
  journalEntryDate: dateText,
  currency: text,
  homeCurrency: text.optional(),
  aggregateCurrency: flag.optional(),
  transactionType: text,
  accountingPeriodName: text.optional(),
  timePeriodStart: dateText.optional(),
  timePeriodEnd: dateText.optional(),
  transferredToAccounting: text.optional(),
  segments: z.array(record({ segmentName: text.optional(), segmentValue: text.optional() })).default([]),
  journalEntryItems: z
    .array(
      record({
        /** Debit or Credit. */
        type: text,
        amount: decimalText,
        homeCurrencyAmount: decimalText.optional(),
        accountingCodeName: text,
        accountingCodeType: text.optional(),
        /** The vendor's description swaps the texts of these two: do not post by them. */
        glAccountName: text.optional(),
        glAccountNumber: text.optional(),
      }),
    )
    .default([]),
});
export const journalEntriesAnswer = record({ journalEntries: z.array(journalEntrySchema), nextPage: text.optional() });
export type JournalEntry = Known<z.infer<typeof journalEntrySchema>>;

/** Members that are single values, as texts; null and "" are absent. */
export const textsSchema = z.record(z.string(), z.unknown()).transform((members) => {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(members)) {
    if (typeof value === 'string' ? value !== '' : typeof value === 'number' || typeof value === 'boolean') texts[name] = String(value);
  }
  return texts;
});

const mergeFields = textsSchema.transform((members) =>
  Object.fromEntries(Object.entries(members).map(([name, value]) => [name.replace(/^<(.*)>$/, '$1'), value])),
);

/** Source: https://developer.zuora.com/v1-api-reference/api/operation/GET_CalloutHistory/ (read 2023-12-15) */
const calloutHistorySchema = record({
  notification: text.optional(),
  eventCategory: text.optional(),
  /** Tenant zone, without offset. */
  createTime: text.optional(),
  attemptedNum: z.number().optional(),
  requestUrl: text.optional(),
  responseCode: z.number().optional(),
  /** Merge fields by name without brackets: `Invoice.ID`, `Account.Number`, `Event.Category`. Tables among them are left out. */
  eventContext: mergeFields.default({}),
});
export const calloutHistoriesAnswer = record({ calloutHistories: z.array(calloutHistorySchema).default([]), nextPage: text.optional() });
export type CalloutAttempt = Known<z.infer<typeof calloutHistorySchema>>;

/** Source: https://developer.zuora.com/v1-api-reference/api/operation/GET_CMTaxationItems/ (read 2023-12-15) */
const memoTaxationItemSchema = record({
  id: text,
  taxAmount: decimalText,
  name: text.optional(),
  taxCode: text.optional(),
  taxRate: decimalText.optional(),
  taxRateType: text.optional(),
  jurisdiction: text.optional(),
  financeInformation: record({ salesTaxPayableAccountingCode: text.optional() }).optional(),
});
export const memoTaxationItemsAnswer = record({ data: z.array(memoTaxationItemSchema), nextPage: text.optional() });

export const zoqlAnswer = record({
  records: z.array(textsSchema).default([]),
  done: flag.default(true),
  queryLocator: text.optional(),
});
/** Members in Zuora's spelling (`AccountNumber`), single values as texts, absent when null. */
export type TextRow = Readonly<Record<string, string>>;

export const dataQueryAnswer = record({
  data: record({ id: text, queryStatus: text, dataFile: text.optional(), errorMessage: text.optional() }),
});
