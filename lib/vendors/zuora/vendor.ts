import type { CheckResult, CredentialField, Vendor } from '../../contracts/vendor.ts';
import { asFailure, Failure } from '../../failures.ts';
import { openZuora, type ZuoraClient } from './client.ts';
import { kindOf, settingsSchema, type ZuoraSettings } from './settings.ts';
import { zuoraWebhooks } from './webhooks.ts';
import type { Noun } from './wire.ts';

const credentials: readonly CredentialField[] = [
  {
    name: 'clientId',
    label: 'OAuth client id',
    help: 'Zuora: Settings, Administration, Manage Users, the API user, New OAuth Client.',
    secret: false,
    required: true,
    example: '6b1f7d3e-52d0-4b0a-9a52-0c5d8e3f7a11',
  },
  {
    name: 'clientSecret',
    label: 'OAuth client secret',
    help: 'Shown once, when the OAuth client is created.',
    secret: true,
    required: true,
  },
  {
    name: 'hmacSecret',
    label: 'Callout signing secret',
    help: 'Invent 32 or more random characters; registration writes them into the callout templates. Needed for callouts.mode hmac.',
    secret: true,
    required: false,
  },
  { name: 'basicUser', label: 'Callout user', help: 'Only for callouts.mode basic; invent it.', secret: false, required: false },
  { name: 'basicPassword', label: 'Callout password', help: 'Only for callouts.mode basic; invent it.', secret: true, required: false },
  {
    name: 'pathToken',
    label: 'Callout path token',
    help: 'Only for callouts.mode unsigned: 32 or more random letters and digits, part of the callout address.',
    secret: true,
    required: false,
  },
];

/** What an hour of ordinary work needs, far below what the tenant allows everybody together (API sandbox: 2,500 a minute but 10,000 a day). */
const requestsPerMinute = { production: 600, sandbox: 300, 'api-sandbox': 60 } as const;

export const zuora: Vendor<ZuoraSettings, ZuoraClient> = {
  key: 'zuora',
  title: 'Zuora Billing',
  settings: settingsSchema,
  credentials,
  docs: [
    { title: 'v1 API reference', url: 'https://developer.zuora.com/v1-api-reference/introduction/', readOn: '2026-01-20' },
    { title: 'Object queries', url: 'https://developer.zuora.com/v1-api-reference/api/tag/Object-Queries/', readOn: '2026-01-20' },
    { title: 'Rate limits', url: 'https://developer.zuora.com/docs/guides/rate-limits/', readOn: '2026-01-20' },
    {
      title: 'Error handling',
      url: 'https://developer.zuora.com/v1-api-reference/error-handling/section_error_codes/',
      readOn: '2026-01-20',
    },
    {
      title: 'Create a callout template',
      url: 'https://developer.zuora.com/v1-api-reference/api/operation/CreateCalloutTemplate/',
      readOn: '2026-01-20',
    },
  ],
  open: openZuora,
  check,
  webhooks: zuoraWebhooks,
  limits: (settings) => ({ requestsPerMinute: settings.requestsPerMinute ?? requestsPerMinute[kindOf(settings)], burst: 20 }),
};

/** Nouns every flow reads, with what the permission is called for a person. */
const needed: readonly Noun[] = ['accounts', 'invoices', 'invoice-items', 'payments', 'refunds'];

/** Z1 token and host · Z2 rights · Z3 Invoice Settlement · Z4 one entity · Z5 accounting codes. The first red of Z1 ends it: nothing else can be asked. */
async function check(client: ZuoraClient): Promise<readonly CheckResult[]> {
  const token = await guarded('Z1', async () => {
    const entities = await client.tokenEntities();
    return [{ id: 'Z1', level: 'green', sentence: `Zuora at ${client.about.host} hands out tokens.` }, entityResult(client, entities)];
  });
  if (token.some((result) => result.id === 'Z1' && result.level === 'red')) return token;
  const rights = await Promise.all(needed.map((noun) => guarded('Z2', () => probeRight(client, noun))));
  const red = rights.flat().filter((result) => result.level !== 'green');
  const read: readonly CheckResult[] =
    red.length > 0 ? red : [{ id: 'Z2', level: 'green', sentence: `The Zuora API user reads ${needed.join(', ').replaceAll('-', ' ')}.` }];
  const [settlement, codes] = await Promise.all([guarded('Z3', () => settlementResult(client)), guarded('Z5', () => codesResult(client))]);
  return [
    ...token.filter((result) => result.id === 'Z1'),
    ...read,
    ...settlement,
    ...token.filter((result) => result.id === 'Z4'),
    ...codes,
  ];
}

