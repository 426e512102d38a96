import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { handler as operations } from '../../functions/operations.ts';
import { handler as poll } from '../../functions/poll.ts';
import { handler as processChanges } from '../../functions/process-changes.ts';
import { handler as renewChannels } from '../../functions/renew-channels.ts';
import {
  answerOf,
  batchOf,
  collectOutput,
  context,
  type Deployment,
  integration,
  openDeployment,
  type RequestFacts,
} from './deployment.ts';

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

type Handler = (event: unknown, given: ReturnType<typeof context>) => Promise<unknown>;
const call = (handler: unknown, event: unknown): Promise<unknown> => (handler as Handler)(event, context());
const bodyOf = (answer: { readonly body: string }): unknown => JSON.parse(answer.body);
const errorAnswer = z.object({ error: z.object({ sentence: z.string(), fix: z.string().optional() }) });

const ask = (operation: string, body?: string | Uint8Array, more: Partial<RequestFacts> = {}) =>
  answerOf(operations, {
    path: `/operations/${operation}`,
    parameters: { operation },
    headers: { 'content-type': 'application/json', 'x-operator': 'anna' },
    userArn: 'arn:aws:iam::000000000000:user/finance',
    ...(body === undefined ? {} : { body }),
    ...more,
  });
const refusal = async (operation: string, body?: string | Uint8Array, more?: Partial<RequestFacts>) => {
  const answer = await ask(operation, body, more);
  const { sentence, fix = '' } = errorAnswer.parse(bodyOf(answer)).error;
  return `${answer.status} ${sentence} → ${fix}`;
};

describe('from a schedule tick to the books', () => {
  it('the poll lists, the worker writes, and nobody is told to deliver anything again', async () => {
    await call(poll, { integration });
    for (let round = 0; round < 20 && deployment.waiting('live') + deployment.waiting('bulk') > 0; round += 1) {
      const batch = await deployment.receive(deployment.waiting('live') > 0 ? 'live' : 'bulk');
      expect(await call(processChanges, batch)).toEqual({ batchItemFailures: [] });
    }
    expect(await deployment.simulators.acumatica.records('customers')).toEqual(
      expect.arrayContaining([expect.objectContaining({ accountRef: 'KR-10023' })]),
    );
    const explained = bodyOf(await ask('explain', JSON.stringify({ record: 'KR-10023' })));
    expect(explained).toMatchObject({ stories: [{ state: 'synced', label: 'KR-10023 Northgate Dental Group' }] });
  });

  it('housekeeping runs on its tick', async () => {
    await expect(call(renewChannels, { integration })).resolves.toBeUndefined();
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['another shape', { name: integration }],
    ['a number', { integration: 7 }],
  ])('a tick with %s fails and says what it should hold', async (_what, event) => {
    await expect(call(poll, event)).rejects.toThrow('without the name of an integration');
  });

  it('a tick for an integration that is not deployed fails and names those that are', async () => {
    await expect(call(poll, { integration: 'nav-zuora' })).rejects.toMatchObject({ record: { fix: `Use one of: ${integration}.` } });
  });
});

describe('a batch with poison in it', () => {
  it('parks what cannot be read as a dead letter and asks for nothing again', async () => {
    const dead = deployment.waiting('dead');
    const batch = batchOf('live', [
      { id: 'm-1', body: 'hello' },
      { id: 'm-2', body: '{"version":9}' },
      { id: 'm-3', body: JSON.stringify({ version: 1, integration: 'nav-zuora', queue: 'live', changes: [], attempt: 0 }) },
      { id: 'm-4', body: ' ' },
    ]);
    expect(await call(processChanges, batch)).toEqual({ batchItemFailures: [] });
    expect(deployment.waiting('dead') - dead).toBe(4);
  });

  it('only the messages whose trouble is ours come back', async () => {
    const good = {
      flow: `${integration}.customers`,
      side: 'b',
      key: '8ad08c9f93f1a2b30193f4d5e6f70099',
      cause: 'poll',
      at: '2026-03-02T08:00:00Z',
    };
    const message = (changes: readonly unknown[]) => JSON.stringify({ version: 1, integration, queue: 'live', changes, attempt: 0 });
    const table = process.env['LINKS_TABLE'] ?? '';
    const { DynamoDBClient, DeleteTableCommand } = await import('@aws-sdk/client-dynamodb');
    const { createTable, localConfig } = await import('../ports/local-aws.ts');
    const { tables } = await import('../../lib/aws/tables.ts');
    const client = new DynamoDBClient(localConfig(process.env['AWS_ENDPOINT_URL_DYNAMODB'] ?? ''));
    await client.send(new DeleteTableCommand({ TableName: table }));
    try {
      const answer = await call(
        processChanges,
        batchOf('live', [
          { id: 'm-bad', body: 'hello' },
          { id: 'm-good', body: message([good]) },
        ]),
      );
      expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-good' }] });
    } finally {
      await createTable(client, table, tables.links);
      client.destroy();
    }
  });

  it('of a queue that belongs to no integration here fails as a whole, and its messages stay', async () => {
    const batch = batchOf('live', [{ id: 'm-1', body: '{}' }]);
    const foreign = {
      Records: batch.Records.map((record) => ({ ...record, eventSourceARN: 'arn:aws:sqs:eu-central-1:000000000000:other-live' })),
    };
    await expect(call(processChanges, foreign)).rejects.toThrow('No integration of this deployment has the queue other-live');
  });
});

