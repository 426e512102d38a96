import type { Confirmed, FlowContext, Located, Mismatch, Move, PostTarget, Prepared, Step } from '../contracts/flow.ts';
import type { Intent, Link, Posting } from '../contracts/link.ts';
import { Failure } from '../failures.ts';
import { canonicalJson, type Json } from '../values/json.ts';
import { concludeFailure, forRecord, putBack } from './conclude.ts';
import { inBulk } from './in-bulk.ts';
import { nextLook } from './looks.ts';
import { noteWrite, refuseLoop } from './loop-breaker.ts';
import { forget, rest, underwayOf, unfinished, type Wish } from './post-rest.ts';
import { timeIsUp } from './shift.ts';
import { type Batch, ensureLease, labelOf, memoryOf, recordFailure, type Work } from './work.ts';

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

/** Steps of one document (application dates, chunks) in one attempt; beyond this it comes back. */
const mostSteps = 50;

export const postingOf = (link: Link, mover: Pick<Mover, 'marker' | 'move'>): Posting | undefined =>
  link.postings?.find((posting) => posting.marker === mover.marker && posting.kind === kindOf(mover.move));

export const kindOf = (move: Mover['move']): Posting['kind'] => (move.do === 'post' ? 'post' : 'reversal');

const intentOf = (mover: Mover): Intent | undefined => {
  const { intent } = mover.work.leased.link;
  return intent?.marker === mover.marker ? intent : undefined;
};

/** Brings documents of one target into the books: locate and confirm for all of them, prepare and commit one by one. */
export async function writePostings(batch: Batch, movers: readonly Mover[]): Promise<readonly Booked[]> {
  const booked: Booked[] = [];
  let pending = await onePerMarker(batch, movers);
  for (let step = 0; pending.length > 0; step++) {
    if (step >= mostSteps) {
      for (const mover of pending) putBack(batch, mover.work, { delayMs: 1_000, spends: true });
      return booked;
    }
    const asked = await advanceAll(batch, pending, booked);
    pending = await confirmAll(batch, asked, booked);
  }
  return booked;
}

/** Two records with one marker must not both find nothing: the second looks after the first has written. */
async function onePerMarker(batch: Batch, movers: readonly Mover[]): Promise<Mover[]> {
  const seen = new Set<string>();
  const first: Mover[] = [];
  for (const mover of movers) {
    if (seen.has(mover.marker)) putBack(batch, mover.work, { delayMs: 5_000, spends: true });
    else first.push(mover);
    seen.add(mover.marker);
  }
  return first;
}

async function advanceAll(batch: Batch, pending: readonly Mover[], booked: Booked[]): Promise<Mover[]> {
  const { clock } = batch.shift.desk;
  const lookedAt = clock.now();
  const target = pending[0]?.target;
  if (target === undefined) return [];
  const located = await inBulk<Mover, Located>(
    batch,
    pending,
    (movers) =>
      target.locate(
        batch.shift.open.context,
        movers.map((mover) => {
          const posting = postingOf(mover.work.leased.link, mover);
          const memory = memoryOf(mover.work.leased.link, mover.work.from);
          return { draft: mover.draft, memory, ...(posting === undefined ? {} : { posting }) };
        }),
      ),
    (mover) => mover.marker,
  );
  const asked: Mover[] = [];
  for (const mover of pending) {
    const stop = batch.stopped ?? (timeIsUp(batch.shift) ? { delayMs: 0, spends: false } : undefined);
    if (stop !== undefined) {
      putBack(batch, mover.work, stop);
      continue;
    }
    await forRecord(batch, mover.work, async () => {
      const found = located.get(mover.marker);
      if (found instanceof Failure) throw found;
      if (found === undefined) throw new Failure('Defect', { sentence: `The look for ${mover.marker} gave no answer about it.` });
      if (found.is === 'posted') {
        const { target: key, is: _is, ...told } = found;
        booked.push({ mover, target: key, confirmed: { is: 'posted', ...told } });
      } else if (await advance(batch, mover, { found, lookedAt })) {
        asked.push(mover);
      }
    });
  }
  return asked;
}

/** From where it was found to "asked to commit". Answers false when the record was put back to be looked at later. */
async function advance(batch: Batch, mover: Mover, look: { readonly found: Located; readonly lookedAt: Date }): Promise<boolean> {
  const { work, target } = mover;
  const { found, lookedAt } = look;
  const { link } = work.leased;
  const posting = postingOf(link, mover);
  const intent = intentOf(mover);
  if (mover.wish !== undefined) return findOut(batch, mover, mover.wish, look);
  if (found.is === 'none') {
    const since = posting?.target === undefined ? intent?.sentAt : latestOf(intent?.sentAt, link.updatedAt);
    const next = since === undefined || link.decision !== undefined ? undefined : nextLook(since, target.looksAfterMs, lookedAt);
    if (next !== undefined) return lookLater(batch, mover, next);
    if (posting?.target !== undefined && link.decision === undefined) throw vanished(work, posting.target);
  }
  if (found.is === 'draft' && posting?.target !== undefined) {
    if (posting.stage === 'committing' && posting.progress !== undefined) return commit(batch, mover, found.target, found);
    // A change of a document we knew already may still land: its being there proves nothing, as it does after an uncertain creation.
    const next = intent === undefined ? undefined : nextLook(intent.sentAt, target.looksAfterMs, lookedAt);
    if (next !== undefined) return lookLater(batch, mover, next);
  }
  await prepare(batch, mover, found);
  const { prepared } = mover;
  return prepared === undefined ? false : commit(batch, mover, prepared.target, found);
}

