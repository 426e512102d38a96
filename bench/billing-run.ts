import { catalog } from '../lib/catalog.ts';
import type { Ports } from '../lib/connector.ts';
import { createWorld, type World } from '../sandbox/world.ts';
import { billingRunCompany, type RunSize } from './billing-run-company.ts';
import { type Counts, countingPorts, emptyCounts } from './counting-ports.ts';

/** The default of the product: half of what the tenant's licence allows, because from half on Acumatica delays every request. */
export const requestsPerMinute = 45;
const licencePerMinute = 2 * requestsPerMinute;

const start = new Date('2026-03-10T20:00:00Z');
const hourMs = 3_600_000;
const longestRunMs = 60 * 24 * hourMs;

export interface BillingRun {
  readonly size: RunSize;
  readonly world: World;
  /** Of the run itself, from the first poll to the last record. */
  readonly counts: Counts;
  readonly batches: number;
  readonly wallMs: number;
  /** Virtual time from the first call to the last write. */
  readonly begunMs: number;
  readonly endedMs: number;
  /** Runs something more in the same world and counts it apart. */
  count(work: () => Promise<void>): Promise<Counts>;
}

/** A whole billing run: polled, queued, worked off under the limits of both vendors, until every record is in the books. */
export async function runBilling(
  size: RunSize,
  options: { readonly ports?: (ports: Ports, world: () => World) => Ports; readonly workers?: number } = {},
): Promise<BillingRun> {
  let counts = emptyCounts();
  const begun = performance.now();
  const world: World = await createWorld({
    company: billingRunCompany(size),
    catalog,
    start,
    seed: 1,
    workers: options.workers ?? 2,
    options: { acumatica: { licence: { requestsPerMinute: licencePerMinute, users: 2 } } },
    configure: withSettings,
    ports(memory) {
      const ports = options.ports?.(memory, () => world) ?? memory;
      return countingPorts(
        ports,
        () => counts,
        (url, method) => world.network.operationOf(url, method),
      );
    },
  });
  world.deliverWebhooks = false;
  const counted = counts;
  if (!(await world.pass(longestRunMs, async () => isDone(world, size, counted)))) throw unfinished(world, size, counted);
  const ofTarget = counted.calls.filter(({ operation }) => operation.startsWith('acumatica '));
  return {
    size,
    world,
    counts: counted,
    batches: world.batches(),
    wallMs: performance.now() - begun,
    begunMs: ofTarget[0]?.atMs ?? 0,
    endedMs: ofTarget.at(-1)?.atMs ?? 0,
    async count(work) {
      counts = emptyCounts();
      await work();
      return counts;
    },
  };
}

/** The nightly reconciliation reads both systems once a day however many records there are; it has no place in a count per record. */
function withSettings(written: Record<string, unknown>): Record<string, unknown> {
  const { connections, integrations } = structuredClone(written) as {
    connections: { erp: { settings: Record<string, unknown> } };
    integrations: { 'acumatica-zuora': Record<string, unknown> };
  };
  connections.erp.settings['requestsPerMinute'] = requestsPerMinute;
  integrations['acumatica-zuora']['flows'] = { reconcile: { mode: 'off' } };
  return { ...written, connections, integrations };
}

const booked = (size: RunSize): Readonly<Record<string, number>> => ({
  'customers created': size.accounts,
  'invoices posted': size.invoices,
  'payments posted': size.payments,
  'credit-memos posted': size.creditMemos,
  'applications applied': size.creditMemos,
});

async function isDone(world: World, size: RunSize, { outcomes }: Counts): Promise<boolean> {
  for (const [outcome, wanted] of Object.entries(booked(size))) if ((outcomes.get(outcome) ?? 0) < wanted) return false;
  for (const queue of ['live', 'bulk'] as const) {
    const { delayed, inFlight, waiting } = await world.queues.depth(queue);
    if (delayed + inFlight + waiting > 0) return false;
  }
  return true;
}

function unfinished(world: World, size: RunSize, { outcomes }: Counts): Error {
  const left = Object.entries(booked(size)).map(([outcome, wanted]) => `${outcome} ${outcomes.get(outcome) ?? 0} of ${wanted}`);
  const errors = world.errors.slice(0, 3).map(({ job, error }) => `${job}: ${String(error)}`);
  return new Error(`the billing run did not end: ${[...left, ...errors].join('; ')}; outcomes: ${JSON.stringify([...outcomes])}`);
}
