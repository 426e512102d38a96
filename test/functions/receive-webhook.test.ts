import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { handler } from '../../functions/receive-webhook.ts';
import { answerOf, collectOutput, type Deployment, openDeployment, type RequestFacts, signed } from './deployment.ts';

let deployment: Deployment;
let output: ReturnType<typeof collectOutput>;
const written: string[] = [];

beforeAll(async () => {
  deployment = await openDeployment();
});
afterAll(() => deployment.close());
beforeEach(() => {
  output = collectOutput();
});
afterEach(() => {
  output.stop();
  written.push(output.text());
});

const path = '/webhooks/acumatica-zuora/zuora';
const objectId = '8ad08aef9385f2b60193a1b2c3d40001';
const posted = JSON.stringify({ event: 'InvoicePosted', objectId });
const send = (facts: Partial<RequestFacts>) => answerOf(handler, { path, ...facts });
let count = 0;
/** A callout with a proof, under an id of its own. */
const proven = (body: string | Uint8Array, more: Partial<RequestFacts> = {}) => {
  count += 1;
  return send({ body, headers: signed(body, deployment.hmacSecret, `notice-${count}`), ...more });
};
const queued = () => deployment.waiting('live');

describe('a callout that Zuora signed', () => {
  it('is queued and answered with 200, as text and in base64', async () => {
    const before = queued();
    expect(await proven(posted)).toEqual({ status: 200, body: '{"success":true}' });
    expect(await proven(posted, { base64: true })).toEqual({ status: 200, body: '{"success":true}' });
    expect(queued() - before).toBe(2);
  });

  it('is taken once, however often it is repeated', async () => {
    const before = queued();
    const headers = signed(posted, deployment.hmacSecret, 'notice-repeated');
    for (let turn = 0; turn < 3; turn += 1) expect((await send({ body: posted, headers })).status).toBe(200);
    expect(queued() - before).toBe(1);
  });

  it('as the simulated Zuora sends it on its own, names the invoice that was posted', async () => {
    const before = queued();
    await deployment.simulators.zuora.act({
      action: 'create-invoice',
      number: 'INV00000417',
      account: 'KR-10023',
      date: '2026-03-02',
      items: [{ amount: '10.00', recognizedRevenueAccountingCode: 'Subscription Revenue' }],
    });
    await deployment.simulators.zuora.deliverDue?.();
    expect(deployment.callouts.length).toBeGreaterThan(0);
    for (const request of deployment.callouts) {
      const body = new Uint8Array(await request.arrayBuffer());
      const answer = await send({ path: new URL(request.url).pathname, headers: Object.fromEntries(request.headers), body });
      expect(answer.status).toBe(200);
    }
    expect(queued()).toBeGreaterThan(before);
  });

  it('header names may come in any letter case', async () => {
    count += 1;
    const headers = Object.fromEntries(
      Object.entries(signed(posted, deployment.hmacSecret, `notice-${count}`)).map(([name, value]) => [name.toUpperCase(), value]),
    );
    expect((await send({ body: posted, headers })).status).toBe(200);
  });

  it.each([
    ['an event we do not move', '{"event":"SomethingElse","objectId":"x"}'],
    ['no JSON', 'hello'],
    ['half of a JSON text', posted.slice(0, 20)],
    ['an array', '[]'],
    ['null', 'null'],
    ['an empty body', ''],
    ['names that would reach a prototype', '{"__proto__":{"event":"InvoicePosted"},"constructor":{"prototype":{"objectId":"x"}}}'],
    ['JSON as deep as a well', `${'['.repeat(30_000)}${']'.repeat(30_000)}`],
  ])('with %s is answered as unknown and queues nothing', async (_what, body) => {
    const before = queued();
    expect(await proven(body)).toEqual({ status: 200, body: '{"success":true}' });
    expect(queued() - before).toBe(0);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
    expect(Reflect.get({}, 'event')).toBeUndefined();
  });

  it('with bytes that are no UTF-8 is answered as unknown and queues nothing', async () => {
    const before = queued();
    const bytes = Buffer.concat([Buffer.from('{"event":"InvoicePosted","objectId":"'), Buffer.from([0xff, 0xfe, 0x80]), Buffer.from('"}')]);
    expect((await proven(bytes, { base64: true })).status).toBe(200);
    expect(queued() - before).toBe(0);
  });

  it('with two events under one name counts as the last of them: it can only make us look', async () => {
    expect((await proven('{"event":"SomethingElse","event":"InvoicePosted","objectId":{"id":7}}')).status).toBe(200);
    const bodies = (await deployment.receive('live')).Records.map(({ body }) => body).join(' ');
    expect(bodies).not.toContain('SomethingElse');
    expect(bodies).not.toContain('[object');
  });

  it('whose object is no id of Zuora only means "look now": its text never becomes a key', async () => {
    const before = queued();
    expect((await proven(JSON.stringify({ event: 'InvoicePosted', objectId: "8ad' or 1=1 --" }))).status).toBe(200);
    const batch = await deployment.receive('live');
    expect(batch.Records.map(({ body }) => body).join(' ')).not.toContain('or 1=1');
    expect(queued()).toBeLessThanOrEqual(before + 1);
  });
});

