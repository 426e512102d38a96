import type { FlowContext, Move, PostFlow, PostTarget, Reference, Resolved } from '../contracts/flow.ts';
import type { Link, Posting } from '../contracts/link.ts';
import { Failure } from '../failures.ts';
import type { Json } from '../values/json.ts';
import { otherSide, refText } from '../values/record-ref.ts';
import { approach } from './approach.ts';
import { auditEntry } from './audit-entry.ts';
import { forRecord, putBack, type Settlement, settle, settleGone } from './conclude.ts';
import { inBulk } from './in-bulk.ts';
import { storePlan } from './plans.ts';
import { type Booked, kindOf, type Mover, postingOf, withPosting, writePostings } from './post-write.ts';
import { awaitReadable } from './readable.ts';
import { refreshReference } from './reference-data.ts';
import { resolveReferences } from './references.ts';
import type { Task } from './shift.ts';
import { type Batch, labelOf, memoryOf, recordFailure, type Work } from './work.ts';

/** A record with what belongs to it. */
interface Gathered {
  readonly work: Work;
  readonly source: unknown;
}

interface Wanted extends Gathered {
  readonly move: Extract<Move, { do: 'post' | 'reverse' }>;
  readonly links: Resolved;
}

/** Moves of one record in one attempt: void, re-post, reverse again. More is a flow that does not come to rest. */
const mostMoves = 6;

/** Brings a batch of source documents to where the flow says they belong. */
export async function runPost(batch: Batch<PostFlow>, tasks: readonly Task[]): Promise<void> {
  const { flow } = batch;
  const works = await approach(batch, tasks, { a: flow.source, b: flow.source });
  const present = await screen(batch, works);
  let left = await gather(batch, present);
  for (let round = 0; left.length > 0; round++) {
    const moving = await decideAll(batch, left, round);
    const ready = await prepareDrafts(batch, await gatherReferences(batch, moving));
    left = await bookAll(batch, ready);
  }
}

/** The look at the row alone. Answers the records worth reading further. */
async function screen(batch: Batch<PostFlow>, works: readonly Work[]): Promise<readonly Work[]> {
  const { flow, shift } = batch;
  const onward: Work[] = [];
  for (const work of works) {
    await forRecord(batch, work, async () => {
      if (work.trouble !== undefined) throw work.trouble;
      const known = work.stored.state !== 'new';
      if (work.row === undefined && !known) return awaitReadable(batch, work);
      const verdict = flow.screen(work.row, known ? memoryOf(work.leased.link, work.from) : undefined, shift.open.context);
      if (verdict.is === 'go' && work.row !== undefined) {
        onward.push(work);
      } else if (verdict.is === 'go') {
        refuseUnfinished(work);
        await settleGone(batch, work, `${labelOf(work)} no longer exists at its source.`);
      } else if (verdict.is === 'filtered') {
        await filter(batch, work, verdict.rule);
      } else {
        await settleQuietly(batch, work, verdict.outcome, verdict.note);
      }
    });
  }
  return onward;
}

async function gather(batch: Batch<PostFlow>, works: readonly Work[]): Promise<readonly Gathered[]> {
  const { flow, shift } = batch;
  batch.talkingTo = flow.from;
  const memories = new Map(works.map((work) => [work.task.ref.key, memoryOf(work.leased.link, work.from)]));
  const sources = await inBulk<Work, unknown>(
    batch,
    works,
    (some) =>
      flow.gather(
        shift.open.context,
        some.map((work) => work.row),
        memories,
      ),
    (work) => work.task.ref.key,
  );
  const gathered: Gathered[] = [];
  for (const work of works) {
    await forRecord(batch, work, () => {
      const source = sources.get(work.task.ref.key);
      if (source instanceof Failure) throw source;
      if (source === undefined)
        throw new Failure('Defect', { sentence: `What belongs to ${labelOf(work)} was read without an answer for it.` });
      gathered.push({ work, source });
    });
  }
  return gathered;
}

