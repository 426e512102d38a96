import { effectiveSettings, type LiveEdits, readLiveEdits } from './configuration/live-settings.ts';
import type { Configuration, ConfiguredIntegration } from './configuration/schema.ts';
import type { FlowContext } from './contracts/flow.ts';
import type { Catalog, Integration } from './contracts/integration.ts';
import type { Connection } from './contracts/vendor.ts';
import { createEngine } from './engine/engine.ts';
import { guarded } from './engine/guarded-ports.ts';
import type { Engine, FlowSetting, OpenConnection, OpenIntegration, RunningIntegration } from './engine/running.ts';
import { createIo } from './http/connection-io.ts';
import type { Alerts } from './ports/alerts.ts';
import type { ChangeQueue, DeadLetters, QueueGauge, QueueName } from './ports/change-queue.ts';
import type { Clock, Ids, Random } from './ports/clock.ts';
import type { AuditStore, LinkStore } from './ports/link-store.ts';
import type { Log } from './ports/log.ts';
import type { SecretStore } from './ports/secret-store.ts';
import type { StateStore } from './ports/state-store.ts';
import { createReferenceCache } from './reference-cache.ts';
import { utcDate } from './values/calendar-date.ts';
import type { Side } from './values/record-ref.ts';

/** The world a connector runs in: on AWS, in the rehearsal, or in memory with a hand-turned clock. */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly log: Log;
  readonly links: LinkStore;
  readonly audit: AuditStore;
  readonly state: StateStore;
  readonly secrets: SecretStore;
  readonly alerts: Alerts;
  /** The queues of one integration. */
  queue(integration: string): ChangeQueue;
  deadLetters(integration: string): DeadLetters;
  gauge(integration: string): QueueGauge;
  fetch(url: string, init: RequestInit): Promise<Response>;
}

export interface Connector {
  readonly engine: Engine;
  readonly integrations: readonly RunningIntegration[];
  readonly ports: Ports;
  readonly configuration: Configuration;
  /** Gives back what looking at the vendors of an integration held there, its lane: for whoever talks to them outside the engine. */
  release(integration: string): Promise<void>;
}

/**
 * Composition: configuration, catalog and ports become a running connector. `queue` names the kind of work this process does; bulk work gives
 * way to live work where a vendor allows one session only.
 */
export function createConnector(options: {
  readonly configuration: Configuration;
  readonly catalog: Catalog;
  readonly ports: Ports;
  readonly queue?: QueueName;
}): Connector {
  const { configuration, catalog } = options;
  // Tokens, lanes, budgets and reference data live in the state store as well: its troubles must not pass for a record's.
  const ports: Ports = {
    ...options.ports,
    state: guarded('the state store', options.ports.state),
    secrets: guarded('the secret store', options.ports.secrets),
  };
  const connections = new Map(
    Object.keys(configuration.connections).map((name) => [
      name,
      openConnection(name, { configuration, catalog, ports, queue: options.queue ?? 'live' }),
    ]),
  );
  const integrations = Object.entries(configuration.integrations).map(([name, written]) =>
    runningIntegration(name, written, { catalog, ports, connections }),
  );
  const engine = createEngine({
    integrations,
    links: ports.links,
    audit: ports.audit,
    state: ports.state,
    queue: (integration) => ports.queue(integration),
    deadLetters: (integration) => ports.deadLetters(integration),
    alerts: ports.alerts,
    clock: ports.clock,
    ids: ports.ids,
    random: ports.random,
    log: ports.log,
  });
  const release = async (name: string): Promise<void> => {
    const written = configuration.integrations[name];
    if (!written || !integrations.some((integration) => integration.name === name)) return;
    await Promise.all([connections.get(written.a)?.release(), connections.get(written.b)?.release()]);
  };
  return { engine: givingBackLanes(engine, release), integrations, ports, configuration, release };
}

interface HeldConnection extends OpenConnection {
  /** Gives back what a batch held at the vendor: its lane. */
  release(): Promise<void>;
}

