import { afterEach, describe, expect, test } from 'vitest';
import { parseCookies } from '../../../lib/vendors/acumatica/cookie-login.ts';
import { failureOf } from '../../conformance/vendor-stage.ts';
import { type Answer, clientId, openTenant, type Reply } from './tenant.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const tenant of open.splice(0)) await tenant.close();
});

async function tenantThat(answer: Answer, options?: Parameters<typeof openTenant>[1]) {
  const tenant = await openTenant(answer, options);
  open.push(tenant);
  return tenant;
}

const customer: Reply = { body: { CustomerID: { value: 'C1' } } };
const readsCustomer: Answer = ({ line }) => (line.startsWith('GET /Customer') ? customer : undefined);
const password = { clientId, clientSecret: 's', username: 'api', password: 'p' };

const forms = (tenant: Awaited<ReturnType<typeof openTenant>>) =>
  tenant.received.filter(({ line }) => line.startsWith('POST /identity')).map(({ body }) => Object.fromEntries(new URLSearchParams(body)));

describe('the consent of a person', () => {
  test('is used with the rotated refresh token, shared by all workers', async () => {
    const tenant = await tenantThat(readsCustomer);
    await tenant.client.findByKey('Customer', ['C1']);
    await tenant.release();
    tenant.clock.advance(56 * 60_000);
    await tenant.openAnother().client.findByKey('Customer', ['C1']);
    expect(forms(tenant)).toEqual([
      { grant_type: 'refresh_token', refresh_token: 'refresh-0', client_id: clientId, client_secret: 'client-secret' },
      { grant_type: 'refresh_token', refresh_token: 'refresh-1', client_id: clientId, client_secret: 'client-secret' },
    ]);
  });

  test('given again replaces the token carried on from the old one', async () => {
    const tenant = await tenantThat(readsCustomer);
    await tenant.client.findByKey('Customer', ['C1']);
    tenant.credentials['refreshToken'] = 'new-consent';
    tenant.clock.advance(3_600_000);
    await tenant.client.findByKey('Customer', ['C1']);
    expect(forms(tenant).at(-1)?.['refresh_token']).toBe('new-consent');
  });

  test.each([
    ['invalid_grant', /consent again/],
    ['invalid_client', /check the connected application/],
  ])('refused with %s stops the connection', async (error, sentence) => {
    const tenant = await tenantThat(({ line }) => (line.startsWith('POST /identity') ? { status: 400, body: { error } } : undefined));
    const failure = await failureOf(tenant.client.findByKey('Customer', ['C1']));
    expect(failure.kind).toBe('CredentialRefused');
    expect(failure.message).toMatch(sentence);
    expect(failure.disposition).toBe('broken');
    expect(forms(tenant)).toHaveLength(1);
  });

  test('of another tenant is refused before anything is sent', async () => {
    const tenant = await tenantThat(readsCustomer, { settings: { tenant: 'OTHER' } });
    const failure = await failureOf(tenant.client.findByKey('Customer', ['C1']));
    expect(failure.message).toBe('The client id belongs to the tenant ACME, the settings say OTHER.');
    expect(tenant.received).toEqual([]);
  });

  test('that is missing is named', async () => {
    const tenant = await tenantThat(readsCustomer, { credentials: { clientId, clientSecret: 's' } });
    expect((await failureOf(tenant.client.findByKey('Customer', ['C1']))).message).toMatch(/lack refreshToken/);
  });

  test('ends at a known day when it is not renewed for ever', async () => {
    const tenant = await tenantThat(readsCustomer, { settings: { refreshTokens: { consentedOn: '2026-02-10', absoluteDays: 30 } } });
    expect(await tenant.client.fetchGrantLife()).toEqual({ hasRefreshToken: true, endsAt: new Date('2026-03-12T00:00:00Z') });
    expect(tenant.log.lines.filter(({ event }) => event === 'acumatica.consent-ends')).toEqual([
      { level: 'warn', event: 'acumatica.consent-ends', fields: { daysLeft: 9 } },
    ]);
    const endless = await tenantThat(readsCustomer, { settings: { refreshTokens: { absoluteDays: 'infinite', slidingDays: 15 } } });
    expect(await endless.client.fetchGrantLife()).toEqual({ hasRefreshToken: true, endsAt: new Date('2026-03-17T08:00:00Z') });
  });

  test('keeps its first day when the token rotates', async () => {
    const tenant = await tenantThat(readsCustomer);
    await tenant.client.fetchGrantLife();
    tenant.clock.advance(10 * 86_400_000);
    expect((await tenant.client.fetchGrantLife()).endsAt).toEqual(new Date('2026-04-01T00:00:00Z'));
  });
});

