import { compare, type Decimal, isPositive, multiply, round, subtract, sum } from '../../lib/values/decimal.ts';
import type { Money, Owed } from './ledger-of-billing.ts';
import { type Action, type Chore, type Office, referenceOf } from './office.ts';

/** What happens to money: it comes, is applied and freed, goes back. */
export function moneyChores(office: Office): readonly Chore[] {
  const { draws, books, hands, customer, day, cents } = office;
  const { zuora } = hands;
  const later = (one: string, two: string): string => (one > two ? one : two);

  /** Some open documents of an account, each with what is to be applied to it. */
  function someOpen(account: string, most: number): readonly { readonly owed: Owed; readonly amount: Decimal }[] {
    const open = books.open(undefined, account);
    const start = draws.between(0, Math.max(0, open.length - 1));
    return open.slice(start, start + draws.between(1, most)).map((owed) => ({
      owed,
      amount: draws.chance(0.25) && compare(owed.open, '2') > 0 ? round(multiply(owed.open, '0.37'), 2) : owed.open,
    }));
  }

  function newPayment(
    electronic: boolean,
  ): { readonly input: Action; readonly money: Money; readonly paid: ReturnType<typeof someOpen> } | undefined {
    const account = customer();
    if (!account) return undefined;
    const paid = draws.chance(0.9) ? someOpen(account.number, 4) : [];
    const due = sum(paid.map(({ amount }) => amount));
    const amount = draws.chance(0.2) || !isPositive(due) ? sum([due, cents(1, 300)]) : due;
    const number = books.number('P-');
    const date = day();
    const way = electronic
      ? { type: 'Electronic', methodType: 'CreditCard', gateway: 'Stripe' }
      : { type: 'External', methodType: draws.oneOf('WireTransfer', 'Check') };
    const applications = paid.map(({ owed, amount: part }) => ({ ...referenceOf(owed), amount: part, date }));
    return {
      input: { number, account: account.number, amount, date, ...way, applications },
      money: {
        ...{ kind: 'payment', number, account: account.number, currency: account.currency, date, electronic },
        ...{ amount, free: amount, applied: new Map(), state: 'posted' },
      },
      paid,
    };
  }

  function note({ money, paid }: NonNullable<ReturnType<typeof newPayment>>): void {
    books.money.push(money);
    for (const { owed, amount } of paid) books.apply(money, owed, amount);
  }

  const some = (which: (money: Money) => boolean): Money | undefined =>
    draws.pick(books.money.filter((one) => one.state === 'posted' && which(one)));
  const appliedOne = (money: Money): { readonly owed: Owed; readonly amount: Decimal } | undefined => {
    const [number, amount] = draws.pick([...money.applied]) ?? [];
    const owed = books.owed.find((one) => one.number === number);
    return owed && amount !== undefined ? { owed, amount } : undefined;
  };

  async function unapply(money: Money, part: NonNullable<ReturnType<typeof appliedOne>>, amount = part.amount): Promise<boolean> {
    const action = money.kind === 'payment' ? 'unapply-payment' : 'unapply-memo';
    const asked = { action, number: money.number, ...referenceOf(part.owed), amount, date: hands.today() };
    if ((await zuora(asked)) === undefined) return false;
    books.unapply(money, part.owed, amount);
    return true;
  }

  async function unapplyAll(money: Money): Promise<void> {
    for (let part = appliedOne(money); part !== undefined; part = appliedOne(money)) if (!(await unapply(money, part))) return;
  }

  return [
    {
      weight: 18,
      flows: ['payments', 'applications', 'refunds'],
      async act() {
        const made = newPayment(draws.chance(0.5));
        if (!made || (await zuora({ action: 'create-payment', ...made.input })) === undefined) return false;
        note(made);
        return true;
      },
    },
    {
      weight: 1.5,
      flows: ['payments', 'applications'],
      async act() {
        const made = newPayment(true);
        if (!made || (await zuora({ action: 'payment-run', payments: [made.input] })) === undefined) return false;
        note(made);
        return true;
      },
    },
    {
      weight: 6,
      flows: ['credit-memos', 'applications', 'refunds'],
      async act() {
        const account = customer();
        if (!account) return false;
        const { items, total } = office.items({ most: 2 });
        const number = books.number('CM');
        const date = day();
        const owed = draws.chance(0.6) ? draws.pick(books.open(undefined, account.number)) : undefined;
        const amount = owed === undefined ? '0' : compare(owed.open, total) < 0 ? owed.open : total;
        const applications = owed === undefined ? [] : [{ ...referenceOf(owed), amount, date: later(date, owed.date) }];
        const input = { number, account: account.number, date, items, reasonCode: 'Standard credit', applications };
        if ((await zuora({ action: 'create-credit-memo', ...input })) === undefined) return false;
        const money: Money = {
          ...{ kind: 'creditMemo', number, account: account.number, currency: account.currency, date, electronic: false },
          ...{ amount: total, free: total, applied: new Map(), state: 'posted' },
        };
        books.money.push(money);
        if (owed) books.apply(money, owed, amount);
        return true;
      },
    },
    {
      weight: 6,
      flows: ['applications'],
      async act() {
        const money = some((one) => isPositive(one.free));
        const owed = money && draws.pick(books.open(money.currency, money.account));
        if (!money || !owed) return false;
        const amount = compare(owed.open, money.free) < 0 ? owed.open : money.free;
        const action = money.kind === 'payment' ? 'apply-payment' : 'apply-memo';
        if ((await zuora({ action, number: money.number, ...referenceOf(owed), amount, date: hands.today() })) === undefined) return false;
        books.apply(money, owed, amount);
        return true;
      },
    },
    {
      weight: 1.2,
      flows: ['applications'],
      async act() {
        const money = some((one) => one.applied.size > 0);
        const part = money && appliedOne(money);
        return money !== undefined && part !== undefined && unapply(money, part);
      },
    },
    {
      weight: 1,
      flows: ['payments', 'applications'],
      async act() {
        const money = some((one) => one.kind === 'payment' && !one.electronic);
        if (!money) return false;
        await unapplyAll(money);
        if ((await zuora({ action: 'cancel-payment', number: money.number })) === undefined) return true;
        money.state = 'gone';
        return true;
      },
    },
    {
      weight: 0.7,
      flows: ['payments', 'applications'],
      async act() {
        const money = some((one) => one.kind === 'payment' && one.electronic && books.refunds.every(({ of }) => of !== one.number));
        if (!money || (await zuora({ action: 'fail-payment', number: money.number })) === undefined) return false;
        books.freeAll(money);
        money.state = 'gone';
        return true;
      },
    },
    {
      weight: 0.7,
      flows: ['payments'],
      async act() {
        const money = some((one) => one.kind === 'payment' && compare(one.free, one.amount) === 0);
        const to = draws.pick(books.customers.filter(({ currency, number }) => currency === money?.currency && number !== money.account));
        if (!money || !to || (await zuora({ action: 'transfer-payment', number: money.number, account: to.number })) === undefined)
          return false;
        money.account = to.number;
        return true;
      },
    },
    {
      weight: 2,
      flows: ['refunds', 'applications'],
      async act() {
        const money = some((one) => isPositive(one.free));
        if (!money) return false;
        const amount = draws.chance(0.5) ? money.free : compare(money.free, '3') > 0 ? cents(1, 2) : money.free;
        const number = books.number('R-');
        const source = money.kind === 'payment' ? { payment: money.number } : { creditMemo: money.number };
        const way = money.electronic ? { type: 'Electronic', methodType: 'CreditCard' } : { type: 'External', methodType: 'Check' };
        if ((await zuora({ action: 'refund-payment', number, ...source, amount, ...way })) === undefined) return false;
        money.free = subtract(money.free, amount);
        books.refunds.push({ number, of: money.number, amount, gone: false });
        return true;
      },
    },
    {
      weight: 0.8,
      flows: ['refunds', 'applications'],
      async act() {
        const money = some((one) => one.kind === 'payment' && one.electronic && one.applied.size > 0);
        const number = books.number('R-');
        if (!money || (await zuora({ action: 'chargeback', payment: money.number, number })) === undefined) return false;
        books.freeAll(money);
        books.refunds.push({ number, of: money.number, amount: money.free, gone: false });
        money.free = '0';
        return true;
      },
    },
    {
      weight: 0.4,
      flows: ['refunds', 'payments'],
      async act() {
        const refund = draws.pick(books.refunds.filter(({ gone }) => !gone));
        if (!refund || (await zuora({ action: 'cancel-refund', number: refund.number })) === undefined) return false;
        refund.gone = true;
        return true;
      },
    },
    {
      weight: 0.8,
      flows: ['credit-memos', 'applications'],
      async act() {
        const memo = some((one) => one.kind === 'creditMemo' && one.applied.size === 0);
        if (!memo) return false;
        const action = draws.oneOf('reverse-memo', 'write-off-memo', 'unpost-memo');
        const more = action === 'unpost-memo' ? {} : { memoNumber: books.number('DM'), date: hands.today() };
        if ((await zuora({ action, number: memo.number, ...more })) === undefined) return false;
        memo.state = action === 'unpost-memo' ? 'draft' : 'posted';
        memo.free = action === 'unpost-memo' ? memo.free : '0';
        return true;
      },
    },
    {
      weight: 0.5,
      flows: ['credit-memos'],
      async act() {
        const memo = draws.pick(books.money.filter((one) => one.kind === 'creditMemo' && one.state === 'draft'));
        if (!memo) return false;
        const action = draws.oneOf('post-memo', 'post-memo', 'cancel-memo');
        if ((await zuora({ action, number: memo.number })) === undefined) return false;
        memo.state = action === 'post-memo' ? 'posted' : 'gone';
        return true;
      },
    },
  ];
}
