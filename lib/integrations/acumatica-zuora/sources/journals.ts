import type { Feed } from '../../../contracts/flow.ts';

import type { JournalEntry } from '../../../vendors/zuora/wire-answers.ts';
import type { Journal } from '../canonical.ts';
import type { PairContext } from '../context.ts';

/** Reads summary journal entries of Zuora Finance. There is no list of runs: Data Query names those that changed. */

/** Key of an entry: its run is needed to read it. */
export const journalKey = (run: string, entry: string): string => `${run}/${entry}`;

const given = <Name extends string, Value>(name: Name, value: Value | undefined): { readonly [N in Name]?: Value } =>
  value === undefined ? {} : ({ [name]: value } as { readonly [N in Name]?: Value });

export function journalOf(run: string, entry: JournalEntry): Journal {
  const segments = entry.segments
    .map((segment) => [segment.segmentName, segment.segmentValue].filter((part) => part !== undefined).join('='))
    .join(', ');
  return {
    number: entry.number,
    run,
    type: entry.transactionType,
    status: entry.status,
    date: entry.journalEntryDate,
    currency: entry.currency,
    aggregate: entry.aggregateCurrency ?? false,
    lines: entry.journalEntryItems.map((item) => ({
      code: item.accountingCodeName,
      side: item.type,
      amount: item.amount,
      segments,
      ...given('homeAmount', item.homeCurrencyAmount),
    })),
    ...given('transferred', entry.transferredToAccounting),
    ...given('from', entry.timePeriodStart),
    ...given('to', entry.timePeriodEnd),
    ...given('period', entry.accountingPeriodName),
    ...given('homeCurrency', entry.homeCurrency),
  };
}

export async function fetchJournals(context: PairContext, keys: readonly string[]): Promise<ReadonlyMap<string, Journal>> {
  const found = new Map<string, Journal>();
  for (const run of new Set(keys.map((key) => key.split('/')[0] ?? ''))) {
    for (const entry of await context.zuora.listJournalEntries(run)) {
      const key = journalKey(run, entry.number);
      if (keys.includes(key)) found.set(key, journalOf(run, entry));
    }
  }
  return found;
}

/** Column names of Data Query come in any letter case. */
const column = (row: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.entries(row).find(([member]) => member.toLowerCase() === name)?.[1];

const sqlTime = (instant: Date): string => `timestamp '${instant.toISOString().slice(0, 19).replace('T', ' ')} UTC'`;

/** Runs named in one condition. */
const idsPerQuery = 100;

/** Entries of completed runs that changed, found through the runs and through the entries: a later cancellation touches only the entry. */
export const journalFeed: Feed<Journal, PairContext> = {
  name: 'journal-runs',
  overlapMs: 36 * 3_600_000,
  async *list(context, since) {
    const from = sqlTime(since ?? new Date(`${context.settings.startFrom}T00:00:00Z`));
    for (const run of await fetchChangedRuns(context, from)) {
      const entries = await context.zuora.listJournalEntries(run);
      yield entries.map((entry) => ({ key: journalKey(run, entry.number), at: context.now, row: journalOf(run, entry) }));
    }
  },
};

/** Numbers of completed runs. One table per query, conditions joined by AND: all that every edition of Data Query takes. */
async function fetchChangedRuns(context: PairContext, from: string): Promise<readonly string[]> {
  const { zuora } = context;
  const touched = await zuora.runDataQuery(`SELECT id, journalrunid FROM journalentry WHERE updateddate >= ${from}`);
  const ids = [...new Set(touched.flatMap((row) => column(row, 'journalrunid') ?? []))].sort();
  const runs = [...(await zuora.runDataQuery(`SELECT id, number, status FROM journalrun WHERE updateddate >= ${from}`))];
  for (let start = 0; start < ids.length; start += idsPerQuery) {
    const list = ids
      .slice(start, start + idsPerQuery)
      .map((id) => `'${id.replaceAll("'", "''")}'`)
      .join(', ');
    runs.push(...(await zuora.runDataQuery(`SELECT id, number, status FROM journalrun WHERE id IN (${list})`)));
  }
  const completed = runs.filter((row) => column(row, 'status')?.toLowerCase() === 'completed');
  return [...new Set(completed.flatMap((row) => column(row, 'number') ?? []))].sort();
}