/** The source has stepped back while its document was under way: not there after the last look, it never was; a draft is a person's to remove. */
async function findOut(
  batch: Batch,
  mover: Mover,
  wish: Wish,
  { found, lookedAt }: { readonly found: Located; readonly lookedAt: Date },
): Promise<boolean> {
  const { work, target } = mover;
  const posting = postingOf(work.leased.link, mover);
  if (posting === undefined) {
    const other = underwayOf(work);
    if (other !== undefined) throw unfinished(work, other);
  } else {
    if (found.is === 'draft') throw unfinished(work, { ...posting, target: found.target });
    const since = latestOf(intentOf(mover)?.sentAt, posting.target === undefined ? undefined : work.leased.link.updatedAt);
    const next = since === undefined ? undefined : nextLook(since, target.looksAfterMs, lookedAt);
    if (next !== undefined) return lookLater(batch, mover, next);
    forget(work, posting);
  }
  await rest(batch, work, wish);
  return false;
}

const latestOf = (...instants: readonly (string | undefined)[]): string | undefined =>
  instants.reduce((late, instant) => (instant !== undefined && (late === undefined || instant > late) ? instant : late), undefined);

function lookLater(batch: Batch, mover: Mover, next: Date): boolean {
  const delayMs = Math.max(1_000, next.getTime() - batch.shift.desk.clock.now().getTime());
  putBack(batch, mover.work, { delayMs, spends: false });
  return false;
}

function vanished(work: Work, target: string): Failure {
  return new Failure('NeedsPerson', {
    cause: `vanished:${target}`,
    sentence: `${target}, written for ${labelOf(work)}, can no longer be found there.`,
    fix: 'Find out who removed it. Then release the hold with "recreate" to write it again, or with "ignore".',
  });
}

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

async function prepare(batch: Batch, mover: Mover, found: Located): Promise<void> {
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

async function commit(batch: Batch, mover: Mover, key: string, found: Located): Promise<boolean> {
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
function clearProgress(mover: Mover): void {
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

/** Reads whether what was asked to commit is in the books. Answers the documents that need another step. */
async function confirmAll(batch: Batch, asked: readonly Mover[], booked: Booked[]): Promise<Mover[]> {
  const again: Mover[] = [];
  let open = asked;
  while (open.length > 0) {
    const uncommitted: Mover[] = [];
    const states = await confirmMany(batch, open);
    for (const mover of open) {
      await forRecord(batch, mover.work, async () => {
        const key = postingOf(mover.work.leased.link, mover)?.target ?? mover.marker;
        const state = states.get(key);
        if (state instanceof Failure) throw state;
        if (state === undefined)
          throw new Failure('VendorUnavailable', { sentence: `${key} was asked to be posted and could not be read back.` });
        if (state.is === 'posted') booked.push({ mover, target: key, confirmed: state });
        else if (state.is === 'more') {
          stepDone(mover);
          again.push(mover);
        } else if (mover.commits < 2) {
          clearProgress(mover);
          if (await commit(batch, mover, key, { is: 'draft', target: key })) uncommitted.push(mover);
        } else throw notReleased(mover, key);
      });
    }
    open = uncommitted;
  }
  return again;
}

async function confirmMany(batch: Batch, movers: readonly Mover[]): Promise<ReadonlyMap<string, Confirmed | Failure>> {
  const target = movers[0]?.target;
  if (target === undefined) return new Map();
  const keyOf = (mover: Mover): string => postingOf(mover.work.leased.link, mover)?.target ?? mover.marker;
  return inBulk<Mover, Confirmed>(
    batch,
    movers,
    (some) =>
      target.confirm(
        batch.shift.open.context,
        some.map((mover) => ({ draft: mover.draft, target: keyOf(mover) })),
      ),
    keyOf,
  );
}

/** One step is in the books: the document goes back to `announced` and may be written as often again. */
function stepDone(mover: Mover): void {
  const { work } = mover;
  const posting = postingOf(work.leased.link, mover);
  mover.commits = 0;
  mover.prepared = undefined;
  if (posting === undefined) return;
  const { progress: _done, ...rest } = posting;
  const { intent: _judged, ...link } = work.leased.link;
  work.leased = { ...work.leased, link: { ...link, writes: [], postings: withPosting(link, { ...rest, stage: 'announced' }) } };
}

function notReleased(mover: Mover, key: string): Failure {
  const { intent: _judged, ...link } = mover.work.leased.link;
  mover.work.leased = { ...mover.work.leased, link };
  return new Failure('NeedsPerson', {
    cause: 'not-released',
    sentence: `${key} was asked to be posted twice and is still not posted.`,
    fix: `Open ${key} there, see why it cannot be posted, post it or correct it, then replay ${labelOf(mover.work)}.`,
  });
}
