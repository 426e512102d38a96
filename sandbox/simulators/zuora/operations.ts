import { queryObjects } from './query-objects.ts';

/** Every call the tenant serves. Old and new spellings of memo paths are one operation. */
const served: readonly string[] = [
  'POST /oauth/token',
  ...[...queryObjects.keys()].flatMap((path) => [`GET /object-query/${path}`, `GET /object-query/${path}/{key}`]),
  'POST /v1/accounts',
  'GET /v1/accounts/{key}',
  'PUT /v1/accounts/{key}',
  'POST /v1/contacts',
  'GET /v1/contacts/{key}',
  'PUT /v1/contacts/{key}',
  'GET /v1/accounting-codes',
  'GET /v1/accounting-codes/{key}',
  'GET /v1/invoices/{key}',
  'PUT /v1/invoices/{key}',
  'GET /v1/invoices/{key}/items',
  'GET /v1/invoices/{key}/application-parts',
  'GET /v1/credit-memos',
  'GET /v1/credit-memos/{key}',
  'PUT /v1/credit-memos/{key}',
  'GET /v1/credit-memos/{key}/items',
  'GET /v1/credit-memos/{key}/parts',
  'GET /v1/debit-memos/{key}',
  'PUT /v1/debit-memos/{key}',
  'GET /v1/debit-memos/{key}/items',
  'GET /v1/debit-memos/{key}/application-parts',
  'GET /v1/payments',
  'GET /v1/payments/{key}',
  'GET /v1/payments/{key}/parts',
  'GET /v1/refunds',
  'GET /v1/refunds/{key}',
  'GET /v1/refunds/{key}/parts',
  'POST /v1/journal-runs',
  'GET /v1/journal-runs/{key}',
  'GET /v1/journal-entries/{key}',
  'GET /v1/journal-entries/journal-runs/{key}',
  'PUT /v1/journal-entries/{key}/basic-information',
  'POST /v1/action/query',
  'POST /v1/action/queryMore',
  'GET /v1/notification-history/callout',
  'POST /notifications/callout-histories/resend',
  'GET /notifications/callout-templates',
  'POST /notifications/callout-templates',
  'GET /notifications/callout-templates/{key}',
  'PUT /notifications/callout-templates/{key}',
  'DELETE /notifications/callout-templates/{key}',
  'GET /notifications/notification-definitions',
  'POST /notifications/notification-definitions',
  'GET /notifications/notification-definitions/{key}',
  'PUT /notifications/notification-definitions/{key}',
  'DELETE /notifications/notification-definitions/{key}',
  'GET /events/event-triggers',
  'POST /events/event-triggers',
  'GET /events/event-triggers/{key}',
  'PUT /events/event-triggers/{key}',
  'DELETE /events/event-triggers/{key}',
  'POST /query/jobs',
  'GET /query/jobs/{key}',
  'GET /settings/listing',
  'GET /settings/chart-of-accounts',
  'GET /query-results/{key}',
];

const known = new Set(served);

/** Words that stand in paths; everything else is somebody's key. */
const words = new Set(served.flatMap((operation) => operation.split(' ')[1]?.split('/') ?? []).filter((word) => word !== '{key}'));

const renamed: readonly (readonly [RegExp, string])[] = [
  [/^\/v1\/creditmemos(?=\/|$)/, '/v1/credit-memos'],
  [/^\/v1\/debitmemos(?=\/|$)/, '/v1/debit-memos'],
];

/** The path in its new spelling. */
export function currentPath(path: string): string {
  return renamed.reduce((text, [old, now]) => text.replace(old, now), path);
}

/** Name of a call without ids: `GET /v1/payments/{key}/parts`. For counting every call has a name, served or not. */
export function nameOf(method: string, path: string): string {
  const parts = currentPath(path).split('/');
  const named = parts.map((part, position) => (part === '' || words.has(part) || position < 2 ? part : '{key}'));
  return `${method} ${named.join('/')}`;
}

/** The same, or undefined when the tenant has no such route. */
export function operationOf(method: string, path: string): string | undefined {
  const name = nameOf(method, path);
  return known.has(name) ? name : undefined;
}
