import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { WebhookRequest } from '../../../lib/contracts/vendor.ts';
import { zuoraWebhooks } from '../../../lib/vendors/zuora/webhooks.ts';
import { failureOf } from '../../conformance/vendor-stage.ts';
import { connectionAt } from './fixtures.ts';

const secret = 'ml-Hmac_s3cret/2026+Zuora=';
const id = '8ad08aef9385f2b60193a1b2c3d40001';
const posted = JSON.stringify({ event: 'InvoicePosted', objectId: id });

function requestOf(body: string, headers: Readonly<Record<string, string>> = {}, more: Partial<WebhookRequest> = {}): WebhookRequest {
  return { method: 'POST', path: '/webhooks/kestrel-billing', query: {}, headers, body: Buffer.from(body), ...more };
}

const sign = (body: string, encoding: 'hex' | 'base64' = 'base64', key = secret, algorithm = 'sha256'): string =>
  createHmac(algorithm, key).update(body).digest(encoding);
const signed = (body: string, headers: Readonly<Record<string, string>> = {}): WebhookRequest =>
  requestOf(body, { 'x-zuora-signature': sign(body), ...headers });

const at = 'http://127.0.0.1:1';
const hmac = connectionAt(at);
const withSettings = (callouts: object, given: object = {}) => connectionAt(at, { settings: { callouts }, ...given });

describe('a signed callout', () => {
  test('the published vector is proven in both encodings, hexadecimal in any letter case', async () => {
    const hex = '67804393e25f85bec698c8db2a7fc4482504eeda177bf756a7aef9c09b38b700';
    const base64 = 'Z4BDk+Jfhb7GmMjbKn/ESCUE7toXe/dWp675wJs4twA=';
    expect(sign('{"a":1}', 'hex')).toBe(hex);
    for (const signature of [hex, hex.toUpperCase(), base64, base64.replace(/=$/, '')]) {
      // Proven, but it names no event of ours.
      const failure = await failureOf(zuoraWebhooks.receive(requestOf('{"a":1}', { 'x-zuora-signature': signature }), hmac));
      expect(failure.kind).toBe('WebhookUnknown');
    }
  });

  test('names the event and one object, and is told apart by its notification id', async () => {
    const request = signed(posted, { 'zuora-notification-id': '7f1d6a2e-0001' });
    expect(await zuoraWebhooks.receive(request, hmac)).toEqual({
      signals: [{ event: 'InvoicePosted', objectId: id, dedupeKey: '7f1d6a2e-0001' }],
    });
  });

  test('without a notification id it is told apart by its bytes', async () => {
    const result = await zuoraWebhooks.receive(signed(posted), hmac);
    const key = `body:${createHash('sha256').update(posted).digest('hex')}`;
    expect(result).toEqual({ signals: [{ event: 'InvoicePosted', objectId: id, dedupeKey: key }] });
  });

  test.each([
    ['a changed body', signed(posted).headers, posted.replace('0001', '0002')],
    ['a changed space', signed(posted).headers, `${posted} `],
    ['another secret', { 'x-zuora-signature': sign(posted, 'base64', 'other') }, posted],
    ['another algorithm', { 'x-zuora-signature': sign(posted, 'base64', secret, 'sha512') }, posted],
    ['SHA-1', { 'x-zuora-signature': sign(posted, 'hex', secret, 'sha1') }, posted],
    ['no header', {}, posted],
    ['an empty header', { 'x-zuora-signature': '' }, posted],
    ['a cut signature', { 'x-zuora-signature': sign(posted).slice(0, 20) }, posted],
    ['a longer signature', { 'x-zuora-signature': `${sign(posted, 'hex')}00` }, posted],
    ['two signatures', { 'x-zuora-signature': `${sign(posted)},${sign(posted)}` }, posted],
    ['the signature in another header', { 'x-signature': sign(posted) }, posted],
    ['a prefix nobody configured', { 'x-zuora-signature': `sha256=${sign(posted, 'hex')}` }, posted],
  ])('%s is refused', async (_what, headers, body) => {
    expect((await failureOf(zuoraWebhooks.receive(requestOf(body, headers), hmac))).kind).toBe('SignatureRejected');
  });

  test('while a secret is rotated the previous one is accepted, an older one is not', async () => {
    const rotating = connectionAt(at, { secrets: { hmacSecret: 'new-secret' }, previous: { hmacSecret: 'old-secret' } });
    for (const key of ['new-secret', 'old-secret']) {
      const request = requestOf(posted, { 'x-zuora-signature': sign(posted, 'base64', key) });
      expect(await zuoraWebhooks.receive(request, rotating)).toHaveProperty('signals');
    }
    const older = requestOf(posted, { 'x-zuora-signature': sign(posted, 'base64', 'older-secret') });
    expect((await failureOf(zuoraWebhooks.receive(older, rotating))).kind).toBe('SignatureRejected');
  });

  test('a connection without a signing secret proves nothing', async () => {
    const bare = connectionAt(at, { secrets: { clientId: 'x', clientSecret: 'y' } });
    const request = requestOf(posted, { 'x-zuora-signature': sign(posted, 'base64', '') });
    expect((await failureOf(zuoraWebhooks.receive(request, bare))).kind).toBe('SignatureRejected');
  });

  test.each([
    ['SHA-224', 'sha224'],
    ['SHA-384', 'sha384'],
    ['SHA-512', 'sha512'],
  ])('%s, a header of its own and a prefix are settings', async (algorithm, name) => {
    const connection = withSettings({ algorithm, encoding: 'HEX', header: 'X-Callout-Proof', valuePrefix: 'proof=' });
    const headers = { 'x-callout-proof': `proof=${sign(posted, 'hex', secret, name).toUpperCase()}` };
    expect(await zuoraWebhooks.receive(requestOf(posted, headers), connection)).toHaveProperty('signals');
    const bare = { 'x-callout-proof': sign(posted, 'hex', secret, name) };
    expect((await failureOf(zuoraWebhooks.receive(requestOf(posted, bare), connection))).kind).toBe('SignatureRejected');
  });

  test.each(['MD5', 'SHA-1'])('%s is refused as a setting', (algorithm) => {
    expect(() => withSettings({ algorithm })).toThrow(/prove nothing any more/);
  });

  test('a GET callout is refused', async () => {
    const request = requestOf('', { 'x-zuora-signature': sign('') }, { method: 'GET', query: { event: 'InvoicePosted', objectId: id } });
    expect((await failureOf(zuoraWebhooks.receive(request, hmac))).kind).toBe('SignatureRejected');
  });
});

