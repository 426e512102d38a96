import type { Match } from '../contracts/flow.ts';
import type { Link } from '../contracts/link.ts';
import { Failure } from '../failures.ts';
import { otherSide, refText } from '../values/record-ref.ts';
import { auditEntry } from './audit-entry.ts';
import { putBack } from './conclude.ts';
import { type MirrorBatch, type Read, systemOf } from './lens.ts';
import { asSent, mergePair } from './mirror-write.ts';
import { sendChanges } from './pack.ts';
import { storePlan } from './plans.ts';
import { changeOf } from './shift.ts';
import { labelOf, type Work } from './work.ts';

/**
 * Makes one link of two records, and only then looks at their fields: the commit claims both keys at once, so that two workers that found each
 * other's record cannot both make a link.
 */
export async function pairUp(batch: MirrorBatch, one: Read, match: Match): Promise<void> {
  const { work } = one;
  const { desk, open } = batch.shift;
  const side = otherSide(work.from);
  if (batch.preview) {
    const sentence = `${labelOf(work)} would be linked with ${match.key}: ${match.why}.`;
    return storePlan(batch, work, { would: 'adopt', sentence });
  }
  const created = work.leased.link.intent?.stage === 'create';
  if (!(await claim(batch, work, match, created))) return;
  const again = (await desk.links.lease([work.task.ref], { owner: batch.shift.owner, until: work.leasedUntil, now: desk.clock.now() })).get(
    refText(work.task.ref),
  );
  if (again === undefined || 'busy' in again) return putBack(batch, work, { delayMs: 2_000, spends: false });
  work.leased = again;
  work.stored = again.link;
  const rows = await batch.flow.sides[side].source.rows(open.context, [match.key]);
  const row = rows.get(match.key);
  if (row === undefined) return putBack(batch, work, { delayMs: 5_000, spends: true });
  if (created) work.leased = { ...work.leased, link: asSent(batch, work.leased.link, side, row) };
  await mergePair(batch, one, row);
}

/** Commits the pair. Answers false when the other record must be dealt with first; fails when it belongs to somebody else. */
async function claim(batch: MirrorBatch, work: Work, match: Match, created: boolean): Promise<boolean> {
  const { desk } = batch.shift;
  const side = otherSide(work.from);
  const partner = { ...work.task.ref, side, key: match.key };
  const { intent, trouble: _t, troubleSince: _s, troubleHeader: _h, ...kept } = work.leased.link;
  const link: Link = {
    ...kept,
    state: 'working',
    label: labelOf(work),
    keys: { ...kept.keys, [side]: match.key },
    ...(created && intent?.fields !== undefined ? { base: intent.fields } : {}),
    updatedAt: desk.clock.now().toISOString(),
  };
  const entry = auditEntry(desk, work.task.ref, work.task.change, {
    outcome: created ? 'created' : 'adopted',
    sentence: created
      ? `${labelOf(work)} was created as ${match.key}; the answer had been lost.`
      : `${labelOf(work)} is ${match.key} in ${systemOf(batch, side)}: ${match.why}.`,
    label: link.label,
    target: match.key,
    fence: work.leased.fence,
  });
  for (const lastTry of [false, true]) {
    const existing = (await desk.links.findMany([partner])).get(refText(partner));
    if (existing !== undefined && refText(existing.origin) !== refText(work.leased.link.origin)) {
      const mine = existing.keys[work.from];
      if (mine !== undefined) throw alreadyLinked(work, match, mine);
      if (!(await giveUpLonely(batch, work, existing))) return false;
    }
    try {
      await desk.links.commit({ ...work.leased, link }, [entry]);
      return true;
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.kind !== 'NeedsPerson') throw thrown;
      if (lastTry) putBack(batch, work, { delayMs: 5_000 + Math.round(10_000 * desk.random.next()), spends: false });
    }
  }
  return false;
}

/**
 * The other record has a link of its own that leads nowhere: it gives way, unless somebody works on it or a write of it is still uncertain.
 * Then that one is looked at first, and finds this record.
 */
async function giveUpLonely(batch: MirrorBatch, work: Work, lonely: Link): Promise<boolean> {
  const { desk, owner, name } = batch.shift;
  const taken = (await desk.links.lease([lonely.origin], { owner, until: work.leasedUntil, now: desk.clock.now() })).get(
    refText(lonely.origin),
  );
  if (taken === undefined || 'busy' in taken) {
    putBack(batch, work, { delayMs: 2_000 + Math.round(8_000 * desk.random.next()), spends: false });
    return false;
  }
  if (taken.link.intent !== undefined) {
    await desk.links.release([taken]);
    await sendChanges(desk, name, { queue: work.task.queue, changes: [changeOf(desk, lonely.origin, 'dependency')] });
    putBack(batch, work, { delayMs: 60_000, spends: false });
    return false;
  }
  if (taken.link.state === 'new') await desk.links.release([taken]);
  else {
    const sentence = `${taken.link.label ?? lonely.origin.key} is joined with ${labelOf(work)}; its own entry ends here.`;
    await desk.links.remove(taken, [auditEntry(desk, lonely.origin, work.task.change, { outcome: 'noted', reason: 'joined', sentence })]);
  }
  return true;
}

function alreadyLinked(work: Work, match: Match, owner: string): Failure {
  return new Failure('NeedsPerson', {
    cause: `already-linked:${match.key}`,
    sentence: `${labelOf(work)} belongs with ${match.key} (${match.why}), which is already linked with ${owner}.`,
    fix: 'One of the two is a duplicate: merge them, or unlink the wrong one and release the hold.',
    details: { candidate: match.key, linkedWith: owner },
  });
}
