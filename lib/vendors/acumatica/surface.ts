import type { CheckResult } from '../../contracts/vendor.ts';
import type { ActionEntity, ActionOf } from './entities.ts';
import type { Filter } from './filter.ts';
import type { Entity, RowOf } from './wire.ts';
import type { BranchRow, FinancialPeriodRow, Inquiry, InquiryRow } from './wire-reference.ts';
import type { WritableRecord } from './wrapping.ts';

export interface ReadOptions {
  /** Detail and linked parts, each level named: `['MainContact', 'MainContact/Address']`. What is not named does not come back. */
  readonly expand?: readonly string[];
  /** Fields to bring; absent: all at the top level. Key fields always come. */
  readonly select?: readonly string[];
  /** Form fields outside the contract: `['Document.CuryID']`. */
  readonly custom?: readonly string[];
}

export interface ListOptions<E extends Entity> extends ReadOptions {
  readonly filter?: Filter<E>;
  /** At most this many records in all. */
  readonly top?: number;
}

export interface PutOptions {
  readonly expand?: readonly string[];
  readonly custom?: readonly string[];
}

/**
 * An action that was still running when we stopped waiting, as plain JSON. Its status may be asked in the session that started it only;
 * until it ends, its form refuses other requests.
 */
export type RunningAction = {
  readonly statusUrl: string;
  /** Token generation of the session. */
  readonly generation: number;
  readonly startedAt: string;
};

export interface ActOptions {
  /** Go on waiting for an action that was started earlier. */
  readonly resume?: RunningAction;
  /** Give back the running action rather than wait beyond this instant. Never waits longer than 60 s. */
  readonly deadline?: Date;
}

/** Which endpoints the site serves. */
export type Served = {
  /** `25.201.0213`; absent on older builds, which answer the bare list. */
  readonly build?: string;
  readonly endpoints: readonly { readonly name: string; readonly version: string }[];
};

/** The refresh token's end, as far as the settings tell how long it may live. */
export interface GrantLife {
  readonly hasRefreshToken: boolean;
  /** Nobody can renew the grant beyond this instant without a new consent. */
  readonly endsAt?: Date;
}

/**
 * One tenant of Acumatica. Every call waits its turn in the connection's lane, because a grant is one session.
 *
 * Shapes: rows are unwrapped: texts, booleans, amounts as decimal text, business dates `YYYY-MM-DD`, instants ISO in UTC; absent when empty.
 * Units:  amounts are in the currency of the document.
 * Fails:  CredentialRefused, PermissionMissing, FeatureOff, WrongAddress, RateLimited (with `at`), LaneBusy (with `at`; also while a form is closed by a
 *         running action), VendorUnavailable, Unreachable, LockContention, WriteUncertain (writes), RequestRejected (field errors by path
 *         in `details`), RequestMalformed, ShapeUnexpected.
 * Source: Integration Development Guide (2026 R1), github.com/Acumatica/Acumatica-AI-Resources (read 2026-11-20).
 */
export interface AcumaticaClient {
  /** The record with these keys, in the order of the form: `findByKey('Invoice', ['Credit Memo', 'CM000017'])`. */
  findByKey<E extends Entity>(entity: E, keys: readonly string[], options?: ReadOptions): Promise<RowOf<E> | undefined>;

  /** All records that match, a page of up to 500 at a time, each record once. Not sorted. Pages may be empty. */
  list<E extends Entity>(entity: E, options?: ListOptions<E>): AsyncIterable<readonly RowOf<E>[]>;

  /**
   * Creates or changes the record with the keys or `id` in it; documents without a number are created anew by every call.
   * With `ifMatch` only changes (`condition-failed`: it does not exist), with `ifNoneMatch` only creates (`condition-failed`: it exists).
   * Acumatica drops members it does not know without a word: compare the answer with what was meant.
   */
  put<E extends Entity>(entity: E, record: WritableRecord, options?: PutOptions): Promise<RowOf<E>>;
  put<E extends Entity>(
    entity: E,
    record: WritableRecord,
    options: PutOptions & { readonly ifMatch?: boolean; readonly ifNoneMatch?: boolean },
  ): Promise<RowOf<E> | 'condition-failed'>;

  /** Deletes an unreleased document. */
  remove(entity: Entity, keys: readonly string[]): Promise<'removed' | 'missing'>;

  /**
   * Starts an action, or goes on waiting for one, for at most 60 s. `done` means that nothing runs any more, not that it worked: read the
   * document's Status afterwards. A refusal is thrown.
   */
  act<E extends ActionEntity>(
    entity: E,
    action: ActionOf<E>,
    keys: Readonly<Record<string, string>>,
    options?: ActOptions,
  ): Promise<'done' | RunningAction>;

  /** Rows of an inquiry; `fields` are its filter. */
  inquire<I extends Inquiry>(inquiry: I, fields: WritableRecord): Promise<readonly InquiryRow<I>[]>;

  /** Documents of one type whose marker field has one of these values, in the fewest calls (20 values or 1,800 characters of query each). */
  findMany<E extends 'Invoice' | 'Payment'>(
    entity: E,
    markerField: E extends 'Invoice' ? 'CustomerOrder' : 'PaymentRef',
    values: readonly string[],
    type: string,
    options?: Pick<ReadOptions, 'select'>,
  ): Promise<readonly RowOf<E>[]>;

  /**
   * Present state of documents, 20 per call; missing ones are absent. `type` of a JournalTransaction is its Module. Brings status, amounts,
   * customer and marker.
   */
  readStatus<E extends 'Invoice' | 'Payment' | 'JournalTransaction'>(
    entity: E,
    type: string,
    referenceNbrs: readonly string[],
  ): Promise<readonly RowOf<E>[]>;

  /** Endpoints and build of the site; asked once a day, and again after a 404. */
  discover(): Promise<Served>;

  /** Periods of a financial year: the company's calendar, else the master calendar. Empty when the year was not generated. */
  listPeriods(company: string | undefined, year: string): Promise<readonly FinancialPeriodRow[]>;

  /** Branches of the tenant with their companies. */
  listBranches(): Promise<readonly BranchRow[]>;

  /** How long the grant lasts without a person; makes sure there is a token. */
  fetchGrantLife(): Promise<GrantLife>;

  /** Address, endpoint, grant, rights, branch and currency: what can be said about the connection alone. Never throws. */
  check(): Promise<readonly CheckResult[]>;
}
