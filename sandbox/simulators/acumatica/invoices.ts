import { addDays } from '../../../lib/values/calendar-date.ts';
import { add, compare, equal, isNegative, isZero, sum } from '../../../lib/values/decimal.ts';
import { assign, assignCustom, checkAccount, checkSelector, type RequestContext } from './assign.ts';
import { type Company, parsePeriod } from './company.ts';
import { customerRefusal } from './customers.ts';
import { documentKey, documentType, invoiceTypes } from './document-types.ts';
import { checkRate, defaultDate, newDocument, numberDocument, unreleasedStatus } from './documents.ts';
import { mergeLines, taxesOf } from './invoice-lines.ts';
import { mergeMemoApplications } from './memo-applications.ts';
import { closedBecause, periodFor } from './periods.ts';
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

/** Saves the form Invoices and Memos: inserts, or updates `existing`. Nothing is stored when a problem is found. */
export function saveInvoice(company: Company, existing: Document | undefined, input: Input, context: RequestContext): Document {
  const problems = new Problems();
  const document = existing ? draftOf(existing) : newInvoice(company, input);
  const work: Work = { document, input, problems, context, inserting: !existing };
  if (document.released) changeReleased(company, work);
  else changeUnreleased(company, work);
  if (input.note !== undefined) document.note = input.note;
  document.fields['LastModifiedDateTime'] = company.now();
  if (problems.any) throw new RecordRefused(document, problems, !existing);
  if (!existing && !company.isManual(sequenceOf(document))) {
    const type = text(document, 'Type');
    document.fields['ReferenceNbr'] = company.nextNumber(sequenceOf(document), (number) => isTaken(company, type, number));
  }
  company.invoices.put(document);
  return document;
}

function sequenceOf(document: Document): string {
  const type = text(document, 'Type');
  return type === 'Debit Memo' || type === 'Credit Memo' ? type : 'Invoice';
}

function isTaken(company: Company, type: string, number: string): boolean {
  return company.invoices.get(documentKey(type, number)) !== undefined;
}

function newInvoice(company: Company, input: Input): Document {
  const written = String(input.fields.get('Type') ?? 'Invoice');
  return newDocument(company, {
    Type: documentType(written) ?? written,
    ReferenceNbr: input.fields.get('ReferenceNbr') ?? null,
    Hold: company.preferences.holdEntry,
    IsTaxValid: false,
    BillingPrinted: false,
    LocationID: 'MAIN',
    Project: 'X',
  });
}

/** A released document keeps its amounts; a few texts and the due date may still change. Anything else sent is ignored. */
function changeReleased(company: Company, { document, input, problems }: Work): void {
  assign(company, 'Invoice', { row: document, problems }, input, ['CustomerOrder', 'Description']);
  if (text(document, 'Type') !== 'Credit Memo') assign(company, 'Invoice', { row: document, problems }, input, ['DueDate']);
}

function changeUnreleased(company: Company, work: Work): void {
  const { document, input, problems, inserting } = work;
  const target = { row: document, problems };
  if (inserting) {
    const type = documentType(text(document, 'Type'));
    if (!type || !invoiceTypes.includes(type)) {
      problems.add(document, 'Type', `The list value '${text(document, 'Type')}' is not allowed for the Type field.`);
      return;
    }
    numberDocument(company, document, { field: 'ReferenceNbr', label: 'Reference Nbr.', sequence: sequenceOf(document), problems });
  }
  chooseCustomer(company, work);
  assign(company, 'Invoice', target, input, [
    'LinkARAccount',
    'LinkBranch',
    'Project',
    'CustomerOrder',
    'Description',
    'IsTaxValid',
    'LocationID',
  ]);
  if (text(document, 'LinkBranch') === '') document.fields['LinkBranch'] = work.context.branch;
  checkSelector(target, 'LinkBranch', (key) => company.branch(key)?.id, 'Branch');
  chooseCurrency(company, work);
  chooseDates(company, work);
  assignCustom('Invoice', document, withoutCurrency(input));
  checkTaxZone(company, work);
  if (text(document, 'LinkARAccount') !== '') checkAccount(company, target, { field: 'LinkARAccount', currency: document.currency });
  const lines = input.details.get('Details');
  if (lines) mergeLines(company, document, lines, problems);
  taxesOf(company, document, input.details.get('TaxDetails'), problems);
  const hold = input.fields.get('Hold');
  if (typeof hold === 'boolean') document.fields['Hold'] = hold;
  totals(company, work);
  if (text(document, 'Type') === 'Credit Memo')
    mergeMemoApplications(company, document, input.details.get('ApplicationsCreditMemo') ?? [], problems);
  document.fields['Status'] = invoiceStatus(company, document);
}

