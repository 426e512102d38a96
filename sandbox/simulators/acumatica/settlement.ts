import { add, compare, type Decimal, isPositive, isZero, multiply, negate, round, subtract } from '../../../lib/values/decimal.ts';
import { appliers, balanceOf, findTarget, noteAppliers, pendingRows, remainingOf } from './applications.ts';
import type { Company } from './company.ts';
import { documentKey } from './document-types.ts';
import { invoiceStatus } from './invoices.ts';
import { type Posting, postBatch } from './ledger.ts';
import { payerOf, refreshPayment } from './payments.ts';
import { type Application, amount, customText, type Document, flag, type Row, setDetails, text } from './rows.ts';

/** Marks a pending row as the opposite of a released application, by its number. */
export const reversesField = 'Adjustments.VoidAdjNbr';

/** Turns the pending rows of a released document into applications and brings the balances on both sides up to date. */
export function applyPending(company: Company, payer: Document, batch: string): void {
  const rows = pendingRows(payer);
  if (rows.length === 0) return;
  const { date, period } = payerOf(payer);
  const payerType = text(payer, 'Type');
  noteAppliers(company, payer, payerType);
  for (const row of rows) {
    const target = findTarget(company, payerType, text(row, 'DocType'), text(row, 'ReferenceNbr'));
    if (!target) continue;
    const reverses = reversedBy(payer, row);
    const batchNumber = postDifferences(company, payer, { target, row, date, period }) || batch;
    if (reverses) {
      payer.history.push(reversalOf(payer, reverses, { date, period, batch: batchNumber }));
      refreshTarget(company, target);
      continue;
    }
    const application: Application = {
      number: payer.history.length + 1,
      type: text(row, 'DocType'),
      reference: text(row, 'ReferenceNbr'),
      amount: amount(row, 'AmountPaid'),
      discount: amount(row, 'CashDiscountTaken'),
      writeOff: amount(row, 'BalanceWriteOff'),
      date,
      period,
      batch: batchNumber,
      reversed: false,
    };
    payer.history.push(application);
    refreshTarget(company, target);
  }
  setDetails(payer, 'DocumentsToApply', []);
  refreshAround(company, payer);
}

/** The application a row added by Reverse Application takes back. */
function reversedBy(payer: Document, row: Row): Application | undefined {
  const number = row.custom?.[reversesField];
  return payer.history.find((application) => application.number === number);
}

/** Cash discounts, write-offs and exchange differences of one application have entries of their own. */
function postDifferences(
  company: Company,
  payer: Document,
  at: { readonly target: Document; readonly row: Row; readonly date: string; readonly period: string },
): string {
  const { target, row } = at;
  const paid = amount(row, 'AmountPaid');
  const discount = amount(row, 'CashDiscountTaken');
  const writeOff = amount(row, 'BalanceWriteOff');
  const base = (value: Decimal, rate: Decimal) => round(multiply(value, rate), company.precisionOf(company.state.baseCurrency));
  const gain = target.fields['PaymentAmount'] === undefined ? subtract(base(paid, payer.rate), base(paid, target.rate)) : '0';
  if (isZero(discount) && isZero(writeOff) && isZero(gain)) return '';
  const settled = add(discount, writeOff);
  const common = {
    reference: text(payer, 'ReferenceNbr'),
    type: text(payer, 'Type'),
    customer: text(payer, 'CustomerID'),
    text: 'Application',
  };
  const accounts = company.state.accounts;
  const receivable = text(target, 'LinkARAccount') || accounts.receivable;
  const postings: Posting[] = [
    { ...common, account: accounts.cashDiscount, amount: discount, base: base(discount, target.rate) },
    { ...common, account: accounts.writeOff, amount: writeOff, base: base(writeOff, target.rate) },
    { ...common, account: receivable, amount: negate(settled), base: negate(base(settled, target.rate)) },
    // Only the base currency knows the difference between the two rates.
    { ...common, account: receivable, amount: '0', base: gain },
    { ...common, account: accounts.exchangeGain, amount: '0', base: negate(gain) },
  ];
  const batch = postBatch(company, {
    module: 'AR',
    date: at.date,
    period: at.period,
    branch: text(payer, 'Branch'),
    currency: payer.currency,
    rate: target.rate,
    description: `Application of ${text(payer, 'ReferenceNbr')}`,
    postings,
  });
  return text(batch, 'BatchNbr');
}

