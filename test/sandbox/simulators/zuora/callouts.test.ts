import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { invoiceOne, kestrel, openStage, type Stage } from './stage.ts';

interface Received {
  readonly url: string;
  readonly body: string;
  readonly headers: Headers;
}

let stage: Stage;
let received: Received[];
let answers: ((received: Received) => Response | Promise<Response>) | undefined;

const secret = 'ml-Hmac_s3cret/2026+Zuora=';
const url = 'https://hooks.mlconnector.example/zuora/t-7f3a';

beforeEach(async () => {
  received = [];
  answers = undefined;
  stage = await openStage({
    async fetch(request) {
      const one = { url: request.url, body: await request.text(), headers: request.headers };
      received.push(one);
      return answers ? answers(one) : Response.json({ success: true });
    },
  });
  await stage.simulator.seed(kestrel);
});
afterEach(() => stage.close());

const post = (path: string, body: unknown) => stage.call(path, { method: 'POST', body: JSON.stringify(body) });
const template = {
  name: 'mlc invoice posted',
  eventCategory: 1110,
  calloutBaseurl: url,
  httpMethod: 'POST',
  useCustomRequestBody: true,
  customRequestBody:
    '{"event":"InvoicePosted","tenantId":"{{Tenant.ID}}","objectId":"{{DataSource.Invoice.Id}}","at":"{{Event.Timestamp}}","none":"{{DataSource.Invoice.Nothing}}"}',
  calloutHeaders: { 'X-Mlc-Template': 'v1' },
  hmacAlgorithm: 'SHA-256',
  hmacOutputFormat: 'BASE64',
  hmacSecret: secret,
  hmacData: '{{Request.Body}}',
  hmacKey: 'X-Zuora-Signature',
  hmacValue: '{{Request.HMAC.Signed}}',
} as const;

async function register(over: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const { id } = (await (await post('/notifications/callout-templates', { ...template, ...over })).json()) as { id: string };
  const definition = { name: 'mlc invoice posted', eventCategory: 1110, active: true, calloutActive: true, calloutTemplateIds: [id] };
  expect((await post('/notifications/notification-definitions', definition)).status).toBe(200);
}
const issue = (number = 'INV00000417') => stage.act({ action: 'create-invoice', ...invoiceOne, number });

describe('set-up by API', () => {
  it('a template comes back with id and times, a PUT changes what it names', async () => {
    const made = (await (await post('/notifications/callout-templates', template)).json()) as Record<string, unknown>;
    expect(made).toMatchObject({
      ...template,
      createdOn: '2026-03-02T12:15:09.000 UTC',
      contentType: 'APPLICATION_JSON',
      calloutRetry: true,
    });
    const put = { method: 'PUT', body: JSON.stringify({ active: false }) };
    expect(await stage.json(`/notifications/callout-templates/${String(made['id'])}`, put)).toMatchObject({ ...template, active: false });
  });

  it.each([
    ['plain http', { calloutBaseurl: 'http://hooks.example/x' }],
    ['another port', { calloutBaseurl: 'https://hooks.example:8443/x' }],
    ['event category and type', { eventTypeName: 'Mine' }],
    ['an unknown category', { eventCategory: 4711 }],
    ['an unknown field', { hmacAlgoritm: 'MD5' }],
    ['half of an HMAC', { hmacSecret: null }],
    ['a custom body that is switched off', { useCustomRequestBody: false }],
  ])('%s is refused', async (_what, over) => {
    expect((await post('/notifications/callout-templates', { ...template, ...over })).status).toBe(400);
  });

  it('names are unique, unknown templates and profiles are refused, callouts are off by default', async () => {
    await register();
    expect((await post('/notifications/callout-templates', template)).status).toBe(400);
    const list = (await stage.json('/notifications/callout-templates')) as { data: { id: string }[] };
    const base = { name: 'second', eventCategory: 1110, calloutTemplateIds: [list.data[0]?.id] };
    expect((await post('/notifications/notification-definitions', { ...base, calloutTemplateIds: ['x'] })).status).toBe(400);
    expect((await post('/notifications/notification-definitions', { ...base, communicationProfileIds: ['x'] })).status).toBe(400);
    expect(await (await post('/notifications/notification-definitions', base)).json()).toMatchObject({ calloutActive: false });
    expect((await post('/notifications/notification-definitions', { ...base, name: 'mlc invoice posted' })).status).toBe(400);
  });

  it('lists go on with next until the end', async () => {
    for (const name of ['a', 'b', 'c']) await post('/notifications/callout-templates', { ...template, name });
    const first = (await stage.json('/notifications/callout-templates?limit=2')) as { data: unknown[]; next: string };
    expect(first.data).toHaveLength(2);
    const second = (await stage.json(new URL(first.next).pathname + new URL(first.next).search)) as { data: unknown[] };
    expect(second.data).toHaveLength(1);
    expect(second).not.toHaveProperty('next');
  });

  it('a trigger condition that cannot be read is refused', async () => {
    const trigger = { baseObject: 'Account', condition: "changeType == 'INSERT'", eventType: { name: 'Mine', displayName: 'mine' } };
    expect((await post('/events/event-triggers', { ...trigger, condition: 'changeType = 1' })).status).toBe(400);
    expect((await post('/events/event-triggers', { ...trigger, condition: "Invoice.Status == 'x'" })).status).toBe(400);
    expect((await post('/events/event-triggers', { ...trigger, baseObject: 'Cat' })).status).toBe(400);
    expect((await post('/events/event-triggers', trigger)).status).toBe(200);
    expect(await stage.json('/events/event-triggers')).toMatchObject({ data: [trigger] });
  });
});

