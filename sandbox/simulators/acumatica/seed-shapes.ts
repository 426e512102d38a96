import * as z from 'zod';
import { Licence, Numbering, Preferences } from './options.ts';

/** The friendly shapes of `seed`. Amounts are decimal texts or numbers, dates `YYYY-MM-DD`, periods `MMYYYY`. */
const amount = z.union([z.string().regex(/^-?\d+(\.\d+)?$/, 'a decimal number such as "1334.88"'), z.number().transform(String)]);
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'a date such as 2026-03-02');
const periodId = z.string().regex(/^\d{6}$/, 'a period such as 032026');

export const SeededCustomer = z.strictObject({
  id: z.string().optional(),
  name: z.string(),
  accountRef: z.string().optional(),
  class: z.string().optional(),
  currency: z.string().optional(),
  currencyOverride: z.boolean().optional(),
  terms: z.string().optional(),
  status: z.string().optional(),
  taxZone: z.string().optional(),
  taxId: z.string().optional(),
  autoApplyPayments: z.boolean().optional(),
  creditLimit: amount.optional(),
  parent: z.string().optional(),
  email: z.string().optional(),
  attention: z.string().optional(),
  phone: z.string().optional(),
  line1: z.string().optional(),
  line2: z.string().optional(),
  city: z.string().optional(),
  state: z.string().optional(),
  postal: z.string().optional(),
  country: z.string().optional(),
});
export type SeededCustomer = z.output<typeof SeededCustomer>;

const SeededLine = z.strictObject({
  account: z.string(),
  subaccount: z.string().optional(),
  text: z.string().optional(),
  qty: amount.optional(),
  price: amount.optional(),
  amount: amount.optional(),
  taxCategory: z.string().optional(),
});

export const SeededDocument = z.strictObject({
  type: z.string(),
  /** Kept as it is, even where numbers are automatic. */
  ref: z.string().optional(),
  /** CustomerID or AccountRef. */
  customer: z.string(),
  /** CustomerOrder of an invoice or memo, PaymentRef of a payment or refund. */
  reference: z.string().optional(),
  description: z.string().optional(),
  date,
  dueDate: date.optional(),
  terms: z.string().optional(),
  currency: z.string().optional(),
  /** One line on the sales account, or the amount of a payment. */
  amount: amount.optional(),
  lines: z.array(SeededLine).optional(),
  paymentMethod: z.string().optional(),
  cashAccount: z.string().optional(),
  applications: z.array(z.strictObject({ type: z.string().default('Invoice'), ref: z.string(), amount })).optional(),
  hold: z.boolean().default(false),
  released: z.boolean().default(true),
});
export type SeededDocument = z.output<typeof SeededDocument>;

const SeededClient = z.strictObject({
  clientId: z.string().regex(/^[^@]+@[^@]+$/, 'a client id with its tenant, <GUID>@<Tenant>'),
  secret: z.string(),
  flow: z.enum(['authorization-code', 'password']).default('authorization-code'),
  redirectUris: z.array(z.string()).default([]),
  refreshTokens: z.enum(['sliding', 'absolute', 'none']).default('sliding'),
  slidingDays: z.number().positive().default(15),
  absoluteDays: z.number().positive().nullable().default(90),
});

export const Seed = z.strictObject({
  company: z
    .strictObject({
      id: z.string().optional(),
      name: z.string().optional(),
      baseCurrency: z.string().optional(),
      branches: z.array(z.strictObject({ id: z.string(), name: z.string(), active: z.boolean().default(true) })).optional(),
      preferences: Preferences.partial().optional(),
      licence: Licence.partial().optional(),
      numbering: Numbering.optional(),
      /** Accounts that releases use when a document does not name one. */
      accounts: z
        .strictObject({
          receivable: z.string(),
          sales: z.string(),
          cashDiscount: z.string(),
          writeOff: z.string(),
          exchangeGain: z.string(),
        })
        .partial()
        .optional(),
    })
    .optional(),
  accounts: z
    .array(
      z.strictObject({
        code: z.string(),
        description: z.string().optional(),
        type: z.enum(['Asset', 'Liability', 'Income', 'Expense']).optional(),
        active: z.boolean().default(true),
        cash: z.boolean().default(false),
        currency: z.string().optional(),
      }),
    )
    .optional(),
  subaccounts: z
    .array(z.strictObject({ code: z.string(), description: z.string().optional(), active: z.boolean().default(true) }))
    .optional(),
  currencies: z
    .array(
      z.strictObject({
        code: z.string(),
        description: z.string().optional(),
        decimals: z.number().int().default(2),
        active: z.boolean().default(true),
      }),
    )
    .optional(),
  rates: z.array(z.strictObject({ currency: z.string(), from: date, rate: amount })).optional(),
  terms: z
    .array(
      z.strictObject({
        id: z.string(),
        days: z.number().int(),
        discountPercent: amount.default('0'),
        discountDays: z.number().int().default(0),
      }),
    )
    .optional(),
  paymentMethods: z
    .array(
      z.strictObject({
        id: z.string(),
        description: z.string().optional(),
        means: z.string().default('Cash/Check'),
        active: z.boolean().default(true),
        useInAR: z.boolean().default(true),
        /** Card methods with integrated processing leave payments Pending Processing. */
        integrated: z.boolean().default(false),
        /** "Default Voided Date to Document Date". */
        voidsAtDocumentDate: z.boolean().default(false),
        cashAccounts: z.array(
          z.strictObject({
            account: z.string(),
            branch: z.string().optional(),
            default: z.boolean().default(false),
            useInAR: z.boolean().default(true),
          }),
        ),
      }),
    )
    .optional(),
  customerClasses: z
    .array(
      z.strictObject({
        id: z.string(),
        description: z.string().optional(),
        currency: z.string().optional(),
        terms: z.string().optional(),
        arAccount: z.string().optional(),
        salesAccount: z.string().optional(),
        taxZone: z.string().optional(),
        statementCycle: z.string().default('EOM'),
        paymentMethod: z.string().optional(),
      }),
    )
    .optional(),
  taxes: z.array(z.strictObject({ id: z.string(), description: z.string().optional(), rate: amount, account: z.string() })).optional(),
  taxCategories: z
    .array(
      z.strictObject({
        id: z.string(),
        description: z.string().optional(),
        taxes: z.array(z.string()).default([]),
        excludes: z.boolean().default(false),
      }),
    )
    .optional(),
  taxZones: z
    .array(z.strictObject({ id: z.string(), description: z.string().optional(), taxes: z.array(z.string()).default([]) }))
    .optional(),
  ledgers: z
    .array(
      z.strictObject({
        id: z.string(),
        type: z.enum(['Actual', 'Budget', 'Report', 'Statistical']).default('Actual'),
        currency: z.string().optional(),
        branches: z.array(z.string()).optional(),
      }),
    )
    .optional(),
  periods: z
    .array(
      z.union([
        z.strictObject({
          period: periodId,
          start: date.optional(),
          end: date.optional(),
          status: z.enum(['Open', 'Closed', 'Inactive', 'Locked']).default('Open'),
          closedInAR: z.boolean().default(false),
        }),
        /** All twelve months of a year. */
        z.strictObject({ year: z.number().int(), status: z.enum(['Open', 'Closed', 'Inactive', 'Locked']).default('Open') }),
      ]),
    )
    .optional(),
  customers: z.array(SeededCustomer).optional(),
  documents: z.array(SeededDocument).optional(),
  clients: z.array(SeededClient).optional(),
  users: z.array(z.strictObject({ name: z.string(), password: z.string() })).optional(),
});
export type Seed = z.output<typeof Seed>;
