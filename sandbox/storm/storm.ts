import { catalog } from '../../lib/catalog.ts';
import { kestrel } from '../companies/kestrel.ts';
import type { Company } from '../company.ts';
import { remembered } from '../scenario/end-state.ts';
import { ControlError } from '../simulators/kit.ts';
import { createWorld, type World } from '../world.ts';
import { billingChores } from './billing-chores.ts';
import { comeToRest } from './calm.ts';
import { createDraws, type Draws } from './draws.ts';
import { createTroubles, type Struck } from './faults.ts';
import type { Finding } from './finding.ts';
import { createHistory, type History } from './history.ts';
import { moneyChores } from './money-chores.ts';
import { type Action, createOffice, type Hands } from './office.ts';
import { judge } from './oracle.ts';
import { peopleChores } from './people-chores.ts';
import type { Sabotage } from './sabotage.ts';
import { Weather } from './weather.ts';

export interface StormOptions {
  readonly seed: number;
  /** Things done by the two departments. */
  readonly changes: number;
  /** Only what gives work to this flow. */
  readonly flow?: string;
  /** A guard of the connector that is switched off, to see whether the oracle notices. */
  readonly sabotage?: Sabotage;
  /** Without any fault: the workload alone. */
  readonly fair?: boolean;
}

export interface StormResult {
  readonly seed: number;
  readonly changes: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly crashes: number;
  readonly findings: readonly Finding[];
  /** Records a person still has to decide about at the end, by kind of cause. */
  readonly left: Readonly<Record<string, number>>;
  readonly records: number;
  readonly digest: string;
  readonly history: readonly string[];
}

const start = new Date('2026-03-09T15:00:00Z');
/** Share of the things done after which something goes wrong. */
const faultShare = 0.3;

/** One history: a company's weeks, drawn from the seed, and the judgement at its end. */
export async function runStorm(options: StormOptions): Promise<StormResult> {
  const { seed } = options;
  const draws = createDraws(seed, 1);
  const history = createHistory();
  const weather = new Weather(createDraws(seed, 2));
  const world = await createWorld({
    company: companyOf(draws),
    catalog: options.sabotage?.catalog?.(catalog) ?? catalog,
    start,
    seed,
    workers: draws.between(1, 3),
    configure: (written) => configured(written, draws),
    options: { acumatica: { preferences: preferencesOf(draws) } },
    ports: (ports) => {
      const weathered = weather.around(ports);
      return options.sabotage?.ports?.(weathered) ?? weathered;
    },
  });
  const edited = new Map<string, Set<string>>();
  const hands = handsOf(world, history, edited);
  const struck: Struck = { world, weather, draws: createDraws(seed, 3), hands, aside: [], operator: { name: 'storm' } };
  const done = await stormOver(struck, options, history);
  const faults = { ...done.faults, ...weather.counts };
  let findings: readonly Finding[] = [];
  let left: Readonly<Record<string, number>> = {};
  let records = 0;
  try {
    const beforeCalm = world.errors.length;
    await comeToRest(struck);
    ({ findings, left, records } = await judge({ world, weather, hands, edited, errorsBefore: beforeCalm }));
  } catch (error) {
    findings = [{ kind: 'unrest', what: error instanceof Error ? (error.stack ?? error.message) : String(error), records: [] }];
  }
  const crashes = world.crashes.struck;
  await tellAudit(world, history);
  return { seed, changes: done.changes, faults, crashes, findings, left, records, digest: history.digest, history: history.lines };
}

async function stormOver(struck: Struck, options: StormOptions, history: History) {
  const { world, draws, hands } = struck;
  const work = createDraws(options.seed, 4);
  const office = createOffice(work, hands);
  for (const account of hands.records('zuora', 'accounts'))
    office.books.customers.push({ number: String(account['number']), currency: String(account['currency']), canceled: false });
  const chores = [...billingChores(office), ...moneyChores(office), ...peopleChores(office)].filter(
    ({ flows }) => options.flow === undefined || flows.includes(options.flow),
  );
  const troubles = createTroubles(struck);
  const faults: Record<string, number> = {};
  let changes = 0;
  for (let step = 0; changes < options.changes && step < options.changes * 6; step += 1) {
    if (!(await work.weighted(chores)?.act())) continue;
    changes += 1;
    if (options.fair !== true && draws.chance(faultShare)) {
      const trouble = draws.weighted(troubles);
      if (trouble) {
        history.tell(world.time.clock.now(), 'fault', trouble.name);
        faults[trouble.name] = (faults[trouble.name] ?? 0) + 1;
        await trouble.strike();
      }
    }
    if (draws.chance(0.45)) await world.pass(draws.oneOf(1_000, 8_000, 40_000, 120_000, 400_000, draws.chance(0.1) ? 7_000_000 : 60_000));
  }
  return { changes, faults };
}

