import { compare, isZero, subtract, sum } from '../../../lib/values/decimal.ts';
import { assign, assignCustom, checkAccount, checkSelector, checkSubaccount, mergeDetails, type RequestContext } from './assign.ts';
import { type Company, parsePeriod } from './company.ts';
import { checkRate, defaultDate, newDocument, numberDocument, unreleasedStatus } from './documents.ts';
import { closedBecause, periodFor } from './periods.ts';
import { cannotBeEmpty, cannotBeFound, Problems, RecordRefused } from './refusals.ts';
import { amount, type Document, detailsOf, draftOf, flag, type Row, setDetails, text } from './rows.ts';
import type { Input } from './wire-read.ts';

interface Work {
  readonly document: Document;
  readonly input: Input;
  readonly problems: Problems;
  readonly context: RequestContext;
}

/** Saves the form Journal Transactions. Only batches of the module GL can be entered. */
export function saveJournal(company: Company, existing: Document | undefined, input: Input, context: RequestContext): Document {
  const problems = new Problems();
  const document = existing ? draftOf(existing) : newJournal(company, input);
  if (!document.released) changeUnreleased(company, { document, input, problems, context }, !existing);
  if (input.note !== undefined) document.note = input.note;
  document.fields['LastModifiedDateTime'] = company.now();
  if (problems.any) throw new RecordRefused(document, problems, !existing);
  if (!existing && !company.isManual('JournalTransaction'))
    document.fields['BatchNbr'] = company.nextNumber('Batch GL', (number) => company.batches.get(`GL|${number}`) !== undefined);
  company.batches.put(document);
  return document;
}

function newJournal(company: Company, input: Input): Document {
  return newDocument(company, {
    Module: String(input.fields.get('Module') ?? 'GL').toUpperCase(),
    BatchNbr: input.fields.get('BatchNbr') ?? null,
    Hold: company.preferences.holdEntry,
    LedgerID: company.actualLedger(),
  });
}

function changeUnreleased(company: Company, work: Work, inserting: boolean): void {
  const { document, input, problems, context } = work;
  const target = { row: document, problems };
  if (inserting) {
    if (text(document, 'Module') !== 'GL') problems.add(document, 'Module', 'Only batches of the GL module can be created on this form.');
    numberDocument(company, document, { field: 'BatchNbr', label: 'Batch Number', sequence: 'JournalTransaction', problems });
  }
  assign(company, 'JournalTransaction', target, input, ['LedgerID', 'BranchID', 'TransactionDate', 'Description', 'CurrencyID', 'Hold']);
  if (text(document, 'BranchID') === '') document.fields['BranchID'] = context.branch;
  checkSelector(target, 'BranchID', (key) => company.branch(key)?.id, 'Branch');
  checkSelector(target, 'LedgerID', (key) => (company.find('Ledger', key) ? key.toUpperCase() : undefined), 'Ledger');
  chooseCurrency(company, target);
  defaultDate(document, 'TransactionDate', context);
  choosePeriod(company, work);
  assignCustom('JournalTransaction', document, input);
  checkRate(company, document, { dateField: 'TransactionDate', problems });
  const lines = input.details.get('Details');
  if (lines) mergeLines(company, work, lines);
  checkBalance(target);
  document.fields['Status'] = journalStatus(company, document);
}

function chooseCurrency(company: Company, target: { readonly row: Document; readonly problems: Problems }): void {
  const { row, problems } = target;
  if (text(row, 'CurrencyID') === '') row.fields['CurrencyID'] = company.state.baseCurrency;
  const currency = company.find('Currency', text(row, 'CurrencyID'));
  if (!currency || currency.fields['Active'] === false) problems.add(row, 'CurrencyID', cannotBeFound('Currency'));
  else row.currency = text(currency, 'CurrencyID');
}

