import * as z from 'zod';
import type { Connector } from '../connector.ts';
import type { Link } from '../contracts/link.ts';
import { readStands } from '../engine/cursors.ts';
import { alertKey, circuitKey } from '../engine/state-keys.ts';
import type { QueueDepth } from '../ports/change-queue.ts';
import { defineOperation, integrationsOf } from './operation.ts';
import { heldLinks } from './replay.ts';

export interface FlowStatus {
  readonly flow: string;
  readonly mode: string;
  readonly reason?: string;
  readonly poll: number | string;
  readonly polledAt?: string;
  /** Up to which change of the vendor everything is on the queue: the oldest of the flow's feeds. */
  readonly cursor?: string;
  readonly webhooksSilentSince?: string;
  readonly held: number;
  readonly waiting: number;
}

export interface IntegrationStatus {
  readonly integration: string;
  readonly flows: readonly FlowStatus[];
  readonly connections: readonly {
    readonly connection: string;
    readonly vendor: string;
    readonly pausedSince?: string;
    readonly why?: string;
    readonly fix?: string;
  }[];
  readonly queues: { readonly live: QueueDepth; readonly bulk: QueueDepth; readonly dead: number };
  readonly working: number;
  readonly alerts: readonly { readonly alert: string; readonly since: string; readonly sentence: string }[];
}

/** Where everything stands: flows and how far they have read, connections, queues, what waits and what is held. */
export const status = defineOperation({
  name: 'status',
  summary: 'Flows, connections, queues, what waits and what is held.',
  input: z.strictObject({ integration: z.string().optional() }),
  changes: false,
  async run(connector, request) {
    return {
      at: connector.ports.clock.now().toISOString(),
      integrations: await Promise.all(integrationsOf(connector, request.integration).map((running) => statusOf(connector, running))),
    };
  },
});

async function statusOf(connector: Connector, running: Connector['integrations'][number]): Promise<IntegrationStatus> {
  const { ports } = connector;
  const { name, definition } = running;
  const open = await running.open();
  const ids = definition.flows.map((flow) => flow.id);
  const stands = await readStands(ports.state, name, ids);
  const held = countByFlow(await collect(heldLinks(connector, name)));
  const waiting = countByFlow(await pages((after) => ports.links.listWaiting(name, after)));
  const working = await pages((after) => ports.links.listWorking(name, after));
  return {
    integration: name,
    flows: ids.map((id): FlowStatus => {
      const { mode, reason, poll } = open.flow(id);
      const stand = stands.get(id)?.stand;
      const cursor = Object.values(stand?.cursors ?? {}).sort()[0];
      return {
        flow: id,
        mode,
        poll,
        ...(reason === undefined ? {} : { reason }),
        ...(stand?.polledAt === undefined ? {} : { polledAt: stand.polledAt }),
        ...(cursor === undefined ? {} : { cursor }),
        ...(stand?.silentSince === undefined ? {} : { webhooksSilentSince: stand.silentSince }),
        held: held.get(`${name}.${id}`) ?? 0,
        waiting: waiting.get(`${name}.${id}`) ?? 0,
      };
    }),
    connections: await Promise.all((['a', 'b'] as const).map(async (side) => connectionStatus(connector, open.connection(side)))),
    queues: {
      live: await ports.gauge(name).depth('live'),
      bulk: await ports.gauge(name).depth('bulk'),
      dead: await ports.deadLetters(name).count(),
    },
    working: working.length,
    alerts: await alertsOf(connector, name),
  };
}

async function connectionStatus(
  connector: Connector,
  connection: { readonly name: string; readonly vendor: { readonly key: string } },
): Promise<IntegrationStatus['connections'][number]> {
  const pause = await connector.ports.state.get<{ since: string; sentence: string; fix?: string }>(circuitKey(connection.name));
  return {
    connection: connection.name,
    vendor: connection.vendor.key,
    ...(pause
      ? { pausedSince: pause.value.since, why: pause.value.sentence, ...(pause.value.fix === undefined ? {} : { fix: pause.value.fix }) }
      : {}),
  };
}

async function alertsOf(connector: Connector, integration: string): Promise<IntegrationStatus['alerts']> {
  const { items } = await connector.ports.state.list<{ at: string; sentence: string }>(alertKey(integration, '').partition);
  return items.map((item) => ({ alert: item.key.name, since: item.value.at, sentence: item.value.sentence }));
}

function countByFlow(links: readonly Link[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { origin } of links) counts.set(origin.flow, (counts.get(origin.flow) ?? 0) + 1);
  return counts;
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function pages(
  read: (options: { after?: string }) => Promise<{ readonly links: readonly Link[]; readonly next?: string }>,
): Promise<Link[]> {
  const all: Link[] = [];
  let after: string | undefined;
  do {
    const page = await read(after === undefined ? {} : { after });
    all.push(...page.links);
    after = page.next;
  } while (after !== undefined);
  return all;
}
