import type { Memory } from '../../contracts/flow.ts';
import type { Link, Posting } from '../../contracts/link.ts';

/** What the postings of a link say about the books now. */
export interface Standing {
  /** Newest generation that was at least announced. */
  readonly latest: Posting | undefined;
  /** That generation was taken back. */
  readonly undone: boolean;
}

export function standingOf(memory: Pick<Memory, 'postings'> | Pick<Link, 'postings'>): Standing {
  const postings = memory.postings ?? [];
  const latest = postings
    .filter((posting) => posting.kind === 'post')
    .reduce<Posting | undefined>(
      (newest, posting) => (newest === undefined || posting.generation > newest.generation ? posting : newest),
      undefined,
    );
  const undone =
    latest !== undefined &&
    (latest.stage === 'reversed' ||
      postings.some((posting) => posting.kind === 'reversal' && posting.generation === latest.generation && posting.stage === 'posted'));
  return { latest, undone };
}

/** The document in the books that a link stands for; undefined while there is none. */
export function bookedTarget(link: Pick<Link, 'postings'>): string | undefined {
  const { latest, undone } = standingOf(link);
  return latest?.stage === 'posted' && !undone ? latest.target : undefined;
}
