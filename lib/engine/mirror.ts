import type { Described, Match, Memory, Reference } from '../contracts/flow.ts';
import { Failure } from '../failures.ts';
import { otherSide, refText, type Side } from '../values/record-ref.ts';
import { approach } from './approach.ts';
import { forRecord, putBack, settle, settleGone } from './conclude.ts';
import { inBulk } from './in-bulk.ts';
import { lensOf, type MirrorBatch, type Read, sourceSideOf, systemOf } from './lens.ts';
import { createOther, mergePair } from './mirror-write.ts';
import { pairUp } from './pair.ts';
import { awaitReadable } from './readable.ts';
import { resolveReferences } from './references.ts';
import { type Task, timeIsUp } from './shift.ts';
import { labelOf, memoryOf, type Work } from './work.ts';

/** Brings the pairs of a batch into agreement. */
export async function runMirror(batch: MirrorBatch, tasks: readonly Task[]): Promise<void> {
  const { flow } = batch;
  const works = await approach(batch, await fromSource(batch, tasks), { a: flow.sides.a.source, b: flow.sides.b.source });
  const present = await screen(batch, works);
  const read = await readFields(batch, present);
  const partnerRows = await readPartners(batch, read);
  const alone: Read[] = [];
  for (const one of read) {
    const side = otherSide(one.work.from);
    const key = one.work.leased.link.keys[side];
    if (stopHere(batch, one.work)) continue;
    if (key === undefined) {
      alone.push(one);
      continue;
    }
    await forRecord(batch, one.work, async () => {
      const row = partnerRows.get(`${side}|${key}`);
      if (row instanceof Failure) throw row;
      if (row === undefined) await partnerGone(batch, one, side, key);
      else await mergePair(batch, one, row);
    });
  }
  await bringTogether(batch, alone);
}

function stopHere(batch: MirrorBatch, work: Work): boolean {
  const stop = batch.stopped ?? (timeIsUp(batch.shift) ? { delayMs: 0, spends: false } : undefined);
  if (stop !== undefined) putBack(batch, work, stop);
  return stop !== undefined;
}

/** A one-way mirror looks at its source only: news of the target become a look at the source record, or end. */
async function fromSource(batch: MirrorBatch, tasks: readonly Task[]): Promise<readonly Task[]> {
  const source = sourceSideOf(batch.flow);
  const strangers = tasks.filter((task) => source !== undefined && task.ref.side !== source);
  if (source === undefined || strangers.length === 0) return tasks;
  const links = await batch.shift.desk.links.findMany(strangers.map((task) => task.ref));
  const kept = tasks.filter((task) => task.ref.side === source);
  const known = new Set(kept.map((task) => task.ref.key));
  for (const task of strangers) {
    const key = links.get(refText(task.ref))?.keys[source];
    batch.endings.set(refText(task.ref), { is: 'done' });
    if (key === undefined || known.has(key)) continue;
    known.add(key);
    const { snapshot: _targets, ...change } = task.change;
    kept.push({ ...task, ref: { ...task.ref, side: source, key }, change: { ...change, side: source, key } });
  }
  return kept;
}

async function screen(batch: MirrorBatch, works: readonly Work[]): Promise<readonly Work[]> {
  const { flow, shift } = batch;
  const onward: Work[] = [];
  for (const work of works) {
    await forRecord(batch, work, async () => {
      if (work.trouble !== undefined) throw work.trouble;
      const known = work.stored.state !== 'new';
      if (work.row === undefined && !known) return awaitReadable(batch, work);
      const memory: Memory | undefined = known ? memoryOf(work.leased.link, work.from) : undefined;
      const demanded = work.task.change.cause === 'dependency';
      const verdict = flow.screen(work.from, work.row, memory, shift.open.context, { demanded });
      if (verdict.is === 'go' && work.row !== undefined) onward.push(work);
      else if (verdict.is === 'go') await settleGone(batch, work, `${labelOf(work)} no longer exists; its counterpart was left as it is.`);
      else if (verdict.is === 'filtered') {
        const same = work.stored.state === 'filtered' && work.stored.note === verdict.rule;
        await settle(batch, work, {
          state: 'filtered',
          outcome: same ? 'unchanged' : 'filtered',
          reason: verdict.rule,
          note: verdict.rule,
          sentence: `${labelOf(work)} is left out by the rule "${verdict.rule}".`,
        });
      } else {
        await settle(batch, work, {
          state: 'synced',
          outcome: verdict.outcome,
          note: verdict.note ?? work.stored.note,
          sentence: `${labelOf(work)}: ${verdict.note ?? verdict.outcome}.`,
        });
      }
    });
  }
  return onward;
}

