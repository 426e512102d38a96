import * as z from 'zod';
import { addDays } from '../../../lib/values/calendar-date.ts';
import { ControlError } from '../kit.ts';
import { type Company, type Period, type ReferenceEntity, referenceKeys } from './company.ts';
import { saveCustomer } from './customers.ts';
import { documentType, invoiceTypes } from './document-types.ts';
import { saveInvoice } from './invoices.ts';
import { Licence, type Numbering, Preferences } from './options.ts';
import { savePayment } from './payments.ts';
import { plainInput } from './plain-input.ts';
import { RecordRefused, Refusal } from './refusals.ts';
import { releaseInvoice, releasePayment } from './release.ts';
import { type Cell, type Document, type Row, text } from './rows.ts';
import { Seed, type SeededCustomer, type SeededDocument } from './seed-shapes.ts';
import type { Sessions } from './sessions.ts';

/** Merges records into the company: setup by its keys, customers and opening documents as new ones. */
export function seed(company: Company, sessions: Sessions, records: unknown): void {
  const parsed = Seed.safeParse(records);
  if (!parsed.success) throw new ControlError(`the seed is not understood: ${z.prettifyError(parsed.error)}`);
  const given = parsed.data;
  seedCompany(company, given.company);
  seedSetup(company, given);
  seedPeriods(company, given.periods ?? []);
  for (const client of given.clients ?? [])
    sessions.state.clients = [...sessions.state.clients.filter((other) => other.clientId !== client.clientId), client];
  for (const user of given.users ?? []) sessions.state.users = [...sessions.state.users.filter((other) => other.name !== user.name), user];
  permissive(company, () => {
    for (const customer of given.customers ?? []) seedCustomer(company, customer);
    for (const document of given.documents ?? []) seedDocument(company, document);
  });
}

function seedCompany(company: Company, given: Seed['company']): void {
  if (!given) return;
  const { state } = company;
  if (given.id !== undefined) state.companyId = given.id;
  if (given.name !== undefined) state.companyName = given.name;
  if (given.baseCurrency !== undefined) state.baseCurrency = given.baseCurrency;
  if (given.branches) state.branches = given.branches;
  state.preferences = Preferences.parse({ ...state.preferences, ...given.preferences });
  state.licence = Licence.parse({ ...state.licence, ...given.licence });
  if (given.numbering) company.setNumbering(given.numbering);
  for (const [role, account] of Object.entries(given.accounts ?? {}))
    if (account !== undefined) state.accounts[role as keyof typeof state.accounts] = account;
}

function put(company: Company, entity: ReferenceEntity, fields: Record<string, Cell>, extra?: Pick<Row, 'details' | 'custom'>): void {
  const store = company.references[entity];
  const former = store.get(String(fields[referenceKeys[entity]]));
  const now = company.now();
  store.put({
    id: former?.id ?? company.newId(),
    fields: { CreatedDateTime: now, ...former?.fields, ...fields, LastModifiedDateTime: now },
    ...extra,
  });
}

const rowsOf = (company: Company, rows: readonly Record<string, Cell>[]): Row[] => rows.map((fields) => ({ id: company.newId(), fields }));

function seedSetup(company: Company, given: Seed): void {
  for (const currency of given.currencies ?? [])
    put(company, 'Currency', {
      CurrencyID: currency.code,
      Description: currency.description ?? currency.code,
      DecimalPrecision: currency.decimals,
      Active: currency.active,
      UseForAccounting: true,
    });
  for (const account of given.accounts ?? [])
    put(company, 'Account', {
      AccountCD: account.code,
      Description: account.description ?? account.code,
      Type: account.type ?? typeOfAccount(account.code),
      Active: account.active,
      CashAccount: account.cash,
      CurrencyID: account.currency ?? null,
      PostOption: 'Detail',
    });
  for (const subaccount of given.subaccounts ?? [])
    put(company, 'Subaccount', {
      SubaccountCD: subaccount.code.replaceAll('-', ''),
      Description: subaccount.description ?? subaccount.code,
      Active: subaccount.active,
    });
  for (const rate of given.rates ?? []) company.state.rates.push({ currency: rate.currency, effectiveDate: rate.from, rate: rate.rate });
  for (const terms of given.terms ?? [])
    company.state.terms = [
      ...company.state.terms.filter((other) => other.id !== terms.id),
      { id: terms.id, dueDays: terms.days, discountPercent: terms.discountPercent, discountDays: terms.discountDays },
    ];
  seedMethodsAndClasses(company, given);
  seedTaxes(company, given);
  for (const ledger of given.ledgers ?? [])
    put(
      company,
      'Ledger',
      { LedgerID: ledger.id, Description: ledger.id, Type: ledger.type, Currency: ledger.currency ?? company.state.baseCurrency },
      {
        details: {
          Branches: rowsOf(
            company,
            (ledger.branches ?? company.state.branches.map((branch) => branch.id)).map((branch) => ({ BranchID: branch, Active: true })),
          ),
          Companies: rowsOf(company, [{ Company: company.state.companyId, CompanyName: company.state.companyName, Active: true }]),
        },
      },
    );
}