describe('a token that is no longer taken', () => {
  test('is replaced once and the request sent again', async () => {
    const tenant = await tenantThat(({ line, headers }) =>
      line === 'PUT /Customer' ? (headers['authorization'] === 'Bearer access-1' ? { status: 401 } : customer) : undefined,
    );
    expect(await tenant.client.put('Customer', { CustomerName: 'x' })).toEqual({ CustomerID: 'C1' });
    expect(tenant.lines()).toEqual(['PUT /Customer', 'PUT /Customer']);
  });

  test('stops the connection when the new one is refused as well', async () => {
    const tenant = await tenantThat(({ line }) => (line.startsWith('GET /Customer') ? { status: 401 } : undefined));
    expect((await failureOf(tenant.client.findByKey('Customer', ['C1']))).kind).toBe('CredentialRefused');
    expect(tenant.lines()).toHaveLength(2);
  });
});

describe('user name and password', () => {
  test('bring a token, and later its refresh token is used', async () => {
    const tenant = await tenantThat(readsCustomer, { settings: { grant: 'password' }, credentials: password });
    await tenant.client.findByKey('Customer', ['C1']);
    tenant.clock.advance(3_600_000);
    await tenant.client.findByKey('Customer', ['C1']);
    expect(forms(tenant).map((form) => [form['grant_type'], form['scope'], form['refresh_token']])).toEqual([
      ['password', 'api offline_access', undefined],
      ['refresh_token', undefined, 'refresh-1'],
    ]);
  });

  test('are used again when the refresh token has ended', async () => {
    const tenant = await tenantThat(
      ({ line, body }) =>
        line.startsWith('POST /identity') && body.includes('grant_type=refresh_token')
          ? { status: 400, body: { error: 'invalid_grant' } }
          : readsCustomer({ line, body, headers: {} }),
      { settings: { grant: 'password' }, credentials: password },
    );
    await tenant.client.findByKey('Customer', ['C1']);
    tenant.clock.advance(3_600_000);
    await tenant.client.findByKey('Customer', ['C1']);
    expect(forms(tenant).map((form) => form['grant_type'])).toEqual(['password', 'refresh_token', 'password']);
  });

  test('do without offline_access where refresh tokens are off', async () => {
    const tenant = await tenantThat(
      ({ line, body }) => {
        if (!line.startsWith('POST /identity')) return undefined;
        return body.includes('offline_access')
          ? { status: 400, body: { error: 'invalid_scope' } }
          : { body: { access_token: 'a', expires_in: '3600' } };
      },
      { settings: { grant: 'password' }, credentials: password },
    );
    expect(await tenant.client.fetchGrantLife()).toEqual({ hasRefreshToken: false });
  });

  test('that are wrong are tried once in 15 minutes, or when they change: more would lock the user', async () => {
    const tenant = await tenantThat(
      ({ line }) => (line.startsWith('POST /identity') ? { status: 400, body: { error: 'invalid_grant' } } : undefined),
      {
        settings: { grant: 'password' },
        credentials: password,
      },
    );
    for (let time = 0; time < 3; time += 1) expect((await failureOf(tenant.client.fetchGrantLife())).kind).toBe('CredentialRefused');
    expect(forms(tenant)).toHaveLength(1);
    tenant.credentials['password'] = 'better';
    await failureOf(tenant.client.fetchGrantLife());
    expect(forms(tenant)).toHaveLength(2);
    tenant.clock.advance(15 * 60_000);
    await failureOf(tenant.client.fetchGrantLife());
    expect(forms(tenant)).toHaveLength(3);
  });
});

