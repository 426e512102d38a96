import type { Outcome } from '../contracts/audit.ts';
import type { ConflictPolicy, Resolved } from '../contracts/flow.ts';
import type { Intent, Link } from '../contracts/link.ts';
import { Failure } from '../failures.ts';
import type { LinkPage } from '../ports/link-store.ts';
import type { Json } from '../values/json.ts';
import { otherSide, refText, type Side } from '../values/record-ref.ts';
import { concludeFailure, putBack, settle } from './conclude.ts';
import { lensOf, type MirrorBatch, type Read, sourceSideOf, systemOf } from './lens.ts';
import { nextLook } from './looks.ts';
import { noteWrite, refuseLoop } from './loop-breaker.ts';
import { type Conflict, type Fields, type Merged, merge, sameValue } from './merge.ts';
import { storePlan } from './plans.ts';
import { ensureLease, labelOf, recordFailure, type Work } from './work.ts';

const usualLooksMs = [60_000, 300_000, 660_000];

/** Brings a known pair into agreement, with the other side's present row in hand. */
export async function mergePair(batch: MirrorBatch, one: Read, partnerRow: unknown): Promise<void> {
  const { work, fields } = one;
  const { flow, shift } = batch;
  const { context } = shift.open;
  const other = otherSide(work.from);
  const rows: Record<Side, unknown> = { a: undefined, b: undefined, [work.from]: work.row, [other]: partnerRow };
  const partnerFields = lensOf(flow, other).read(partnerRow, context);
  const sides = { a: work.from === 'a' ? fields : partnerFields, b: work.from === 'b' ? fields : partnerFields };
  const { link } = work.leased;
  const changedAt = { a: lensOf(flow, 'a').changedAt(rows.a), b: lensOf(flow, 'b').changedAt(rows.b) };
  const merged = merge({
    base: objectOf(link.base),
    sides: { a: comparable(batch, 'a', sides.a), b: comparable(batch, 'b', sides.b) },
    echo: echoOf(link),
    direction: flow.direction,
    policy: chosenWinner(link) ?? flow.conflict(context),
    changedAt: { ...(changedAt.a && { a: changedAt.a }), ...(changedAt.b && { b: changedAt.b }) },
    additive: new Set(flow.additive ?? []),
    writable: (side, field) => isWritable(batch, side, field),
    onAdopt: flow.onAdopt,
    from: work.from,
    sums: link.intent?.sums,
  });
  const undecided = merged.conflicts.filter(({ winner }) => winner === undefined);
  const first = undecided[0];
  if (first !== undefined) throw bothChanged(work, undecided, first);
  const write = { a: Object.keys(merged.writes.a).length > 0, b: Object.keys(merged.writes.b).length > 0 };
  if ((write.a || write.b) && one.links instanceof Failure) throw one.links;
  if (batch.preview) return planMerge(batch, work, merged);
  await writeMerged(batch, work, { merged, rows, sides, links: one.links instanceof Failure ? new Map() : one.links });
}

const updateOf = (key: string): string => `update ${key}`;

/** A person's answer to a conflict. */
const chosenWinner = ({ decision }: Link): ConflictPolicy | undefined =>
  decision === 'a-wins' || decision === 'b-wins' ? decision : undefined;

interface Decided {
  readonly merged: Merged;
  readonly rows: Record<Side, unknown>;
  readonly sides: Readonly<Record<Side, Fields>>;
  readonly links: Resolved;
}

async function writeMerged(batch: MirrorBatch, work: Work, decided: Decided): Promise<void> {
  const { flow, shift } = batch;
  const { merged, rows, sides, links } = decided;
  const echo: Record<Side, Record<string, unknown>> = { a: { ...merged.echo.a }, b: { ...merged.echo.b } };
  const written: Side[] = [];
  for (const side of ['a', 'b'] as const) {
    const changes = merged.writes[side];
    const key = work.leased.link.keys[side];
    const lens = lensOf(flow, side);
    if (Object.keys(changes).length === 0 || key === undefined || lens.update === undefined) continue;
    batch.talkingTo = side;
    await announce(batch, work, { stage: 'update', marker: key, ...(Object.keys(merged.sums).length > 0 ? { sums: merged.sums } : {}) });
    try {
      rows[side] = await lens.update(shift.open.context, key, changes, rows[side], links);
    } catch (thrown) {
      await updateFailed(batch, work, thrown);
      return;
    }
    written.push(side);
    const { link } = work.leased;
    work.leased = { ...work.leased, link: { ...link, writes: noteWrite(link.writes, updateOf(key), shift.desk.clock.now()) } };
    const now = lens.read(rows[side], shift.open.context);
    for (const [field, meant] of Object.entries(changes)) {
      if (sameValue(now[field], meant)) delete echo[side][field];
      else echo[side][field] = now[field];
    }
  }
  await agree(batch, work, { ...decided, echo, written, sides });
}

