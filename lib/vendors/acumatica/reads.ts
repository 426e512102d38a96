import { Failure } from '../../failures.ts';
import type { Actions } from './actions.ts';
import { keyFields } from './entities.ts';
import type { Exchange } from './exchange.ts';
import { noEntity, optimization } from './failures.ts';
import { compare, eq, type Filter, type FilterField, fieldOf } from './filter.ts';
import { jsonOf, type Session } from './session.ts';
import { parseRow } from './shapes.ts';
import type { ListOptions, ReadOptions } from './surface.ts';
import type { Entity, RowOf } from './wire.ts';

/** Large pages time out; the documents name no limit. */
const pageSize = 500;
/** Characters that IIS refuses in a path or that separate keys there: such a record is read by its id. */
const unfitForPath = /[/|\\%&*:<>?+#]|^\.+$/;
/** List reads with these parts are answered with 500; they come on key reads. */
const onKeyReadsOnly: Readonly<Partial<Record<Entity, readonly string[]>>> = { Payment: ['ApplicationHistory'] };

export interface Reads {
  findByKey<E extends Entity>(entity: E, keys: readonly string[], options?: ReadOptions): Promise<RowOf<E> | undefined>;
  list<E extends Entity>(entity: E, options?: ListOptions<E>): AsyncIterable<readonly RowOf<E>[]>;
  /** Everything a filter matches, in one call. */
  fetchAll<E extends Entity>(entity: E, filter: Filter<E>, options?: ReadOptions): Promise<readonly RowOf<E>[]>;
  /** The path of a record: by its keys, or by id where they do not fit into one. `undefined`: there is no such record. */
  findPath(entity: Entity, keys: readonly string[]): Promise<string | undefined>;
}

export function createReads(session: Session, actions: Actions): Reads {
  const send = (exchange: Exchange) =>
    session.inLane(async () => {
      await actions.refuseClosed(exchange.entity);
      return (await session.exchange(exchange)).answer;
    });

  async function findPath(entity: Entity, keys: readonly string[]): Promise<string | undefined> {
    checkKeys(entity, keys);
    if (!keys.some((key) => unfitForPath.test(key))) return `/${entity}/${keys.map(encodeURIComponent).join('/')}`;
    const [row] = await fetchAll(entity, keysFilter(entity, keys), { select: keyFields[entity] });
    const id = row?.id;
    if (row && id === undefined)
      throw new Failure('ShapeUnexpected', {
        sentence: `Acumatica lists ${entity} ${keys.join(' ')} without an id, and its key cannot be put into an address.`,
      });
    return id === undefined ? undefined : `/${entity}/${encodeURIComponent(id)}`;
  }

  async function findByKey<E extends Entity>(entity: E, keys: readonly string[], options: ReadOptions = {}): Promise<RowOf<E> | undefined> {
    const path = await findPath(entity, keys);
    if (path === undefined) return undefined;
    const exchange: Exchange = {
      operation: `GET /${entity}/{key}`,
      method: 'GET',
      path,
      query: queryOf(entity, options),
      what: `read ${entity} ${keys.join(' ')}`,
      effect: 'read',
      entity,
    };
    try {
      const body = jsonOf(await send(exchange), exchange);
      // Some builds answer a key read of CompanyFinancialPeriod with a list.
      const record = Array.isArray(body) ? body[0] : body;
      return record === undefined ? undefined : parseRow(entity, record, exchange.what);
    } catch (error) {
      if (error instanceof Failure && error.record.code === noEntity) return undefined;
      throw error;
    }
  }

  /** `listed` counts what the list held, also records that were gone when they were read by key. */
  async function fetchPage<E extends Entity>(
    entity: E,
    options: ReadOptions,
    filter: Filter<E> | undefined,
    paging: { top?: number; skip?: number },
  ): Promise<{ readonly rows: readonly RowOf<E>[]; readonly listed: readonly RowOf<E>[] }> {
    const unlisted = options.expand?.find((part) => onKeyReadsOnly[entity]?.includes(part));
    if (unlisted) throw new Failure('RequestMalformed', { sentence: `${entity} cannot be listed with ${unlisted}: read it by key.` });
    const exchange = (read: ReadOptions): Exchange => ({
      operation: `GET /${entity}`,
      method: 'GET',
      path: `/${entity}`,
      query: {
        $filter: filter?.text,
        ...queryOf(entity, read),
        ...(paging.top === undefined ? {} : { $top: String(paging.top) }),
        ...(paging.skip ? { $skip: String(paging.skip) } : {}),
      },
      what: `list ${entity}`,
      effect: 'read',
      entity,
    });
    const fetch = async (read: ReadOptions) => {
      const request = exchange(read);
      const body = jsonOf(await send(request), request);
      if (!Array.isArray(body))
        throw new Failure('ShapeUnexpected', { sentence: `Acumatica answered the list of ${entity} with something that is not a list.` });
      return body.map((record: unknown) => parseRow(entity, record, request.what));
    };
    try {
      const rows = await fetch(options);
      return { rows, listed: rows };
    } catch (error) {
      if (!(error instanceof Failure && error.record.code === optimization)) throw error;
      // A field that cannot be listed: the list brings the keys, and each record comes by key.
      const listed = await fetch({ select: keyFields[entity] });
      const rows: RowOf<E>[] = [];
      for (const row of listed) {
        const found = await findByKey(entity, keysOf(entity, row), options);
        if (found !== undefined) rows.push(found);
      }
      return { rows, listed };
    }
  }

  const fetchAll: Reads['fetchAll'] = async (entity, filter, options = {}) => (await fetchPage(entity, options, filter, {})).rows;

  /**
   * Pages by the last key seen where the key is in the filter's view and all but its last part is fixed by the filter, else by `$skip`. The order of
   * a list is not documented: every record is handed out once, and a page that repeats records or is not sorted shows that the list
   * is not in the order of the keys: it is then read again with `$skip`, as it is when records moved between two pages.
   */
  async function* list<E extends Entity>(entity: E, options: ListOptions<E> = {}): AsyncGenerator<readonly RowOf<E>[]> {
    const seen = new Set<string>();
    let left = options.top ?? Number.POSITIVE_INFINITY;
    const fresh = (rows: readonly RowOf<E>[]): RowOf<E>[] => {
      const news = rows.filter((row) => !seen.has(keyText(entity, row))).slice(0, left);
      for (const row of news) seen.add(keyText(entity, row));
      left -= news.length;
      return news;
    };
    let after = keysetField(entity, options.filter) === undefined ? undefined : '';
    let skip = 0;
    let restarts = 0;
    let lastOfPage: string | undefined;
    while (left > 0) {
      // The last record of the page before is read again: it tells whether the list moved in between.
      const overlap = after === undefined && lastOfPage !== undefined ? 1 : 0;
      const top = Math.min(pageSize, left + overlap);
      const filter = after ? afterKey(entity, options.filter, after) : options.filter;
      const { rows, listed } = await fetchPage(entity, options, filter, after === undefined ? { top, skip: skip - overlap } : { top });
      const last = listed.at(-1);
      const moved = overlap === 1 && (listed[0] === undefined || keyText(entity, listed[0]) !== lastOfPage);
      const full = listed.length >= top;
      const keys = listed.map((row) => keyText(entity, row));
      const unordered = after !== undefined && ((full && !isAscending(keys)) || (after !== '' && keys.some((key) => seen.has(key))));
      yield fresh(rows);
      if (unordered || (moved && restarts < 3)) {
        if (moved) restarts += 1;
        after = undefined;
        skip = 0;
        lastOfPage = undefined;
        continue;
      }
      if (last === undefined || !full) return;
      if (after === undefined) {
        skip += listed.length - overlap;
        lastOfPage = keyText(entity, last);
      } else {
        after = keysOf(entity, last).at(-1) ?? '';
      }
    }
  }

  return { findByKey, list, fetchAll, findPath };
}

function queryOf(entity: Entity, { expand, select, custom }: ReadOptions): Readonly<Record<string, string | undefined>> {
  const selected = select === undefined ? undefined : [...new Set([...keyFields[entity], ...select])];
  return { $select: selected?.join(','), $expand: expand?.join(','), $custom: custom?.join(',') };
}

function checkKeys(entity: Entity, keys: readonly string[]): void {
  const fields = keyFields[entity];
  if (keys.length === fields.length && keys.every((key) => key.trim() !== '')) return;
  throw new Failure('Defect', { sentence: `${entity} is found by ${fields.join(' and ')}, not by ${JSON.stringify(keys)}.` });
}

/** The last key field, when the rest of the key is fixed by the filter and all of it is in one view. */
function keysetField(entity: Entity, filter: Filter | undefined): string | undefined {
  const fields = keyFields[entity];
  const last = fields.at(-1);
  if (last === undefined || !fields.slice(0, -1).every((name) => filter?.fixed.includes(name))) return undefined;
  return filter === undefined || filter.view === fieldOf(entity, last).view ? last : undefined;
}

function afterKey<E extends Entity>(entity: E, filter: Filter<E> | undefined, last: string): Filter<E> {
  const name = keyFields[entity].at(-1) as FilterField<E>;
  const beyond = compare(entity, name, 'gt', last as never) as Filter<E>;
  return filter ? { ...filter, text: `(${filter.text}) and ${beyond.text}` } : beyond;
}

function keysFilter<E extends Entity>(entity: E, keys: readonly string[]): Filter<E> {
  const parts = keyFields[entity].map((name, index) => eq(entity, name as FilterField<E>, (keys[index] ?? '') as never) as Filter<E>);
  const [first] = parts;
  if (!first) throw new RangeError(`${entity} has no key`);
  return { ...first, text: parts.map((part) => part.text).join(' and ') };
}

function keysOf(entity: Entity, row: object): string[] {
  const values: Readonly<Record<string, unknown>> = { ...row };
  return keyFields[entity].map((name) => String(values[name] ?? ''));
}

const isAscending = (keys: readonly string[]): boolean => keys.every((key, index) => index === 0 || (keys[index - 1] ?? '') < key);

/** Keys compare without letter case and padding, as the database does. */
const keyText = (entity: Entity, row: object): string =>
  keysOf(entity, row)
    .map((key) => key.trim().toUpperCase())
    .join('|');
