import { performance } from 'node:perf_hooks';
import type { Catalog } from '../../lib/contracts/integration.ts';
import { refText } from '../../lib/values/record-ref.ts';
import { createWorld, type World } from '../world.ts';
import { endState, remembered, totalOf, writesOf } from './end-state.ts';
import { listed, type Miss, missesOf, storyOf } from './expectations.ts';
import { changedConfiguration } from './lay-over.ts';
import type { ReadScenario } from './read-scenarios.ts';
import type { Step } from './schema.ts';
import { runStep, type Stage, seedSystem, wordsOf } from './steps.ts';

/** What went wrong at one place of a scenario. */
export interface FailedPlace {
  /** `step 3 (line 41): expect`, `then`, `quiet` */
  readonly at: string;
  readonly misses: readonly Miss[];
  /** Lines of the audit about the records concerned, oldest first. */
  readonly story: readonly string[];
}

export interface ScenarioResult {
  readonly file: string;
  readonly scenario: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly failures: readonly FailedPlace[];
  /** Everything the connector did, one audit entry per line. */
  readonly story: readonly string[];
  readonly state: Awaited<ReturnType<typeof endState>>;
}

/** Runs one scenario in a fresh world. The first place that fails ends it. */
export async function runScenario(read: ReadScenario, catalog: Catalog, options: { readonly seed?: number } = {}): Promise<ScenarioResult> {
  const started = performance.now();
  const { scenario, company, file } = read;
  const world = await createWorld({
    company,
    catalog,
    start: new Date(scenario.start),
    seed: options.seed ?? scenario.seed,
    workers: scenario.workers,
    configure: (configuration) => changedConfiguration(configuration, scenario.integration, scenario.config),
    ...(scenario.given.options === undefined ? {} : { options: scenario.given.options }),
  });
  const stage: Stage = { world, company, scenario };
  const failures = await failuresOf(stage, read);
  const state = await endState(world, company);
  return {
    file,
    scenario: scenario.scenario,
    ok: failures.length === 0,
    ms: Math.round(performance.now() - started),
    failures,
    story: state.audit.map(lineOf),
    state,
  };
}

async function failuresOf(stage: Stage, read: ReadScenario): Promise<FailedPlace[]> {
  const { scenario, world, company } = stage;
  const given = await failedPlace(stage, 'given', async () => {
    for (const [system, records] of Object.entries(scenario.given.systems ?? {})) await seedSystem(stage, system, records);
    for (const simulator of Object.values(world.simulators)) simulator.resetCalls();
    return [];
  });
  if (given) return [given];
  for (const [index, step] of scenario.when.entries()) {
    const line = read.lineOfStep(index);
    const at = `step ${index + 1}${line === undefined ? '' : ` (line ${line})`}: ${titleOf(step)}`;
    const failed = await failedPlace(stage, at, () => runStep(stage, step));
    if (failed) return [failed];
  }
  const end = await failedPlace(stage, 'then', () =>
    missesOf({ holds: {}, waiting: {}, ...withoutUndefined(scenario.then) }, world, company),
  );
  const standing = await failedPlace(stage, 'always', () => standingMisses(stage));
  const quiet = scenario.quiet && !end ? await failedPlace(stage, 'quiet', () => quietMisses(stage)) : undefined;
  return [end, standing, quiet].flatMap((failed) => (failed ? [failed] : []));
}

async function failedPlace(stage: Stage, at: string, check: () => Promise<readonly Miss[]>): Promise<FailedPlace | undefined> {
  let misses: readonly Miss[];
  try {
    misses = await check();
  } catch (error) {
    const found = wordsOf(error) ?? (error instanceof Error ? (error.stack ?? error.message) : String(error));
    misses = [{ what: 'this step', expected: 'to be carried out', found, differences: [], records: [] }];
  }
  if (misses.length === 0) return undefined;
  const state = await remembered(stage.world);
  const records = [...new Set(misses.flatMap((miss) => miss.records))];
  const story = records.length > 0 ? storyOf(records, state) : state.audit.slice(-10);
  return { at, misses, story: story.map(lineOf) };
}

/** One audit entry on one line. */
function lineOf(entry: Awaited<ReturnType<typeof remembered>>['audit'][number]): string {
  const flow = entry.record.split('|')[0]?.replace(/^[^.]*\./, '') ?? '';
  const reason = entry.reason === undefined ? '' : `(${entry.reason})`;
  return `${entry.at.slice(0, 19).replace('T', ' ')}  ${flow} ${entry.outcome}${reason} by ${entry.cause}: ${entry.sentence}`;
}

