import type { BillingRun } from './billing-run.ts';
import { requestsPerMinute } from './billing-run.ts';
import { acumaticaTotal, callBudgets, zuoraBudget } from './call-budget.ts';
import type { CountedCall, Counts } from './counting-ports.ts';
import type { Measure } from './measure.ts';

const minuteMs = 60_000;

const recordsOf = ({ size }: BillingRun): number => size.invoices + size.payments + size.creditMemos;

function callsBy(calls: readonly CountedCall[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { operation } of calls) counts.set(operation, (counts.get(operation) ?? 0) + 1);
  return counts;
}

const ofSystem = (calls: readonly CountedCall[], system: string): readonly CountedCall[] =>
  calls.filter(({ operation }) => operation.startsWith(`${system} `));

/** Calls per record, endpoint by endpoint, and all of a vendor together. */
export function callMeasures(run: BillingRun): readonly Measure[] {
  const { calls } = run.counts;
  const counts = callsBy(calls);
  const records = recordsOf(run);
  const perRecord = (measure: string, made: number, allowed: number, about: string): Measure => ({
    measure,
    value: made / records,
    unit: 'calls/record',
    limit: { atMost: allowed / records },
    about,
  });
  const endpoints = callBudgets.map(({ operations, about, ...budget }) => {
    const made = operations.reduce((sum, operation) => sum + (counts.get(`acumatica ${operation}`) ?? 0), 0);
    return perRecord(`acumatica ${operations[0]}`, made, budget.calls(run.size), about);
  });
  const hours = (run.endedMs - run.begunMs) / (60 * minuteMs);
  return [
    ...endpoints,
    perRecord(
      'acumatica all calls',
      ofSystem(calls, 'acumatica').length,
      acumaticaTotal(run.size),
      'All calls of the run against the sum of the budget: 3.4 per document or payment, 6.7 per memo with its application, 1.01 per customer.',
    ),
    perRecord('zuora all calls', ofSystem(calls, 'zuora').length, zuoraBudget.calls(run.size, hours), zuoraBudget.about),
  ];
}

/** How much of the allowed rate was used, and whether a vendor ever said "too many". */
export function rateMeasures(run: Pick<BillingRun, 'counts' | 'begunMs' | 'endedMs'>): readonly Measure[] {
  const target = ofSystem(run.counts.calls, 'acumatica');
  const minutes = (run.endedMs - run.begunMs) / minuteMs;
  return [
    {
      measure: 'rate used',
      value: (100 * target.length) / (minutes * requestsPerMinute),
      unit: '%',
      limit: { atLeast: 90 },
      about: `Acumatica requests from the first to the last, of the ${requestsPerMinute} a minute that are allowed.`,
    },
    {
      measure: 'requests in the fullest minute',
      value: fullestMinute(target),
      unit: 'requests',
      limit: { atMost: requestsPerMinute },
      about: 'Of any sixty seconds of the run, wherever they begin.',
    },
    {
      measure: 'refusals for too many requests',
      value: run.counts.calls.filter(({ status }) => status === 429).length,
      unit: 'answers 429',
      limit: { atMost: 0 },
      about: 'Of both vendors.',
    },
    {
      measure: 'virtual duration',
      value: minutes / 60,
      unit: 'hours',
      about: 'From the first call to the last, as the vendors’ limits allow.',
    },
  ];
}

function fullestMinute(calls: readonly CountedCall[]): number {
  const instants = calls.map(({ atMs }) => atMs).sort((left, right) => left - right);
  let first = 0;
  let most = 0;
  for (const [last, atMs] of instants.entries()) {
    while ((instants[first] ?? atMs) <= atMs - minuteMs) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** What the queues cost: sends of up to ten messages, one receive and one delete per batch. */
export function queueMeasures(run: BillingRun): readonly Measure[] {
  return [
    {
      measure: 'SQS requests',
      value: (run.counts.sends + 2 * run.batches) / recordsOf(run),
      unit: 'requests/record',
      limit: { atMost: 1.5 },
      about: 'Sends in tens, one receive and one delete per batch; two workers, as many as AWS lets wait at a queue at least.',
    },
  ];
}

/** A poll when nothing has changed: once as it comes, once listing everything since the cut-over again. */
export function idleMeasures(polls: Readonly<Record<string, Counts>>): readonly Measure[] {
  return Object.entries(polls).flatMap(([poll, counts]) => {
    const lists = counts.calls.filter(({ operation }) => /^zuora GET \/object-query\/[a-z-]+$/.test(operation));
    const signIns = counts.calls.filter(({ operation }) => operation === 'zuora POST /oauth/token');
    const writes = storeWrites(counts);
    const measure = (what: string, value: number, unit: string, about?: string): Measure => ({
      measure: `${poll}: ${what}`,
      value,
      unit,
      limit: { atMost: 0 },
      ...(about === undefined ? {} : { about }),
    });
    return [
      { measure: `${poll}: list calls`, value: lists.length, unit: 'calls' },
      measure('other source calls', ofSystem(counts.calls, 'zuora').length - lists.length - signIns.length, 'calls'),
      measure('target calls', ofSystem(counts.calls, 'acumatica').length, 'calls'),
      measure('messages sent', counts.sends, 'requests'),
      { measure: `${poll}: cursor writes`, value: writes.cursors, unit: 'writes' },
      {
        measure: `${poll}: writes of the shared rate and token`,
        value: writes.connection,
        unit: 'writes',
        about: 'A block of slots is one write; it belongs to the list calls.',
      },
      measure('other writes', writes.other, 'writes', 'Links, audit, and any state but cursors and what a connection shares.'),
    ];
  });
}

const writing = /^(links\.(lease|save|commit|release|remove)|audit\.append|state\.put .+)$/;

function storeWrites({ stores }: Counts): { readonly cursors: number; readonly connection: number; readonly other: number } {
  const sums = { cursors: 0, connection: 0, other: 0 };
  for (const [name, count] of stores) {
    if (!writing.test(name)) continue;
    if (name.startsWith('state.put poll ')) sums.cursors += count;
    else if (name.startsWith('state.put connection ')) sums.connection += count;
    else sums.other += count;
  }
  return sums;
}
