import type { AuditEntry } from '../../lib/contracts/audit.ts';
import type { Link } from '../../lib/contracts/link.ts';
import { refText } from '../../lib/values/record-ref.ts';
import type { Company } from '../company.ts';
import type { World } from '../world.ts';
import { isMeant, isPaused, type Remembered, recordsMeant, remembered, totalOf, troubles, writesOf } from './end-state.ts';
import { checkList, compare, type Difference, isLike, nearestOf, numberFits, shown } from './matching.ts';
import type { Expectation, ExpectedNumber } from './schema.ts';

/** One expectation that does not hold. */
export interface Miss {
  /** `acumatica invoices`, `links`, `calls acumatica PUT /Invoice` */
  readonly what: string;
  readonly expected: string;
  /** What is there instead: the nearest record, or the number found. */
  readonly found: string;
  readonly differences: readonly Difference[];
  /** References of the records whose story helps. */
  readonly records: readonly string[];
}

/** The place an expectation is checked in. */
export interface Seen {
  readonly world: World;
  readonly company: Company;
  readonly state: Remembered;
}

/** Everything of an expectation that does not hold now. */
export async function missesOf(expectation: Expectation, world: World, company: Company): Promise<readonly Miss[]> {
  return missesIn(expectation, { world, company, state: await remembered(world) });
}

/** The same as yes or no, reading no more than it takes: asked at every turn of a wait. */
export async function holdsNow(expectation: Expectation, world: World, company: Company): Promise<boolean> {
  const links = expectation.links !== undefined || expectation.holds !== undefined || expectation.waiting !== undefined;
  const state = await remembered(world, { links: links || expectation.audit !== undefined, audit: expectation.audit !== undefined });
  return (await missesIn(expectation, { world, company, state })).length === 0;
}

async function missesIn(expectation: Expectation, seen: Seen): Promise<readonly Miss[]> {
  return [
    ...systemMisses(expectation, seen),
    ...(expectation.links ?? []).flatMap((expected) => linkMisses(expected, seen)),
    ...(expectation.audit ?? []).flatMap((expected) => auditMisses(expected, seen)),
    ...troubleMisses('holds', expectation.holds, seen),
    ...troubleMisses('waiting', expectation.waiting, seen),
    ...numberMisses('dead letters', expectation.deadLetters, await seen.world.queues.deadLetters.count()),
    ...callMisses(expectation, seen),
    ...alertMisses(expectation, seen),
    ...countMisses(expectation, seen),
    ...(await connectionMisses(expectation, seen)),
  ];
}

function systemMisses({ systems = {} }: Expectation, seen: Seen): Miss[] {
  return Object.entries(systems).flatMap(([system, nouns]) =>
    Object.entries(nouns).flatMap(([noun, expected]) => {
      const what = `${system} ${noun}`;
      const records = seen.world.simulators[system]?.records(noun) ?? [];
      if (Array.isArray(expected)) return recordMisses(what, { expected, records }, seen);
      const { include = [], where, ...rest } = expected;
      const looked = where === undefined ? records : records.filter((one) => compare(where, one).differences.length === 0);
      const differences = checkList(rest, looked, what).flatMap((comparison) => comparison.differences);
      const counted = differences.map((one): Miss => {
        const among = where === undefined ? '' : ` where ${shown(where)}`;
        return {
          what: `${what}${among}`,
          expected: one.expected,
          found: one.found,
          differences: [],
          records: aboutRecord(where ?? {}, seen),
        };
      });
      return [...counted, ...recordMisses(what, { expected: include, records: looked }, seen)];
    }),
  );
}

/** Every expected record needs a record of its own that contains it. */
function recordMisses(
  what: string,
  given: {
    readonly expected: readonly Readonly<Record<string, unknown>>[];
    readonly records: readonly Readonly<Record<string, unknown>>[];
  },
  seen: Seen,
): Miss[] {
  const free = [...given.records];
  const missing = given.expected.filter((expected) => {
    const index = free.findIndex((one) => compare(expected, one).differences.length === 0);
    if (index !== -1) free.splice(index, 1);
    return index === -1;
  });
  return missing.map((expected) => {
    const nearest = nearestOf(expected, free);
    return {
      what,
      expected: shown(expected),
      found: nearest === undefined ? (free.length === 0 ? 'no further record' : `nothing like it among ${free.length}`) : nameOf(nearest),
      differences: nearest === undefined ? [] : compare(expected, nearest).differences,
      records: aboutRecord(expected, seen),
    };
  });
}

/** How a person would name a record of a system. */
function nameOf(record: Readonly<Record<string, unknown>>): string {
  const names = ['type', 'number', 'ref', 'id', 'reference', 'name', 'account', 'code'].flatMap((name) =>
    typeof record[name] === 'string' && record[name] !== '' ? [record[name]] : [],
  );
  return names.slice(0, 3).join(' ') || shown(record);
}

