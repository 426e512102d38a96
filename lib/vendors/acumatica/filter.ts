import type { CalendarDate } from '../../values/calendar-date.ts';
import type { Decimal } from '../../values/decimal.ts';
import type { Entity } from './wire.ts';

/**
 * List filters (OData v3). Acumatica answers `[]`, without an error, when one filter mixes fields of different views of a form, although each
 * condition alone would match; an empty look-up that is wrong makes a second document. Hence every field names its view, a filter carries the
 * view of its fields in its type, and only filters of one view can be joined.
 *
 * Source: Integration Development Guide, "$filter Parameter" (2026 R1, read 2026-11-20); view per field from the endpoint contract.
 */
interface Field {
  readonly view: string;
  readonly kind: 'text' | 'flag' | 'decimal' | 'day' | 'instant';
}

const field = <const View extends string, const Kind extends Field['kind']>(view: View, kind: Kind) => ({ view, kind });

const reference = <const View extends string, const Key extends string>(view: View, key: Key) =>
  ({ [key]: field(view, 'text'), LastModifiedDateTime: field(view, 'instant') }) as Readonly<
    Record<Key, { readonly view: View; readonly kind: 'text' }> & {
      readonly LastModifiedDateTime: { readonly view: View; readonly kind: 'instant' };
    }
  >;

/** Fields that may be filtered on, with the view of the form they belong to. */
const filterFields = {
  Customer: {
    CustomerID: field('BAccount', 'text'),
    CustomerName: field('BAccount', 'text'),
    CustomerClass: field('BAccount', 'text'),
    Status: field('BAccount', 'text'),
    AccountRef: field('CurrentCustomer', 'text'),
    CurrencyID: field('CurrentCustomer', 'text'),
    LastModifiedDateTime: field('CurrentCustomer', 'instant'),
    Email: field('DefContact', 'text'),
  },
  Invoice: {
    Type: field('Document', 'text'),
    ReferenceNbr: field('Document', 'text'),
    Customer: field('Document', 'text'),
    CustomerOrder: field('Document', 'text'),
    Description: field('Document', 'text'),
    Status: field('Document', 'text'),
    PostPeriod: field('Document', 'text'),
    Date: field('Document', 'day'),
    Hold: field('Document', 'flag'),
    Amount: field('Document', 'decimal'),
    Balance: field('Document', 'decimal'),
    LastModifiedDateTime: field('Document', 'instant'),
    LinkBranch: field('CurrentDocument', 'text'),
  },
  Payment: {
    Type: field('Document', 'text'),
    ReferenceNbr: field('Document', 'text'),
    CustomerID: field('Document', 'text'),
    PaymentRef: field('Document', 'text'),
    Description: field('Document', 'text'),
    Status: field('Document', 'text'),
    CurrencyID: field('Document', 'text'),
    ApplicationDate: field('Document', 'day'),
    Hold: field('Document', 'flag'),
    PaymentAmount: field('Document', 'decimal'),
    LastModifiedDateTime: field('Document', 'instant'),
    Branch: field('CurrentDocument', 'text'),
  },
  JournalTransaction: {
    Module: field('BatchModule', 'text'),
    BatchNbr: field('BatchModule', 'text'),
    Description: field('BatchModule', 'text'),
    LedgerID: field('BatchModule', 'text'),
    BranchID: field('BatchModule', 'text'),
    CurrencyID: field('BatchModule', 'text'),
    Status: field('BatchModule', 'text'),
    PostPeriod: field('BatchModule', 'text'),
    TransactionDate: field('BatchModule', 'day'),
    LastModifiedDateTime: field('BatchModule', 'instant'),
  },
  Account: { ...reference('AccountRecords', 'AccountCD'), Active: field('AccountRecords', 'flag') },
  Subaccount: { SubaccountCD: field('SubRecords', 'text'), Active: field('SubRecords', 'flag') },
  Ledger: reference('LedgerRecords', 'LedgerID'),
  Currency: { ...reference('CuryListRecords', 'CurrencyID'), Active: field('CuryListRecords', 'flag') },
  PaymentMethod: reference('PaymentMethod', 'PaymentMethodID'),
  CustomerClass: reference('CustomerClassRecord', 'ClassID'),
  TaxCategory: reference('TxCategory', 'TaxCategoryID'),
  TaxZone: reference('TxZone', 'TaxZoneID'),
  Tax: reference('Tax', 'TaxID'),
  FinancialPeriod: { FinancialYear: field('FiscalYear', 'text') },
  CompanyFinancialPeriod: { Company: field('OrgFinYear', 'text'), FinancialYear: field('OrgFinYear', 'text') },
} as const satisfies Readonly<Record<Entity, Readonly<Record<string, Field>>>>;

