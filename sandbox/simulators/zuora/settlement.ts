import { add, compare, isPositive, isZero, negate, subtract } from '../../../lib/values/decimal.ts';
import { ControlError } from '../kit.ts';
import { moveBalance } from './accounts.ts';
import type { Application, CreditMemo, DebitMemo, Invoice, Part, Payment } from './rows.ts';
import type { ApplicationInput } from './shapes.ts';
import type { Table } from './table.ts';
import type { Tenant } from './tenant.ts';

/** Something owed, and where it is stored. */
export type Owed = { readonly kind: 'invoice'; readonly row: Invoice } | { readonly kind: 'debit-memo'; readonly row: DebitMemo };

/** Where the money comes from. */
export type Source = { readonly kind: 'payment'; readonly row: Payment } | { readonly kind: 'credit-memo'; readonly row: CreditMemo };

export function owedOf(tenant: Tenant, named: Pick<ApplicationInput, 'invoice' | 'debitMemo'>): Owed {
  if (named.invoice !== undefined) return { kind: 'invoice', row: tenant.need(tenant.invoices, named.invoice) };
  return { kind: 'debit-memo', row: tenant.need(tenant.debitMemos, named.debitMemo ?? '') };
}

interface SettledChange {
  readonly payment?: string;
  readonly creditMemo?: string;
  readonly refund?: string;
}

/** Moves what is settled of a document; its balance, its `updatedDate` and the account follow. */
export function moveSettled(tenant: Tenant, owed: Owed, change: SettledChange): void {
  const { row } = owed;
  const paymentAmount = add(row.paymentAmount, change.payment ?? '0');
  const creditMemoAmount = add(row.creditMemoAmount, change.creditMemo ?? '0');
  const refundAmount = add(row.refundAmount, change.refund ?? '0');
  const balance = add(subtract(subtract(row.amount, paymentAmount), creditMemoAmount), refundAmount);
  const changes = { paymentAmount, creditMemoAmount, refundAmount, balance };
  const delta = subtract(balance, row.balance);
  if (owed.kind === 'invoice') {
    tenant.change(tenant.invoices, owed.row, changes);
    moveBalance(tenant, row.accountId, { invoices: delta });
  } else {
    tenant.change(tenant.debitMemos, owed.row, changes);
    moveBalance(tenant, row.accountId, { debitMemos: delta });
  }
}

function applicationsOf(tenant: Tenant, source: Source): Table<Application> {
  return source.kind === 'payment' ? tenant.paymentApplications : tenant.creditMemoApplications;
}

/** Applies money to a document. Both sides, the parts and the history of applications change together. */
export function apply(tenant: Tenant, source: Source, owed: Owed, applied: { readonly amount: string; readonly date: string }): void {
  const { amount, date } = applied;
  const { row } = owed;
  if (!isPositive(amount)) throw new ControlError(`the amount applied to ${row.number} must be greater than 0`);
  if (row.status !== 'Posted') throw new ControlError(`${row.number} is ${row.status}: only posted documents take applications`);
  if (compare(amount, row.balance) > 0) throw new ControlError(`${row.number} is open with ${row.balance}: ${amount} cannot be applied`);
  if (row.currency !== source.row.currency)
    throw new ControlError(`${row.number} is in ${row.currency}, ${source.row.number} in ${source.row.currency}`);
  const rest = source.kind === 'payment' ? source.row.unappliedAmount : source.row.balance;
  if (compare(amount, rest) > 0) throw new ControlError(`${source.row.number} has ${rest} unapplied: ${amount} cannot be applied`);
  moveSource(tenant, source, { applied: amount });
  moveSettled(tenant, owed, source.kind === 'payment' ? { payment: amount } : { creditMemo: amount });
  addToPart(tenant, source.row.id, owed, amount);
  record(tenant, source, owed, amount, date);
}

/** Frees money again. The rows it leaves in the history follow the feature `unapplyRows`. */
export function unapply(tenant: Tenant, source: Source, owed: Owed, freed: { readonly amount: string; readonly date: string }): void {
  const { amount, date } = freed;
  const part = partOf(tenant, source.row.id, owed);
  if (!isPositive(amount) || compare(amount, part?.amount ?? '0') > 0)
    throw new ControlError(
      `${part?.amount ?? '0'} of ${source.row.number} is applied to ${owed.row.number}: ${amount} cannot be unapplied`,
    );
  const minus = negate(amount);
  moveSource(tenant, source, { applied: minus });
  moveSettled(tenant, owed, source.kind === 'payment' ? { payment: minus } : { creditMemo: minus });
  addToPart(tenant, source.row.id, owed, minus);
  if (tenant.features.unapplyRows === 'negative') record(tenant, source, owed, minus, date);
  else removeFromHistory(tenant, source, owed, amount);
}