/** Records of the connector that an expected record mentions by number. */
function aboutRecord(expected: Readonly<Record<string, unknown>>, seen: Seen): string[] {
  const texts = Object.values(expected).filter((value) => typeof value === 'string');
  return texts.flatMap((text) => [...recordsMeant(seen.state, text)]);
}

type ExpectedLink = NonNullable<Expectation['links']>[number];

function linkMisses(expected: ExpectedLink, { state }: Seen): Miss[] {
  const named = state.links.filter(
    (link) => isMeant(link, expected.record) && (expected.flow === undefined || link.origin.flow.endsWith(`.${expected.flow}`)),
  );
  const differing = named.map((link) => ({ link, differences: linkDifferences(expected, link) }));
  if (expected.state === 'none' ? named.length === 0 : differing.some(({ differences }) => differences.length === 0)) return [];
  const nearest = differing.toSorted((left, right) => left.differences.length - right.differences.length)[0];
  return [
    {
      what: 'links',
      expected: shown(expected),
      found: nearest === undefined ? 'no such link' : `${nearest.link.label ?? nearest.link.origin.key} in ${nearest.link.origin.flow}`,
      differences: nearest?.differences ?? [],
      records: [...recordsMeant(state, expected.record)],
    },
  ];
}

function linkDifferences(expected: ExpectedLink, link: Link): Difference[] {
  const targets = [...Object.values(link.keys), ...(link.postings ?? []).flatMap(({ target }) => (target === undefined ? [] : [target]))];
  return [
    ...(expected.state === undefined || expected.state === link.state ? [] : [difference('state', expected.state, link.state)]),
    ...likeDifference('cause', expected.cause, [link.trouble?.cause ?? '']),
    ...likeDifference('note', expected.note, [link.note ?? '']),
    ...likeDifference('target', expected.target, targets),
  ];
}

const difference = (path: string, expected: string, found: string): Difference => ({ path, expected, found: shown(found) });

function likeDifference(path: string, pattern: string | undefined, found: readonly string[]): Difference[] {
  if (pattern === undefined || found.some((text) => isLike(pattern, text))) return [];
  return [difference(path, pattern, found.join(', '))];
}

type ExpectedEntry = NonNullable<Expectation['audit']>[number];

function auditMisses(expected: ExpectedEntry, { state }: Seen): Miss[] {
  const meant = expected.record === undefined ? undefined : recordsMeant(state, expected.record);
  const named = state.audit.filter((entry) => meant === undefined || meant.has(entry.record));
  const differing = named.map((entry) => ({ entry, differences: entryDifferences(expected, entry) }));
  const fitting = differing.filter(({ differences }) => differences.length === 0).length;
  if (numberFits(expected.count ?? '>= 1', fitting)) return [];
  const nearest = differing
    .filter(({ differences }) => differences.length > 0)
    .toSorted((a, b) => a.differences.length - b.differences.length)[0];
  return [
    {
      what: 'audit',
      expected: shown(expected),
      found: `${fitting} such entries${nearest === undefined ? '' : `; nearest: ${nearest.entry.sentence}`}`,
      differences: nearest?.differences ?? [],
      records: [...(meant ?? [])],
    },
  ];
}

function entryDifferences(expected: ExpectedEntry, entry: AuditEntry): Difference[] {
  const flow = entry.record.split('|')[0] ?? '';
  return [
    ...(expected.flow === undefined || flow.endsWith(`.${expected.flow}`) ? [] : [difference('flow', expected.flow, flow)]),
    ...(expected.outcome === undefined || expected.outcome === entry.outcome
      ? []
      : [difference('outcome', expected.outcome, entry.outcome)]),
    ...likeDifference('reason', expected.reason, [entry.reason ?? '', entry.failure?.cause ?? '']),
    ...(expected.cause === undefined || expected.cause === entry.cause ? [] : [difference('cause', expected.cause, entry.cause)]),
    ...(expected.sentence === undefined || entry.sentence.includes(expected.sentence)
      ? []
      : [difference('sentence', expected.sentence, entry.sentence)]),
    ...(expected.fields === undefined ? [] : compare(expected.fields, entry).differences),
  ];
}