describe('delivery', () => {
  it('carries text values, ids and a signature over the exact body', async () => {
    await register();
    await issue();
    expect(await stage.simulator.deliverDue()).toBe(1);
    const [one] = received;
    const invoice = stage.simulator.records('invoices')[0];
    expect(JSON.parse(one?.body ?? '')).toEqual({
      event: 'InvoicePosted',
      tenantId: '21765',
      objectId: invoice?.['id'],
      at: '2026-03-02T04:15:09.000-0800',
      none: '',
    });
    expect(one?.headers.get('x-zuora-signature')).toBe(
      createHmac('sha256', secret)
        .update(one?.body ?? '')
        .digest('base64'),
    );
    expect(one?.headers.get('x-mlc-template')).toBe('v1');
    expect(one?.headers.get('zuora-notification-id')).toMatch(/^[0-9a-f]{32}$/);
    expect(await stage.simulator.deliverDue()).toBe(0);
  });

  it.each([
    ['MD5', 'md5'],
    ['SHA-1', 'sha1'],
    ['SHA-224', 'sha224'],
    ['SHA-256', 'sha256'],
    ['SHA-384', 'sha384'],
    ['SHA-512', 'sha512'],
  ])('%s signs in HEX with a prefix and joined data', async (algorithm, digest) => {
    const hmacData = '{{Request.Headers.X-Mlc-Template}}.{{Request.Body}}';
    await register({ hmacAlgorithm: algorithm, hmacOutputFormat: 'HEX', hmacData, hmacValue: 'sig={{Request.HMAC.Signed}}' });
    await issue();
    await stage.simulator.deliverDue();
    const expected = createHmac(digest, secret)
      .update(`v1.${received[0]?.body ?? ''}`)
      .digest('hex');
    expect(received[0]?.headers.get('x-zuora-signature')).toBe(`sig=${expected}`);
  });

  it.each([
    [200, 1],
    [201, 1],
    [202, 1],
    [204, 1],
    [302, 1],
    [400, 1],
    [401, 1],
    [404, 1],
    [403, 3],
    [408, 3],
    [429, 3],
    [500, 3],
    [503, 3],
  ])('an answer %i is tried %i times, half an hour apart, under one notification id', async (status, attempts) => {
    answers = () => new Response(status === 204 ? null : '', { status });
    await register();
    await issue();
    for (let half = 0; half < 6; half += 1) {
      await stage.simulator.deliverDue();
      stage.clock.pass(29 * 60_000);
      expect(await stage.simulator.deliverDue()).toBe(0);
      stage.clock.pass(60_000);
    }
    expect(received).toHaveLength(attempts);
    expect(new Set(received.map((one) => one.headers.get('zuora-notification-id'))).size).toBe(1);
    expect(new Set(received.map((one) => one.headers.get('zuora-request-id'))).size).toBe(attempts);
    expect(stage.simulator.records('callouts')[0]).toMatchObject({ state: status === 200 ? 'delivered' : 'failed', attempts });
  });

  it('a connection that fails and an answer after 25 seconds count as failures that are retried', async () => {
    await register();
    await issue();
    answers = () => {
      throw new Error('ECONNREFUSED');
    };
    await stage.simulator.deliverDue();
    answers = () => {
      stage.clock.pass(26_000);
      return Response.json({ success: true });
    };
    stage.clock.pass(30 * 60_000);
    await stage.simulator.deliverDue();
    expect(stage.simulator.records('calloutHistory').map((row) => [row['attemptedNum'], row['responseCode']])).toEqual([
      [1, -1],
      [2, -1],
    ]);
  });

  it('Basic authentication is asked for first unless it is preemptive', async () => {
    answers = (one) =>
      one.headers.has('authorization')
        ? Response.json({})
        : new Response('', { status: 401, headers: { 'www-authenticate': 'Basic realm="mlc"' } });
    await register({ requiredAuth: true, calloutAuth: { username: 'u', password: 'p' } });
    await issue();
    await stage.simulator.deliverDue();
    expect(received.map((one) => one.headers.get('authorization'))).toEqual([null, 'Basic dTpw']);
    expect(stage.simulator.records('callouts')[0]).toMatchObject({ state: 'delivered', attempts: 1 });
  });

  it('with confirmation by content a 200 without success:true is retried', async () => {
    await stage.act({ action: 'set-limits', calloutConfirmedByBody: true });
    answers = () => Response.json({ success: false });
    await register();
    await issue();
    await stage.simulator.deliverDue();
    expect(stage.simulator.records('callouts')[0]).toMatchObject({ state: 'waiting', attempts: 1 });
    answers = () => Response.json({ success: true });
    stage.clock.pass(30 * 60_000);
    await stage.simulator.deliverDue();
    expect(stage.simulator.records('callouts')[0]).toMatchObject({ state: 'delivered', attempts: 2 });
  });

  it('a body that merging broke is never sent', async () => {
    await stage.act({ action: 'update-account', number: 'KR-10023', name: 'The "Best" Dentist' });
    await register({ customRequestBody: '{"name":"{{DataSource.Account.Name}}"}' });
    await issue();
    await stage.simulator.deliverDue();
    expect(received).toEqual([]);
    expect(stage.simulator.records('calloutHistory')[0]).toMatchObject({ responseCode: -2000 });
  });
});