function typeOfAccount(code: string): string {
  const types: Readonly<Record<string, string>> = { '1': 'Asset', '2': 'Liability', '3': 'Liability', '4': 'Income' };
  return types[code.slice(0, 1)] ?? 'Expense';
}

function seedMethodsAndClasses(company: Company, given: Seed): void {
  for (const method of given.paymentMethods ?? [])
    put(
      company,
      'PaymentMethod',
      {
        PaymentMethodID: method.id,
        Description: method.description ?? method.id,
        MeansOfPayment: method.means,
        Active: method.active,
        UseInAR: method.useInAR,
        UseInAP: false,
        IntegratedProcessing: method.integrated,
      },
      {
        custom: { 'PaymentMethod.DefaultVoidDateToDocumentDate': method.voidsAtDocumentDate },
        details: {
          AllowedCashAccounts: rowsOf(
            company,
            method.cashAccounts.map((allowed) => ({
              CashAccount: allowed.account,
              PaymentMethod: method.id,
              Branch: allowed.branch ?? company.defaultBranch(),
              UseInAR: allowed.useInAR,
              UseInAP: false,
              ARDefault: allowed.default,
              ARDefaultForRefund: allowed.default,
            })),
          ),
        },
      },
    );
  for (const customerClass of given.customerClasses ?? [])
    put(company, 'CustomerClass', {
      ClassID: customerClass.id,
      Description: customerClass.description ?? customerClass.id,
      CurrencyID: customerClass.currency ?? company.state.baseCurrency,
      Terms: customerClass.terms ?? null,
      ARAccount: customerClass.arAccount ?? company.state.accounts.receivable,
      SalesAccount: customerClass.salesAccount ?? company.state.accounts.sales,
      TaxZoneID: customerClass.taxZone ?? null,
      StatementCycleID: customerClass.statementCycle,
      PaymentMethod: customerClass.paymentMethod ?? null,
    });
}

function seedTaxes(company: Company, given: Seed): void {
  for (const tax of given.taxes ?? [])
    put(
      company,
      'Tax',
      { TaxID: tax.id, Description: tax.description ?? tax.id, TaxType: 'Sales', TaxPayableAccount: tax.account },
      { details: { TaxSchedule: rowsOf(company, [{ TaxRate: tax.rate, StartDate: '2000-01-01' }]) } },
    );
  for (const category of given.taxCategories ?? [])
    put(
      company,
      'TaxCategory',
      { TaxCategoryID: category.id, Description: category.description ?? category.id, Active: true, ExcludeListedTaxes: category.excludes },
      {
        details: {
          Details: rowsOf(
            company,
            category.taxes.map((tax) => ({ TaxID: tax })),
          ),
        },
      },
    );
  for (const zone of given.taxZones ?? [])
    put(
      company,
      'TaxZone',
      { TaxZoneID: zone.id, Description: zone.description ?? zone.id },
      {
        details: {
          ApplicableTaxes: rowsOf(
            company,
            zone.taxes.map((tax) => ({ TaxID: tax })),
          ),
        },
      },
    );
}

function seedPeriods(company: Company, given: NonNullable<Seed['periods']>): void {
  for (const entry of given) {
    const months: readonly {
      period: string;
      start?: string | undefined;
      end?: string | undefined;
      status: Period['status'];
      closedInAR: boolean;
    }[] =
      'year' in entry
        ? Array.from({ length: 12 }, (_, index) => ({
            period: `${String(index + 1).padStart(2, '0')}${entry.year}`,
            status: entry.status,
            closedInAR: false,
          }))
        : [entry];
    for (const month of months) {
      const first = `${month.period.slice(2)}-${month.period.slice(0, 2)}-01`;
      const period = {
        id: month.period,
        startDate: month.start ?? first,
        endDate: month.end ?? lastOfMonth(first),
        status: month.status,
        closedInAR: month.closedInAR,
      };
      company.state.periods = [...company.state.periods.filter((other) => other.id !== period.id), period];
    }
  }
}

function lastOfMonth(first: string): string {
  const next = addDays(first, 31);
  return addDays(`${next.slice(0, 8)}01`, -1);
}

/** Opening records are entered as by a supervisor on a quiet day: no holds, no approvals, closed periods open. */
function permissive(company: Company, work: () => void): void {
  const { preferences, manual } = company.state;
  company.state.preferences = {
    ...preferences,
    holdEntry: false,
    requireControlTotal: false,
    requireExtRef: false,
    approvals: [],
    printBeforeRelease: false,
    emailBeforeRelease: false,
    financialSupervisor: true,
  };
  try {
    work();
  } catch (error) {
    throw explained(error);
  } finally {
    company.state.preferences = preferences;
    company.state.manual = manual;
  }
}

