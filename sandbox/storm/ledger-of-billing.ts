import { add, type Decimal, isPositive, subtract } from '../../lib/values/decimal.ts';

/** What the billing department believes it has, kept by its own bookkeeping: enough to do sensible things next. The simulator refuses the rest. */
export interface Owed {
  readonly kind: 'invoice' | 'debitMemo';
  readonly number: string;
  readonly account: string;
  readonly currency: string;
  readonly date: string;
  total: Decimal;
  open: Decimal;
  state: 'draft' | 'posted' | 'gone';
  /** Posted at least once: deleting it is a matter for the reconciliation. */
  known?: boolean;
}

export interface Money {
  readonly kind: 'payment' | 'creditMemo';
  readonly number: string;
  account: string;
  readonly currency: string;
  readonly date: string;
  readonly electronic: boolean;
  readonly amount: Decimal;
  free: Decimal;
  readonly applied: Map<string, Decimal>;
  state: 'draft' | 'posted' | 'gone';
}

export interface Customer {
  number: string;
  readonly currency: string;
  canceled: boolean;
}

export class BillingBooks {
  readonly customers: Customer[] = [];
  readonly owed: Owed[] = [];
  readonly money: Money[] = [];
  readonly refunds: { readonly number: string; readonly of: string; readonly amount: Decimal; gone: boolean }[] = [];
  #next: Record<string, number> = {};

  /** `INV00001001`, `P-00001001` */
  number(prefix: string): string {
    const next = this.#next[prefix] ?? 1001;
    this.#next[prefix] = next + 1;
    return `${prefix}${String(next).padStart(8, '0')}`;
  }

  open(currency?: string, account?: string): readonly Owed[] {
    return this.owed.filter(
      (one) =>
        one.state === 'posted' &&
        isPositive(one.open) &&
        (currency === undefined || one.currency === currency) &&
        (account === undefined || one.account === account),
    );
  }

  apply(money: Money, owed: Owed, amount: Decimal): void {
    owed.open = subtract(owed.open, amount);
    money.free = subtract(money.free, amount);
    money.applied.set(owed.number, add(money.applied.get(owed.number) ?? '0', amount));
  }

  unapply(money: Money, owed: Owed, amount: Decimal): void {
    owed.open = add(owed.open, amount);
    money.free = add(money.free, amount);
    const left = subtract(money.applied.get(owed.number) ?? '0', amount);
    if (isPositive(left)) money.applied.set(owed.number, left);
    else money.applied.delete(owed.number);
  }

  /** Everything applied by this money is free again. */
  freeAll(money: Money): void {
    for (const [number, amount] of [...money.applied]) {
      const owed = this.owed.find((one) => one.number === number);
      if (owed) this.unapply(money, owed, amount);
    }
  }
}