describe('a request that is not proven', () => {
  it.each<[string, () => Partial<RequestFacts>]>([
    ['without a signature', () => ({ body: posted, headers: {} })],
    ['signed with another secret', () => ({ body: posted, headers: signed(posted, 'guessed') })],
    [
      'whose body was changed after signing',
      () => ({ body: posted.replace('Posted', 'Edited'), headers: signed(posted, deployment.hmacSecret) }),
    ],
    ['whose body was cut short on the way', () => ({ body: posted.slice(0, -5), headers: signed(posted, deployment.hmacSecret) })],
    [
      'that says it is base64 and is not',
      () => ({ body: posted, headers: signed(Buffer.from(posted).toString('base64'), deployment.hmacSecret) }),
    ],
    ['with an empty signature', () => ({ body: posted, headers: { 'x-zuora-signature': '' } })],
    ['with a signature that is far too long', () => ({ body: posted, headers: { 'x-zuora-signature': 'A'.repeat(8000) } })],
    [
      'with its signature given twice',
      () => ({
        body: posted,
        headers: { 'x-zuora-signature': Array(2).fill(signed(posted, deployment.hmacSecret)['x-zuora-signature']).join(',') },
      }),
    ],
    ['with the wrong method', () => ({ method: 'GET', headers: signed('', deployment.hmacSecret) })],
    ['with PUT', () => ({ method: 'PUT', body: posted, headers: signed(posted, deployment.hmacSecret) })],
  ])('%s is answered with 401 and queues nothing', async (_what, facts) => {
    const before = queued();
    expect(await send(facts())).toEqual({ status: 401, body: '{"success":false}' });
    expect(queued() - before).toBe(0);
  });

  it('larger than 64 KB is answered with 413 before anything is read, signed or not', async () => {
    const before = queued();
    const large = JSON.stringify({ event: 'InvoicePosted', objectId, filler: 'x'.repeat(64 * 1024) });
    expect((await proven(large)).status).toBe(413);
    expect((await send({ body: large, headers: {} })).status).toBe(413);
    expect(queued() - before).toBe(0);
  });

  it('of exactly 64 KB is still read', async () => {
    const filler = 'x'.repeat(64 * 1024 - JSON.stringify({ event: 'InvoicePosted', objectId, filler: '' }).length);
    expect((await proven(JSON.stringify({ event: 'InvoicePosted', objectId, filler }))).status).toBe(200);
  });
});

describe('an address that is not ours', () => {
  it.each([
    '/webhooks/acumatica-zuora/acumatica',
    '/webhooks/acumatica-zuora/salesforce',
    '/webhooks/acumatica-zuora/__proto__',
    '/webhooks/nav-zuora/zuora',
    '/webhooks/acumatica-zuora',
    '/webhooks//zuora',
    '/webhooks/acumatica-zuora/../operations/status',
    '/',
  ])('%s is answered with 404 and queues nothing', async (wrong) => {
    const before = queued();
    expect(await proven(posted, { path: wrong })).toEqual({ status: 404, body: '' });
    expect(queued() - before).toBe(0);
  });
});

describe('trouble on our side', () => {
  it('a queue that does not take the change is answered with 503: "send it again"; the repeat goes through', async () => {
    const urls = process.env['AWS_ENDPOINT_URL_SQS'];
    const headers = signed(posted, deployment.hmacSecret, 'notice-trouble');
    const lost = await withoutQueue(() => send({ body: posted, headers }));
    expect(lost).toEqual({ status: 503, body: '{"success":false}' });
    expect(process.env['AWS_ENDPOINT_URL_SQS']).toBe(urls);
    // Within half a minute another taker may still be at it: the vendor is told to come back, and nothing is lost.
    expect((await send({ body: posted, headers })).status).toBe(503);
  });
});

/** The live queue is gone for a moment. */
async function withoutQueue<Result>(work: () => Promise<Result>): Promise<Result> {
  const { SQSClient, DeleteQueueCommand, CreateQueueCommand } = await import('@aws-sdk/client-sqs');
  const client = new SQSClient({
    endpoint: deployment.sqs.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const QueueName = 'kestrel-acumatica-zuora-live';
  await client.send(new DeleteQueueCommand({ QueueUrl: deployment.sqs.queueUrl(QueueName) }));
  try {
    return await work();
  } finally {
    await client.send(new CreateQueueCommand({ QueueName })).catch(() => undefined);
    client.destroy();
  }
}

it('no line of any log held a secret, a signature or a body', () => {
  const log = written.join('');
  expect(log).toContain('webhook.received');
  for (const secret of deployment.secrets) expect(log).not.toContain(secret);
  expect(log).not.toContain('x-zuora-signature');
  expect(log).not.toContain(signed(posted, deployment.hmacSecret)['x-zuora-signature'] ?? '');
  expect(log).not.toContain('filler');
});