/** Canonical fields of each row, and the links behind its references, looked up at once. */
async function readFields(batch: MirrorBatch, works: readonly Work[]): Promise<readonly Read[]> {
  const { flow, shift } = batch;
  const { context } = shift.open;
  const read: Read[] = [];
  const asks = new Map<string, readonly Reference[]>();
  for (const work of works) {
    await forRecord(batch, work, () => {
      const fields = lensOf(flow, work.from).read(work.row, context);
      asks.set(refText(work.task.ref), flow.references?.(work.from, fields, context) ?? []);
      read.push({ work, fields, links: new Map() });
    });
  }
  const resolved = await resolveReferences(shift, asks);
  for (const one of read) one.links = resolved.get(refText(one.work.task.ref)) ?? new Map();
  return read;
}

/** Rows of the other sides, in bulk; keyed by side and key. */
async function readPartners(batch: MirrorBatch, read: readonly Read[]): Promise<ReadonlyMap<string, unknown>> {
  const rows = new Map<string, unknown>();
  for (const side of ['a', 'b'] as const) {
    const keys = read.flatMap(({ work }) => {
      const key = work.from === side ? undefined : work.leased.link.keys[side];
      return key === undefined ? [] : [key];
    });
    if (keys.length === 0) continue;
    batch.talkingTo = side;
    const reader = batch.flow.sides[side].source;
    const found = await inBulk<string, unknown>(
      batch,
      keys,
      (some) => reader.rows(batch.shift.open.context, some),
      (key) => key,
    );
    for (const [key, row] of found) rows.set(`${side}|${key}`, row);
  }
  return rows;
}

/** The counterpart is no longer there. Nothing is deleted and nothing silently made anew: a person says which. */
async function partnerGone(batch: MirrorBatch, one: Read, side: Side, key: string): Promise<void> {
  const { work } = one;
  if (work.leased.link.decision === 'recreate') {
    const { [side]: _gone, ...keys } = work.leased.link.keys;
    const { base: _base, echo: _echo, ...link } = work.leased.link;
    work.leased = { ...work.leased, link: { ...link, keys } };
    await bringTogether(batch, [one]);
    return;
  }
  const renumbered = (await findMarked(batch, work.from, [one])).get(work.task.ref.key);
  const [only] = renumbered ?? [];
  if (!batch.open.has(refText(work.task.ref))) return;
  if (only !== undefined && renumbered?.length === 1 && only.key !== key) {
    // The record is there under another key: the link follows it, with everything it remembers.
    const { [side]: _former, ...keys } = work.leased.link.keys;
    work.leased = { ...work.leased, link: { ...work.leased.link, keys } };
    await pairUp(batch, one, { key: only.key, why: `${key} no longer exists and ${only.label} carries its reference` });
    return;
  }
  if (work.leased.link.decision === 'ignore') {
    await settle(batch, work, { state: 'gone', outcome: 'noted', reason: 'counterpart-gone', sentence: `${labelOf(work)} goes on alone.` });
    return;
  }
  throw new Failure('NeedsPerson', {
    cause: `counterpart-gone:${key}`,
    sentence: `The counterpart of ${labelOf(work)}, ${key}, no longer exists in ${systemOf(batch, side)}.`,
    fix: 'Release the hold with "recreate" to make it again, with "ignore" to let this record go on alone, or link another record.',
  });
}

/** Records without counterpart: by marker, then by the match rules, in bulk; what has none is created. */
async function bringTogether(batch: MirrorBatch, alone: readonly Read[]): Promise<void> {
  for (const from of ['a', 'b'] as const) {
    const group = alone.filter(({ work }) => work.from === from);
    if (group.length === 0) continue;
    batch.talkingTo = otherSide(from);
    const lookedAt = batch.shift.desk.clock.now();
    const marked = await findMarked(batch, from, group);
    const unmarked = group.filter(({ work }) => !marked.has(work.task.ref.key));
    const matched = await matchAll(batch, from, unmarked);
    for (const one of group) {
      const { work } = one;
      if (!batch.open.has(refText(work.task.ref)) || stopHere(batch, work)) continue;
      await forRecord(batch, work, async () => {
        const hits = marked.get(work.task.ref.key);
        if (hits !== undefined) return pairUp(batch, one, markedMatch(batch, work, hits));
        const match = matched.get(work.task.ref.key);
        if (match instanceof Failure) throw match;
        if (match === undefined) throw new Failure('Defect', { sentence: `The match rules gave no answer about ${labelOf(work)}.` });
        if (match === 'none') await createOther(batch, one, lookedAt);
        else await pairUp(batch, one, match);
      });
    }
  }
}

