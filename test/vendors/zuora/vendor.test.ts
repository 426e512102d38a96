import { afterEach, describe, expect, test } from 'vitest';
import { settingsSchema } from '../../../lib/vendors/zuora/settings.ts';
import { zuora } from '../../../lib/vendors/zuora/vendor.ts';
import { type Act, type Got, json, openStage, type Stage } from '../../conformance/vendor-stage.ts';
import { connectionAt } from './fixtures.ts';

const stages: Stage[] = [];
afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage.close()));
});

const entity = (digit: number): string => `entity.11e643f4-a3ee-8bad-b061-0025904c57d${digit}`;

async function checked(
  given: {
    readonly scope?: string;
    readonly act?: (request: Got) => Act | undefined;
    readonly settings?: Readonly<Record<string, unknown>>;
  } = {},
) {
  const stage = await openStage((request) => {
    const act = given.act?.(request);
    if (act) return act;
    if (request.path === '/oauth/token')
      return json({ access_token: 'token-1', expires_in: 3598, scope: given.scope ?? `${entity(1)} tenant.21765` });
    if (request.path === '/object-query/invoice-items' && !request.query.has('filter[]'))
      return json({ reasons: [{ code: '60000023', message: 'filter is required' }] }, 400);
    if (request.path === '/v1/accounting-codes')
      return json({
        accountingCodes: [{ id: 'a', name: 'Revenue', type: 'SalesRevenue', glAccountNumber: '40100', status: 'Active' }],
        success: true,
      });
    return json({ data: [] });
  });
  stages.push(stage);
  return zuora.check(zuora.open(connectionAt(stage.url, { settings: given.settings ?? {} }), stage.io));
}

const denied = json({ success: false, reasons: [{ code: 60000010, message: 'No permission' }] }, 403);

describe('checking a connection', () => {
  test('a healthy tenant is green throughout', async () => {
    expect((await checked()).map(({ id, level }) => `${id} ${level}`)).toEqual([
      'Z1 green',
      'Z2 green',
      'Z3 green',
      'Z4 green',
      'Z5 green',
    ]);
  });

  test('a refused client ends the check with region and secret named as suspects', async () => {
    const results = await checked({ act: (request) => (request.path === '/oauth/token' ? json({ message: 'bad' }, 401) : undefined) });
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ id: 'Z1', level: 'red', sentence: expect.stringContaining('wrong secret or wrong region') });
  });

  test('each missing right is named', async () => {
    const results = await checked({ act: (request) => (/payments|refunds/.test(request.path) ? denied : undefined) });
    expect(results.filter((result) => result.id === 'Z2').map((result) => result.sentence.slice(0, 28))).toEqual([
      'Zuora role lacks payments: T',
      'Zuora role lacks refunds: Th',
    ]);
  });

  test('without Invoice Settlement the tenant runs with a limit', async () => {
    const results = await checked({
      act: (request) => (request.path.includes('credit-memos') ? json({ message: 'not enabled' }, 400) : undefined),
    });
    expect(results.find((result) => result.id === 'Z3')).toMatchObject({
      level: 'amber',
      sentence: expect.stringContaining('Invoice Settlement is off'),
    });
  });

  test.each([
    ['two entities', `${entity(1)} ${entity(2)}`, undefined, 'red'],
    ['two entities and one chosen', `${entity(1)} ${entity(2)}`, '11e643f4-a3ee-8bad-b061-0025904c57d2', 'green'],
    ['an entity the token does not cover', entity(1), '11e643f4-a3ee-8bad-b061-0025904c57d9', 'red'],
    ['no entity in the scope', 'tenant.21765 service.usage.write', undefined, 'green'],
  ])('%s', async (_what, scope, entityId, level) => {
    const results = await checked({ scope, settings: entityId === undefined ? {} : { entityId } });
    expect(results.find((result) => result.id === 'Z4')?.level).toBe(level);
  });

  test('codes without G/L number are counted', async () => {
    const codes = [1, 2, 3].map((number) => ({
      id: `${number}`,
      name: `Code ${number}`,
      type: 'SalesRevenue',
      status: number === 3 ? 'Inactive' : 'Active',
    }));
    const results = await checked({
      act: (request) => (request.path === '/v1/accounting-codes' ? json({ accountingCodes: codes, success: true }) : undefined),
    });
    expect(results.find((result) => result.id === 'Z5')).toMatchObject({
      level: 'amber',
      sentence: '2 of 2 codes have no G/L number: use accountMap.',
    });
  });

  test('a vendor that is down is red, not an exception', async () => {
    const results = await checked({ act: (request) => (request.path.startsWith('/object-query') ? json({}, 503) : undefined) });
    expect(results.filter((result) => result.level === 'red').map((result) => result.id)).toEqual(['Z2', 'Z2', 'Z2', 'Z2', 'Z2', 'Z3']);
  });
});

describe('settings', () => {
  const issue = (settings: object): string =>
    settingsSchema
      .safeParse({ environment: 'eu-production', ...settings })
      .error?.issues.map((found) => `${found.path.join('.')}: ${found.message}`)
      .join('\n') ?? '';

  test('have defaults for everything but the region', () => {
    expect(settingsSchema.parse({ environment: 'eu-production' })).toMatchObject({
      version: '2025-08-12',
      timezone: 'America/Los_Angeles',
      callouts: { mode: 'hmac', algorithm: 'SHA-256', encoding: 'BASE64', header: 'X-Zuora-Signature' },
    });
  });

  test.each([
    [{ environment: 'mars' }, /environment: must be one of us-production-cloud1/],
    [{ baseUrl: 'https://rest.zuora.com' }, /baseUrl: is only for rehearsals/],
    [{ baseUrl: 'http://127.0.0.1.evil.example' }, /baseUrl/],
    [{ baseUrl: 'http://127.0.0.1:80@evil.example' }, /baseUrl/],
    [{ baseUrl: 'http://localhost.evil.example' }, /baseUrl/],
    [{ version: '2025-08-13' }, /version: is not a value Zuora knows/],
    [{ timezone: 'Pacific' }, /timezone: is not a time zone name/],
    [{ callouts: { algorithm: 'MD5' } }, /callouts.algorithm: must be one of/],
    [{ callouts: { header: 'a b' } }, /callouts.header/],
    [{ requestsPerMinute: 0 }, /requestsPerMinute/],
    [{ region: 'eu' }, /region/],
  ])('%j is refused with a reason', (settings, reason) => {
    expect(issue(settings)).toMatch(reason);
  });

  test.each(['http://127.0.0.1:4010', 'http://localhost:4010', 'http://[::1]:4010'])('%s is an address of this machine', (baseUrl) => {
    expect(issue({ baseUrl })).toBe('');
  });

  test('an API sandbox is asked gently: it allows ten thousand calls a day', () => {
    const limit = (environment: string) => zuora.limits(settingsSchema.parse({ environment })).requestsPerMinute;
    expect(limit('us-api-sandbox-cloud1')).toBeLessThan(limit('us-production-cloud1'));
  });
});
