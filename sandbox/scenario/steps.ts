import { Failure } from '../../lib/failures.ts';
import { runOperation } from '../../lib/operations/operations.ts';
import type { Company } from '../company.ts';
import { ControlError } from '../simulators/kit.ts';
import type { World } from '../world.ts';
import { holdsNow, type Miss, missesOf } from './expectations.ts';
import { changedConfiguration } from './lay-over.ts';
import { compare, nearestOf, shown } from './matching.ts';
import type { OperatorAct, Scenario, Step } from './schema.ts';

/** A step that could not be carried out: the scenario or the simulator says why. */
export class StepFailed extends Error {}

export interface Stage {
  readonly world: World;
  readonly company: Company;
  readonly scenario: Scenario;
}

const operator = { name: 'operator' };

/** Carries one step out and answers what of its expectations does not hold. */
export async function runStep(stage: Stage, step: Step): Promise<readonly Miss[]> {
  if (step.refused === undefined) return perform(stage, step);
  try {
    await perform(stage, step);
  } catch (error) {
    const said = wordsOf(error);
    if (said?.includes(step.refused)) return [];
    if (said === undefined) throw error;
    return [{ what: 'refusal', expected: step.refused, found: said, differences: [], records: [] }];
  }
  return [{ what: 'refusal', expected: step.refused, found: 'it was not refused', differences: [], records: [] }];
}

/** What a simulator, an operation or a step says when it refuses; undefined for anything that is a defect. */
export function wordsOf(error: unknown): string | undefined {
  if (error instanceof Failure) return `${error.message}${error.record.fix === undefined ? '' : ` ${error.record.fix}`}`;
  return error instanceof ControlError || error instanceof StepFailed ? error.message : undefined;
}

async function perform(stage: Stage, step: Step): Promise<readonly Miss[]> {
  const { world, company, scenario } = stage;
  if (step.act) await act(stage, step.act);
  if (step.seed) for (const [system, records] of Object.entries(step.seed)) await seedSystem(stage, system, records);
  if (step.poll) await world.poll(step.poll === 'all' ? {} : { flows: step.poll });
  if (step.backfill) await world.poll({ backfill: true, ...(step.backfill === 'all' ? {} : { flows: step.backfill }) });
  if (step.work) await world.work();
  if (step.pass !== undefined) await world.pass(step.pass);
  if (step.jump !== undefined) {
    await world.work();
    world.time.turnTo(new Date(world.time.clock.now().getTime() + step.jump));
  }
  if (step.webhooks) await handleWebhooks(world, step.webhooks);
  if (step.fault) {
    const { system, ...fault } = step.fault;
    world.simulators[system]?.addFault(withoutUndefined(fault));
  }
  if (step.faults) for (const simulator of Object.values(world.simulators)) simulator.clearFaults();
  if (step.crash) {
    const { before, after = '', skip = 0 } = step.crash;
    world.crashes.add({ effect: before ?? after, when: before === undefined ? 'after' : 'before', skip });
  }
  if (step.operator) return operate(stage, step.operator);
  if (step.configure) {
    const change = step.configure;
    await world.work();
    world.configure((written) => changedConfiguration(written, scenario.integration, change));
  }
  if (step.resetCalls) for (const simulator of Object.values(world.simulators)) simulator.resetCalls();
  if (step.request) return request(world, step.request);
  if (step.expect) return missesOf(step.expect, world, company);
  return step.until && step.within !== undefined ? waitFor(stage, step.until, step.within) : [];
}

/** Looked at once per second of virtual time. */
async function waitFor({ world, company }: Stage, expected: NonNullable<Step['until']>, withinMs: number): Promise<readonly Miss[]> {
  let lookAgainMs = 0;
  await world.pass(withinMs, async () => {
    const nowMs = world.time.clock.now().getTime();
    if (nowMs < lookAgainMs) return false;
    lookAgainMs = nowMs + 1000;
    return holdsNow(expected, world, company);
  });
  return missesOf(expected, world, company);
}

export async function seedSystem({ world }: Stage, system: string, records: Readonly<Record<string, unknown>>): Promise<void> {
  await world.time.run(Promise.resolve(simulatorOf(world, system).seed(resolve(repeated(records), { world, system }))));
}

function simulatorOf(world: World, system: string): World['simulators'][string] {
  const simulator = world.simulators[system];
  if (!simulator) throw new StepFailed(`there is no system ${system}`);
  return simulator;
}

async function act({ world }: Stage, given: NonNullable<Step['act']>): Promise<void> {
  for (const [system, own] of Object.entries(given)) {
    const acts = repeated(own);
    for (const one of Array.isArray(acts) ? acts : [acts]) {
      const resolved = resolve(one, { world, system }) as Record<string, unknown>;
      await world.time.run(Promise.resolve(simulatorOf(world, system).act(resolved)));
    }
  }
}

/** `{ $times: 60, of: { number: 'INV{n}' }, from: 100 }` becomes a list; `{n}` counts from `from`, or from 1. */
function repeated(value: unknown): unknown {
  if (Array.isArray(value)) return value.flatMap((one) => (isRepetition(one) ? (repeated(one) as unknown[]) : [repeated(one)]));
  if (value === null || typeof value !== 'object') return value;
  const fields = value as Readonly<Record<string, unknown>>;
  if (!('$times' in fields)) return Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, repeated(one)]));
  const { $times: times, of, from = 1 } = fields;
  if (typeof times !== 'number' || typeof from !== 'number')
    throw new StepFailed(`write a repetition as { $times: 60, of: { number: 'INV{n}' }, from: 100 }, not ${shown(value)}`);
  return Array.from({ length: times }, (_, index) => repeated(counted(of, String(from + index))));
}

