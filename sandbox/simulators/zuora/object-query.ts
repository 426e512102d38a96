import * as z from 'zod';
import { jsonNumber } from '../../../lib/values/json.ts';
import type { Field, QueryObject, Relation } from './query-objects/define.ts';
import { queryObjects } from './query-objects.ts';
import { compareValues, type Filter, QueryRefused, type QueryRequest, readQuery } from './query-request.ts';
import type { Row } from './rows.ts';
import type { Tenant } from './tenant.ts';
import { offsetTime } from './tenant-time.ts';

export interface QueryPage {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly nextPage?: string | null;
}

export function queryPage(tenant: Tenant, object: QueryObject, url: URL): QueryPage {
  const request = readQuery(tenant, object, url);
  const { rows, next } = select(tenant, object, request);
  const data = rows.map((row) => render(tenant, object, row, request));
  if (next !== undefined) return { data, nextPage: next };
  return request.includeNullFields ? { data, nextPage: null } : { data };
}

export function queryOne(tenant: Tenant, object: QueryObject, key: string, url: URL): Readonly<Record<string, unknown>> | undefined {
  const request = { ...readQuery(tenant, object, url, true), pageSize: 99 };
  const row = tenant.find(object.table(tenant), key);
  return row === undefined ? undefined : render(tenant, object, row, request);
}

type Order = (left: Row, right: Row) => number;

function orderBy(tenant: Tenant, object: QueryObject, name: string): Order {
  const field = object.fields.get(name);
  const byId: Order = (left, right) => (left.id < right.id ? -1 : left.id > right.id ? 1 : 0);
  if (!field || name === 'id') return byId;
  return (left, right) => compareShown(field, field.of(left, tenant), field.of(right, tenant)) || byId(left, right);
}

type Shown = ReturnType<Field['of']>;

function compareShown(field: Field, one: Shown, two: Shown): number {
  if (one === two) return 0;
  if (one === null) return -1;
  if (two === null) return 1;
  // Stored instants have one form, so their text orders as they do.
  if (field.kind === 'instant') return one < two ? -1 : 1;
  return compareValues(field.kind, String(one), String(two));
}

/** Rows that an index already narrows down, or undefined when the whole table must be read. */
function candidates(tenant: Tenant, object: QueryObject, filters: readonly Filter[]): Row[] | undefined {
  const table = object.table(tenant);
  for (const filter of filters) {
    if (filter.operator !== 'EQ' && filter.operator !== 'IN') continue;
    const values = filter.values.filter((value) => value !== null && value !== '');
    if (values.length !== filter.values.length) continue;
    if (filter.field === 'id') return [...new Set(values)].map((id) => table.get(id ?? '')).filter((row) => row !== undefined);
    const index = object.indexes.get(filter.field);
    if (index !== undefined) return [...new Set(values)].flatMap((value) => table.by(index, value ?? ''));
  }
  return undefined;
}

function select(tenant: Tenant, object: QueryObject, request: QueryRequest): { readonly rows: readonly Row[]; readonly next?: string } {
  const { sort, pageSize } = request;
  const order = orderBy(tenant, object, sort.field);
  const narrow = candidates(tenant, object, request.filters);
  const sorted = narrow === undefined ? object.table(tenant).sorted(sort.field, order) : narrow.toSorted(order);
  const position = readCursor(request);
  const step = sort.descending ? -1 : 1;
  let at = sort.descending ? sorted.length - 1 : lowerBound(tenant, object, request, sorted);
  if (position.after !== undefined) {
    const { value, id } = position.after;
    const field = object.fields.get(sort.field);
    const beyond = (row: Row): number =>
      (field ? compareShown(field, field.of(row, tenant), value) : 0) || (row.id < id ? -1 : row.id > id ? 1 : 0);
    at = sort.descending ? firstIndex(sorted, (row) => beyond(row) >= 0) - 1 : firstIndex(sorted, (row) => beyond(row) > 0);
  }
  let skip = position.skip;
  const rows: Row[] = [];
  for (; at >= 0 && at < sorted.length; at += step) {
    const row = sorted[at];
    if (row === undefined || !request.filters.every((filter) => filter.matches(row))) continue;
    if (skip > 0) {
      skip -= 1;
      continue;
    }
    if (rows.length === pageSize) return { rows, next: writeCursor(tenant, object, request, rows, position.skip + pageSize) };
    rows.push(row);
  }
  return { rows };
}

