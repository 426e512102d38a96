/**
 * The closed list of what can go wrong. A failure crosses queues and tables only as its `FailureRecord`, never as a stringified Error,
 * so that its kind, and with it what happens next, survives every process boundary.
 */

export type FailureKind =
  | 'CredentialRefused' // the vendor refuses the token or password
  | 'PermissionMissing' // the user may not see or change this
  | 'FeatureOff' // a module is not switched on at the customer
  | 'WrongAddress' // endpoint version, company or tenant does not exist there
  | 'RateLimited' // told to wait; carries `at`
  | 'LaneBusy' // another worker holds the connection's single session; carries `at`
  | 'VendorUnavailable' // 5xx, maintenance, an HTML page instead of an answer
  | 'Unreachable' // no connection at all
  | 'TokenExpired' // the vendor no longer takes a token that was good; once more with a new one
  | 'LockContention' // the vendor refused because somebody else changed the record at the same moment
  | 'WriteUncertain' // the answer to a write is lost: it may or may not have happened
  | 'RequestRejected' // understood and refused: closed period, unknown account, invalid value
  | 'RequestMalformed' // the vendor could not read our request: our defect
  | 'MappingMissing' // a table has no row for a value
  | 'NeedsPerson' // several candidates, a conflict, a policy says a person decides
  | 'DependencyMissing' // a record this one refers to is not here yet
  | 'ConditionPending' // a state somewhere else must change first: an approval, a release
  | 'ShapeUnexpected' // the vendor's answer does not fit what its documents say
  | 'RecordGone' // deleted between the notice and the read
  | 'SignatureRejected' // a webhook that is not proven to come from the vendor
  | 'WebhookUnknown' // a proven webhook that names nothing we move
  | 'ConfigurationInvalid' // connector.yaml, a mapping table, a command
  | 'StoreUnavailable' // a table, queue or secret store of ours did not do its work: nothing was decided
  | 'LeaseLost' // another worker took the record over: this one must stop writing
  | 'Defect'; // an assertion of ours broke

/** The four dispositions of every failure, and `ends` for what needs nothing more. */
export type Disposition = 'retryable' | 'waiting' | 'held' | 'broken' | 'ends';

export type Actor = 'us' | 'customer' | 'vendor' | 'nobody';

/** What is stored and shown. Sentences, not codes; no secret, no personal data beyond record numbers and names of fields. */
export interface FailureRecord {
  readonly kind: FailureKind;
  /** One stable phrase that groups equal causes: `account-map:EU Usage`, `period:202602`. Fixing it releases all of them. */
  readonly cause: string;
  /** What happened, for finance: which document, which field, what they said. */
  readonly sentence: string;
  /** What a person can do about it; absent when nothing needs doing. */
  readonly fix?: string;
  readonly actor: Actor;
  /** The vendor's own code and words, cut and redacted. */
  readonly code?: string;
  readonly said?: string;
  /** Not before this instant (ISO, UTC): RateLimited, LaneBusy, ConditionPending, automatic release of some holds. */
  readonly at?: string;
  /** `refText` of the record that must be here first (DependencyMissing). */
  readonly dependency?: string;
  /** Candidates, both values of a conflict, sent and got of a verification. */
  readonly details?: Readonly<Record<string, string>>;
}

export interface FailureInput extends Omit<FailureRecord, 'actor' | 'cause' | 'kind' | 'at'> {
  readonly cause?: string;
  readonly actor?: Actor;
  readonly at?: Date;
  /** The Error below, for logs only. */
  readonly error?: unknown;
}

const rules: Readonly<Record<FailureKind, { readonly actor: Actor; readonly disposition: Disposition }>> = {
  CredentialRefused: { actor: 'customer', disposition: 'broken' },
  PermissionMissing: { actor: 'customer', disposition: 'held' },
  FeatureOff: { actor: 'customer', disposition: 'held' },
  WrongAddress: { actor: 'customer', disposition: 'broken' },
  RateLimited: { actor: 'nobody', disposition: 'retryable' },
  LaneBusy: { actor: 'nobody', disposition: 'retryable' },
  VendorUnavailable: { actor: 'vendor', disposition: 'retryable' },
  Unreachable: { actor: 'customer', disposition: 'retryable' },
  TokenExpired: { actor: 'nobody', disposition: 'retryable' },
  LockContention: { actor: 'nobody', disposition: 'retryable' },
  WriteUncertain: { actor: 'us', disposition: 'retryable' },
  RequestRejected: { actor: 'customer', disposition: 'held' },
  RequestMalformed: { actor: 'us', disposition: 'held' },
  MappingMissing: { actor: 'customer', disposition: 'held' },
  NeedsPerson: { actor: 'customer', disposition: 'held' },
  DependencyMissing: { actor: 'nobody', disposition: 'waiting' },
  ConditionPending: { actor: 'customer', disposition: 'waiting' },
  ShapeUnexpected: { actor: 'us', disposition: 'held' },
  RecordGone: { actor: 'nobody', disposition: 'ends' },
  SignatureRejected: { actor: 'us', disposition: 'ends' },
  WebhookUnknown: { actor: 'nobody', disposition: 'ends' },
  ConfigurationInvalid: { actor: 'customer', disposition: 'broken' },
  StoreUnavailable: { actor: 'us', disposition: 'retryable' },
  LeaseLost: { actor: 'nobody', disposition: 'ends' },
  Defect: { actor: 'us', disposition: 'held' },
};

/** Longest text of a vendor that is kept: enough to act on, too short to smuggle a document into the log. */
const keptCharacters = 600;

export class Failure extends Error {
  readonly kind: FailureKind;
  readonly record: FailureRecord;

  constructor(kind: FailureKind, input: FailureInput) {
    super(input.sentence, input.error === undefined ? undefined : { cause: input.error });
    this.name = kind;
    this.kind = kind;
    const { error: _error, at, cause, actor, said, ...rest } = input;
    this.record = {
      ...rest,
      kind,
      cause: cause ?? kind,
      actor: actor ?? rules[kind].actor,
      ...(said === undefined ? {} : { said: said.slice(0, keptCharacters) }),
      ...(at === undefined ? {} : { at: at.toISOString() }),
    };
  }

  get disposition(): Disposition {
    return dispositionOf(this.record);
  }

  /** A failure that came back from a queue or a table. */
  static from(record: FailureRecord): Failure {
    const { kind, actor, at, ...rest } = record;
    return new Failure(kind, { ...rest, actor, ...(at === undefined ? {} : { at: new Date(at) }) });
  }
}

export function dispositionOf(record: FailureRecord): Disposition {
  return rules[record.kind].disposition;
}

/** Whatever was thrown, as a Failure: an Error of ours that is not one is a Defect, with its message only in `said`. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return new Failure('Defect', {
    sentence: 'ml-connector stopped at a state it does not expect; nothing more was written for this record.',
    fix: 'Replay the record; if it stops again, send the audit entry to the maintainers.',
    said: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown),
    error: thrown,
  });
}

/** A hold that a person releases: `hold('account-map:EU Usage', 'Accounting code …', 'Add it to accountMap …')`. */
export function hold(cause: string, sentence: string, fix: string, more: Partial<FailureInput> = {}): Failure {
  return new Failure('NeedsPerson', { ...more, cause, sentence, fix });
}
