import { type Decimal, isZero, negate, subtract, sum } from '../../../lib/values/decimal.ts';
import { pendingRows } from './applications.ts';
import type { Company } from './company.ts';
import { checkRate, newDocument } from './documents.ts';
import { invoiceStatus } from './invoices.ts';
import { journalStatus, postingsOf } from './journals.ts';
import { entriesOf, type Posting, postBatch } from './ledger.ts';
import { isVoiding, originalOf, payerOf, refreshPayment } from './payments.ts';
import { closedBecause } from './periods.ts';
import { actionDisabled, businessError, cannotBeFound, Problems, RecordRefused } from './refusals.ts';
import { amount, customText, type Document, detailsOf, setCustom, setDetails, text } from './rows.ts';
import { applyPending, autoApply, refreshAround, reverseApplications } from './settlement.ts';

/** Releases an invoice, debit memo or credit memo: posts its batch, opens its balance. */
export function releaseInvoice(company: Company, document: Document): void {
  const status = text(document, 'Status');
  if (document.released) throw actionDisabled('Release');
  if (status !== 'Balanced')
    throw businessError(`AR Document ${text(document, 'ReferenceNbr')} has the ${status} status and cannot be released.`);
  checkReleasable(company, document, { period: text(document, 'PostPeriod'), field: 'PostPeriod', dateField: 'Date' });
  const isMemo = text(document, 'Type') === 'Credit Memo';
  const batch = postBatch(company, {
    module: 'AR',
    date: text(document, 'Date'),
    period: text(document, 'PostPeriod'),
    branch: text(document, 'LinkBranch'),
    currency: document.currency,
    rate: document.rate,
    description: text(document, 'Description'),
    postings: invoicePostings(company, document, isMemo),
  });
  document.released = true;
  document.fields['Balance'] = amount(document, 'Amount');
  setCustom(document, 'CurrentDocument.BatchNbr', text(batch, 'BatchNbr'));
  touch(company, document);
  document.fields['Status'] = invoiceStatus(company, document);
  company.invoices.put(document);
  if (isMemo) openMemo(company, document);
}

function invoicePostings(company: Company, document: Document, isMemo: boolean): Posting[] {
  const common = { reference: text(document, 'ReferenceNbr'), type: text(document, 'Type'), customer: text(document, 'Customer') };
  const toCredit = (value: Decimal) => (isMemo ? value : negate(value));
  const lines = detailsOf(document, 'Details').map((line) => ({
    ...common,
    account: text(line, 'Account'),
    subaccount: text(line, 'Subaccount'),
    amount: toCredit(amount(line, 'Amount')),
    text: text(line, 'TransactionDescription'),
  }));
  const taxes = detailsOf(document, 'TaxDetails').map((row) => ({
    ...common,
    account: text(company.find('Tax', text(row, 'TaxID')) ?? row, 'TaxPayableAccount'),
    amount: toCredit(amount(row, 'TaxAmount')),
    text: `Tax ${text(row, 'TaxID')}`,
  }));
  const total = sum([...lines, ...taxes].map((line) => line.amount));
  return [
    { ...common, account: text(document, 'LinkARAccount'), amount: negate(total), text: text(document, 'Description') },
    ...lines,
    ...taxes,
  ];
}

/** A released credit memo appears on the payments form under the same number; from there its money is applied or refunded. */
function openMemo(company: Company, memo: Document): void {
  const payment = newDocument(company, {
    Type: 'Credit Memo',
    ReferenceNbr: text(memo, 'ReferenceNbr'),
    CustomerID: text(memo, 'Customer'),
    CustomerLocationID: 'MAIN',
    ApplicationDate: text(memo, 'Date'),
    PaymentAmount: amount(memo, 'Amount'),
    CurrencyID: memo.currency,
    Description: memo.fields['Description'] ?? null,
    Branch: memo.fields['LinkBranch'] ?? null,
    BranchID: memo.fields['LinkBranch'] ?? null,
    AppliedToOrders: '0',
    IsCCPayment: false,
    Hold: false,
    NoteID: memo.id,
  });
  payment.id = memo.id;
  payment.currency = memo.currency;
  payment.rate = memo.rate;
  payment.released = true;
  setCustom(payment, 'CurrentDocument.DocDate', text(memo, 'Date'));
  setCustom(payment, 'Document.AdjFinPeriodID', text(memo, 'PostPeriod'));
  setCustom(payment, 'Document.CuryID', memo.currency);
  touch(company, payment);
  setDetails(
    payment,
    'DocumentsToApply',
    detailsOf(memo, 'ApplicationsCreditMemo').map((row) => ({ ...row, id: company.newId() })),
  );
  refreshPayment(company, payment);
  company.payments.put(payment);
  const batch = customText(memo, 'CurrentDocument.BatchNbr');
  if (pendingRows(payment).length > 0) applyPending(company, payment, batch);
  refreshAround(company, payment);
}

