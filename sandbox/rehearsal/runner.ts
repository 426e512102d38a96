import { EventEmitter } from 'node:events';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isRecord } from '../cloud/aws-json.ts';
import { type CloudClock, machineClock } from '../cloud/clock.ts';
import { type LocalDynamoDb, startDynamoDb } from '../cloud/dynamodb.ts';
import { administrator, type Credentials, createIam, type LocalIam, type MadeAccess } from '../cloud/iam.ts';
import { listenOnLoopback } from '../cloud/loopback.ts';
import { startSecretsManager } from '../cloud/secrets-manager.ts';
import { type LocalSns, startSns } from '../cloud/sns.ts';
import { type LocalSqs, startSqs } from '../cloud/sqs.ts';
import { startEventSource } from './event-source.ts';
import { startHttpApi } from './http-api.ts';
import { createFunction, type InvokeResult, type LocalFunction, type LogLine } from './lambda.ts';
import { createNames, keyArn } from './names.ts';
import { createResources, type Resource, type ServiceUrls } from './resources.ts';
import { attachResourcePolicies, policiesByRole } from './roles.ts';
import { startRuntimeApi } from './runtime-api.ts';
import { startSchedules } from './schedules.ts';
import { supportedResources } from './supported.ts';
import { type Assembly, assetFolder, readAssembly, TemplateResolver } from './template.ts';
import { eventSourcesOf, routesOf, schedulesOf, type Wiring } from './wiring.ts';

export interface RunnerOptions {
  /** A synthesized cloud assembly: `cdk.out`. */
  readonly assembly: string;
  /** Which of its stacks, when it has several. */
  readonly stack?: string;
  /** Where tables, queues, secrets and logs are kept. */
  readonly state: string;
  /** Variables on top of the template's, by function (logical id with or without its hash, or name), `*` for all. */
  readonly environment?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Of schedules, queues, tables and secrets. Functions live in the machine's time. */
  readonly clock?: CloudClock;
  /** Free ports unless given here. */
  readonly ports?: Partial<Readonly<Record<'api' | keyof ServiceUrls, number>>>;
  /** False: nothing fires by itself; `invoke` still works. */
  readonly schedules?: boolean;
  /** How long deliveries in progress may finish when the runner stops; what is cut off then is delivered again at the next start. Default 5 s. */
  readonly graceMs?: number;
}

interface RunnerFunction {
  readonly logicalId: string;
  readonly name: string;
}

export interface Runner {
  /** `http://127.0.0.1:PORT` */
  readonly apiUrl: string;
  readonly urls: ServiceUrls;
  readonly functions: readonly RunnerFunction[];
  /** The stack's outputs, with addresses of this machine. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Keys that may do everything, also call routes with AWS_IAM: for the CLI, for seeding secrets. */
  readonly operator: Credentials;
  readonly region: string;
  /** Emits `line` with a LogLine. Everything is also in `<state>/logs/<function>.log`. */
  readonly log: EventEmitter<{ line: [LogLine] }>;
  /** Waits for the answer of a function. `name`: logical id with or without its hash, or physical name. */
  invoke(name: string, payload: unknown): Promise<InvokeResult>;
  /** SIGKILL to all processes of a function; answers how many there were. */
  kill(name: string): number;
  /** Every (function, action, resource) that was asked for so far, refused ones included. */
  accesses(): readonly MadeAccess[];
  /** Names of schedules and when each is due next. */
  schedules(): Readonly<Record<string, Date | undefined>>;
  readonly dynamodb: Pick<LocalDynamoDb, 'units' | 'resetUnits'>;
  readonly sqs: Pick<LocalSqs, 'queueUrl' | 'depth' | 'requests' | 'resetRequests'>;
  readonly sns: Pick<LocalSns, 'published'>;
  stop(): Promise<void>;
}

const usualGraceMs = 5_000;

