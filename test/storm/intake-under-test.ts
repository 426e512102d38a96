import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
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
import { type Delivered, HonestReader } from './honest-reader.ts';
import { address, type Credentials, type SetUp } from './hostile-requests.ts';

export const current: Credentials = {
  hmacSecret: 'current-Hmac_s3cret/2026+Zuora=',
  basicUser: 'zuora-callout',
  basicPassword: 'b4sic:Pass-wörd',
  pathToken: 't-7f3a9c21d4e8/+=',
};
export const previous: Credentials = {
  hmacSecret: 'previous-Hmac_s3cret',
  basicUser: 'zuora-callout-before',
  basicPassword: 'pr3vious-Password',
  pathToken: 't-previous-0b1c2d3e',
};
export const usual: SetUp = {
  mode: 'hmac',
  algorithm: 'sha256',
  encoding: 'base64',
  header: 'X-Zuora-Signature',
  valuePrefix: '',
  current,
  previous: undefined,
};
export const secretTexts = [current, previous]
  .flatMap((set) => [set.hmacSecret, set.basicPassword, set.pathToken])
  .concat('client-secret-of-the-tenant');

/** The intake of a tenant, its stores emptied now and then: what it keeps of accepted notices is no leak. */
export class Intake {
  readonly reader: HonestReader;
  readonly #setUp: SetUp;
  readonly #clock = createHandTurnedClock(new Date('2026-03-02T08:00:00Z'));
  readonly #random = createSeededRandom(1);
  readonly #lines: string[] = [];
  /** Composed anew by `renew`. */
  connector: Connector | undefined;
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
    this.connector = createConnector({
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

  /** What the work put on the queue, and every line it wrote. */
  async during<Answer>(work: () => Promise<Answer>): Promise<{ answer: Answer; queued: readonly string[]; lines: readonly string[] }> {
    this.#queued = [];
    this.#lines.length = 0;
    const answer = await work();
    return { answer, queued: this.#queued, lines: [...this.#lines] };
  }
}

export const context = {
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

export function eventOf(request: Delivered, rawQuery: string): APIGatewayProxyEventV2 {
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
