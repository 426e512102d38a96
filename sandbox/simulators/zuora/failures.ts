import { ControlError } from '../kit.ts';
import { hasQueryReasons, hasTrueStatus } from './versions.ts';

/** Last two digits of a reason code and the HTTP status they mean since 2024-05-20. */
const statusOf: Readonly<Record<string, number>> = {
  '10': 403,
  '11': 401,
  '20': 400,
  '21': 400,
  '22': 400,
  '23': 400,
  '27': 400,
  '30': 400,
  '40': 404,
  '45': 415,
  '50': 409,
  '60': 500,
  '61': 500,
  '70': 429,
  '90': 400,
  '99': 500,
};

export interface Reason {
  readonly code: number;
  readonly message: string;
}

/** A refusal of the vendor by category; `object` are the first six digits of the code. */
export class Refused extends Error {
  readonly reasons: readonly Reason[];
  readonly category: string;
  /** For the few answers whose status is not that of their category. */
  readonly status: number | undefined;

  constructor(category: string, message: string, more: { readonly object?: string; readonly status?: number } = {}) {
    super(message);
    this.category = category;
    this.status = more.status;
    this.reasons = [{ code: Number(`${more.object ?? '500000'}${category}`), message }];
  }
}

export const notFound = (key: string): Refused => new Refused('40', `Cannot find entity by key: '${key}'.`);

/** What a rule of the billing model says no to, as the API says it. */
export function asRefusal(error: unknown, object = '509200'): unknown {
  return error instanceof ControlError ? new Refused('30', error.message, { object }) : error;
}

export interface ErrorContext {
  readonly path: string;
  readonly versionAge: number;
  readonly requestId: string;
  readonly processId: string;
}

export interface ErrorAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The shape depends on the path family and on the version; before 2024-05-20 a business error is HTTP 200. */
export function errorAnswer(refused: Refused, context: ErrorContext): ErrorAnswer {
  const trueStatus = refused.status ?? statusOf[refused.category] ?? 400;
  const { reasons } = refused;
  const { requestId, processId, versionAge } = context;
  if (context.path.startsWith('/object-query/')) {
    if (hasQueryReasons(versionAge)) return { status: trueStatus, body: { reasons: reasons.map(textCode), requestId } };
    return { status: hasTrueStatus(versionAge) ? trueStatus : 200, body: { success: false, processId, reasons, requestId } };
  }
  const ownStatus = refused.category === '45' || refused.category === '10';
  const status = hasTrueStatus(versionAge) || ownStatus || !context.path.startsWith('/v1/') ? trueStatus : 200;
  return { status, body: { success: false, processId, reasons, requestId } };
}

const textCode = (reason: Reason) => ({ code: String(reason.code), message: reason.message });

/** Old "Actions" and "CRUD" paths speak another dialect. */
export const isAction = (path: string): boolean => path.startsWith('/v1/action/') || path.startsWith('/v1/object/');

export function authenticationAnswer(context: ErrorContext): ErrorAnswer & { readonly headers: Readonly<Record<string, string>> } {
  if (isAction(context.path))
    return { status: 401, body: { message: 'Authentication error' }, headers: { 'www-authenticate': 'Bearer realm="zuora"' } };
  const reasons = [{ code: 90000011, message: 'Authentication error' }];
  return { status: 401, body: { success: false, processId: context.processId, reasons, requestId: context.requestId }, headers: {} };
}