describe('what a proven callout may say', () => {
  test.each([
    ['an event we do not move', '{"event":"SubscriptionCreated","objectId":"8ad0"}'],
    ['no event', '{"objectId":"8ad0"}'],
    ['an array', '[]'],
    ['no JSON', 'InvoicePosted'],
    ['nothing', ''],
    ['an event that is not text', '{"event":1110}'],
  ])('%s is unknown and gets 200', async (_what, body) => {
    expect((await failureOf(zuoraWebhooks.receive(signed(body), hmac))).kind).toBe('WebhookUnknown');
  });

  test.each([
    ['InvoicePosted', id, id],
    ['InvoicePosted', '', undefined],
    ['InvoicePosted', 'null', undefined],
    ['InvoicePosted', "8ad08aef' or 1=1", undefined],
    ['CreditMemoPosted', 'F94FB52490E95CD65925CD7B737600C1', 'F94FB52490E95CD65925CD7B737600C1'],
    ['BillRunCompletion', id, undefined],
    ['PaymentRunCompletion', '', undefined],
    ['JournalRunCompletion', 'JR-00000045', 'JR-00000045'],
    ['JournalRunCompletion', '../secrets', undefined],
    ['MlcAccountChanged', id, id],
  ])('%s with id %j names %j', async (event, objectId, named) => {
    const result = await zuoraWebhooks.receive(signed(JSON.stringify({ event, objectId, amount: '999' })), hmac);
    const signal = 'signals' in result ? result.signals[0] : undefined;
    expect(signal?.event).toBe(event);
    expect(signal?.objectId).toBe(named);
    expect(JSON.stringify(result)).not.toContain('999');
  });

  test('a notification id that is no id is not used', async () => {
    const result = await zuoraWebhooks.receive(signed(posted, { 'zuora-notification-id': 'a b\u0000' }), hmac);
    expect('signals' in result && result.signals[0]?.dedupeKey).toMatch(/^body:/);
  });
});

