import { compare, isNegative, isZero, subtract, sum } from '../../../lib/values/decimal.ts';
import { mergeApplications, noteAppliers, type Payer, pendingRows, remainingOf } from './applications.ts';
import { assign, assignCustom, checkSelector, type RequestContext } from './assign.ts';
import { type Company, parsePeriod, shownPeriod } from './company.ts';
import { customerRefusal } from './customers.ts';
import { documentKey, documentType, paymentTypes } from './document-types.ts';
import { checkRate, newDocument, numberDocument, unreleasedStatus } from './documents.ts';
import { closedBecause, isEarlierPeriod, periodFor } from './periods.ts';
import { cannotBeEmpty, cannotBeFound, Problems, RecordRefused } from './refusals.ts';
import { amount, customText, type Document, detailsOf, draftOf, flag, setCustom, text } from './rows.ts';
import type { Input } from './wire-read.ts';

interface Work {
  readonly document: Document;
  readonly input: Input;
  readonly problems: Problems;
  readonly context: RequestContext;
  readonly inserting: boolean;
}

/** Saves the form Payments and Applications: inserts, or updates `existing`. Nothing is stored when a problem is found. */
export function savePayment(company: Company, existing: Document | undefined, input: Input, context: RequestContext): Document {
  const problems = new Problems();
  const document = existing ? draftOf(existing) : newPayment(company, input);
  const work: Work = { document, input, problems, context, inserting: !existing };
  if (isVoiding(document)) changeVoiding(company, work);
  else if (document.released) changeReleased(company, work);
  else changeUnreleased(company, work);
  if (input.note !== undefined) document.note = input.note;
  document.fields['LastModifiedDateTime'] = company.now();
  if (problems.any) throw new RecordRefused(document, problems, !existing);
  if (!existing && !company.isManual('Payment'))
    document.fields['ReferenceNbr'] = company.nextNumber('Payment', (number) =>
      paymentTypes.some((type) => company.payments.get(documentKey(type, number)) !== undefined),
    );
  delete document.unsaved;
  refreshPayment(company, document);
  company.payments.put(document);
  // A voiding document shows the opposite of rows that the original made; they are not applications of its own.
  if (!isVoiding(document)) noteAppliers(company, document, text(document, 'Type'));
  return document;
}

export function isVoiding(document: Document): boolean {
  return text(document, 'Type') === 'Voided Payment' || text(document, 'Type') === 'Voided Refund';
}

function newPayment(company: Company, input: Input): Document {
  const written = String(input.fields.get('Type') ?? 'Payment');
  const document = newDocument(company, {
    Type: documentType(written) ?? written,
    ReferenceNbr: input.fields.get('ReferenceNbr') ?? null,
    Hold: company.preferences.holdEntry,
    PaymentAmount: '0',
    AppliedToOrders: '0',
    IsCCPayment: false,
    CustomerLocationID: 'MAIN',
  });
  document.fields['NoteID'] = document.id;
  return document;
}

