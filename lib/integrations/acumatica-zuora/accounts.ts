import type { Failure } from '../../failures.ts';
import type { Books } from './books.ts';
import { codeNamed } from './books.ts';
import { accountUnmapped, accountUnusable, hold } from './holds.ts';
import { sameText } from './markers.ts';
import type { AccountMapRow, Settings } from './settings.ts';

/** Which Acumatica account an item hits, and why it may not. */

export interface AccountChoice {
  readonly account: string;
  readonly subaccount?: string;
  readonly deferralCode?: string;
}

/**
 * Rules of use. A document may not hit cash or AR accounts: its release does that by itself. Nor may a journal beside documents; where journals
 * are all there is (`summary`), cash is theirs, and AR goes to an account of its own that no document uses.
 */
export type Use = 'document' | 'journal' | 'summary';

type Given = {
  readonly settings: Pick<Settings, 'accountMap' | 'subaccount' | 'fallbackAccount'>;
  readonly books: Books;
  readonly use?: Use;
};

export function accountOf(code: string | undefined, currency: string, given: Given): AccountChoice {
  const { settings, books } = given;
  if (code === undefined) {
    if (settings.fallbackAccount === undefined) throw accountUnmapped('(none)');
    return usable('(none)', { account: settings.fallbackAccount }, currency, given);
  }
  const row = mapRow(settings.accountMap, code, currency);
  if (row) return usable(code, row, currency, given);
  const glNumber = codeNamed(books, code)?.glNumber;
  if (glNumber === undefined) throw accountUnmapped(code);
  return usable(code, { account: glNumber }, currency, given);
}

/** The account number a code leads to before anything is asked of it; undefined when nothing names one. */
export function accountNumberOf(code: string, currency: string, { settings, books }: Given): string | undefined {
  return mapRow(settings.accountMap, code, currency)?.account ?? codeNamed(books, code)?.glNumber;
}

/** A memo with a reason that has its own account. */
export function reasonAccount(reason: string, account: string, currency: string, given: Given): AccountChoice {
  return usable(reason, { account }, currency, given);
}

function mapRow(rows: readonly AccountMapRow[], code: string, currency: string): AccountMapRow | undefined {
  const ofCode = rows.filter((row) => sameText(row.code, code));
  return ofCode.find((row) => row.currency === currency) ?? ofCode.find((row) => row.currency === undefined);
}

function usable(
  code: string,
  row: { readonly account: string; readonly subaccount?: string | undefined; readonly deferralCode?: string | undefined },
  currency: string,
  { settings, books, use = 'document' }: Given,
): AccountChoice {
  const account = books.accounts.get(row.account.trim().toUpperCase());
  if (!account) throw accountUnusable(code, row.account, 'not found');
  if (!account.active) throw accountUnusable(code, account.number, 'inactive');
  if (use === 'document') {
    if (account.cash) throw accountUnusable(code, account.number, 'a cash account');
    if (books.arAccounts.has(account.number)) throw accountUnusable(code, account.number, 'an AR control account');
  } else if (books.arAccounts.has(account.number) || (account.cash && use === 'journal')) {
    throw controlAccount(code, account.number);
  }
  if (account.currency !== undefined && account.currency !== currency)
    throw accountUnusable(code, account.number, `for ${account.currency} only (the document is in ${currency})`);
  const subaccount = row.subaccount ?? settings.subaccount;
  if (subaccount !== undefined && books.subaccounts !== undefined && !books.subaccounts.has(subaccountKey(subaccount)))
    throw hold(
      `subaccount:${subaccount}`,
      `Subaccount ${subaccount} does not exist in Acumatica.`,
      'Correct it in accountMap or in the option subaccount (GL203000).',
    );
  return {
    account: account.number,
    ...(subaccount === undefined ? {} : { subaccount }),
    ...(row.deferralCode === undefined ? {} : { deferralCode: row.deferralCode }),
  };
}

function controlAccount(code: string, account: string): Failure {
  return hold(
    `control-account:${account}`,
    `A journal may not hit ${account} ('${code}'): AR documents book on it.`,
    `Map '${code}' to a separate account in accountMap, for example 11090 Zuora AR.`,
  );
}

/** Acumatica shows subaccounts without their separators. */
export const subaccountKey = (code: string): string => code.replace(/[^A-Za-z0-9]/g, '').toUpperCase();