/** Everything is as it should be: the pair is settled with its new base. */
async function agree(
  batch: MirrorBatch,
  work: Work,
  done: Decided & { readonly echo: Record<Side, Record<string, unknown>>; readonly written: readonly Side[] },
): Promise<void> {
  const { flow } = batch;
  const { link } = work.leased;
  const { merged, rows, written } = done;
  const headers = { a: flow.sides.a.source.describe(rows.a).header, b: flow.sides.b.source.describe(rows.b).header };
  const outcome: Outcome = written.length > 0 ? 'updated' : 'unchanged';
  const changed = written.flatMap((side) => Object.keys(merged.writes[side]));
  const before = Object.fromEntries(
    written.flatMap((side) => Object.keys(merged.writes[side]).map((field) => [`${side}.${field}`, done.sides[side][field]])),
  );
  const after = Object.fromEntries(
    written.flatMap((side) => Object.entries(merged.writes[side]).map(([field, value]) => [`${side}.${field}`, value])),
  );
  await settle(batch, work, {
    state: 'synced',
    outcome,
    link: { base: keep(link.base, merged.base), ...keptEcho(link, done.echo), headers },
    sentence: sentenceOf(batch, work, changed, merged),
    ...(written.length === 0 ? {} : { before: asJson(before), after: asJson(after) }),
    target: link.keys[otherSide(work.from)],
  });
}

function sentenceOf(batch: MirrorBatch, work: Work, changed: readonly string[], merged: Merged): string {
  const remarks = changed.length === 0 ? [] : remarksOf(batch, work);
  const lost = merged.conflicts.map(
    ({ field, winner }) => `${field} was changed on both sides and ${winner === undefined ? 'nobody' : systemOf(batch, winner)} won`,
  );
  const left = merged.left.length === 0 ? [] : [`left as they differ: ${merged.left.join(', ')}`];
  const what =
    changed.length === 0 ? `${labelOf(work)} agrees on both sides` : `${labelOf(work)} updated: ${[...new Set(changed)].join(', ')}`;
  return `${[what, ...lost, ...left, ...remarks].join('; ')}.`;
}

/** What the source's lens has to say about fields that did not go over as they are. */
function remarksOf(batch: MirrorBatch, work: Work): readonly string[] {
  return lensOf(batch.flow, work.from).remarks?.(work.row, batch.shift.open.context) ?? [];
}

async function planMerge(batch: MirrorBatch, work: Work, merged: Merged): Promise<void> {
  const changes = { ...merged.writes.a, ...merged.writes.b };
  const fields = Object.keys(changes);
  const sentence =
    fields.length === 0 ? `${labelOf(work)} would stay as it is.` : `${labelOf(work)} would be updated: ${fields.join(', ')}.`;
  await storePlan(batch, work, { would: fields.length === 0 ? 'unchanged' : 'update', sentence, draft: asJson(merged.writes) });
}

/** No counterpart anywhere: one is created, unless that side is never written. */
export async function createOther(batch: MirrorBatch, one: Read, lookedAt: Date): Promise<void> {
  const { work } = one;
  const { flow, shift } = batch;
  const side = otherSide(work.from);
  const lens = lensOf(flow, side);
  if (lens.create === undefined || sourceSideOf(flow) === side) {
    return settle(batch, work, {
      state: 'filtered',
      outcome: 'filtered',
      reason: 'no-counterpart',
      note: 'no-counterpart',
      sentence: `${labelOf(work)} has no counterpart, and records of that side are never created from here.`,
    });
  }
  const fields = parseFields(batch, one);
  if (one.links instanceof Failure) throw one.links;
  const marker = flow.marker(work.from, fields);
  const { intent } = work.leased.link;
  if (intent?.stage === 'create') {
    const next = nextLook(intent.sentAt, lens.looksAfterMs ?? usualLooksMs, lookedAt);
    if (next !== undefined) return putBack(batch, work, { delayMs: Math.max(1_000, next.getTime() - lookedAt.getTime()), spends: false });
    if ((marker === undefined || lens.findByMarker === undefined) && work.leased.link.decision !== 'create')
      throw uncertainCreate(batch, work);
  }
  if (batch.preview) {
    return storePlan(batch, work, {
      would: 'create',
      sentence: `${labelOf(work)} would be created in ${systemOf(batch, side)}.`,
      draft: asJson(fields),
    });
  }
  if (await mayBeOurs(batch, work)) return putBack(batch, work, { delayMs: 30_000, spends: false });
  await announce(batch, work, { stage: 'create', marker: marker ?? refText(work.task.ref), fields: asJson(fields) });
  let created: { readonly key: string; readonly row: unknown };
  try {
    created = await lens.create(shift.open.context, fields, one.links);
  } catch (thrown) {
    await createFailed(batch, work, thrown, lens.looksAfterMs ?? usualLooksMs);
    return;
  }
  await settleCreated(batch, one, { side, fields, ...created });
}

