import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Logger } from '@aws-lambda-powertools/logger';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { catalog } from '../../lib/catalog.ts';
import { loadConfiguration } from '../../lib/configuration/load.ts';
import { type Connector, createConnector } from '../../lib/connector.ts';
import type { ChangeMessage } from '../../lib/contracts/change.ts';
import { createMemoryQueues } from '../../lib/memory/change-queue.ts';
import { createCollectingAlerts } from '../../lib/memory/collecting-alerts.ts';
import { createMemoryDatabase } from '../../lib/memory/database.ts';
import { createHandTurnedClock } from '../../lib/memory/hand-turned-clock.ts';
import { createOrderedIds } from '../../lib/memory/ordered-ids.ts';
import { createMemorySecretStore } from '../../lib/memory/secret-store.ts';
import { createSeededRandom } from '../../lib/memory/seeded-random.ts';
import { createMemoryStateStore } from '../../lib/memory/state-store.ts';
import { Secret } from '../../lib/values/secret.ts';
import { kestrel } from '../../sandbox/companies/kestrel.ts';
import { isText } from '../../sandbox/rehearsal/http-api-event.ts';
import { type Delivered, delivered, HonestReader } from './honest-reader.ts';
import { address, type Credentials, type RawRequest, requestsFor, type SetUp } from './hostile-requests.ts';

/*
 * The intake against everybody who is not Zuora. The function's own entry point is called with events of the gateway; only what it is composed of
 * is in memory. 100,000 requests and more in every run: fast-check prints seed and path of a failing one.
 */

const place = vi.hoisted(() => ({ connector: undefined as Connector | undefined, logger: undefined as Logger | undefined }));
vi.mock('../../functions/compose.ts', () => ({
  connectorFor: () => place.connector,
  flushMetrics: async () => undefined,
  get logger() {
    place.logger ??= new Logger({ serviceName: 'intake' });
    return place.logger;
  },
}));
const { handler } = await import('../../functions/receive-webhook.ts');

const current: Credentials = {
  hmacSecret: 'current-Hmac_s3cret/2026+Zuora=',
  basicUser: 'zuora-callout',
  basicPassword: 'b4sic:Pass-wörd',
  pathToken: 't-7f3a9c21d4e8/+=',
};
const previous: Credentials = {
  hmacSecret: 'previous-Hmac_s3cret',
  basicUser: 'zuora-callout-before',
  basicPassword: 'pr3vious-Password',
  pathToken: 't-previous-0b1c2d3e',
};
const usual: SetUp = {
  mode: 'hmac',
  algorithm: 'sha256',
  encoding: 'base64',
  header: 'X-Zuora-Signature',
  valuePrefix: '',
  current,
  previous: undefined,
};
const secretTexts = [current, previous]
  .flatMap((set) => [set.hmacSecret, set.basicPassword, set.pathToken])
  .concat('client-secret-of-the-tenant');

/** The intake of a tenant, its stores emptied now and then: what it keeps of accepted notices is no leak. */
class Intake {
  readonly reader: HonestReader;
  readonly #setUp: SetUp;
  readonly #clock = createHandTurnedClock(new Date('2026-03-02T08:00:00Z'));
  readonly #random = createSeededRandom(1);
  readonly #lines: string[] = [];
  #queued: string[] = [];

  private constructor(setUp: SetUp) {
    this.#setUp = setUp;
    this.reader = new HonestReader(setUp);
  }

  static async open(setUp: SetUp): Promise<Intake> {
    const intake = new Intake(setUp);
    await intake.renew();
    return intake;
  }

