import type { Move } from '../contracts/flow.ts';
import type { Posting } from '../contracts/link.ts';
import { Failure } from '../failures.ts';
import { type Settlement, settle } from './conclude.ts';
import { type Batch, labelOf, type Work } from './work.ts';

/** The record wants nothing written. */
export type Wish = Extract<Move, { do: 'settle' | 'filter' }>;

/** The document is where it belongs, or belongs nowhere. */
export async function rest(batch: Batch, work: Work, wish: Wish): Promise<void> {
  if (wish.do === 'filter') await filter(batch, work, wish.rule);
  else await settleQuietly(batch, work, wish.outcome, wish.note);
}

async function filter(batch: Batch, work: Work, rule: string): Promise<void> {
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

async function settleQuietly(batch: Batch, work: Work, outcome: Settlement['outcome'], note?: string): Promise<void> {
  // A line of the same words was written when this note was taken; what stays as it is needs no second one.
  const same = outcome === 'noted' && work.stored.state === 'synced' && work.stored.note === note;
  await settle(batch, work, {
    state: 'synced',
    outcome: same ? 'unchanged' : outcome === 'posted' || outcome === 'reversed' ? 'noted' : outcome,
    note: note ?? (outcome === 'unchanged' ? work.stored.note : undefined),
    sentence: outcome === 'unchanged' ? `${labelOf(work)} is as it was when it was last settled.` : `${labelOf(work)}: ${note ?? outcome}.`,
  });
}

/**
 * A document on its way, of a record that wants to rest: it must not be forgotten because its source stepped back meanwhile. None when a person
 * has decided.
 */
export function underwayOf(work: Work): Posting | undefined {
  const { link } = work.leased;
  if (link.decision !== undefined) return undefined;
  const begun = link.postings?.find(
    ({ stage, target }) => stage === 'prepared' || stage === 'committing' || (stage === 'announced' && target !== undefined),
  );
  return begun ?? (link.intent === undefined ? undefined : link.postings?.find(({ marker }) => marker === link.intent?.marker));
}

/** Looked for until the last look and not there: the posting never was. */
export function forget(work: Work, posting: Posting): void {
  const { intent: _settled, postings = [], ...link } = work.leased.link;
  const others = postings.filter((other) => other !== posting);
  work.leased = { ...work.leased, link: others.length === 0 ? link : { ...link, postings: others } };
}

export function unfinished(work: Work, posting: Posting): Failure {
  return new Failure('NeedsPerson', {
    cause: `unfinished:${posting.marker}`,
    sentence: `${labelOf(work)} no longer asks for a document, but ${posting.target ?? `one with the reference ${posting.marker}`} was being written.`,
    fix: `Look for ${posting.marker} in the target, remove or finish it, then release the hold with "ignore".`,
    ...(posting.target === undefined ? {} : { details: { target: posting.target } }),
  });
}
