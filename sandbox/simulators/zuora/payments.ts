import { add, compare, isPositive, isZero, negate, subtract } from '../../../lib/values/decimal.ts';
import { ControlError } from '../kit.ts';
import { moveBalance } from './accounts.ts';
import { requireSettlement } from './document-head.ts';
import type { CreditMemo, Payment, PaymentMethod, Refund } from './rows.ts';
import { addToPart, appliedParts, apply, moveSettled, moveSource, type Owed, owedOf, type Source, unapply } from './settlement.ts';
import type { PaymentInput, RefundInput } from './shapes.ts';
import type { Tenant } from './tenant.ts';

/** External payments share the system's own method of a type; electronic ones have a method of the account. */
function methodFor(tenant: Tenant, type: string, accountId: string | null): PaymentMethod {
  const known = tenant.paymentMethods.by('type', type).find((method) => method.accountId === accountId);
  return known ?? tenant.save(tenant.paymentMethods, { ...tenant.stamp(), type, accountId, isSystem: accountId === null });
}

const subjectOf = (payment: Payment) => ({ object: 'Payment', id: payment.id, number: payment.number, accountId: payment.accountId });

export function createPayment(tenant: Tenant, input: PaymentInput): Payment {
  const account = tenant.need(tenant.accounts, input.account);
  if (!isPositive(input.amount)) throw new ControlError('a payment is greater than 0');
  const electronic = input.type === 'Electronic';
  const methodType = input.methodType ?? (electronic ? 'CreditCard' : 'WireTransfer');
  const processed = input.status === 'Processed';
  const payment = tenant.save(tenant.payments, {
    ...tenant.stamp(input.id),
    number: tenant.numberFor('payment', tenant.payments, input.number),
    accountId: account.id,
    currency: input.currency ?? account.currency,
    amount: input.amount,
    appliedAmount: '0',
    unappliedAmount: input.status === 'Error' || input.status === 'Canceled' ? '0' : input.amount,
    refundAmount: '0',
    effectiveDate: input.date,
    status: input.status,
    type: input.type,
    gateway: input.gateway ?? (electronic ? 'Gateway 1' : null),
    gatewayState: gatewayState(electronic, input.status),
    gatewayResponse: electronic && processed ? 'This transaction has been approved.' : null,
    paymentMethodId: methodFor(tenant, methodType, electronic ? account.id : null).id,
    referenceId: input.referenceId ?? null,
    source: electronic ? 'PaymentRun' : 'Manually',
    comment: input.comment ?? '',
    isStandalone: input.isStandalone,
    transferredToAccounting: 'No',
  });
  if (processed) takeIn(tenant, payment);
  for (const row of input.applications)
    applyPayment(tenant, payment.id, owedOf(tenant, row), { amount: row.amount, date: row.date ?? input.date });
  const made = tenant.need(tenant.payments, payment.id);
  if (!tenant.features.invoiceSettlement && processed && !isZero(made.unappliedAmount))
    throw new ControlError(
      `without Invoice Settlement a payment must be applied in full; ${made.unappliedAmount} of ${made.number} is not`,
    );
  announcePayment(tenant, made);
  return made;
}

function gatewayState(electronic: boolean, status: string): string {
  if (!electronic) return 'NotSubmitted';
  return status === 'Error' ? 'FailedToSettle' : status === 'Processed' ? 'Submitted' : 'MarkedForSubmission';
}

/** Only electronic payments call out. */
function announcePayment(tenant: Tenant, payment: Payment): void {
  if (payment.type !== 'Electronic') return;
  if (payment.status === 'Processed') tenant.announce('PaymentProcessed', subjectOf(payment));
  if (payment.status === 'Error') tenant.announce('PaymentDeclined', subjectOf(payment));
}

function takeIn(tenant: Tenant, payment: Payment): void {
  addToPart(tenant, payment.id, undefined, payment.amount);
  moveBalance(tenant, payment.accountId, { unappliedPayments: payment.amount });
}

export function processPayment(tenant: Tenant, key: string): Payment {
  const payment = tenant.need(tenant.payments, key);
  if (payment.status !== 'Draft' && payment.status !== 'Processing')
    throw new ControlError(`payment ${payment.number} is ${payment.status}`);
  const state = gatewayState(payment.type === 'Electronic', 'Processed');
  const processed = tenant.change(tenant.payments, payment, { status: 'Processed', gatewayState: state });
  takeIn(tenant, processed);
  announcePayment(tenant, processed);
  return processed;
}

function processedPayment(tenant: Tenant, key: string): Source & { readonly kind: 'payment' } {
  const row = tenant.need(tenant.payments, key);
  if (row.status !== 'Processed') throw new ControlError(`payment ${row.number} is ${row.status}, not Processed`);
  return { kind: 'payment', row };
}