/** A refusal of a form, said to whoever seeds or acts. */
export function explained(error: unknown): unknown {
  if (error instanceof RecordRefused) return new ControlError(error.problems.sentence());
  if (error instanceof Refusal) return new ControlError(JSON.stringify(error.body));
  return error;
}

const context = (company: Company) => ({ businessDate: company.today(), branch: company.defaultBranch() });

function withNumber(company: Company, names: readonly (keyof Numbering)[], given: string | undefined): void {
  const automatic = company.state.manual.filter((name) => !names.some((other) => other === name));
  company.state.manual = given === undefined ? automatic : [...automatic, ...names];
}

function seedCustomer(company: Company, given: SeededCustomer): void {
  withNumber(company, ['Customer'], given.id);
  saveCustomer(
    company,
    given.id === undefined ? undefined : company.customers.get(given.id),
    plainInput('Customer', customerFields(given)),
    context(company),
  );
}

export function customerFields(given: Partial<SeededCustomer>): Record<string, unknown> {
  return {
    CustomerID: given.id,
    CustomerClass: given.class,
    CustomerName: given.name,
    AccountRef: given.accountRef,
    CurrencyID: given.currency,
    EnableCurrencyOverride: given.currencyOverride,
    Terms: given.terms,
    Status: given.status,
    TaxZone: given.taxZone,
    TaxRegistrationID: given.taxId,
    AutoApplyPayments: given.autoApplyPayments,
    CreditLimit: given.creditLimit,
    ParentRecord: given.parent,
    MainContact: {
      Email: given.email,
      Attention: given.attention,
      Phone1: given.phone,
      Address: {
        AddressLine1: given.line1,
        AddressLine2: given.line2,
        City: given.city,
        Country: given.country,
        State: given.state,
        PostalCode: given.postal,
      },
    },
  };
}

/** Enters a document and, unless told otherwise, releases it. */
export function seedDocument(company: Company, given: SeededDocument): Document {
  const type = documentType(given.type);
  if (!type) throw new ControlError(`unknown document type ${given.type}`);
  const customer = company.customers.get(given.customer) ?? company.customers.withText('AccountRef', given.customer)[0];
  if (!customer) throw new ControlError(`no customer ${given.customer}`);
  const isInvoice = invoiceTypes.includes(type);
  withNumber(company, isInvoice ? ['Invoice', 'Debit Memo', 'Credit Memo'] : ['Payment'], given.ref);
  const common = {
    Type: type,
    ReferenceNbr: given.ref,
    Description: given.description,
    Hold: given.hold,
  };
  if (isInvoice) {
    const lines = given.lines ?? [{ account: salesAccount(company, customer), amount: given.amount ?? '0' }];
    const plain = {
      ...common,
      Customer: text(customer, 'CustomerID'),
      CustomerOrder: given.reference,
      Date: given.date,
      Terms: given.terms,
      DueDate: given.dueDate,
      ...(given.currency ? { custom: { 'Document.CuryID': given.currency } } : {}),
      Details: lines.map((line) => ({
        Account: line.account,
        Subaccount: 'subaccount' in line ? line.subaccount : undefined,
        TransactionDescription: 'text' in line ? line.text : undefined,
        Qty: ('qty' in line ? line.qty : undefined) ?? '1',
        UnitPrice: 'price' in line ? line.price : undefined,
        ExtendedPrice: line.amount,
        TaxCategory: 'taxCategory' in line ? line.taxCategory : undefined,
      })),
    };
    const document = saveInvoice(company, undefined, plainInput('Invoice', plain), context(company));
    if (given.released && !given.hold) releaseInvoice(company, document);
    return document;
  }
  const plain = {
    ...common,
    CustomerID: text(customer, 'CustomerID'),
    PaymentMethod: given.paymentMethod ?? firstMethod(company),
    CashAccount: given.cashAccount,
    ApplicationDate: given.date,
    PaymentRef: given.reference,
    PaymentAmount: given.amount ?? '0',
    DocumentsToApply: (given.applications ?? []).map((row) => ({
      DocType: row.type,
      ReferenceNbr: row.ref,
      AmountPaid: row.amount,
      CashDiscountTaken: '0',
    })),
  };
  const document = savePayment(company, undefined, plainInput('Payment', plain), context(company));
  if (given.released && !given.hold) releasePayment(company, document);
  return document;
}

function salesAccount(company: Company, customer: Row): string {
  const customerClass = company.find('CustomerClass', text(customer, 'CustomerClass'));
  return (customerClass && text(customerClass, 'SalesAccount')) || company.state.accounts.sales;
}

/** A method whose payments can be released without a card terminal. */
function firstMethod(company: Company): string {
  const plain = company.references.PaymentMethod.all().find((method) => method.fields['IntegratedProcessing'] !== true);
  return plain ? text(plain, 'PaymentMethodID') : '';
}
