import type { HttpAnswer } from '../../contracts/io.ts';
import { Failure, type FailureKind } from '../../failures.ts';
import { parseJson } from '../../values/json.ts';

/*
 * Zuora refuses in many shapes: reasons with eight-digit codes (v1), reasons without `success` (object query, throttling), Success/Errors
 * (CRUD; an array of them for Actions), FaultCode (ZOQL), code and message (notifications, Data Query), a bare message (authentication), HTML
 * (gateway). They are first read into one form, then judged.
 * Source: https://developer.zuora.com/v1-api-reference/error-handling/section_error_codes/ (read 2026-01-20)
 */

export interface Reason {
  readonly code?: string;
  readonly message: string;
}

export interface Asked {
  /** For people, after "refused to": `read invoices`, `mark invoice 8ad0… as transferred`. */
  readonly doing: string;
  readonly effect: 'read' | 'write';
  readonly host: string;
}

type Members = Readonly<Record<string, unknown>>;

/** The JSON of an answer; undefined when it is empty, HTML or cut off. */
export function bodyOf(answer: HttpAnswer): unknown {
  try {
    return parseJson(answer.text);
  } catch {
    return undefined;
  }
}

/** The refusals in a body, whatever its shape; empty when it holds none. An array (Actions) is refused as soon as one element is. */
export function refusalsIn(body: unknown): readonly Reason[] {
  if (Array.isArray(body)) return body.flatMap((element: unknown) => refusalsIn(element));
  if (!isMembers(body)) return [];
  const reasons = [...reasonsIn(body['reasons']), ...reasonsIn(body['Errors']), ...reasonsIn(body['errors'])];
  if (typeof body['FaultCode'] === 'string') return [{ code: body['FaultCode'], message: textOf(body['FaultMessage']) }];
  const refused = body['success'] === false || body['Success'] === false;
  if (refused || (body['success'] === undefined && body['Success'] === undefined && body['reasons'] !== undefined))
    return reasons.length > 0 ? reasons : [{ message: textOf(body['message']) }];
  // Bulk answers say `success: true` above entries of which some say false.
  return Object.values(body).flatMap((member) =>
    Array.isArray(member)
      ? member.filter((entry) => isMembers(entry) && entry['success'] === false).flatMap((entry: unknown) => refusalsIn(entry))
      : [],
  );
}

/** Success is a 2xx status and a whole JSON body without a refusal; or no body, where none is needed. */
export function isSuccess(answer: HttpAnswer, body: unknown): boolean {
  if (answer.status === 409 && isMembers(body) && body['success'] === true) return true; // a completed idempotent request, replayed
  const readable = body !== undefined || answer.text.trim() === '';
  return answer.status >= 200 && answer.status < 300 && readable && !isPage(answer) && refusalsIn(body).length === 0;
}

const isPage = (answer: HttpAnswer): boolean =>
  /text\/html/i.test(answer.header('content-type') ?? '') || /^\s*<(!doctype|html|\?xml)/i.test(answer.text);

/**
 * What a refusal means. The true HTTP status counts first; at 200 (older versions, Actions) the code decides.
 * `retryAt` is asked for the instant only when we were throttled.
 */
export function failureOf(answer: HttpAnswer, asked: Asked, retryAt: () => Date): Failure {
  const body = bodyOf(answer);
  const found = refusalsIn(body);
  const reasons = found.length > 0 ? found : looseReason(body);
  const kind = kindOf(answer, reasons, asked.effect);
  const said = reasons
    .map((reason) => reason.message)
    .filter((message) => message !== '')
    .join(' · ');
  const codes = reasons.flatMap((reason) => reason.code ?? []).join(', ');
  const quoted = said === '' ? '' : ` (“${said}”)`;
  const words = sentences[kind] ?? fallback;
  const request = requestIdOf(answer, body);
  return new Failure(kind, {
    cause: causeOf(kind, asked),
    sentence: words.sentence(asked, quoted, answer.status),
    ...(words.fix === undefined ? {} : { fix: words.fix(asked) }),
    ...(codes === '' ? { code: `HTTP ${answer.status}` } : { code: codes }),
    ...(said === '' ? {} : { said }),
    ...(kind === 'RateLimited' ? { at: retryAt() } : {}),
    ...(request === undefined ? {} : { details: { requestId: request } }),
  });
}