describe('operations over HTTP', () => {
  it('answers with JSON, and the audit names who asked', async () => {
    expect((await ask('status')).status).toBe(200);
    expect((await ask('mode', JSON.stringify({ flow: 'refunds', mode: 'paused' }))).status).toBe(200);
    expect(bodyOf(await ask('audit', JSON.stringify({ outcome: 'operator', limit: 1 })))).toMatchObject({
      entries: [{ operator: 'anna (finance)', sentence: 'anna (finance) switched refunds from live to paused.' }],
    });
  });

  it('a name in the header is a name and no line of its own, and without one the caller is who IAM says', async () => {
    const who = async (header: Readonly<Record<string, string>>) => {
      await ask('mode', JSON.stringify({ flow: 'refunds', mode: 'live' }), { headers: header });
      await ask('mode', JSON.stringify({ flow: 'refunds', mode: 'paused' }), { headers: header });
      const answer = bodyOf(await ask('audit', JSON.stringify({ outcome: 'operator', flow: 'refunds', limit: 1 })));
      return z.object({ entries: z.array(z.object({ operator: z.string() })) }).parse(answer).entries[0]?.operator;
    };
    expect(await who({ 'x-operator': encodeURIComponent('Łukasz\n2026 root did it') })).toBe('Łukasz 2026 root did it (finance)');
    expect(await who({ 'x-operator': '%E0%A4%A' })).toBe('finance');
    expect(await who({})).toBe('finance');
    expect(await who({ 'x-operator': 'x'.repeat(5000) })).toBe(`${'x'.repeat(60)} (finance)`);
  });

  it.each<[string, string, string | Uint8Array | undefined, string]>([
    ['an operation nobody knows', 'launch', '{}', '400 There is no operation "launch"'],
    ['a name from every prototype', 'constructor', '{}', '400 There is no operation "constructor"'],
    ['no operation', '', '{}', '400 There is no operation ""'],
    ['broken JSON', 'status', '{"integration":', '400 The request is not JSON.'],
    ['bytes that are no text', 'status', new Uint8Array([0xff, 0xfe, 0x00]), '400 The request is not JSON.'],
    ['an array', 'status', '[]', '400 The request for status cannot be read'],
    ['null', 'status', 'null', '400 The request for status cannot be read'],
    ['a number', 'status', '7', '400 The request for status cannot be read'],
    [
      'a member nobody knows',
      'explain',
      '{"record":"INV1","admin":true}',
      '400 The request for explain cannot be read: admin: is not a setting here',
    ],
    ['a prototype in its clothes', 'explain', '{"record":"INV1","__proto__":{"admin":true}}', '400 '],
    ['a missing argument', 'explain', '{}', '400 The request for explain cannot be read: record'],
    ['an argument of the wrong kind', 'audit', '{"limit":"many"}', '400 The request for audit cannot be read: limit'],
    ['a number that is none', 'audit', '{"limit":-1}', '400 The request for audit cannot be read: limit: must be at least 1'],
    ['a time that is none', 'audit', '{"from":"yesterday"}', '400 The request for audit cannot be read: from: must be a day (2026-03-02)'],
    [
      'a name longer than any',
      'explain',
      JSON.stringify({ record: 'x'.repeat(5000) }),
      '400 The request for explain cannot be read: record: is longer',
    ],
    ['a request too large to be one', 'explain', JSON.stringify({ record: 'x'.repeat(70_000) }), '413 The request is too large to be one.'],
    ['JSON as deep as a well', 'status', `${'['.repeat(30_000)}${']'.repeat(30_000)}`, '400 '],
    ['an integration that is not here', 'status', '{"integration":"nav-zuora"}', '400 There is no integration "nav-zuora"'],
  ])('%s is refused with a sentence and an example', async (_what, operation, body, expected) => {
    expect(await refusal(operation, body, { base64: body instanceof Uint8Array })).toContain(expected);
  });

  it('what a vendor refuses is told in its own words and is no fault of the request', async () => {
    deployment.simulators.zuora.addFault({ operation: '*', kind: 'status', status: 503, times: 50 });
    const answer = await refusal('replay', JSON.stringify({ record: 'INV00000999', flow: 'invoices' }));
    deployment.simulators.zuora.clearFaults();
    expect(answer).toMatch(/^502 /);
  });
});

it('no line of any log held a secret, a token or a body', async () => {
  const log = written.join('');
  expect(log).toContain('record.attempted');
  for (const secret of deployment.secrets) expect(log).not.toContain(secret);
  expect(log).not.toMatch(/bearer\s+[a-z0-9]/i);
  expect(log).not.toContain('Northgate Dental Group');
});
