import type { Confirmed, FlowContext, Located, Mismatch, Move, PostTarget, Prepared, Step } from '../contracts/flow.ts';
import type { Intent, Link, Posting } from '../contracts/link.ts';
import { Failure } from '../failures.ts';
import { canonicalJson, type Json } from '../values/json.ts';
import { concludeFailure, putBack } from './conclude.ts';
import { nextLook } from './looks.ts';
import { noteWrite, refuseLoop } from './loop-breaker.ts';
import type { Wish } from './post-rest.ts';
import { type Batch, ensureLease, labelOf, recordFailure, type Work } from './work.ts';

/** One document on its way into the target. */
export interface Mover {
  readonly work: Work;
  readonly move: Extract<Move, { do: 'post' | 'reverse' }>;
  /** Set when nothing is to be written: only whether the document came to be is found out. */
  readonly wish: Wish | undefined;
  readonly source: unknown;
  readonly draft: unknown;
  readonly target: PostTarget<unknown, FlowContext>;
  readonly marker: string;
  /** The canonical source of the draft; a reversal has none. */
  readonly remembered: Json | undefined;
  /** How often commit was asked for in this attempt. */
  commits: number;
  prepared: Prepared | undefined;
}

export interface Booked {
  readonly mover: Mover;
  readonly target: string;
  readonly confirmed: Extract<Confirmed, { is: 'posted' }> & { readonly generation?: number };
}

export const postingOf = (link: Link, mover: Pick<Mover, 'marker' | 'move'>): Posting | undefined =>
  link.postings?.find((posting) => posting.marker === mover.marker && posting.kind === kindOf(mover.move));

export const kindOf = (move: Mover['move']): Posting['kind'] => (move.do === 'post' ? 'post' : 'reversal');

export const intentOf = (mover: Mover): Intent | undefined => {
  const { intent } = mover.work.leased.link;
  return intent?.marker === mover.marker ? intent : undefined;
};

/** Stores what is about to be sent. Nothing leaves before this is stored, and nothing leaves when the lease is no longer ours. */
async function announce(batch: Batch, mover: Mover, stage: 'prepare' | 'commit', change: Partial<Posting>): Promise<void> {
  const { work, marker, move } = mover;
  const { desk } = batch.shift;
  const now = desk.clock.now();
  const { trouble: _t, troubleSince: _s, troubleHeader: _h, ...link } = work.leased.link;
  const before = postingOf(link, mover);
  const posting: Posting = {
    generation: move.generation,
    kind: kindOf(move),
    marker,
    stage: 'announced',
    ...before,
    ...change,
  };
  const intent: Intent = { stage, marker, fence: work.leased.fence, sentAt: now.toISOString() };
  await store(batch, work, { ...link, state: 'working', label: labelOf(work), postings: withPosting(link, posting), intent });
  ensureLease(batch, work);
}

/** A write that happened, for the loop breaker; stored with whatever is stored next. */
function count(batch: Batch, work: Work, stage: string): void {
  const { link } = work.leased;
  work.leased = { ...work.leased, link: { ...link, writes: noteWrite(link.writes, stage, batch.shift.desk.clock.now()) } };
}

async function store(batch: Batch, work: Work, link: Link): Promise<void> {
  const leased = { ...work.leased, link: { ...link, updatedAt: batch.shift.desk.clock.now().toISOString() } };
  await batch.shift.desk.links.save(leased);
  work.leased = leased;
}

export function withPosting(link: Link, posting: Posting): readonly Posting[] {
  const others = (link.postings ?? []).filter((other) => other.marker !== posting.marker || other.kind !== posting.kind);
  return [...others, posting].sort((left, right) => left.generation - right.generation || (left.kind < right.kind ? -1 : 1));
}

/** The hand given to a stage. What it saves also moves the time of the intent: the next write of the stage leaves after it. */
function stepOf(
  batch: Batch,
  mover: Mover,
  located: Located,
  use: { readonly prepared?: Prepared },
): { step: Step; hurt: () => unknown; saved: () => boolean } {
  const { work } = mover;
  let hurt: unknown;
  let saved = false;
  const step: Step = {
    located,
    progress: postingOf(work.leased.link, mover)?.progress,
    deadline: batch.shift.deadline,
    ...use,
    async save(progress: Json, target?: string) {
      try {
        const { link } = work.leased;
        const posting = postingOf(link, mover);
        if (posting === undefined) throw new Failure('Defect', { sentence: 'A stage saved progress of a posting that was not announced.' });
        const sentAt = batch.shift.desk.clock.now().toISOString();
        const changed: Posting = { ...posting, progress, ...(target === undefined ? {} : { target }) };
        await store(batch, work, {
          ...link,
          postings: withPosting(link, changed),
          ...(link.intent === undefined ? {} : { intent: { ...link.intent, sentAt } }),
        });
        saved = true;
        ensureLease(batch, work);
      } catch (error) {
        hurt = error;
        throw error;
      }
    },
  };
  return { step, hurt: () => hurt, saved: () => saved };
}

