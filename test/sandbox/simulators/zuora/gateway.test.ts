import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { invoiceOne, kestrel, openStage, type Stage } from './stage.ts';

let stage: Stage;

beforeEach(async () => {
  stage = await openStage();
  await stage.simulator.seed({ ...kestrel, invoices: [invoiceOne] });
});
afterEach(() => stage.close());

const form = (over: Readonly<Record<string, string>> = {}) =>
  new URLSearchParams({
    client_id: stage.simulator.credentials.clientId,
    client_secret: stage.simulator.credentials.clientSecret,
    grant_type: 'client_credentials',
    ...over,
  });
const grant = (init: RequestInit): Promise<Response> => fetch(`${stage.url}/oauth/token`, { method: 'POST', ...init });

describe('tokens', () => {
  it('a form with the right client gives a token of 3,598 seconds with entity and tenant in its scope', async () => {
    const response = await grant({ body: form() });
    expect(await response.json()).toMatchObject({
      token_type: 'bearer',
      expires_in: 3598,
      scope: expect.stringMatching(/entity\.11e643f4\S* tenant\.21765/),
    });
    expect(response.headers.get('x-ratelimit-limit-minute')).toBe('2000');
    expect(response.headers.get('x-ratelimit-remaining-minute')).toBe('99');
    expect(response.headers.get('zuora-request-id')).toMatch(/^[0-9a-f]{32}$/);
  });

  it('JSON, another grant, a wrong secret and an Authorization header are refused', async () => {
    const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(Object.fromEntries(form())) };
    expect((await grant(json)).status).toBe(415);
    expect((await grant({ body: form({ grant_type: 'password' }) })).status).toBe(400);
    expect((await grant({ body: form({ client_secret: 'wrong' }) })).status).toBe(401);
    expect((await grant({ headers: { authorization: 'Basic eA==' }, body: form() })).status).toBe(400);
  });

  it('a secret that was not percent-encoded is a wrong secret', async () => {
    const { clientId, clientSecret } = stage.simulator.credentials;
    const body = `client_id=${clientId}&client_secret=${clientSecret}&grant_type=client_credentials`;
    expect((await grant({ headers: { 'content-type': 'application/x-www-form-urlencoded' }, body })).status).toBe(401);
  });

  it('several tokens live at once until they expire, and then v1 and actions answer 401 in their own shapes', async () => {
    const [one, two] = [await stage.token(), await stage.token()];
    const read = (token: string, path = '/object-query/accounts', init: RequestInit = {}) =>
      fetch(stage.url + path, { ...init, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } });
    expect([(await read(one)).status, (await read(two)).status]).toEqual([200, 200]);
    stage.clock.pass(3_598_000);
    const late = await read(one);
    expect(late.status).toBe(401);
    expect(await late.json()).toMatchObject({ success: false, reasons: [{ code: 90000011, message: 'Authentication error' }] });
    const action = await read(one, '/v1/action/query', { method: 'POST', body: '{}' });
    expect(action.status).toBe(401);
    expect(action.headers.get('www-authenticate')).toBeTruthy();
    expect(await action.json()).toEqual({ message: 'Authentication error' });
  });

  it('tokens can be made to expire early', async () => {
    expect((await stage.call('/object-query/accounts')).status).toBe(200);
    await stage.act({ action: 'expire-tokens' });
    expect((await stage.call('/object-query/accounts')).status).toBe(401);
  });

  it('an address may ask 100 times a minute, the tenant 2,000 times', async () => {
    for (let call = 0; call < 100; call += 1) expect((await grant({ body: form() })).status).toBe(200);
    const refused = await grant({ body: form() });
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ reasons: [{ code: 70 }] });
    expect((await grant({ headers: { 'x-forwarded-for': '203.0.113.9' }, body: form() })).status).toBe(200);
    stage.clock.pass(60_000);
    expect((await grant({ body: form() })).status).toBe(200);
  });

  it('credentials and tokens are unknown on another region’s host', async () => {
    const at = (host: string, path: string, init: RequestInit) => stage.simulator.fetch(new Request(`https://${host}${path}`, init));
    expect((await at('rest.eu.zuora.com', '/oauth/token', { method: 'POST', body: form() })).status).toBe(401);
    expect((await at('rest.na.zuora.com', '/oauth/token', { method: 'POST', body: form() })).status).toBe(200);
    const headers = { authorization: `Bearer ${await stage.token()}` };
    expect((await at('rest.eu.zuora.com', '/object-query/accounts', { headers })).status).toBe(401);
    expect((await at('rest.na.zuora.com', '/object-query/accounts', { headers })).status).toBe(200);
  });
});

