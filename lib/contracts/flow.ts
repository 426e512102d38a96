import type * as z from 'zod';
import type { Failure } from '../failures.ts';
import type { CalendarDate } from '../values/calendar-date.ts';
import type { Json } from '../values/json.ts';
import type { Money } from '../values/money.ts';
import type { Side } from '../values/record-ref.ts';
import type { Outcome } from './audit.ts';
import type { Link, Posting } from './link.ts';

/**
 * What a flow is told about the world. Integrations extend it with their two clients and their settings.
 * It is made anew for every batch, so settings edited by an operator take effect at once.
 */
export interface FlowContext {
  readonly now: Date;
  readonly today: CalendarDate;
  /** Reference data shared by all workers: loaded at most once per `maxAgeMs`, kept in memory and in the state store. */
  cached<Value extends Json>(name: string, maxAgeMs: number, load: () => Promise<Value>): Promise<Value>;
  /** Forgets a cached value, so that the next use loads it: before a hold for missing reference data is decided. */
  forget(name: string): Promise<void>;
}

/** How a flow wakes. Webhooks make it faster, only the poll makes it complete. */
export interface Wakes {
  /** Names of signals (`InvoicePosted`) whose object is a record of this flow. */
  readonly webhooks: readonly string[];
  /** Signals that name no record of this flow but mean "look now": `BillRunCompletion`. */
  readonly pollNow?: readonly string[];
  /** Default cadence: minutes (5 or more) or a five-field cron in UTC. */
  readonly poll: number | string;
}

/** One thing found by a feed. */
export interface Found<Row> {
  readonly key: string;
  /** The vendor's modification instant: moves the cursor. */
  readonly at: Date;
  /** The whole row when the list had it: spares the worker a read, and the queue a message when nothing relevant changed. */
  readonly row?: Row;
}

/** A list of what changed, with a cursor of its own. */
export interface Feed<Row, Context> {
  /** Stable name, part of the cursor's key: `invoices`, `contacts`. */
  readonly name: string;
  /** How far back behind the cursor each poll reads again; default five minutes. */
  readonly overlapMs?: number;
  /**
   * Yields pages, oldest change first. `since` absent: everything the flow covers, from its cut-over on (backfill, lost cursor).
   * The engine moves the cursor after each page is on the queue.
   */
  list(context: Context, since: Date | undefined): AsyncIterable<readonly Found<Row>[]>;
}

export interface Described {
  readonly key: string;
  /** For people: `INV00000417`. */
  readonly label: string;
  /** Fingerprint over what matters of the row: equal means nothing to do, whatever else moved. */
  readonly header: string;
  readonly money?: Money;
}

/** What the link remembers, as a flow may see it. `decision` is a person's answer to a hold. */
export type Memory = Pick<Link, 'state' | 'base' | 'postings' | 'note' | 'decision' | 'keys' | 'trouble'> & {
  /** Fingerprint of the row on the side looked at, when the record was last settled. */
  readonly header?: string;
};

/** A look at the row alone, before anything else is read. Holds and waits are thrown as Failures. */
export type Screen =
  | { readonly is: 'go' }
  | { readonly is: 'settled'; readonly outcome: 'unchanged' | 'noted'; readonly note?: string }
  | { readonly is: 'filtered'; readonly rule: string };

/** A record of another flow that must be here first. */
export interface Reference {
  /** The flow's own name for it in `Resolved`: `customer`, `document:8ad0…`. */
  readonly name: string;
  /** Flow id within the integration (`customers`), source side and key. */
  readonly flow: string;
  readonly side: Side;
  readonly key: string;
  /** How a person knows it: `customer KR-10031`. */
  readonly label: string;
  /** When given, the link must have been settled for exactly this state of the record, else it counts as not here yet. */
  readonly header?: string;
  /** Enough when the link leads to a record on the other side, even while that pair is held or being written. */
  readonly linked?: boolean;
  /** Rules by which the other flow leaves a record out until somebody asks for it: a link filtered by one of them counts as not here yet. */
  readonly askedPast?: readonly string[];
}