describe('what calls out', () => {
  beforeEach(() => stage.act({ action: 'register-callouts', url, secret }));

  const events = async (): Promise<unknown[]> => {
    await stage.simulator.deliverDue();
    return received.splice(0).map((one) => (JSON.parse(one.body) as { event: string }).event);
  };

  it('seeding is silent, posting is not', async () => {
    await stage.simulator.seed({ invoices: [invoiceOne] });
    expect(await events()).toEqual([]);
    await issue('INV-2');
    expect(await events()).toEqual(['InvoicePosted']);
  });

  it('electronic payments only', async () => {
    const payment = { action: 'create-payment', account: 'KR-10023', amount: 10, date: '2026-03-09' };
    await stage.act({ ...payment, type: 'External' });
    expect(await events()).toEqual([]);
    await stage.act({ ...payment, number: 'P-9', type: 'Electronic' });
    expect(await events()).toEqual(['PaymentProcessed']);
    await stage.act({ action: 'chargeback', payment: 'P-9' });
    expect(await events()).toEqual(['PaymentRefundProcessed']);
  });

  it('memos, runs and changes of accounts that matter', async () => {
    await stage.act({ action: 'create-credit-memo', account: 'KR-10023', date: '2026-03-02', items: [{ amount: 1 }] });
    await stage.act({ action: 'create-debit-memo', account: 'KR-10023', date: '2026-03-02', items: [{ amount: 1 }] });
    expect(await events()).toEqual(['CreditMemoPosted', 'DebitMemoPosted']);
    await stage.act({ action: 'bill-run', invoices: [{ account: 'KR-10031', date: '2026-03-02', items: [{ amount: 1 }] }] });
    await stage.act({ action: 'create-journal-run', number: 'JR-00000045', journalEntryDate: '2026-03-31' });
    await stage.simulator.deliverDue();
    expect(received.splice(0).map((one) => JSON.parse(one.body) as unknown)).toMatchObject([
      { event: 'InvoicePosted' },
      { event: 'BillRunCompletion', objectId: expect.stringMatching(/^8ad0/) },
      { event: 'JournalRunCompletion', objectId: 'JR-00000045' },
    ]);
    await stage.act({ action: 'update-account', number: 'KR-10031', paymentTerm: 'Net 60' });
    expect(await events()).toEqual(['MlcAccountChanged']);
    await stage.act({ action: 'update-account', number: 'KR-10031', notes: 'does not matter' });
    await stage.act({ action: 'touch', noun: 'accounts', number: 'KR-10031' });
    expect(await events()).toEqual([]);
    await stage.act({ action: 'update-contact', account: 'KR-10031', city: 'Toledo' });
    expect(await events()).toEqual(['MlcContactChanged']);
  });

  it('only accounts of the profiles a definition is attached to', async () => {
    await stage.simulator.seed({
      communicationProfiles: [{ name: 'Resellers' }],
      accounts: [{ number: 'KR-9', name: 'Reseller', communicationProfile: 'Resellers' }],
    });
    await stage.act({ action: 'create-invoice', account: 'KR-9', date: '2026-03-02', items: [{ amount: 1 }] });
    expect(await events()).toEqual([]);
    await stage.act({ action: 'register-callouts', url, secret });
    await stage.act({ action: 'create-invoice', account: 'KR-9', date: '2026-03-02', items: [{ amount: 1 }] });
    expect(await events()).toEqual(['InvoicePosted']);
  });

  it('a deactivated definition is silent', async () => {
    await stage.act({ action: 'deactivate-definition', name: 'mlc InvoicePosted' });
    await issue();
    expect(await events()).toEqual([]);
  });

  it('callouts can be lost, late, reversed, repeated and forged', async () => {
    await stage.act({ action: 'lose-callouts', count: 1 });
    await issue('A-1');
    await issue('A-2');
    expect(await events()).toHaveLength(1);
    await stage.act({ action: 'delay-callouts', count: 1, ms: 60_000 });
    await issue('A-3');
    expect(await events()).toHaveLength(0);
    stage.clock.pass(60_000);
    expect(await events()).toHaveLength(1);
    await stage.act({ action: 'repeat-callouts', number: 'A-3', times: 2 });
    await stage.simulator.deliverDue();
    expect(new Set(received.splice(0).map((one) => one.headers.get('zuora-notification-id'))).size).toBe(1);
    await stage.act({ action: 'reorder-callouts', on: true });
    await issue('A-4');
    await issue('A-5');
    const [four, five] = ['A-4', 'A-5'].map(
      (number) => stage.simulator.records('invoices').find((row) => row['number'] === number)?.['id'],
    );
    await stage.simulator.deliverDue();
    expect(received.splice(0).map((one) => (JSON.parse(one.body) as { objectId: string }).objectId)).toEqual([five, four]);
    answers = () => new Response('no', { status: 401 });
    expect(await stage.act({ action: 'forge-callout', url, body: '{"event":"InvoicePosted"}', secret: 'guess' })).toEqual({
      status: 401,
      body: 'no',
    });
  });
});

