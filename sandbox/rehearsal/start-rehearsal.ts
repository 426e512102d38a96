import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { parse, stringify } from 'yaml';
import * as z from 'zod';
import { ask, endpointFileName, type Target } from '../../cli/connection.ts';
import { catalog } from '../../lib/catalog.ts';
import { loadConfiguration } from '../../lib/configuration/load.ts';
import { utcDate } from '../../lib/values/calendar-date.ts';
import { machineClock } from '../cloud/clock.ts';
import { readJsonFile, writeJsonFile } from '../cloud/file-store.ts';
import { type CompanyInAction, kestrelMonth } from '../companies/kestrel-month.ts';
import { type Runner, startRunner } from './runner.ts';
import { synthesize } from './start-assembly.ts';
import { StartError } from './start-error.ts';
import { freePort, type RunningSystems, startSystems } from './start-systems.ts';

export interface RehearsalOptions {
  /** Where everything is kept between runs. */
  readonly state: string;
  /** An own connector.yaml, run against the simulators of the company. */
  readonly configuration?: string;
  /** Forget the last run. */
  readonly fresh?: boolean;
  /** What is being done, for whoever waits. */
  readonly say: (sentence: string) => void;
}

/** The company, its systems and the deployed connector, all on this machine. */
export interface Rehearsal {
  readonly company: CompanyInAction;
  readonly systems: RunningSystems;
  readonly runner: Runner;
  /** Name of the integration in the configuration, and its cut-over date. */
  readonly integration: string;
  readonly startFrom: string;
  readonly ownConfiguration: boolean;
  /** Where the operations are asked. */
  readonly target: Target;
  /** Where systems that send webhooks send them. */
  readonly webhooks: readonly { readonly system: string; readonly url: string }[];
  /** Messages on the queues of the integration. */
  depth(queue: 'live' | 'bulk' | 'dead'): { readonly waiting: number; readonly inFlight: number; readonly delayed: number };
  /** Whether something of the company's story is still to happen. */
  hasMore(): boolean;
  /** The next thing of the company's story; false when all of it has happened. */
  happenNext(): Promise<boolean>;
  close(): Promise<void>;
}

const remembered = z.object({
  today: z.string(),
  ports: z.record(z.string(), z.number()),
  happened: z.number(),
  /** False while a rehearsal runs: what the simulators took in after their last saving is lost when it is still false at the next start. */
  endedCleanly: z.boolean(),
});
type Remembered = z.infer<typeof remembered>;

const registered = z.object({ registered: z.array(z.object({ system: z.string(), url: z.string() })) });

const usualPorts = { api: 7100, acumatica: 7101, zuora: 7102 };
const saveEveryMs = 5_000;
/** How long batches in progress may take to end when the rehearsal does. */
const endingMs = 25_000;

