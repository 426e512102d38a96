import type * as z from 'zod';
import { Failure } from '../../failures.ts';
import type { ZuoraSender } from './sender.ts';
import { isOurHost, type ZuoraSettings } from './settings.ts';

/**
 * All rows of a v1 list. `nextPage` is a whole address: only its path and query are used, on our own host, and only when it names a host of
 * Zuora's, because the token goes with the request.
 * Source: https://developer.zuora.com/v1-api-reference/pagination/ (read 2026-01-20)
 */
export async function fetchV1Pages<Answer extends { readonly nextPage?: string | undefined }, Row>(
  via: { readonly sender: ZuoraSender; readonly settings: ZuoraSettings },
  ask: {
    readonly operation: string;
    readonly path: string;
    readonly doing: string;
    readonly pageSize: number;
    readonly query?: readonly (readonly [string, string])[];
    readonly answer: z.ZodType<Answer>;
  },
  rowsOf: (answer: Answer) => readonly Row[],
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const seen = new Set<string>();
  let path = ask.path;
  let query: readonly (readonly [string, string])[] = [...(ask.query ?? []), ['pageSize', String(ask.pageSize)]];
  for (;;) {
    const answer = await via.sender.send({ operation: ask.operation, path, query, doing: ask.doing, effect: 'read', answer: ask.answer });
    rows.push(...rowsOf(answer));
    if (answer.nextPage === undefined) return rows;
    const next = URL.canParse(answer.nextPage) ? new URL(answer.nextPage) : undefined;
    if (!next || !isOurHost(via.settings, next) || seen.has(answer.nextPage))
      throw new Failure('ShapeUnexpected', {
        cause: `paging:zuora:${ask.operation}`,
        sentence: `Zuora named a next page that we do not follow when asked to ${ask.doing}: ${next && isOurHost(via.settings, next) ? 'it was announced twice' : 'its address is not one of Zuora'}.`,
        fix: 'Send the audit entry to the maintainers of ml-connector.',
      });
    seen.add(answer.nextPage);
    path = next.pathname;
    query = [...next.searchParams];
  }
}

/** `2026-03-01T00:00:00` in the given zone: v1 takes date-times of the tenant without offset. */
export function zonedText(instant: Date, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).formatToParts(instant);
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((found) => found.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}:${part('second')}`;
}
