import { createSeededRandom } from '../../lib/memory/seeded-random.ts';
import { addDays } from '../../lib/values/calendar-date.ts';
import { add, compare, type Decimal, multiply, negate, round, subtract, sum } from '../../lib/values/decimal.ts';
import { type MonthAccount, monthAccounts } from './kestrel-accounts.ts';

/** An invoice as the billing system takes it, with the total that the system will work out by itself. */
export interface Bill {
  readonly account: MonthAccount;
  readonly number: string;
  readonly date: string;
  readonly total: Decimal;
  readonly input: Readonly<Record<string, unknown>>;
}

interface Item {
  readonly chargeName: string;
  readonly amount: Decimal;
  readonly [member: string]: unknown;
}

const prices = { Starter: '29.00', Pro: '49.00', Enterprise: '84.50' } as const;
/** From this many seats on the plan is discounted by a line of its own. */
const volumeSeats = 50;

/** What the tax authority wants, by state in the United States and by country elsewhere; places that are missing tax nothing. */
const taxes: Readonly<Record<string, { readonly name: string; readonly percent: Decimal }>> = {
  Ohio: { name: 'Ohio sales tax', percent: '7.25' },
  Illinois: { name: 'Illinois sales tax', percent: '10.25' },
  Colorado: { name: 'Colorado sales tax', percent: '8.81' },
  Texas: { name: 'Texas sales tax', percent: '8.25' },
  Washington: { name: 'Washington sales tax', percent: '10.1' },
  Massachusetts: { name: 'Massachusetts sales tax', percent: '6.25' },
  'New York': { name: 'New York sales tax', percent: '8.875' },
  Germany: { name: 'USt 19 %', percent: '19' },
  France: { name: 'TVA 20 %', percent: '20' },
  Netherlands: { name: 'BTW 21 %', percent: '21' },
  Austria: { name: 'USt 20 %', percent: '20' },
  Ireland: { name: 'VAT 23 %', percent: '23' },
  Spain: { name: 'IVA 21 %', percent: '21' },
  'United Kingdom': { name: 'VAT 20 %', percent: '20' },
};

/** Tax on the net of an item, less a discount on it. */
function taxed(account: MonthAccount, item: Item, discount: Decimal = '0'): Item {
  const tax = taxes[account.country === 'United States' ? account.state : account.country];
  if (!tax) return item;
  const taxable = subtract(item.amount, discount);
  const amount = round(multiply(taxable, multiply(tax.percent, '0.01')), 2);
  return { ...item, taxes: [{ name: tax.name, amount, taxable, rate: tax.percent, accountingCode: 'Sales Tax Payable' }] };
}

const taxOf = (item: Item): Decimal => sum(((item['taxes'] ?? []) as readonly { amount: Decimal }[]).map((tax) => tax.amount));
const totalOf = (items: readonly Item[]): Decimal => sum(items.flatMap((item) => [item.amount, taxOf(item)]));

/** The month of a date. */
function servicePeriod(date: string) {
  const serviceStartDate = `${date.slice(0, 8)}01`;
  return { serviceStartDate, serviceEndDate: addDays(`${addDays(serviceStartDate, 31).slice(0, 8)}01`, -1) };
}

function bill(account: MonthAccount, number: string, date: string, items: readonly Item[]): Bill {
  return { account, number, date, total: totalOf(items), input: { number, account: account.number, date, items } };
}

export function subscriptionBill(account: MonthAccount, number: string, date: string): Bill {
  const amount = multiply(account.seats, prices[account.plan]);
  const isDiscounted = Number(account.seats) >= volumeSeats;
  const discount = isDiscounted ? round(multiply(amount, '0.1'), 2) : '0';
  const codes = { recognizedRevenueAccountingCode: 'Subscription Revenue', deferredRevenueAccountingCode: 'Deferred Revenue' };
  const subscription = { subscriptionNumber: `A-S${account.number.slice(3)}`, ...servicePeriod(date) };
  const plan: Item = {
    ...{ chargeName: `${account.plan} plan`, amount, quantity: account.seats, unitPrice: prices[account.plan], unitOfMeasure: 'Seat' },
    ...codes,
    ...subscription,
  };
  const volume: Item = {
    ...{ chargeName: 'Volume discount 10 %', amount: negate(discount), processingType: 'Discount', appliedToItem: 0 },
    ...{ accountingCode: 'Discounts', recognizedRevenueAccountingCode: 'Discounts' },
    ...subscription,
  };
  const support: Item = { chargeName: 'Premium support', amount: '450.00', ...codes, ...subscription };
  return bill(account, number, date, [
    taxed(account, plan, discount),
    ...(isDiscounted ? [volume] : []),
    ...(account.plan === 'Enterprise' ? [taxed(account, support)] : []),
  ]);
}