/** Reverses every live application of a document: each gets a row with the opposite amounts. */
export function reverseApplications(
  company: Company,
  payer: Document,
  at: { readonly date: string; readonly period: string; readonly batch: string },
): Application[] {
  const reversals = payer.history.filter((application) => !application.reversed).map((application) => reversalOf(payer, application, at));
  return reversals.map((reversal) => {
    const number = payer.history.length + 1;
    const row = { ...reversal, number };
    payer.history.push(row);
    refreshNamed(company, payer, reversal);
    return row;
  });
}

/** Marks an application as reversed and returns its opposite. */
function reversalOf(
  payer: Document,
  application: Application,
  at: { readonly date: string; readonly period: string; readonly batch: string },
): Application {
  application.reversed = true;
  return {
    ...application,
    number: payer.history.length + 1,
    amount: negate(application.amount),
    discount: negate(application.discount),
    writeOff: negate(application.writeOff),
    date: at.date,
    period: at.period,
    batch: at.batch,
    reversed: true,
  };
}

function refreshNamed(company: Company, payer: Document, application: Application): void {
  const target = findTarget(company, text(payer, 'Type'), application.type, application.reference);
  if (target) refreshTarget(company, target);
}

/** Brings balance and status of a document that money was applied to up to date. */
function refreshTarget(company: Company, target: Document): void {
  target.fields['LastModifiedDateTime'] = company.now();
  if (target.fields['PaymentAmount'] !== undefined) {
    refreshAround(company, target);
    return;
  }
  target.fields['Balance'] = balanceOf(company, target);
  target.fields['Status'] = invoiceStatus(company, target);
  company.invoices.put(target);
}

/** The same for a paying document; a credit memo has two faces, one on each form. */
export function refreshAround(company: Company, payer: Document): void {
  refreshPayment(company, payer);
  payer.fields['LastModifiedDateTime'] = company.now();
  company.payments.put(payer);
  if (text(payer, 'Type') !== 'Credit Memo') return;
  const memo = company.invoices.get(documentKey('Credit Memo', text(payer, 'ReferenceNbr')));
  if (!memo) return;
  memo.fields['Balance'] = remainingOf(company, payer);
  memo.fields['Status'] = invoiceStatus(company, memo);
  memo.fields['LastModifiedDateTime'] = company.now();
  company.invoices.put(memo);
}

/** Applies what is left of a payment to the oldest open documents when the customer wants that. */
export function autoApply(company: Company, payer: Document): void {
  const customer = company.customers.get(text(payer, 'CustomerID'));
  if (!customer || !flag(customer, 'AutoApplyPayments') || text(payer, 'Type') !== 'Payment') return;
  const { date } = payerOf(payer);
  const open = company.invoices
    .withText('Customer', text(customer, 'CustomerID'))
    .filter((document) => document.released && text(document, 'Type') !== 'Credit Memo' && text(document, 'Date') <= date)
    .filter((document) => document.currency === payer.currency && isPositive(amount(document, 'Balance')))
    .sort((left, right) => (text(left, 'DueDate') < text(right, 'DueDate') ? -1 : 1));
  const rows: Row[] = [];
  let free = remainingOf(company, payer);
  for (const document of open) {
    if (!isPositive(free)) break;
    const balance = amount(document, 'Balance');
    const paid = compare(balance, free) < 0 ? balance : free;
    free = subtract(free, paid);
    rows.push({
      id: company.newId(),
      fields: { DocType: text(document, 'Type'), ReferenceNbr: text(document, 'ReferenceNbr'), AmountPaid: paid, CashDiscountTaken: '0' },
    });
  }
  setDetails(payer, 'DocumentsToApply', rows);
  applyPending(company, payer, customText(payer, 'CurrentDocument.BatchNbr'));
}

/** Whether somebody's refund consumed part of this document. */
export function isRefunded(company: Company, payment: Document): boolean {
  return appliers(company, payment).some((applier) =>
    applier.history.some((application) => !application.reversed && application.reference === text(payment, 'ReferenceNbr')),
  );
}
