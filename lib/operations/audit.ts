import * as z from 'zod';
import type { Connector } from '../connector.ts';
import type { AuditEntry, Outcome } from '../contracts/audit.ts';
import { isCalendarDate } from '../values/calendar-date.ts';
import { refText } from '../values/record-ref.ts';
import { defineOperation, everyPage, flowsOf, integrationName, integrationsOf, isFlow, refused, shortText } from './operation.ts';
import { findRecords, fullReference } from './records.ts';

const outcomes = [
  ...(['created', 'updated', 'adopted', 'posted', 'applied', 'reversed', 'unchanged', 'noted'] as const),
  ...(['filtered', 'waiting', 'held', 'retried', 'planned', 'operator'] as const),
] satisfies readonly Outcome[];

const whenWords = 'must be a day (2026-03-02) or an instant in UTC (2026-03-02T08:00:00Z)';
const when = z.union([z.iso.datetime({ error: whenWords }), z.string().refine(isCalendarDate, whenWords)], { error: whenWords });

const input = z.strictObject({
  integration: integrationName,
  record: shortText.optional(),
  flow: shortText.optional(),
  outcome: z.enum(outcomes).optional(),
  from: when.optional(),
  /** A day counts to its end. */
  to: when.optional(),
  /** Only entries older than this place, as the answer before named it. */
  before: shortText.optional(),
  limit: z.number().int().min(1, 'must be at least 1').max(2000, 'must be at most 2000; --before goes on from there').default(200),
});
type Request = z.infer<typeof input>;

/** What was decided and written, by record, flow, outcome and time: the newest that fit, oldest of them first. */
export const audit = defineOperation({
  name: 'audit',
  summary: 'Audit entries by record, flow, outcome and time, newest last.',
  input,
  changes: false,
  async run(connector, request) {
    flowsOf(connector, request.integration, request.flow);
    const range = rangeOf(connector, request);
    const found =
      request.record === undefined ? await newest(connector, request, range) : await ofRecord(connector, request.record, request, range);
    const all = [...new Map(found.entries.map((entry) => [placeOf(entry), entry])).entries()].sort(([left], [right]) =>
      left < right ? -1 : 1,
    );
    const shown = all.slice(-request.limit);
    const before = all.length > request.limit ? shown[0]?.[0] : found.searchedFrom;
    return { entries: shown.map(([, entry]) => entry), more: before !== undefined, ...(before === undefined ? {} : { before }) };
  },
});

const placeOf = (entry: AuditEntry): string => `${entry.at}|${entry.id}`;

interface Range {
  readonly from: Date;
  readonly to: Date;
}

/** Nothing of ours is older. */
const beginning = new Date('2020-01-01T00:00:00Z');
const dayMs = 86_400_000;

function rangeOf(connector: Connector, request: Request): Range {
  const from = request.from === undefined ? beginning : new Date(request.from);
  const given = request.to === undefined ? new Date(connector.ports.clock.now().getTime() + dayMs) : new Date(request.to);
  const to = request.to !== undefined && isCalendarDate(request.to) ? new Date(given.getTime() + dayMs - 1) : given;
  if (from > to)
    throw refused(`from ${request.from ?? ''} lies after to ${request.to ?? ''}.`, 'Example: audit --from 2026-03-01 --to 2026-03-31');
  return { from, to };
}

interface Found {
  readonly entries: readonly AuditEntry[];
  /** The search ended here although there may be more. */
  readonly searchedFrom?: string | undefined;
}

async function ofRecord(connector: Connector, text: string, request: Request, range: Range): Promise<Found> {
  const full = fullReference(connector, text);
  const refs = full ? [full] : (await findRecords(connector, text, request)).map(({ ref }) => ref);
  if (refs.length === 0) throw refused(`No record "${text}" is known here.`, 'Check the number; see what was decided last with: audit');
  const entries: AuditEntry[] = [];
  for (const ref of refs) {
    const integration = ref.flow.slice(0, ref.flow.indexOf('.'));
    entries.push(...(await between(connector, { integration, record: refText(ref) }, range)));
  }
  return { entries: entries.filter((entry) => fits(entry, request)) };
}

const firstWindowMs = 3_600_000;
/** A window that held fewer than this is followed by a longer one. */
const fewEntries = 500;
/** One answer reads no more than this; the next one goes on from there. */
const mostRead = 20_000;

/** The store reads oldest first: the newest are found by windows that go back in time and grow where little happened. */
async function newest(connector: Connector, request: Request, range: Range): Promise<Found> {
  const all: AuditEntry[] = [];
  let searchedFrom: string | undefined;
  for (const { name: integration } of integrationsOf(connector, request.integration)) {
    const upTo = request.before === undefined ? range.to : instantOfPlace(request.before, range.to);
    let read = 0;
    let fitting = 0;
    let until = upTo.getTime();
    for (let windowMs = firstWindowMs; until >= range.from.getTime(); ) {
      const start = Math.max(range.from.getTime(), until - windowMs);
      const entries = await between(connector, { integration }, { from: new Date(start), to: new Date(until) });
      const kept = entries.filter((entry) => fits(entry, request));
      all.push(...kept);
      read += entries.length;
      fitting += kept.length;
      if (fitting > request.limit) break;
      if (read >= mostRead && start > range.from.getTime()) {
        const place = new Date(start).toISOString();
        searchedFrom = searchedFrom === undefined || place > searchedFrom ? place : searchedFrom;
        break;
      }
      if (entries.length < fewEntries) windowMs *= 4;
      until = start - 1;
    }
  }
  return { entries: all, searchedFrom };
}

function instantOfPlace(place: string, to: Date): Date {
  const at = new Date(place.split('|')[0] ?? '');
  if (Number.isNaN(at.getTime())) throw refused(`"${place}" is no place in the audit.`, 'Copy it from the end of the answer before.');
  return at < to ? at : to;
}

async function between(
  connector: Connector,
  of: { readonly integration: string; readonly record?: string },
  range: Range,
): Promise<AuditEntry[]> {
  return everyPage(async (after) => {
    const page = await connector.ports.audit.query({ ...of, ...range, ...after, limit: 1000 });
    return { items: page.entries, next: page.next };
  });
}

function fits(entry: AuditEntry, request: Request): boolean {
  return (
    isFlow(entry.record.split('|')[0] ?? '', request.flow) &&
    (request.outcome === undefined || entry.outcome === request.outcome) &&
    (request.before === undefined || placeOf(entry) < request.before)
  );
}