type Fields<E extends Entity> = (typeof filterFields)[E];
export type FilterField<E extends Entity> = keyof Fields<E> & string;
type ViewOf<E extends Entity, F extends FilterField<E>> = Fields<E>[F] extends { readonly view: infer View } ? View : never;
type KindOf<E extends Entity, F extends FilterField<E>> = Fields<E>[F] extends { readonly kind: infer Kind } ? Kind : never;
type TextField<E extends Entity> = { [F in FilterField<E>]: KindOf<E, F> extends 'text' ? F : never }[FilterField<E>];
type InstantField<E extends Entity> = { [F in FilterField<E>]: KindOf<E, F> extends 'instant' ? F : never }[FilterField<E>];

interface Values {
  readonly text: string;
  readonly flag: boolean;
  readonly decimal: Decimal;
  readonly day: CalendarDate;
  readonly instant: Date;
}
type ValueOf<E extends Entity, F extends FilterField<E>> =
  KindOf<E, F> extends infer Kind ? (Kind extends keyof Values ? Values[Kind] : never) : never;

/** A condition on the records of one entity, all of its fields from one view. */
export interface Filter<E extends Entity = Entity, View = unknown> {
  readonly entity: E;
  readonly view: View;
  /** Not yet encoded for a URL. */
  readonly text: string;
  /** Fields that an `eq` at the top fixes to one value: lets a list page by the rest of the key. */
  readonly fixed: readonly string[];
}

export type Operator = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le';

/** `compare('Invoice', 'Balance', 'gt', '0')` */
export function compare<E extends Entity, F extends FilterField<E>>(
  entity: E,
  name: F,
  operator: Operator,
  value: ValueOf<E, F>,
): Filter<E, ViewOf<E, F>> {
  const { view, kind } = fieldOf(entity, name);
  return {
    entity,
    view: view as ViewOf<E, F>,
    text: `${name} ${operator} ${literal(kind, value)}`,
    fixed: operator === 'eq' ? [name] : [],
  };
}

/** `eq('Invoice', 'CustomerOrder', 'INV00000417')` */
export function eq<E extends Entity, F extends FilterField<E>>(entity: E, name: F, value: ValueOf<E, F>): Filter<E, ViewOf<E, F>> {
  return compare(entity, name, 'eq', value);
}

/** `startsWith('JournalTransaction', 'Description', 'ZUORA JE-00000012|')` */
export function startsWith<E extends Entity, F extends TextField<E>>(entity: E, name: F, prefix: string): Filter<E, ViewOf<E, F>> {
  const { view } = fieldOf(entity, name);
  return { entity, view: view as ViewOf<E, F>, text: `startswith(${name},${quoted(prefix)})`, fixed: [] };
}

/** Records changed after an instant: `after('Customer', 'LastModifiedDateTime', since)`. */
export function after<E extends Entity, F extends InstantField<E>>(entity: E, name: F, since: Date): Filter<E, ViewOf<E, F>> {
  const { view, kind } = fieldOf(entity, name);
  return { entity, view: view as ViewOf<E, F>, text: `${name} gt ${literal(kind, since)}`, fixed: [] };
}

export function and<E extends Entity, View>(...filters: readonly [Filter<E, View>, ...Filter<E, NoInfer<View>>[]]): Filter<E, View> {
  return { ...joined(filters, 'and'), fixed: filters.flatMap((filter) => filter.fixed) };
}

export function or<E extends Entity, View>(...filters: readonly [Filter<E, View>, ...Filter<E, NoInfer<View>>[]]): Filter<E, View> {
  return filters.length === 1 ? filters[0] : { ...joined(filters, 'or'), fixed: [] };
}

function joined<E extends Entity, View>(filters: readonly [Filter<E, View>, ...Filter<E, View>[]], word: 'and' | 'or'): Filter<E, View> {
  const [first] = filters;
  const foreign = filters.find((filter) => filter.view !== first.view || filter.entity !== first.entity);
  if (foreign)
    throw new RangeError(
      `a filter must stay in one view: ${first.entity} ${String(first.view)} and ${foreign.entity} ${String(foreign.view)} in "${first.text}" ${word} "${foreign.text}"`,
    );
  if (filters.length === 1) return first;
  return { ...first, text: filters.map((filter) => (/ (and|or) /.test(filter.text) ? `(${filter.text})` : filter.text)).join(` ${word} `) };
}

/** View and kind of a field. Names come checked by their type; data from outside is checked here. */
export function fieldOf(entity: Entity, name: string): Field {
  const fields: Readonly<Record<string, Field>> = filterFields[entity];
  const found = fields[name];
  if (!found) throw new RangeError(`${entity} cannot be filtered on ${name}; fields: ${Object.keys(fields).join(', ')}`);
  return found;
}

/**
 * A value as a literal. A bare decimal or a quoted boolean is answered with 500; a quote inside a text is doubled. Business dates are sent
 * as `datetimeoffset`, because `date'…'` exists only for the types of contract 5.
 */
function literal(kind: Field['kind'], value: unknown): string {
  if (kind === 'text') return quoted(String(value));
  if (kind === 'flag') return value === true ? 'true' : 'false';
  if (kind === 'decimal') return `${String(value)}M`;
  if (kind === 'day') return `datetimeoffset'${String(value)}'`;
  return `datetimeoffset'${(value instanceof Date ? value.toISOString() : String(value)).replace('Z', '+00:00')}'`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