function changeUnreleased(company: Company, work: Work): void {
  const { document, input, problems, inserting } = work;
  const target = { row: document, problems };
  if (inserting) {
    const type = documentType(text(document, 'Type'));
    // Credit memos are born on the other form, voided documents by an action.
    if (type !== 'Payment' && type !== 'Prepayment' && type !== 'Refund') {
      problems.add(document, 'Type', `The list value '${text(document, 'Type')}' is not allowed for the Type field.`);
      return;
    }
    numberDocument(company, document, { field: 'ReferenceNbr', label: 'Reference Nbr.', sequence: 'Payment', problems });
  }
  chooseCustomer(company, work);
  chooseMethod(company, work);
  chooseBranch(company, work);
  assign(company, 'Payment', target, input, [
    'PaymentAmount',
    'PaymentRef',
    'ExternalRef',
    'Description',
    'ApplicationDate',
    'OrigTransaction',
  ]);
  document.fields['PaymentAmount'] = company.inCurrency(amount(document, 'PaymentAmount'), document.currency);
  if (isNegative(amount(document, 'PaymentAmount')))
    problems.add(document, 'PaymentAmount', 'Incorrect value. The value to be entered must be greater than or equal to 0.');
  if (text(document, 'ApplicationDate') === '') document.fields['ApplicationDate'] = work.context.businessDate;
  setCustom(document, 'CurrentDocument.DocDate', text(document, 'ApplicationDate'));
  choosePeriod(company, work);
  assignCustom('Payment', document, withoutPeriod(input));
  checkRate(company, document, { dateField: 'ApplicationDate', problems });
  const hold = input.fields.get('Hold');
  if (typeof hold === 'boolean') document.fields['Hold'] = hold;
  if (company.preferences.requireExtRef && text(document, 'PaymentRef') === '')
    problems.add(document, 'PaymentRef', cannotBeEmpty('Payment Ref.'));
  mergeCharges(company, work);
  const rows = input.details.get('DocumentsToApply') ?? [];
  mergeApplications(company, payerOf(document), rows, problems);
  checkSum(company, work);
}

/** A released payment takes new rows, dated by their own application date; everything else about it is fixed. */
function changeReleased(company: Company, work: Work): void {
  const { document, input, problems } = work;
  if (document.voided || isZero(remainingOf(company, document))) {
    if ((input.details.get('DocumentsToApply') ?? []).length > 0)
      problems.add(document, 'Status', `The document is ${text(document, 'Status')}; no applications can be added to it.`);
    return;
  }
  const hold = input.fields.get('Hold');
  if (typeof hold === 'boolean') document.fields['Hold'] = hold;
  const rows = input.details.get('DocumentsToApply');
  const sentDate = input.fields.get('ApplicationDate');
  if (!rows && sentDate === undefined) return;
  const defaulted = defaultApplicationDate(document, work.context.businessDate);
  document.fields['ApplicationDate'] = typeof sentDate === 'string' ? sentDate : defaulted;
  choosePeriod(company, work);
  mergeApplications(company, payerOf(document), rows ?? [], problems);
  checkSum(company, work);
}

/** An open payment shows the business date as the date of its next application. */
export function defaultApplicationDate(document: Document, businessDate: string): string {
  const stored = text(document, 'ApplicationDate');
  const open = document.released && !document.voided && text(document, 'Status') === 'Open' && pendingRows(document).length === 0;
  return open && !isVoiding(document) && stored < businessDate ? businessDate : stored;
}

/** Of a voiding document only date, period, description and hold may change. */
function changeVoiding(company: Company, work: Work): void {
  const { document, input, problems } = work;
  if (document.released) return;
  assign(company, 'Payment', { row: document, problems }, input, ['ApplicationDate', 'Description']);
  const hold = input.fields.get('Hold');
  if (typeof hold === 'boolean') document.fields['Hold'] = hold;
  choosePeriod(company, work);
  const original = originalOf(company, document);
  const period = original ? customText(original, 'Document.AdjFinPeriodID') : '';
  if (period !== '' && isEarlierPeriod(customText(document, 'Document.AdjFinPeriodID'), period))
    problems.add(
      document,
      'ApplicationDate',
      `Incorrect value. The value to be entered must be greater than or equal to ${shownPeriod(period)}.`,
    );
}

/** The document a Voided Payment or Voided Refund takes back: it has the same number. */
export function originalOf(company: Company, voiding: Document): Document | undefined {
  const reference = text(voiding, 'ReferenceNbr');
  if (text(voiding, 'Type') === 'Voided Refund') return company.payments.get(documentKey('Refund', reference));
  return company.payments.get(documentKey('Payment', reference)) ?? company.payments.get(documentKey('Prepayment', reference));
}