/** Links of the references by name. A link in state `filtered` is handed over too: the flow decides what its absence means. */
export type Resolved = ReadonlyMap<string, Link>;

/** The part both kinds share. */
export interface FlowHead {
  /** Short key, also file name: `invoices`. The full key is `<integration>.<id>`. */
  readonly id: string;
  readonly summary: string;
  readonly wakes: Wakes;
  /** Off unless the configuration switches it on. */
  readonly offByDefault?: boolean;
  /** Fewer records at once than the engine's default of 20, where a step of the flow cannot be shared. */
  readonly batchSize?: number;
}

/** How one kind of record is read at its source. */
export interface SourceReader<Row, Context> {
  feeds(context: Context): readonly Feed<Row, Context>[];
  /** Rows of these keys, read in the vendor's largest batches; a key that is missing from the answer does not exist (any more). */
  rows(context: Context, keys: readonly string[]): Promise<ReadonlyMap<string, Row>>;
  /** For rows that travelled as snapshots. */
  readonly row: z.ZodType<Row>;
  describe(row: Row): Described;
  /** Keys of the records a person means by a number, for what was never seen here; a name may stand for several (a journal run). */
  named?(context: Context, name: string): Promise<readonly string[]>;
}

// ---------------------------------------------------------------------------------------------------------------- post

/** What is to be done about a source document now. Decided again after every move, until it is `settle` or `filter`. */
export type Move =
  | { readonly do: 'post'; readonly generation: number }
  | { readonly do: 'reverse'; readonly generation: number; readonly on: CalendarDate; readonly because: string }
  | { readonly do: 'settle'; readonly outcome: Extract<Outcome, 'unchanged' | 'noted' | 'reversed' | 'posted'>; readonly note?: string }
  | { readonly do: 'filter'; readonly rule: string };

/** Where the target stands before a write. Collisions, several hits and foreign edits are thrown per marker as Failures in the map. */
export type Located =
  | {
      readonly is: 'none';
      readonly state?: Json;
      /** The document is there; what is not is a further part of it. That nothing is found is then no sign that somebody removed it. */
      readonly part?: true;
    }
  /** Ours, not yet in the books; `state` is handed to `prepare` so that it can go on where the writing stopped. */
  | { readonly is: 'draft'; readonly target: string; readonly state?: Json }
  | {
      readonly is: 'posted';
      readonly target: string;
      readonly outcome?: Outcome;
      readonly note?: string;
      /** The link was lost and the books hold a later generation already: the posting is remembered as this one. */
      readonly generation?: number;
    };

export interface Prepared {
  /** Durable key of the target document. */
  readonly target: string;
  /** What the vendor says it holds now, for `verify`. */
  readonly echo: unknown;
}

export interface Mismatch {
  readonly field: string;
  readonly sent: string;
  readonly got: string;
}

export type Confirmed =
  | { readonly is: 'posted'; readonly outcome?: Outcome; readonly note?: string }
  /** Asked to commit and did not: the engine commits once more, then holds. */
  | { readonly is: 'uncommitted' }
  /** This step is in the books and another one is needed (a later application date): the engine locates and prepares again. */
  | { readonly is: 'more' };

/** The hand a stage is given. The engine has announced the stage's write before; a stage of several writes saves its progress in between. */
export interface Step {
  readonly located: Located;
  /** What an earlier attempt of this stage saved. */
  readonly progress: Json | undefined;
  /** In `commit`: what `prepare` answered in this same run; absent when the run began later. Spares a read of the document's state. */
  readonly prepared?: Prepared;
  /** Stores progress (and the target's key as soon as it is known) under the lease. Fails with LeaseLost: stop at once. */
  save(progress: Json, target?: string): Promise<void>;
  /** Stop and save before this instant; throw Failure ConditionPending or RateLimited with `at` to be called again. */
  readonly deadline: Date;
}

