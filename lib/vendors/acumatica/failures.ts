import type { HttpAnswer } from '../../contracts/io.ts';
import { Failure, type FailureInput, type FailureKind } from '../../failures.ts';
import { type AnswerErrors, parseAnswerErrors } from './answer-errors.ts';

/** What we were doing when the answer came. */
export interface Doing {
  /** For people: `create an Invoice`, `read the Customer C0001042`. */
  readonly what: string;
  /** `write`: a 5xx leaves the outcome open. `action-status`: the operation has ended and this is its verdict. */
  readonly effect: 'read' | 'write' | 'action-status';
  /** `Invoices and Memos (AR301000)`, to be named when a right is missing. */
  readonly form: string;
  /** Subaccounts are a feature of the site: no access to them usually means that it is off. */
  readonly optionalFeature?: string;
  /** The grant is a login with cookies: a redirect to the login page means that the session ended. */
  readonly cookies?: boolean;
}

/** Codes in `FailureRecord.code` that callers act on. */
export const noEntity = 'NoEntity';
export const optimization = 'Optimization';
export const loginLimit = 'ApiLoginLimit';
export const notFound = 'NotFound';
export const conditionFailed = 'ConditionFailed';

interface Signal {
  readonly status: number;
  readonly location: string;
  readonly errors: AnswerErrors;
  /** Everything said, for matching. */
  readonly said: string;
}

interface Rule {
  readonly when: (signal: Signal, doing: Doing) => boolean;
  readonly gives: (signal: Signal, doing: Doing) => Failure;
}

const anyType = (signal: Signal, name: string): boolean => signal.errors.types.some((type) => type.includes(name));

/** Refusals that arrive as plain 500 on some builds: the text decides, because the status says nothing. */
const businessTexts =
  /financial period[^.]*(is closed|is inactive|does not exist)|out of (the )?balance|cannot be found in the system|cannot be empty|cannot be less than|is inactive\b|PXSetPropertyException/i;

/**
 * First match decides. Status and exception type come before texts, which are in the language of the API user.
 * Source: Integration Development Guide, error topics (2026 R1, read 2026-11-20); recorded traffic of builds 20.2 to 25.2.
 */
