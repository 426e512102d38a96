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

type Given = { readonly settings: Pick<Settings, 'accountMap' | 'subaccount' | 'fallbackAccount'>; readonly books: Books };

/** Rules of use: an AR document may not hit cash or AR accounts; a journal in `gl-summary` neither. */
export function accountOf(code: string | undefined, currency: string, { settings, books }: Given): AccountChoice {
  if (code === undefined) {
    if (settings.fallbackAccount === undefined) throw accountUnmapped('(none)');
    return usable('(none)', { account: settings.fallbackAccount }, currency, { settings, books });
  }
  const row = mapRow(settings.accountMap, code, currency);
  if (row) return usable(code, row, currency, { settings, books });
  const glNumber = codeNamed(books, code)?.glNumber;
  if (glNumber === undefined) throw accountUnmapped(code);
  return usable(code, { account: glNumber }, currency, { settings, books });
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
  { settings, books }: Given,
): AccountChoice {
  const account = books.accounts.get(row.account.trim().toUpperCase());
  if (!account) throw accountUnusable(code, row.account, 'not found');
  if (!account.active) throw accountUnusable(code, account.number, 'inactive');
  if (account.cash) throw accountUnusable(code, account.number, 'a cash account');
  if (books.arAccounts.has(account.number)) throw accountUnusable(code, account.number, 'an AR control account');
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

/** Acumatica shows subaccounts without their separators. */
export const subaccountKey = (code: string): string => code.replace(/[^A-Za-z0-9]/g, '').toUpperCase();