export interface PostTarget<Draft, Context> {
  /** The reference written into the target, by which the document is found again. */
  marker(draft: Draft): string;
  /** Money of the draft, for preview, audit and totals; absent for documents without one amount. */
  money(draft: Draft): Money | undefined;
  /** One line for people: `Invoice for C0000412, 1,334.88 USD, 2 lines`. */
  sentence(draft: Draft): string;
  /** The draft as data, kept on the link for the reversal and shown by preview. */
  data(draft: Draft): Json;
  /** Looks for all markers in the fewest calls. `posting` is what the link knows of this very posting. */
  locate(
    context: Context,
    asks: readonly { readonly draft: Draft; readonly posting?: Posting; readonly memory: Memory }[],
  ): Promise<ReadonlyMap<string, Located | Failure>>;
  /** Writes the draft whole, or completes one that was found. May be called again after an unknown outcome, with what `locate` found. */
  prepare(context: Context, draft: Draft, step: Step): Promise<Prepared>;
  /** Compares what is there with what was meant: totals, currency, references, lines. Pure. */
  verify(draft: Draft, prepared: Prepared): readonly Mismatch[];
  /** Keeps a draft that failed verification from being posted by anyone. Best effort. */
  park?(context: Context, prepared: Prepared): Promise<void>;
  /** Makes it count in the books. ConditionPending when a person or a schedule must act there first. */
  commit(context: Context, draft: Draft, target: string, step: Step): Promise<void>;
  /** Reads the present state of documents asked to commit, in the fewest calls; keyed by target. */
  confirm(
    context: Context,
    asks: readonly { readonly draft: Draft; readonly target: string }[],
  ): Promise<ReadonlyMap<string, Confirmed | Failure>>;
  /** After an unknown outcome: how long after sending to look again, in order; only after the last empty look may it be written anew. */
  readonly looksAfterMs: readonly number[];
}

export interface PostFlow<Row = unknown, Source = unknown, Draft = unknown, Context extends FlowContext = FlowContext> extends FlowHead {
  readonly kind: 'post';
  /** The side the document comes from; the other one receives it. */
  readonly from: Side;
  readonly source: SourceReader<Row, Context>;
  /** `row` undefined: the vendor no longer has the record. Pure. */
  screen(row: Row | undefined, memory: Memory | undefined, context: Context): Screen;
  /**
   * Reads what belongs to the rows (items, taxes, applications) in bulk. A failure concerns that record only. `memories` (by record key) lets it
   * also read what became of an earlier posting where `decide` depends on it.
   */
  gather(context: Context, rows: readonly Row[], memories: ReadonlyMap<string, Memory>): Promise<ReadonlyMap<string, Source | Failure>>;
  /** Pure. */
  decide(source: Source, memory: Memory, context: Context): Move;
  /** Pure. */
  references(source: Source, move: Move, context: Context): readonly Reference[];
  /** Look-ups the mapping needs beyond links and cached reference data, in bulk; keyed by record key. */
  lookUp?(
    context: Context,
    asks: readonly { readonly source: Source; readonly move: Move; readonly links: Resolved }[],
  ): Promise<ReadonlyMap<string, Json | Failure>>;
  /** Pure; throws holds. `found` is what `lookUp` brought. */
  map(
    source: Source,
    move: Extract<Move, { do: 'post' }>,
    given: { readonly links: Resolved; readonly found?: Json; readonly memory: Memory; readonly context: Context },
  ): Draft;
  /** The canonical source as it was posted: the link's base. */
  remember(source: Source): Json;
  readonly target: PostTarget<Draft, Context>;
  /** How a posted generation is undone. Absent: the flow never asks for `reverse`. */
  readonly reversal?: Reversal<Source, Context>;
}

export interface Reversal<Source, Context, Draft = unknown> {
  /** Pure; built from what was posted (`posting.draft`), not from the present source. */
  map(
    source: Source,
    move: Extract<Move, { do: 'reverse' }>,
    given: { readonly posting: Posting; readonly links: Resolved; readonly memory: Memory; readonly context: Context },
  ): Draft;
  readonly target: PostTarget<Draft, Context>;
}

// -------------------------------------------------------------------------------------------------------------- mirror