/** Keeps a second rehearsal away from the folder, before that one changes anything in it. Answers what gives the folder back. */
function take(state: string): () => void {
  const file = join(state, 'running.json');
  const other = z.object({ pid: z.number() }).safeParse(readJsonFile(file)).data;
  if (other !== undefined && isAlive(other.pid))
    throw new StartError(
      `Another rehearsal is using ${state} (process ${other.pid}).`,
      'End it with Ctrl-C, or use another folder: npm start -- --state FOLDER',
    );
  writeJsonFile(file, { pid: process.pid });
  return () => rmSync(file, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Forgets everything but the synthesized template, which only depends on the code and the configuration. */
function forget(state: string): void {
  for (const name of readdirSync(state)) {
    if (name !== 'assembly' && name !== 'running.json') rmSync(join(state, name), { recursive: true, force: true });
  }
}

export async function openRehearsal(options: RehearsalOptions): Promise<Rehearsal> {
  const { say } = options;
  const state = options.state;
  mkdirSync(state, { recursive: true });
  const closers: (() => unknown)[] = [take(state)];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    if (options.fresh) forget(state);
    const memoryFile = join(state, 'company.json');
    const before = memoryOf(readJsonFile(memoryFile), state);
    const today = before?.today ?? utcDate(machineClock.now());
    const company = kestrelMonth(today);
    const systems = await startSystems(company, {
      folder: join(state, 'systems'),
      isNew: before === undefined,
      ports: before?.ports ?? usualPorts,
      say,
    });
    closers.push(() => systems.close());
    const configurationFile = join(state, 'connector.yaml');
    writeFileSync(configurationFile, stringify(written(company, systems.origins, options.configuration)));
    const configuration = loadConfiguration(readFileSync(configurationFile, 'utf8'), catalog);
    const [integration = company.integration, pair] = Object.entries(configuration.integrations)[0] ?? [];
    await synthesize(configurationFile, join(state, 'assembly'), say);
    say('Starting DynamoDB, SQS, Secrets Manager, the scheduler and the functions …');
    const runner = await startRunner({
      assembly: join(state, 'assembly'),
      state: join(state, 'cloud'),
      graceMs: endingMs,
      ports: { api: await freePort('the connector', before?.ports['api'] ?? usualPorts.api, say) },
    }).catch((error: unknown) => {
      throw startProblem(error);
    });
    closers.push(() => runner.stop());
    const target = { url: `${runner.apiUrl}/operations`, region: runner.region, credentials: runner.operator };

    let memory: Remembered = {
      today,
      ports: { ...portsOf(systems.origins), api: Number(new URL(runner.apiUrl).port) },
      happened: before?.happened ?? 0,
      endedCleanly: false,
    };
    const remember = (change: Partial<Remembered>): void => {
      memory = { ...memory, ...change };
      writeJsonFile(memoryFile, memory);
    };

    const secretNames = secretsByVendor(configuration.connections);
    if (before === undefined) {
      say('Moving the company in …');
      await systems.seed();
      await fillSecrets(runner, company, await systems.act('all'), secretNames);
    } else {
      if (!before.endedCleanly) {
        say('The last run was killed. What the simulated systems took in during its last seconds is lost, and may be reported as missing.');
        say('To start over: npm start -- --fresh');
        // The newest refresh token may have been given out after that, so somebody consents anew.
        await fillSecrets(runner, company, await systems.act('consent'), secretNames);
      }
    }
    const webhooks = registered.parse(await ask(target, 'register', { origin: runner.apiUrl })).registered;
    for (const simulator of Object.values(systems.simulators)) simulator.resetCalls();
    systems.save();
    remember({});
    const saving = setInterval(() => systems.save(), saveEveryMs).unref();
    const endpoint = join(state, endpointFileName);
    writeJsonFile(endpoint, { operationsUrl: target.url, region: target.region, ...pick(runner) });
    // Last in, first out: nobody asks any more, the functions end, and only then the systems are saved.
    closers.splice(2, 0, () => {
      clearInterval(saving);
      systems.save();
      remember({ endedCleanly: true });
    });
    closers.push(() => rmSync(endpoint, { force: true }));

    return {
      ...{ company, systems, runner, integration, target, webhooks, close },
      startFrom: startOf(pair?.settings),
      ownConfiguration: options.configuration !== undefined,
      depth: (queue) => runner.sqs.depth(`${configuration.stack}-${integration}-${queue}`) ?? { waiting: 0, inFlight: 0, delayed: 0 },
      hasMore: () => memory.happened < company.story.length,
      async happenNext() {
        const next = company.story[memory.happened];
        if (next === undefined) return false;
        await systems.simulators[next.system]?.act(next.action);
        remember({ happened: memory.happened + 1 });
        return true;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const pick = ({ operator }: Runner) => ({ accessKeyId: operator.accessKeyId, secretAccessKey: operator.secretAccessKey });

const portsOf = (origins: Readonly<Record<string, string>>): Record<string, number> =>
  Object.fromEntries(Object.entries(origins).map(([system, origin]) => [system, Number(new URL(origin).port)]));

const startOf = (settings: unknown): string => z.object({ startFrom: z.string() }).safeParse(settings).data?.startFrom ?? '0000-00-00';

function memoryOf(file: unknown, state: string): Remembered | undefined {
  if (file === undefined) return undefined;
  const parsed = remembered.safeParse(file);
  if (parsed.success) return parsed.data;
  throw new StartError(`The folder ${state} was written by another version of the rehearsal.`, 'Start over with: npm start -- --fresh');
}

/** connector.yaml as it runs here: the company's own, or the given one with its connections led to the simulators. */
function written(company: CompanyInAction, origins: Readonly<Record<string, string>>, file: string | undefined): unknown {
  const own = company.configuration(origins);
  if (file === undefined) return own;
  if (!existsSync(file)) throw new StartError(`There is no file ${file}.`, 'Name a connector.yaml: --configuration PATH');
  const text = readFileSync(file, 'utf8');
  loadConfiguration(text, catalog);
  const given = parse(text) as { readonly connections: Readonly<Record<string, ConnectionText>> };
  const simulated = Object.values((own as { readonly connections: Readonly<Record<string, ConnectionText>> }).connections);
  const connections = Object.entries(given.connections).map(([name, connection]) => {
    const stand = simulated.find((each) => each.vendor === connection.vendor);
    if (!stand)
      throw new StartError(
        `${file} has the connection ${name} of ${connection.vendor}, which ${company.name} does not use.`,
        `The rehearsal simulates: ${Object.keys(company.systems).join(', ')}.`,
      );
    return [name, { ...connection, settings: { ...connection.settings, ...stand.settings } }];
  });
  return { ...given, connections: Object.fromEntries(connections) };
}

interface ConnectionText {
  readonly vendor: string;
  readonly settings?: Readonly<Record<string, unknown>>;
}

const secretsByVendor = (
  connections: Readonly<Record<string, { readonly vendor: string; readonly secret: string }>>,
): ReadonlyMap<string, readonly string[]> =>
  new Map(
    Object.values(connections).map(({ vendor }) => [
      vendor,
      Object.values(connections)
        .filter((other) => other.vendor === vendor)
        .map(({ secret }) => secret),
    ]),
  );

/** Credentials into the local Secrets Manager, as an administrator would put them. A system that did not answer gave out no new ones. */
async function fillSecrets(
  runner: Runner,
  company: CompanyInAction,
  answers: Readonly<Record<string, readonly unknown[]>>,
  names: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const { connections } = company.configuration({}) as {
    readonly connections: Readonly<Record<string, { readonly vendor: string; readonly secret: string }>>;
  };
  const client = new SecretsManagerClient({
    endpoint: runner.urls.secretsManager,
    region: runner.region,
    credentials: runner.operator,
    maxAttempts: 1,
  });
  try {
    for (const [secret, fields] of Object.entries(company.secrets(answers))) {
      const vendor = Object.values(connections).find((connection) => connection.secret === secret)?.vendor ?? '';
      for (const name of names.get(vendor) ?? [])
        await client.send(new PutSecretValueCommand({ SecretId: name, SecretString: JSON.stringify(fields) }));
    }
  } finally {
    client.destroy();
  }
}

function startProblem(error: unknown): unknown {
  const text = error instanceof Error ? error.message : String(error);
  return text.includes('remove the state folder') ? new StartError(text, 'Start over with: npm start -- --fresh') : error;
}
