import * as z from 'zod';
import {
  effectiveSettings,
  flowEditName,
  readLiveEdits,
  rowEditName,
  rowKeyOf,
  settingsPartition,
} from '../configuration/live-settings.ts';
import { flowModeSchema } from '../configuration/schema.ts';
import type { Connector } from '../connector.ts';
import type { Integration, MappingTable } from '../contracts/integration.ts';
import type { Json } from '../values/json.ts';
import { defineOperation, integrationsOf, type Operator, refused } from './operation.ts';
import { recordOperation } from './operator-audit.ts';
import { heldLinks, queueChanges } from './replay.ts';

function oneIntegration(connector: Connector, name: string | undefined): Connector['integrations'][number] {
  const [first, ...others] = integrationsOf(connector, name);
  if (!first || others.length > 0) {
    throw refused(
      'This deployment has several integrations.',
      `Add one: --integration ${connector.integrations.map((running) => running.name).join(' | ')}`,
    );
  }
  return first;
}

/** Switches one flow; takes effect with the next batch. */
export const setMode = defineOperation({
  name: 'mode',
  summary: 'Switch a flow to live, preview, paused or off.',
  input: z.strictObject({ integration: z.string().optional(), flow: z.string(), mode: flowModeSchema }),
  changes: true,
  async run(connector, request, operator) {
    const running = oneIntegration(connector, request.integration);
    const known = [...running.definition.flows, ...running.definition.reports].map((flow) => flow.id);
    if (!known.includes(request.flow)) throw refused(`${running.name} has no flow "${request.flow}".`, `Use one of: ${known.join(', ')}.`);
    const before = (await running.open()).flow(request.flow).mode;
    const at = connector.ports.clock.now().toISOString();
    await connector.ports.state.put(
      { partition: settingsPartition(running.name), name: flowEditName(request.flow) },
      { mode: request.mode, by: operator.name, at },
    );
    await recordOperation(connector, {
      integration: running.name,
      operator,
      sentence: `${operator.name} switched ${request.flow} from ${before} to ${request.mode}.`,
      before,
      after: request.mode,
    });
    return { integration: running.name, flow: request.flow, before, mode: request.mode };
  },
});

/** Adds, changes or removes one row of a mapping table and releases the holds it may fix. */
export const setMapping = defineOperation({
  name: 'map',
  summary: 'Add, change or remove a row of a mapping table; holds it fixes are looked at again.',
  input: z.strictObject({
    integration: z.string().optional(),
    table: z.string(),
    /** Entry name, for tables that are a list of name and value; or the key of a row to remove. */
    key: z.string().optional(),
    /** The row, the value of an entry, or null to remove it. */
    row: z.json(),
  }),
  changes: true,
  async run(connector, request, operator) {
    const running = oneIntegration(connector, request.integration);
    const table = tableOf(running.definition, request.table);
    const rowKey = keyOf(table, request);
    const row = request.row as Json;
    await refuseIfBroken(connector, running, { table: table.name, rowKey, row });
    const at = connector.ports.clock.now().toISOString();
    await connector.ports.state.put(
      { partition: settingsPartition(running.name), name: rowEditName(table.name, rowKey) },
      { row, by: operator.name, at },
    );
    await recordOperation(connector, {
      integration: running.name,
      operator,
      sentence: `${operator.name} set ${table.name} ${rowKey}.`,
      after: row,
    });
    const released = await releaseHolds(connector, running.name, table, operator);
    return { integration: running.name, table: table.name, key: rowKey, released };
  },
});

function tableOf(definition: Integration, name: string): MappingTable {
  const table = definition.tables.find((candidate) => candidate.name === name);
  if (table) return table;
  throw refused(
    `${definition.key} has no mapping table "${name}".`,
    `Use one of: ${definition.tables.map((candidate) => candidate.name).join(', ')}.`,
  );
}

function keyOf(table: MappingTable, request: { readonly key?: string | undefined; readonly row: unknown }): string {
  if (table.shape === 'entries' || request.row === null) {
    if (request.key === undefined)
      throw refused(`${table.name} needs to know which entry is meant.`, `Add it: map ${table.name} --key "Write-off" …`);
    return request.key;
  }
  if (typeof request.row !== 'object' || Array.isArray(request.row))
    throw refused(
      `A row of ${table.name} is a set of fields.`,
      `Example: map ${table.name} ${table.key.map((member) => `${member}=…`).join(' ')} …`,
    );
  return rowKeyOf(table, request.row as Record<string, unknown>);
}

/** An edit that would break the settings is refused before it is stored. */
async function refuseIfBroken(
  connector: Connector,
  running: Connector['integrations'][number],
  edit: { readonly table: string; readonly rowKey: string; readonly row: Json | null },
): Promise<void> {
  const written = connector.configuration.integrations[running.name]?.settings ?? {};
  const edits = await readLiveEdits(connector.ports.state, running.name);
  const rows = [...edits.rows.filter((other) => other.table !== edit.table || other.rowKey !== edit.rowKey), edit];
  effectiveSettings(running.definition, written, { modes: edits.modes, rows });
}

async function releaseHolds(connector: Connector, integration: string, table: MappingTable, operator: Operator): Promise<number> {
  const refs = [];
  for await (const link of heldLinks(connector, integration)) {
    if (table.releases.some((prefix) => link.trouble?.cause.startsWith(prefix))) refs.push(link.origin);
  }
  if (refs.length > 0) await queueChanges(connector, refs, operator);
  return refs.length;
}