function record(tenant: Tenant, source: Source, owed: Owed, amount: string, date: string): void {
  tenant.save(applicationsOf(tenant, source), {
    ...tenant.stamp(),
    sourceId: source.row.id,
    invoiceId: owed.kind === 'invoice' ? owed.row.id : null,
    debitMemoId: owed.kind === 'debit-memo' ? owed.row.id : null,
    amount,
    effectiveDate: date,
    accountId: source.row.accountId,
    billingDocumentOwnerId: owed.row.accountId,
    applicationGroupId: tenant.newId(),
    refundAmount: '0',
  });
}

function removeFromHistory(tenant: Tenant, source: Source, owed: Owed, amount: string): void {
  const table = applicationsOf(tenant, source);
  let left = amount;
  const rows = table.by('sourceId', source.row.id).filter((row) => (row.invoiceId ?? row.debitMemoId) === owed.row.id);
  for (const row of rows.reverse()) {
    if (isZero(left)) return;
    const taken = compare(row.amount, left) > 0 ? left : row.amount;
    left = subtract(left, taken);
    if (compare(taken, row.amount) === 0) table.delete(row.id);
    else tenant.change(table, row, { amount: subtract(row.amount, taken) });
  }
}

interface SourceChange {
  readonly applied?: string;
  readonly refunded?: string;
}

/** Moves money between applied, free and refunded; the free part and the account follow. */
export function moveSource(tenant: Tenant, source: Source, change: SourceChange): void {
  const appliedChange = change.applied ?? '0';
  const refundedChange = change.refunded ?? '0';
  const freeChange = negate(add(appliedChange, refundedChange));
  const { row } = source;
  const appliedAmount = add(row.appliedAmount, appliedChange);
  const refundAmount = add(row.refundAmount, refundedChange);
  if (source.kind === 'payment') {
    const changes = { appliedAmount, refundAmount, unappliedAmount: add(source.row.unappliedAmount, freeChange) };
    const moves = tenant.features.paymentMovesOnApplication || !isZero(refundedChange);
    if (moves) tenant.change(tenant.payments, source.row, changes);
    else tenant.save(tenant.payments, { ...source.row, ...changes });
    moveBalance(tenant, row.accountId, { unappliedPayments: freeChange });
  } else {
    tenant.change(tenant.creditMemos, source.row, { appliedAmount, refundAmount, balance: add(source.row.balance, freeChange) });
    moveBalance(tenant, row.accountId, { unappliedCreditMemos: freeChange });
  }
  addToPart(tenant, row.id, undefined, freeChange);
}

function partOf(tenant: Tenant, sourceId: string, owed: Owed | undefined): Part | undefined {
  return tenant.parts.by('sourceId', sourceId).find((part) => (part.invoiceId ?? part.debitMemoId) === (owed?.row.id ?? null));
}

/** A part that reaches zero disappears: a fully refunded payment has none left. */
export function addToPart(tenant: Tenant, sourceId: string, owed: Owed | undefined, amount: string): void {
  const part = partOf(tenant, sourceId, owed);
  if (!part) {
    if (isZero(amount)) return;
    tenant.parts.put({
      ...tenant.stamp(),
      sourceId,
      invoiceId: owed?.kind === 'invoice' ? owed.row.id : null,
      debitMemoId: owed?.kind === 'debit-memo' ? owed.row.id : null,
      amount,
    });
    return;
  }
  const rest = add(part.amount, amount);
  if (isZero(rest)) tenant.parts.delete(part.id);
  else tenant.parts.put({ ...part, amount: rest, updatedAt: tenant.now() });
}

/** What is applied now, newest first. */
export function appliedParts(tenant: Tenant, sourceId: string): { readonly owed: Owed; readonly amount: string }[] {
  return tenant.parts
    .by('sourceId', sourceId)
    .filter((part) => part.invoiceId !== null || part.debitMemoId !== null)
    .reverse()
    .map((part) => ({
      owed: owedOf(tenant, part.invoiceId === null ? { debitMemo: part.debitMemoId ?? '' } : { invoice: part.invoiceId }),
      amount: part.amount,
    }));
}

/** Nothing applied to it and nothing of it written off: the condition for unposting, canceling and reversing. */
export function isUnsettled(owed: Owed): boolean {
  return isZero(owed.row.paymentAmount) && isZero(owed.row.creditMemoAmount) && isZero(owed.row.refundAmount);
}