/** What no scenario may show, whatever it expects: jobs that ended in an error, defects, crashes nobody reached, secrets where anyone can read. */
async function standingMisses({ world }: Stage): Promise<readonly Miss[]> {
  const misses: Miss[] = [];
  const miss = (what: string, expected: string, found: string): void => {
    misses.push({ what, expected, found, differences: [], records: [] });
  };
  for (const { at, job, error } of world.errors)
    miss(`job ${job} at ${at}`, 'to end well', error instanceof Error ? (error.stack ?? error.message) : String(error));
  const { audit, links } = await remembered(world);
  const defects = audit.filter((entry) => entry.failure?.kind === 'Defect' || entry.failure?.kind === 'RequestMalformed');
  for (const entry of defects) miss('defect', 'none', `${entry.sentence} ${entry.failure?.said ?? ''}`);
  for (const line of world.log.lines.filter(({ event }) => event === 'engine.defect' || event === 'batch.interrupted'))
    if (world.crashes.seen().length === 0 || line.event === 'engine.defect') miss('log', `no ${line.event}`, JSON.stringify(line.fields));
  for (const [system, simulator] of Object.entries(world.simulators))
    for (const { kind, operation = 'any call' } of simulator.unplayedFaults())
      miss('fault', 'to be played', `${kind} on ${operation} of ${system} never happened: no such call came`);
  if (world.crashes.pending > 0)
    miss('crash', 'to be reached', `${world.crashes.pending} crash never happened: no process came to that effect`);
  const readable = JSON.stringify([world.log.lines, audit, links, world.alerts.raised]);
  for (const [name, fields] of Object.entries(await secretsOf(world)))
    for (const [field, secret] of fields)
      if (secret.length >= 8 && readable.includes(secret)) miss('secrets', 'to stay secret', `${field} of ${name} can be read`);
  return misses;
}

async function secretsOf(world: World): Promise<Record<string, readonly (readonly [string, string])[]>> {
  const { configuration, integrations, ports } = world.operator;
  const hidden: Record<string, readonly (readonly [string, string])[]> = {};
  for (const { secret, vendor } of Object.values(configuration.connections)) {
    const credentials = integrations
      .flatMap(({ definition: { sides } }) => [sides.a, sides.b])
      .find(({ key }) => key === vendor)?.credentials;
    const secretNames = new Set(credentials?.filter((field) => field.secret).map((field) => field.name));
    hidden[secret] = Object.entries(await ports.secrets.fetch(secret)).flatMap(([name, value]) =>
      secretNames.has(name) ? [[name, value.reveal()] as const] : [],
    );
  }
  return hidden;
}

/** Outcomes that stand for something written. */
const writing: ReadonlySet<string> = new Set(['created', 'updated', 'adopted', 'posted', 'applied', 'reversed']);

/**
 * What is known is done: a full poll writes nothing about a record that was settled before (others, which no step had asked for, may come now).
 * After it a second full poll and a repeat of every webhook find everything done.
 */
async function quietMisses({ world, company }: Stage): Promise<readonly Miss[]> {
  for (const simulator of Object.values(world.simulators)) simulator.clearFaults();
  const before = await remembered(world);
  world.post.pass();
  await world.sendWebhooks();
  await world.work();
  await world.poll();
  const known = new Set(before.links.filter(({ state }) => state !== 'new').map(({ origin }) => refText(origin)));
  const again = (await remembered(world)).audit
    .slice(before.audit.length)
    .filter((entry) => writing.has(entry.outcome) && known.has(entry.record));
  for (const simulator of Object.values(world.simulators)) simulator.resetCalls();
  await world.poll();
  await world.time.run(world.post.repeat({ times: 1 }));
  await world.work();
  return [
    ...again.map((entry) => ({
      what: 'a full poll after the end',
      expected: 'nothing more about what was settled',
      found: entry.sentence,
      differences: [],
      records: [entry.record],
    })),
    ...Object.keys(world.simulators).flatMap((system) => {
      const writes = writesOf(world, company, system);
      const what = `writes ${system} after a second poll and a repeat of every webhook`;
      return totalOf(writes) === 0 ? [] : [{ what, expected: '0', found: listed(writes), differences: [], records: [] }];
    }),
  ];
}

function titleOf(step: Step): string {
  const [name = '', value] = Object.entries(step).find(([member]) => member !== 'note' && member !== 'refused') ?? [];
  if (typeof value !== 'object') return `${name} ${String(value)}`;
  return `${name}${step.note === undefined ? '' : ` (${step.note})`}`;
}

function withoutUndefined<Fields extends object>(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields;
}
