import { stringify } from 'yaml';
import { loadConfiguration } from '../lib/configuration/load.ts';
import { type Connector, createConnector, type Ports } from '../lib/connector.ts';
import type { Catalog } from '../lib/contracts/integration.ts';
import type { PollOptions } from '../lib/engine/running.ts';
import { createMemoryQueues, type MemoryQueues } from '../lib/memory/change-queue.ts';
import { createCollectingAlerts } from '../lib/memory/collecting-alerts.ts';
import { type CollectingLog, createCollectingLog } from '../lib/memory/collecting-log.ts';
import { createMemoryDatabase } from '../lib/memory/database.ts';
import { createHandTurnedClock } from '../lib/memory/hand-turned-clock.ts';
import { createOrderedIds } from '../lib/memory/ordered-ids.ts';
import { createMemorySecretStore } from '../lib/memory/secret-store.ts';
import { createSeededRandom } from '../lib/memory/seeded-random.ts';
import { createMemoryStateStore } from '../lib/memory/state-store.ts';
import type { CallingSimulator, Company } from './company.ts';
import { openCompany } from './company-on-site.ts';
import { type CrashGate, CrashPlans, createCrashGate } from './crash-gate.ts';
import type { Network } from './network.ts';
import { createVirtualTime, type VirtualTime } from './virtual-time.ts';
import type { WebhookPost } from './webhook-post.ts';

/**
 * The whole connector and its vendors in one process, with a hand-turned clock: what scenarios, the storm and benchmarks run in. Functions run as
 * they do on AWS: workers on queue batches, polls and housekeeping on their ticks, webhooks over the network, each with its own life and death.
 */
export interface World {
  readonly integration: string;
  readonly time: VirtualTime;
  readonly network: Network;
  readonly simulators: Readonly<Record<string, CallingSimulator>>;
  readonly queues: MemoryQueues;
  readonly log: CollectingLog;
  readonly alerts: ReturnType<typeof createCollectingAlerts>;
  readonly crashes: CrashPlans;
  /** A connector for looking and operating; it is never crashed. */
  operator: Connector;
  /** Batches handed to workers so far: each is one receive and one delete request at SQS. */
  batches(): number;
  /** Failures that ended a poll or a housekeeping run, as a Lambda's error would. */
  readonly errors: readonly { readonly at: string; readonly job: string; readonly error: unknown }[];
  /** Polls now, due or not, and works until nothing is left to do at once. */
  poll(options?: PollOptions): Promise<void>;
  /** Runs the housekeeping now. */
  keep(): Promise<void>;
  /** Workers run until no message is visible and none is in progress. */
  work(): Promise<void>;
  /** Time passes with everything that falls due in it; ends early when `until` answers true. */
  pass(ms: number, until?: () => Promise<boolean>): Promise<boolean>;
  /** Webhooks leave by themselves while true; the scenario decides otherwise. */
  deliverWebhooks: boolean;
  /** Sends the webhooks that are due now, whatever `deliverWebhooks` says. */
  sendWebhooks(): Promise<void>;
  /** The way from the vendors to the connector's webhook address. */
  readonly post: WebhookPost;
  /** Address at which a system delivers its webhooks. */
  webhookAddress(system: string): string;
  /** A deployment with a changed configuration: every process starts anew with it. */
  configure(change: (configuration: Record<string, unknown>) => Record<string, unknown>): void;
  /** An administrator consents anew, and the new credentials are stored. */
  consent(system: string): Promise<void>;
}

export interface WorldOptions {
  readonly company: Company;
  readonly catalog: Catalog;
  readonly start: Date;
  readonly seed: number;
  readonly workers?: number;
  /** Changes the configuration as data before it is checked. */
  readonly configure?: (configuration: Record<string, unknown>) => Record<string, unknown>;
  /** Options of simulators, per system. */
  readonly options?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Ports to use in place of the ones in memory: a benchmark's counting ones. */
  readonly ports?: (ports: Ports) => Ports;
}

const connectorOrigin = 'http://127.0.0.1:7100';
/** As the stack sets them. */
const workerMs = 290_000;
const visibilityMs = 1_800_000;
const messagesPerBatch = { live: 10, bulk: 3 } as const;
const pollTickMs = 300_000;
const keepTickMs = 1_800_000;

/** One function of the stack: the process it runs in now, replaced after a death. */
interface Running {
  connector: Connector;
  gate: CrashGate;
  busy: boolean;
}

