import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clientId, clientSecret, type Desk, openDesk, passwordClientId, passwordClientSecret, signIn } from './desk.ts';

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => desk.close());

const client = { client_id: clientId, client_secret: clientSecret };
const passwordForm = {
  grant_type: 'password',
  client_id: passwordClientId,
  client_secret: passwordClientSecret,
  username: 'mlc',
  password: 'simulated-password',
  scope: 'api offline_access',
};

describe('the token endpoint', () => {
  test('rotates the refresh token, and the old one is dead', async () => {
    const first = desk.refreshToken;
    const second = await desk.tokenRequest({ ...client, grant_type: 'refresh_token', refresh_token: first });
    expect(second.json['expires_in']).toBe(3600);
    expect(second.json['refresh_token']).not.toBe(first);
    const again = await desk.tokenRequest({ ...client, grant_type: 'refresh_token', refresh_token: first });
    expect(again.status).toBe(400);
    expect(again.json).toEqual({ error: 'invalid_grant' });
  });

  test('keeps one session per grant, however many tokens it gives', async () => {
    await desk.tokenRequest({ ...client, grant_type: 'refresh_token', refresh_token: desk.refreshToken });
    expect(desk.simulator.records('sessions')).toHaveLength(1);
  });

  test('exchanges the code of a consent, once, with its verifier', async () => {
    const redirect = 'https://connector.example/oauth/acumatica';
    const verifier = 'a-long-enough-verifier-for-the-test-0123456789';
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirect,
      scope: 'api offline_access',
      state: 'abc',
      code_challenge_method: 'S256',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    });
    const consent = await desk.send('GET', `${desk.url}/identity/connect/authorize?${query}`, { token: null });
    expect(consent.status).toBe(302);
    const target = new URL(consent.headers.get('location') ?? '');
    expect(target.searchParams.get('state')).toBe('abc');
    const form = { ...client, grant_type: 'authorization_code', code: target.searchParams.get('code') ?? '', redirect_uri: redirect };
    const tokens = await desk.tokenRequest({ ...form, code_verifier: verifier });
    expect(tokens.status, tokens.text).toBe(200);
    expect((await desk.tokenRequest({ ...form, code_verifier: verifier })).json).toEqual({ error: 'invalid_grant' });
  });

  test('signs in a user by password, with a refresh token only when asked for', async () => {
    const full = await desk.tokenRequest(passwordForm);
    expect(full.status, full.text).toBe(200);
    expect(full.json['refresh_token']).toBeTypeOf('string');
    await desk.simulator.act({ action: 'set-licence', licence: { users: null } });
    const short = await desk.tokenRequest({ ...passwordForm, scope: 'api' });
    expect(short.json['refresh_token']).toBeUndefined();
  });

  test.each([
    ['client credentials', { grant_type: 'client_credentials' }, 'unauthorized_client'],
    ['an unknown grant', { grant_type: 'device_code' }, 'unsupported_grant_type'],
    ['a wrong secret', { client_secret: 'no' }, 'invalid_client'],
    ['a client id without its tenant', { client_id: clientId.split('@')[0] ?? '' }, 'invalid_client'],
    ['a wrong password', { ...passwordForm, password: 'no' }, 'invalid_grant'],
    ['an unknown scope', { ...passwordForm, scope: 'api everything' }, 'invalid_scope'],
  ])('refuses %s', async (_name, change, error) => {
    const answer = await desk.tokenRequest({ ...client, grant_type: 'refresh_token', refresh_token: 'x', ...change });
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({ error });
  });

  test('refuses offline_access where refresh tokens are off', async () => {
    await desk.simulator.seed({
      clients: [{ clientId: passwordClientId, secret: passwordClientSecret, flow: 'password', refreshTokens: 'none' }],
    });
    expect((await desk.tokenRequest(passwordForm)).json).toEqual({ error: 'invalid_scope' });
  });
});