/** The table of causes is whole: a cause that is not listed must not be there. */
function troubleMisses(part: 'holds' | 'waiting', expected: Readonly<Record<string, ExpectedNumber>> | undefined, { state }: Seen): Miss[] {
  if (expected === undefined) return [];
  const groups = troubles(state.links, part === 'holds' ? 'held' : 'waiting');
  const misses: Miss[] = [];
  const about = (labels: readonly string[]): string[] => labels.flatMap((label) => [...recordsMeant(state, label)]);
  for (const [pattern, number] of Object.entries(expected)) {
    const records = Object.entries(groups).flatMap(([cause, labels]) => (isLike(pattern, cause) ? labels : []));
    if (numberFits(number, records.length)) continue;
    const found = `${records.length}${records.length === 0 ? `; there is: ${shown(groups)}` : `: ${records.join(', ')}`}`;
    misses.push({ what: part, expected: `${pattern}: ${number}`, found, differences: [], records: about(records) });
  }
  for (const [cause, labels] of Object.entries(groups)) {
    if (Object.keys(expected).some((pattern) => isLike(pattern, cause))) continue;
    const listed = Object.keys(expected).length === 0 ? 'none' : `none but ${Object.keys(expected).join(', ')}`;
    misses.push({ what: part, expected: listed, found: `${cause}: ${labels.join(', ')}`, differences: [], records: about(labels) });
  }
  return misses;
}

function numberMisses(what: string, expected: ExpectedNumber | undefined, found: number, detail = ''): Miss[] {
  if (expected === undefined || numberFits(expected, found)) return [];
  return [{ what, expected: String(expected), found: `${found}${detail}`, differences: [], records: [] }];
}

function callMisses({ calls = {}, writes = {}, mostInFlight = {} }: Expectation, { world, company }: Seen): Miss[] {
  const misses: Miss[] = [];
  for (const [system, operations] of Object.entries(calls)) {
    const counts = world.simulators[system]?.calls() ?? {};
    for (const [pattern, expected] of Object.entries(operations)) {
      const own = Object.fromEntries(Object.entries(counts).filter(([operation]) => isLike(pattern, operation)));
      misses.push(...numberMisses(`calls ${system} ${pattern}`, expected, totalOf(own), `; all calls: ${listed(counts)}`));
    }
  }
  for (const [system, expected] of Object.entries(writes)) {
    const counts = writesOf(world, company, system);
    misses.push(...numberMisses(`writes ${system}`, expected, totalOf(counts), `: ${listed(counts)}`));
  }
  for (const [system, expected] of Object.entries(mostInFlight))
    misses.push(...numberMisses(`most in flight ${system}`, expected, world.simulators[system]?.mostInFlight() ?? 0));
  return misses;
}

export const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([operation, count]) => `${operation} ${count}×`)
    .join(', ') || 'none';

function alertMisses({ alerts = [], alertCount }: Expectation, { world }: Seen): Miss[] {
  const { raised } = world.alerts;
  const all = `; raised: ${raised.map(({ sentence }) => sentence).join(' | ') || 'none'}`;
  return [
    ...alerts.flatMap(({ sentence, count }) => {
      const fitting = raised.filter((alert) => alert.key === sentence || alert.sentence.includes(sentence)).length;
      return numberMisses(`alerts "${sentence}"`, count ?? '>= 1', fitting, all);
    }),
    ...numberMisses('alerts', alertCount, raised.length, all),
  ];
}

function countMisses({ webhooks, outcomes = {} }: Expectation, { world }: Seen): Miss[] {
  const { log, integration } = world;
  const repeated = log.total('webhook-repeats');
  const refused = ['rejected', 'oversized', 'unknown'].map((outcome) => log.total('webhooks', { outcome }));
  return [
    ...numberMisses('webhooks accepted', webhooks?.accepted, log.total('webhooks', { outcome: 'accepted' }) - repeated),
    ...numberMisses('webhooks repeated', webhooks?.repeated, repeated),
    ...numberMisses(
      'webhooks refused',
      webhooks?.refused,
      refused.reduce((sum, count) => sum + count, 0),
    ),
    ...Object.entries(outcomes).flatMap(([flow, expected]) =>
      Object.entries(expected).flatMap(([outcome, number]) =>
        numberMisses(`outcomes ${flow} ${outcome}`, number, log.total('records', { flow: `${integration}.${flow}`, outcome })),
      ),
    ),
  ];
}

async function connectionMisses({ connections = {} }: Expectation, { world }: Seen): Promise<Miss[]> {
  const misses: Miss[] = [];
  for (const [system, expected] of Object.entries(connections)) {
    const found = (await isPaused(world, system)) ? 'paused' : 'open';
    if (found !== expected) misses.push({ what: `connection ${system}`, expected, found, differences: [], records: [] });
  }
  return misses;
}

/** The story of the records a miss is about, oldest first. */
export function storyOf(records: readonly string[], { audit, links }: Remembered): readonly AuditEntry[] {
  const wanted = new Set(records);
  const labels = new Set(links.filter((link) => wanted.has(refText(link.origin))).map((link) => link.label));
  return audit.filter((entry) => wanted.has(entry.record) || (entry.label !== undefined && labels.has(entry.label)));
}
