import { addDays } from '../../lib/values/calendar-date.ts';
import { add, type Decimal, multiply, negate, round, sum } from '../../lib/values/decimal.ts';
import type { Draws } from './draws.ts';
import { BillingBooks, type Customer, type Owed } from './ledger-of-billing.ts';

export type Action = Readonly<Record<string, unknown>>;

/** What the departments can reach. A refusal answers undefined: then something else is done. */
export interface Hands {
  zuora(action: Action): Promise<unknown>;
  acumatica(action: Action): Promise<unknown>;
  records(system: 'zuora' | 'acumatica', noun: string): readonly Readonly<Record<string, unknown>>[];
  today(): string;
}

/** One thing somebody may do. */
export interface Chore {
  readonly weight: number;
  /** The flows it gives work to. */
  readonly flows: readonly string[];
  /** Answers whether something was done. */
  act(): Promise<boolean>;
}

export interface Office {
  readonly draws: Draws;
  readonly hands: Hands;
  readonly books: BillingBooks;
  customer(): Customer | undefined;
  /** An amount of that size, with cents. */
  cents(least: number, most: number): Decimal;
  /** A date for a document: mostly today, seldom before the cut-over. */
  day(): string;
  /** Items with their total. */
  items(options?: { readonly negative?: boolean; readonly most?: number }): { readonly items: readonly Action[]; readonly total: Decimal };
}

const recent = [
  { weight: 6, days: 0 },
  { weight: 3, days: 1 },
  { weight: 2, days: 4 },
  { weight: 1, days: 9 },
  { weight: 0.4, days: 17 },
] as const;

const codes = [
  { weight: 6, name: 'Subscription Revenue' },
  { weight: 3, name: 'Usage Revenue' },
  { weight: 0.15, name: 'EU Usage' },
] as const;

export function createOffice(draws: Draws, hands: Hands): Office {
  const books = new BillingBooks();
  const cents = (least: number, most: number): Decimal => {
    const value = draws.between(least * 100, most * 100);
    return `${Math.floor(value / 100)}.${String(value % 100).padStart(2, '0')}`;
  };
  return {
    draws,
    hands,
    books,
    cents,
    customer: () => draws.pick(books.customers.filter(({ canceled }) => !canceled)),
    day: () => (draws.chance(0.004) ? '2026-01-20' : addDays(hands.today(), -(draws.weighted(recent)?.days ?? 0))),
    items({ negative = false, most = 3 } = {}) {
      const rate = draws.oneOf('0', '0.0725', '0.19', '0.08875');
      const items = Array.from(
        { length: draws.between(1, most) },
        (_, index): Action & { readonly net: Decimal; readonly taxed: Decimal } => {
          const [quantity, unitPrice] = [String(draws.between(1, 40)), cents(1, 90)];
          const exact = draws.chance(0.5);
          const amount = exact ? multiply(quantity, unitPrice) : cents(5, 900);
          const net = negative && index === 0 ? negate(amount) : negative ? cents(1, 4) : amount;
          const taxed = round(multiply(net, rate), 2);
          return {
            ...{ chargeName: draws.oneOf('Pro plan', 'Usage "EU", ¾', 'Setup: café', 'Seats'), amount: net, net, taxed },
            ...(exact && !negative ? { quantity, unitPrice } : {}),
            ...(rate === '0' ? {} : { tax: taxed, taxAccountingCode: 'Sales Tax Payable' }),
            recognizedRevenueAccountingCode: draws.weighted(codes)?.name ?? 'Subscription Revenue',
            deferredRevenueAccountingCode: 'Deferred Revenue',
          };
        },
      );
      return {
        items: items.map(({ net: _net, taxed: _taxed, ...item }) => item),
        total: sum(items.map(({ net, taxed }) => add(net, taxed))),
      };
    },
  };
}

export const referenceOf = (owed: Pick<Owed, 'kind' | 'number'>): Action =>
  owed.kind === 'invoice' ? { invoice: owed.number } : { debitMemo: owed.number };