function chooseCustomer(company: Company, { document, input, problems, inserting }: Work): void {
  const sent = input.fields.get('CustomerID');
  if (sent === undefined && !inserting) return;
  if (sent === undefined || sent === null) {
    problems.add(document, 'CustomerID', cannotBeEmpty('Customer'));
    return;
  }
  const customer = company.customers.get(String(sent));
  document.fields['CustomerID'] = customer ? text(customer, 'CustomerID') : sent;
  if (!customer) {
    problems.add(document, 'CustomerID', cannotBeFound('Customer'));
    return;
  }
  const refusal = customerRefusal(customer);
  if (refusal) problems.add(document, 'CustomerID', refusal);
  if (inserting) document.currency = text(customer, 'CurrencyID') || company.state.baseCurrency;
}

/** The method decides the cash accounts, the cash account decides the currency. */
function chooseMethod(company: Company, { document, input, problems, inserting }: Work): void {
  const target = { row: document, problems };
  if (!inserting && !['PaymentMethod', 'CashAccount', 'CurrencyID'].some((field) => input.fields.has(field))) return;
  assign(company, 'Payment', target, input, ['PaymentMethod', 'CashAccount', 'CurrencyID']);
  if (text(document, 'PaymentMethod') === '') document.fields['PaymentMethod'] = defaultMethod(company, document);
  const method = company.find('PaymentMethod', text(document, 'PaymentMethod'));
  if (text(document, 'PaymentMethod') === '') {
    problems.add(document, 'PaymentMethod', cannotBeEmpty('Payment Method'));
    return;
  }
  if (!method || method.fields['Active'] === false || method.fields['UseInAR'] === false) {
    problems.add(document, 'PaymentMethod', cannotBeFound('Payment Method'));
    return;
  }
  document.fields['PaymentMethod'] = text(method, 'PaymentMethodID');
  const allowed = detailsOf(method, 'AllowedCashAccounts').filter((row) => row.fields['UseInAR'] !== false);
  if (text(document, 'CashAccount') === '')
    document.fields['CashAccount'] = allowed.find((row) => flag(row, 'ARDefault'))?.fields['CashAccount'] ?? null;
  const cash = text(document, 'CashAccount');
  if (cash === '') {
    problems.add(document, 'CashAccount', cannotBeEmpty('Cash Account'));
    return;
  }
  const row = allowed.find((other) => text(other, 'CashAccount').toUpperCase() === cash.toUpperCase());
  const account = company.find('Account', cash);
  if (!row || !account) {
    problems.add(document, 'CashAccount', cannotBeFound('Cash Account'));
    return;
  }
  if (account.fields['Active'] === false) {
    problems.add(document, 'CashAccount', `Account '${cash.padEnd(10)}' is inactive.`);
    return;
  }
  document.fields['CashAccount'] = text(row, 'CashAccount');
  const currency = text(account, 'CurrencyID') || company.state.baseCurrency;
  const sentCurrency = text(document, 'CurrencyID').toUpperCase();
  if (input.fields.has('CurrencyID') && sentCurrency !== currency)
    problems.add(document, 'CurrencyID', `The currency of the ${cash.padEnd(10)} cash account is ${currency}.`);
  const customer = company.customers.get(text(document, 'CustomerID'));
  if (customer && !flag(customer, 'EnableCurrencyOverride') && text(customer, 'CurrencyID') !== currency)
    problems.add(document, 'CurrencyID', `The currency of the customer is ${text(customer, 'CurrencyID')} and cannot be overridden.`);
  document.currency = currency;
  document.fields['CurrencyID'] = currency;
  setCustom(document, 'Document.CuryID', currency);
}

function defaultMethod(company: Company, document: Document): string | null {
  const customer = company.customers.get(text(document, 'CustomerID'));
  const customerClass = customer && company.find('CustomerClass', text(customer, 'CustomerClass'));
  return customerClass ? text(customerClass, 'PaymentMethod') || null : null;
}

function chooseBranch(company: Company, { document, input, problems, context }: Work): void {
  const target = { row: document, problems };
  assign(company, 'Payment', target, input, ['Branch']);
  const branchId = input.fields.get('BranchID');
  if (typeof branchId === 'string') document.fields['Branch'] = branchId;
  if (text(document, 'Branch') === '') document.fields['Branch'] = context.branch;
  checkSelector(target, 'Branch', (key) => company.branch(key)?.id);
  document.fields['BranchID'] = document.fields['Branch'] ?? null;
}

