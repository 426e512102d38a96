import { Hono } from 'hono';
import * as z from 'zod';
import { ControlError, createSimulator, type SimulatedWorld, type Simulator } from '../kit.ts';
import { act } from './actions.ts';
import { DataQueryDesk } from './data-query.ts';
import { notFound, Refused } from './failures.ts';
import { createGateway, json } from './gateway.ts';
import { IdempotencyStore } from './idempotency.ts';
import { completeRuns } from './journals.ts';
import { CalloutDesk } from './notifications/callouts.ts';
import { notificationRoutes } from './notifications/routes.ts';
import { TokenDesk } from './oauth.ts';
import { queryOne, queryPage } from './object-query.ts';
import { currentPath, nameOf } from './operations.ts';
import { queryObjects } from './query-objects.ts';
import { QueryRefused } from './query-request.ts';
import { friendlyRecords } from './records.ts';
import type { Region } from './regions.ts';
import { seedTenant } from './seeding.ts';
import type { Stage } from './stage.ts';
import { Tenant, type TenantSnapshot } from './tenant.ts';
import type { TenantSettings } from './tenant-settings.ts';
import { accountRoutes } from './v1-accounts.ts';
import { invoiceRoutes, memoRoutes } from './v1-documents.ts';
import { journalRoutes } from './v1-journals.ts';
import { paymentRoutes } from './v1-payments.ts';
import { zoqlRoutes } from './zoql.ts';

/** Who this tenant is. Everything has a value that fits the examples; a second tenant needs its own region and credentials. */
export interface ZuoraSimulatorOptions extends Partial<TenantSettings> {
  readonly region?: Region;
  /** Compress answers above 1,000 bytes for callers that accept gzip. Off where the caller is a function that cannot inflate. */
  readonly gzip?: boolean;
  /** Send callouts by itself, looking every second of the world's clock: for a rehearsal with a running clock. */
  readonly autoDeliver?: boolean;
}

export interface ZuoraSimulator extends Simulator {
  /** Tries every callout that is due on the clock once. Tells how many attempts were made. */
  deliverDue(): Promise<number>;
  /** When the next callout is due; undefined when none waits. */
  nextDue(): Date | undefined;
  /** Ends automatic delivery after the attempt that is running. */
  stop(): void;
  readonly credentials: { readonly clientId: string; readonly clientSecret: string };
}

const usualSettings: TenantSettings = {
  region: 'us-production-cloud1',
  zone: 'America/Los_Angeles',
  tenantId: '21765',
  entityIds: ['11e643f4-a3ee-8bad-b061-0025904c57d6'],
  clientId: '6b1f7d3e-52d0-4b0a-9a52-0c5d8e3f7a11',
  clientSecret: 'kT9+xQ=/y0mZ',
  homeCurrency: 'USD',
  accountNumberPrefix: 'A',
};

const deliverEveryMs = 1_000;