async function decideAll(batch: Batch<PostFlow>, gathered: readonly Gathered[], round: number): Promise<readonly Omit<Wanted, 'links'>[]> {
  const moving: Omit<Wanted, 'links'>[] = [];
  for (const { work, source } of gathered) {
    await forRecord(batch, work, async () => {
      const move = batch.flow.decide(source, memoryOf(work.leased.link, work.from), batch.shift.open.context);
      if (move.do === 'settle' || move.do === 'filter') return rest(batch, work, move);
      if (round >= mostMoves) {
        throw new Failure('Defect', {
          sentence: `${labelOf(work)} asks for another move after ${mostMoves} of them; it was stopped.`,
          fix: 'Send the audit of this record to the maintainers.',
        });
      }
      moving.push({ work, source, move });
    });
  }
  return moving;
}

/** The document is where it belongs, or belongs nowhere. */
async function rest(batch: Batch<PostFlow>, work: Work, move: Extract<Move, { do: 'settle' | 'filter' }>): Promise<void> {
  if (move.do === 'filter') await filter(batch, work, move.rule);
  else await settleQuietly(batch, work, move.outcome, move.note);
}

async function filter(batch: Batch<PostFlow>, work: Work, rule: string): Promise<void> {
  refuseUnfinished(work);
  const { stored } = work;
  const known = stored.state === 'filtered' && stored.note === rule;
  await settle(batch, work, {
    state: 'filtered',
    outcome: known ? 'unchanged' : 'filtered',
    reason: rule,
    note: rule,
    sentence: `${labelOf(work)} is left out by the rule "${rule}".`,
  });
}

async function settleQuietly(batch: Batch<PostFlow>, work: Work, outcome: Settlement['outcome'], note?: string): Promise<void> {
  refuseUnfinished(work);
  // A line of the same words was written when this note was taken; what stays as it is needs no second one.
  const same = outcome === 'noted' && work.stored.state === 'synced' && work.stored.note === note;
  await settle(batch, work, {
    state: 'synced',
    outcome: same ? 'unchanged' : outcome === 'posted' || outcome === 'reversed' ? 'noted' : outcome,
    note: note ?? (outcome === 'unchanged' ? work.stored.note : undefined),
    sentence: outcome === 'unchanged' ? `${labelOf(work)} is as it was when it was last settled.` : `${labelOf(work)}: ${note ?? outcome}.`,
  });
}

/** A document on its way must not be forgotten because its source stepped back meanwhile. */
function refuseUnfinished(work: Work): void {
  const { link } = work.leased;
  const underway = link.postings?.find(({ stage }) => stage === 'prepared' || stage === 'committing');
  const uncertain = link.intent === undefined ? undefined : link.postings?.find(({ marker }) => marker === link.intent?.marker);
  const posting = underway ?? uncertain;
  if (posting === undefined || link.decision !== undefined) return;
  throw new Failure('NeedsPerson', {
    cause: `unfinished:${posting.marker}`,
    sentence: `${labelOf(work)} no longer asks for a document, but ${posting.target ?? `one with the reference ${posting.marker}`} was being written.`,
    fix: `Look for ${posting.marker} in the target, remove or finish it, then release the hold with "ignore".`,
    ...(posting.target === undefined ? {} : { details: { target: posting.target } }),
  });
}

async function gatherReferences(batch: Batch<PostFlow>, moving: readonly Omit<Wanted, 'links'>[]): Promise<readonly Wanted[]> {
  const { flow, shift } = batch;
  const asks = new Map<string, readonly Reference[]>();
  for (const { work, source, move } of moving) {
    await forRecord(batch, work, () => {
      asks.set(refText(work.task.ref), flow.references(source, move, shift.open.context));
    });
  }
  const resolved = await resolveReferences(shift, asks);
  const wanted: Wanted[] = [];
  for (const one of moving) {
    const links = resolved.get(refText(one.work.task.ref));
    if (links instanceof Failure) await blocked(batch, one.work, links);
    else if (links !== undefined) wanted.push({ ...one, links });
  }
  return wanted;
}

