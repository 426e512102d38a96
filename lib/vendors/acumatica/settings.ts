import * as z from 'zod';

const systemVersions = ['20.200.001', '22.200.001', '23.200.001', '24.200.001', '25.200.001'] as const;

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** `https://erp.example.com/kestrel`, kept without a slash at the end. http is for a simulator on this machine only. */
const baseUrl = z.string().transform((written, context) => {
  const refuse = (message: string) => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  const example = 'give the tenant URL with its instance, for example https://erp.example.com/kestrel';
  if (!URL.canParse(written.trim())) return refuse(`not a URL: ${example}`);
  const url = new URL(written.trim());
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback.test(url.hostname)))
    return refuse(`must start with https://: ${example}`);
  if (url.username !== '' || url.password !== '') return refuse('carries a user name or password: they belong into the credentials');
  if (url.search !== '' || url.hash !== '') return refuse(`carries a query: ${example}`);
  if (/\/(entity|identity|main|frames|t)(\/|$)/i.test(url.pathname)) return refuse(`goes too deep: ${example}`);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
});

const refreshTokens = z
  .strictObject({
    /** Day of the consent; absent: the day this connector first used the refresh token. */
    consentedOn: z.iso.date().optional(),
    /** Absolute lifetime of the connected application; `infinite` never ends. */
    absoluteDays: z.union([z.int().min(1).max(365), z.literal('infinite')]).default(30),
    /** Sliding lifetime: ends when the connector was not running for so long. */
    slidingDays: z.int().min(1).max(60).optional(),
  })
  .default({ absoluteDays: 30 });

export const acumaticaSettingsSchema = z
  .strictObject({
    url: baseUrl,
    endpoint: z
      .string()
      .regex(/^[A-Za-z0-9_-]+$/, 'letters, digits, - and _ only')
      .default('Default'),
    version: z
      .string()
      .regex(/^\d+(\.\d+)*$/, `digits and dots, for example 24.200.001`)
      .default('24.200.001'),
    /** Tenant name, as after the `@` of the client id. */
    tenant: z.string().trim().min(1).max(128),
    /** Branch id that must exist (checked); documents name their branch themselves. */
    branch: z.string().trim().min(1).max(30).optional(),
    grant: z.enum(['authorization-code', 'password', 'cookie']).default('authorization-code'),
    refreshTokens,
    requestsPerMinute: z.int().min(1).max(6000).default(45),
    sessions: z
      .literal(1, 'only 1: a grant is one session, and while a release runs its form refuses other requests of that session')
      .default(1),
  })
  .superRefine(({ endpoint, version }, context) => {
    if (endpoint !== 'Default') return;
    const known: readonly string[] = systemVersions;
    if (known.includes(version)) return;
    const contract5 = Number(version.split('.')[0]) >= 26;
    context.addIssue({
      code: 'custom',
      path: ['version'],
      message: contract5
        ? `Default/${version} uses contract 5, which is not supported yet: use one of ${known.join(', ')}, which newer releases also serve`
        : `Default/${version} is not supported: use one of ${known.join(', ')}`,
    });
  });

export type AcumaticaSettings = z.infer<typeof acumaticaSettingsSchema>;
