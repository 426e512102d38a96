import { isPositive, isZero, negate } from '../../../lib/values/decimal.ts';
import { ControlError } from '../kit.ts';
import { moveBalance } from './accounts.ts';
import { dueDateOf, headOf, requireSettlement } from './document-head.ts';
import { copyItems, writeItems } from './items.ts';
import type { CreditMemo, DebitMemo, Invoice } from './rows.ts';
import { addToPart, apply, isUnsettled, type Owed, owedOf } from './settlement.ts';
import type { CreditMemoInput, DebitMemoInput } from './shapes.ts';
import type { Tenant } from './tenant.ts';

type Sources = readonly (string | null)[];

export function createDebitMemo(tenant: Tenant, input: DebitMemoInput, sources: Sources = []): DebitMemo {
  requireSettlement(tenant, 'debit memos');
  const account = tenant.need(tenant.accounts, input.account);
  const stamp = tenant.stamp(input.id);
  const number = tenant.numberFor('debitMemo', tenant.debitMemos, input.number);
  const owner = { kind: 'debit-memo', documentId: stamp.id, accountId: account.id, date: input.date } as const;
  const written = writeItems(tenant, owner, input.items, sources);
  const memo = tenant.save(tenant.debitMemos, {
    ...stamp,
    number,
    ...headOf(tenant, account, input, written),
    dueDate: input.dueDate ?? dueDateOf(input.date, account.paymentTerm),
    paymentAmount: '0',
    creditMemoAmount: '0',
    refundAmount: '0',
    reasonCode: input.reasonCode ?? 'Correcting invoice error',
    invoiceId: input.invoice === undefined ? null : tenant.need(tenant.invoices, input.invoice).id,
    creditMemoId: input.creditMemo === undefined ? null : tenant.need(tenant.creditMemos, input.creditMemo).id,
  });
  tenant.announce('DebitMemoCreated', subjectOf('DebitMemo', memo));
  if (memo.status === 'Posted') debitMemoGoesOut(tenant, memo);
  return memo;
}

function subjectOf(object: string, memo: CreditMemo | DebitMemo) {
  return { object, id: memo.id, number: memo.number, accountId: memo.accountId };
}

function debitMemoGoesOut(tenant: Tenant, memo: DebitMemo): void {
  moveBalance(tenant, memo.accountId, { debitMemos: memo.balance });
  tenant.announce('DebitMemoPosted', subjectOf('DebitMemo', memo));
}

export function createCreditMemo(tenant: Tenant, input: CreditMemoInput, sources: Sources = []): CreditMemo {
  requireSettlement(tenant, 'credit memos');
  const account = tenant.need(tenant.accounts, input.account);
  const stamp = tenant.stamp(input.id);
  const number = tenant.numberFor('creditMemo', tenant.creditMemos, input.number);
  const owner = { kind: 'credit-memo', documentId: stamp.id, accountId: account.id, date: input.date } as const;
  const written = writeItems(tenant, owner, input.items, sources);
  const invoiceId = input.invoice === undefined ? null : tenant.need(tenant.invoices, input.invoice).id;
  const origin = invoiceId === null ? {} : { sourceType: 'Invoice', source: 'AdhocFromInvoice' };
  const memo = tenant.save(tenant.creditMemos, {
    ...stamp,
    number,
    ...headOf(tenant, account, { ...origin, ...input }, written),
    appliedAmount: '0',
    refundAmount: '0',
    reversed: false,
    autoApplyUponPosting: false,
    reasonCode: input.reasonCode ?? 'Standard credit',
    invoiceId,
  });
  tenant.announce('CreditMemoCreated', subjectOf('CreditMemo', memo));
  if (memo.status === 'Posted') creditMemoGoesOut(tenant, memo);
  for (const row of input.applications)
    applyMemo(tenant, memo.id, owedOf(tenant, row), { amount: row.amount, date: row.date ?? input.date });
  return tenant.need(tenant.creditMemos, memo.id);
}

/** From posting on, the memo's whole amount is free to be applied. */
function creditMemoGoesOut(tenant: Tenant, memo: CreditMemo): void {
  addToPart(tenant, memo.id, undefined, memo.amount);
  moveBalance(tenant, memo.accountId, { unappliedCreditMemos: memo.amount });
  tenant.announce('CreditMemoPosted', subjectOf('CreditMemo', memo));
}

export function applyMemo(tenant: Tenant, key: string, owed: Owed, applied: { readonly amount: string; readonly date: string }): void {
  const memo = tenant.need(tenant.creditMemos, key);
  if (memo.status !== 'Posted') throw new ControlError(`credit memo ${memo.number} is ${memo.status}: only a posted one can be applied`);
  apply(tenant, { kind: 'credit-memo', row: memo }, owed, applied);
}

export function postMemo(tenant: Tenant, key: string): CreditMemo | DebitMemo {
  const credit = tenant.find(tenant.creditMemos, key);
  if (credit) {
    requireStatus(credit, 'Draft', 'posted');
    const posted = tenant.change(tenant.creditMemos, credit, { status: 'Posted', postedAt: tenant.now() });
    creditMemoGoesOut(tenant, posted);
    return posted;
  }
  const debit = tenant.need(tenant.debitMemos, key);
  requireStatus(debit, 'Draft', 'posted');
  const posted = tenant.change(tenant.debitMemos, debit, { status: 'Posted', postedAt: tenant.now() });
  debitMemoGoesOut(tenant, posted);
  return posted;
}

