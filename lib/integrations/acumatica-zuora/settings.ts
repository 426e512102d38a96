import * as z from 'zod';
import { isCalendarDate } from '../../values/calendar-date.ts';
import { compare, isDecimal, isNegative, isPositive } from '../../values/decimal.ts';

/** What the customer decides about this pair. Every option has its help text; only `startFrom` and `branch` have no default. */

const filled = (max: number) => z.string().trim().min(1, 'must not be empty').max(max);
const accountRef = filled(10).describe('An Acumatica account number, as on the Chart of Accounts (GL202500).');
const day = z.string().refine(isCalendarDate, { message: 'must be a date written YYYY-MM-DD' });
const customField = z.string().regex(/__c$/, { message: 'must be the name of a Zuora custom field, ending in __c' });

const accountRow = z.strictObject({
  code: filled(255).describe('Name of a Zuora accounting code.'),
  account: accountRef,
  subaccount: filled(30).optional(),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .optional()
    .describe('Only for documents in this currency; such a row goes before one without a currency.'),
  deferralCode: filled(10).optional().describe('Acumatica deferral code, used with revenue: acumatica-deferral.'),
});
export type AccountMapRow = z.infer<typeof accountRow>;

const methodRow = z.strictObject({
  gateway: filled(255).optional(),
  methodType: filled(60).optional().describe('Zuora payment method type: CreditCard, ACH, WireTransfer, Check.'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .optional(),
  paymentMethod: filled(10).describe('Acumatica payment method (CA204000), without integrated processing.'),
  cashAccount: filled(10).describe('Cash account allowed for AR in that method; it carries the currency.'),
});
export type MethodRow = z.infer<typeof methodRow>;

const customers = z.strictObject({
  create: z
    .enum(['all', 'on-demand', 'never'])
    .default('all')
    .describe('Create a customer for every active account, only for accounts with a document, or never (match only).'),
  class: z
    .strictObject({ default: filled(10), byCurrency: z.record(z.string().regex(/^[A-Z]{3}$/), filled(10)).default({}) })
    .optional()
    .describe('Customer class of new customers; it brings AR account and statement cycle.'),
  id: z
    .enum(['auto', 'account-number'])
    .default('auto')
    .describe('account-number: the tenant numbers customers by hand, CustomerID becomes the Zuora account number.'),
  match: z
    .enum(['strong', 'hold', 'off'])
    .default('strong')
    .describe('Existing customers without AccountRef: adopt strong matches, hold every match by name, or ignore names.'),
  matchField: customField.optional().describe('Zuora account field that holds the Acumatica CustomerID.'),
  taxId: z
    .union([z.enum(['off', 'v1']), customField])
    .default('off')
    .describe('Where the tax registration number comes from; v1 costs one more Zuora read per changed account.'),
  conflict: z.enum(['zuora-wins', 'hold']).default('zuora-wins').describe('Both sides changed the same field.'),
  onCanceled: z
    .enum(['keep', 'inactivate'])
    .default('keep')
    .describe('inactivate: a canceled account with balance 0 makes its customer Inactive, which blocks documents.'),
  excludeBatches: z
    .array(filled(60))
    .default([])
    .describe('Zuora account batches that stay out, with all their documents (test accounts).'),
});

const tax = z.strictObject({
  mode: z
    .enum(['line', 'detail'])
    .default('line')
    .describe('line: tax as document lines on the liability account. detail: imported tax details per Acumatica tax.'),
  exemptCategory: filled(15).optional().describe('Exempt tax category of every line (mode line) and of untaxed lines (mode detail).'),
  taxableCategory: filled(15).optional().describe('Tax category of taxed lines, mode detail.'),
  zone: filled(10).optional().describe('Tax zone of documents, mode detail.'),
  ids: z.record(z.string(), filled(60)).default({}).describe('Zuora tax name → Acumatica TaxID, mode detail.'),
});

export const settingsSchema = z.strictObject({
  startFrom: day.describe('Cut-over: documents dated on or after this day move, older ones never. Customers are not cut.'),
  branch: filled(30).describe('Acumatica branch of all documents.'),
  postingMode: z
    .enum(['ar-documents', 'gl-summary'])
    .default('ar-documents')
    .describe('AR documents whose release posts to the ledger, or journal entries only. Changing it needs a new startFrom.'),
  revenue: z
    .enum(['at-billing', 'zuora-journals', 'acumatica-deferral'])
    .default('at-billing')
    .describe('Which account an invoice line credits, and who recognises revenue.'),
  release: z
    .enum(['auto', 'manual'])
    .default('auto')
    .describe('manual: documents stay Balanced for a person or a release schedule; the connector waits and then goes on.'),
  closedPeriod: z
    .enum(['hold', 'next-open'])
    .default('hold')
    .describe('A date in a closed period: wait for it, or post into the first open one.'),
  corrections: z
    .enum(['auto', 'hold'])
    .default('auto')
    .describe('A posted source that changed or was unposted: reverse it (and post again), or hold it for a person.'),
  ledger: filled(10).optional().describe("Ledger of journals; default: the branch's actual ledger."),
  accountMap: z.array(accountRow).default([]).describe('Zuora accounting code → Acumatica account; goes before the G/L number in Zuora.'),
  subaccount: filled(30).optional().describe('Subaccount where the row has none; leave out when the tenant has no subaccounts.'),
  fallbackAccount: accountRef.optional().describe('Account for items without any accounting code; without it they are held.'),
  reasonAccounts: z
    .record(z.string(), accountRef)
    .default({})
    .describe('Memo reason → account that replaces the revenue accounts; a Write-off memo without an entry is held.'),
  tax: tax.prefault({}),
  methods: z.array(methodRow).default([]).describe('Which payment method and cash account; the most specific row wins, then the first.'),
  terms: z.record(z.string(), z.string()).default({}).describe('Zuora payment term → Acumatica terms code; "Net 30" is 30D unless listed.'),
  currency: z
    .enum(['customer', 'document'])
    .default('customer')
    .describe("document: a document may differ from its customer's currency (the customer must allow the override)."),
  customers: customers.prefault({}),
  hierarchy: z.enum(['off', 'parent']).default('off').describe('parent: ParentRecord from the Zuora parent account.'),
  refundOfApplied: z
    .enum(['void', 'hold'])
    .default('void')
    .describe('Full refund of a payment that is still applied in Acumatica: void the payment, or hold for a person.'),
  preCutover: z
    .enum(['hold', 'unapplied'])
    .default('hold')
    .describe('Money applied to a document older than startFrom that Acumatica does not have: hold, or leave that part unapplied.'),
  lines: z.enum(['each', 'by-account']).default('each').describe('One line per item, or summed per account, subaccount and tax category.'),
  markerPrefix: z
    .string()
    .regex(/^[A-Za-z0-9._-]{0,6}$/, { message: 'must be at most 6 letters, digits, dots, hyphens or underscores' })
    .default('')
    .describe('Put before Zuora numbers when several Zuora tenants or entities feed one Acumatica tenant.'),
  markTransferred: z
    .boolean()
    .default(false)
    .describe(
      "After posting, set Zuora's transferredToAccounting flag: the only write to Zuora; blocks reversing transferred memos there.",
    ),
  rounding: z
    .strictObject({
      tolerance: z
        .union([z.string(), z.number().transform(String)])
        .refine((text) => isDecimal(text) && !isNegative(text) && compare(text, '0.05') <= 0, {
          message: 'must be an amount from 0.00 to 0.05',
        })
        .default('0'),
      account: accountRef.optional(),
    })
    .refine((rounding) => !isPositive(rounding.tolerance) || rounding.account !== undefined, {
      message: 'a tolerance needs the account of the rounding line',
      path: ['account'],
    })
    .prefault({})
    .describe('Items that do not sum to the total: up to the tolerance (at most 0.05) one line on this account; else held.'),
});

export type Settings = z.infer<typeof settingsSchema>;