/** In preview a failure is part of the plan; else it is concluded. */
async function blocked(batch: Batch<PostFlow>, work: Work, failure: Failure): Promise<void> {
  await forRecord(batch, work, async () => {
    if (!batch.preview || failure.disposition === 'retryable' || failure.disposition === 'broken') throw failure;
    await storePlan(batch, work, { would: 'trouble', sentence: failure.message, failure: failure.record });
  });
}

/** From decided to a draft in hand: look-ups, the map, and in preview the plan instead of a write. */
async function prepareDrafts(batch: Batch<PostFlow>, wanted: readonly Wanted[]): Promise<readonly Mover[]> {
  const { flow, shift } = batch;
  batch.talkingTo = otherSide(flow.from);
  const { lookUp } = flow;
  const found =
    lookUp === undefined
      ? new Map<string, Json | Failure>()
      : await inBulk<Wanted, Json>(
          batch,
          wanted,
          (some) => lookUp.call(flow, shift.open.context, some),
          ({ work }) => work.task.ref.key,
        );
  const ready: Mover[] = [];
  for (const one of wanted) {
    const { work } = one;
    const brought = found.get(work.task.ref.key);
    if (brought instanceof Failure) {
      await blocked(batch, work, brought);
      continue;
    }
    try {
      const mover = await draftOf(batch, one, brought);
      if (batch.preview) await forRecord(batch, work, () => planOf(batch, mover));
      else ready.push(mover);
    } catch (thrown) {
      await blocked(batch, work, recordFailure(thrown));
    }
  }
  return ready;
}

async function planOf(batch: Batch<PostFlow>, { work, move, target, draft }: Mover): Promise<void> {
  const sentence = `${labelOf(work)} would ${move.do}: ${target.sentence(draft)}.`;
  await storePlan(batch, work, { would: move.do, sentence, money: target.money(draft), draft: target.data(draft) });
}

/** Maps the source; a missing mapping is believed only after reference data was read afresh. */
async function draftOf(batch: Batch<PostFlow>, wanted: Wanted, found: Json | undefined): Promise<Mover> {
  try {
    return mapOne(batch, wanted, found);
  } catch (thrown) {
    const failure = recordFailure(thrown);
    if (failure.kind !== 'MappingMissing' || !(await refreshReference(batch))) throw failure;
    return mapOne(batch, wanted, found);
  }
}

function mapOne(batch: Batch<PostFlow>, { work, source, move, links }: Wanted, found: Json | undefined): Mover {
  const { flow, shift } = batch;
  const { context } = shift.open;
  const memory = memoryOf(work.leased.link, work.from);
  let draft: unknown;
  let target: PostTarget<unknown, FlowContext>;
  if (move.do === 'post') {
    draft = flow.map(source, move, { links, memory, context, ...(found === undefined ? {} : { found }) });
    target = flow.target;
  } else {
    const posting = work.leased.link.postings?.find(({ kind, generation }) => kind === 'post' && generation === move.generation);
    if (flow.reversal === undefined || posting === undefined) {
      throw new Failure('Defect', { sentence: `${labelOf(work)} asks to reverse generation ${move.generation}, which was never posted.` });
    }
    draft = flow.reversal.map(source, move, { posting, links, memory, context });
    target = flow.reversal.target;
  }
  return { work, move, source, draft, target, marker: target.marker(draft), commits: 0, prepared: undefined };
}

/** Writes, and answers the records that want another move. */
async function bookAll(batch: Batch<PostFlow>, ready: readonly Mover[]): Promise<readonly Gathered[]> {
  const onward: Mover[] = [];
  for (const target of new Set(ready.map((mover) => mover.target))) {
    const group = ready.filter((mover) => mover.target === target);
    for (const booked of await writePostings(batch, group)) {
      const more = await forRecord(batch, booked.mover.work, () => finish(batch, booked));
      if (more === true) onward.push(booked.mover);
    }
  }
  return takeAgain(batch, onward);
}

/**
 * A document is in the books. If the flow is content the record is settled in the same transaction; if it wants another move this one is committed
 * first, so that no crash can forget it. Answers whether there is more to do.
 */
