import { catalog } from '../../../lib/catalog.ts';
import type { AuditEntry } from '../../../lib/contracts/audit.ts';
import type { Link } from '../../../lib/contracts/link.ts';
import { runOperation } from '../../../lib/operations/operations.ts';
import { kestrel } from '../../../sandbox/companies/kestrel.ts';
import { createWorld, type World } from '../../../sandbox/world.ts';

/** The whole pair in virtual time, with what tests about masters, checks and reports look at. */

export type Row = Readonly<Record<string, unknown>>;

export interface Masters {
  readonly world: World;
  zuora(...acts: readonly Row[]): Promise<void>;
  acumatica(...acts: readonly Row[]): Promise<void>;
  /** Polls and works until nothing is left to do soon. */
  sync(): Promise<void>;
  pass(minutes: number): Promise<void>;
  customers(): Promise<readonly Row[]>;
  customer(ref: string): Promise<Row | undefined>;
  link(label: string): Promise<Link | undefined>;
  /** Labels and causes of what is held or waiting. */
  held(): Promise<readonly string[]>;
  waiting(): Promise<readonly string[]>;
  audit(label: string): Promise<readonly AuditEntry[]>;
  /** Writes to Acumatica since the last look. */
  writes(): readonly string[];
  operate(name: string, input: Row): Promise<unknown>;
  records(system: 'acumatica' | 'zuora', noun: string): Promise<readonly Row[]>;
}

export interface MastersOptions {
  readonly settings?: Row;
  readonly flows?: Row;
  readonly customers?: readonly Row[];
  readonly accounts?: readonly Row[];
  readonly preferences?: Row;
  readonly numbering?: Row;
  readonly start?: string;
  readonly zuora?: Row;
  readonly configure?: (configuration: Record<string, unknown>) => Record<string, unknown>;
}

export async function openMasters(options: MastersOptions = {}): Promise<Masters> {
  const seeds: Readonly<Record<string, object>> = {
    acumatica: {
      ...(options.customers === undefined ? {} : { customers: options.customers }),
    },
    zuora: options.accounts === undefined ? {} : { accounts: options.accounts },
  };
  const world = await createWorld({
    company: {
      ...kestrel,
      systems: Object.fromEntries(
        Object.entries(kestrel.systems).map(([name, system]) => [
          name,
          { ...system, seed: { ...(system.seed as object), ...seeds[name] } },
        ]),
      ),
    },
    catalog,
    start: new Date(options.start ?? '2026-03-20T12:00:00Z'),
    seed: 11,
    options: {
      zuora: options.zuora ?? {},
      acumatica: {
        ...(options.preferences === undefined ? {} : { preferences: options.preferences }),
        ...(options.numbering === undefined ? {} : { numbering: options.numbering }),
      },
    },
    configure: (written) => {
      const integrations = written['integrations'] as Record<string, Record<string, unknown>>;
      const pair = integrations['acumatica-zuora'] ?? {};
      const settings = merged(pair['settings'] as Row, options.settings ?? {});
      const configuration = {
        ...written,
        integrations: {
          'acumatica-zuora': { ...pair, ...(options.flows === undefined ? {} : { flows: options.flows }), settings },
        },
      };
      return options.configure?.(configuration) ?? configuration;
    },
  });
  world.deliverWebhooks = false;
  const simulator = (name: string) => {
    const found = world.simulators[name];
    if (!found) throw new Error(`no simulator ${name}`);
    return found;
  };
  const act = async (name: string, acts: readonly Row[]) => {
    for (const one of acts) await world.time.run(Promise.resolve(simulator(name).act(one)));
  };
  const records = async (name: string, noun: string) =>
    (await world.time.run(Promise.resolve(simulator(name).records(noun)))) as readonly Row[];
  const { links, audit } = world.operator.ports;
  const settle = async () => {
    for (let round = 0; round < 60; round += 1) {
      await world.work();
      const soon = world.time.clock.now().getTime() + 30_000;
      const due = (['live', 'bulk'] as const).some((queue) => (world.queues.nextVisibleAt(queue)?.getTime() ?? Infinity) <= soon);
      if (!due) return;
      await world.pass(5_000);
    }
    throw new Error('the queues do not come to rest');
  };
  const troubled = (found: readonly Link[]) => found.map((link) => `${link.label ?? ''}: ${link.trouble?.cause ?? ''}`);
  return {
    world,
    zuora: (...acts) => act('zuora', acts),
    acumatica: (...acts) => act('acumatica', acts),
    async sync() {
      await world.poll();
      await settle();
    },
    async pass(minutes) {
      await world.pass(minutes * 60_000);
      await settle();
    },
    customers: () => records('acumatica', 'customers'),
    customer: async (ref) => (await records('acumatica', 'customers')).find((row) => row['accountRef'] === ref),
    link: async (label) => (await world.time.run(links.findByLabel(world.integration, label)))[0],
    held: async () => troubled((await world.time.run(links.listHeld(world.integration))).links),
    waiting: async () => troubled((await world.time.run(links.listWaiting(world.integration))).links),
    audit: async (label) =>
      (await world.time.run(audit.query({ integration: world.integration, limit: 1000 }))).entries.filter((entry) =>
        entry.label?.startsWith(label),
      ),
    writes() {
      const calls = Object.entries(simulator('acumatica').calls());
      simulator('acumatica').resetCalls();
      return calls
        .filter(([call]) => /^(PUT|POST|DELETE)/.test(call) && !/token|Inquiry|CompaniesStructure/.test(call))
        .map(([call, times]) => `${call} ×${times}`);
    },
    operate: (name, input) => world.time.run(runOperation(world.operator, name, input, { name: 'Ada' })),
    records,
  };
}

/** Members of objects one level down are merged, everything else is replaced. */
function merged(base: Row, over: Row): Row {
  const result: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(over)) {
    const former = base[name];
    result[name] = isObject(former) && isObject(value) ? { ...former, ...value } : value;
  }
  return result;
}

const isObject = (value: unknown): value is Row => value !== null && typeof value === 'object' && !Array.isArray(value);