async function probeRight(client: ZuoraClient, noun: Noun): Promise<readonly CheckResult[]> {
  try {
    await client.probe(noun);
    return [{ id: 'Z2', level: 'green', sentence: `${noun} can be read.` }];
  } catch (error) {
    const failure = asFailure(error);
    if (failure.kind !== 'PermissionMissing') throw failure;
    return [
      {
        id: 'Z2',
        level: 'red',
        sentence: `Zuora role lacks ${noun}: ${failure.message}`,
        fix: 'In Zuora, let the role of the API user read it (Settings, Administration, Manage User Roles).',
      },
    ];
  }
}

async function settlementResult(client: ZuoraClient): Promise<readonly CheckResult[]> {
  const { invoiceSettlement } = await client.probeFeatures();
  return [
    invoiceSettlement
      ? { id: 'Z3', level: 'green', sentence: 'Invoice Settlement is on.' }
      : {
          id: 'Z3',
          level: 'amber',
          sentence:
            'Invoice Settlement is off: credit memos, later applications and refunds of memos do not exist here; negative invoices become credit memos.',
          fix: 'Nothing, if the tenant works without it. If it is on, let the role of the API user read credit memos.',
        },
  ];
}

function entityResult(client: ZuoraClient, entities: readonly string[] | undefined): CheckResult {
  const chosen = client.about.entityId;
  if (chosen !== undefined && entities !== undefined && !entities.some((entity) => plain(entity) === plain(chosen)))
    return {
      id: 'Z4',
      level: 'red',
      sentence: `The token does not cover entity ${chosen}.`,
      fix: `Set entityId to one of ${entities.join(', ')}.`,
    };
  if (chosen !== undefined || entities === undefined || entities.length === 1)
    return { id: 'Z4', level: 'green', sentence: 'The token works in one entity.' };
  return {
    id: 'Z4',
    level: 'red',
    sentence: `Token covers ${entities.length} entities: choose one.`,
    fix: `Set entityId to one of ${entities.join(', ')}.`,
  };
}

async function codesResult(client: ZuoraClient): Promise<readonly CheckResult[]> {
  try {
    const codes = (await client.listAccountingCodes()).filter((code) => code.status === 'Active');
    const bare = codes.filter((code) => code.glAccountNumber === undefined);
    if (bare.length === 0)
      return [{ id: 'Z5', level: 'green', sentence: `All ${codes.length} active accounting codes have a G/L number.` }];
    return [
      {
        id: 'Z5',
        level: 'amber',
        sentence: `${bare.length} of ${codes.length} codes have no G/L number: use accountMap.`,
        fix: `Map them in accountMap, or fill the G/L number in Zuora Finance: ${bare
          .slice(0, 5)
          .map((code) => code.name)
          .join(', ')}${bare.length > 5 ? ', …' : ''}.`,
      },
    ];
  } catch (error) {
    const failure = asFailure(error);
    if (!['PermissionMissing', 'FeatureOff', 'RecordGone'].includes(failure.kind)) throw failure;
    return [
      {
        id: 'Z5',
        level: 'amber',
        sentence: `Accounting codes cannot be read: ${failure.message}`,
        fix: 'Let the role of the API user read accounting codes (Zuora Finance), or map every code in accountMap.',
      },
    ];
  }
}

/** A failure becomes a red result with its own sentence and fix. */
async function guarded(id: string, work: () => Promise<readonly CheckResult[]>): Promise<readonly CheckResult[]> {
  try {
    return await work();
  } catch (error) {
    const { record } = error instanceof Failure ? error : asFailure(error);
    return [
      { id, level: 'red', sentence: record.sentence, fix: record.fix ?? 'Try again later; if it stays, look at https://trust.zuora.com.' },
    ];
  }
}

const plain = (id: string): string => id.replaceAll('-', '').toLowerCase();
