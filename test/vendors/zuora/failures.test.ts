import { describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../../lib/contracts/io.ts';
import type { FailureKind } from '../../../lib/failures.ts';
import { bodyOf, failureOf, isSuccess, retryInstant } from '../../../lib/vendors/zuora/failures.ts';

const now = new Date('2026-03-02T12:00:00Z');

function answerOf(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, text, header: (name) => headers[name.toLowerCase()] };
}

const judged = (answer: HttpAnswer, effect: 'read' | 'write' = 'read') =>
  failureOf(answer, { doing: 'read invoices', effect, host: 'rest.na.zuora.com' }, () => retryInstant(answer, now, 0.5));

const reasons = (code: string | number, message = 'words') => ({
  success: false,
  processId: '5F3A',
  reasons: [{ code, message }],
  requestId: 'b1c2',
});

interface Row {
  readonly what: string;
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly read: FailureKind;
  /** When a write is judged otherwise. */
  readonly write?: FailureKind;
}

const table: readonly Row[] = [
  // v1, every category
  { what: 'no permission', status: 403, body: reasons(53100010), read: 'PermissionMissing' },
  { what: 'authentication, code as number', status: 401, body: reasons(90000011), read: 'TokenExpired' },
  { what: 'authentication, code as text', status: 401, body: reasons('90000011'), read: 'TokenExpired' },
  { what: 'authentication without success', status: 401, body: { reasons: [{ code: 90000011, message: 'x' }] }, read: 'TokenExpired' },
  { what: 'invalid value', status: 400, body: reasons(53100320), read: 'RequestRejected' },
  { what: 'unknown field', status: 400, body: reasons(53100321), read: 'RequestRejected' },
  { what: 'missing field', status: 400, body: reasons(53100322), read: 'RequestRejected' },
  { what: 'missing query parameter', status: 400, body: reasons(53100323), read: 'RequestMalformed' },
  { what: 'business rule', status: 400, body: reasons(53100330), read: 'RequestRejected' },
  { what: 'not found', status: 404, body: reasons(50000040, "Cannot find entity by key: 'X'."), read: 'RecordGone' },
  { what: 'unsupported media', status: 415, body: reasons(53100345), read: 'RequestMalformed' },
  { what: 'lock contention', status: 409, body: reasons(53100350), read: 'LockContention' },
  { what: 'internal error', status: 500, body: reasons(53100360), read: 'VendorUnavailable', write: 'WriteUncertain' },
  { what: 'temporary error', status: 500, body: reasons(53100361), read: 'VendorUnavailable' },
  { what: 'limit exceeded', status: 429, body: reasons(53100370), read: 'RateLimited' },
  { what: 'malformed request', status: 400, body: reasons(53100390), read: 'RequestMalformed' },
  { what: 'integration error', status: 500, body: reasons(53100399), read: 'VendorUnavailable', write: 'WriteUncertain' },
  // older versions: HTTP 200
  { what: 'business rule at 200', status: 200, body: reasons(53100330), read: 'RequestRejected' },
  { what: 'lock contention at 200', status: 200, body: reasons(53100350), read: 'LockContention' },
  { what: 'not found at 200', status: 200, body: reasons(50000040), read: 'RecordGone' },
  { what: 'expired token at 200', status: 200, body: reasons(90000011), read: 'TokenExpired' },
  { what: 'integration error at 200', status: 200, body: reasons(53100399), read: 'VendorUnavailable', write: 'WriteUncertain' },
  { what: 'refused without reasons', status: 200, body: { success: false }, read: 'RequestRejected' },
  // object query
  {
    what: 'bad query parameter',
    status: 400,
    body: { reasons: [{ code: '60000027', message: 'type' }], requestId: 'r' },
    read: 'RequestMalformed',
  },
  {
    what: 'object query refused at 200',
    status: 200,
    body: { reasons: [{ code: '60000027', message: 'type' }] },
    read: 'RequestMalformed',
  },
  // throttling
  { what: 'rate limit, plain 70', status: 429, body: { reasons: [{ code: 70, message: 'API Rate limit exceeded' }] }, read: 'RateLimited' },
  { what: 'concurrency', status: 429, body: reasons(50000070), headers: { 'retry-after': '120' }, read: 'RateLimited' },
  // CRUD and Actions
  {
    what: 'CRUD invalid value',
    status: 400,
    body: { Success: false, Errors: [{ Code: 'INVALID_VALUE', Message: 'm' }] },
    read: 'RequestRejected',
  },
  {
    what: 'CRUD at 200',
    status: 200,
    body: { Success: false, Errors: [{ Code: 'MISSING_REQUIRED_VALUE', Message: 'm' }] },
    read: 'RequestRejected',
  },
  { what: 'CRUD missing object', status: 404, body: { records: {}, size: 0, done: true }, read: 'RecordGone' },
  {
    what: 'Actions partial success',
    status: 200,
    body: [
      { Success: true, Id: '8ad0' },
      { Success: false, Errors: [{ Code: 'LOCK_COMPETITION', Message: 'm' }] },
    ],
    read: 'LockContention',
  },
  { what: 'ZOQL fault', status: 400, body: { FaultCode: 'INVALID_FIELD', FaultMessage: 'No such field' }, read: 'RequestMalformed' },
  { what: 'ZOQL expired session', status: 400, body: { FaultCode: 'INVALID_SESSION', FaultMessage: 'm' }, read: 'TokenExpired' },
  {
    what: 'Actions client error',
    status: 400,
    body: { code: 'ClientError', message: "Invalid action 'query1'" },
    read: 'RequestMalformed',
  },
  { what: 'Actions bare message', status: 400, body: { message: 'Error - unrecognised fields' }, read: 'RequestMalformed' },
  { what: 'Actions authentication', status: 401, body: { message: 'Failed to get user info' }, read: 'TokenExpired' },
  // bulk
  {
    what: 'bulk with one refused entry under success true',
    status: 200,
    body: {
      success: true,
      invoices: [
        { success: true, id: 'a' },
        { success: false, id: 'b', errors: [{ code: '58490030', message: 'posted' }] },
      ],
    },
    read: 'RequestRejected',
  },
  // notifications, events, Data Query
  {
    what: 'notification constraint',
    status: 400,
    body: { code: 'ConstraintViolated', message: 'other EventType' },
    read: 'RequestRejected',
  },
  {
    what: 'event trigger field',
    status: 400,
    body: { reasons: [{ code: 'MissingRequiredField', message: 'eventType is missing' }] },
    read: 'RequestRejected',
  },
  { what: 'event trigger gone', status: 404, body: { reasons: [{ code: 'ObjectNotFound', message: 'm' }] }, read: 'RecordGone' },
  { what: 'Data Query restricted', status: 403, body: { code: 1009, message: 'Access denied' }, read: 'PermissionMissing' },
  { what: 'Data Query job gone', status: 404, body: { code: 1001, message: 'No such query' }, read: 'RecordGone' },
  // gateway
  { what: 'no route', status: 404, body: { message: 'no Route matched with those values' }, read: 'FeatureOff' },
  { what: 'HTML 502', status: 502, body: '<html>Bad Gateway</html>', read: 'VendorUnavailable', write: 'WriteUncertain' },
  { what: 'empty 504', status: 504, body: '', read: 'VendorUnavailable', write: 'WriteUncertain' },
  { what: 'HTML 200', status: 200, body: '<!DOCTYPE html><html></html>', read: 'VendorUnavailable', write: 'WriteUncertain' },
  { what: 'redirect', status: 302, body: '', read: 'VendorUnavailable', write: 'WriteUncertain' },
  // idempotency
  { what: 'same key still in progress', status: 409, body: { message: 'in progress' }, read: 'LockContention', write: 'WriteUncertain' },
  { what: 'bare 409', status: 409, body: '', read: 'LockContention', write: 'WriteUncertain' },
  { what: 'key of another request', status: 422, body: { message: 'Idempotency key reused' }, read: 'RequestMalformed' },
  { what: 'unknown code', status: 400, body: reasons('99'), read: 'RequestMalformed' },
  { what: 'an answer that was cut off', status: 200, body: '{"data":[{"id":', read: 'VendorUnavailable', write: 'WriteUncertain' },
];

