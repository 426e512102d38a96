import { addMoney, type Money, readableMoney } from '../values/money.ts';

export interface Totals {
  readonly count: number;
  /** One text per currency, largest code last: `1,334.88 USD`. */
  readonly money: readonly string[];
}

/** How many, and how much per currency. What has no amount counts and adds nothing. */
export function totalsOf(records: readonly { readonly money?: Money | undefined }[]): Totals {
  const byCurrency = new Map<string, Money>();
  for (const { money } of records) {
    if (money === undefined) continue;
    const sum = byCurrency.get(money.currency);
    byCurrency.set(money.currency, sum === undefined ? money : addMoney(sum, money));
  }
  const sums = [...byCurrency.values()].sort((left, right) => (left.currency < right.currency ? -1 : 1));
  return { count: records.length, money: sums.map(readableMoney) };
}