/** Only a memo with nothing applied and nothing refunded goes back to draft. */
export function unpostMemo(tenant: Tenant, key: string): CreditMemo | DebitMemo {
  const credit = tenant.find(tenant.creditMemos, key);
  if (credit) {
    requireStatus(credit, 'Posted', 'unposted');
    if (!isZero(credit.appliedAmount) || !isZero(credit.refundAmount))
      throw new ControlError(`credit memo ${credit.number} is applied or refunded: unapply first`);
    addToPart(tenant, credit.id, undefined, negate(credit.amount));
    moveBalance(tenant, credit.accountId, { unappliedCreditMemos: negate(credit.amount) });
    return tenant.change(tenant.creditMemos, credit, { status: 'Draft', postedAt: null });
  }
  const debit = tenant.need(tenant.debitMemos, key);
  requireStatus(debit, 'Posted', 'unposted');
  if (!isUnsettled({ kind: 'debit-memo', row: debit })) throw new ControlError(`debit memo ${debit.number} is settled: unapply first`);
  moveBalance(tenant, debit.accountId, { debitMemos: negate(debit.balance) });
  return tenant.change(tenant.debitMemos, debit, { status: 'Draft', postedAt: null });
}

export function cancelMemo(tenant: Tenant, key: string): CreditMemo | DebitMemo {
  const credit = tenant.find(tenant.creditMemos, key);
  if (credit) {
    requireStatus(credit, 'Draft', 'canceled');
    return tenant.change(tenant.creditMemos, credit, { status: 'Canceled', balance: '0' });
  }
  const debit = tenant.need(tenant.debitMemos, key);
  requireStatus(debit, 'Draft', 'canceled');
  return tenant.change(tenant.debitMemos, debit, { status: 'Canceled', balance: '0' });
}

function requireStatus(memo: CreditMemo | DebitMemo, status: string, done: string): void {
  if (memo.status !== status) throw new ControlError(`memo ${memo.number} is ${memo.status}: only a ${status} one can be ${done}`);
}

interface MemoOver {
  readonly number?: string | undefined;
  readonly date: string;
  readonly reasonCode: string;
}

/** The invoice keeps its status and is marked; a credit memo over all of it is applied to it at once. */
export function reverseInvoice(tenant: Tenant, key: string, memo: MemoOver): CreditMemo {
  const invoice = tenant.need(tenant.invoices, key);
  if (!isUnsettled({ kind: 'invoice', row: invoice }))
    throw new ControlError(`invoice ${invoice.number} has payments or memos applied: it cannot be reversed`);
  const credit = creditOver(tenant, invoice, memo);
  tenant.change(tenant.invoices, tenant.need(tenant.invoices, invoice.id), { reversed: true });
  return credit;
}

/** What is still open is credited, reason `Write-off`. */
export function writeOffInvoice(tenant: Tenant, key: string, memo: MemoOver): CreditMemo {
  const invoice = tenant.need(tenant.invoices, key);
  if (!isPositive(invoice.balance)) throw new ControlError(`invoice ${invoice.number} has nothing open to write off`);
  return creditOver(tenant, invoice, memo);
}

function creditOver(tenant: Tenant, invoice: Invoice, memo: MemoOver): CreditMemo {
  if (invoice.status !== 'Posted') throw new ControlError(`invoice ${invoice.number} is ${invoice.status}, not posted`);
  const { items, sources } = copyItems(tenant, 'invoice', invoice.id, invoice.balance);
  const applications = [{ invoice: invoice.id, amount: invoice.balance, date: memo.date }];
  return createCreditMemo(
    tenant,
    { ...memo, account: invoice.accountId, currency: invoice.currency, invoice: invoice.id, status: 'Posted', items, applications },
    sources,
  );
}

/** Reversing (all of it) or writing off (the rest of) a credit memo makes a debit memo, to which the memo is applied. */
export function debitOver(tenant: Tenant, key: string, memo: MemoOver & { readonly reverse: boolean }): DebitMemo {
  const credit = tenant.need(tenant.creditMemos, key);
  requireStatus(credit, 'Posted', 'reversed or written off');
  if (memo.reverse && !(isZero(credit.appliedAmount) && isZero(credit.refundAmount)))
    throw new ControlError(`credit memo ${credit.number} is applied or refunded: it cannot be reversed`);
  const { items, sources } = copyItems(tenant, 'credit-memo', credit.id, credit.balance);
  const debit = createDebitMemo(
    tenant,
    {
      number: memo.number,
      date: memo.date,
      reasonCode: memo.reasonCode,
      account: credit.accountId,
      currency: credit.currency,
      creditMemo: credit.id,
      sourceType: 'CreditMemo',
      status: 'Posted',
      items,
    },
    sources,
  );
  applyMemo(tenant, credit.id, { kind: 'debit-memo', row: debit }, { amount: credit.balance, date: memo.date });
  if (memo.reverse) tenant.change(tenant.creditMemos, tenant.need(tenant.creditMemos, credit.id), { reversed: true });
  return debit;
}
