import * as z from 'zod';
import type { Hands } from './office.ts';

/** Both systems as an auditor reads them: from their own screens, without anything the connector remembers. */

const text = z.string();
const maybe = z.string().nullish();
const item = z.object({
  amountWithoutTax: text,
  taxAmount: text,
  accountingCode: maybe,
  recognizedRevenueAccountingCode: maybe,
  deferredRevenueAccountingCode: maybe,
  taxes: z.array(z.object({ taxAmount: text, accountingCode: maybe })),
});
const applied = z.object({ invoice: maybe, debitMemo: maybe, amount: text });
const billed = {
  ...{ id: text, number: text, accountId: text, account: text, currency: text, date: text, status: text, amount: text, balance: text },
  ...{ reasonCode: maybe, items: z.array(item), postedAt: maybe },
};
const account = z.object({
  ...{ id: text, number: text, name: text, status: text, currency: text, batch: text, billToId: maybe, balance: z.unknown() },
});
const contact = z.object({ id: text, workEmail: maybe, personalEmail: maybe, workPhone: maybe, city: maybe });
const document = z.object({ ...billed, applications: z.array(applied).optional() });
const payment = z.object({
  ...{ id: text, number: text, accountId: text, account: text, currency: text, effectiveDate: text, status: text, amount: text },
  ...{ unappliedAmount: text, refundAmount: text, applications: z.array(applied) },
});
const refund = z.object({
  ...{ id: text, number: text, account: text, currency: text, refundDate: text, status: text, amount: text },
  applications: z.array(z.object({ payment: maybe, creditMemo: maybe })),
});
const entry = z.object({
  id: text,
  number: text,
  status: text,
  transactionType: text,
  lines: z.array(z.object({ type: text, amount: text })),
});

const customer = z.object({
  ...{ id: text, guid: text, name: text, accountRef: text.optional(), currency: text.optional(), status: text.optional() },
  ...{ email: text.optional(), phone: text.optional(), city: text.optional() },
});
const arDocument = z.object({
  ...{
    type: text,
    ref: text,
    customer: text,
    reference: text.optional(),
    date: text,
    status: text,
    currency: text,
    period: text.optional(),
  },
  ...{ amount: text, balance: text, released: z.boolean(), lines: z.array(z.object({ account: text, amount: text })) },
});
const arPayment = z.object({
  ...{ type: text, ref: text, customer: text, reference: text.optional(), status: text, currency: text, amount: text, available: text },
  ...{ released: z.boolean(), voided: z.boolean(), date: z.unknown() },
  applications: z.array(z.object({ type: text, ref: text, amount: text, reversed: z.boolean().optional() })),
  pending: z.array(z.object({ ref: text, amount: text })),
});
const batch = z.object({ number: text, description: text.optional(), status: text, released: z.boolean() });
const ledger = z.object({ account: text, debit: text, credit: text, byCurrency: z.record(text, text) });

export type Billed = z.infer<typeof document>;
export type Paid = z.infer<typeof payment>;
export type Refunded = z.infer<typeof refund>;
export type ArDocument = z.infer<typeof arDocument>;
export type ArPayment = z.infer<typeof arPayment>;
export type Account = z.infer<typeof account>;
export type ArCustomer = z.infer<typeof customer>;

export function readSystems(hands: Hands) {
  const zuora = <T>(noun: string, shape: z.ZodType<T>): readonly T[] => z.array(shape).parse(hands.records('zuora', noun));
  const acumatica = <T>(noun: string, shape: z.ZodType<T>): readonly T[] => z.array(shape).parse(hands.records('acumatica', noun));
  return {
    billing: {
      accounts: zuora('accounts', account),
      contacts: zuora('contacts', contact),
      invoices: zuora('invoices', document),
      debitMemos: zuora('debitMemos', document),
      creditMemos: zuora('creditMemos', document),
      payments: zuora('payments', payment),
      refunds: zuora('refunds', refund),
      entries: zuora('journalEntries', entry),
    },
    books: {
      customers: acumatica('customers', customer),
      documents: acumatica('invoices', arDocument),
      payments: acumatica('payments', arPayment),
      journals: acumatica('journals', batch),
      ledger: acumatica('gl', ledger),
    },
  };
}
export type Systems = ReturnType<typeof readSystems>;
