import * as z from 'zod';

const name = (what: string) =>
  z.string().regex(/^[a-z][a-z0-9-]{1,40}$/, `${what}: lower-case letters, digits and dashes, 2 to 41 characters, beginning with a letter`);

/** Minutes (5 or more) or a five-field cron in UTC. */
export const cadenceSchema = z.union([
  z.number().int().min(5, 'at least 5 minutes apart').max(10_080, 'at most a week apart'),
  z.string().regex(/^\S+ \S+ \S+ \S+ \S+$/, 'minutes, or a cron of five fields in UTC such as "0 6 * * *"'),
]);

export const flowModeSchema = z.enum(['live', 'preview', 'paused', 'off']);

const flowSchema = z
  .union([flowModeSchema, z.strictObject({ mode: flowModeSchema.optional(), poll: cadenceSchema.optional() })])
  .transform((flow) => (typeof flow === 'string' ? { mode: flow } : flow))
  .describe('live, preview, paused or off; or { mode, poll } to set how often it looks as well');

const connectionSchema = z.strictObject({
  vendor: z.string().describe('Which product this is: zuora, acumatica, …'),
  secret: z
    .string()
    .regex(/^[A-Za-z0-9/_+=.@-]{1,200}$/, 'the name of a secret: letters, digits and /_+=.@-')
    .describe('Name of the secret in Secrets Manager that holds the credentials. Never the credentials themselves'),
  settings: z.record(z.string(), z.unknown()).default({}).describe('What this vendor needs to know: region, address, version'),
});

const integrationSchema = z.strictObject({
  uses: z.string().optional().describe('Which integration this is, when its name here is another one'),
  a: name('a connection').describe('Connection for the first system in the name'),
  b: name('a connection').describe('Connection for the second system in the name'),
  mode: flowModeSchema.default('live').describe('Mode of every flow that does not set its own'),
  flows: z.record(z.string(), flowSchema).default({}),
  settings: z.record(z.string(), z.unknown()).default({}).describe('Decisions of this pair: accounts, cut-over date, match rules'),
});

const alertsSchema = z.strictObject({
  email: z.array(z.email('an e-mail address')).default([]),
  https: z.array(z.url({ protocol: /^https$/, error: 'an https address' })).default([]),
});

const networkSchema = z.strictObject({
  vpc: z
    .boolean()
    .default(false)
    .describe('Run the functions in a VPC with one fixed outgoing address, for firewalls of on-premises systems'),
});

export const configurationSchema = z.strictObject({
  $schema: z.string().optional(),
  version: z.literal(1),
  stack: name('stack').describe('Name of the CloudFormation stack; first part of every resource name'),
  environment: z.enum(['production', 'sandbox']).default('production').describe('Which kind of tenants the connections are expected to be'),
  connections: z.record(name('a connection name'), connectionSchema),
  integrations: z
    .record(name('an integration name'), integrationSchema)
    .refine((all) => Object.keys(all).length > 0, 'at least one integration'),
  alerts: alertsSchema.default({ email: [], https: [] }),
  network: networkSchema.default({ vpc: false }),
  auditYears: z.number().int().min(1).max(30).default(7).describe('How long audit entries are kept'),
});

export type Configuration = z.infer<typeof configurationSchema>;
export type ConfiguredIntegration = Configuration['integrations'][string];
export type ConfiguredConnection = Configuration['connections'][string];
