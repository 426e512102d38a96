import { absolute, compare, isNegative, isPositive } from '../../lib/values/decimal.ts';
import type { Owed } from './ledger-of-billing.ts';
import type { Action, Chore, Office } from './office.ts';

/** What the billing department does with invoices, debit memos and accounts. */
export function billingChores(office: Office): readonly Chore[] {
  const { draws, books, hands, items, day, customer } = office;
  const { zuora } = hands;

  async function invoice(given: { readonly negative?: boolean; readonly draft?: boolean; readonly most?: number }): Promise<boolean> {
    const account = customer();
    if (!account) return false;
    const { input, owed } = newInvoice(account, given);
    if ((await zuora({ action: 'create-invoice', ...input })) === undefined) return false;
    books.owed.push(owed);
    return true;
  }

  function newInvoice(
    account: { readonly number: string; readonly currency: string },
    { negative = false, draft = false, most = 3 }: { readonly negative?: boolean; readonly draft?: boolean; readonly most?: number },
  ): { readonly input: Action; readonly owed: Owed } {
    const number = books.number('INV');
    const date = day();
    const { items: rows, total } = items({ negative, most });
    const input = { number, account: account.number, date, items: rows, ...(draft ? { status: 'Draft' } : {}) };
    const owed: Owed = {
      ...{ kind: 'invoice', number, account: account.number, currency: account.currency, date, total },
      ...{ open: isNegative(total) ? '0' : total, state: draft ? 'draft' : 'posted' },
    };
    return { input, owed };
  }

  /** Nothing was ever applied to it, as far as known. */
  const untouched = (): Owed | undefined =>
    draws.pick(
      books.owed.filter((one) => one.kind === 'invoice' && one.state === 'posted' && compare(one.open, one.total) === 0).slice(-12),
    );

  return [
    { weight: 26, flows: ['invoices', 'payments', 'credit-memos', 'applications', 'refunds'], act: () => invoice({}) },
    { weight: 2, flows: ['invoices'], act: () => invoice({ draft: true }) },
    { weight: 1, flows: ['invoices'], act: () => invoice({ negative: true }) },
    { weight: 0.1, flows: ['invoices'], act: () => invoice({ most: 120 }) },
    {
      weight: 3,
      flows: ['invoices', 'payments', 'applications'],
      async act() {
        const run = Array.from({ length: draws.between(2, 6) }, () => customer()).flatMap((account) =>
          account ? [newInvoice(account, {})] : [],
        );
        if (run.length === 0 || (await zuora({ action: 'bill-run', invoices: run.map(({ input }) => input) })) === undefined) return false;
        books.owed.push(...run.map(({ owed }) => owed));
        return true;
      },
    },
    {
      weight: 3,
      flows: ['invoices'],
      async act() {
        const draft = draws.pick(books.owed.filter((one) => one.state === 'draft' && one.kind === 'invoice'));
        if (!draft) return false;
        if (draws.chance(0.3)) {
          const { items: rows, total } = items();
          if ((await zuora({ action: 'edit-invoice-items', number: draft.number, items: rows })) === undefined) return false;
          draft.total = total;
          draft.open = isPositive(total) ? total : '0';
        }
        if (draws.chance(0.15)) {
          if ((await zuora({ action: 'cancel', number: draft.number })) !== undefined) draft.state = 'gone';
          return draft.state === 'gone';
        }
        if ((await zuora({ action: 'post-invoice', number: draft.number })) === undefined) return false;
        draft.state = 'posted';
        return true;
      },
    },
    {
      weight: 4,
      flows: ['invoices'],
      async act() {
        const owed = untouched();
        if (!owed || (await zuora({ action: 'unpost', number: owed.number })) === undefined) return false;
        owed.state = 'draft';
        owed.known = true;
        if (draws.chance(0.5)) {
          const { items: rows, total } = items();
          if ((await zuora({ action: 'edit-invoice-items', number: owed.number, items: rows })) !== undefined) {
            owed.total = total;
            owed.open = isPositive(total) ? total : '0';
          }
        }
        // Often posted again within the same minute: the connector may never see the draft.
        if (draws.chance(0.4) && (await zuora({ action: 'post-invoice', number: owed.number })) !== undefined) owed.state = 'posted';
        return true;
      },
    },
    {
      weight: 2,
      flows: ['invoices', 'credit-memos', 'applications'],
      async act() {
        const owed = draws.chance(0.5) ? untouched() : draws.pick(books.open().filter((one) => one.kind === 'invoice'));
        if (!owed) return false;
        const action = draws.chance(0.5) && compare(owed.open, owed.total) === 0 ? 'reverse-invoice' : 'write-off';
        if ((await zuora({ action, number: owed.number, memoNumber: books.number('CM'), date: hands.today() })) === undefined) return false;
        owed.open = '0';
        return true;
      },
    },
    {
      weight: 2,
      flows: ['invoices', 'applications'],
      async act() {
        const account = customer();
        if (!account) return false;
        const number = books.number('DM');
        const { items: rows, total } = items({ most: 2 });
        const date = day();
        if ((await zuora({ action: 'create-debit-memo', number, account: account.number, date, items: rows })) === undefined) return false;
        books.owed.push({
          ...{ kind: 'debitMemo', number, account: account.number, currency: account.currency, date },
          ...{ total, open: absolute(total), state: 'posted' },
        });
        return true;
      },
    },
    {
      weight: 2,
      flows: ['invoices'],
      async act() {
        const owed = draws.pick(books.owed.filter(({ state }) => state !== 'gone'));
        const noun = owed?.kind === 'invoice' ? 'invoices' : 'debitMemos';
        return owed !== undefined && (await zuora({ action: 'touch', noun, number: owed.number })) !== undefined;
      },
    },
    {
      weight: 0.3,
      flows: ['invoices'],
      async act() {
        const draft = draws.pick(books.owed.filter((one) => one.state === 'draft' && one.kind === 'invoice' && one.known !== true));
        if (!draft || (await zuora({ action: 'delete-record', noun: 'invoices', number: draft.number })) === undefined) return false;
        draft.state = 'gone';
        return true;
      },
    },
    {
      weight: 1,
      flows: ['journals'],
      async act() {
        const amount = office.cents(10, 900);
        const entries = Array.from({ length: draws.between(1, 3) }, () => ({
          ...{ number: books.number('JE-'), transactionType: draws.oneOf('Revenue Event Item', 'Revenue Event Item', 'Invoice Item') },
          lines: [
            { type: 'Debit', accountingCode: 'Deferred Revenue', amount },
            { type: 'Credit', accountingCode: 'Subscription Revenue', amount },
          ],
        }));
        const date = hands.today();
        const dates = { journalEntryDate: date, targetStartDate: '2026-03-01', targetEndDate: '2026-03-31' };
        return (await zuora({ action: 'create-journal-run', number: books.number('JR-'), ...dates, entries })) !== undefined;
      },
    },
  ];
}
