import * as z from 'zod';
import type { Connection } from '../../contracts/vendor.ts';

/**
 * Every documented host. Zuora cannot be asked where a tenant lives: credentials sent to another host are refused like a wrong password.
 * Source: https://developer.zuora.com/v1-api-reference/introduction/ (servers, read 2026-09-04)
 */
const environments = {
  'us-production-cloud1': { baseUrl: 'https://rest.na.zuora.com', kind: 'production' },
  'us-production-cloud2': { baseUrl: 'https://rest.zuora.com', kind: 'production' },
  'us-api-sandbox-cloud1': { baseUrl: 'https://rest.sandbox.na.zuora.com', kind: 'api-sandbox' },
  'us-api-sandbox-cloud2': { baseUrl: 'https://rest.apisandbox.zuora.com', kind: 'api-sandbox' },
  'us-sandbox': { baseUrl: 'https://rest.test.zuora.com', kind: 'sandbox' },
  'us-performance-test': { baseUrl: 'https://rest.pt1.zuora.com', kind: 'sandbox' },
  'eu-production': { baseUrl: 'https://rest.eu.zuora.com', kind: 'production' },
  'eu-api-sandbox': { baseUrl: 'https://rest.sandbox.eu.zuora.com', kind: 'api-sandbox' },
  'eu-sandbox': { baseUrl: 'https://rest.test.eu.zuora.com', kind: 'sandbox' },
  'apac-production': { baseUrl: 'https://rest.ap.zuora.com', kind: 'production' },
  'apac-sandbox': { baseUrl: 'https://rest.test.ap.zuora.com', kind: 'sandbox' },
} as const;

type Environment = keyof typeof environments;
/** `sandbox`: central sandbox, developer sandbox, test drive. `api-sandbox`: 10,000 calls a day. */
export type EnvironmentKind = (typeof environments)[Environment]['kind'];

/**
 * Values that Zuora knows, oldest first. Any other value silently counts as 186.0, so a typing mistake must be caught here.
 * Source: https://developer.zuora.com/docs/guides/api-versions/ (read 2026-01-20)
 */
const versions = [
  ...['187.0', '188.0', '189.0', '196.0', '206.0', '207.0', '211.0', '214.0', '215.0', '216.0', '223.0', '224.0', '230.0', '239.0'],
  ...['256.0', '257.0', '309.0', '314.0', '315.0', '329.0', '330.0', '336.0', '337.0', '338.0', '341.0', '2024-05-20', '2025-08-12'],
];

const algorithms = ['SHA-224', 'SHA-256', 'SHA-384', 'SHA-512'] as const;

const calloutsSchema = z.strictObject({
  /** `hmac`: signed body. `basic`: user and password. `unsigned`: neither; then the secret path token proves the caller. */
  mode: z.enum(['hmac', 'basic', 'unsigned']).default('hmac'),
  algorithm: z
    .enum(algorithms, {
      error: `must be one of ${algorithms.join(', ')}: MD5 and SHA-1 prove nothing any more; change hmacAlgorithm in the callout template`,
    })
    .default('SHA-256'),
  encoding: z.enum(['BASE64', 'HEX']).default('BASE64'),
  /** Header that carries the signature (`hmacKey` of the template). */
  header: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/, 'must be a header name: letters, digits and hyphens')
    .default('X-Zuora-Signature'),
  /** Text in front of the signature, `sha256=`, when the template's `hmacValue` has one. */
  valuePrefix: z.string().max(40).default(''),
});

export const settingsSchema = z.strictObject({
  environment: z.enum(Object.keys(environments) as [Environment, ...Environment[]], {
    error: `must be one of ${Object.keys(environments).join(', ')}; the host in the address bar of the Zuora user interface tells which`,
  }),
  /** Another address for rehearsals. Only this machine: a stored host that could be anything would carry the credentials anywhere. */
  baseUrl: z
    .string()
    .refine(
      isLoopback,
      'is only for rehearsals and must be an http address of this machine (127.0.0.1, localhost); choose `environment` instead',
    )
    .optional(),
  version: z
    .string()
    .refine((value) => versions.includes(value), {
      error: 'is not a value Zuora knows, and Zuora would silently treat it as its oldest behaviour; leave it out to use 2025-08-12',
    })
    .default('2025-08-12'),
  /** Multi-entity tenants whose token covers several entities: the one to work in. */
  entityId: z
    .string()
    .regex(/^[0-9a-fA-F-]{32,36}$/, 'must be the id of one entity (32 hexadecimal characters)')
    .optional(),
  /** Multi-Org tenants: the orgs to work in. */
  orgIds: z.array(z.string().min(1)).default([]),
  callouts: calloutsSchema.prefault({}),
  requestsPerMinute: z.int().min(1).max(50_000).optional(),
  /** The tenant's time zone: date-times of v1 and the callout history have no offset. Zuora's own default is US Pacific. */
  timezone: z
    .string()
    .refine(isTimeZone, 'is not a time zone name like America/Los_Angeles or Europe/Berlin')
    .default('America/Los_Angeles'),
});
export type ZuoraSettings = z.infer<typeof settingsSchema>;
export type ZuoraConnection = Connection<ZuoraSettings>;

export function baseUrlOf(settings: ZuoraSettings): string {
  return (settings.baseUrl ?? environments[settings.environment].baseUrl).replace(/\/+$/, '');
}

export function kindOf(settings: ZuoraSettings): EnvironmentKind {
  return environments[settings.environment].kind;
}

/** Whether a link in an answer points at this connection or at a host of Zuora's. */
export function isOurHost(settings: ZuoraSettings, url: URL): boolean {
  return url.origin === new URL(baseUrlOf(settings)).origin || Object.values(environments).some((known) => known.baseUrl === url.origin);
}

function isLoopback(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, search, hash } = new URL(text);
  return (
    (protocol === 'http:' || protocol === 'https:') &&
    (/^127(\.\d{1,3}){3}$/.test(hostname) || hostname === 'localhost' || hostname === '[::1]') &&
    `${username}${search}${hash}` === ''
  );
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
