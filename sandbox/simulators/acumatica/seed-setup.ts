import { addDays } from '../../../lib/values/calendar-date.ts';
import { type Company, type Period, type ReferenceEntity, referenceKeys } from './company.ts';
import { Licence, Preferences } from './options.ts';
import type { Cell, Row } from './rows.ts';
import type { Seed } from './seed-shapes.ts';

/** Setup by its keys: what is there already is replaced, the rest stays. */
export function seedSetup(company: Company, given: Seed): void {
  seedCompany(company, given.company);
  seedReferences(company, given);
  seedPeriods(company, given.periods ?? []);
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

function seedReferences(company: Company, given: Seed): void {
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