export async function prepare(batch: Batch, mover: Mover, found: Located): Promise<void> {
  const { work, target, draft } = mover;
  const { context } = batch.shift.open;
  const data = target.data(draft);
  // Writing the same content once more, after an outage or a refusal, is no sign of a loop.
  const anew = canonicalJson(postingOf(work.leased.link, mover)?.draft) !== canonicalJson(data);
  if (anew) refuseLoop(work.leased.link.writes, 'prepare', batch.shift.desk.clock.now());
  await announce(batch, mover, 'prepare', {
    draft: data,
    ...(mover.remembered === undefined ? {} : { source: mover.remembered }),
    ...(found.is === 'draft' ? { target: found.target } : {}),
  });
  const hand = stepOf(batch, mover, found, {});
  try {
    mover.prepared = await target.prepare(context, draft, hand.step);
  } catch (thrown) {
    await writeFailed(batch, mover, hand.hurt() ?? thrown, hand.saved());
    return;
  }
  const { prepared } = mover;
  if (anew) count(batch, work, 'prepare');
  const mismatches = target.verify(draft, prepared);
  const first = mismatches[0];
  if (first === undefined) return;
  try {
    await target.park?.(context, prepared);
  } catch (thrown) {
    batch.shift.desk.log.warn('posting.not-parked', { integration: batch.shift.name, failure: recordFailure(thrown).kind });
  }
  const posting = postingOf(work.leased.link, mover);
  const { intent: _judged, ...link } = work.leased.link;
  if (posting !== undefined) {
    const kept: Posting = { ...posting, stage: 'prepared', target: prepared.target };
    work.leased = { ...work.leased, link: { ...link, postings: withPosting(link, kept) } };
  }
  throw mismatch(work, prepared.target, mismatches, first);
}

function mismatch(work: Work, target: string, mismatches: readonly Mismatch[], first: Mismatch): Failure {
  return new Failure('NeedsPerson', {
    cause: `verify:${first.field}`,
    sentence: `${target} does not hold what ${labelOf(work)} says: ${mismatches
      .slice(0, 5)
      .map(({ field, sent, got }) => `${field} was sent as ${sent} and is ${got}`)
      .join('; ')}. It was not posted.`,
    fix: 'Correct the document or the setting that changes it, then replay the record.',
    details: Object.fromEntries(
      mismatches.slice(0, 20).flatMap(({ field, sent, got }) => [
        [`${field} sent`, sent],
        [`${field} got`, got],
      ]),
    ),
  });
}

export async function commit(batch: Batch, mover: Mover, key: string, found: Located): Promise<boolean> {
  const { work, target, draft, prepared } = mover;
  const before = postingOf(work.leased.link, mover);
  const resumed = before?.stage === 'committing' && before.progress !== undefined;
  if (!resumed) clearProgress(mover);
  await announce(batch, mover, 'commit', { stage: 'committing', target: key });
  mover.commits++;
  const hand = stepOf(batch, mover, found, prepared === undefined ? {} : { prepared });
  try {
    await target.commit(batch.shift.open.context, draft, key, hand.step);
    return true;
  } catch (thrown) {
    await writeFailed(batch, mover, hand.hurt() ?? thrown, hand.saved());
    return false;
  }
}

/** Progress belongs to one stage. */
export function clearProgress(mover: Mover): void {
  const { work } = mover;
  const posting = postingOf(work.leased.link, mover);
  if (posting?.progress === undefined) return;
  const { progress: _done, ...rest } = posting;
  work.leased = { ...work.leased, link: { ...work.leased.link, postings: withPosting(work.leased.link, rest) } };
}

const unknownAfterWrite: ReadonlySet<string> = new Set(['WriteUncertain', 'VendorUnavailable', 'ShapeUnexpected', 'Defect']);

/**
 * A stage failed. Where the vendor's answer is unknown the intent stays: the next attempt looks before it writes. A definite refusal clears it,
 * unless the stage had already written a part of a document whose key is not known yet.
 */
async function writeFailed(batch: Batch, mover: Mover, thrown: unknown, partWritten: boolean): Promise<void> {
  const { work, target } = mover;
  const failure = recordFailure(thrown);
  if (failure.kind === 'WriteUncertain') {
    const sentAt = work.leased.link.intent?.sentAt ?? batch.shift.desk.clock.now().toISOString();
    const next = nextLook(sentAt, target.looksAfterMs, batch.shift.desk.clock.now());
    const delayMs = next === undefined ? 1_000 : Math.max(1_000, next.getTime() - batch.shift.desk.clock.now().getTime());
    putBack(batch, work, { delayMs, spends: false }, failure.record);
    return;
  }
  const findable = !partWritten || postingOf(work.leased.link, mover)?.target !== undefined;
  if (failure.kind !== 'LeaseLost' && !unknownAfterWrite.has(failure.kind) && findable) {
    const { intent: _refused, ...link } = work.leased.link;
    if (failure.disposition === 'held' || failure.disposition === 'waiting') work.leased = { ...work.leased, link };
    else await store(batch, work, link);
  }
  await concludeFailure(batch, work, failure);
}

/** One step is in the books: the document goes back to `announced` and may be written as often again. */
export function stepDone(mover: Mover): void {
  const { work } = mover;
  const posting = postingOf(work.leased.link, mover);
  mover.commits = 0;
  mover.prepared = undefined;
  if (posting === undefined) return;
  const { progress: _done, ...rest } = posting;
  const { intent: _judged, ...link } = work.leased.link;
  work.leased = { ...work.leased, link: { ...link, writes: [], postings: withPosting(link, { ...rest, stage: 'announced' }) } };
}