/** Sent as a custom field, the currency is decided by the customer's right to override it. */
function withoutCurrency(input: Input): Input {
  const custom = new Map(input.custom);
  custom.delete('Document.CuryID');
  return { ...input, custom };
}

function chooseCustomer(company: Company, { document, input, problems, inserting }: Work): void {
  const sent = input.fields.get('Customer');
  if (sent === undefined && !inserting) return;
  const customer = company.customers.get(String(sent ?? ''));
  if (sent === undefined || sent === null) {
    problems.add(document, 'Customer', cannotBeEmpty('Customer'));
    return;
  }
  if (!customer) {
    document.fields['Customer'] = sent;
    problems.add(document, 'Customer', cannotBeFound('Customer'));
    return;
  }
  const changed = text(document, 'Customer') !== text(customer, 'CustomerID');
  document.fields['Customer'] = text(customer, 'CustomerID');
  const refusal = customerRefusal(customer);
  if (refusal) problems.add(document, 'Customer', refusal);
  if (!changed) return;
  document.currency = text(customer, 'CurrencyID') || company.state.baseCurrency;
  const customerClass = company.find('CustomerClass', text(customer, 'CustomerClass'));
  document.fields['LinkARAccount'] = customerClass?.fields['ARAccount'] ?? company.state.accounts.receivable;
  document.fields['Terms'] = text(document, 'Type') === 'Credit Memo' ? null : (customer.fields['Terms'] ?? null);
  setCustom(document, 'CurrentDocument.TaxZoneID', customer.fields['TaxZone'] ?? null);
  setCustom(document, 'CurrentDocument.DontPrint', customer.fields['PrintInvoices'] !== true);
  setCustom(document, 'CurrentDocument.DontEmail', customer.fields['SendInvoicesbyEmail'] !== true);
}

/** The field is disabled, and a value for it ignored, unless the customer may override the currency. */
function chooseCurrency(company: Company, { document, input, problems }: Work): void {
  const sent = input.custom.get('Document.CuryID');
  const customer = company.customers.get(text(document, 'Customer'));
  if (typeof sent === 'string' && customer && flag(customer, 'EnableCurrencyOverride')) {
    const currency = company.find('Currency', sent);
    if (!currency || currency.fields['Active'] === false) problems.add(document, 'Document.CuryID', cannotBeFound('Currency'));
    else document.currency = text(currency, 'CurrencyID');
  }
  setCustom(document, 'Document.CuryID', document.currency);
}

function chooseDates(company: Company, work: Work): void {
  const { document, input, problems } = work;
  const target = { row: document, problems };
  assign(company, 'Invoice', target, input, ['Date']);
  defaultDate(document, 'Date', work.context);
  const sentPeriod = input.fields.get('PostPeriod');
  if (typeof sentPeriod === 'string') {
    const period = parsePeriod(sentPeriod);
    document.fields['PostPeriod'] = period ?? sentPeriod;
    const reason = period ? closedBecause(company, period, 'AR') : cannotBeFound('Post Period');
    if (reason) problems.add(document, 'PostPeriod', reason);
  } else if (input.fields.has('Date') || text(document, 'PostPeriod') === '')
    document.fields['PostPeriod'] = periodFor(company, text(document, 'Date'), 'AR', { row: document, field: 'PostPeriod', problems });
  if (text(document, 'Type') === 'Credit Memo') {
    document.fields['Terms'] = null;
    document.fields['DueDate'] = null;
  } else dueDates(company, work);
  checkRate(company, document, { dateField: 'Date', problems });
}