/**
 * In a mirror that creates on both sides, a record without counterpart may be one we are just creating from there: its creation is concluded
 * before anything is created back.
 */
async function mayBeOurs(batch: MirrorBatch, work: Work): Promise<boolean> {
  const { flow, flowKey, shift } = batch;
  if (flow.direction !== 'both' || lensOf(flow, work.from).create === undefined) return false;
  let after: string | undefined;
  do {
    const page: LinkPage = await shift.desk.links.listWorking(shift.name, { limit: 100, ...(after === undefined ? {} : { after }) });
    const underway = page.links.some(
      ({ origin, intent }) => origin.flow === flowKey && origin.side !== work.from && intent?.stage === 'create',
    );
    if (underway) return true;
    after = page.next;
  } while (after !== undefined);
  return false;
}

async function settleCreated(
  batch: MirrorBatch,
  one: Read,
  made: { readonly side: Side; readonly fields: Fields; readonly key: string; readonly row: unknown },
): Promise<void> {
  const { work } = one;
  const { flow } = batch;
  const { side, fields, key, row } = made;
  const echo = { a: {}, b: {}, [side]: normalised(batch, side, { sent: fields, row }) };
  const headers = { ...work.leased.link.headers, [side]: flow.sides[side].source.describe(row).header };
  try {
    await settle(batch, work, {
      state: 'synced',
      outcome: 'created',
      sentence: `${[`${labelOf(work)} created in ${systemOf(batch, side)} as ${key}`, ...remarksOf(batch, work)].join('; ')}.`,
      target: key,
      after: asJson(fields),
      link: {
        keys: { ...work.leased.link.keys, [side]: key },
        base: asJson(fields),
        ...keptEcho(work.leased.link, echo),
        headers: { ...headers, ...(work.described === undefined ? {} : { [work.from]: work.described.header }) },
      },
    });
  } catch (thrown) {
    const failure = recordFailure(thrown);
    // A webhook of the new record was quicker: its worker holds the key for a moment. The intent finds the record again.
    if (failure.kind !== 'NeedsPerson') throw failure;
    putBack(batch, work, { delayMs: 5_000, spends: true }, failure.record);
  }
}

/** What a side made of the fields that were sent to it. */
function normalised(batch: MirrorBatch, side: Side, { sent, row }: { readonly sent: Fields; readonly row: unknown }): Fields {
  const shown = comparable(batch, side, lensOf(batch.flow, side).read(row, batch.shift.open.context));
  return Object.fromEntries(Object.entries(shown).filter(([field, value]) => !sameValue(value, sent[field])));
}

/** A creation whose answer was lost, found again: its base is what was sent then, not what the source says by now. */
export function asSent(batch: MirrorBatch, link: Link, side: Side, row: unknown): Link {
  const sent = objectOf(link.base);
  return sent === undefined ? link : { ...link, ...keptEcho(link, { a: {}, b: {}, [side]: normalised(batch, side, { sent, row }) }) };
}

/** The full set of fields, as the flow's own schema wants them for a creation. */
function parseFields(batch: MirrorBatch, one: Read): Fields {
  const parsed = batch.flow.fields.safeParse(one.fields);
  if (parsed.success) return objectOf(parsed.data) ?? {};
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const field = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new Failure('NeedsPerson', {
    cause: `field:${field}`,
    sentence: `${labelOf(one.work)} cannot be created in ${systemOf(batch, otherSide(one.work.from))}: ${issues.slice(0, 5).join('; ')}.`,
    fix: 'Correct the record at its source; it is looked at again when it changes.',
  });
}

