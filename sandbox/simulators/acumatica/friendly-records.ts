import { add, type Decimal, normal, subtract } from '../../../lib/values/decimal.ts';
import { pendingRows } from './applications.ts';
import type { Company } from './company.ts';
import { ledgerLines, netOf } from './ledger.ts';
import type { Operations } from './operations.ts';
import { amount, customText, type Document, detailsOf, type Row, text } from './rows.ts';
import type { Sessions } from './sessions.ts';

type Friendly = Readonly<Record<string, unknown>>;

/** What `records(noun)` shows, in the shapes of the seed plus what the system added. Amounts are plain decimal texts. */
export function friendlyRecords(
  noun: string,
  of: { readonly company: Company; readonly sessions: Sessions; readonly operations: Operations },
): readonly Friendly[] | undefined {
  const { company } = of;
  switch (noun) {
    case 'customers':
      return company.customers.all().map(customer);
    case 'invoices':
      return company.invoices.all().map(invoice);
    case 'payments':
      return company.payments
        .all()
        .filter((document) => !document.unsaved)
        .map(payment);
    case 'journals':
      return company.batches
        .all()
        .filter((document) => text(document, 'Module') === 'GL')
        .map(batch);
    case 'batches':
      return company.batches.all().map(batch);
    case 'gl':
      return ledger(company);
    case 'sessions':
      return of.sessions.active().map((session) => ({ ...session }));
    case 'operations':
      return of.operations.list.map((operation) => ({ ...operation }));
    case 'periods':
      return company.state.periods.map((period) => ({ ...period }));
    case 'accounts':
      return company.references.Account.all().map((row) => ({
        code: text(row, 'AccountCD'),
        description: text(row, 'Description'),
        type: text(row, 'Type'),
        active: row.fields['Active'] !== false,
        cash: row.fields['CashAccount'] === true,
        currency: text(row, 'CurrencyID'),
      }));
    default:
      return undefined;
  }
}

export const friendlyNouns = 'customers, invoices, payments, journals, batches, gl, sessions, operations, periods, accounts';

/** Fields that have a value, under friendly names. */
function named(row: Row, names: Readonly<Record<string, string>>): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(names)) {
    const value = row.fields[field];
    if (value !== undefined && value !== null && value !== '') shown[name] = value;
  }
  return shown;
}

function customer(row: Row): Friendly {
  const main = row.linked?.['MainContact'] ?? { id: '', fields: {} };
  const address = main.linked?.['Address'] ?? { id: '', fields: {} };
  return {
    ...named(row, {
      id: 'CustomerID',
      name: 'CustomerName',
      accountRef: 'AccountRef',
      class: 'CustomerClass',
      currency: 'CurrencyID',
      currencyOverride: 'EnableCurrencyOverride',
      terms: 'Terms',
      status: 'Status',
      parent: 'ParentRecord',
      taxZone: 'TaxZone',
      taxId: 'TaxRegistrationID',
      autoApplyPayments: 'AutoApplyPayments',
      printInvoices: 'PrintInvoices',
      emailInvoices: 'SendInvoicesbyEmail',
      lastModified: 'LastModifiedDateTime',
    }),
    ...named(main, { email: 'Email', attention: 'Attention', phone: 'Phone1', contactName: 'DisplayName' }),
    ...named(address, {
      line1: 'AddressLine1',
      line2: 'AddressLine2',
      city: 'City',
      state: 'State',
      postal: 'PostalCode',
      country: 'Country',
    }),
    guid: row.id,
  };
}

const decimalOf = (row: Row, field: string): Decimal => normal(amount(row, field));

function invoice(document: Document): Friendly {
  return {
    ...named(document, {
      type: 'Type',
      ref: 'ReferenceNbr',
      customer: 'Customer',
      reference: 'CustomerOrder',
      customerOrder: 'CustomerOrder',
      description: 'Description',
      date: 'Date',
      dueDate: 'DueDate',
      terms: 'Terms',
      period: 'PostPeriod',
      status: 'Status',
      hold: 'Hold',
      branch: 'LinkBranch',
      arAccount: 'LinkARAccount',
      lastModified: 'LastModifiedDateTime',
    }),
    currency: document.currency,
    amount: decimalOf(document, 'Amount'),
    balance: decimalOf(document, 'Balance'),
    taxTotal: decimalOf(document, 'TaxTotal'),
    released: document.released,
    batch: customText(document, 'CurrentDocument.BatchNbr'),
    lines: detailsOf(document, 'Details').map((line) => ({
      ...named(line, {
        account: 'Account',
        subaccount: 'Subaccount',
        text: 'TransactionDescription',
        taxCategory: 'TaxCategory',
        branch: 'Branch',
      }),
      qty: decimalOf(line, 'Qty'),
      price: decimalOf(line, 'UnitPrice'),
      amount: decimalOf(line, 'Amount'),
      ...(line.custom ? { custom: { ...line.custom } } : {}),
    })),
    taxes: detailsOf(document, 'TaxDetails').map((row) => ({
      id: text(row, 'TaxID'),
      taxable: decimalOf(row, 'TaxableAmount'),
      amount: decimalOf(row, 'TaxAmount'),
    })),
    guid: document.id,
  };
}

