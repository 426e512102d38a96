import type { Confirmed, Located } from '../contracts/flow.ts';
import { Failure } from '../failures.ts';
import { forRecord, putBack } from './conclude.ts';
import { inBulk } from './in-bulk.ts';
import { nextLook } from './looks.ts';
import { forget, rest, underwayOf, unfinished, type Wish } from './post-rest.ts';
import { type Booked, clearProgress, commit, intentOf, type Mover, postingOf, prepare, stepDone } from './post-stage.ts';
import { timeIsUp } from './shift.ts';
import { type Batch, labelOf, memoryOf, type Work } from './work.ts';

/** Steps of one document (application dates, chunks) in one attempt; beyond this it comes back. */
const mostSteps = 50;

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
    const known = found.part === true ? undefined : posting?.target;
    const since = known === undefined ? intent?.sentAt : latestOf(intent?.sentAt, link.updatedAt);
    const next = since === undefined || link.decision !== undefined ? undefined : nextLook(since, target.looksAfterMs, lookedAt);
    if (next !== undefined) return lookLater(batch, mover, next);
    if (known !== undefined && link.decision === undefined) throw vanished(work, known);
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

function notReleased(mover: Mover, key: string): Failure {
  const { intent: _judged, ...link } = mover.work.leased.link;
  mover.work.leased = { ...mover.work.leased, link };
  return new Failure('NeedsPerson', {
    cause: 'not-released',
    sentence: `${key} was asked to be posted twice and is still not posted.`,
    fix: `Open ${key} there, see why it cannot be posted, post it or correct it, then replay ${labelOf(mover.work)}.`,
  });
}