export function applyPayment(tenant: Tenant, key: string, owed: Owed, applied: { readonly amount: string; readonly date: string }): void {
  apply(tenant, processedPayment(tenant, key), owed, applied);
}

export function unapplyPayment(tenant: Tenant, key: string, owed: Owed, freed: { readonly amount: string; readonly date: string }): void {
  requireSettlement(tenant, 'unapplied payments');
  unapply(tenant, processedPayment(tenant, key), owed, freed);
}

/** To another account; only what is wholly unapplied can move. */
export function transferPayment(tenant: Tenant, key: string, toAccount: string): Payment {
  requireSettlement(tenant, 'payment transfers');
  const { row } = processedPayment(tenant, key);
  if (!isZero(row.appliedAmount) || !isZero(row.refundAmount))
    throw new ControlError(`payment ${row.number} is applied or refunded: unapply first`);
  const target = tenant.need(tenant.accounts, toAccount);
  moveBalance(tenant, row.accountId, { unappliedPayments: negate(row.unappliedAmount) });
  moveBalance(tenant, target.id, { unappliedPayments: row.unappliedAmount });
  return tenant.change(tenant.payments, row, { accountId: target.id });
}

/** A person takes an external payment back; everything must be unapplied first. */
export function cancelPayment(tenant: Tenant, key: string): Payment {
  const { row } = processedPayment(tenant, key);
  if (row.type !== 'External')
    throw new ControlError(`payment ${row.number} is ${row.type}: only external payments can be canceled, refund it instead`);
  if (!isZero(row.refundAmount)) throw new ControlError(`payment ${row.number} is refunded`);
  if (tenant.features.invoiceSettlement && !isZero(row.appliedAmount))
    throw new ControlError(`payment ${row.number} is applied: unapply first`);
  freeAll(tenant, row.id);
  return end(tenant, row.id, 'Canceled');
}

/** The gateway refuses a payment in the end: status Error, the documents are open again. */
export function failPayment(tenant: Tenant, key: string): Payment {
  const payment = tenant.need(tenant.payments, key);
  if (payment.status === 'Processed') freeAll(tenant, payment.id);
  const failed = end(tenant, payment.id, 'Error');
  announcePayment(tenant, failed);
  return failed;
}

function freeAll(tenant: Tenant, paymentId: string): void {
  for (const { owed, amount } of appliedParts(tenant, paymentId))
    unapply(tenant, { kind: 'payment', row: tenant.need(tenant.payments, paymentId) }, owed, { amount, date: tenant.today() });
}

function end(tenant: Tenant, paymentId: string, status: 'Canceled' | 'Error'): Payment {
  const row = tenant.need(tenant.payments, paymentId);
  if (row.status === 'Processed') {
    addToPart(tenant, row.id, undefined, negate(row.unappliedAmount));
    moveBalance(tenant, row.accountId, { unappliedPayments: negate(row.unappliedAmount) });
  }
  const state = status === 'Error' ? 'FailedToSettle' : row.gatewayState;
  return tenant.change(tenant.payments, row, { status, unappliedAmount: '0', gatewayState: state });
}

export function createRefund(tenant: Tenant, input: RefundInput): Refund {
  const source = sourceOf(tenant, input);
  const date = input.date ?? tenant.today();
  if (!isPositive(input.amount)) throw new ControlError('a refund is greater than 0');
  if (tenant.features.invoiceSettlement) freeForRefund(tenant, source, input, date);
  const present = sourceOf(tenant, input);
  const free = present.kind === 'payment' ? present.row.unappliedAmount : present.row.balance;
  const electronic = input.type === 'Electronic';
  if (tenant.features.invoiceSettlement) {
    if (compare(input.amount, free) > 0)
      throw new ControlError(`${present.row.number} has ${free} unapplied: ${input.amount} cannot be refunded without unapply`);
    moveSource(tenant, present, { refunded: input.amount });
  } else refundApplied(tenant, present, input.amount);
  const methodType = input.methodType ?? (electronic ? 'CreditCard' : 'WireTransfer');
  const refund = tenant.save(tenant.refunds, {
    ...tenant.stamp(input.id),
    number: tenant.numberFor('refund', tenant.refunds, input.number),
    accountId: present.row.accountId,
    currency: present.row.currency,
    amount: input.amount,
    refundDate: date,
    status: 'Processed',
    type: input.type,
    methodType,
    gateway: input.gateway ?? (present.kind === 'payment' && electronic ? present.row.gateway : null),
    gatewayState: electronic ? 'Submitted' : 'NotSubmitted',
    sourceType: present.kind === 'payment' ? 'Payment' : 'CreditMemo',
    reasonCode: input.reasonCode ?? 'Standard Refund',
    referenceId: null,
    paymentMethodId: methodFor(tenant, methodType, electronic ? present.row.accountId : null).id,
    comment: input.comment ?? '',
  });
  tenant.save(tenant.refundApplications, {
    ...tenant.stamp(),
    refundId: refund.id,
    paymentId: present.kind === 'payment' ? present.row.id : null,
    creditMemoId: present.kind === 'credit-memo' ? present.row.id : null,
    amount: input.amount,
    accountId: refund.accountId,
    effectiveDate: date,
    applicationGroupId: tenant.newId(),
  });
  const event = present.kind === 'payment' ? 'PaymentRefundProcessed' : 'CreditMemoRefundProcessed';
  tenant.announce(event, { object: 'Refund', id: refund.id, number: refund.number, accountId: refund.accountId });
  return refund;
}