describe('all sessions in use', () => {
  test('is waited for a minute at a time, without knocking in between', async () => {
    const tenant = await tenantThat(({ line }) =>
      line.startsWith('POST /identity') ? { status: 500, body: { exceptionMessage: 'API Login Limit' } } : undefined,
    );
    const failure = await failureOf(tenant.client.fetchGrantLife());
    expect(failure.kind).toBe('RateLimited');
    expect(failure.record.at).toBe('2026-03-02T08:01:00.000Z');
    await failureOf(tenant.client.fetchGrantLife());
    expect(forms(tenant)).toHaveLength(1);
    for (let minute = 0; minute < 15; minute += 1) {
      tenant.clock.advance(60_000);
      await failureOf(tenant.client.fetchGrantLife());
    }
    expect(forms(tenant)).toHaveLength(16);
    expect(tenant.log.lines.filter(({ event }) => event === 'acumatica.sessions-in-use')).toHaveLength(1);
    expect((await failureOf(tenant.client.fetchGrantLife())).message).toMatch(/SM604000\) since 2026-03-02T08:00:00/);
  });
});

describe('the login with cookies', () => {
  const options = { settings: { grant: 'cookie', branch: 'MAIN' }, credentials: { username: 'api', password: 'p' } };

  test('keeps the session in its cookies and signs out the one before', async () => {
    let logins = 0;
    const tenant = await tenantThat(({ line, headers }) => {
      if (line === 'POST /entity/auth/login') {
        logins += 1;
        return {
          status: 204,
          headers: {
            'set-cookie': [`.ASPXAUTH=s${logins}; path=/; HttpOnly; expires=Mon, 02-Mar-2026 09:00:00 GMT`, 'UserBranch=16; path=/'],
          },
        };
      }
      if (line === 'POST /entity/auth/logout') return { status: 204 };
      return line.startsWith('GET /Customer') ? (headers['cookie']?.includes('.ASPXAUTH=s') ? customer : { status: 401 }) : undefined;
    }, options);
    await tenant.client.findByKey('Customer', ['C1']);
    tenant.clock.advance(16 * 60_000);
    await tenant.client.findByKey('Customer', ['C1']);
    expect(tenant.lines()).toEqual([
      'POST /entity/auth/login',
      'GET /Customer/C1',
      'POST /entity/auth/logout',
      'POST /entity/auth/login',
      'GET /Customer/C1',
    ]);
    expect(JSON.parse(tenant.received[0]?.body ?? '')).toEqual({ name: 'api', password: 'p', tenant: 'ACME', branch: 'MAIN' });
    expect(tenant.received[2]?.headers).toMatchObject({ cookie: '.ASPXAUTH=s1; UserBranch=16', 'content-length': '0' });
    expect(tenant.received[4]?.headers['cookie']).toBe('.ASPXAUTH=s2; UserBranch=16');
  });

  test('is not repeated with a wrong password', async () => {
    const tenant = await tenantThat(
      ({ line }) =>
        line.startsWith('POST /entity/auth')
          ? {
              status: 500,
              body: { exceptionMessage: 'Error: Invalid credentials. Please try again.', exceptionType: 'PX.Data.PXException' },
            }
          : undefined,
      options,
    );
    for (let time = 0; time < 3; time += 1) expect((await failureOf(tenant.client.fetchGrantLife())).kind).toBe('CredentialRefused');
    expect(tenant.lines()).toHaveLength(1);
  });

  test('reads cookies whose dates hold commas', () => {
    expect(parseCookies('a=1; expires=Mon, 02 Mar 2026 09:00:00 GMT; path=/, b=2; path=/, a=3')).toBe('a=3; b=2');
  });
});