/** Where a changed-since poll begins, so that it need not look at older rows. */
function lowerBound(tenant: Tenant, object: QueryObject, request: QueryRequest, sorted: readonly Row[]): number {
  const since = request.filters.find(
    (filter) => filter.field === request.sort.field && (filter.operator === 'GE' || filter.operator === 'GT'),
  );
  const field = object.fields.get(request.sort.field);
  const value = since?.values[0];
  if (value === undefined || value === null || field === undefined) return 0;
  return firstIndex(sorted, (row) => {
    const own = field.of(row, tenant);
    return own !== null && compareValues(field.kind, String(own), value) >= 0;
  });
}

/** First index whose row fulfils a condition that, once true, stays true. */
function firstIndex(sorted: readonly Row[], holds: (row: Row) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = sorted[middle];
    if (row !== undefined && holds(row)) high = middle;
    else low = middle + 1;
  }
  return low;
}

interface Position {
  readonly skip: number;
  readonly after?: { readonly value: Shown; readonly id: string };
}

function writeCursor(tenant: Tenant, object: QueryObject, request: QueryRequest, rows: readonly Row[], offset: number): string {
  const last = rows.at(-1);
  const value = last === undefined ? null : (object.fields.get(request.sort.field)?.of(last, tenant) ?? null);
  const position: Position = object.cursorIsOffset || last === undefined ? { skip: offset } : { skip: 0, after: { value, id: last.id } };
  return Buffer.from(JSON.stringify({ ...position, binding: request.binding })).toString('base64');
}

const cursorSchema = z.strictObject({
  skip: z.number(),
  after: z.strictObject({ value: z.union([z.string(), z.number(), z.boolean(), z.null()]), id: z.string() }).optional(),
  binding: z.string(),
});

/** The sort position itself is inside the cursor, so a row that moved or vanished meanwhile does not matter; an offset has no such luck. */
function readCursor(request: QueryRequest): Position {
  if (request.cursor === undefined) return { skip: 0 };
  const refused = new QueryRefused('Invalid value of query parameter cursor: use nextPage as it came, with all other parameters unchanged');
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(request.cursor, 'base64').toString());
  } catch {
    throw refused;
  }
  const cursor = cursorSchema.safeParse(content);
  if (!cursor.success || cursor.data.binding !== request.binding) throw refused;
  const { skip, after } = cursor.data;
  return after === undefined ? { skip } : { skip, after };
}

function render(tenant: Tenant, object: QueryObject, row: Row, request: QueryRequest, path = ''): Record<string, unknown> {
  const chosen = request.chosen.get(path.split('.').at(-1) ?? '');
  const record: Record<string, unknown> = {};
  const set = (name: string, value: unknown): void => {
    if (chosen && !chosen.has(name.toLowerCase())) return;
    if (value !== null || request.includeNullFields) record[name] = value;
  };
  for (const field of object.fields.values()) set(field.name, shown(tenant, field, row));
  for (const [name, value] of Object.entries(object.custom(row))) set(name.charAt(0).toLowerCase() + name.slice(1), value);
  const wanted = new Set(
    request.expands
      .filter((expand) => path === '' || expand.startsWith(`${path}.`))
      .map((expand) => (path === '' ? expand : expand.slice(path.length + 1)).split('.')[0] ?? ''),
  );
  for (const name of wanted) {
    const relation = object.relations.get(name);
    if (relation) expand(tenant, relation, row, request, path === '' ? name : `${path}.${name}`, record);
  }
  return record;
}

function expand(tenant: Tenant, relation: Relation, row: Row, request: QueryRequest, path: string, record: Record<string, unknown>): void {
  const target = queryObjects.get(relation.object);
  if (!target) return;
  const related = relation.of(row, tenant);
  if (relation.many) {
    // Cut at the page size, and nothing says so.
    const newest = related
      .toSorted(orderBy(tenant, target, 'updateddate'))
      .reverse()
      .slice(0, request.pageSize);
    record[relation.name] = newest.map((one) => render(tenant, target, one, request, path));
    return;
  }
  const [one] = related;
  if (one) record[relation.name] = render(tenant, target, one, request, path);
  else if (request.includeNullFields) record[relation.name] = null;
}

function shown(tenant: Tenant, field: Field, row: Row): unknown {
  const value = field.of(row, tenant);
  if (value === null) return null;
  if (field.kind === 'amount') return jsonNumber(String(value));
  if (field.kind === 'instant') return offsetTime(String(value), tenant.settings.zone);
  return value;
}
