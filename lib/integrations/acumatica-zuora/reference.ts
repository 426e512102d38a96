import type { AcumaticaClient } from '../../vendors/acumatica/client.ts';
import type { ZuoraClient } from '../../vendors/zuora/client.ts';
import { subaccountKey } from './accounts.ts';
import type { AccountFact, AccountingCodeFact, Books, CurrencyFact, MethodFact } from './books.ts';
import { sameText } from './markers.ts';
import type { FinancialPeriod } from './periods.ts';

/** Reads the reference data of both systems, small enough to be kept in the state store. Nothing is written in either system. */

export type CodeRow = { readonly id: string; readonly name: string; readonly active: boolean; readonly glNumber?: string };
export type AccountRow = { readonly number: string; readonly active: boolean; readonly cash: boolean; readonly currency?: string };
export type CurrencyRow = { readonly code: string; readonly active: boolean; readonly decimals: number };
export type MethodRow = { readonly id: string; readonly useInAr: boolean; readonly cashAccounts: readonly string[] };
export type PeriodRow = {
  readonly id: string;
  readonly start: string;
  readonly end: string;
  readonly openForAr: boolean;
  readonly openForGl: boolean;
};
export type BranchRow = { readonly branch: string; readonly company?: string; readonly currency?: string };

const mostSubaccounts = 5000;

export async function readCodes(zuora: ZuoraClient): Promise<readonly CodeRow[]> {
  const codes = await zuora.listAccountingCodes();
  return codes.map((code) => ({
    id: code.id,
    name: code.name,
    active: sameText(code.status, 'Active'),
    ...(code.glAccountNumber === undefined ? {} : { glNumber: code.glAccountNumber }),
  }));
}

export async function readAccounts(acumatica: AcumaticaClient): Promise<readonly AccountRow[]> {
  return collect(acumatica.list('Account', { select: ['AccountCD', 'Active', 'CashAccount', 'CurrencyID'] }), (row) => ({
    number: row.AccountCD,
    active: row.Active !== false,
    cash: row.CashAccount === true,
    ...(row.CurrencyID === undefined ? {} : { currency: row.CurrencyID }),
  }));
}

/** AR accounts of the customer classes: nothing but documents may hit them. */
export async function readArAccounts(acumatica: AcumaticaClient): Promise<readonly string[]> {
  const rows = await collect(acumatica.list('CustomerClass', { select: ['ClassID', 'ARAccount'] }), (row) => row.ARAccount);
  return [...new Set(rows.filter((account) => account !== undefined))];
}

/** Null: the feature is off, or there are too many to keep; then Acumatica itself refuses a wrong one. */
export async function readSubaccounts(acumatica: AcumaticaClient): Promise<readonly string[] | null> {
  try {
    const rows = await collect(acumatica.list('Subaccount', { select: ['SubaccountCD'] }), (row) => subaccountKey(row.SubaccountCD));
    return rows.length > mostSubaccounts ? null : rows;
  } catch (thrown) {
    if (thrown instanceof Error && (thrown.name === 'FeatureOff' || thrown.name === 'PermissionMissing')) return null;
    throw thrown;
  }
}

export async function readCurrencies(acumatica: AcumaticaClient): Promise<readonly CurrencyRow[]> {
  return collect(acumatica.list('Currency', { select: ['CurrencyID', 'Active', 'DecimalPrecision'] }), (row) => ({
    code: row.CurrencyID,
    active: row.Active !== false,
    decimals: row.DecimalPrecision === undefined ? 2 : Number(row.DecimalPrecision),
  }));
}

export async function readMethods(acumatica: AcumaticaClient): Promise<readonly MethodRow[]> {
  return collect(acumatica.list('PaymentMethod', { expand: ['AllowedCashAccounts'] }), (row) => ({
    id: row.PaymentMethodID,
    useInAr: row.UseInAR !== false,
    cashAccounts: (row.AllowedCashAccounts ?? []).flatMap((allowed) =>
      allowed.CashAccount !== undefined && allowed.UseInAR !== false ? [allowed.CashAccount] : [],
    ),
  }));
}

export async function readBranches(acumatica: AcumaticaClient): Promise<readonly BranchRow[]> {
  const rows = await acumatica.listBranches();
  return rows.flatMap((row) =>
    row.BranchID === undefined
      ? []
      : [
          {
            branch: row.BranchID,
            ...(row.CompanyID === undefined ? {} : { company: row.CompanyID }),
            ...(row.BaseCurrencyID === undefined ? {} : { currency: row.BaseCurrencyID }),
          },
        ],
  );
}

export async function readPeriods(acumatica: AcumaticaClient, company: string | undefined, year: number): Promise<readonly PeriodRow[]> {
  const rows = await acumatica.listPeriods(company, String(year));
  return rows.flatMap((row) => {
    if (row.StartDate === undefined || row.EndDate === undefined || row.AdjustmentPeriod === true) return [];
    const digits = row.FinancialPeriodID.replace(/\D/g, '');
    const open = sameText(row.Status ?? 'Open', 'Open');
    return [
      {
        id: `${digits.slice(2)}${digits.slice(0, 2)}`,
        start: row.StartDate,
        end: row.EndDate,
        openForAr: open && row.ClosedInAR !== true,
        openForGl: open,
      },
    ];
  });
}

export interface BookParts {
  readonly codes: readonly CodeRow[];
  readonly accounts: readonly AccountRow[];
  readonly arAccounts: readonly string[];
  readonly subaccounts: readonly string[] | null;
  readonly currencies: readonly CurrencyRow[];
  readonly methods: readonly MethodRow[];
  readonly periods: readonly PeriodRow[];
  readonly baseCurrency: string | undefined;
}

export function booksOf(parts: BookParts): Books {
  return {
    codes: parts.codes satisfies readonly AccountingCodeFact[],
    accounts: new Map(parts.accounts.map((account): [string, AccountFact] => [account.number.trim().toUpperCase(), account])),
    arAccounts: new Set(parts.arAccounts),
    subaccounts: parts.subaccounts === null ? undefined : new Set(parts.subaccounts.map(subaccountKey)),
    currencies: new Map(parts.currencies.map((row): [string, CurrencyFact] => [row.code, { active: row.active, decimals: row.decimals }])),
    methods: new Map(
      parts.methods.map((row): [string, MethodFact] => [
        row.id.trim().toUpperCase(),
        { useInAr: row.useInAr, cashAccounts: row.cashAccounts },
      ]),
    ),
    periods: parts.periods satisfies readonly FinancialPeriod[],
    baseCurrency: parts.baseCurrency,
  };
}

async function collect<Row, Kept>(pages: AsyncIterable<readonly Row[]>, keep: (row: Row) => Kept): Promise<Kept[]> {
  const kept: Kept[] = [];
  for await (const page of pages) kept.push(...page.map(keep));
  return kept;
}