/** Acts in the systems, told in the history. What a system refuses is not done. */
function handsOf(world: World, history: History, edited: Map<string, Set<string>>): Hands {
  const act = async (system: 'zuora' | 'acumatica', action: Action): Promise<unknown> => {
    if (action['action'] === 'edit-customer' || action['action'] === 'rename-customer') noteEdit(world, edited, action);
    try {
      const answer = await world.time.run(Promise.resolve(world.simulators[system]?.act(action)));
      history.tell(world.time.clock.now(), system, JSON.stringify(action).slice(0, 300));
      return answer ?? null;
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      return undefined;
    }
  };
  return {
    zuora: (action) => act('zuora', action),
    acumatica: (action) => act('acumatica', action),
    records: (system, noun) => world.simulators[system]?.records(noun) ?? [],
    today: () => world.time.clock.now().toISOString().slice(0, 10),
  };
}

/** Which fields a person changed there: these may differ from the account for ever. */
function noteEdit(world: World, edited: Map<string, Set<string>>, action: Action): void {
  const guid = String(world.simulators['acumatica']?.records('customers').find((row) => row['id'] === action['id'])?.['guid']);
  const text = JSON.stringify(action);
  const fields = edited.get(guid) ?? new Set<string>();
  edited.set(guid, fields);
  if (action['action'] === 'rename-customer') fields.add('name');
  if (text.includes('Email')) fields.add('email');
  if (text.includes('Phone1')) fields.add('phone');
}

/** The audit belongs to the history: what the connector says it did. */
async function tellAudit(world: World, history: History): Promise<void> {
  const { audit } = await remembered(world);
  for (const entry of audit)
    history.tell(new Date(entry.at), 'audit', `${entry.record} ${entry.outcome} ${entry.reason ?? ''} ${entry.sentence}`.slice(0, 300));
}

/** The company is the usual one with features as tenants have them. */
function companyOf(draws: Draws): Company {
  const zuora = kestrel.systems['zuora'];
  if (!zuora) throw new Error('the company has no billing system');
  const features = [
    { action: 'set-feature', feature: 'cancelPostedBillingDocument', value: true },
    { action: 'set-feature', feature: 'paymentMovesOnApplication', value: draws.chance(0.5) },
    { action: 'set-feature', feature: 'accountMovesOnContactEdit', value: draws.chance(0.5) },
    { action: 'set-feature', feature: 'unapplyRows', value: draws.oneOf('negative', 'removed') },
  ];
  return { ...kestrel, systems: { ...kestrel.systems, zuora: { ...zuora, acts: [...zuora.acts, ...features] } } };
}

function preferencesOf(draws: Draws): Record<string, unknown> {
  return {
    requireControlTotal: draws.chance(0.2),
    actionAnswer: draws.oneOf('accepted', 'accepted', 'done-at-once', 'done-with-bogus-location'),
    actionMs: draws.oneOf(500, 1000, 9000),
    discovery: draws.oneOf('object', 'array'),
  };
}

function configured(written: Record<string, unknown>, draws: Draws): Record<string, unknown> {
  const integrations = written['integrations'] as Record<string, Record<string, unknown>>;
  const [name = '', integration = {}] = Object.entries(integrations)[0] ?? [];
  const journals = draws.chance(0.25);
  const settings = {
    ...(integration['settings'] as Record<string, unknown>),
    release: draws.chance(0.1) ? 'manual' : 'auto',
    closedPeriod: draws.chance(0.3) ? 'next-open' : 'hold',
    lines: draws.chance(0.3) ? 'by-account' : 'each',
    refundOfApplied: draws.chance(0.2) ? 'hold' : 'void',
    preCutover: draws.chance(0.5) ? 'unapplied' : 'hold',
    revenue: journals ? 'zuora-journals' : 'at-billing',
  };
  const flows = journals ? { flows: { journals: { mode: 'live' } } } : {};
  return { ...written, integrations: { ...integrations, [name]: { ...integration, settings, ...flows } } };
}