function sourceOf(tenant: Tenant, input: Pick<RefundInput, 'payment' | 'creditMemo'>): Source {
  if (input.payment !== undefined) return processedPayment(tenant, input.payment);
  return { kind: 'credit-memo', row: postedMemo(tenant, input.creditMemo ?? '') };
}

function postedMemo(tenant: Tenant, key: string): CreditMemo {
  const memo = tenant.need(tenant.creditMemos, key);
  if (memo.status !== 'Posted') throw new ControlError(`credit memo ${memo.number} is ${memo.status}, not posted`);
  return memo;
}

function freeForRefund(tenant: Tenant, source: Source, input: RefundInput, date: string): void {
  const again = (): Source => sourceOf(tenant, source.kind === 'payment' ? { payment: source.row.id } : { creditMemo: source.row.id });
  if (Array.isArray(input.unapply)) {
    for (const row of input.unapply) unapply(tenant, again(), owedOf(tenant, row), { amount: row.amount, date: row.date ?? date });
  } else if (input.unapply === true) {
    const free = source.kind === 'payment' ? source.row.unappliedAmount : source.row.balance;
    let missing = subtract(input.amount, free);
    for (const { owed, amount } of appliedParts(tenant, source.row.id)) {
      if (!isPositive(missing)) return;
      const taken = compare(amount, missing) > 0 ? missing : amount;
      unapply(tenant, again(), owed, { amount: taken, date });
      missing = subtract(missing, taken);
    }
  }
}

/** Without Invoice Settlement the rows stay; the invoices note what was paid back and are open again by that much. */
function refundApplied(tenant: Tenant, source: Source, amount: string): void {
  if (source.kind !== 'payment') throw new ControlError('Invoice Settlement is off: there are no credit memos');
  const { row } = source;
  if (compare(add(row.refundAmount, amount), row.amount) > 0) throw new ControlError(`${row.number} cannot be refunded beyond its amount`);
  let left = amount;
  for (const application of tenant.paymentApplications.by('sourceId', row.id).reverse()) {
    const free = subtract(application.amount, application.refundAmount);
    const taken = compare(free, left) > 0 ? left : free;
    if (!isPositive(taken)) continue;
    left = subtract(left, taken);
    tenant.change(tenant.paymentApplications, application, { refundAmount: add(application.refundAmount, taken) });
    moveSettled(tenant, owedOf(tenant, { invoice: application.invoiceId ?? '' }), { refund: taken });
  }
  tenant.change(tenant.payments, row, { refundAmount: add(row.refundAmount, amount) });
}

/** The money comes back to the payment or memo it was taken from. */
export function cancelRefund(tenant: Tenant, key: string): Refund {
  requireSettlement(tenant, 'refunds that can be canceled');
  const refund = tenant.need(tenant.refunds, key);
  if (refund.status !== 'Processed') throw new ControlError(`refund ${refund.number} is ${refund.status}`);
  if (refund.type !== 'External') throw new ControlError(`refund ${refund.number} is electronic: the money is gone`);
  for (const row of tenant.refundApplications.by('refundId', refund.id)) {
    const source: Source =
      row.paymentId === null
        ? { kind: 'credit-memo', row: tenant.need(tenant.creditMemos, row.creditMemoId ?? '') }
        : { kind: 'payment', row: tenant.need(tenant.payments, row.paymentId) };
    moveSource(tenant, source, { refunded: negate(row.amount) });
    tenant.refundApplications.delete(row.id);
  }
  return tenant.change(tenant.refunds, refund, { status: 'Canceled' });
}

/**
 * The bank takes an electronic payment back after the fact: the payment stays Processed, and an external refund
 * appears that nobody asked for. With Invoice Settlement the documents are open again.
 */
export function chargeback(
  tenant: Tenant,
  back: Pick<RefundInput, 'number' | 'date'> & {
    readonly payment: string;
    readonly amount?: string | undefined;
    readonly reasonCode: string;
  },
): Refund {
  const { row } = processedPayment(tenant, back.payment);
  return createRefund(tenant, {
    number: back.number,
    date: back.date,
    payment: row.id,
    amount: back.amount ?? subtract(row.amount, row.refundAmount),
    reasonCode: back.reasonCode,
    type: 'External',
    methodType: 'Other',
    unapply: true,
  });
}