const rules: readonly Rule[] = [
  {
    when: ({ said }) => /API Login Limit/i.test(said),
    gives: failure('RateLimited', {
      code: loginLimit,
      cause: 'acumatica:login-limit',
      sentence: () => 'All API sessions of the Acumatica licence are in use.',
      fix: 'Sign out unused API sessions, or use another API user (License Monitoring Console, SM604000). It is tried again by itself.',
    }),
  },
  {
    when: ({ status }) => status === 429,
    gives: failure('RateLimited', {
      cause: 'acumatica:rate',
      sentence: () => 'Acumatica refused the request because the licence limits are reached.',
    }),
  },
  {
    when: ({ status, location }, { cookies }) => status === 401 || (cookies === true && isRedirect(status) && /login/i.test(location)),
    gives: failure('TokenExpired', { sentence: ({ what }) => `Acumatica no longer takes the session while we ${what}.` }),
  },
  {
    when: ({ status }) => status === 403,
    gives: (signal, doing) =>
      doing.optionalFeature === undefined
        ? made('PermissionMissing', signal, doing, {
            cause: `acumatica:permission:${doing.form}`,
            sentence: `The API user has no access to ${doing.form}.`,
            fix: `Give the API user's role access to ${doing.form} (Access Rights by Screen, SM201020), then replay.`,
          })
        : made('FeatureOff', signal, doing, {
            cause: `acumatica:feature:${doing.optionalFeature}`,
            sentence: `${doing.form} is not available: the feature ${doing.optionalFeature} is off, or the API user has no access.`,
            fix: `Switch the feature on (CS100000) or give access to ${doing.form}, if it is used.`,
          }),
  },
  {
    when: ({ status }) => status === 404,
    gives: failure('WrongAddress', { code: notFound, sentence: ({ what }) => `Acumatica knows no such address (${what}).` }),
  },
  {
    when: ({ status }) => status === 412,
    gives: failure('RequestRejected', {
      code: conditionFailed,
      sentence: ({ what }) => `Acumatica did not ${what}: the condition is not met.`,
    }),
  },
  {
    when: (signal) => anyType(signal, 'NoEntitySatisfiesTheCondition'),
    gives: failure('RequestRejected', {
      code: noEntity,
      cause: 'acumatica:missing',
      sentence: ({ what }) => `Acumatica could not ${what}: the record does not exist there.`,
      fix: 'Look whether it was deleted or renumbered in Acumatica, then replay.',
    }),
  },
  {
    when: ({ said }) => /Another process has (added|updated|deleted)/i.test(said),
    gives: failure('LockContention', {
      sentence: ({ what }) => `Somebody else changed the record in Acumatica while we wanted to ${what}.`,
    }),
  },
  {
    when: ({ said }) => /Optimization cannot be performed/i.test(said),
    gives: failure('RequestMalformed', { code: optimization, sentence: ({ what }) => `Acumatica cannot ${what} as a list.` }),
  },
  {
    when: (signal) => anyType(signal, 'PXUndefinedCompany') || /proper company ID cannot be determined/i.test(signal.said),
    gives: failure('WrongAddress', {
      cause: 'acumatica:tenant',
      sentence: () => 'Acumatica does not know the configured tenant.',
      fix: 'Set `tenant` to the name shown on the Tenants form (SM203520).',
    }),
  },
  {
    when: (signal) => signal.status >= 500 && /Invalid credentials/i.test(signal.said),
    gives: failure('CredentialRefused', {
      cause: 'acumatica:credentials',
      sentence: () => 'Acumatica refused user name and password.',
      fix: 'Store the right password. Nothing is tried again before, because repeated tries lock the user.',
    }),
  },
  {
    when: (signal) => anyType(signal, 'PXSetupNotEntered'),
    gives: failure('FeatureOff', {
      cause: 'acumatica:setup',
      sentence: ({ what }) => `Acumatica cannot ${what}: a set-up form is not filled in.`,
      fix: 'Fill in the form that Acumatica names, then replay.',
    }),
  },
  {
    when: ({ status, errors }) =>
      status === 422 ||
      (status >= 400 && status < 600 && (errors.fields.size > 0 || errors.types.some((type) => type.includes('OutcomeEntityHasErrors')))),
    gives: rejected,
  },
  {
    when: ({ status, said }) => status === 500 && businessTexts.test(said),
    gives: rejected,
  },
  { when: ({ status }) => status === 400 || status === 405 || status === 406 || status === 411 || status === 415, gives: malformed },
  {
    when: ({ status, errors }, { effect }) => effect === 'action-status' && status === 500 && errors.json && errors.message !== '',
    gives: rejected,
  },
];

/** The failure of an answer that is not a success. `at` of a RateLimited is the caller's to add. */
export function failureOf(answer: Pick<HttpAnswer, 'status' | 'text' | 'header'>, doing: Doing): Failure {
  const errors = parseAnswerErrors(answer.text);
  const said = [...errors.fields.values(), errors.message, ...errors.types].join(' ').trim();
  const signal: Signal = { status: answer.status, location: answer.header('location') ?? '', errors, said };
  const rule = rules.find(({ when }) => when(signal, doing));
  if (rule) return rule.gives(signal, doing);
  if (answer.status >= 400 && answer.status < 500) return malformed(signal, doing);
  if (doing.effect === 'write')
    return made('WriteUncertain', signal, doing, {
      sentence: `Acumatica answered ${answer.status} while we wanted to ${doing.what}: it may or may not have happened.`,
    });
  return made('VendorUnavailable', signal, doing, {
    sentence: `Acumatica is not available (${answer.status}${isRedirect(answer.status) ? ', redirected to a page' : ''}) while we ${doing.what}.`,
  });
}