function payment(document: Document): Friendly {
  return {
    ...named(document, {
      type: 'Type',
      ref: 'ReferenceNbr',
      customer: 'CustomerID',
      reference: 'PaymentRef',
      paymentRef: 'PaymentRef',
      description: 'Description',
      method: 'PaymentMethod',
      cashAccount: 'CashAccount',
      applicationDate: 'ApplicationDate',
      status: 'Status',
      hold: 'Hold',
      branch: 'Branch',
      lastModified: 'LastModifiedDateTime',
    }),
    currency: document.currency,
    date: customText(document, 'CurrentDocument.DocDate'),
    period: customText(document, 'Document.AdjFinPeriodID'),
    deposit: customText(document, 'CurrentDocument.DepositNbr'),
    batch: customText(document, 'CurrentDocument.BatchNbr'),
    amount: decimalOf(document, 'PaymentAmount'),
    available: decimalOf(document, 'AvailableBalance'),
    appliedToDocuments: decimalOf(document, 'AppliedToDocuments'),
    released: document.released,
    voided: document.voided,
    applications: document.history.map((application) => ({
      type: application.type,
      ref: application.reference,
      amount: normal(application.amount),
      discount: normal(application.discount),
      writeOff: normal(application.writeOff),
      date: application.date,
      period: application.period,
      batch: application.batch,
      reversed: application.reversed,
    })),
    pending: pendingRows(document).map((row) => ({
      type: text(row, 'DocType'),
      ref: text(row, 'ReferenceNbr'),
      amount: decimalOf(row, 'AmountPaid'),
      discount: decimalOf(row, 'CashDiscountTaken'),
    })),
    guid: document.id,
  };
}

function batch(document: Document): Friendly {
  const entered = detailsOf(document, 'Details').map((line) => ({
    account: text(line, 'Account'),
    subaccount: text(line, 'Subaccount'),
    debit: decimalOf(line, 'DebitAmount'),
    credit: decimalOf(line, 'CreditAmount'),
    ref: text(line, 'ReferenceNbr'),
    text: text(line, 'TransactionDescription'),
  }));
  return {
    ...named(document, {
      module: 'Module',
      number: 'BatchNbr',
      description: 'Description',
      date: 'TransactionDate',
      period: 'PostPeriod',
      ledger: 'LedgerID',
      status: 'Status',
      hold: 'Hold',
      lastModified: 'LastModifiedDateTime',
    }),
    currency: document.currency,
    released: document.released,
    lines: entered.length > 0 ? entered : (document.entries ?? []).map((entry) => ({ ...entry })),
    guid: document.id,
  };
}

interface AccountSums {
  debit: Decimal;
  credit: Decimal;
  net: Decimal;
  readonly byCurrency: Record<string, Decimal>;
  readonly entries: Friendly[];
}

/** Balances in the base currency with the natural sign of the account, `net` as debit minus credit, and every entry. */
function ledger(company: Company): readonly Friendly[] {
  const sums = new Map<string, AccountSums>();
  for (const { batch: source, entry } of ledgerLines(company)) {
    const account = sums.get(entry.account) ?? { debit: '0', credit: '0', net: '0', byCurrency: {}, entries: [] };
    sums.set(entry.account, account);
    account.debit = add(account.debit, entry.baseDebit);
    account.credit = add(account.credit, entry.baseCredit);
    account.net = add(account.net, netOf(entry));
    const inCurrency = subtract(entry.debit, entry.credit);
    account.byCurrency[source.currency] = add(account.byCurrency[source.currency] ?? '0', inCurrency);
    account.entries.push({
      batch: text(source, 'BatchNbr'),
      module: text(source, 'Module'),
      date: text(source, 'TransactionDate'),
      period: text(source, 'PostPeriod'),
      currency: source.currency,
      debit: normal(entry.debit),
      credit: normal(entry.credit),
      type: entry.type,
      ref: entry.reference,
      customer: entry.customer,
      text: entry.text,
    });
  }
  return [...sums]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([code, account]) => {
      const row = company.find('Account', code);
      const type = row ? text(row, 'Type') : '';
      const credits = type === 'Liability' || type === 'Income';
      return {
        account: code,
        description: row ? text(row, 'Description') : '',
        type,
        balance: credits ? subtract('0', account.net) : account.net,
        net: account.net,
        debit: account.debit,
        credit: account.credit,
        byCurrency: account.byCurrency,
        entries: account.entries,
      };
    });
}
