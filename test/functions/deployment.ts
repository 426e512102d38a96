import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context, SQSEvent } from 'aws-lambda';
import { stringify } from 'yaml';
import { tables } from '../../lib/aws/tables.ts';
import { catalog } from '../../lib/catalog.ts';
import { loadConfiguration } from '../../lib/configuration/load.ts';
import { createSeededRandom } from '../../lib/memory/seeded-random.ts';
import { startDynamoDb } from '../../sandbox/cloud/dynamodb.ts';
import { startSecretsManager } from '../../sandbox/cloud/secrets-manager.ts';
import { startSns } from '../../sandbox/cloud/sns.ts';
import { startSqs } from '../../sandbox/cloud/sqs.ts';
import { kestrel } from '../../sandbox/companies/kestrel.ts';
import type { CallingSimulator } from '../../sandbox/company.ts';
import { listen } from '../../sandbox/simulators/kit.ts';
import { createTable, localConfig } from '../ports/local-aws.ts';

/** A deployment on this machine: cloud and vendors on loopback, and the environment the functions find. */
export interface Deployment {
  readonly simulators: Readonly<Record<'acumatica' | 'zuora', CallingSimulator>>;
  readonly sqs: Awaited<ReturnType<typeof startSqs>>;
  /** Every secret there is, for looking for it where it must not be. */
  readonly secrets: readonly string[];
  readonly hmacSecret: string;
  /** Messages of a queue as a batch for a worker. */
  receive(queue: 'live' | 'bulk', count?: number): Promise<SQSEvent>;
  waiting(queue: 'live' | 'bulk' | 'dead'): number;
  /** Callouts that Zuora has sent so far, as requests. */
  readonly callouts: readonly Request[];
  close(): Promise<void>;
}

export const stack = 'kestrel';
export const integration = 'acumatica-zuora';
const queueName = (queue: string): string => `${stack}-${integration}-${queue}`;

export async function openDeployment(): Promise<Deployment> {
  const [dynamo, sqs, vault] = await Promise.all([startDynamoDb(), startSqs(), startSecretsManager()]);
  const sns = await startSns({ topics: [{ name: `${stack}-alerts` }] });
  const folder = mkdtempSync(join(tmpdir(), 'ml-connector-functions-'));
  let skewMs = 0;
  const clock = {
    now: () => new Date(Date.now() + skewMs),
    async sleep(ms: number) {
      skewMs += ms;
    },
  };
  const callouts: Request[] = [];
  const fetch = async (request: Request): Promise<Response> => {
    callouts.push(request);
    return new Response('{"success":true}');
  };
  const create = (system: 'acumatica' | 'zuora', seed: number): CallingSimulator => {
    const made = kestrel.systems[system]?.create({ clock, random: createSeededRandom(seed), fetch }, {});
    if (!made) throw new Error(`the company has no ${system}`);
    return made;
  };
  const simulators = { acumatica: create('acumatica', 1), zuora: create('zuora', 2) };
  const servers = { acumatica: await listen(simulators.acumatica), zuora: await listen(simulators.zuora) };
  const answers: Record<string, unknown[]> = {};
  for (const system of ['acumatica', 'zuora'] as const) {
    await simulators[system].seed(kestrel.systems[system]?.seed);
    const said: unknown[] = [];
    for (const act of kestrel.systems[system]?.acts ?? [])
      said.push(
        await simulators[system].act(
          Object.fromEntries(
            Object.entries(act).map(([name, value]) => [
              name,
              value === '{webhooks}' ? `http://127.0.0.1:9/webhooks/${integration}/${system}` : value,
            ]),
          ),
        ),
      );
    answers[system] = said;
  }

  const config = { region: 'eu-central-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  const secretsClient = new SecretsManagerClient({ ...config, endpoint: vault.url });
  const secrets = kestrel.secrets(answers);
  for (const [Name, fields] of Object.entries(secrets))
    await secretsClient.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(fields) }));
  const tablesClient = new DynamoDBClient(localConfig(dynamo.url));
  for (const kind of ['links', 'audit', 'state'] as const) await createTable(tablesClient, `${stack}-${kind}`, tables[kind]);
  const queues = new SQSClient({ ...config, endpoint: sqs.url });
  for (const kind of ['live', 'bulk', 'dead']) await queues.send(new CreateQueueCommand({ QueueName: queueName(kind) }));

  const configuration = loadConfiguration(
    stringify(kestrel.configuration({ acumatica: servers.acumatica.url, zuora: servers.zuora.url })),
    catalog,
  );
  writeFileSync(join(folder, 'connector.json'), JSON.stringify(configuration));
  const url = (kind: string): string => sqs.queueUrl(queueName(kind));
  Object.assign(process.env, {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test-secret-access-key',
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.url,
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: vault.url,
    AWS_ENDPOINT_URL_SNS: sns.url,
    LAMBDA_TASK_ROOT: folder,
    STACK_NAME: stack,
    LINKS_TABLE: `${stack}-links`,
    AUDIT_TABLE: `${stack}-audit`,
    STATE_TABLE: `${stack}-state`,
    ALERT_TOPIC_ARN: `arn:aws:sns:eu-central-1:000000000000:${stack}-alerts`,
    CONFIGURATION_PATH: 'connector.json',
    AUDIT_YEARS: '7',
    QUEUE_URLS: JSON.stringify({ [integration]: { live: url('live'), bulk: url('bulk'), dead: url('dead') } }),
  });
  const { hmacSecret = '' } = secrets['kestrel/billing'] ?? {};
  return {
    simulators,
    sqs,
    callouts,
    hmacSecret,
    secrets: [
      'test-secret-access-key',
      ...Object.values(secrets).flatMap((fields) => Object.entries(fields).flatMap(([name, value]) => (/id$/i.test(name) ? [] : [value]))),
    ],
    async receive(queue, count = 10) {
      const { Messages = [] } = await queues.send(
        new ReceiveMessageCommand({
          QueueUrl: url(queue),
          MaxNumberOfMessages: count,
          MessageSystemAttributeNames: ['ApproximateReceiveCount'],
        }),
      );
      return batchOf(
        queue,
        Messages.map((message) => ({ id: message.MessageId ?? '', body: message.Body ?? '' })),
      );
    },
    waiting: (queue) => sqs.depth(queueName(queue))?.waiting ?? 0,
    async close() {
      queues.destroy();
      secretsClient.destroy();
      tablesClient.destroy();
      rmSync(folder, { recursive: true, force: true });
      await Promise.all([dynamo.close(), sqs.close(), vault.close(), sns.close(), servers.acumatica.close(), servers.zuora.close()]);
    },
  };
}

