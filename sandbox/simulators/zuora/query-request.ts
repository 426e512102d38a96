import { isCalendarDate } from '../../../lib/values/calendar-date.ts';
import { compare, isDecimal } from '../../../lib/values/decimal.ts';
import { fingerprint } from '../../../lib/values/json.ts';
import type { Field, FieldKind, QueryObject } from './query-objects/define.ts';
import type { Row } from './rows.ts';
import type { Tenant } from './tenant.ts';
import { parseInstant } from './tenant-time.ts';

/** The vendor could not read a parameter: category 27. */
export class QueryRefused extends Error {}

type Operator = 'EQ' | 'NE' | 'LT' | 'GT' | 'LE' | 'GE' | 'SW' | 'IN';
const operators: readonly string[] = ['EQ', 'NE', 'LT', 'GT', 'LE', 'GE', 'SW', 'IN'];

export interface Filter {
  readonly field: string;
  readonly operator: Operator;
  /** Lower case, null or empty token resolved. */
  readonly values: readonly (string | null)[];
  matches(row: Row): boolean;
}

export interface QueryRequest {
  readonly pageSize: number;
  readonly filters: readonly Filter[];
  readonly sort: { readonly field: string; readonly descending: boolean };
  readonly expands: readonly string[];
  /** Lower-case names of chosen fields, by the object or relation they were chosen for. */
  readonly chosen: ReadonlyMap<string, ReadonlySet<string>>;
  readonly includeNullFields: boolean;
  readonly cursor: string | undefined;
  /** A cursor is good only with the parameters it was made for. */
  readonly binding: string;
}

const listParameters = ['pageSize', 'cursor', 'filter[]', 'sort[]', 'fields[]', 'expand[]', 'includeNullFields'];
const keyParameters = ['fields[]', 'expand[]', 'includeNullFields'];

export function readQuery(tenant: Tenant, object: QueryObject, url: URL, byKey = false): QueryRequest {
  // Brackets of IN lists must be percent-encoded; the server never sees a raw one.
  if (/(?:^|&)filter(?:\[\]|%5B%5D)=[^&]*[[\]]/i.test(url.search.slice(1)))
    throw new QueryRefused('Brackets in the value of filter[] must be percent-encoded');
  const parameters = url.searchParams;
  const expands = parameters
    .getAll('expand[]')
    .flatMap((text) => text.split(','))
    .map((name) => name.trim().toLowerCase());
  for (const expand of expands) {
    if (!object.expandable.has(expand)) throw new QueryRefused(`Invalid value '${expand}' of query parameter expand[] for ${object.path}`);
  }
  const known = new Set([...(byKey ? keyParameters : listParameters), `${object.singular}.fields[]`]);
  for (const expand of expands) known.add(`${expand.split('.').at(-1) ?? ''}.fields[]`);
  for (const name of parameters.keys()) {
    if (!known.has(name)) throw new QueryRefused(`Unknown query parameter '${name}'`);
  }
  const filters = parameters.getAll('filter[]').map((text) => readFilter(tenant, object, text));
  if (object.filterRequired && filters.length === 0 && !byKey)
    throw new QueryRefused(`Query parameter filter[] is required for ${object.path}`);
  return {
    pageSize: readPageSize(parameters.getAll('pageSize')),
    filters,
    sort: readSort(object, parameters.getAll('sort[]')),
    expands,
    chosen: readChosen(object, parameters),
    includeNullFields: readBoolean(parameters.get('includeNullFields')),
    cursor: parameters.get('cursor') ?? undefined,
    binding: fingerprint([
      object.path,
      ...[...parameters].filter(([name]) => name !== 'cursor').map(([name, value]) => `${name}=${value}`),
    ]),
  };
}

function readPageSize(given: readonly string[]): number {
  if (given.length > 1) throw new QueryRefused('Query parameter pageSize must be given once');
  const text = given[0] ?? '10';
  const size = Number(text);
  if (!/^\d+$/.test(text) || size < 1 || size > 99) throw new QueryRefused(`Invalid value '${text}' of query parameter pageSize: 1 to 99`);
  return size;
}

function readBoolean(text: string | null): boolean {
  if (text === null || text === 'false') return false;
  if (text === 'true') return true;
  throw new QueryRefused(`Invalid value '${text}' of query parameter includeNullFields`);
}

function readSort(object: QueryObject, given: readonly string[]): QueryRequest['sort'] {
  if (given.length > 1) throw new QueryRefused('Query parameter sort[] takes one field');
  if (given[0] === undefined) return { field: 'updateddate', descending: true };
  const parts = /^([A-Za-z_]+)\.(ASC|DESC)$/i.exec(given[0]);
  const field = parts?.[1]?.toLowerCase() ?? '';
  if (!parts || !object.sortable.has(field))
    throw new QueryRefused(`Invalid value '${given[0]}' of query parameter sort[] for ${object.path}`);
  return { field, descending: parts[2]?.toUpperCase() === 'DESC' };
}

