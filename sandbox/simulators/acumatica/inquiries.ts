import { add, compare, type Decimal, subtract } from '../../../lib/values/decimal.ts';
import { type Company, parsePeriod, periodOrder } from './company.ts';
import { ledgerLines, netOf } from './ledger.ts';
import { businessError } from './refusals.ts';
import { type Document, type Row, setDetails, text } from './rows.ts';
import type { Input } from './wire-read.ts';

/** The forms that only answer: `PUT` with the filter, rows under `Results`. */
export function inquire(company: Company, name: string, input: Input): Row | undefined {
  if (name === 'AccountDetailsForPeriodInquiry') return accountDetails(company, input);
  if (name === 'AccountSummaryInquiry') return accountSummary(company, input);
  if (name === 'CompaniesStructure') return companiesStructure(company);
  return undefined;
}

function filterRow(company: Company, input: Input, fields: readonly string[]): Row {
  return { id: company.newId(), fields: Object.fromEntries(fields.map((field) => [field, input.fields.get(field) ?? null])) };
}

/** Module, batch and reference number of every ledger line between two periods. */
function accountDetails(company: Company, input: Input): Row {
  const inquiry = filterRow(company, input, ['FromPeriod', 'ToPeriod', 'Ledger', 'IncludeUnposted', 'IncludeUnreleased']);
  const from = parsePeriod(text(inquiry, 'FromPeriod'));
  const to = parsePeriod(text(inquiry, 'ToPeriod')) ?? from;
  if (!from || !to) throw businessError("'From Period' cannot be empty.");
  const ledger = text(inquiry, 'Ledger') || company.actualLedger();
  const rows: Row[] = [];
  for (const { batch, entry } of ledgerLines(company)) {
    const period = text(batch, 'PostPeriod');
    const posted = text(batch, 'Status') === 'Posted';
    if (periodOrder(period) < periodOrder(from) || periodOrder(period) > periodOrder(to)) continue;
    if (text(batch, 'LedgerID') !== ledger || (!posted && inquiry.fields['IncludeUnposted'] !== true)) continue;
    rows.push({
      id: company.newId(),
      fields: {
        Account: entry.account,
        Subaccount: entry.subaccount,
        Branch: batch.fields['BranchID'] ?? null,
        BatchNumber: text(batch, 'BatchNbr'),
        Module: text(batch, 'Module'),
        PeriodID: period,
        TransactionDate: batch.fields['TransactionDate'] ?? null,
        TransactionType: entry.type,
        RefNumber: entry.reference,
        CustomerVendor: entry.customer,
        TransactionDescription: entry.text,
        Currency: batch.currency,
        DebitAmount: entry.debit,
        CreditAmount: entry.credit,
        DebitAmountInBaseCurrency: entry.baseDebit,
        CreditAmountInBaseCurrency: entry.baseCredit,
        Ledger: ledger,
        Posted: posted,
        Released: true,
        LastModifiedDateTime: batch.fields['LastModifiedDateTime'] ?? null,
      },
    });
  }
  setDetails(inquiry, 'Results', rows);
  return inquiry;
}

interface Totals {
  before: Decimal;
  debit: Decimal;
  credit: Decimal;
  last: string;
}

/** Balances of one period in the base currency, each with the natural sign of its account. */
function accountSummary(company: Company, input: Input): Row {
  const inquiry = filterRow(company, input, ['Ledger', 'Period', 'Branch', 'Subaccount', 'AccountClass']);
  const period = parsePeriod(text(inquiry, 'Period'));
  if (!period) throw businessError("'Financial Period' cannot be empty.");
  const totals = new Map<string, Totals>();
  for (const { batch, entry } of ledgerLines(company)) {
    if (!counts(batch, inquiry, period)) continue;
    const key = `${entry.account}|${entry.subaccount}|${text(batch, 'BranchID')}`;
    const sums = totals.get(key) ?? { before: '0', debit: '0', credit: '0', last: '' };
    if (text(batch, 'PostPeriod') === period) {
      sums.debit = add(sums.debit, entry.baseDebit);
      sums.credit = add(sums.credit, entry.baseCredit);
    } else sums.before = add(sums.before, netOf(entry));
    if (periodOrder(text(batch, 'PostPeriod')) > periodOrder(sums.last)) sums.last = text(batch, 'PostPeriod');
    totals.set(key, sums);
  }
  const rows = [...totals].sort(([left], [right]) => (left < right ? -1 : 1)).map(([key, sums]) => summaryRow(company, key, sums));
  setDetails(inquiry, 'Results', rows);
  return inquiry;
}

