import type { FailureRecord } from '../failures.ts';
import type { Json } from '../values/json.ts';
import type { Money } from '../values/money.ts';
import type { RecordRef, Side } from '../values/record-ref.ts';

/**
 * Where a record stands. `new`: seen, nothing decided. `working`: a write was announced and not concluded. `synced`: both sides agree, or the
 * document is posted. `waiting`, `held`: see `trouble`. `filtered`: a rule leaves it out (`note` says which). `gone`: the source no longer exists.
 */
export type LinkState = 'new' | 'working' | 'synced' | 'waiting' | 'held' | 'filtered' | 'gone';

/** Stages of one posting, in order. A crash anywhere resumes at the first one not reached. */
export const postingStages = ['announced', 'prepared', 'committing', 'posted', 'reversed'] as const;
export type PostingStage = (typeof postingStages)[number];

/** One target document of a post flow: the present generation of the source, or the reversal of one. */
export interface Posting {
  readonly generation: number;
  readonly kind: 'post' | 'reversal';
  readonly marker: string;
  readonly stage: PostingStage;
  /** Durable key of the target document, once known: `Invoice/AR004711`. */
  readonly target?: string;
  /** The flow's own notes of a half-done write: rows already appended, a status URL. */
  readonly progress?: Json;
  /** What was meant when it was written, enough to build its reversal. */
  readonly draft?: Json;
  /** While it is under way: the canonical source the draft was built from. It becomes the base, even if the source has changed meanwhile. */
  readonly source?: Json;
}

/** A write that was announced before it left and whose answer was not yet judged. */
export interface Intent {
  readonly stage: 'prepare' | 'commit' | 'create' | 'update';
  readonly marker: string;
  readonly fence: number;
  readonly sentAt: string;
  /** Creation in a mirror: the fields that were sent. If the answer is lost and the record is found, they are its base. */
  readonly fields?: Json;
  /** Mirror update of a field that adds up: what was to be there, and what both sides showed when that was computed. */
  readonly sums?: Readonly<Record<string, { readonly sum: string; readonly a: string; readonly b: string }>>;
}

/**
 * The memory that a record on one side is a record on the other, and how far a write has come.
 * The store keeps it under the record that was seen first (`origin`); the other side's key points to it.
 */
export interface Link {
  readonly origin: RecordRef;
  /** Vendor keys per side, as far as known. The origin's side is always known. */
  readonly keys: Readonly<Partial<Record<Side, string>>>;
  readonly state: LinkState;
  /** For people: `INV00000417`, `KR-10023 Northgate Dental Group`. */
  readonly label?: string;
  readonly money?: Money;
  /** Fingerprint of each side's row when the record was last settled; an equal one means nothing to do. A post has its source's only. */
  readonly headers?: Readonly<Partial<Record<Side, string>>>;
  /** Mirror: the canonical fields when both sides last agreed. Post: the canonical document as posted. */
  readonly base?: Json;
  /** What each side normalised of the base when we wrote it (`PHONE` for `phone`): compared so that an echo is not a change. */
  readonly echo?: Readonly<Partial<Record<Side, Json>>>;
  readonly postings?: readonly Posting[];
  readonly intent?: Intent;
  /** Why it is held or waiting. */
  readonly trouble?: FailureRecord;
  readonly troubleSince?: string;
  /** Fingerprint of the row that ran into the trouble: a poll that lists the very same row does not try again. */
  readonly troubleHeader?: string;
  /** Reason of `filtered`, or a remark of the last settlement: `reversed`, `reposted`. */
  readonly note?: string;
  /** A person's answer to a hold: create although candidates exist, recreate, ignore, next generation. */
  readonly decision?: string;
  /** Recent writes to a target, `<stage>@<instant>`, for the loop breaker. */
  readonly writes?: readonly string[];
  readonly updatedAt: string;
}

/** A link that this worker, and no other, may change until the deadline. */
export interface Leased {
  readonly link: Link;
  /** Grows with every lease of this link; every later write of it must carry the newest. */
  readonly fence: number;
}