async function finish(batch: Batch<PostFlow>, { mover, target, confirmed }: Booked): Promise<boolean> {
  const { work, move, source, draft } = mover;
  const { flow, shift } = batch;
  const { desk } = shift;
  const moved = bookedLink(batch, { mover, target, confirmed });
  const outcome = confirmed.outcome ?? (move.do === 'post' ? 'posted' : 'reversed');
  const sentence =
    move.do === 'post'
      ? `${labelOf(work)} ${outcome} as ${target}: ${mover.target.sentence(draft)}.`
      : `${labelOf(work)} reversed by ${target} (${move.because}): ${mover.target.sentence(draft)}.`;
  const told = { outcome, sentence, target, money: mover.target.money(draft), after: mover.target.data(draft) };
  const next = flow.decide(source, memoryOf(moved, work.from), shift.open.context);
  if (next.do === 'settle' || next.do === 'filter') {
    work.leased = { ...work.leased, link: moved };
    await settleBooked(batch, work, {
      ...told,
      state: next.do === 'filter' ? 'filtered' : 'synced',
      note: next.do === 'filter' ? next.rule : (next.note ?? confirmed.note),
    });
    return false;
  }
  const { intent: _done, ...link } = moved;
  const between: Link = { ...link, state: 'working', label: labelOf(work), updatedAt: desk.clock.now().toISOString() };
  const entry = auditEntry(desk, work.task.ref, work.task.change, {
    ...told,
    reason: confirmed.note,
    label: labelOf(work),
    fence: work.leased.fence,
  });
  await desk.links.commit({ ...work.leased, link: between }, [entry]);
  return true;
}

/** A document that another record owns already cannot be this one's as well: a person decides, and the link is kept without that key. */
async function settleBooked(batch: Batch<PostFlow>, work: Work, settlement: Settlement): Promise<void> {
  try {
    await settle(batch, work, settlement);
  } catch (thrown) {
    const failure = recordFailure(thrown);
    if (failure.record.cause === 'already-linked') {
      const { [otherSide(batch.flow.from)]: _taken, ...keys } = work.leased.link.keys;
      work.leased = { ...work.leased, link: { ...work.leased.link, keys } };
    }
    throw failure;
  }
}

function bookedLink(batch: Batch<PostFlow>, { mover, target, confirmed }: Booked): Link {
  const { work, move, source, draft, marker } = mover;
  const { intent: _judged, trouble: _t, troubleSince: _s, troubleHeader: _h, ...link } = work.leased.link;
  const { progress: _done, ...before } = postingOf(link, mover) ?? { progress: undefined };
  const posting: Posting = {
    ...before,
    generation: confirmed.generation ?? move.generation,
    kind: kindOf(move),
    marker,
    stage: 'posted',
    target,
    draft: mover.target.data(draft),
  };
  const postings = withPosting(link, posting).map(
    (other): Posting =>
      move.do === 'reverse' && other.kind === 'post' && other.generation === move.generation ? { ...other, stage: 'reversed' } : other,
  );
  if (move.do === 'reverse') return { ...link, postings };
  return { ...link, postings, base: batch.flow.remember(source), keys: { ...link.keys, [otherSide(batch.flow.from)]: target } };
}

/** A new lease for the next move of each; the read of the source stays good for one attempt. */
async function takeAgain(batch: Batch<PostFlow>, onward: readonly Mover[]): Promise<readonly Gathered[]> {
  if (onward.length === 0) return [];
  const { desk, owner } = batch.shift;
  const now = desk.clock.now();
  const first = onward[0];
  if (first === undefined) return [];
  const until = first.work.leasedUntil;
  const leases = await desk.links.lease(
    onward.map(({ work }) => work.task.ref),
    { owner, until, now },
  );
  const gathered: Gathered[] = [];
  for (const { work, source } of onward) {
    const lease = leases.get(refText(work.task.ref));
    if (lease === undefined || 'busy' in lease) {
      putBack(batch, work, { delayMs: 2_000, spends: false });
      continue;
    }
    work.leased = lease;
    work.stored = lease.link;
    gathered.push({ work, source });
  }
  return gathered;
}