/** Releases a payment, refund or voiding document, or the new applications of an open one. */
export function releasePayment(company: Company, document: Document): void {
  const status = text(document, 'Status');
  const pending = pendingRows(document).length > 0;
  if (document.released && (!pending || document.voided)) throw actionDisabled('Release');
  if (status !== 'Balanced' && status !== 'Open')
    throw businessError(`AR Document ${text(document, 'ReferenceNbr')} has the ${status} status and cannot be released.`);
  checkReleasable(company, document, {
    period: customText(document, 'Document.AdjFinPeriodID'),
    field: 'ApplicationDate',
    dateField: 'ApplicationDate',
  });
  if (isVoiding(document)) releaseVoiding(company, document);
  else if (document.released) applyPending(company, document, '');
  else releaseMoney(company, document);
}

function releaseMoney(company: Company, document: Document): void {
  const batch = postCash(company, document);
  document.released = true;
  setCustom(document, 'CurrentDocument.BatchNbr', text(batch, 'BatchNbr'));
  setCustom(document, 'CurrentDocument.DocDate', text(document, 'ApplicationDate'));
  refreshPayment(company, document);
  touch(company, document);
  company.payments.put(document);
  applyPending(company, document, text(batch, 'BatchNbr'));
  autoApply(company, document);
}

/** Cash against accounts receivable; a voiding document carries negative amounts and so turns the sides around. */
function postCash(company: Company, document: Document): Document {
  const customer = company.customers.get(text(document, 'CustomerID'));
  const customerClass = customer && company.find('CustomerClass', text(customer, 'CustomerClass'));
  const receivable = (customerClass && text(customerClass, 'ARAccount')) || company.state.accounts.receivable;
  const isRefund = text(document, 'Type') === 'Refund' || text(document, 'Type') === 'Voided Refund';
  const received = isRefund ? negate(amount(document, 'PaymentAmount')) : amount(document, 'PaymentAmount');
  const common = {
    reference: text(document, 'ReferenceNbr'),
    type: text(document, 'Type'),
    customer: text(document, 'CustomerID'),
    text: text(document, 'Description'),
  };
  const charges = detailsOf(document, 'Charges').map((row) => ({
    ...common,
    account: text(row, 'AccountID'),
    amount: amount(row, 'Amount'),
  }));
  const fees = sum(charges.map((charge) => charge.amount));
  return postBatch(company, {
    module: 'AR',
    date: text(document, 'ApplicationDate'),
    period: customText(document, 'Document.AdjFinPeriodID'),
    branch: text(document, 'Branch'),
    currency: document.currency,
    rate: document.rate,
    description: text(document, 'Description'),
    postings: [
      { ...common, account: text(document, 'CashAccount'), amount: subtract(received, fees) },
      ...charges,
      { ...common, account: receivable, amount: negate(received) },
    ],
  });
}

/** Takes a payment or refund back: its applications are reversed, the document is voided, the cash entry turned around. */
function releaseVoiding(company: Company, voiding: Document): void {
  const original = originalOf(company, voiding);
  if (!original) throw businessError(cannotBeFound('Original Document'));
  const batch = postCash(company, voiding);
  const payer = payerOf(voiding);
  const reversed = reverseApplications(company, original, {
    date: payer.date,
    period: payer.period,
    batch: text(batch, 'BatchNbr'),
  });
  voiding.released = true;
  voiding.history = reversed;
  setDetails(voiding, 'DocumentsToApply', []);
  setCustom(voiding, 'CurrentDocument.BatchNbr', text(batch, 'BatchNbr'));
  setCustom(voiding, 'CurrentDocument.DocDate', payer.date);
  refreshPayment(company, voiding);
  touch(company, voiding);
  company.payments.put(voiding);
  original.voided = true;
  refreshAround(company, original);
}

/** Releases an entered batch; the ledger takes its lines at once, posted or not. */
export function releaseJournal(company: Company, document: Document): void {
  const status = text(document, 'Status');
  if (document.released) throw actionDisabled('Release');
  if (status !== 'Balanced') throw businessError(`Batch ${text(document, 'BatchNbr')} has the ${status} status and cannot be released.`);
  const problems = new Problems();
  checkRate(company, document, { dateField: 'TransactionDate', problems });
  const reason = closedBecause(company, text(document, 'PostPeriod'), 'GL');
  if (reason) problems.add(document, 'PostPeriod', reason);
  if (problems.any) throw new RecordRefused(document, problems, false);
  document.entries = entriesOf(company, { postings: postingsOf(document), rate: document.rate });
  document.released = true;
  document.fields['Status'] = journalStatus(company, document);
  touch(company, document);
  company.batches.put(document);
}

/** Period, rate and accounts may have changed since the document was saved. */
function checkReleasable(
  company: Company,
  document: Document,
  at: { readonly period: string; readonly field: string; readonly dateField: string },
): void {
  const problems = new Problems();
  const reason = closedBecause(company, at.period, 'AR');
  if (reason) problems.add(document, at.field, reason);
  if (!document.released && !isVoiding(document)) checkRate(company, document, { dateField: at.dateField, problems });
  for (const line of detailsOf(document, 'Details')) {
    const account = company.find('Account', text(line, 'Account'));
    if (account?.fields['Active'] === false && !isZero(amount(line, 'Amount')))
      problems.add(line, 'Account', `Account '${text(line, 'Account').padEnd(10)}' is inactive.`);
  }
  if (problems.any) throw new RecordRefused(document, problems, false);
}

export function touch(company: Company, document: Document): void {
  document.fields['LastModifiedDateTime'] = company.now();
}