function dueDates(company: Company, { document, input, problems }: Work): void {
  const target = { row: document, problems };
  assign(company, 'Invoice', target, input, ['Terms']);
  checkSelector(target, 'Terms', (key) => company.termsOf(key)?.id);
  const terms = company.termsOf(text(document, 'Terms'));
  const date = text(document, 'Date');
  if (input.fields.has('Terms') || input.fields.has('Date') || text(document, 'DueDate') === '') {
    document.fields['DueDate'] = addDays(date, terms?.dueDays ?? 0);
    setCustom(document, 'Document.DiscDate', addDays(date, terms?.discountDays ?? 0));
  }
  if (input.fields.get('DueDate') !== null) assign(company, 'Invoice', target, input, ['DueDate']);
}

function checkTaxZone(company: Company, { document, problems }: Work): void {
  const zone = customText(document, 'CurrentDocument.TaxZoneID');
  if (zone !== '' && !company.find('TaxZone', zone)) problems.add(document, 'CurrentDocument.TaxZoneID', cannotBeFound('Tax Zone'));
}

function totals(company: Company, { document, input, problems }: Work): void {
  const total = add(sum(detailsOf(document, 'Details').map((line) => amount(line, 'Amount'))), amount(document, 'TaxTotal'));
  const sent = input.fields.get('Amount');
  if (company.preferences.requireControlTotal) {
    if (typeof sent === 'string') document.fields['Amount'] = company.inCurrency(sent, document.currency);
    else if (document.fields['Amount'] === undefined) document.fields['Amount'] = '0';
    if (!flag(document, 'Hold') && !equal(amount(document, 'Amount'), total))
      problems.add(document, 'Amount', 'The document is out of the balance.');
  } else document.fields['Amount'] = total;
  document.fields['Balance'] = amount(document, 'Amount');
  if (isNegative(total) && !flag(document, 'Hold')) problems.add(document, 'Amount', 'Document Total cannot be negative.');
}

/** Where an invoice or memo stands in its life. */
export function invoiceStatus(company: Company, document: Document): string {
  if (document.voided) return 'Voided';
  if (document.released) return isZero(amount(document, 'Balance')) ? 'Closed' : 'Open';
  const type = text(document, 'Type');
  const waiting = unreleasedStatus(company, document, type === 'Credit Memo' || type === 'Debit Memo' ? type : 'Invoice');
  if (waiting) return waiting;
  if (type !== 'Credit Memo' && isOnCreditHold(company, document)) return 'Credit Hold';
  if (
    company.preferences.printBeforeRelease &&
    document.custom?.['CurrentDocument.DontPrint'] !== true &&
    !flag(document, 'BillingPrinted')
  )
    return 'Pending Print';
  if (company.preferences.emailBeforeRelease && document.custom?.['CurrentDocument.DontEmail'] !== true) return 'Pending Email';
  return 'Balanced';
}

function isOnCreditHold(company: Company, document: Document): boolean {
  const customer = company.customers.get(text(document, 'Customer'));
  if (!customer || document.approval === 'approved') return false;
  if (text(customer, 'Status') === 'Credit Hold') return true;
  const limit = amount(customer, 'CreditLimit');
  if (isZero(limit)) return false;
  const open = company.invoices
    .withText('Customer', text(customer, 'CustomerID'))
    .filter((other) => other.released && text(other, 'Type') !== 'Credit Memo' && other.id !== document.id);
  return compare(add(sum(open.map((other) => amount(other, 'Balance'))), amount(document, 'Amount')), limit) > 0;
}
