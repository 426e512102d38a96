import * as z from 'zod';
import type { Connector } from '../connector.ts';
import type { Link } from '../contracts/link.ts';
import { readStands } from '../engine/cursors.ts';
import type { OpenIntegration } from '../engine/running.ts';
import { alertKey, circuitKey } from '../engine/state-keys.ts';
import { asFailure } from '../failures.ts';
import type { QueueDepth } from '../ports/change-queue.ts';
import { defineOperation, everyPage, integrationName, integrationsOf } from './operation.ts';
import { heldLinks } from './replay.ts';

export interface FlowStatus {
  readonly flow: string;
  readonly mode: string;
  readonly reason?: string;
  readonly poll: number | string;
  readonly polledAt?: string;
  /** Up to which change of the vendor everything is on the queue: the oldest of the flow's feeds. */
  readonly cursor?: string;
  /** A first load or a backfill is on its way. */
  readonly backfilling?: true;
  readonly webhooksSilentSince?: string;
  readonly held: number;
  readonly waiting: number;
}

export interface IntegrationStatus {
  readonly integration: string;
  /** The settings do not fit together: nothing of this integration is written until they do. */
  readonly broken?: { readonly sentence: string; readonly fix?: string };
  readonly flows: readonly FlowStatus[];
  readonly connections: readonly {
    readonly connection: string;
    readonly vendor: string;
    readonly pausedSince?: string;
    readonly why?: string;
    readonly fix?: string;
  }[];
  readonly queues: { readonly live: QueueDepth; readonly bulk: QueueDepth; readonly dead: number };
  /** Records whose write was announced and not concluded. */
  readonly working: number;
  readonly alerts: readonly { readonly alert: string; readonly since: string; readonly sentence: string }[];
}

/** Where everything stands: flows and how far they have read, connections, queues, what waits and what is held. */
export const status = defineOperation({
  name: 'status',
  summary: 'Flows, connections, queues, what waits and what is held.',
  input: z.strictObject({ integration: integrationName }),
  changes: false,
  async run(connector, request) {
    return {
      at: connector.ports.clock.now().toISOString(),
      integrations: await Promise.all(integrationsOf(connector, request.integration).map((running) => statusOf(connector, running))),
    };
  },
});

type Running = Connector['integrations'][number];

async function statusOf(connector: Connector, running: Running): Promise<IntegrationStatus> {
  const { ports } = connector;
  const { name, definition } = running;
  const open = await opened(running);
  const settings = 'broken' in open ? undefined : open;
  const ids = definition.flows.map((flow) => flow.id);
  const stands = await readStands(ports.state, name, ids);
  const held = new Map<string, number>();
  for await (const link of heldLinks(connector, name)) countIn(held, link);
  const waiting = new Map<string, number>();
  for (const link of await linksOf((after) => ports.links.listWaiting(name, after))) countIn(waiting, link);
  const working = await linksOf((after) => ports.links.listWorking(name, after));
  return {
    integration: name,
    ...('broken' in open ? { broken: open.broken } : {}),
    flows: ids.map((id): FlowStatus => {
      const { mode, reason, poll } = settings?.flow(id) ?? { mode: 'unknown', reason: undefined, poll: '' };
      const stand = stands.get(id)?.stand;
      const cursor = Object.values(stand?.cursors ?? {}).sort()[0];
      return {
        flow: id,
        mode,
        poll,
        ...(reason === undefined ? {} : { reason }),
        ...(stand?.polledAt === undefined ? {} : { polledAt: stand.polledAt }),
        ...(cursor === undefined ? {} : { cursor }),
        ...(stand?.backfill === undefined ? {} : { backfilling: true }),
        ...(stand?.silentSince === undefined ? {} : { webhooksSilentSince: stand.silentSince }),
        held: held.get(`${name}.${id}`) ?? 0,
        waiting: waiting.get(`${name}.${id}`) ?? 0,
      };
    }),
    connections: await Promise.all((['a', 'b'] as const).map(async (side) => connectionStatus(connector, running, side))),
    queues: {
      live: await ports.gauge(name).depth('live'),
      bulk: await ports.gauge(name).depth('bulk'),
      dead: await ports.deadLetters(name).count(),
    },
    working: working.length,
    alerts: await alertsOf(connector, name),
  };
}

/** Whoever looks for the reason why nothing moves must get an answer also when the settings are that reason. */
async function opened(
  running: Running,
): Promise<OpenIntegration | { readonly broken: { readonly sentence: string; readonly fix?: string } }> {
  try {
    return await running.open();
  } catch (error) {
    const { sentence, fix } = asFailure(error).record;
    return { broken: { sentence, ...(fix === undefined ? {} : { fix }) } };
  }
}

async function connectionStatus(
  connector: Connector,
  running: Running,
  side: 'a' | 'b',
): Promise<IntegrationStatus['connections'][number]> {
  const name = connector.configuration.integrations[running.name]?.[side] ?? side;
  const pause = await connector.ports.state.get<{ since: string; sentence: string; fix?: string }>(circuitKey(name));
  return {
    connection: name,
    vendor: running.definition.sides[side].key,
    ...(pause
      ? { pausedSince: pause.value.since, why: pause.value.sentence, ...(pause.value.fix === undefined ? {} : { fix: pause.value.fix }) }
      : {}),
  };
}

async function alertsOf(connector: Connector, integration: string): Promise<IntegrationStatus['alerts']> {
  const { partition } = alertKey(integration, '');
  const alerts = await everyPage(async (after) => connector.ports.state.list<{ at: string; sentence: string }>(partition, after));
  return alerts.map((item) => ({ alert: item.key.name, since: item.value.at, sentence: item.value.sentence }));
}

function countIn(counts: Map<string, number>, { origin }: Link): void {
  counts.set(origin.flow, (counts.get(origin.flow) ?? 0) + 1);
}

async function linksOf(
  read: (options: { readonly after?: string }) => Promise<{ readonly links: readonly Link[]; readonly next?: string }>,
): Promise<readonly Link[]> {
  return everyPage(async (after) => {
    const page = await read(after);
    return { items: page.links, next: page.next };
  });
}