function withoutPeriod(input: Input): Input {
  const custom = new Map(input.custom);
  custom.delete('Document.AdjFinPeriodID');
  custom.delete('Document.CuryID');
  return { ...input, custom };
}

/** The application period: the one sent, or that of the application date; it must take postings. */
function choosePeriod(company: Company, { document, input, problems }: Work): void {
  const sent = input.custom.get('Document.AdjFinPeriodID');
  const own = typeof sent === 'string' ? parsePeriod(sent) : undefined;
  if (own) {
    const reason = closedBecause(company, own, 'AR');
    if (reason) problems.add(document, 'Document.AdjFinPeriodID', reason);
    setCustom(document, 'Document.AdjFinPeriodID', own);
    return;
  }
  const complaint = { row: document, field: 'ApplicationDate', problems };
  setCustom(document, 'Document.AdjFinPeriodID', periodFor(company, text(document, 'ApplicationDate'), 'AR', complaint));
}

function mergeCharges(company: Company, { document, input, problems }: Work): void {
  for (const charge of input.details.get('Charges') ?? []) {
    const row = { id: company.newId(), fields: { LineNbr: detailsOf(document, 'Charges').length + 1 } };
    assign(company, 'PaymentCharge', { row, problems }, charge, ['EntryTypeID', 'AccountID', 'SubID', 'Amount', 'Description']);
    if (text(row, 'AccountID') === '') problems.add(row, 'AccountID', cannotBeEmpty('Offset Account'));
    checkSelector({ row, problems }, 'AccountID', (key) => {
      const account = company.find('Account', key);
      return account ? text(account, 'AccountCD') : undefined;
    });
    document.details = { ...document.details, Charges: [...detailsOf(document, 'Charges'), row] };
  }
}

/** More cannot be applied than there is, unless the document is on hold. */
function checkSum(company: Company, { document, problems }: Work): void {
  const applied = sum(pendingRows(document).map((row) => amount(row, 'AmountPaid')));
  const available = remainingOf(company, document);
  if (!flag(document, 'Hold') && compare(applied, available) > 0)
    problems.add(document, 'PaymentAmount', 'The document is out of the balance.');
}

export function payerOf(document: Document): Payer {
  return {
    document,
    type: text(document, 'Type'),
    customer: text(document, 'CustomerID'),
    date: text(document, 'ApplicationDate'),
    period: customText(document, 'Document.AdjFinPeriodID'),
  };
}

/** Recomputes what the form shows: sums and status. `AppliedToDocuments` counts only rows that are not released yet. */
export function refreshPayment(company: Company, document: Document): void {
  const pending = sum(pendingRows(document).map((row) => amount(row, 'AmountPaid')));
  document.fields['AppliedToDocuments'] = pending;
  document.fields['AvailableBalance'] = isVoiding(document)
    ? document.released
      ? '0'
      : subtract(amount(document, 'PaymentAmount'), pending)
    : subtract(remainingOf(company, document), pending);
  document.fields['Status'] = paymentStatus(company, document);
}

function paymentStatus(company: Company, document: Document): string {
  if (document.voided) return 'Voided';
  if (document.released) {
    if (isVoiding(document) || isZero(remainingOf(company, document))) return 'Closed';
    return flag(document, 'Hold') ? 'Reserved' : 'Open';
  }
  const type = text(document, 'Type');
  const waiting = unreleasedStatus(company, document, type === 'Refund' ? 'Refund' : 'Payment');
  if (waiting && !(waiting === 'Pending Approval' && isVoiding(document))) return waiting;
  const method = company.find('PaymentMethod', text(document, 'PaymentMethod'));
  if (method && flag(method, 'IntegratedProcessing')) return 'Pending Processing';
  return 'Balanced';
}