function choosePeriod(company: Company, { document, input, problems }: Work): void {
  const sent = input.fields.get('PostPeriod');
  if (typeof sent === 'string') {
    const period = parsePeriod(sent);
    document.fields['PostPeriod'] = period ?? sent;
    const reason = period ? closedBecause(company, period, 'GL') : cannotBeFound('Post Period');
    if (reason) problems.add(document, 'PostPeriod', reason);
  } else if (input.fields.has('TransactionDate') || text(document, 'PostPeriod') === '')
    document.fields['PostPeriod'] = periodFor(company, text(document, 'TransactionDate'), 'GL', {
      row: document,
      field: 'PostPeriod',
      problems,
    });
}

/** `Description` of a line is the description of its account and cannot be written; the text of a line is TransactionDescription. */
function mergeLines(company: Company, { document, problems }: Work, inputs: readonly Input[]): void {
  const rows = mergeDetails(company, detailsOf(document, 'Details'), inputs, {
    problems,
    sameKey: (row, input) => input.fields.get('LineNbr') !== undefined && row.fields['LineNbr'] === input.fields.get('LineNbr'),
    fill: (row, input, inserted) => {
      if (inserted) {
        row.fields['LineNbr'] = document.nextLine;
        document.nextLine += 1;
        row.fields['BranchID'] = document.fields['BranchID'] ?? null;
      }
      const target = { row, problems };
      assign(company, 'JournalTransactionDetail', target, input, [
        'BranchID',
        'Account',
        'Subaccount',
        'TransactionDescription',
        'ReferenceNbr',
        'Qty',
        'UOM',
        'Project',
        'ProjectTask',
        'CostCode',
        'IsNonPM',
        'NonBillable',
        'VendorOrCustomer',
      ]);
      chooseSide(company, document, row, input);
      if (text(row, 'Account') === '') problems.add(row, 'Account', cannotBeEmpty('Account'));
      else checkAccount(company, target, { field: 'Account', currency: document.currency });
      row.fields['Description'] = company.find('Account', text(row, 'Account'))?.fields['Description'] ?? null;
      checkSubaccount(company, target);
      checkSelector(target, 'BranchID', (key) => company.branch(key)?.id, 'Branch');
    },
  });
  setDetails(document, 'Details', rows);
}

/** A line has one side: entering one clears the other. */
function chooseSide(company: Company, document: Document, row: Row, input: Input): void {
  for (const [side, other] of [
    ['DebitAmount', 'CreditAmount'],
    ['CreditAmount', 'DebitAmount'],
  ] as const) {
    const sent = input.fields.get(side);
    if (typeof sent !== 'string') continue;
    row.fields[side] = company.inCurrency(sent, document.currency);
    if (!isZero(sent)) row.fields[other] = '0';
  }
  row.fields['DebitAmount'] ??= '0';
  row.fields['CreditAmount'] ??= '0';
}

function checkBalance(target: { readonly row: Document; readonly problems: Problems }): void {
  const { row, problems } = target;
  if (flag(row, 'Hold')) return;
  const rows = detailsOf(row, 'Details');
  const debits = sum(rows.map((line) => amount(line, 'DebitAmount')));
  const credits = sum(rows.map((line) => amount(line, 'CreditAmount')));
  if (compare(debits, credits) !== 0 || rows.length === 0) problems.add(row, 'BatchNbr', 'The document is out of the balance.');
  const control = row.custom?.['BatchModule.CuryControlTotal'];
  if (typeof control === 'string' && compare(control, debits) !== 0)
    problems.add(row, 'BatchModule.CuryControlTotal', 'The document is out of the balance.');
}

export function journalStatus(company: Company, document: Document): string {
  if (document.released) return company.preferences.autoPost ? 'Posted' : 'Unposted';
  return unreleasedStatus(company, document, 'JournalTransaction') ?? 'Balanced';
}

/** The lines of an entered batch as postings: debits positive, credits negative. */
export function postingsOf(document: Document) {
  return detailsOf(document, 'Details').map((line) => ({
    account: text(line, 'Account'),
    subaccount: text(line, 'Subaccount'),
    amount: subtract(amount(line, 'DebitAmount'), amount(line, 'CreditAmount')),
    reference: text(line, 'ReferenceNbr'),
    type: '',
    customer: '',
    text: text(line, 'TransactionDescription'),
  }));
}