function counts(batch: Document, inquiry: Row, period: string): boolean {
  const ledger = text(inquiry, 'Ledger');
  const branch = text(inquiry, 'Branch');
  return (
    text(batch, 'Status') === 'Posted' &&
    compare(periodOrder(text(batch, 'PostPeriod')), periodOrder(period)) <= 0 &&
    (ledger === '' || text(batch, 'LedgerID') === ledger) &&
    (branch === '' || text(batch, 'BranchID') === branch)
  );
}

function summaryRow(company: Company, key: string, sums: Totals): Row {
  const [account = '', subaccount = '', branch = ''] = key.split('|');
  const row = company.find('Account', account);
  const type = row ? text(row, 'Type') : 'Asset';
  const natural = (value: Decimal) => (type === 'Liability' || type === 'Income' ? subtract('0', value) : value);
  const change = subtract(sums.debit, sums.credit);
  return {
    id: company.newId(),
    fields: {
      Account: account,
      Subaccount: subaccount,
      Branch: branch,
      Description: row?.fields['Description'] ?? null,
      Type: type,
      BeginningBalance: natural(sums.before),
      DebitTotal: sums.debit,
      CreditTotal: sums.credit,
      PtdTotal: natural(change),
      EndingBalance: natural(add(sums.before, change)),
      LastActivity: sums.last,
    },
  };
}

function companiesStructure(company: Company): Row {
  const row: Row = { id: company.newId(), fields: {} };
  setDetails(
    row,
    'Results',
    company.state.branches.map((branch) => ({
      id: company.newId(),
      fields: {
        CompanyID: company.state.companyId,
        CompanyName: company.state.companyName,
        CompanyType: 'Without Branches',
        CompanyStatus: true,
        BranchID: branch.id,
        BranchName: branch.name,
        BranchStatus: branch.active,
        BaseCurrencyID: company.state.baseCurrency,
      },
    })),
  );
  return row;
}

/** `FinancialPeriod` and `CompanyFinancialPeriod`: a year of the calendar with its periods. */
export function financialYears(company: Company, name: 'FinancialPeriod' | 'CompanyFinancialPeriod'): Row[] {
  const years = [...new Set(company.state.periods.map((period) => period.id.slice(2)))].sort();
  return years.map((year) => {
    const periods = company.state.periods
      .filter((period) => period.id.slice(2) === year)
      .sort((left, right) => (periodOrder(left.id) < periodOrder(right.id) ? -1 : 1));
    const row: Row = {
      id: `00000000-0000-0000-0000-${(name === 'FinancialPeriod' ? '1' : '2') + year.padStart(11, '0')}`,
      fields: {
        FinancialYear: year,
        NbrOfPeriods: periods.length,
        StartDate: periods[0]?.startDate ?? null,
        ...(name === 'CompanyFinancialPeriod' ? { Company: company.state.companyId } : { UserDefinedPeriods: false }),
      },
    };
    setDetails(
      row,
      'Details',
      periods.map((period, index) => periodRow(row.id, period, index)),
    );
    return row;
  });
}

function periodRow(yearId: string, period: Company['state']['periods'][number], index: number): Row {
  return {
    id: `${yearId.slice(0, 9)}${String(index + 1).padStart(4, '0')}${yearId.slice(13)}`,
    fields: {
      FinancialPeriodID: period.id,
      PeriodNbr: period.id.slice(0, 2),
      Description: period.id,
      StartDate: period.startDate,
      EndDate: period.endDate,
      Status: period.status,
      ClosedInAR: period.closedInAR || period.status === 'Closed' || period.status === 'Locked',
      ClosedInAP: period.status === 'Closed' || period.status === 'Locked',
      ClosedInCA: period.status === 'Closed' || period.status === 'Locked',
      ClosedInIN: period.status === 'Closed' || period.status === 'Locked',
      ClosedInFA: period.status === 'Closed' || period.status === 'Locked',
      AdjustmentPeriod: false,
    },
  };
}
