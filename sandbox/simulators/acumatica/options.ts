import * as z from 'zod';

const Form = z.enum(['Invoice', 'Debit Memo', 'Credit Memo', 'Payment', 'Refund', 'JournalTransaction']);

/** How the company is set up: what a person chooses on the preferences forms. */
export const Preferences = z.strictObject({
  /** "Hold Documents on Entry" for AR documents, and the same for GL batches. */
  holdEntry: z.boolean(),
  /** "Validate Document Totals on Entry": `Amount` must be sent and equal the total. */
  requireControlTotal: z.boolean(),
  /** "Require Payment Reference on Entry". */
  requireExtRef: z.boolean(),
  /** "Automatically Post on Release"; off leaves batches Unposted. */
  autoPost: z.boolean(),
  /** Forms whose documents need a person's approval once they leave hold. */
  approvals: z.array(Form),
  printBeforeRelease: z.boolean(),
  emailBeforeRelease: z.boolean(),
  /** "Restrict Access to Closed Periods"; off lets everybody post into a closed period. */
  restrictClosedPeriods: z.boolean(),
  /** Whether the API user has the role that may post into closed periods. */
  financialSupervisor: z.boolean(),
  parentChild: z.boolean(),
  subaccounts: z.boolean(),
  /** What happens to a text longer than its column. */
  overlong: z.enum(['cut', 'refuse']),
  /** Whether VoidPayment saves the Voided Payment, or leaves that to a PUT. */
  voidSaves: z.boolean(),
  /** Entities the API user has no right to: 403. */
  forbidden: z.array(z.string()),
  /** How `POST /{Entity}/{Action}` answers. */
  actionAnswer: z.enum(['accepted', 'done-at-once', 'done-with-bogus-location', 'nothing-started']),
  /** How long a release runs. */
  actionMs: z.number().int().min(0),
  /** The shape of `GET /entity`: an object since 2020, a bare array before. */
  discovery: z.enum(['object', 'array']),
});
export type Preferences = z.output<typeof Preferences>;

export const defaultPreferences: Preferences = {
  holdEntry: true,
  requireControlTotal: false,
  requireExtRef: true,
  autoPost: true,
  approvals: [],
  printBeforeRelease: false,
  emailBeforeRelease: false,
  restrictClosedPeriods: true,
  financialSupervisor: false,
  parentChild: true,
  subaccounts: true,
  overlong: 'cut',
  voidSaves: true,
  forbidden: [],
  actionAnswer: 'accepted',
  actionMs: 1000,
  discovery: 'object',
};

/** What the licence allows; null is no limit. The trial licence has two API users and nothing else. */
export const Licence = z.strictObject({
  users: z.number().int().positive().nullable(),
  requestsPerMinute: z.number().int().positive().nullable(),
  concurrentRequests: z.number().int().positive().nullable(),
  /** What a declined request reads: JSON of the application or plain text of the web server. */
  declinedBody: z.enum(['json', 'text']),
  /** Where too many users are noticed, and with which status. */
  loginLimitAt: z.enum(['token', 'first-call']),
  loginLimitStatus: z.union([z.literal(429), z.literal(500)]),
});
export type Licence = z.output<typeof Licence>;

export const defaultLicence: Licence = {
  users: 2,
  requestsPerMinute: null,
  concurrentRequests: null,
  declinedBody: 'json',
  loginLimitAt: 'token',
  loginLimitStatus: 500,
};

const NumberingOf = z.strictObject({
  mode: z.enum(['auto', 'manual']).default('auto'),
  prefix: z.string().optional(),
  digits: z.number().int().positive().optional(),
  next: z.number().int().positive().optional(),
});

/** How records get their numbers. Manual: the key must be sent; auto: a sent key is ignored. */
export const Numbering = z.strictObject({
  Customer: NumberingOf.optional(),
  Invoice: NumberingOf.optional(),
  'Debit Memo': NumberingOf.optional(),
  'Credit Memo': NumberingOf.optional(),
  Payment: NumberingOf.optional(),
  JournalTransaction: NumberingOf.optional(),
});
export type Numbering = z.output<typeof Numbering>;

export interface AcumaticaOptions {
  /** First path segment, `kestrel` in `https://erp.example.com/kestrel`; '' when installed at the root of the site. */
  readonly instance?: string;
  /** The tenant: suffix of every client id. */
  readonly tenant?: string;
  /** Versions of the Default endpoint that are served. */
  readonly endpointVersions?: readonly string[];
  readonly build?: string;
  readonly preferences?: Partial<Preferences>;
  readonly licence?: Partial<Licence>;
  readonly numbering?: z.input<typeof Numbering>;
  /** `standard`: the company of standard-company.ts is there from the start. `empty`: only its skeleton. */
  readonly startWith?: 'standard' | 'empty';
}

export interface Installation {
  readonly instance: string;
  readonly tenant: string;
  readonly endpointVersions: readonly string[];
  readonly build: string;
}

export function installationOf(options: AcumaticaOptions): Installation {
  return {
    instance: (options.instance ?? '').replaceAll('/', ''),
    tenant: options.tenant ?? 'KESTREL',
    endpointVersions: options.endpointVersions ?? ['20.200.001', '22.200.001', '23.200.001', '24.200.001', '25.200.001'],
    build: options.build ?? '25.201.0213',
  };
}
