import type { PostFlow } from '../contracts/flow.ts';
import type { Link, Posting } from '../contracts/link.ts';
import { canonicalJson } from '../values/json.ts';
import { otherSide } from '../values/record-ref.ts';
import { auditEntry } from './audit-entry.ts';
import { putBack, type Settlement, settle } from './conclude.ts';
import { type Booked, kindOf, postingOf, withPosting } from './post-stage.ts';
import { type Batch, labelOf, memoryOf, recordFailure, type Work } from './work.ts';

/**
 * A document is in the books. If the flow is content the record is settled in the same transaction; if it wants another move this one is committed
 * first, so that no crash can forget it. Answers whether there is more to do.
 */
export async function finish(batch: Batch<PostFlow>, booked: Booked): Promise<boolean> {
  const { mover, confirmed } = booked;
  const { work, source } = mover;
  const { flow, shift } = batch;
  const moved = bookedLink(batch, booked);
  const told = toldOf(booked);
  if (mover.wish !== undefined) {
    // Found in the books although its source has stepped back: remembered now, and looked at afresh with that knowledge.
    await commitBetween(batch, booked, moved);
    putBack(batch, work, { delayMs: 1_000, spends: false });
    return false;
  }
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
  await commitBetween(batch, booked, moved);
  return true;
}

/** One move is done and the record is not at rest: link and audit hold the move before the next one begins. */
async function commitBetween(batch: Batch<PostFlow>, booked: Booked, moved: Link): Promise<void> {
  const { desk } = batch.shift;
  const { work } = booked.mover;
  const { intent: _done, ...link } = moved;
  const entry = auditEntry(desk, work.task.ref, work.task.change, {
    ...toldOf(booked),
    reason: booked.confirmed.note,
    label: labelOf(work),
    fence: work.leased.fence,
  });
  const between: Link = { ...link, state: 'working', label: labelOf(work), updatedAt: desk.clock.now().toISOString() };
  await desk.links.commit({ ...work.leased, link: between }, [entry]);
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

/** What the audit says of a booked document: if it was written by an earlier attempt from an older source, that content and no other. */
function toldOf({ mover, target, confirmed }: Booked): Pick<Settlement, 'outcome' | 'sentence' | 'target' | 'money' | 'after'> {
  const { work, move, draft } = mover;
  const outcome = confirmed.outcome ?? (move.do === 'post' ? 'posted' : 'reversed');
  const written = postingOf(work.leased.link, mover)?.draft;
  const present = mover.target.data(draft);
  const done = move.do === 'post' ? `${outcome} as ${target}` : `reversed by ${target} (${move.because})`;
  if (written !== undefined && canonicalJson(written) !== canonicalJson(present)) {
    return { outcome, target, after: written, sentence: `${labelOf(work)} ${done}, as its source was when it was written.` };
  }
  return {
    outcome,
    target,
    money: mover.target.money(draft),
    after: present,
    sentence: `${labelOf(work)} ${done}: ${mover.target.sentence(draft)}.`,
  };
}

/** The link with this document booked. Draft and source are those it was announced with: the source may have changed while it was under way. */
function bookedLink(batch: Batch<PostFlow>, { mover, target, confirmed }: Booked): Link {
  const { work, move, source, draft, marker } = mover;
  const { intent: _judged, trouble: _t, troubleSince: _s, troubleHeader: _h, ...link } = work.leased.link;
  const known = postingOf(link, mover);
  const { progress: _done, source: written, ...before } = known ?? { progress: undefined, source: undefined };
  const posting: Posting = {
    draft: mover.target.data(draft),
    ...before,
    generation: confirmed.generation ?? move.generation,
    kind: kindOf(move),
    marker,
    stage: 'posted',
    target,
  };
  const postings = withPosting(link, posting).map(
    (other): Posting =>
      move.do === 'reverse' && other.kind === 'post' && other.generation === move.generation ? { ...other, stage: 'reversed' } : other,
  );
  if (move.do === 'reverse') return { ...link, postings };
  const base = written ?? batch.flow.remember(source);
  return { ...link, postings, base, keys: { ...link.keys, [otherSide(batch.flow.from)]: target } };
}
