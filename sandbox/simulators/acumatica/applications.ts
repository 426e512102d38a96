import { add, compare, type Decimal, isNegative, isPositive, isZero, multiply, subtract, sum } from '../../../lib/values/decimal.ts';
import { assign, mergeDetails } from './assign.ts';
import type { Company } from './company.ts';
import { documentKey, documentType, targetsOf } from './document-types.ts';
import { isEarlierPeriod } from './periods.ts';
import { cannotBeFound, type Problems } from './refusals.ts';
import { amount, customText, type Document, detailsOf, type Row, setDetails, text } from './rows.ts';
import type { Input } from './wire-read.ts';

/** The document whose money is applied, as the rules of an application see it. */
export interface Payer {
  readonly document: Document;
  readonly type: string;
  readonly customer: string;
  readonly date: string;
  readonly period: string;
}

/** The document a row names: invoices and debit memos on one form, payments and memos (for refunds) on the other. */
export function findTarget(company: Company, payerType: string, type: string, reference: string): Document | undefined {
  const key = documentKey(type, reference);
  return payerType === 'Refund' || payerType === 'Voided Refund' ? company.payments.get(key) : company.invoices.get(key);
}

/** Pending rows of a payment: those that its next release will apply. */
export function pendingRows(document: Document): Row[] {
  return detailsOf(document, 'DocumentsToApply');
}

/** Merges `DocumentsToApply`: type and reference number are the key of a row. */
export function mergeApplications(company: Company, payer: Payer, inputs: readonly Input[], problems: Problems): void {
  const { document } = payer;
  const rows = mergeDetails(company, pendingRows(document), inputs, {
    problems,
    sameKey: (row, input) =>
      documentKey(text(row, 'DocType'), text(row, 'ReferenceNbr')) ===
      documentKey(documentType(String(input.fields.get('DocType') ?? 'Invoice')) ?? '', String(input.fields.get('ReferenceNbr') ?? '')),
    fill: (row, input) => {
      assign(company, 'PaymentDetail', { row, problems }, input, [
        'DocType',
        'ReferenceNbr',
        'DocLineNbr',
        'AmountPaid',
        'CashDiscountTaken',
        'BalanceWriteOff',
        'WriteOffReasonCode',
      ]);
      const written = text(row, 'DocType') || 'Invoice';
      row.fields['DocType'] = documentType(written) ?? written;
    },
  });
  setDetails(document, 'DocumentsToApply', rows);
  for (const row of rows) checkApplication(company, payer, row, problems);
}

export function checkApplication(company: Company, payer: Payer, row: Row, problems: Problems): void {
  // A row that takes a released application back was checked when that one was made.
  if (isNegative(amount(row, 'AmountPaid')) && row.custom !== undefined) return;
  const type = documentType(text(row, 'DocType'));
  if (!type || !targetsOf(payer.type).includes(type)) {
    problems.add(row, 'DocType', `The list value '${text(row, 'DocType')}' is not allowed for the DocType field.`);
    return;
  }
  const target = findTarget(company, payer.type, type, text(row, 'ReferenceNbr'));
  const isOpen = target?.released === true && !target.voided;
  if (!isOpen || !mayPay(company, payer, target)) {
    problems.add(row, 'ReferenceNbr', cannotBeFound('Reference Nbr.'));
    return;
  }
  row.fields['ReferenceNbr'] = text(target, 'ReferenceNbr');
  row.fields['CustomerOrder'] = target.fields['CustomerOrder'] ?? null;
  row.fields['Description'] = target.fields['Description'] ?? null;
  if (target.currency !== payer.document.currency) {
    problems.add(row, 'ReferenceNbr', `The currency of the document, ${target.currency}, differs from the currency of the payment.`);
    return;
  }
  checkDates(payer, target, row, problems);
  checkAmounts(company, payer, { row, target, problems });
}

/** Same customer, or a child of the paying customer. */
function mayPay(company: Company, payer: Payer, target: Document): boolean {
  const owner = text(target, 'Customer') || text(target, 'CustomerID');
  if (owner === payer.customer) return true;
  const customer = company.customers.get(owner);
  return company.preferences.parentChild && customer !== undefined && text(customer, 'ParentRecord') === payer.customer;
}

function checkDates(payer: Payer, target: Document, row: Row, problems: Problems): void {
  const date = text(target, 'Date') || customText(target, 'CurrentDocument.DocDate') || text(target, 'ApplicationDate');
  const period = text(target, 'PostPeriod') || customText(target, 'Document.AdjFinPeriodID');
  if (payer.date < date) problems.add(row, 'ReferenceNbr', 'Application Date cannot be less than Document Date.');
  else if (period !== '' && payer.period !== '' && isEarlierPeriod(payer.period, period))
    problems.add(row, 'ReferenceNbr', 'Application Period cannot be less than Document Financial Period.');
}