describe('history', () => {
  it('shows failures of the last day by default, everything on demand, and sends again by id', async () => {
    await stage.act({ action: 'register-callouts', url, secret });
    answers = () => new Response('busy', { status: 503 });
    await issue();
    await stage.simulator.deliverDue();
    answers = undefined;
    stage.clock.pass(30 * 60_000);
    await stage.simulator.deliverDue();
    const failed = (await stage.json('/v1/notification-history/callout?eventCategory=1110')) as {
      calloutHistories: Record<string, unknown>[];
    };
    expect(failed.calloutHistories).toHaveLength(1);
    expect(failed.calloutHistories[0]).toMatchObject({
      attemptedNum: 1,
      responseCode: 503,
      responseContent: 'busy',
      createTime: '2026-03-02T04:15:09',
      eventContext: { '<Event.Category>': 'InvoicePosted', '<Account.Number>': 'KR-10023' },
    });
    expect(failed.calloutHistories[0]).not.toHaveProperty('id');
    expect(await stage.json('/v1/notification-history/callout?failedOnly=false&startTime=2026-03-02T04:30:00')).toMatchObject({
      calloutHistories: [{ attemptedNum: 2 }],
    });
    const [first] = stage.simulator.records('calloutHistory');
    const resend = (ids: unknown[]) => post('/notifications/callout-histories/resend', ids);
    expect((await resend([first?.['id']])).status).toBe(202);
    expect((await resend(['none'])).status).toBe(400);
    expect(await stage.simulator.deliverDue()).toBe(1);
  });
});
