import { catalog } from '../../lib/catalog.ts';
import type { Catalog } from '../../lib/contracts/integration.ts';
import { asFailure } from '../../lib/failures.ts';
import { runOperation } from '../../lib/operations/operations.ts';
import { kestrel } from '../../sandbox/companies/kestrel.ts';
import { createWorld, type World } from '../../sandbox/world.ts';

/** A person at the desk of Kestrel Software: the whole connector with both simulators, asked through its operations. */
export interface Desk {
  readonly world: World;
  /** Asks an operation; `Result` is what the test expects it to answer. */
  ask<Result = Answer>(name: string, input?: unknown, who?: string): Promise<Result>;
  /** The refusal of an operation as a person reads it. */
  refusal(name: string, input?: unknown): Promise<string>;
  /** Something happens in Zuora; the connector hears of it with the next poll. */
  zuora(...acts: readonly Readonly<Record<string, unknown>>[]): Promise<void>;
  /** A person acts in Acumatica. */
  acumatica(act: Readonly<Record<string, unknown>>): Promise<void>;
  /** Polls, and works until nothing is left that comes back within seconds. */
  settle(): Promise<void>;
  books(noun: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** Members are looked up by tests, which say by `expect` what they are. */
// biome-ignore format: one line
export type Answer = Readonly<Record<string, unknown>>;

export async function openDesk(
  options: {
    readonly start?: string;
    readonly flows?: Readonly<Record<string, unknown>>;
    readonly settings?: Readonly<Record<string, unknown>>;
    readonly mode?: string;
    readonly workers?: number;
    readonly catalog?: Catalog;
  } = {},
): Promise<Desk> {
  const world = await createWorld({
    company: kestrel,
    catalog: options.catalog ?? catalog,
    start: new Date(options.start ?? '2026-03-20T12:00:00Z'),
    seed: 11,
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    configure: (configuration) => {
      const integrations = configuration['integrations'] as Record<string, Record<string, unknown>>;
      const pair = integrations['acumatica-zuora'] ?? {};
      return {
        ...configuration,
        integrations: {
          'acumatica-zuora': {
            ...pair,
            ...(options.mode === undefined ? {} : { mode: options.mode }),
            ...(options.flows === undefined ? {} : { flows: options.flows }),
            settings: { ...(pair['settings'] as object), ...options.settings },
          },
        },
      };
    },
  });
  world.deliverWebhooks = false;
  const of = (system: 'acumatica' | 'zuora') => {
    const simulator = world.simulators[system];
    if (!simulator) throw new Error(`no ${system}`);
    return simulator;
  };
  const comingSoon = () => {
    const soon = world.time.clock.now().getTime() + 20_000;
    return (['live', 'bulk'] as const).some((queue) => (world.queues.nextVisibleAt(queue)?.getTime() ?? Number.POSITIVE_INFINITY) <= soon);
  };
  const ask = async (name: string, input: unknown = {}, who = 'anna'): Promise<unknown> =>
    world.time.run(runOperation(world.operator, name, input, { name: who }));
  return {
    world,
    ask: async <Result>(name: string, input?: unknown, who?: string) => (await ask(name, input, who)) as Result,
    async refusal(name, input) {
      try {
        return `not refused: ${JSON.stringify(await ask(name, input))}`;
      } catch (error) {
        const { kind, sentence, fix = '' } = asFailure(error).record;
        return `${kind}: ${sentence} → ${fix}`;
      }
    },
    async zuora(...acts) {
      for (const act of acts) await world.time.run(Promise.resolve(of('zuora').act(act)));
    },
    async acumatica(act) {
      await world.time.run(Promise.resolve(of('acumatica').act(act)));
    },
    async settle() {
      await world.poll();
      for (let round = 0; comingSoon(); round += 1) {
        if (round > 60) throw new Error('the queues do not come to rest');
        await world.pass(5_000);
        await world.work();
      }
    },
    books: async (noun) => (await world.time.run(Promise.resolve(of('acumatica').records(noun)))) as readonly Answer[],
  };
}

export const invoice = (number: string, more: Readonly<Record<string, unknown>> = {}) => ({
  action: 'create-invoice',
  number,
  account: 'KR-10023',
  date: '2026-03-02',
  items: [{ chargeName: 'Pro plan', amount: '1225.00', recognizedRevenueAccountingCode: 'Subscription Revenue' }],
  ...more,
});

/** An invoice whose accounting code leads to no account: held until the table says where it goes. */
export const usageInvoice = (number: string, amount = '90.00', more: Readonly<Record<string, unknown>> = {}) =>
  invoice(number, { items: [{ chargeName: 'API calls', amount, recognizedRevenueAccountingCode: 'EU Usage' }], ...more });