export type ConflictPolicy = 'a-wins' | 'b-wins' | 'newest' | 'hold';

export interface Match {
  readonly key: string;
  /** Why these two are the same: `AccountRef equals KR-10023`. */
  readonly why: string;
}

/** One side of a mirror flow: how its records read as canonical fields and how fields are written into them. */
export interface Lens<Fields, Row, Context> {
  readonly source: SourceReader<Row, Context>;
  /** Canonical fields of a record. Pure; throws holds (an unknown country). A field this side does not have is left out. */
  read(row: Row, context: Context): Partial<Fields>;
  /** When the record last changed, for the policy `newest`. */
  changedAt(row: Row): Date | undefined;
  /** Creates the record; answers its key and the row as the vendor now holds it. Absent: records of this side are never created. */
  create?(context: Context, fields: Fields, links: Resolved): Promise<{ readonly key: string; readonly row: Row }>;
  /** Changes just these fields; `undefined` clears one. Absent: this side is read only. Fails with RecordGone. */
  update?(context: Context, key: string, changes: Partial<Fields>, current: Row, links: Resolved): Promise<Row>;
  /** Live look-up by marker, before every create; keyed by marker. */
  findByMarker?(
    context: Context,
    markers: readonly string[],
    /** Fields of the records that ask, by marker: a hit that cannot be theirs is a Failure in the map. */
    asking: ReadonlyMap<string, Partial<Fields>>,
  ): Promise<ReadonlyMap<string, readonly Row[] | Failure>>;
  /** What could not be carried over as it is (a text cut, an invalid address left out), for the audit. Pure. */
  remarks?(row: Row, context: Context): readonly string[];
  /** After an unknown outcome of `create`: how long after sending to look for the marker again; default 1, 5 and 11 minutes. */
  readonly looksAfterMs?: readonly number[];
  /** Fields that can be given at creation only. */
  readonly createOnly?: readonly (keyof Fields & string)[];
  /** Fields this side holds and accepts; others are never compared or written there. */
  readonly writes?: readonly (keyof Fields & string)[];
}

export interface MirrorFlow<Fields = unknown, RowA = unknown, RowB = unknown, Context extends FlowContext = FlowContext> extends FlowHead {
  readonly kind: 'mirror';
  readonly direction: 'both' | 'a-to-b' | 'b-to-a';
  readonly fields: z.ZodType<Fields>;
  readonly sides: { readonly a: Lens<Fields, RowA, Context>; readonly b: Lens<Fields, RowB, Context> };
  conflict(context: Context): ConflictPolicy;
  /** Numeric levels that add up instead of conflicting: stock. */
  readonly additive?: readonly (keyof Fields & string)[];
  /** `row` undefined: gone. `memory` undefined: never seen. Pure. */
  screen(
    from: Side,
    row: RowA | RowB | undefined,
    memory: Memory | undefined,
    context: Context,
    cause: { readonly demanded: boolean },
  ): Screen;
  /** The text written into the other side to find the record again; undefined when that side keeps none. */
  marker(from: Side, fields: Fields): string | undefined;
  /**
   * Applies the match rules to records that have no link and no marker hit, in the fewest calls. Ambiguity is a thrown hold in the map.
   * `taken` tells which records of the other side are linked already.
   */
  match(
    context: Context,
    from: Side,
    asks: readonly { readonly key: string; readonly fields: Fields; readonly decision?: string }[],
    taken: (keys: readonly string[]) => Promise<ReadonlySet<string>>,
  ): Promise<ReadonlyMap<string, Match | 'none' | Failure>>;
  /** When a match is adopted: fill what is empty there and leave the rest (`fill-empty`), or treat it as changed by the source. */
  readonly onAdopt: 'fill-empty' | 'overwrite';
  references?(from: Side, fields: Fields, context: Context): readonly Reference[];
}

export type Flow<Context extends FlowContext = FlowContext> =
  | PostFlow<unknown, unknown, unknown, Context>
  | MirrorFlow<unknown, unknown, unknown, Context>;