function openConnection(
  name: string,
  given: { readonly configuration: Configuration; readonly catalog: Catalog; readonly ports: Ports; readonly queue: QueueName },
): HeldConnection {
  const { ports } = given;
  const written = given.configuration.connections[name];
  const vendor = Object.values(given.catalog.vendors).find((candidate) => candidate.key === written?.vendor);
  if (!written || !vendor) throw new Error(`connection ${name} was not validated before it was opened`);
  const connection: Connection = {
    name,
    settings: vendor.settings.parse(written.settings),
    credentials: () => ports.secrets.fetch(written.secret),
    previousCredentials: () => ports.secrets.findPrevious(written.secret),
  };
  const { io, release } = createIo({
    connection: name,
    limits: vendor.limits(connection.settings),
    ports,
    fetch: (url, init) => ports.fetch(url, init),
    queue: given.queue,
  });
  return { name, vendor, connection, client: vendor.open(connection, io), ready: () => io.lane.run(async () => undefined), release };
}

function runningIntegration(
  name: string,
  written: ConfiguredIntegration,
  given: { readonly catalog: Catalog; readonly ports: Ports; readonly connections: ReadonlyMap<string, HeldConnection> },
): RunningIntegration {
  const definition = given.catalog.integrations.find((candidate) => candidate.key === (written.uses ?? name));
  if (!definition) throw new Error(`integration ${name} was not validated before it was opened`);
  const { clock, state } = given.ports;
  const reference = createReferenceCache({ state, clock, integration: name });
  const connection = (side: Side): HeldConnection => {
    const open = given.connections.get(written[side]);
    if (!open) throw new Error(`integration ${name} was not validated before it was opened`);
    return open;
  };
  return {
    name,
    definition,
    async open(): Promise<OpenIntegration> {
      const edits = await readLiveEdits(state, name);
      const settings = effectiveSettings(definition, written.settings, edits);
      const now = clock.now();
      const base: FlowContext = { now, today: utcDate(now), cached: reference.cached, forget: reference.forget };
      const context = definition.context({ base, settings, a: connection('a').client, b: connection('b').client });
      return {
        context,
        settings,
        connection,
        flow: (id) => flowSetting(id, { definition, written, edits, off: definition.flowsOff(settings) }),
      };
    },
  };
}

/** An operator's switch counts first, then the configuration, then what the settings rule out; reports follow their own schedule. */
function flowSetting(
  id: string,
  given: {
    readonly definition: Integration;
    readonly written: ConfiguredIntegration;
    readonly edits: LiveEdits;
    readonly off: Readonly<Record<string, string>>;
  },
): FlowSetting {
  const flow = given.definition.flows.find((candidate) => candidate.id === id);
  const report = given.definition.reports.find((candidate) => candidate.id === id);
  const configured = given.written.flows[id];
  const poll = configured?.poll ?? flow?.wakes.poll ?? report?.schedule ?? 15;
  const ruledOut = given.off[id];
  if (ruledOut !== undefined) return { mode: 'off', reason: ruledOut, poll };
  const byDefault = flow?.offByDefault === true ? 'off' : given.written.mode;
  const mode = given.edits.modes[id] ?? configured?.mode ?? byDefault;
  return mode === 'off' ? { mode, reason: 'flow-off', poll } : { mode, poll };
}

/** Every entry point of the engine that talks to vendors ends by giving their lanes back, so that the next worker need not wait for a lease to end. */
function givingBackLanes(engine: Engine, release: (integration: string) => Promise<void>): Engine {
  const releasing = async <Result>(name: string, work: Promise<Result>): Promise<Result> => {
    try {
      return await work;
    } finally {
      await release(name);
    }
  };
  return {
    receiveWebhook: (integration, side, request) => engine.receiveWebhook(integration, side, request),
    poll: (integration, options) => releasing(integration, engine.poll(integration, options)),
    process: (integration, messages, deadline) => releasing(integration, engine.process(integration, messages, deadline)),
    keep: (integration, options) => releasing(integration, engine.keep(integration, options)),
    report: (integration, asked) => releasing(integration, engine.report(integration, asked)),
  };
}
