import { describe, expect, test } from 'vitest';
import type { FailureKind } from '../../../lib/failures.ts';
import { type Doing, failureOf } from '../../../lib/vendors/acumatica/failures.ts';
import { noEntityError } from './tenant.ts';

const doing: Doing = { what: 'write Invoice', effect: 'write', form: 'Invoices and Memos (AR301000)' };

const httpError = (exceptionType: string, exceptionMessage: string, innerException?: unknown) => ({
  message: 'An error has occurred.',
  exceptionMessage,
  exceptionType,
  stackTrace: '   at PX.Data.PXGraph.Persist() in secret.cs:line 12',
  ...(innerException === undefined ? {} : { innerException }),
});

const recordError = {
  id: 'b6410d82-9476-ef11-8c65-ac198e472cfe',
  rowNumber: 1,
  error: "Inserting  'Invoice' record raised at least one error. Please review the errors.",
  Amount: { value: 100.0 },
  Customer: { value: 'C9999', error: "'Customer' cannot be found in the system." },
  Details: [{ id: 'x', rowNumber: 1, Account: { value: '4OOOO', error: "'Account' cannot be found in the system." }, _links: {} }],
  ReferenceNbr: { value: '<NEW>' },
  _links: {},
};

interface Case {
  readonly name: string;
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly doing?: Partial<Doing>;
  readonly kind: FailureKind;
  readonly says?: RegExp;
  readonly code?: string;
  readonly cause?: string;
}