function checkAmounts(
  company: Company,
  payer: Payer,
  { row, target, problems }: { readonly row: Row; readonly target: Document; readonly problems: Problems },
): void {
  const { document } = payer;
  const open = subtract(balanceOf(company, target), pendingOn(company, target, document));
  if (row.fields['CashDiscountTaken'] === undefined) row.fields['CashDiscountTaken'] = discountOf(company, payer, target, open);
  const discount = amount(row, 'CashDiscountTaken');
  const writeOff = amount(row, 'BalanceWriteOff');
  const payable = subtract(subtract(open, discount), writeOff);
  if (row.fields['AmountPaid'] === undefined) {
    const others = sum(
      pendingRows(document)
        .filter((other) => other !== row)
        .map((other) => amount(other, 'AmountPaid')),
    );
    const free = subtract(remainingOf(company, document), others);
    row.fields['AmountPaid'] = compare(free, payable) < 0 ? free : payable;
  }
  const paid = company.inCurrency(amount(row, 'AmountPaid'), document.currency);
  row.fields['AmountPaid'] = paid;
  if (isNegative(paid)) problems.add(row, 'AmountPaid', 'Incorrect value. The value to be entered must be greater than or equal to 0.');
  else if (compare(paid, payable) > 0)
    problems.add(row, 'AmountPaid', `Incorrect value. The value to be entered must be less than or equal to ${payable}.`);
  if (isPositive(writeOff) && text(row, 'WriteOffReasonCode') === '')
    problems.add(row, 'WriteOffReasonCode', "'Write-Off Reason Code' cannot be empty.");
}

/** A row that says nothing about the cash discount takes what the credit terms of the document still grant. */
function discountOf(company: Company, payer: Payer, target: Document, open: Decimal): Decimal {
  const terms = company.termsOf(text(target, 'Terms'));
  if (!terms || isZero(terms.discountPercent) || payer.date > customText(target, 'Document.DiscDate')) return '0';
  if (payer.type !== 'Payment' && payer.type !== 'Prepayment') return '0';
  const granted = company.inCurrency(multiply(amount(target, 'Amount'), multiply(terms.discountPercent, '0.01')), target.currency);
  return compare(granted, open) > 0 ? open : granted;
}

/** What other documents are about to apply to this one. */
function pendingOn(company: Company, target: Document, except: Document): Decimal {
  return sum(
    appliers(company, target)
      .filter((applier) => applier.id !== except.id && !applier.unsaved)
      .flatMap((applier) => pendingRows(applier).filter((row) => namesTarget(row, target)))
      .map((row) => add(add(amount(row, 'AmountPaid'), amount(row, 'CashDiscountTaken')), amount(row, 'BalanceWriteOff'))),
  );
}

function namesTarget(row: Row, target: Document): boolean {
  return text(row, 'DocType') === text(target, 'Type') && text(row, 'ReferenceNbr') === text(target, 'ReferenceNbr');
}

/** Documents that have applied, or are about to apply, money to this one. */
export function appliers(company: Company, target: Document): Document[] {
  return target.appliedBy.flatMap((key) => company.payments.get(key) ?? []);
}

/** Remembers on the targets who applies to them, so that balances are found without a search. */
export function noteAppliers(company: Company, payer: Document, payerType: string): void {
  const key = company.payments.keyOf(payer);
  for (const row of pendingRows(payer)) {
    const target = findTarget(company, payerType, text(row, 'DocType'), text(row, 'ReferenceNbr'));
    if (target && !target.appliedBy.includes(key)) target.appliedBy.push(key);
  }
}

/** Released applications of others onto this document. */
export function applicationsOnto(company: Company, target: Document): { readonly applier: Document; readonly index: number }[] {
  return appliers(company, target).flatMap((applier) =>
    applier.history.flatMap((application, index) =>
      application.type === text(target, 'Type') && application.reference === text(target, 'ReferenceNbr') ? [{ applier, index }] : [],
    ),
  );
}

/** What of a payment, memo or refund is neither applied nor refunded (pending rows not counted). */
export function remainingOf(company: Company, payment: Document): Decimal {
  if (payment.voided) return '0';
  const given = sum(payment.history.map((application) => application.amount));
  const taken = sum(applicationsOnto(company, payment).map(({ applier, index }) => applier.history[index]?.amount ?? '0'));
  return subtract(subtract(amount(payment, 'PaymentAmount'), given), taken);
}

/** The open balance of a document that money can be applied to. */
export function balanceOf(company: Company, target: Document): Decimal {
  if (target.fields['PaymentAmount'] !== undefined) return remainingOf(company, target);
  if (text(target, 'Type') === 'Credit Memo') {
    const memo = company.payments.get(documentKey('Credit Memo', text(target, 'ReferenceNbr')));
    return memo ? remainingOf(company, memo) : amount(target, 'Amount');
  }
  const paid = applicationsOnto(company, target).map(({ applier, index }) => {
    const application = applier.history[index];
    return application ? add(add(application.amount, application.discount), application.writeOff) : '0';
  });
  return subtract(amount(target, 'Amount'), sum(paid));
}