/**
 * The failure of a token or login answer. Whatever says something about a record there must not reach a caller who asked for one: "no such
 * record" would be taken for an answer and make a second document. Nothing of the answer is kept, because it may repeat what was sent.
 */
export function sessionFailure(answer: Pick<HttpAnswer, 'status' | 'text' | 'header'>): Failure {
  const { kind, record } = failureOf(answer, { what: 'sign in', effect: 'read', form: 'the API' });
  const { cause, sentence, fix } = record;
  const code = record.code === loginLimit ? loginLimit : String(answer.status);
  if (kind === 'RateLimited' || kind === 'CredentialRefused' || kind === 'WrongAddress')
    return new Failure(kind, { code, cause, sentence, ...(fix === undefined ? {} : { fix }) });
  if (answer.status === 400 || answer.status === 401 || answer.status === 403)
    return new Failure('CredentialRefused', {
      code,
      cause: 'acumatica:credentials',
      sentence: `Acumatica gave no session (${answer.status}).`,
      fix: 'Compare the stored credentials with the connected application (SM303010) and the API user.',
    });
  return new Failure('VendorUnavailable', { code, sentence: `Acumatica gave no session (${answer.status}).` });
}

const isRedirect = (status: number): boolean => status >= 300 && status < 400;

interface Template extends Omit<FailureInput, 'sentence'> {
  readonly sentence: (doing: Doing) => string;
}

function failure(kind: FailureKind, template: Template): Rule['gives'] {
  return (signal, doing) => made(kind, signal, doing, { ...template, sentence: template.sentence(doing) });
}

function made(kind: FailureKind, signal: Signal, _doing: Doing, input: FailureInput): Failure {
  const said = signal.errors.message === '' ? [...signal.errors.fields.values()].join(' ') : signal.errors.message;
  return new Failure(kind, { code: String(signal.status), ...(said === '' ? {} : { said }), ...input });
}

/** Every field error with its path; the text for the record as a whole only says that there are errors. */
function rejected(signal: Signal, doing: Doing): Failure {
  const named = [...signal.errors.fields].filter(([path]) => path !== '');
  const whole = signal.errors.fields.get('');
  const texts = named.length > 0 ? named.map(([path, text]) => `${path}: ${text}`) : [whole ?? signal.errors.message];
  const sentence = texts.filter((text) => text !== '').join('; ') || `status ${signal.status}`;
  return made('RequestRejected', signal, doing, {
    cause: rejectionCause(named, sentence),
    sentence: `Acumatica refused to ${doing.what}: ${ended(sentence)}`,
    fix: 'Correct what Acumatica names, there or in the settings, then replay.',
    said: [...(whole === undefined ? [] : [whole]), ...texts.filter((text) => text !== whole)].join('; '),
    ...(named.length === 0 ? {} : { details: Object.fromEntries(named) }),
  });
}

/** `period:202602` where a period is named, so that opening it releases every document; else the first field with its text. */
function rejectionCause(named: readonly (readonly [string, string])[], sentence: string): string {
  const period = /\b(\d{2})-(\d{4}) financial period\b[^.]*(closed|inactive)/i.exec(sentence);
  if (period) return `period:${period[2]}${period[1]}`;
  const [first] = named;
  if (!first) return `acumatica:${sentence.slice(0, 120)}`;
  return `acumatica:${first[0].replaceAll(/\[\d+\]/g, '')}: ${first[1]}`.slice(0, 160);
}

function malformed(signal: Signal, doing: Doing): Failure {
  return made('RequestMalformed', signal, doing, {
    cause: `acumatica:malformed:${doing.form}`,
    sentence: `Acumatica could not read our request (${signal.status}) to ${doing.what}${signal.said === '' ? '.' : `: ${ended(signal.errors.message || signal.said)}`}`,
    fix: 'This is a defect of ml-connector: send the audit entry to the maintainers.',
  });
}

const ended = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