function kindOf(answer: HttpAnswer, reasons: readonly Reason[], effect: Asked['effect']): FailureKind {
  const { status } = answer;
  const category = reasons.map((reason) => categoryOf(reason.code)).find((found) => found !== undefined);
  if (status === 429 || category === '70') return 'RateLimited';
  if (status === 401) return 'TokenExpired';
  if (category === '50') return 'LockContention';
  if (status === 403) return 'PermissionMissing';
  if (reasons.some((reason) => /no Route matched/i.test(reason.message))) return 'FeatureOff';
  if (status === 409) return effect === 'write' ? 'WriteUncertain' : 'LockContention';
  const temporary = effect === 'write' ? 'WriteUncertain' : 'VendorUnavailable';
  if (category === '61') return 'VendorUnavailable'; // "temporary error": refused before anything happened
  if (status >= 500 || isPage(answer) || (status >= 300 && status < 400) || status === 408) return temporary;
  if (category !== undefined) return byCategory[category] ?? (category === '60' || category === '99' ? temporary : 'RequestRejected');
  if (status === 404) return 'RecordGone';
  if (status === 400 || status === 405 || status === 406 || status === 415 || status === 422) return 'RequestMalformed';
  // A 2xx without a refusal in it: the body is missing or was cut off on its way.
  return status >= 200 && status < 300 && reasons.length === 0 ? temporary : 'RequestRejected';
}

/** The last two of eight digits. Source: https://developer.zuora.com/v1-api-reference/error-handling/section_error_codes/ (read 2026-01-20) */
const byCategory: Readonly<Record<string, FailureKind>> = {
  '10': 'PermissionMissing',
  '11': 'TokenExpired',
  '20': 'RequestRejected',
  '21': 'RequestRejected',
  '22': 'RequestRejected',
  '23': 'RequestMalformed',
  '27': 'RequestMalformed',
  '30': 'RequestRejected',
  '40': 'RecordGone',
  '45': 'RequestMalformed',
  '90': 'RequestMalformed',
};

/** Codes in words: CRUD, Actions, ZOQL, notifications. */
const categoryByWord: Readonly<Record<string, string>> = {
  INVALID_SESSION: '11',
  INVALID_LOGIN: '11',
  INVALID_VALUE: '20',
  INVALID_ID: '20',
  DUPLICATE_VALUE: '30',
  CANNOT_DELETE: '30',
  MISSING_REQUIRED_VALUE: '22',
  INVALID_FIELD: '27',
  INVALID_TYPE: '27',
  MALFORMED_QUERY: '27',
  INVALID_VERSION: '45',
  CLIENTERROR: '90',
  LOCK_COMPETITION: '50',
  REQUEST_EXCEEDED_LIMIT: '70',
  REQUEST_EXCEEDED_RATE: '70',
  SERVER_UNAVAILABLE: '61',
  API_DISABLED: '61',
  TEMPORARY_ERROR: '61',
  UNKNOWN_ERROR: '60',
  TRANSACTION_FAILED: '60',
  TRANSACTION_TIMEOUT: '60',
  OBJECTNOTFOUND: '40',
  CONSTRAINTVIOLATED: '30',
  FIELDCONSTRAINTVIOLATION: '20',
  MISSINGREQUIREDFIELD: '22',
  SYSTEMERROR: '60',
};

function categoryOf(code: string | undefined): string | undefined {
  if (code === undefined) return undefined;
  if (code === '70') return '70'; // the rate limit has a plain 70
  if (/^\d{8}$/.test(code)) return code.slice(-2);
  return categoryByWord[code.toUpperCase()];
}

/** `{code, message}` and `{message}` carry no mark of refusal: they are only read once the status said so. */
function looseReason(body: unknown): readonly Reason[] {
  if (!isMembers(body) || body['message'] === undefined) return [];
  const { code } = body;
  return [{ ...(typeof code === 'string' || typeof code === 'number' ? { code: String(code) } : {}), message: textOf(body['message']) }];
}

function reasonsIn(list: unknown): readonly Reason[] {
  if (!Array.isArray(list)) return typeof list === 'string' && list !== '' ? [{ message: list }] : [];
  return list.flatMap((entry: unknown): Reason[] => {
    if (!isMembers(entry)) return typeof entry === 'string' ? [{ message: entry }] : [];
    const code = entry['code'] ?? entry['Code'];
    return [
      {
        ...(typeof code === 'string' || typeof code === 'number' ? { code: String(code) } : {}),
        message: textOf(entry['message'] ?? entry['Message']),
      },
    ];
  });
}