describe('a session', () => {
  test('ends with its token, revocation and logout, each answered 401', async () => {
    expect((await desk.get('/Ledger')).status).toBe(200);
    desk.clock.advance(3_600_001);
    expect((await desk.get('/Ledger')).status).toBe(401);
    await signIn(desk);
    await desk.simulator.act({ action: 'revoke-tokens' });
    expect((await desk.get('/Ledger')).status).toBe(401);
    expect((await desk.tokenRequest({ ...client, grant_type: 'refresh_token', refresh_token: desk.refreshToken })).json).toEqual({
      error: 'invalid_grant',
    });
  });

  test('beyond the licensed users is refused until one logs out', async () => {
    const second = await desk.tokenRequest(passwordForm);
    expect(second.status).toBe(200);
    const third = await desk.tokenRequest(passwordForm);
    expect(third.status).toBe(500);
    expect(third.text).toContain('API Login Limit');
    const logout = await desk.send('POST', `${desk.url}/entity/auth/logout`, { token: String(second.json['access_token']) });
    expect(logout.status).toBe(204);
    expect((await desk.tokenRequest(passwordForm)).status).toBe(200);
  });

  test('can be noticed as too many only at the first call', async () => {
    await desk.simulator.act({ action: 'set-licence', licence: { users: 1, loginLimitAt: 'first-call', loginLimitStatus: 429 } });
    const token = await desk.tokenRequest(passwordForm);
    expect(token.status).toBe(200);
    const call = await desk.send('GET', `${desk.endpoint}/Ledger`, { token: String(token.json['access_token']) });
    expect(call.status).toBe(429);
  });

  test('is opened anew by every call without its cookie when concurrent access was asked for', async () => {
    await desk.simulator.act({ action: 'set-licence', licence: { users: 3 } });
    const answer = await desk.tokenRequest({ ...passwordForm, scope: 'api api:concurrent_access' });
    const token = String(answer.json['access_token']);
    const read = (headers = {}) => desk.send('GET', `${desk.endpoint}/Ledger`, { token, headers });
    const first = await read();
    const cookie = (first.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    expect([first.status, (await read({ cookie })).status, (await read()).status]).toEqual([200, 200, 500]);
  });

  test('of the cookie login works with the cookie and dies idle', async () => {
    const credentials = { name: 'mlc', password: 'simulated-password', tenant: 'KESTREL' };
    const login = await desk.send('POST', `${desk.url}/entity/auth/login`, { body: credentials, token: null });
    expect(login.status).toBe(204);
    const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const read = () => desk.send('GET', `${desk.endpoint}/Ledger`, { token: null, headers: { cookie } });
    expect((await read()).status).toBe(200);
    desk.clock.advance(21 * 60_000);
    expect((await read()).status).toBe(401);
    const wrong = await desk.send('POST', `${desk.url}/entity/auth/login`, { body: { ...credentials, password: 'x' }, token: null });
    expect(wrong.status).toBe(500);
    expect(wrong.text).toContain('Invalid credentials');
    const elsewhere = await desk.send('POST', `${desk.url}/entity/auth/login`, {
      body: { ...credentials, tenant: 'NOWHERE' },
      token: null,
    });
    expect(elsewhere.text).toContain('PXUndefinedCompanyException');
  });
});

describe('discovery', () => {
  test('lists the served versions without signing in, in both shapes', async () => {
    const answer = await desk.send('GET', `${desk.url}/entity`, { token: null });
    expect(answer.json['version']).toEqual({ acumaticaBuildVersion: '25.201.0213', databaseVersion: '25.201.0213' });
    expect(answer.text).toContain('"href":"/kestrel/entity/Default/24.200.001/"');
    await desk.simulator.act({ action: 'set-preference', preferences: { discovery: 'array' } });
    expect(Array.isArray((await desk.send('GET', `${desk.url}/entity`, { token: null })).json)).toBe(true);
  });

  test.each([
    ['an unknown version', '/kestrel/entity/Default/19.200.001/Customer'],
    ['an unknown endpoint', '/kestrel/entity/Custom/24.200.001/Customer'],
    ['an unknown entity', '/kestrel/entity/Default/24.200.001/Customers'],
    ['an unknown instance', '/other/entity/Default/24.200.001/Customer'],
  ])('answers 404 to %s', async (_name, path) => {
    expect((await desk.send('GET', path)).status).toBe(404);
  });

  test('works at the root of a site', async () => {
    const root = await openDesk({ instance: '' });
    expect((await root.get('/Ledger')).status).toBe(200);
    await root.close();
  });

  test('answers 403 where the user has no right or the feature is off', async () => {
    expect((await desk.get('/SalesInvoice')).status).toBe(403);
    await desk.simulator.act({ action: 'set-preference', preferences: { subaccounts: false, forbidden: ['Invoice'] } });
    expect((await desk.get('/Subaccount')).status).toBe(403);
    expect((await desk.get('/Invoice')).status).toBe(403);
  });
});

describe('the licence', () => {
  test('delays requests from half of the limit on, and declines only what would wait ten minutes', async () => {
    await desk.simulator.act({ action: 'set-licence', licence: { requestsPerMinute: 10 } });
    for (let index = 0; index < 5; index += 1) await desk.get('/Ledger');
    const before = desk.clock.now().getTime();
    await desk.get('/Ledger');
    // 60 s left, 10 − 5 still to be processed: 12 s.
    expect(desk.clock.now().getTime() - before).toBe(12_000);
  });

  test('declines in JSON or in plain text', async () => {
    await desk.simulator.act({ action: 'set-licence', licence: { requestsPerMinute: 1, declinedBody: 'text' } });
    const clock = desk.clock as { sleep: (ms: number) => Promise<void> };
    const waiting: (() => void)[] = [];
    clock.sleep = () => new Promise((resolve) => waiting.push(resolve));
    const calls = Array.from({ length: 30 }, () => desk.get('/Ledger'));
    const first = await Promise.any(
      calls.map((call) => call.then((answer) => (answer.status === 429 ? answer : Promise.reject(new Error('admitted'))))),
    );
    expect(first.text).toContain('The custom error module does not recognize this error.');
    clock.sleep = (ms) => {
      desk.clock.advance(ms);
      return Promise.resolve();
    };
    for (const resume of waiting) resume();
    desk.clock.advance(3_600_000);
    await Promise.all(calls);
  });
});