const isRepetition = (value: unknown): boolean => value !== null && typeof value === 'object' && '$times' in value;

function counted(value: unknown, n: string): unknown {
  if (typeof value === 'string') return value.replaceAll('{n}', n);
  if (Array.isArray(value)) return value.map((one) => counted(one, n));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, counted(one, n)]));
}

/**
 * Values that stand for others: `{ $find: payments, where: { reference: P-00000188 }, take: ref }` is a field of the one record found, because systems
 * number their documents themselves; `{webhooks}` in a text is the address of webhooks.
 */
function resolve(value: unknown, given: { readonly world: World; readonly system: string }): unknown {
  if (typeof value === 'string') return value.replaceAll('{webhooks}', given.world.webhookAddress(given.system));
  if (Array.isArray(value)) return value.map((one) => resolve(one, given));
  if (value === null || typeof value !== 'object') return value;
  if ('$find' in value) return found(value as Readonly<Record<string, unknown>>, given);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolve(one, given)]));
}

function found(asked: Readonly<Record<string, unknown>>, { world, system }: { readonly world: World; readonly system: string }): unknown {
  const { $find: noun, where = {}, take, in: other = system } = asked;
  if (typeof noun !== 'string' || typeof take !== 'string' || typeof other !== 'string')
    throw new StepFailed(`write a reference as { $find: payments, where: { reference: P-00000188 }, take: ref }, not ${shown(asked)}`);
  const records = simulatorOf(world, other).records(noun);
  const hits = records.filter((record) => compare(where, record).differences.length === 0);
  const [hit] = hits;
  if (hits.length === 1 && hit !== undefined && take in hit) return hit[take];
  const nearest = nearestOf(where, records);
  throw new StepFailed(
    hits.length === 1
      ? `${other} ${noun} have no field ${take}; there are ${Object.keys(hit ?? {}).join(', ')}`
      : `${hits.length} of the ${other} ${noun} match ${shown(where)}; one must${nearest === undefined ? '' : `; nearest: ${shown(nearest)}`}`,
  );
}

async function handleWebhooks(world: World, what: NonNullable<Step['webhooks']>): Promise<void> {
  if (what === 'keep') world.deliverWebhooks = false;
  else if (what === 'lose') {
    world.post.lose();
    world.deliverWebhooks = true;
    await world.sendWebhooks();
  } else if (what === 'deliver') {
    world.post.pass();
    world.deliverWebhooks = true;
    await world.sendWebhooks();
    await world.work();
  } else if (what === 'reverse') {
    await world.time.run(world.post.reversed(() => world.sendWebhooks()));
    await world.work();
  } else {
    const { repeat, newRequestId = false } = what;
    await world.time.run(world.post.repeat({ times: repeat, newRequestId }));
    await world.work();
  }
}

async function request(world: World, asked: NonNullable<Step['request']>): Promise<readonly Miss[]> {
  const { path, method = 'POST', headers = {}, body, bytes, expectStatus } = asked;
  const content = bytes === undefined ? body : 'x'.repeat(bytes);
  const url = new URL(path, world.webhookAddress('')).href;
  const response = await world.time.run(world.network.fetch(url, { method, headers, ...(content === undefined ? {} : { body: content }) }));
  if (expectStatus === undefined || response.status === expectStatus) return [];
  const found = `${response.status} ${await response.text()}`;
  return [{ what: `answer to ${method} ${path}`, expected: String(expectStatus), found, differences: [], records: [] }];
}

async function operate(stage: Stage, asked: OperatorAct): Promise<readonly Miss[]> {
  const { world } = stage;
  const run = (name: string, input: unknown): Promise<unknown> => world.time.run(runOperation(world.operator, name, input, operator));
  if (asked.consent !== undefined) await world.consent(asked.consent);
  if (asked.keep !== undefined) await world.keep();
  if (asked.replay) await run('replay', asked.replay);
  if (asked.redrive !== undefined) await run('dlq-redrive', asked.redrive === 'all' ? { all: true } : { id: asked.redrive });
  if (asked.purge !== undefined) await run('dlq-purge', { all: true });
  if (asked.map) await run('map', asked.map);
  if (asked.mode) await run('mode', asked.mode);
  if (asked.link) await run('link', asked.link);
  if (asked.unlink) await run('unlink', asked.unlink);
  if (asked.decide) await run('decide', asked.decide);
  if (!asked.check) {
    await world.work();
    return [];
  }
  return checkMisses(asked.check, await run('check', {}));
}

function checkMisses(expected: NonNullable<OperatorAct['check']>, answer: unknown): readonly Miss[] {
  const { level, parts } = answer as { level: string; parts: readonly { results: readonly Readonly<Record<string, unknown>>[] }[] };
  const results = parts.flatMap((part) => part.results);
  const misses: Miss[] = [];
  if (expected.level !== undefined && expected.level !== level) {
    const bad = results
      .filter((result) => result['level'] !== 'green')
      .map((result) => `${result['level']} ${result['id']}: ${result['sentence']}`);
    misses.push({ what: 'check', expected: expected.level, found: `${level}: ${bad.join(' | ')}`, differences: [], records: [] });
  }
  for (const wanted of expected.results ?? []) {
    if (results.some((result) => compare(wanted, result).differences.length === 0)) continue;
    const nearest = nearestOf(wanted, results);
    misses.push({
      what: 'check',
      expected: shown(wanted),
      found: nearest === undefined ? `nothing like it among ${results.length} results` : shown(nearest),
      differences: nearest === undefined ? [] : compare(wanted, nearest).differences,
      records: [],
    });
  }
  return misses;
}

function withoutUndefined<Fields extends object>(fields: Fields): { [Name in keyof Fields]: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]: Exclude<Fields[Name], undefined>;
  };
}
