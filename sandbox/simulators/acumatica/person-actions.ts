import * as z from 'zod';
import { ControlError } from '../kit.ts';
import { Licence, Numbering, Preferences } from './options.ts';
import { SeededCustomer, SeededDocument } from './seed-shapes.ts';

const amount = z.union([z.string().regex(/^-?\d+(\.\d+)?$/), z.number().transform(String)]);
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const period = z.string().regex(/^\d{6}$/);
const which = { type: z.string(), ref: z.string() };
/** Values of a form under contract names, details as lists of rows: `{Description: 'x', Details: [{LineNbr: 1, Qty: 2}]}`. */
const formFields = z.record(z.string(), z.unknown());

/** One entry per thing a person (or the outside world) can do. `type` is a document type, or `Journal` with its batch number as `ref`. */
const personActions = {
  /** AR302000, Application History, Reverse Application on the row of a document; released unless told otherwise. */
  'reverse-application': z.strictObject({
    ...which,
    document: z.union([z.string(), z.strictObject({ type: z.string().optional(), ref: z.string() })]),
    amount: amount.optional(),
    date: date.optional(),
    release: z.boolean().default(true),
  }),
  'edit-document': z.strictObject({ ...which, fields: formFields }),
  'delete-document': z.strictObject(which),
  'release-document': z.strictObject(which),
  'put-on-hold': z.strictObject(which),
  'remove-hold': z.strictObject(which),
  approve: z.strictObject(which),
  reject: z.strictObject(which),
  /** Void and release the voiding document, as a person does on the form. */
  'void-document': z.strictObject({ ...which, date: date.optional(), release: z.boolean().default(true) }),
  /** Puts a released payment into a bank deposit. */
  'deposit-payment': z.strictObject({ type: z.string().default('Payment'), ref: z.string(), deposit: z.string().default('000001') }),
  'create-manual-document': SeededDocument,
  'create-journal': z.strictObject({ fields: formFields, release: z.boolean().default(true) }),
  'create-customer': SeededCustomer,
  'edit-customer': z.strictObject({ id: z.string(), fields: formFields }),
  'rename-customer': z.strictObject({ id: z.string(), name: z.string() }),
  'change-customer-id': z.strictObject({ id: z.string(), newId: z.string() }),
  'delete-customer': z.strictObject({ id: z.string() }),
  'open-period': z.strictObject({ period, ledger: z.enum(['AR', 'GL']).default('AR') }),
  'close-period': z.strictObject({ period, ledger: z.enum(['AR', 'GL']).default('AR') }),
  'deactivate-period': z.strictObject({ period }),
  'add-rate': z.strictObject({ currency: z.string(), from: date, rate: amount }),
  'set-account': z.strictObject({ code: z.string(), active: z.boolean() }),
  'set-preference': z.strictObject({ preferences: Preferences.partial() }),
  'set-licence': z.strictObject({ licence: Licence.partial() }),
  'set-numbering': z.strictObject({ numbering: Numbering }),
  /** Endpoint versions served from now on, as after an upgrade of the site. */
  'set-endpoints': z.strictObject({ versions: z.array(z.string()) }),
  /** "Revoke Access": of one client, or of all. */
  'revoke-tokens': z.strictObject({ clientId: z.string().optional() }),
  'expire-tokens': z.strictObject({}),
  'expire-refresh-token': z.strictObject({}),
  /** An administrator consents in the browser; the answer has a fresh refresh token. */
  consent: z.strictObject({ clientId: z.string().optional(), user: z.string().optional() }),
  /** The next matching writes time out at the client and are carried out `minutes` later. */
  'set-queue-hold': z.strictObject({
    operation: z.string().default('PUT /*'),
    minutes: z.number().positive(),
    times: z.number().int().positive().default(1),
  }),
  /** The next writes to a record fail because "another process has updated" it. `type` may be `Customer`. */
  'lock-record': z.strictObject({ ...which, times: z.number().int().positive().default(1) }),
  /** The site restarts: every call is answered 503, or redirected to an error page. */
  'set-outage': z.strictObject({ minutes: z.number().positive(), status: z.union([z.literal(302), z.literal(503)]).default(503) }),
} as const;

export type PersonAction = keyof typeof personActions;
export type ActionOf<Name extends PersonAction> = z.output<(typeof personActions)[Name]>;

/** Checks a control request against the table. */
export function parseAction(action: Readonly<Record<string, unknown>>): { readonly name: PersonAction; readonly given: unknown } {
  const { action: name, ...rest } = action;
  if (typeof name !== 'string' || !isPersonAction(name))
    throw new ControlError(`unknown action ${JSON.stringify(name)}; there are ${Object.keys(personActions).join(', ')}`);
  const parsed = personActions[name].safeParse(rest);
  if (!parsed.success) throw new ControlError(`${name}: ${z.prettifyError(parsed.error)}`);
  return { name, given: parsed.data };
}

function isPersonAction(name: string): name is PersonAction {
  return Object.hasOwn(personActions, name);
}