function readChosen(object: QueryObject, parameters: URLSearchParams): QueryRequest['chosen'] {
  const chosen = new Map<string, ReadonlySet<string>>();
  for (const name of new Set(parameters.keys())) {
    if (!name.endsWith('fields[]')) continue;
    const names = parameters
      .getAll(name)
      .flatMap((text) => text.split(','))
      .map((text) => text.trim().toLowerCase());
    const owner = name === 'fields[]' || name === `${object.singular}.fields[]` ? '' : name.slice(0, -'.fields[]'.length);
    if (owner === '') {
      const unknown = names.find((field) => !object.fields.has(field) && !/__(c|ns)$/.test(field));
      if (unknown !== undefined) throw new QueryRefused(`Unknown field '${unknown}' in query parameter ${name} for ${object.path}`);
    }
    chosen.set(owner, new Set(names));
  }
  return chosen;
}

function readFilter(tenant: Tenant, object: QueryObject, text: string): Filter {
  const parts = /^([A-Za-z_]+)\.([A-Z]{2}):([\s\S]*)$/.exec(text);
  if (!parts) throw new QueryRefused(`Invalid value '${text}' of query parameter filter[]: <field>.<operator>:<value>`);
  const [, name = '', operator = '', raw = ''] = parts;
  const field = name.toLowerCase();
  if (!operators.includes(operator)) throw new QueryRefused(`Invalid operator '${operator}' in query parameter filter[]`);
  const custom = /__(c|ns)$/.test(field);
  if (!object.filterable.has(field) && !custom) throw new QueryRefused(`Field '${name}' of ${object.path} is not filterable`);
  const definition: Field = (custom ? undefined : object.fields.get(field)) ?? customField(object, field);
  const op = operator as Operator;
  const texts = op === 'IN' ? readList(text, raw) : [raw];
  const values = texts.map((value) => readValue(definition.kind, op, value, text));
  return { field, operator: op, values, matches: (row) => test(definition, op, values, row, tenant) };
}

function customField(object: QueryObject, name: string): Field {
  const of = (row: Row): string | null => {
    const entry = Object.entries(object.custom(row)).find(([custom]) => custom.toLowerCase() === name);
    return entry?.[1] ?? null;
  };
  return { name, kind: 'text', of };
}

function readList(text: string, raw: string): string[] {
  if (!raw.startsWith('[') || !raw.endsWith(']'))
    throw new QueryRefused(`Invalid value '${text}' of query parameter filter[]: IN takes [a,b]`);
  const values = raw
    .slice(1, -1)
    .split(',')
    .map((value) => value.trim());
  if (values.some((value) => value === ''))
    throw new QueryRefused(`Invalid value '${text}' of query parameter filter[]: empty value in a list`);
  return values;
}

const emptyToken = '\u0002\u0003';

function readValue(kind: FieldKind, operator: Operator, value: string, text: string): string | null {
  const bad = (why: string): QueryRefused => new QueryRefused(`Invalid value '${text}' of query parameter filter[]: ${why}`);
  if (value === 'null' || value === emptyToken) {
    if (operator !== 'EQ' && operator !== 'NE') throw bad(`${operator} takes a value`);
    return value === 'null' ? null : '';
  }
  if (value === '') throw bad('a value is missing');
  if (operator === 'SW' && kind !== 'text') throw bad('SW is for text');
  if ((kind === 'amount' || kind === 'integer') && !isDecimal(value)) throw bad('not a number');
  if (kind === 'date' && !isCalendarDate(value)) throw bad('not a date, YYYY-MM-DD');
  if (kind === 'boolean' && value !== 'true' && value !== 'false') throw bad('true or false');
  if (kind === 'instant') {
    const instant = parseInstant(value);
    if (instant === undefined) throw bad('not a date-time with Z or offset');
    return instant;
  }
  return value.toLowerCase();
}

function test(field: Field, operator: Operator, values: readonly (string | null)[], row: Row, tenant: Tenant): boolean {
  const raw = field.of(row, tenant);
  const own = raw === null ? null : String(raw);
  if (operator === 'IN') return values.some((value) => equals(field.kind, own, value));
  const value = values[0] ?? null;
  if (operator === 'EQ') return equals(field.kind, own, value);
  if (operator === 'NE') return !equals(field.kind, own, value);
  if (own === null || value === null) return false;
  if (operator === 'SW') return own.toLowerCase().startsWith(value);
  const order = compareValues(field.kind, own, value);
  if (operator === 'LT') return order < 0;
  if (operator === 'LE') return order <= 0;
  if (operator === 'GT') return order > 0;
  return order >= 0;
}

function equals(kind: FieldKind, own: string | null, value: string | null): boolean {
  if (own === null || value === null) return own === value;
  if (value === '' || own === '') return own === value;
  return compareValues(kind, own, value) === 0;
}

/** Case-blind for text, as numbers and instants for the others. */
export function compareValues(kind: FieldKind, left: string, right: string): number {
  if (kind === 'amount' || kind === 'integer') return compare(left, right);
  if (kind === 'instant') return Date.parse(left) - Date.parse(right);
  const [one, two] = kind === 'text' ? [left.toLowerCase(), right.toLowerCase()] : [left, right];
  return one < two ? -1 : one > two ? 1 : 0;
}