export function usageBill(
  account: MonthAccount,
  number: string,
  date: string,
  use: { calls: number; gigabytes: number; code: string },
): Bill {
  const codes = { recognizedRevenueAccountingCode: use.code, ...servicePeriod(date) };
  const line = (chargeName: string, quantity: string, unitPrice: string, unitOfMeasure: string): Item =>
    taxed(account, { chargeName, amount: round(multiply(quantity, unitPrice), 2), quantity, unitPrice, unitOfMeasure, ...codes });
  return bill(account, number, date, [
    line('API calls', String(use.calls), '0.85', 'Thousand'),
    line('Storage', String(use.gigabytes), '0.12', 'Gigabyte'),
  ]);
}

/** The bill run of a month: a subscription invoice for every account and a usage invoice where usage is billed. */
export function billRun(date: string, first: number, codeOf: (account: MonthAccount) => string): readonly Bill[] {
  const random = createSeededRandom(first);
  const between = (least: number, most: number): number => least + Math.floor(random.next() * (most - least + 1));
  let next = first;
  const number = (): string => `INV${String(next++).padStart(8, '0')}`;
  return monthAccounts.flatMap((account) => [
    subscriptionBill(account, number(), date),
    ...(account.usage === 'usage'
      ? [usageBill(account, number(), date, { calls: between(60, 900), gigabytes: between(50, 4000), code: codeOf(account) })]
      : []),
  ]);
}

export interface PaymentInput {
  readonly number: string;
  readonly account: string;
  readonly amount: Decimal;
  readonly date: string;
  readonly [member: string]: unknown;
}

/** One payment for these invoices of one account; `amount` where it is not their sum. */
export function paymentFor(
  bills: readonly Bill[],
  given: { readonly number: string; readonly date: string; readonly amount?: Decimal },
): PaymentInput {
  const [first] = bills;
  if (!first) throw new Error(`${given.number} pays nothing`);
  const due = sum(bills.map((one) => one.total));
  const way = first.account.pays === 'card' ? cardPayment : { type: 'External', methodType: 'WireTransfer' };
  let left = given.amount ?? due;
  const applications = bills.map((one) => {
    const amount = compare(left, one.total) < 0 ? left : one.total;
    left = subtract(left, amount);
    return { invoice: one.number, amount, date: given.date };
  });
  return { ...given, account: first.account.number, amount: given.amount ?? due, ...way, applications };
}

const cardPayment = { type: 'Electronic', methodType: 'CreditCard', gateway: 'Stripe' } as const;

/** A credit over the plain amount `net`, taxed as the account's invoices are. */
export function creditFor(
  of: Bill,
  memo: {
    readonly number: string;
    readonly date: string;
    readonly net: Decimal;
    readonly reason: string;
    readonly applied?: Decimal | 'all';
  },
): { readonly total: Decimal; readonly input: Readonly<Record<string, unknown>> } {
  const item = taxed(of.account, {
    ...{ chargeName: memo.reason, amount: memo.net },
    ...{ recognizedRevenueAccountingCode: 'Subscription Revenue', deferredRevenueAccountingCode: 'Deferred Revenue' },
  });
  const total = add(item.amount, taxOf(item));
  const amount = memo.applied === 'all' ? total : memo.applied;
  return {
    total,
    input: {
      ...{ number: memo.number, account: of.account.number, date: memo.date, reasonCode: memo.reason, items: [item] },
      ...(amount === undefined ? {} : { applications: [{ invoice: of.number, amount, date: memo.date }] }),
    },
  };
}