async function announce(batch: MirrorBatch, work: Work, what: Pick<Intent, 'stage' | 'marker' | 'sums' | 'fields'>): Promise<void> {
  const { desk } = batch.shift;
  const now = desk.clock.now();
  const { trouble: _t, troubleSince: _s, troubleHeader: _h, ...kept } = work.leased.link;
  if (what.stage === 'update') refuseLoop(kept.writes, updateOf(what.marker), now);
  const intent: Intent = { ...what, fence: work.leased.fence, sentAt: now.toISOString() };
  const link: Link = { ...kept, state: 'working', label: labelOf(work), intent, updatedAt: now.toISOString() };
  const leased = { ...work.leased, link };
  await desk.links.save(leased);
  work.leased = leased;
  ensureLease(batch, work);
}

/** An update whose answer is lost needs no search: the next look reads both sides and sees what is there. */
async function updateFailed(batch: MirrorBatch, work: Work, thrown: unknown): Promise<void> {
  const failure = recordFailure(thrown);
  if (failure.kind === 'WriteUncertain') return putBack(batch, work, { delayMs: usualLooksMs[0] ?? 60_000, spends: false }, failure.record);
  await concludeFailure(batch, work, failure);
}

async function createFailed(batch: MirrorBatch, work: Work, thrown: unknown, looksAfterMs: readonly number[]): Promise<void> {
  const failure = recordFailure(thrown);
  if (failure.kind === 'WriteUncertain') {
    return putBack(batch, work, { delayMs: looksAfterMs[0] ?? 60_000, spends: false }, failure.record);
  }
  const unknown = ['VendorUnavailable', 'ShapeUnexpected', 'Defect', 'LeaseLost'].includes(failure.kind);
  if (!unknown) {
    const { intent: _refused, ...link } = work.leased.link;
    work.leased = { ...work.leased, link };
    if (failure.disposition !== 'held' && failure.disposition !== 'waiting') await batch.shift.desk.links.save(work.leased);
  }
  await concludeFailure(batch, work, failure);
}

function uncertainCreate(batch: MirrorBatch, work: Work): Failure {
  return new Failure('NeedsPerson', {
    cause: `create-uncertain:${labelOf(work)}`,
    sentence: `The answer to creating ${labelOf(work)} was lost, and ${systemOf(batch, otherSide(work.from))} keeps no reference by which to find it.`,
    fix: 'Look for it there: link it when it exists, or release the hold with "create" when it does not.',
  });
}

function bothChanged(work: Work, conflicts: readonly Conflict[], first: Conflict): Failure {
  return new Failure('NeedsPerson', {
    cause: `conflict:${first.field}`,
    sentence: `${labelOf(work)} was changed on both sides: ${conflicts.map(({ field }) => field).join(', ')}.`,
    fix: 'Give the record the right value on one side, or release the hold with "a-wins" or "b-wins".',
    details: Object.fromEntries(
      conflicts.slice(0, 20).flatMap(({ field, a, b }) => [
        [`${field} a`, text(a)],
        [`${field} b`, text(b)],
      ]),
    ),
  });
}

const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

/** Fields a side holds and accepts; the others are never compared there. */
function comparable(batch: MirrorBatch, side: Side, fields: Fields): Fields {
  const { writes } = lensOf(batch.flow, side);
  if (writes === undefined || sourceSideOf(batch.flow) === side) return fields;
  return Object.fromEntries(Object.entries(fields).filter(([field]) => writes.includes(field)));
}

function isWritable(batch: MirrorBatch, side: Side, field: string): boolean {
  const lens = lensOf(batch.flow, side);
  if (lens.update === undefined || lens.createOnly?.includes(field)) return false;
  return lens.writes === undefined || lens.writes.includes(field);
}

function objectOf(value: unknown): Fields | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : undefined;
}

function echoOf(link: Link): Partial<Record<Side, Fields>> {
  const a = objectOf(link.echo?.a);
  const b = objectOf(link.echo?.b);
  return { ...(a && { a }), ...(b && { b }) };
}

/** The same object when nothing differs, so that "nothing new" is seen without comparing contents again. */
function keep(before: Json | undefined, now: Fields): Json {
  return before !== undefined && sameValue(before, asJson(now)) ? before : asJson(now);
}

function keptEcho(link: Link, echo: Readonly<Record<Side, Fields>>): Pick<Link, 'echo'> {
  const now: Partial<Record<Side, Json>> = {};
  if (Object.keys(echo.a).length > 0) now.a = asJson(echo.a);
  if (Object.keys(echo.b).length > 0) now.b = asJson(echo.b);
  if (sameValue(link.echo ?? {}, now)) return link.echo === undefined ? {} : { echo: link.echo };
  return { echo: now };
}

/** Stored form: members that are undefined are written as absent. */
function asJson(fields: unknown): Json {
  return JSON.parse(JSON.stringify(fields)) as Json;
}