describe('headers', () => {
  it('every answer carries request id, the echoed track id, rate and concurrency headers', async () => {
    const response = await stage.call('/object-query/accounts', { headers: { 'zuora-track-id': 'mlc-42' } });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'zuora-request-id': expect.stringMatching(/^[0-9a-f]{32}$/),
      'zuora-track-id': 'mlc-42',
      'ratelimit-limit': '50000, 50000;w=60, 2250000;w=3600, 27000000;w=86400',
      'ratelimit-remaining': '49999',
      'concurrency-limit-type': 'Object Query',
      'concurrency-limit-limit': '80',
    });
    const refused = await stage.call('/v1/invoices/none');
    expect(refused.headers.get('ratelimit-remaining')).toBe('49998');
    expect(refused.headers.get('concurrency-limit-type')).toBe('Default');
  });

  it('a track id with a colon or beyond 64 characters is refused', async () => {
    expect((await stage.call('/object-query/accounts', { headers: { 'zuora-track-id': 'a:b' } })).status).toBe(400);
    expect((await stage.call('/object-query/accounts', { headers: { 'zuora-track-id': 'x'.repeat(65) } })).status).toBe(400);
  });

  it('a foreign entity and any organization are refused, the own entity is fine with or without hyphens', async () => {
    const status = async (headers: Record<string, string>) => (await stage.call('/object-query/accounts', { headers })).status;
    expect(await status({ 'zuora-entity-ids': '11e643f4-a3ee-8bad-b061-0025904c57d6' })).toBe(200);
    expect(await status({ 'zuora-entity-ids': '11e643f4a3ee8badb0610025904c57d6' })).toBe(200);
    expect(await status({ 'zuora-entity-ids': 'another' })).toBe(403);
    expect(await status({ 'zuora-org-ids': '1' })).toBe(403);
  });

  it('answers above 1,000 bytes are compressed for those who accept it', async () => {
    const zipped = await openStage({ gzip: true });
    try {
      await zipped.simulator.seed(kestrel);
      const response = await zipped.call('/v1/accounts/KR-10023');
      expect(response.headers.get('content-encoding')).toBe('gzip');
      expect(await response.json()).toMatchObject({ success: true });
    } finally {
      await zipped.close();
    }
  });
});

describe('limits', () => {
  it('the rate limit is a plain code 70 without Retry-After, and ends with the window', async () => {
    await stage.act({ action: 'set-limits', perMinute: 2 });
    expect((await stage.call('/object-query/accounts')).status).toBe(200);
    expect((await stage.call('/object-query/accounts')).status).toBe(200);
    const refused = await stage.call('/object-query/accounts');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBeNull();
    expect(refused.headers.get('ratelimit-remaining')).toBe('0');
    const reset = Number(refused.headers.get('ratelimit-reset'));
    expect(await refused.json()).toEqual({
      reasons: [{ code: 70, message: `API Rate limit exceeded for the minute, retry after ${reset} seconds` }],
    });
    stage.clock.pass(reset * 1000);
    expect((await stage.call('/object-query/accounts')).status).toBe(200);
  });

  it('the concurrency limit is 50000070 with Retry-After 120', async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const clock = { ...stage.clock, sleep: () => held };
    const slow = await openStage({ clock });
    try {
      await slow.token();
      await slow.call('/object-query/accounts');
      await slow.act({ action: 'set-limits', concurrentObjectQuery: 1, answerTakesMs: 1_000 });
      const first = slow.call('/object-query/accounts');
      const arrived = async (): Promise<void> => {
        while (slow.simulator.mostInFlight() < 1 || slow.simulator.calls()['GET /object-query/accounts'] !== 2)
          await new Promise((resolve) => setImmediate(resolve));
      };
      await arrived();
      const second = await slow.call('/object-query/accounts');
      expect(second.status).toBe(429);
      expect(second.headers.get('retry-after')).toBe('120');
      expect(await second.json()).toMatchObject({ reasons: [{ code: 50000070 }] });
      release();
      expect((await first).status).toBe(200);
    } finally {
      release();
      await slow.close();
    }
  });

  it('an API sandbox has its tiny quotas', async () => {
    const sandbox = await openStage({ region: 'us-api-sandbox-cloud1' });
    try {
      expect((await sandbox.call('/object-query/accounts')).headers.get('ratelimit-limit')).toBe(
        '10000, 2500;w=60, 5000;w=3600, 10000;w=86400'.replace(/^10000/, '2500'),
      );
    } finally {
      await sandbox.close();
    }
  });
});