describe('what a refusal of Zuora means', () => {
  test.each(table)('$what ($status)', ({ status, body, headers, read, write }) => {
    const answer = answerOf(status, body, headers);
    if (bodyOf(answer) !== undefined) expect(isSuccess(answer, bodyOf(answer))).toBe(false);
    expect(judged(answer, 'read').kind).toBe(read);
    expect(judged(answer, 'write').kind).toBe(write ?? read);
  });

  test('a sentence says what was asked and what they said, and keeps code and request id', () => {
    const failure = judged(
      answerOf(
        400,
        {
          success: false,
          reasons: [
            { code: 53100330, message: 'Period is closed.' },
            { code: 53100320, message: 'Bad value.' },
          ],
        },
        { 'zuora-request-id': 'b1c2' },
      ),
    );
    expect(failure.message).toBe('Zuora refused to read invoices (“Period is closed. · Bad value.”).');
    expect(failure.record).toMatchObject({
      code: '53100330, 53100320',
      said: 'Period is closed. · Bad value.',
      details: { requestId: 'b1c2' },
    });
    expect(failure.record.fix).toBeTruthy();
  });

  test.each([
    ['a plain success', 200, { success: true, id: 'x' }],
    ['a list without success', 200, { data: [{ id: 'x', success: undefined }] }],
    ['created', 201, { id: 'x' }],
    ['an array of successes', 200, [{ Success: true, Id: 'x' }]],
    ['a completed idempotent request replayed as 409', 409, { success: true, orderNumber: 'O-1' }],
    ['an asynchronous job whose errors are told apart', 200, { success: true, status: 'Failed', errors: '[40000050] lock' }],
  ])('%s is no refusal', (_what, status, body) => {
    expect(isSuccess(answerOf(status, body), body)).toBe(true);
  });
});

describe('when to come back after a 429', () => {
  test.each([
    ['Retry-After in seconds', { 'retry-after': '120', 'ratelimit-reset': '7' }, '', 120],
    ['Retry-After as a date', { 'retry-after': 'Mon, 02 Mar 2026 12:01:30 GMT' }, '', 90],
    ['Retry-After in the past', { 'retry-after': 'Mon, 02 Mar 2026 11:00:00 GMT' }, '', 1],
    ['ratelimit-reset', { 'ratelimit-reset': '1200' }, '', 1200],
    [
      'the number in the text',
      {},
      '{"reasons":[{"code":70,"message":"API Rate limit exceeded for the minute, retry after 600 seconds"}]}',
      600,
    ],
    ['nothing at all', {}, '', 45],
    ['an unreadable Retry-After', { 'retry-after': 'soon', 'ratelimit-reset': '9' }, '', 9],
    ['zero', { 'retry-after': '0' }, '', 1],
  ])('%s', (_what, headers, body, seconds) => {
    expect((retryInstant(answerOf(429, body, headers), now, 0.5).getTime() - now.getTime()) / 1000).toBe(seconds);
  });
});