/** Runs the functions of a synthesized template on local servers, with its routes, queues, schedules and roles. */
export async function startRunner(options: RunnerOptions): Promise<Runner> {
  const closers: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    return await run(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function run(options: RunnerOptions, closers: (() => unknown)[], close: () => Promise<void>): Promise<Runner> {
  const clock = options.clock ?? machineClock;
  const assembly = readAssembly(options.assembly, options.stack);
  const { place } = assembly;
  const log = new EventEmitter<{ line: [LogLine] }>();
  const logFolder = join(options.state, 'logs');
  mkdirSync(logFolder, { recursive: true });
  const write = (line: LogLine): void => {
    appendFileSync(join(logFolder, `${line.function}.log`), `${line.text}\n`);
    log.emit('line', line);
  };

  const iam = createIam(place);
  const operator = iam.admit({ name: 'operator', roleArn: `arn:aws:iam::${place.accountId}:user/operator`, policies: [administrator] });
  const keys = new Map<string, string>();
  const common = { clock, place, authorize: iam.authorize };
  const keep = <Server extends { close(): Promise<void> }>(server: Server): Server => {
    closers.push(() => server.close());
    return server;
  };
  const ports = options.ports ?? {};
  // DynamoDB first: its lock on the folder keeps a second runner away from all of the state.
  const dynamodb = keep(
    await startDynamoDb({ ...common, ...port(ports.dynamodb), folder: join(options.state, 'dynamodb'), keyOf: (table) => keys.get(table) }),
  );
  const sqs = keep(await startSqs({ ...common, ...port(ports.sqs), folder: join(options.state, 'sqs') }));
  const secrets = keep(await startSecretsManager({ ...common, ...port(ports.secretsManager), folder: join(options.state, 'secrets') }));
  const api = keep(await startHttpApi({ ...common, port: ports.api }));
  const runtime = keep(await startRuntimeApi());
  const elsewhere = keep(await startElsewhere((text) => write({ function: 'cloud', stream: 'platform', text })));

  const resolver: TemplateResolver = new TemplateResolver(assembly, {
    ...place,
    ref: (logicalId) => names.ref(logicalId),
    attribute: (logicalId, name) => names.attribute(logicalId, name),
    ...(options.parameters === undefined ? {} : { parameters: options.parameters }),
  });
  const declared = resolver.resources();
  const names = createNames({
    resources: declared,
    stackName: assembly.stackName,
    place,
    resolve: (value) => resolver.resolve(value),
    urls: { queue: (name) => sqs.queueUrl(name), secretArn: (name) => secrets.arnOf(name), api: () => api.url },
  });
  const resources = supportedResources(declared).map(
    (resource): Resource => ({ ...resource, properties: resolvedProperties(resolver, resource) }),
  );
  const topics = resources.filter(({ type }) => type === 'AWS::SNS::Topic');
  const sns = keep(
    await startSns({
      ...common,
      ...port(ports.sns),
      topics: topics.map((topic) => ({ name: names.physicalName(topic), ...keyOf(keyArn(topic.properties['KmsMasterKeyId'], place)) })),
    }),
  );
  const urls: ServiceUrls = { dynamodb: dynamodb.url, sqs: sqs.url, secretsManager: secrets.url, sns: sns.url };
  /** Addresses a template writes out by hand, as they are on this machine. */
  const localized = (text: string): string =>
    resources
      .filter(({ type }) => type === 'AWS::ApiGatewayV2::Api')
      .reduce(
        (result, one) => result.replaceAll(`https://${names.physicalName(one)}.execute-api.${place.region}.amazonaws.com`, api.url),
        text.replaceAll(`https://sqs.${place.region}.amazonaws.com`, sqs.url),
      );

  for (const table of resources.filter(({ type }) => type.startsWith('AWS::DynamoDB::'))) {
    const key = keyArn(tableKey(table), place);
    if (key !== undefined) keys.set(names.physicalName(table), key);
  }
  attachResourcePolicies(iam, resources, names);
  await createResources({ resources, names, urls, place, administrator: operator });

  const policies = policiesByRole(resources, names);
  const functions = createFunctions({
    assembly,
    resources,
    iam,
    policies,
    localized,
    place,
    describe: (resource) => ({ name: names.physicalName(resource), arn: names.attribute(resource.logicalId, 'Arn') }),
    endpoints: {
      AWS_ENDPOINT_URL: elsewhere.url,
      AWS_ENDPOINT_URL_DYNAMODB: urls.dynamodb,
      AWS_ENDPOINT_URL_SQS: urls.sqs,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: urls.secretsManager,
      AWS_ENDPOINT_URL_SNS: urls.sns,
    },
    overrides: options.environment ?? {},
    create: (definition) => createFunction(definition, runtime, write),
  });
  closers.push(() => Promise.all(functions.map((one) => one.close())));

  const wiring: Wiring = { resources, names, place, functions, iam, policies };
  const routes = routesOf(wiring);
  const fed = eventSourcesOf(wiring);
  // Functions end with their runner: nobody works any more on what was in flight when the last one ended, and nobody needs to wait for it.
  for (const { queueArn } of fed) sqs.returnInFlight(queueArn.slice(queueArn.lastIndexOf(':') + 1));
  const sources = fed.map((source) =>
    startEventSource(source, {
      endpoint: sqs.url,
      place,
      clock,
      credentials: source.function.definition.credentials,
      onError: (text) =>
        write({ function: source.function.definition.logicalId, stream: 'platform', text: `queue ${source.queueArn}: ${text}` }),
    }),
  );
  closers.push(() =>
    Promise.race([Promise.all(sources.map((source) => source.stop())), machineClock.sleep(options.graceMs ?? usualGraceMs)]),
  );
  const schedules = startSchedules({
    schedules: options.schedules === false ? [] : schedulesOf(wiring),
    clock,
    place,
    onError: (name, text) => write({ function: 'schedules', stream: 'platform', text: `${name}: ${text}` }),
  });
  closers.push(() => schedules.close());
  if (routes !== undefined) api.open(routes);

  const find = (name: string): LocalFunction => findFunction(functions, name);
  return {
    apiUrl: api.url,
    urls,
    functions: functions.map(({ definition }) => ({ logicalId: definition.logicalId, name: definition.name })),
    outputs: Object.fromEntries(Object.entries(resolver.outputs()).map(([name, value]) => [name, localized(value)])),
    operator,
    region: place.region,
    log,
    invoke: async (name, payload) => find(name).invoke(payload),
    kill: (name) => find(name).kill(),
    accesses: () => iam.made(),
    schedules: () => schedules.next(),
    dynamodb,
    sqs,
    sns,
    stop: close,
  };
}

const port = (given: number | undefined): { readonly port?: number } => (given === undefined ? {} : { port: given });
const keyOf = (key: string | undefined): { readonly key?: string } => (key === undefined ? {} : { key });

function resolvedProperties(resolver: TemplateResolver, resource: Resource): Readonly<Record<string, unknown>> {
  try {
    const resolved = resolver.resolve(resource.properties);
    return isRecord(resolved) ? resolved : {};
  } catch (error) {
    throw new Error(`${resource.logicalId}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The customer's key of a table; a global table names it per replica. */
function tableKey({ properties }: Resource): unknown {
  const replica: unknown = Array.isArray(properties['Replicas']) ? properties['Replicas'][0] : properties;
  const encryption = isRecord(replica) ? replica['SSESpecification'] : undefined;
  return isRecord(encryption) ? encryption['KMSMasterKeyId'] : undefined;
}

function createFunctions(context: {
  readonly assembly: Assembly;
  readonly resources: readonly Resource[];
  readonly iam: LocalIam;
  readonly policies: ReturnType<typeof policiesByRole>;
  readonly place: { readonly region: string };
  readonly localized: (text: string) => string;
  readonly describe: (resource: Resource) => { readonly name: string; readonly arn: string };
  readonly endpoints: Readonly<Record<string, string>>;
  readonly overrides: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly create: (definition: LocalFunction['definition']) => LocalFunction;
}): readonly LocalFunction[] {
  const used = new Set(['*']);
  const functions = context.resources
    .filter(({ type }) => type === 'AWS::Lambda::Function')
    .map((resource) => {
      const { logicalId, properties } = resource;
      const { name, arn } = context.describe(resource);
      const runtime = String(properties['Runtime']);
      if (!/^nodejs\d+\.x$/.test(runtime)) throw new Error(`${logicalId}: the runtime ${runtime} is not supported`);
      const roleArn = String(properties['Role']);
      const code = isRecord(properties['Code']) ? properties['Code']['S3Key'] : undefined;
      const variables = isRecord(properties['Environment']) ? properties['Environment']['Variables'] : undefined;
      const own = Object.entries(context.overrides).filter(([key]) => [logicalId, withoutHash(logicalId), name].includes(key));
      for (const [key] of own) used.add(key);
      const reserved = properties['ReservedConcurrentExecutions'];
      return context.create({
        logicalId,
        name,
        arn,
        folder: assetFolder(context.assembly, code),
        handler: String(properties['Handler']),
        timeoutSeconds: Number(properties['Timeout'] ?? 3),
        memoryMb: Number(properties['MemorySize'] ?? 128),
        region: context.place.region,
        credentials: context.iam.admit({ name: logicalId, roleArn, policies: context.policies.get(roleArn) ?? [] }),
        environment: {
          ...context.endpoints,
          ...Object.fromEntries(
            Object.entries(isRecord(variables) ? variables : {}).map(([key, value]) => [key, context.localized(String(value))]),
          ),
          ...context.overrides['*'],
          ...Object.assign({}, ...own.map(([, values]) => values)),
        },
        ...(reserved === undefined ? {} : { reservedConcurrency: Number(reserved) }),
      });
    });
  const unknown = Object.keys(context.overrides).find((key) => !used.has(key));
  if (unknown !== undefined) throw new Error(`environment for ${unknown}: the template has no such function`);
  return functions;
}

/** CDK ends logical ids with eight hexadecimal digits. */
const withoutHash = (logicalId: string): string => logicalId.replace(/[0-9A-F]{8}$/, '');

function findFunction(functions: readonly LocalFunction[], name: string): LocalFunction {
  const found = functions.filter(({ definition }) =>
    [definition.logicalId, definition.name, withoutHash(definition.logicalId)].includes(name),
  );
  const [only] = found;
  if (only === undefined || found.length > 1) {
    const known = functions.map(({ definition }) => withoutHash(definition.logicalId)).join(', ');
    throw new Error(`${found.length === 0 ? 'no' : 'more than one'} function is called ${name}; there are: ${known}`);
  }
  return only;
}

/** Where calls to services end that are not rehearsed: with a clear answer here instead of a request to the internet. */
function startElsewhere(report: (text: string) => void) {
  return listenOnLoopback(0, async (incoming, outgoing) => {
    const service = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(incoming.headers.authorization ?? '')?.[1] ?? 'a service';
    const text = `${service} is not part of the local cloud (${incoming.method} ${incoming.url} ${String(incoming.headers['x-amz-target'] ?? '')})`;
    report(text);
    outgoing.writeHead(501, { 'content-type': 'application/json' });
    outgoing.end(JSON.stringify({ __type: 'NotRehearsed', message: text }));
  });
}