describe('errors', () => {
  it('a business error is 404 with success:false, and HTTP 200 before 2024-05-20', async () => {
    const now = await stage.call('/v1/invoices/none');
    expect(now.status).toBe(404);
    expect(await now.json()).toMatchObject({
      success: false,
      reasons: [{ code: 50000040, message: "Cannot find entity by key: 'none'." }],
      requestId: expect.any(String),
    });
    for (const version of ['341.0', null, 'nonsense']) {
      const old = await stage.call('/v1/invoices/none', { version });
      expect(old.status).toBe(200);
      expect(await old.json()).toMatchObject({ success: false });
    }
  });

  it('an unknown path is the gateway’s 404', async () => {
    const response = await stage.call('/v1/invoices');
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ message: 'no Route matched with those values' });
    expect((await stage.call('/object-query/orders')).status).toBe(404);
  });

  it('a missing permission is 403 with category 10', async () => {
    await stage.act({ action: 'deny-permissions', operations: ['GET /object-query/refunds*'] });
    const refused = await stage.call('/object-query/refunds?pageSize=1');
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ reasons: [{ code: '50000010' }] });
    expect((await stage.call('/object-query/payments')).status).toBe(200);
  });

  it('a PUT without JSON body or type is 415', async () => {
    expect((await stage.call('/v1/invoices/INV00000417', { method: 'PUT' })).status).toBe(415);
    const text = { method: 'PUT', headers: { 'content-type': 'text/plain' }, body: '{}' };
    expect((await stage.call('/v1/invoices/INV00000417', text)).status).toBe(415);
  });
});

describe('idempotency', () => {
  const body = (name: string) =>
    JSON.stringify({ name, currency: 'USD', billCycleDay: 0, billToContact: { firstName: 'J', lastName: 'T' } });
  const post = (key: string, text: string, path = '/v1/accounts') =>
    stage.call(path, { method: 'POST', headers: { 'idempotency-key': key }, body: text });

  it('a repeat within a day is replayed and creates nothing', async () => {
    const first = await (await post('k1', body('Tornow'))).json();
    const again = await post('k1', body('Tornow'));
    expect(await again.json()).toEqual(first);
    expect(stage.simulator.records('accounts')).toHaveLength(3);
    stage.clock.pass(24 * 3_600_000);
    await stage.act({ action: 'expire-tokens' });
    const fresh = await fetch(`${stage.url}/v1/accounts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await stage.token()}`, 'content-type': 'application/json', 'idempotency-key': 'k1' },
      body: body('Tornow'),
    });
    expect(fresh.status).toBe(200);
    expect(stage.simulator.records('accounts')).toHaveLength(4);
  });

  it('a failure is replayed too, whatever the new body says', async () => {
    expect((await post('k2', '{"name":"Tornow"}')).status).toBe(400);
    expect((await post('k2', body('Tornow'))).status).toBe(400);
    expect(stage.simulator.records('accounts')).toHaveLength(2);
  });

  it('another URL is 422, a PUT is 400, and a tenant may replay as 409 with the first result', async () => {
    const first = await (await post('k3', body('Tornow'))).json();
    expect((await post('k3', body('Tornow'), '/v1/contacts')).status).toBe(422);
    const put = await stage.call('/v1/invoices/INV00000417', { method: 'PUT', headers: { 'idempotency-key': 'k4' }, body: '{}' });
    expect(put.status).toBe(400);
    expect(JSON.stringify(await put.json())).toContain("Request method 'PUT' not supported with Idempotency-Key header");
    await stage.act({ action: 'set-feature', feature: 'idempotentRepeat', value: 'conflict' });
    const again = await post('k3', body('Tornow'));
    expect([again.status, await again.json()]).toEqual([409, first]);
  });

  it('a key that is still worked on is 409', async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = await openStage({ clock: { ...stage.clock, sleep: () => held } });
    try {
      await slow.call('/object-query/accounts');
      await slow.act({ action: 'set-limits', answerTakesMs: 1 });
      const send = () => slow.call('/v1/accounts', { method: 'POST', headers: { 'idempotency-key': 'k5' }, body: body('Tornow') });
      const first = send();
      while (slow.simulator.calls()['POST /v1/accounts'] !== 1) await new Promise((resolve) => setImmediate(resolve));
      const second = await send();
      expect(second.status).toBe(409);
      release();
      expect((await first).status).toBe(200);
      expect(slow.simulator.records('accounts')).toHaveLength(1);
    } finally {
      release();
      await slow.close();
    }
  });
});
