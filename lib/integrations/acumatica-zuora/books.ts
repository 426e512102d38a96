import type { Currency } from '../../values/money.ts';
import type { FinancialPeriod } from './periods.ts';

/** Reference data of both systems in the form the maps ask for. Loaded before a map runs, so that maps stay pure. */
export interface Books {
  readonly codes: readonly AccountingCodeFact[];
  readonly accounts: ReadonlyMap<string, AccountFact>;
  /** AR accounts of all customer classes, and those of documents we posted. */
  readonly arAccounts: ReadonlySet<string>;
  /** Undefined when the tenant has no subaccounts, or too many to keep: then Acumatica decides. */
  readonly subaccounts: ReadonlySet<string> | undefined;
  readonly currencies: ReadonlyMap<Currency, CurrencyFact>;
  readonly methods: ReadonlyMap<string, MethodFact>;
  readonly periods: readonly FinancialPeriod[];
  /** Base currency of the branch. */
  readonly baseCurrency: Currency | undefined;
}

export interface AccountingCodeFact {
  readonly id: string;
  readonly name: string;
  readonly active: boolean;
  readonly glNumber?: string;
}

export interface AccountFact {
  readonly number: string;
  readonly active: boolean;
  readonly cash: boolean;
  readonly currency?: Currency;
}

export interface CurrencyFact {
  readonly active: boolean;
  readonly decimals: number;
}

export interface MethodFact {
  readonly useInAr: boolean;
  readonly cashAccounts: readonly string[];
}

export const codeNamed = (books: Pick<Books, 'codes'>, name: string): AccountingCodeFact | undefined =>
  books.codes.find((code) => code.name.trim().toLowerCase() === name.trim().toLowerCase());

export const codeWithId = (books: Pick<Books, 'codes'>, id: string | undefined): AccountingCodeFact | undefined =>
  id === undefined ? undefined : books.codes.find((code) => code.id === id);
