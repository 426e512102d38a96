import type { Company } from './company.ts';
import { entityOf } from './contract.ts';
import { isWritableCustomField } from './custom-fields.ts';
import { cannotBeFound, type Problems } from './refusals.ts';
import type { Cell, Row } from './rows.ts';
import type { Input } from './wire-read.ts';

/** What a request runs under besides its body. */
export interface RequestContext {
  readonly businessDate: string;
  /** Branch id. */
  readonly branch: string;
}

/** Copies the named fields of the input into the row, each cut to its column (or refused, as the company prefers). */
export function assign(
  company: Company,
  entityName: string,
  target: { readonly row: Row; readonly problems: Problems },
  input: Input,
  fields: readonly string[],
): void {
  const entity = entityOf(entityName);
  for (const name of fields) {
    const value = input.fields.get(name);
    if (value === undefined) continue;
    target.row.fields[name] = fitted(company, target, name, value, entity.scalars.get(name)?.maxLength);
  }
}

function fitted(
  company: Company,
  target: { readonly row: Row; readonly problems: Problems },
  name: string,
  value: Cell,
  maxLength: number | undefined,
): Cell {
  if (typeof value !== 'string' || maxLength === undefined || value.length <= maxLength) return value;
  if (company.preferences.overlong === 'refuse')
    target.problems.add(target.row, name, `The string value exceeds the maximum length of ${maxLength}.`);
  return value.slice(0, maxLength);
}

export function assignCustom(entityName: string, row: Row, input: Input): void {
  for (const [path, value] of input.custom) if (isWritableCustomField(entityName, path)) row.custom = { ...row.custom, [path]: value };
}

/**
 * Merges detail rows: a row with a known `id` or known key fields is updated or deleted, every other one is appended.
 * There is no "replace all". `fill` gives a row its values.
 */
export function mergeDetails(
  company: Company,
  rows: readonly Row[],
  inputs: readonly Input[],
  options: {
    readonly problems: Problems;
    readonly sameKey: (row: Row, input: Input) => boolean;
    readonly fill: (row: Row, input: Input, inserted: boolean) => void;
  },
): Row[] {
  let merged = [...rows];
  for (const input of inputs) {
    const known = merged.find((row) => (input.id !== undefined ? row.id === input.id : options.sameKey(row, input)));
    if (input.delete) {
      if (known) merged = merged.filter((row) => row !== known);
      continue;
    }
    const row = known ?? { id: company.newId(), fields: {} };
    options.fill(row, input, !known);
    if (!known) merged.push(row);
  }
  return merged;
}

/** Checks an account and a subaccount of a line as the selectors do. */
export function checkAccount(
  company: Company,
  target: { readonly row: Row; readonly problems: Problems },
  options: { readonly field: string; readonly currency: string },
): void {
  const code = String(target.row.fields[options.field] ?? '');
  const account = company.find('Account', code);
  const complain = (message: string) => target.problems.add(target.row, options.field, message);
  if (!account) {
    complain(cannotBeFound(options.field));
    return;
  }
  target.row.fields[options.field] = account.fields['AccountCD'] ?? code;
  if (account.fields['Active'] === false) {
    complain(`Account '${code.padEnd(10)}' is inactive.`);
    return;
  }
  const currency = String(account.fields['CurrencyID'] ?? '');
  if (currency !== '' && currency !== options.currency) {
    complain(`The currency of the '${code.padEnd(10)}' account, ${currency}, differs from the currency of the document.`);
    return;
  }
}

export function checkSubaccount(company: Company, target: { readonly row: Row; readonly problems: Problems }): void {
  const written = target.row.fields['Subaccount'];
  if (!company.preferences.subaccounts) {
    target.row.fields['Subaccount'] = null;
    return;
  }
  if (written === undefined || written === null) {
    target.row.fields['Subaccount'] = defaultSubaccount(company);
    return;
  }
  const subaccount = company.find('Subaccount', String(written).replaceAll('-', ''));
  if (!subaccount) {
    target.problems.add(target.row, 'Subaccount', cannotBeFound('Subaccount'));
    return;
  }
  target.row.fields['Subaccount'] = subaccount.fields['SubaccountCD'] ?? written;
  if (subaccount.fields['Active'] === false)
    target.problems.add(target.row, 'Subaccount', `Subaccount '${String(written).padEnd(10)}' is inactive.`);
}

function defaultSubaccount(company: Company): Cell {
  return company.references.Subaccount.all()[0]?.fields['SubaccountCD'] ?? null;
}

/** Replaces a selector's text by the stored spelling of the key, or complains. */
export function checkSelector(
  target: { readonly row: Row; readonly problems: Problems },
  field: string,
  find: (key: string) => string | undefined,
  label = field,
): void {
  const written = target.row.fields[field];
  if (written === undefined || written === null || written === '') return;
  const found = find(String(written));
  if (found === undefined) target.problems.add(target.row, field, cannotBeFound(label));
  else target.row.fields[field] = found;
}
