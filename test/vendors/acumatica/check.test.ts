import { afterEach, describe, expect, test } from 'vitest';
import { acumatica } from '../../../lib/vendors/acumatica/vendor.ts';
import { type Answer, openTenant } from './tenant.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const tenant of open.splice(0)) await tenant.close();
});

const keys: Readonly<Record<string, object>> = {
  Customer: { CustomerID: { value: 'C1' } },
  Invoice: {
    Type: { value: 'Invoice' },
    ReferenceNbr: { value: '1' },
    custom: { Document: { CuryID: { type: 'CustomStringField', value: 'USD' } } },
  },
  Payment: { Type: { value: 'Payment' }, ReferenceNbr: { value: '1' } },
};

const healthy: Answer = ({ line }) => {
  const entity = /^GET \/(\w+)\?/.exec(line)?.[1];
  if (entity) return { body: keys[entity] ? [keys[entity]] : [] };
  return line.startsWith('PUT /CompaniesStructure')
    ? {
        body: {
          Results: [
            { BranchID: { value: 'MAIN' }, BranchStatus: { value: true } },
            { BranchID: { value: 'OLD' }, BranchStatus: { value: false } },
          ],
        },
      }
    : undefined;
};

async function check(answer: Answer, settings: Readonly<Record<string, unknown>> = {}) {
  const tenant = await openTenant((request) => answer(request) ?? healthy(request), {
    settings: { branch: 'MAIN', refreshTokens: { absoluteDays: 'infinite' }, ...settings },
  });
  open.push(tenant);
  return acumatica.check(tenant.client);
}

describe('the readiness check', () => {
  test('is green where everything is there', async () => {
    expect((await check(() => undefined)).map(({ id, level }) => `${id} ${level}`)).toEqual([
      'A1 green',
      'A2 green',
      'A3 green',
      'A4 green',
      'A5 green',
      'A6 green',
    ]);
  });

  const on =
    (start: string, reply: object): Answer =>
    ({ line }) =>
      line.startsWith(start) ? reply : undefined;

  test.each<readonly [string, Answer, Readonly<Record<string, unknown>>, string, RegExp]>([
    [
      'a page in place of Acumatica',
      on('GET /entity', { body: '<html>Login</html>' }),
      {},
      'A1 red',
      /give the full tenant URL with instance/,
    ],
    ['a redirect to a login page', on('GET /entity', { status: 302, headers: { location: '/login' } }), {}, 'A1 red', /No Acumatica at/],
    [
      'a version that is not served',
      on('GET /entity', { body: [{ name: 'Default', version: '25.200.001' }] }),
      {},
      'A2 red',
      /24\.200\.001 is not served; served: Default\/25\.200\.001/,
    ],
    [
      'a refused grant',
      on('POST /identity', { status: 400, body: { error: 'invalid_grant' } }),
      {},
      'A3 red',
      /Acumatica refused the grant \(invalid_grant\): consent again/,
    ],
    [
      'a grant without refresh tokens',
      on('POST /identity', { body: { access_token: 'a', expires_in: 3600 } }),
      {},
      'A3 amber',
      /refresh tokens are off in SM303010/,
    ],
    ['a consent that ends soon', () => undefined, { refreshTokens: { absoluteDays: 10 } }, 'A3 amber', /ends in 9 days/],
    ['a form without access', on('GET /PaymentMethod', { status: 403 }), {}, 'A4 red', /no access to Payment Methods \(CA204000\)/],
    ['only the journal without access', on('GET /JournalTransaction', { status: 403 }), {}, 'A4 amber', /GL301000/],
    ['an unknown branch', () => undefined, { branch: 'NORTH' }, 'A5 red', /Branch NORTH not found in tenant ACME; found: MAIN, OLD/],
    ['a branch that is not active', () => undefined, { branch: 'OLD' }, 'A5 red', /not active/],
    [
      'a currency that cannot be read',
      on('GET /Invoice', { body: [{ Type: { value: 'Invoice' }, ReferenceNbr: { value: '1' }, custom: {} }] }),
      {},
      'A6 amber',
      /only base-currency customers/,
    ],
  ])('names %s', async (_name, answer, settings, level, sentence) => {
    const results = await check(answer, settings);
    const worst = results.find((result) => result.level !== 'green');
    expect(`${worst?.id} ${worst?.level}`).toBe(level);
    expect(worst?.sentence).toMatch(sentence);
    expect(worst?.fix).toBeTruthy();
  });
});
