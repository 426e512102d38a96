import type { FlowContext, Move, PostFlow, PostTarget, Reference, Resolved, Screen } from '../contracts/flow.ts';
import type { Posting } from '../contracts/link.ts';
import { Failure } from '../failures.ts';
import type { Json } from '../values/json.ts';
import { otherSide, refText } from '../values/record-ref.ts';
import { approach } from './approach.ts';
import { forRecord, putBack, settleGone } from './conclude.ts';
import { inBulk } from './in-bulk.ts';
import { storePlan } from './plans.ts';
import { finish } from './post-book.ts';
import { rest, underwayOf, unfinished, type Wish } from './post-rest.ts';
import type { Mover } from './post-stage.ts';
import { writePostings } from './post-write.ts';
import { awaitReadable } from './readable.ts';
import { refreshReference } from './reference-data.ts';
import { resolveReferences } from './references.ts';
import type { Task } from './shift.ts';
import { type Batch, labelOf, memoryOf, recordFailure, type Work } from './work.ts';

/** A record with what belongs to it. */
interface Gathered extends Screened {
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

/** A record with its row, and what the look at the row alone wished for it. */
interface Screened {
  readonly work: Work;
  readonly wish: Wish | undefined;
}

/** The look at the row alone. Answers the records worth reading further: those that go on, and those whose document is under way. */
async function screen(batch: Batch<PostFlow>, works: readonly Work[]): Promise<readonly Screened[]> {
  const { flow, shift } = batch;
  const onward: Screened[] = [];
  for (const work of works) {
    await forRecord(batch, work, async () => {
      if (work.trouble !== undefined) throw work.trouble;
      const known = work.stored.state !== 'new';
      if (work.row === undefined && !known) return awaitReadable(batch, work);
      const verdict = flow.screen(work.row, known ? memoryOf(work.leased.link, work.from) : undefined, shift.open.context);
      const wish = wishOf(verdict);
      const posting = underwayOf(work);
      if (work.row !== undefined && (wish === undefined || posting !== undefined)) onward.push({ work, wish });
      else if (posting !== undefined) throw unfinished(work, posting);
      else if (wish === undefined) await settleGone(batch, work, `${labelOf(work)} no longer exists at its source.`);
      else await rest(batch, work, wish);
    });
  }
  return onward;
}

function wishOf(verdict: Screen): Wish | undefined {
  if (verdict.is === 'go') return undefined;
  if (verdict.is === 'filtered') return { do: 'filter', rule: verdict.rule };
  return { do: 'settle', outcome: verdict.outcome, ...(verdict.note === undefined ? {} : { note: verdict.note }) };
}

async function gather(batch: Batch<PostFlow>, screened: readonly Screened[]): Promise<readonly Gathered[]> {
  const { flow, shift } = batch;
  batch.talkingTo = flow.from;
  const memories = new Map(screened.map(({ work }) => [work.task.ref.key, memoryOf(work.leased.link, work.from)]));
  const sources = await inBulk<Screened, unknown>(
    batch,
    screened,
    (some) =>
      flow.gather(
        shift.open.context,
        some.map(({ work }) => work.row),
        memories,
      ),
    ({ work }) => work.task.ref.key,
  );
  const gathered: Gathered[] = [];
  for (const { work, wish } of screened) {
    await forRecord(batch, work, () => {
      const source = sources.get(work.task.ref.key);
      if (source instanceof Failure) throw source;
      if (source === undefined) throw new Failure('Defect', { sentence: `Nothing was answered about what belongs to ${labelOf(work)}.` });
      gathered.push({ work, source, wish });
    });
  }
  return gathered;
}

async function decideAll(batch: Batch<PostFlow>, gathered: readonly Gathered[], round: number): Promise<readonly Omit<Wanted, 'links'>[]> {
  const moving: Omit<Wanted, 'links'>[] = [];
  for (const one of gathered) {
    const { work, source } = one;
    await forRecord(batch, work, async () => {
      const move = one.wish ?? batch.flow.decide(source, memoryOf(work.leased.link, work.from), batch.shift.open.context);
      if (move.do === 'settle' || move.do === 'filter') {
        const posting = underwayOf(work);
        if (posting === undefined) return rest(batch, work, move);
        // Whether that document came to be is found out first; nothing more is written for it.
        if (batch.preview) throw unfinished(work, posting);
        moving.push({ work, source, wish: move, move: begunMove(batch, posting) });
        return;
      }
      if (round >= mostMoves) {
        throw new Failure('Defect', {
          sentence: `${labelOf(work)} asks for another move after ${mostMoves} of them; it was stopped.`,
          fix: 'Send the audit of this record to the maintainers.',
        });
      }
      moving.push({ work, source, wish: undefined, move });
    });
  }
  return moving;
}

/** The move an earlier attempt had begun. */
function begunMove(batch: Batch, { kind, generation }: Posting): Wanted['move'] {
  if (kind === 'post') return { do: 'post', generation };
  return { do: 'reverse', generation, on: batch.shift.open.context.today, because: 'begun by an earlier attempt' };
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

function mapOne(batch: Batch<PostFlow>, { work, source, move, links, wish }: Wanted, found: Json | undefined): Mover {
  const { flow, shift } = batch;
  const { context } = shift.open;
  const memory = memoryOf(work.leased.link, work.from);
  let draft: unknown;
  let target: PostTarget<unknown, FlowContext>;
  let remembered: Json | undefined;
  if (move.do === 'post') {
    draft = flow.map(source, move, { links, memory, context, ...(found === undefined ? {} : { found }) });
    target = flow.target;
    remembered = flow.remember(source);
  } else {
    const posting = work.leased.link.postings?.find(({ kind, generation }) => kind === 'post' && generation === move.generation);
    if (flow.reversal === undefined || posting === undefined) {
      throw new Failure('Defect', { sentence: `${labelOf(work)} asks to reverse generation ${move.generation}, which was never posted.` });
    }
    draft = flow.reversal.map(source, move, { posting, links, memory, context });
    target = flow.reversal.target;
  }
  return { work, move, wish, source, draft, target, marker: target.marker(draft), remembered, commits: 0, prepared: undefined };
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
    gathered.push({ work, source, wish: undefined });
  }
  return gathered;
}