function requestIdOf(answer: HttpAnswer, body: unknown): string | undefined {
  const named = isMembers(body) ? (body['requestId'] ?? body['processId']) : undefined;
  return answer.header('zuora-request-id') ?? (typeof named === 'string' ? named : undefined);
}

function causeOf(kind: FailureKind, asked: Asked): string {
  if (kind === 'PermissionMissing' || kind === 'FeatureOff') return `${kind}:zuora:${asked.doing}`;
  return `${kind}:zuora`;
}

interface Words {
  sentence(asked: Asked, quoted: string, status: number): string;
  fix?(asked: Asked): string;
}

const fallback: Words = {
  sentence: (asked, quoted, status) => `Zuora refused to ${asked.doing}${quoted === '' ? ` with status ${status}` : quoted}.`,
  fix: () => 'Correct what Zuora names, then replay the record.',
};

const sentences: Partial<Readonly<Record<FailureKind, Words>>> = {
  RateLimited: {
    sentence: (asked, quoted) =>
      `Zuora asked us to wait before we ${asked.doing}${quoted}. All work on this connection goes on by itself afterwards.`,
  },
  TokenExpired: { sentence: (asked, quoted) => `Zuora no longer takes the token with which we tried to ${asked.doing}${quoted}.` },
  PermissionMissing: {
    sentence: (asked, quoted) => `The role of the Zuora API user may not ${asked.doing}${quoted}.`,
    fix: () => 'In Zuora, give the role of the API user this permission (Settings, Administration, Manage User Roles); then replay.',
  },
  FeatureOff: {
    sentence: (asked, quoted) => `Zuora does not offer the API to ${asked.doing} in this tenant${quoted}.`,
    fix: () => 'Ask Zuora support to switch the feature on, or switch the flow off in connector.yaml.',
  },
  LockContention: {
    sentence: (asked, quoted) =>
      `Zuora was changing the same record when we tried to ${asked.doing}${quoted}. It is tried again by itself.`,
  },
  VendorUnavailable: {
    sentence: (asked, quoted, status) => `Zuora did not manage to ${asked.doing} (status ${status})${quoted}. It is tried again by itself.`,
  },
  WriteUncertain: {
    sentence: (asked, quoted, status) =>
      `Zuora gave no clear answer when asked to ${asked.doing} (status ${status})${quoted}: it may or may not have happened. We look before writing again.`,
  },
  RecordGone: { sentence: (asked, quoted) => `Zuora has nothing there to ${asked.doing}${quoted}.` },
  RequestMalformed: {
    sentence: (asked, quoted, status) => `Zuora could not read our request to ${asked.doing} (status ${status})${quoted}.`,
    fix: () => 'This is a defect of ml-connector: send the audit entry to its maintainers.',
  },
};

/**
 * When to come back after a 429: `Retry-After` (seconds or a date), else `ratelimit-reset` (seconds), else the number in the text, else half
 * a minute to a minute. `roll` in [0, 1) spreads workers that were refused together.
 * Source: https://developer.zuora.com/docs/guides/rate-limits/ (read 2026-01-20; its sample has no Retry-After, the tutorial says always)
 */
export function retryInstant(answer: HttpAnswer, now: Date, roll: number): Date {
  const after = answer.header('retry-after')?.trim();
  if (after !== undefined && /^\d+$/.test(after)) return later(now, Number(after));
  const date = after === undefined ? Number.NaN : Date.parse(after);
  if (!Number.isNaN(date)) return new Date(Math.max(date, now.getTime() + 1000));
  const reset = answer.header('ratelimit-reset')?.trim();
  if (reset !== undefined && /^\d+$/.test(reset)) return later(now, Number(reset));
  const told = /retry after (\d+) ?s/i.exec(answer.text)?.[1];
  return later(now, told === undefined ? 30 + roll * 30 : Number(told));
}

const later = (now: Date, seconds: number): Date => new Date(now.getTime() + Math.min(Math.max(seconds, 1), 86_400) * 1000);

function isMembers(value: unknown): value is Members {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
