import * as z from 'zod';
import { add, type Decimal, negate, subtract, sum } from '../../lib/values/decimal.ts';
import type { Simulator } from '../simulators/kit.ts';

/** A document of the billing system and what the books have for it. */
export interface Compared {
  readonly kind: string;
  readonly number: string;
  /** Billing account it belongs to. */
  readonly account: string;
  readonly currency: string;
  readonly date: string;
  readonly amount: Decimal;
  /** What it does to the receivables. */
  readonly effect: Decimal;
  /** Every document of the books that stands for it: one, when all is well. */
  readonly booked: readonly { readonly target: string; readonly amount: Decimal }[];
}

export interface Comparison {
  readonly documents: readonly Compared[];
  readonly customers: { readonly accounts: number; readonly customers: number; readonly missing: readonly string[] };
  /** What customers owe, by currency, by the balances of the billing system and by the control account of the ledger. */
  readonly receivables: ReadonlyMap<string, { readonly billed: Decimal; readonly booked: Decimal }>;
  /** Documents of the books that stand for nothing in the billing system: entered by people. */
  readonly others: number;
}

const text = z.string();
const billed = z.object({ number: text, account: text, currency: text, date: text, amount: text, status: text });
const paid = z.object({ number: text, account: text, currency: text, effectiveDate: text, amount: text, status: text });
const refunded = z.object({
  ...{ number: text, account: text, currency: text, refundDate: text, amount: text, status: text },
  applications: z.array(z.object({ payment: text.optional() })),
});
const account = z.object({
  ...{ number: text, status: text, currency: text },
  ...{ totalInvoiceBalance: text, totalDebitMemoBalance: text, unappliedPaymentAmount: text, unappliedCreditMemoAmount: text },
});
const customer = z.object({ id: text, accountRef: text.optional() });
const booked = z.object({
  ...{ type: text, ref: text, amount: text },
  ...{ reference: text.optional(), status: text.optional(), released: z.boolean().optional(), voided: z.boolean().optional() },
});
type Booked = z.infer<typeof booked>;
const ledger = z.object({ account: text, byCurrency: z.record(text, text) });

const controlAccount = '11000';

/** Lays the two systems side by side, as an auditor would who knows neither the connector nor what it remembers. */
export function compareBooks(systems: Readonly<Record<string, Simulator>>): Comparison {
  const read = <T>(system: string, noun: string, shape: z.ZodType<T>): readonly T[] =>
    z.array(shape).parse(systems[system]?.records(noun) ?? []);
  const invoices = read('acumatica', 'invoices', booked).filter((document) => document.released === true);
  const payments = read('acumatica', 'payments', booked).filter((document) => document.released === true);
  const documents: Compared[] = [
    ...read('zuora', 'invoices', billed)
      .filter((document) => document.status === 'Posted')
      .map((document) => ({
        ...document,
        kind: 'Invoices',
        effect: document.amount,
        booked: standingFor(document.number, 'Invoice', invoices),
      })),
    ...read('zuora', 'debitMemos', billed)
      .filter((document) => document.status === 'Posted')
      .map((document) => ({
        ...document,
        ...{ kind: 'Debit memos', effect: document.amount, booked: standingFor(document.number, 'Debit Memo', invoices) },
      })),
    ...read('zuora', 'creditMemos', billed)
      .filter((document) => document.status === 'Posted')
      .map((document) => ({
        ...document,
        ...{ kind: 'Credit memos', effect: negate(document.amount), booked: standingFor(document.number, 'Credit Memo', invoices) },
      })),
    ...read('zuora', 'payments', paid)
      .filter((document) => document.status === 'Processed')
      .map((document) => ({
        ...document,
        ...{ kind: 'Payments', date: document.effectiveDate, effect: negate(document.amount) },
        booked: standingFor(document.number, 'Payment', payments),
      })),
    ...read('zuora', 'refunds', refunded)
      .filter((document) => document.status === 'Processed')
      .map((document) => ({
        ...document,
        ...{ kind: 'Refunds', date: document.refundDate, effect: document.amount, booked: refundsStandingFor(document, payments) },
      })),
  ];
  const accounts = read('zuora', 'accounts', account).filter(({ status }) => status === 'Active');
  const customers = new Set(read('acumatica', 'customers', customer).map(({ accountRef }) => accountRef));
  const missing = accounts.map(({ number }) => number).filter((number) => !customers.has(number));
  const ours = new Set(documents.flatMap((document) => document.booked.map(({ target }) => target)));
  const others = [...invoices, ...payments].filter((document) => document.reference === undefined && !ours.has(targetOf(document))).length;
  const control = read('acumatica', 'gl', ledger).find((row) => row.account === controlAccount)?.byCurrency ?? {};
  const currencies = [...new Set([...documents.map(({ currency }) => currency), ...Object.keys(control)])].sort();
  return {
    documents,
    customers: { accounts: accounts.length, customers: accounts.length - missing.length, missing },
    receivables: new Map(
      currencies.map((currency) => [
        currency,
        {
          billed: sum(accounts.filter((each) => each.currency === currency).map(owedBy)),
          booked: control[currency] ?? '0',
        },
      ]),
    ),
    others,
  };
}

const owedBy = (debtor: z.infer<typeof account>): Decimal =>
  subtract(
    add(debtor.totalInvoiceBalance, debtor.totalDebitMemoBalance),
    add(debtor.unappliedPaymentAmount, debtor.unappliedCreditMemoAmount),
  );

const targetOf = ({ type, ref }: Booked): string => `${type} ${ref}`;

/** Documents with our number, or with that of a later generation after a correction; of corrected ones only the last counts. */
function standingFor(number: string, type: string, documents: readonly Booked[]): Compared['booked'] {
  const own = documents.filter(
    (document) => document.type === type && (document.reference === number || isLater(number, document.reference)),
  );
  const latest = own.reduce((highest, document) => Math.max(highest, generationOf(number, document.reference)), 0);
  return own
    .filter((document) => generationOf(number, document.reference) === latest)
    .map((document) => ({ target: targetOf(document), amount: document.amount }));
}

const isLater = (number: string, reference = ''): boolean =>
  reference.startsWith(`${number}~`) && /^\d+$/.test(reference.slice(number.length + 1));
const generationOf = (number: string, reference = ''): number => (reference === number ? 1 : Number(reference.slice(number.length + 1)));

/** A refund is a refund there too, or, when all of a payment went back, the voiding of that payment. */
function refundsStandingFor(refund: z.infer<typeof refunded>, payments: readonly Booked[]): Compared['booked'] {
  const direct = standingFor(refund.number, 'Refund', payments);
  if (direct.length > 0) return direct;
  const refs = refund.applications.flatMap(({ payment }) =>
    payment === undefined
      ? []
      : payments.filter((document) => document.type === 'Payment' && document.reference === payment).map(({ ref }) => ref),
  );
  return payments
    .filter((document) => document.type === 'Voided Payment' && refs.includes(document.ref))
    .map((document) => ({ target: targetOf(document), amount: absoluteOf(document.amount) }));
}

const absoluteOf = (amount: Decimal): Decimal => (amount.startsWith('-') ? negate(amount) : amount);

/** What the books miss in a currency, by what the documents that are missing there would do to the receivables. */
export function missingEffect(documents: readonly Compared[], currency: string): Decimal {
  return documents
    .filter((document) => document.currency === currency)
    .reduce((total, document) => {
      const there = sum(document.booked.map(({ amount }) => amount));
      const share = document.effect.startsWith('-') ? negate(subtract(document.amount, there)) : subtract(document.amount, there);
      return add(total, share);
    }, '0');
}
