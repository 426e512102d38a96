import * as z from 'zod';
import { Failure } from '../../failures.ts';
import type { ZuoraSender } from './sender.ts';
import { misfit } from './sender.ts';
import { type Noun, type RowOf, rowSchemas } from './wire.ts';

export interface Selection {
  readonly filters?: readonly string[];
  readonly expand?: readonly string[];
  /** `updateddate.ASC`. Never left out: the default is newest first, and rows that change while we page would be skipped. */
  readonly sort: string;
}

/** 1 to 99, default 10. */
const pageSize = 99;
/** Ids in one `IN` list: about 1,400 characters of query. */
const idsPerCall = 40;

const pageSchema = z.looseObject({ data: z.array(z.unknown()), nextPage: z.string().nullish() });

/**
 * The pages of an object-query list, until there is no next one. The cursor is opaque and bound to all other parameters, so they are repeated
 * unchanged. A cursor that comes twice would never end: it is a failure.
 * Source: https://developer.zuora.com/v1-api-reference/api/tag/Object-Queries/ (read 2026-01-20)
 */
export async function* pagesOf<Name extends Noun>(
  sender: ZuoraSender,
  noun: Name,
  selection: Selection,
): AsyncGenerator<readonly RowOf[Name][], void, undefined> {
  const seen = new Set<string>();
  for (let cursor: string | undefined; ; ) {
    const page = await fetchPage(sender, noun, selection, { pageSize, ...(cursor === undefined ? {} : { cursor }) });
    yield page.rows;
    if (page.next === undefined) return;
    if (seen.has(page.next))
      throw new Failure('ShapeUnexpected', {
        cause: `paging:zuora:${noun}`,
        sentence: `Zuora's list of ${noun} does not end: the same page was announced twice. Nothing of it was lost; the next poll starts again.`,
      });
    seen.add(page.next);
    cursor = page.next;
  }
}

export async function fetchPage<Name extends Noun>(
  sender: ZuoraSender,
  noun: Name,
  selection: Selection,
  paging: { readonly pageSize: number; readonly cursor?: string },
): Promise<{ readonly rows: readonly RowOf[Name][]; readonly next: string | undefined }> {
  const operation = `GET /object-query/${noun}`;
  const doing = `read ${noun.replaceAll('-', ' ')}`;
  const query: [string, string][] = [
    ['pageSize', String(paging.pageSize)],
    ['sort[]', selection.sort],
    ...(selection.filters ?? []).map((filter): [string, string] => ['filter[]', filter]),
    ...(selection.expand ?? []).map((relation): [string, string] => ['expand[]', relation]),
    ...(paging.cursor === undefined ? [] : [['cursor', paging.cursor] as [string, string]]),
  ];
  const page = await sender.send({ operation, path: `/object-query/${noun}`, query, doing, effect: 'read', answer: pageSchema });
  const rows = z.array(rowSchemas[noun]).safeParse(page.data);
  if (!rows.success) throw misfit(operation, `${doing}${idOf(page.data, rows.error)}`, rows.error);
  return { rows: rows.data, next: page.nextPage === null || page.nextPage === '' ? undefined : page.nextPage };
}

export async function fetchAll<Name extends Noun>(sender: ZuoraSender, noun: Name, selection: Selection): Promise<readonly RowOf[Name][]> {
  const rows: RowOf[Name][] = [];
  for await (const page of pagesOf(sender, noun, selection)) rows.push(...page);
  return rows;
}

/** Rows whose `field` has one of the values, in chunks at once. Values that would break the list syntax are asked for alone. */
export async function fetchWhereIn<Name extends Noun>(
  sender: ZuoraSender,
  noun: Name,
  field: string,
  values: readonly string[],
  options: { readonly chunk?: number; readonly expand?: readonly string[]; readonly sort?: string } = {},
): Promise<readonly RowOf[Name][]> {
  const distinct = [...new Set(values)];
  const awkward = distinct.filter((value) => /[[\],]/.test(value));
  const plain = distinct.filter((value) => !/[[\],]/.test(value));
  const size = Math.max(1, options.chunk ?? idsPerCall);
  const filters = [
    ...Array.from(
      { length: Math.ceil(plain.length / size) },
      (_, index) => `${field}.IN:[${plain.slice(index * size, (index + 1) * size).join(',')}]`,
    ),
    ...awkward.map((value) => `${field}.EQ:${value}`),
  ];
  const selection = { sort: options.sort ?? 'id.ASC', ...(options.expand === undefined ? {} : { expand: options.expand }) };
  const chunks = await Promise.all(filters.map((filter) => fetchAll(sender, noun, { ...selection, filters: [filter] })));
  return chunks.flat();
}

/** A datetime as a filter takes it: UTC, whole seconds, rounded down, because rows have no more precision than that. */
export const filterInstant = (instant: Date): string => `${instant.toISOString().slice(0, 19)}Z`;

function idOf(rows: readonly unknown[], error: z.ZodError): string {
  const index = error.issues[0]?.path[0];
  const row = typeof index === 'number' ? rows[index] : undefined;
  if (row === null || typeof row !== 'object' || !('id' in row)) return '';
  return ` (${String(row.id)})`;
}