const cases: readonly Case[] = [
  {
    name: '422 names every field with its path',
    status: 422,
    body: recordError,
    kind: 'RequestRejected',
    says: /^Acumatica refused to write Invoice: Customer: 'Customer' cannot be found in the system\.; Details\[0\]\.Account: 'Account' cannot be found in the system\.$/,
    cause: "acumatica:Customer: 'Customer' cannot be found in the system.",
  },
  {
    name: 'the same shape on an older build is 500',
    status: 500,
    body: recordError,
    kind: 'RequestRejected',
    says: /Details\[0\]\.Account/,
  },
  {
    name: 'a record with one error for the whole',
    status: 422,
    body: { error: 'The document is out of the balance.', ReferenceNbr: { value: '<NEW>' } },
    kind: 'RequestRejected',
    says: /: The document is out of the balance\.$/,
  },
  {
    name: '500 OutcomeEntityHasErrors',
    status: 500,
    body: httpError('PX.Api.ContractBased.OutcomeEntityHasErrorsException', 'Document number <NEW> raised an error.'),
    kind: 'RequestRejected',
    says: /Document number the new document raised an error/,
  },
  {
    name: 'a closed period, so that opening it releases all',
    status: 422,
    body: { PostPeriod: { value: '022026', error: 'The 02-2026 financial period is closed in the ACME company.' } },
    kind: 'RequestRejected',
    cause: 'period:202602',
  },
  {
    name: 'a closed period as plain 500',
    status: 500,
    body: httpError('PX.Data.PXException', 'The 02-2026 financial period of the ACME company is closed in Accounts Receivable.'),
    kind: 'RequestRejected',
    cause: 'period:202602',
  },
  {
    name: 'a padded key in a text',
    status: 422,
    body: { Customer: { value: 'x', error: "'TES2323T  ' cannot be found in the system." } },
    kind: 'RequestRejected',
    says: /'TES2323T' cannot be found/,
  },
  { name: '500 NoEntity', status: 500, body: noEntityError, kind: 'RequestRejected', code: 'NoEntity' },
  {
    name: 'a lock violation as 500',
    status: 500,
    body: httpError('PX.Data.PXLockViolationException', "Another process has added the 'ARInvoice' record. Your changes will be lost."),
    kind: 'LockContention',
  },
  {
    name: 'a lock violation as 422',
    status: 422,
    body: { error: "Another process has updated the 'Customer' record. Your changes will be lost." },
    kind: 'LockContention',
  },
  {
    name: 'a list that cannot be optimized',
    status: 500,
    body: httpError(
      'PX.Data.PXException',
      'Optimization cannot be performed.The following fields cause the error:\r\nApplicationHistory: View ARPost_View has BQL delegate',
    ),
    doing: { effect: 'read' },
    kind: 'RequestMalformed',
    code: 'Optimization',
  },
  {
    name: 'an unknown tenant',
    status: 500,
    body: httpError('PX.Data.PXUndefinedCompanyException', 'A proper company ID cannot be determined for the request.'),
    kind: 'WrongAddress',
  },
  {
    name: 'a wrong password',
    status: 500,
    body: httpError('PX.Data.PXException', 'Error: Invalid credentials. Please try again.'),
    kind: 'CredentialRefused',
  },
  {
    name: 'a form that is not set up',
    status: 500,
    body: httpError(
      'PX.Data.PXSetupNotEnteredException',
      'The required configuration data is not entered on the Accounts Receivable Preferences form.',
    ),
    kind: 'FeatureOff',
  },
  {
    name: 'an exception inside an exception',
    status: 500,
    body: httpError('System.Exception', 'Outer.', httpError('PX.Data.PXSetPropertyException', "'Terms' cannot be empty.")),
    kind: 'RequestRejected',
    says: /Terms' cannot be empty/,
  },
  { name: 'the licence limit as JSON', status: 429, body: { message: 'Too many requests' }, kind: 'RateLimited' },
  { name: 'the licence limit as text', status: 429, body: 'The custom error module does not recognize this error.', kind: 'RateLimited' },
  {
    name: 'too many sessions, whatever the status',
    status: 500,
    body: httpError('PX.Data.PXException', 'API Login Limit'),
    kind: 'RateLimited',
    code: 'ApiLoginLimit',
  },
  { name: 'too many sessions in a text', status: 403, body: 'API Login Limit', kind: 'RateLimited', code: 'ApiLoginLimit' },
  { name: 'a session that ended', status: 401, body: { message: 'Authorization has been denied for this request.' }, kind: 'TokenExpired' },
  {
    name: 'a redirect to the login page of a cookie session',
    status: 302,
    body: '',
    headers: { location: '/acme/Frames/Login.aspx?ReturnUrl=x' },
    doing: { cookies: true },
    kind: 'TokenExpired',
  },
  {
    name: 'a redirect to the error page while reading',
    status: 302,
    body: '<html><body>Object moved</body></html>',
    headers: { location: '/acme/ui/error' },
    doing: { effect: 'read' },
    kind: 'VendorUnavailable',
  },
  {
    name: 'a redirect to the error page while writing',
    status: 302,
    body: '',
    headers: { location: '/acme/ui/error' },
    kind: 'WriteUncertain',
  },
  {
    name: 'a missing right, with the form',
    status: 403,
    body: { message: 'You have insufficient rights to access the object (AR301000).' },
    kind: 'PermissionMissing',
    says: /Invoices and Memos \(AR301000\)/,
  },
  {
    name: 'an optional feature',
    status: 403,
    body: '',
    doing: { form: 'Subaccounts (GL203000)', optionalFeature: 'Subaccounts' },
    kind: 'FeatureOff',
  },
  { name: 'an unknown address', status: 404, body: { message: 'No HTTP resource was found' }, kind: 'WrongAddress', code: 'NotFound' },
  { name: 'a condition that is not met', status: 412, body: '', kind: 'RequestRejected', code: 'ConditionFailed' },
  {
    name: 'an empty body',
    status: 400,
    body: { message: 'The request is invalid.', modelState: { '': ['The request body should not be empty.'] } },
    kind: 'RequestMalformed',
    says: /The request body should not be empty/,
  },
  { name: 'a wrong verb', status: 406, body: '', kind: 'RequestMalformed' },
  { name: 'a missing length', status: 411, body: '<html><h2>Length Required</h2></html>', kind: 'RequestMalformed' },
  {
    name: 'an unknown 500 while writing',
    status: 500,
    body: httpError('System.NullReferenceException', 'Object reference'),
    kind: 'WriteUncertain',
  },
  {
    name: 'an unknown 500 while reading',
    status: 500,
    body: httpError('System.Exception', 'x'),
    doing: { effect: 'read' },
    kind: 'VendorUnavailable',
  },
  {
    name: 'a 500 that is the verdict of an action',
    status: 500,
    body: httpError('PX.Data.PXOperationCompletedWithErrorException', 'AR Error: The document cannot be released.'),
    doing: { effect: 'action-status' },
    kind: 'RequestRejected',
    says: /The document cannot be released/,
  },
  { name: 'a page of a gateway while writing', status: 502, body: '<html><title>Bad Gateway</title></html>', kind: 'WriteUncertain' },
  {
    name: 'a page while the site restarts',
    status: 503,
    body: '<html>Service Unavailable</html>',
    doing: { effect: 'read' },
    kind: 'VendorUnavailable',
  },
];

describe('an answer of Acumatica', () => {
  test.each(cases)('$name is $kind', ({ status, body, headers, doing: more, kind, says, code, cause }) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const failure = failureOf({ status, text, header: (name) => headers?.[name.toLowerCase()] }, { ...doing, ...more });
    expect(failure.kind).toBe(kind);
    if (says) expect(failure.message).toMatch(says);
    if (code) expect(failure.record.code).toBe(code);
    if (cause) expect(failure.record.cause).toBe(cause);
    expect(JSON.stringify(failure.record)).not.toMatch(/<NEW>|secret\.cs|PX\.Data\.PXGraph|<html/);
  });

  test('keeps field errors by path, for flows that know one of them', () => {
    const failure = failureOf({ status: 422, text: JSON.stringify(recordError), header: () => undefined }, doing);
    expect(failure.record.details).toEqual({
      Customer: "'Customer' cannot be found in the system.",
      'Details[0].Account': "'Account' cannot be found in the system.",
    });
  });
});