/** A strict, stateful Zuora tenant behind HTTP. Control actions are the table in actions.ts. */
export function createZuoraSimulator(world: SimulatedWorld, options: ZuoraSimulatorOptions = {}): ZuoraSimulator {
  const { gzip = false, autoDeliver = false, ...settings } = options;
  const tenant = new Tenant(world, { ...usualSettings, ...settings });
  const tokens = new TokenDesk(tenant);
  const idempotency = new IdempotencyStore(tenant);
  const callouts = new CalloutDesk(tenant, autoDeliver);
  const dataQueries = new DataQueryDesk(tenant, callouts);
  const routes = createRoutes(tenant, callouts, dataQueries);
  const gateway = createGateway({ tenant, tokens, idempotency, routes, gzip });
  const stage: Stage = { tenant, tokens, callouts, deliverDue };
  let running = autoDeliver;

  async function deliverDue(): Promise<number> {
    completeRuns(tenant);
    const due = callouts.due();
    if (running) await Promise.all(due.map((delivery) => callouts.attempt(delivery)));
    else for (const delivery of due) await callouts.attempt(delivery);
    return due.length;
  }

  async function deliverAlways(): Promise<void> {
    while (running) {
      await world.clock.sleep(deliverEveryMs);
      if (running) await deliverDue();
    }
  }

  const app = new Hono();
  app.post('/oauth/token', (context) => tokens.grant(context.req.raw));
  app.get('/query-results/:file', (context) => dataQueries.download(context.req.raw));
  app.all('*', (context) => {
    completeRuns(tenant);
    return gateway(context.req.raw);
  });

  const simulator = createSimulator(
    {
      name: 'zuora',
      app,
      operationOf: nameOf,
      seed: (records) => seedTenant(tenant, records),
      records(noun) {
        completeRuns(tenant);
        return friendlyRecords(tenant, callouts, noun);
      },
      act: (action) => act(stage, action),
      snapshot: () => ({
        tenant: tenant.snapshot(),
        tokens: tokens.snapshot(),
        idempotency: idempotency.snapshot(),
        desk: Object.fromEntries([...callouts.tables(), dataQueries.jobs].map((table) => [table.object, table.all()])),
        trouble: { ...callouts.trouble },
      }),
      restore(snapshot) {
        const saved = readSnapshot(snapshot);
        tenant.restore(saved.tenant);
        tokens.restore(saved.tokens);
        idempotency.restore(saved.idempotency);
        callouts.restore(saved.desk);
        dataQueries.restore(saved.desk[dataQueries.jobs.object] ?? []);
        Object.assign(callouts.trouble, saved.trouble);
      },
    },
    world,
  );
  if (autoDeliver) void deliverAlways();
  return {
    ...simulator,
    deliverDue,
    nextDue: () => callouts.nextDue(),
    stop() {
      running = false;
    },
    credentials: { clientId: tenant.settings.clientId, clientSecret: tenant.settings.clientSecret },
  };
}

function createRoutes(tenant: Tenant, callouts: CalloutDesk, dataQueries: DataQueryDesk): Hono {
  const routes = new Hono({ getPath: (request) => currentPath(new URL(request.url).pathname) });
  routes.onError((error) => {
    throw error;
  });
  queryRoutes(routes, tenant);
  accountRoutes(routes, tenant);
  paymentRoutes(routes, tenant);
  invoiceRoutes(routes, tenant);
  memoRoutes(routes, tenant);
  journalRoutes(routes, tenant);
  zoqlRoutes(routes, tenant);
  notificationRoutes(routes, tenant, callouts);
  dataQueries.routes(routes);
  return routes;
}

function queryRoutes(routes: Hono, tenant: Tenant): void {
  for (const object of queryObjects.values()) {
    const answered = (work: () => Response): Response => {
      if (object.needsSettlement && !tenant.features.invoiceSettlement)
        throw new Refused('30', `Object ${object.path} is not available: Invoice Settlement is not enabled`, { object: '670000' });
      try {
        return work();
      } catch (error) {
        if (error instanceof QueryRefused) throw new Refused('27', error.message, { object: '670000' });
        throw error;
      }
    };
    routes.get(`/object-query/${object.path}`, (context) => answered(() => json(queryPage(tenant, object, new URL(context.req.url)))));
    routes.get(`/object-query/${object.path}/:key`, (context) =>
      answered(() => {
        const key = context.req.param('key');
        const record = queryOne(tenant, object, key, new URL(context.req.url));
        if (!record) throw notFound(key);
        return json(record);
      }),
    );
  }
}

const desk = z.record(z.string(), z.array(z.looseObject({ id: z.string(), createdAt: z.string(), updatedAt: z.string() })));
const snapshotSchema = z.object({
  tenant: z.custom<TenantSnapshot>(
    (value) => z.looseObject({ nextId: z.number(), tables: desk }).safeParse(value).success,
    'tenant state is missing',
  ),
  tokens: z.unknown(),
  idempotency: z.unknown(),
  desk,
  trouble: z.object({ lose: z.number(), delay: z.number(), delayMs: z.number(), reorder: z.boolean() }),
});

/** A snapshot is our own writing: its outline is checked, its rows are taken as they were written. */
function readSnapshot(snapshot: unknown): z.output<typeof snapshotSchema> {
  const parsed = snapshotSchema.safeParse(snapshot);
  if (!parsed.success) throw new ControlError(`not a snapshot of this simulator: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