export async function createWorld(options: WorldOptions): Promise<World> {
  const { company, catalog } = options;
  const clock = createHandTurnedClock(options.start);
  const time = createVirtualTime(clock);
  const random = createSeededRandom(options.seed);
  const site = openCompany(company, { time, seed: options.seed, options: options.options ?? {} });
  const { simulators, network } = site;

  let written = company.configuration(site.origins);
  written = options.configure?.(written) ?? written;
  let configuration = loadConfiguration(stringify(written), catalog);
  const integration = Object.keys(configuration.integrations)[0] ?? company.integration;

  const ids = createOrderedIds({ clock, random });
  const log = createCollectingLog();
  const alerts = createCollectingAlerts();
  const queues = createMemoryQueues({ clock, ids });
  const database = createMemoryDatabase();
  const secrets = createMemorySecretStore();
  const webhookAddress = (system: string): string => `${connectorOrigin}/webhooks/${integration}/${system}`;
  await site.moveIn(secrets, webhookAddress);
  const memory: Ports = {
    clock,
    random,
    ids,
    log,
    alerts,
    secrets,
    links: database.links,
    audit: database.audit,
    state: createMemoryStateStore({ clock }),
    queue: () => queues,
    deadLetters: () => queues.deadLetters,
    gauge: () => queues,
    fetch: (url, init) => network.fetch(url, init),
  };
  const ports = options.ports?.(memory) ?? memory;
  const crashes = new CrashPlans();

  function start(): Running {
    const gate = createCrashGate(crashes);
    const gated: Ports = {
      ...ports,
      links: gate.around('links', ports.links),
      audit: gate.around('audit', ports.audit),
      state: gate.around('state', ports.state),
      secrets: gate.around('secrets', ports.secrets),
      alerts: gate.around('alerts', ports.alerts),
      queue: (name) => gate.around('queue', ports.queue(name)),
      deadLetters: (name) => gate.around('deadLetters', ports.deadLetters(name)),
      fetch: (url, init) => gate.through(network.operationOf(url, init.method ?? 'GET'), () => ports.fetch(url, init)),
    };
    return { connector: createConnector({ configuration, catalog, ports: gated }), gate, busy: false };
  }

  const workers = Array.from({ length: options.workers ?? 1 }, start);
  const poller = { running: start() };
  const keeper = { running: start() };
  const receiver = { running: start() };
  const errors: { at: string; job: string; error: unknown }[] = [];
  let nextPoll = clock.now().getTime() + pollTickMs;
  let nextKeep = clock.now().getTime() + keepTickMs;
  let delivering = false;
  let batches = 0;

  network.serve(connectorOrigin, {
    async fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      const [, , name = '', system = ''] = pathname.split('/');
      const definition = world.operator.integrations.find((candidate) => candidate.name === name)?.definition;
      const side = definition?.sides.a.key === system ? 'a' : 'b';
      const reply = await Promise.race([
        receiver.running.connector.engine.receiveWebhook(name, side, {
          method: request.method,
          path: pathname,
          query: Object.fromEntries(searchParams),
          headers: Object.fromEntries(request.headers),
          body: new Uint8Array(await request.arrayBuffer()),
        }),
        receiver.running.gate.death.then(() => undefined),
      ]);
      if (!reply) receiver.running = start();
      return reply
        ? new Response(reply.body ?? '', { status: reply.status, headers: { ...reply.headers } })
        : new Response('', { status: 503 });
    },
  });

  /** Runs a job of a function to its end or to the death of its process. */
  function run(running: Running, job: string, work: () => Promise<void>, died: () => void): void {
    running.busy = true;
    const done = work().catch((error: unknown) => {
      errors.push({ at: clock.now().toISOString(), job, error });
    });
    void Promise.race([done, running.gate.death.then(died)]).finally(() => {
      running.busy = false;
    });
  }

  function startBatches(): boolean {
    let started = false;
    for (const [index, worker] of workers.entries()) {
      if (worker.busy) continue;
      const queue = isVisible('live') ? 'live' : isVisible('bulk') ? 'bulk' : undefined;
      if (queue === undefined) return started;
      started = true;
      batches += 1;
      const deliveries = queues.receive(queue, { limit: messagesPerBatch[queue], visibilityMs });
      run(
        worker,
        `worker ${index}`,
        async () => {
          const batch = await deliveries;
          const messages = batch.map(({ id, body, receiveCount }) => ({ id, body, receiveCount }));
          const { failed } = await worker.connector.engine.process(integration, messages, new Date(clock.now().getTime() + workerMs));
          const again = new Set(failed);
          await queues.remove(
            queue,
            batch.filter(({ id }) => !again.has(id)).map(({ handle }) => handle),
          );
        },
        () => {
          workers[index] = start();
        },
      );
    }
    return started;
  }

  function isVisible(queue: 'live' | 'bulk'): boolean {
    const at = queues.nextVisibleAt(queue);
    return at !== undefined && at.getTime() <= clock.now().getTime();
  }

  function startTicks(): boolean {
    let started = false;
    const now = clock.now().getTime();
    if (now >= nextPoll && !poller.running.busy) {
      nextPoll = now + pollTickMs;
      started = true;
      run(
        poller.running,
        'poll',
        async () => void (await poller.running.connector.engine.poll(integration)),
        () => {
          poller.running = start();
        },
      );
    }
    if (now >= nextKeep && !keeper.running.busy) {
      nextKeep = now + keepTickMs;
      started = true;
      run(
        keeper.running,
        'keep',
        async () => void (await keeper.running.connector.engine.keep(integration)),
        () => {
          keeper.running = start();
        },
      );
    }
    return started;
  }

  function startWebhooks(): boolean {
    if (!world.deliverWebhooks || delivering) return false;
    const due = Object.values(simulators).filter((simulator) => {
      const at = simulator.nextDue?.();
      return at !== undefined && at.getTime() <= clock.now().getTime();
    });
    if (due.length === 0) return false;
    delivering = true;
    void Promise.all(due.map((simulator) => simulator.deliverDue?.())).finally(() => {
      delivering = false;
    });
    return true;
  }

  const anyBusy = (): boolean => [...workers, poller.running, keeper.running].some((running) => running.busy) || delivering;

  /** The next instant at which something starts by itself. */
  function nextInstant(ticks: boolean): number | undefined {
    const idle = workers.some((worker) => !worker.busy);
    const candidates = [
      clock.nextWakeAt(),
      ...(idle ? [queues.nextVisibleAt('live'), queues.nextVisibleAt('bulk')] : []),
      ...(ticks && world.deliverWebhooks ? Object.values(simulators).map((simulator) => simulator.nextDue?.()) : []),
    ].flatMap((at) => (at ? [at.getTime()] : []));
    if (ticks) candidates.push(nextPoll, nextKeep);
    const later = candidates.filter((at) => at > clock.now().getTime());
    return later.length === 0 ? undefined : Math.min(...later);
  }

  async function pass(ms: number, until?: () => Promise<boolean>): Promise<boolean> {
    const end = clock.now().getTime() + ms;
    const start = (): boolean => [startWebhooks(), startTicks(), startBatches()].some(Boolean);
    for (;;) {
      const started = start();
      await time.quiet();
      // What ended just now makes room for the next at the same instant.
      if (started || start()) continue;
      if (until && (await until())) return true;
      const next = nextInstant(true);
      if (next === undefined || next > end) break;
      time.turnTo(new Date(next));
    }
    time.turnTo(new Date(end));
    await time.quiet();
    return until ? until() : true;
  }

  async function work(): Promise<void> {
    for (;;) {
      const started = startBatches();
      await time.quiet();
      if (started) continue;
      // The last batch may have ended just now and left something for the next one.
      if (!anyBusy() && !isVisible('live') && !isVisible('bulk')) return;
      if (!anyBusy()) continue;
      const next = clock.nextWakeAt();
      if (!next) throw new Error('a job waits for something that never comes');
      time.turnTo(next);
    }
  }

  async function once(holder: { running: Running }, job: string, act: (connector: Connector) => Promise<unknown>): Promise<void> {
    const { running } = holder;
    run(
      running,
      job,
      async () => void (await act(running.connector)),
      () => {
        holder.running = start();
      },
    );
    await time.quiet();
    while (anyBusy()) {
      const next = clock.nextWakeAt();
      if (!next) throw new Error(`${job} waits for something that never comes`);
      time.turnTo(next);
      await time.quiet();
    }
  }

  const world: World = {
    integration,
    time,
    network,
    simulators,
    queues,
    log,
    alerts,
    crashes,
    operator: createConnector({ configuration, catalog, ports }),
    errors,
    batches: () => batches,
    post: site.post,
    webhookAddress,
    deliverWebhooks: true,
    pass,
    work,
    async poll(pollOptions) {
      await once(poller, 'poll', (connector) => connector.engine.poll(integration, { force: true, ...pollOptions }));
      await work();
    },
    async keep() {
      await once(keeper, 'keep', (connector) => connector.engine.keep(integration));
      await work();
    },
    async sendWebhooks() {
      for (const simulator of Object.values(simulators)) {
        if (simulator.deliverDue) await time.run(simulator.deliverDue());
      }
    },
    configure(change) {
      written = change(written);
      configuration = loadConfiguration(stringify(written), catalog);
      world.operator = createConnector({ configuration, catalog, ports });
      for (const index of workers.keys()) workers[index] = start();
      for (const holder of [poller, keeper, receiver]) holder.running = start();
    },
    consent: (system) => site.consent(secrets, system),
  };

  return world;
}