/** A batch as the event source hands it to a worker. */
export function batchOf(queue: 'live' | 'bulk', messages: readonly { readonly id: string; readonly body: string }[]): SQSEvent {
  return {
    Records: messages.map(({ id, body }) => ({
      messageId: id,
      receiptHandle: `handle-${id}`,
      body,
      attributes: { ApproximateReceiveCount: '1', SentTimestamp: '0', SenderId: 'test', ApproximateFirstReceiveTimestamp: '0' },
      messageAttributes: {},
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: `arn:aws:sqs:eu-central-1:000000000000:${queueName(queue)}`,
      awsRegion: 'eu-central-1',
    })),
  };
}

export interface RequestFacts {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly userArn?: string;
  /** As the gateway sends what it does not take for text. */
  readonly base64?: boolean;
}

/** A request as payload format 2.0 puts it before a function. */
export function httpEvent(facts: RequestFacts): APIGatewayProxyEventV2 {
  const { method = 'POST', path, headers = {}, body, parameters, base64 = false, userArn } = facts;
  const bytes = Buffer.from(body ?? '');
  const requestContext = {
    accountId: '000000000000',
    apiId: 'api',
    domainName: '127.0.0.1',
    domainPrefix: 'api',
    http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
    requestId: 'request-1',
    routeKey: '$default',
    stage: '$default',
    time: '02/Mar/2026:08:00:00 +0000',
    timeEpoch: 0,
    ...(userArn === undefined ? {} : { authorizer: { iam: { userArn } } }),
  };
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers,
    requestContext,
    isBase64Encoded: base64,
    ...(body === undefined ? {} : { body: bytes.toString(base64 ? 'base64' : 'utf8') }),
    ...(parameters === undefined ? {} : { pathParameters: { ...parameters } }),
  };
}

export const context = (remainingMs = 290_000): Context => ({
  awsRequestId: 'request-1',
  callbackWaitsForEmptyEventLoop: false,
  functionName: 'test',
  functionVersion: '1',
  invokedFunctionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:test',
  logGroupName: 'test',
  logStreamName: 'test',
  memoryLimitInMB: '512',
  getRemainingTimeInMillis: () => remainingMs,
  done: () => undefined,
  fail: () => undefined,
  succeed: () => undefined,
});

type HttpHandler = (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

export async function answerOf(handler: unknown, facts: RequestFacts): Promise<{ readonly status: number; readonly body: string }> {
  const { statusCode = 0, body = '' } = await (handler as HttpHandler)(httpEvent(facts), context());
  return { status: statusCode, body };
}

/** The headers of a callout that Zuora would have signed. */
export function signed(body: string | Uint8Array, secret: string, id = 'notice-1'): Record<string, string> {
  const signature = createHmac('sha256', secret).update(Buffer.from(body)).digest('base64');
  return { 'content-type': 'application/json; charset=utf-8', 'x-zuora-signature': signature, 'zuora-notification-id': id };
}

/** Every line that leaves the process on its standard output, which is where a Lambda's log comes from. */
export function collectOutput(): { readonly text: () => string; stop(): void } {
  const lines: string[] = [];
  const originals = { out: process.stdout.write, err: process.stderr.write };
  const keep = (chunk: string | Uint8Array): boolean => {
    lines.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
    return true;
  };
  process.stdout.write = keep as typeof process.stdout.write;
  process.stderr.write = keep as typeof process.stderr.write;
  return {
    text: () => lines.join(''),
    stop() {
      process.stdout.write = originals.out;
      process.stderr.write = originals.err;
    },
  };
}