function markedMatch(batch: MirrorBatch, work: Work, hits: readonly Described[]): Match {
  const only = hits[0];
  if (hits.length === 1 && only !== undefined) return { key: only.key, why: `${only.label} carries the reference of ${labelOf(work)}` };
  throw new Failure('NeedsPerson', {
    cause: `several-marked:${labelOf(work)}`,
    sentence: `${hits.length} records in ${systemOf(batch, otherSide(work.from))} carry the reference of ${labelOf(work)}: ${hits.map(({ label }) => label).join(', ')}.`,
    fix: 'Remove the reference from all but one of them, or link the right one, then release the hold.',
    details: Object.fromEntries(hits.slice(0, 20).map(({ key, label }) => [key, label])),
  });
}

/** Live look by marker; keyed by the asking record, with what was found. */
async function findMarked(batch: MirrorBatch, from: Side, group: readonly Read[]): Promise<ReadonlyMap<string, readonly Described[]>> {
  const { flow, shift } = batch;
  const side = otherSide(from);
  const lens = lensOf(flow, side);
  const found = new Map<string, readonly Described[]>();
  const { findByMarker } = lens;
  if (findByMarker === undefined) return found;
  const markers = new Map<string, Work[]>();
  const asking = new Map<string, Read['fields']>();
  for (const { work, fields } of group) {
    for (const marker of markersOf(flow.marker(from, fields), work)) {
      markers.set(marker, [...(markers.get(marker) ?? []), work]);
      asking.set(marker, fields);
    }
  }
  const hits = await inBulk<string, readonly unknown[]>(
    batch,
    [...markers.keys()],
    (some) => findByMarker.call(lens, shift.open.context, some, asking),
    (marker) => marker,
  );
  for (const [marker, works] of markers) {
    const rows = hits.get(marker);
    for (const work of works) {
      if (rows instanceof Failure) await forRecord(batch, work, () => Promise.reject(rows));
      else if (rows !== undefined && rows.length > 0) {
        const hits = [...(found.get(work.task.ref.key) ?? []), ...rows.map((row) => lens.source.describe(row))];
        found.set(work.task.ref.key, [...new Map(hits.map((hit) => [hit.key, hit])).values()]);
      }
    }
  }
  return found;
}

/** The marker of today, and the one under which a creation was announced whose outcome is unknown: the record may have been renamed since. */
function markersOf(marker: string | undefined, { leased, task }: Work): ReadonlySet<string> {
  const markers = new Set(marker === undefined ? [] : [marker]);
  const { intent } = leased.link;
  if (intent?.stage === 'create' && intent.marker !== refText(task.ref)) markers.add(intent.marker);
  return markers;
}

async function matchAll(batch: MirrorBatch, from: Side, group: readonly Read[]): Promise<ReadonlyMap<string, Match | 'none' | Failure>> {
  const { flow, shift } = batch;
  const open = group.filter(({ work }) => batch.open.has(refText(work.task.ref)));
  const asks = open.map(({ work, fields }) => {
    const { decision } = work.leased.link;
    return { key: work.task.ref.key, fields, ...(decision === undefined ? {} : { decision }) };
  });
  return inBulk<(typeof asks)[number], Match | 'none'>(
    batch,
    asks,
    (some) => flow.match(shift.open.context, from, some, (keys) => takenOf(batch, from, keys)),
    (ask) => ask.key,
  );
}

/** Which records of the other side belong to somebody already. */
async function takenOf(batch: MirrorBatch, from: Side, keys: readonly string[]): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set();
  const refOf = (key: string) => ({ flow: batch.flowKey, side: otherSide(from), key });
  const links = await batch.shift.desk.links.findMany(keys.map(refOf));
  return new Set(keys.filter((key) => links.get(refText(refOf(key)))?.keys[from] !== undefined));
}