describe('a callout with user and password', () => {
  const basic = withSettings({ mode: 'basic' });
  const login = (user: string, password: string) => ({ authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` });

  test('the first request comes bare and is asked for them', async () => {
    expect(await zuoraWebhooks.receive(requestOf(posted), basic)).toMatchObject({
      reply: { status: 401, headers: { 'www-authenticate': 'Basic realm="ml-connector"' } },
    });
  });

  test('the second one is proven', async () => {
    expect(await zuoraWebhooks.receive(requestOf(posted, login('zuora-callout', 'b4sic:Pass')), basic)).toHaveProperty('signals');
  });

  test.each([
    ['wrong password', login('zuora-callout', 'wrong')],
    ['wrong user', login('somebody', 'b4sic:Pass')],
    ['another scheme', { authorization: 'Bearer b4sic:Pass' }],
    ['a signature instead', { authorization: 'x', 'x-zuora-signature': sign(posted) }],
  ])('%s is refused', async (_what, headers) => {
    expect((await failureOf(zuoraWebhooks.receive(requestOf(posted, headers), basic))).kind).toBe('SignatureRejected');
  });
});

describe('an unsigned callout', () => {
  const unsigned = withSettings({ mode: 'unsigned' });
  const path = '/webhooks/kestrel-billing/t-7f3a9c21d4e8';

  test('is taken only under the secret path and with the id of one record', async () => {
    expect(await zuoraWebhooks.receive(requestOf(posted, {}, { path }), unsigned)).toHaveProperty('signals');
    const query = { token: 't-7f3a9c21d4e8' };
    expect(await zuoraWebhooks.receive(requestOf(posted, {}, { query }), unsigned)).toHaveProperty('signals');
    const guessed = requestOf(posted, {}, { query: { token: 't-guess' } });
    expect((await failureOf(zuoraWebhooks.receive(guessed, unsigned))).kind).toBe('SignatureRejected');
    const elsewhere = requestOf(posted, {}, { path: '/webhooks/kestrel-billing/t-guess' });
    expect((await failureOf(zuoraWebhooks.receive(elsewhere, unsigned))).kind).toBe('SignatureRejected');
    const noId = requestOf('{"event":"BillRunCompletion"}', {}, { path });
    expect((await failureOf(zuoraWebhooks.receive(noId, unsigned))).kind).toBe('WebhookUnknown');
  });

  test('is not taken when the connection has no token', async () => {
    const bare = withSettings({ mode: 'unsigned' }, { secrets: { clientId: 'x' } });
    expect((await failureOf(zuoraWebhooks.receive(requestOf(posted, {}, { path: '/webhooks//' }), bare))).kind).toBe('SignatureRejected');
  });
});

describe('answers', () => {
  test.each([
    ['accepted', 200, '{"success":true}'],
    ['unknown', 200, '{"success":true}'],
    ['rejected', 401, '{"success":false}'],
    ['oversized', 413, '{"success":false}'],
    ['unavailable', 503, '{"success":false}'],
  ] as const)('%s gets %i', (result, status, body) => {
    expect(zuoraWebhooks.answer(result, hmac)).toMatchObject({ status, body, headers: { 'content-type': 'application/json' } });
  });

  test('a wrong password is asked for again', () => {
    expect(zuoraWebhooks.answer('rejected', withSettings({ mode: 'basic' })).headers).toHaveProperty('www-authenticate');
  });
});