  async renew(): Promise<void> {
    const { mode, algorithm, encoding, header, valuePrefix } = this.#setUp;
    const written = kestrel.configuration({ acumatica: 'http://127.0.0.1:1', zuora: 'http://127.0.0.1:2' });
    const connections = written['connections'] as { billing: { settings: object } };
    const callouts = { mode, algorithm: algorithm.replace('sha', 'SHA-'), encoding: encoding.toUpperCase(), header, valuePrefix };
    connections.billing.settings = { ...connections.billing.settings, callouts };
    const [clock, random] = [this.#clock, this.#random];
    const ids = createOrderedIds({ clock, random });
    const queues = createMemoryQueues({ clock, ids });
    const database = createMemoryDatabase();
    const secrets = createMemorySecretStore();
    const put = ({ hmacSecret, basicUser, basicPassword, pathToken }: Credentials) =>
      secrets.put(
        'kestrel/billing',
        Object.fromEntries(
          Object.entries({
            clientId: 'client',
            clientSecret: 'client-secret-of-the-tenant',
            hmacSecret,
            basicUser,
            basicPassword,
            pathToken,
          }).map(([name, text]) => [name, new Secret(text)]),
        ),
      );
    if (this.#setUp.previous !== undefined) await put(this.#setUp.previous);
    await put(this.#setUp.current);
    const note = (event: string, fields?: Readonly<Record<string, unknown>>): void =>
      void this.#lines.push(`${event} ${JSON.stringify(fields)}`);
    place.connector = createConnector({
      configuration: loadConfiguration(stringify(written), catalog),
      catalog,
      ports: {
        ...{ clock, random, ids, secrets, links: database.links, audit: database.audit },
        log: { info: note, warn: note, error: note, count: (metric, value, dimensions) => note(metric, { value, ...dimensions }) },
        alerts: createCollectingAlerts(),
        state: createMemoryStateStore({ clock }),
        queue: () => ({
          ...queues,
          send: async (_queue: string, messages: readonly { readonly body: ChangeMessage }[]) => {
            this.#queued.push(...messages.flatMap(({ body }) => body.changes.map(({ flow, key }) => `${flow} ${key}`)));
          },
        }),
        deadLetters: () => queues.deadLetters,
        gauge: () => queues,
        fetch: () => Promise.reject(new Error('the intake asks nobody')),
      },
    });
    this.reader.forget();
  }

  /** What the function answers, what it put on the queue, and every line it wrote about it. */
  async take(request: Delivered, rawQuery: string): Promise<{ answer: unknown; queued: readonly string[]; lines: readonly string[] }> {
    this.#queued = [];
    this.#lines.length = 0;
    const answer: unknown = await handler(eventOf(request, rawQuery), context);
    return { answer, queued: this.#queued, lines: [...this.#lines] };
  }
}

const context = {
  awsRequestId: 'r',
  functionName: 'intake',
  memoryLimitInMB: '256',
  invokedFunctionArn: 'arn',
  functionVersion: '1',
  callbackWaitsForEmptyEventLoop: false,
  logGroupName: 'g',
  logStreamName: 's',
  getRemainingTimeInMillis: () => 9_000,
  done: () => undefined,
  fail: () => undefined,
  succeed: () => undefined,
} satisfies Context;

function eventOf(request: Delivered, rawQuery: string): APIGatewayProxyEventV2 {
  const asText = isText(request.headers.get('content-type'), request.headers.get('content-encoding'));
  return {
    version: '2.0',
    routeKey: `ANY ${address}`,
    rawPath: request.path,
    rawQueryString: rawQuery,
    headers: Object.fromEntries(request.headers),
    ...(request.query.size === 0 ? {} : { queryStringParameters: Object.fromEntries(request.query) }),
    requestContext: {
      ...{
        accountId: 'a',
        apiId: 'i',
        domainName: 'd',
        domainPrefix: 'd',
        requestId: 'r',
        routeKey: 'k',
        stage: '$default',
        time: '',
        timeEpoch: 0,
      },
      http: { method: request.method, path: request.path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.7', userAgent: '' },
    },
    ...(request.body.length === 0 ? {} : { body: request.body.toString(asText ? 'utf8' : 'base64') }),
    isBase64Encoded: request.body.length > 0 && !asText,
  };
}

const success = { 'content-type': 'application/json' };
/** Every answer there is; nothing else may leave, in no case. */
const answers = (mode: SetUp['mode']): Readonly<Record<number, unknown>> => ({
  200: { statusCode: 200, headers: success, body: '{"success":true}' },
  401: {
    statusCode: 401,
    headers: mode === 'basic' ? { ...success, 'www-authenticate': 'Basic realm="ml-connector"' } : success,
    body: '{"success":false}',
  },
  404: { statusCode: 404, headers: {}, body: '' },
  413: { statusCode: 413, headers: success, body: '{"success":false}' },
});

const written: string[] = [];
beforeEach(() => {
  written.length = 0;
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
  return () => vi.restoreAllMocks();
});

const collect: () => void = (() => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
})();
const heapBytes = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

/** No request may take longer, whatever it is; generous, because other processes use this machine too. */
const mostMs = 1_000;
const renewEvery = 5_000;
let total = 0;
let accepted = 0;
afterAll(() => expect(total).toBeGreaterThanOrEqual(100_000));

/** Sends one request and holds everything that happened against the honest reader. */
async function hold(intake: Intake, setUp: SetUp, raw: RawRequest): Promise<void> {
  const request = delivered(raw, isText);
  const expected = intake.reader.judge(request);
  const begun = performance.now();
  const { answer, queued, lines } = await intake.take(request, raw.rawQuery);
  const ms = performance.now() - begun;
  total += 1;
  if (expected.changes.length > 0) accepted += 1;
  if (ms > mostMs) throw new Error(`it took ${Math.round(ms)} ms`);
  expect(answer).toEqual(answers(setUp.mode)[expected.status]);
  expect(queued).toEqual(expected.changes);
  const told = `${JSON.stringify(answer)} ${lines.join(' ')} ${written.join(' ')}`;
  const leaked = [...secretTexts, 'canary', 'tenantId', 'polluted'].find((text) => told.includes(text));
  if (leaked !== undefined) throw new Error(`${leaked} was told: ${told.slice(0, 400)}`);
}

async function storm(setUp: SetUp, runs: number): Promise<void> {
  const intake = await Intake.open(setUp);
  let sent = 0;
  let early = 0;
  await fc.assert(
    fc.asyncProperty(requestsFor(setUp), async (raw) => {
      if (sent % renewEvery === 0) {
        await intake.renew();
        if (sent === renewEvery) early = heapBytes();
      }
      sent += 1;
      await hold(intake, setUp, raw);
    }),
    { numRuns: runs, endOnFailure: true },
  );
  await intake.renew();
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect('polluted' in {}).toBe(false);
  expect(heapBytes() - early, 'bytes kept since the first requests').toBeLessThan(16 * 1024 * 1024);
}

describe('every request to the webhook address is answered by the vendor’s table and moves nothing unless it is proven', () => {
  test.each([
    ['signed, BASE64', usual, 40_000],
    [
      'signed, HEX with a prefix and another header and algorithm',
      { ...usual, algorithm: 'sha512', encoding: 'hex', header: 'X-Kestrel', valuePrefix: 'v1=' },
      16_000,
    ],
    ['signed, during a rotation', { ...usual, previous }, 16_000],
    ['with user and password', { ...usual, mode: 'basic', previous }, 16_000],
    ['unsigned with a secret token', { ...usual, mode: 'unsigned', previous }, 16_000],
  ] as const)('%s', async (_name, setUp, runs) => storm(setUp, runs), 180_000);

  test('the storm is not empty: a good part of it is accepted', () => {
    expect(accepted).toBeGreaterThan(total / 20);
  });
});
