import { Failure } from '../../failures.ts';
import { fetchPage, filterInstant } from './query.ts';
import type { ZuoraSender } from './sender.ts';
import { type ChangingNoun, instantOf, type RowOf } from './wire.ts';

interface Ask {
  readonly since?: Date;
  readonly filters?: readonly string[];
  readonly expand?: readonly string[];
}

/** The largest page; an answer with fewer rows is the last one. */
const pageSize = 99;

/**
 * What changed since an instant, oldest change first, without ever paging by position. A row that changes while a list is being paged moves to its end,
 * and every row behind it moves up by one: a cursor that is an offset then skips one row for good. So each page begins at the second where the one
 * before ended, and a second with more rows than a page holds is read by id. Rows of that second come twice in the answers and once in the pages.
 * Source: https://developer.zuora.com/docs/guides/query-operations/ (cursors are opaque; documented samples decode to an offset; read 2026-01-20)
 */
export async function* changedPages<Name extends ChangingNoun>(
  sender: ZuoraSender,
  noun: Name,
  ask: Ask,
): AsyncGenerator<readonly RowOf[Name][], void, undefined> {
  const filters = ask.filters ?? [];
  const expand = ask.expand === undefined ? {} : { expand: ask.expand };
  let from = ask.since === undefined ? [] : [`updateddate.GE:${filterInstant(ask.since)}`];
  /** Rows of the second at which the page before ended. */
  let known = new Set<string>();
  for (;;) {
    const page = await fetchPage(sender, noun, { sort: 'updateddate.ASC', filters: [...from, ...filters], ...expand }, { pageSize });
    const last = page.rows.at(-1);
    const fresh = page.rows.filter((row) => !known.has(row.id));
    if (last === undefined || page.next === undefined) {
      if (fresh.length > 0) yield fresh;
      return;
    }
    if (fresh.length > 0) yield fresh;
    const second = secondOf(last, noun);
    const inSecond = page.rows.filter((row) => secondOf(row, noun) === second);
    if (inSecond.length < page.rows.length) {
      const next = `updateddate.GE:${second}`;
      if (from[0] === next) throw endless(noun);
      from = [next];
      known = new Set(inSecond.map((row) => row.id));
      continue;
    }
    // One second fills the whole page, as after a billing run: all of it by id, where a row that moves away hides no other.
    for (const row of fresh) known.add(row.id);
    for (let after: readonly string[] = []; ; ) {
      const rest = await fetchPage(
        sender,
        noun,
        { sort: 'id.ASC', filters: [`updateddate.EQ:${second}`, ...after, ...filters], ...expand },
        { pageSize },
      );
      const unread = rest.rows.filter((row) => !known.has(row.id));
      if (unread.length > 0) yield unread;
      const lastId = rest.rows.at(-1)?.id;
      if (lastId === undefined || rest.next === undefined) break;
      if (after[0] === `id.GT:${lastId}`) throw endless(noun);
      after = [`id.GT:${lastId}`];
    }
    if (from[0] === `updateddate.GT:${second}`) throw endless(noun);
    from = [`updateddate.GT:${second}`];
    known = new Set();
  }
}

/** The second of a row's last change, as a filter takes it. */
function secondOf(row: { readonly id: string; readonly updatedDate?: string | undefined }, noun: string): string {
  if (row.updatedDate !== undefined) return filterInstant(instantOf(row.updatedDate));
  throw new Failure('ShapeUnexpected', {
    cause: `shape:zuora:${noun}`,
    sentence: `Zuora listed ${noun} ${row.id} without updatedDate, so what changed after it cannot be asked for. Nothing was lost; the next poll starts again.`,
  });
}

/** A list that answers the same rows whatever is asked would be read for ever. */
function endless(noun: string): Failure {
  return new Failure('ShapeUnexpected', {
    cause: `paging:zuora:${noun}`,
    sentence: `Zuora's list of ${noun} does not end: it answers the same rows again. Nothing of it was lost; the next poll starts again.`,
  });
}
