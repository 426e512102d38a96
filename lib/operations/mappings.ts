import * as z from 'zod';
import {
  effectiveSettings,
  type LiveEdits,
  readLiveEdits,
  rowEditName,
  rowKeyOf,
  settingsPartition,
} from '../configuration/live-settings.ts';
import { problemsText } from '../configuration/problem.ts';
import type { Connector } from '../connector.ts';
import type { Integration, MappingTable } from '../contracts/integration.ts';
import { alignmentKey, scheduleKey } from '../engine/state-keys.ts';
import { Failure } from '../failures.ts';
import type { Json } from '../values/json.ts';
import { defineOperation, integrationName, integrationsOf, type Operator, oneIntegration, refused, shortText } from './operation.ts';
import { recordOperation } from './operator-audit.ts';
import { heldLinks, queueChanges, type Wanted } from './replay.ts';

type Running = Connector['integrations'][number];
type Row = Readonly<Record<string, unknown>>;

/** The mapping tables as they hold now, and what the last look at the systems says of them. */
export const mappings = defineOperation({
  name: 'mappings',
  summary: 'The mapping tables as they hold now: from connector.yaml or edited, by whom and when.',
  input: z.strictObject({ integration: integrationName, table: shortText.optional() }),
  changes: false,
  async run(connector, request) {
    const integrations = [];
    for (const running of integrationsOf(connector, request.integration)) {
      const chosen = request.table === undefined ? running.definition.tables : [tableOf(running.definition, request.table)];
      const { state } = connector.ports;
      const edits = await state.list<{ by: string; at: string }>(settingsPartition(running.name), { prefix: 'table|', limit: 1000 });
      const edited = new Map(edits.items.map(({ key, value }) => [key.name, value]));
      const settings = (await running.open()).settings;
      const aligned = await state.get<{ ranAt: string }>(scheduleKey(running.name, 'reference'));
      const alignment = await state.get(alignmentKey(running.name));
      integrations.push({
        integration: running.name,
        tables: chosen.map((table) => ({
          table: table.name,
          shape: table.shape,
          key: table.key,
          rows: rowsOf(table, settings).map(({ key, row }) => {
            const edit = edited.get(rowEditName(table.name, key));
            return { key, row, ...(edit === undefined ? {} : { editedBy: edit.by, editedAt: edit.at }) };
          }),
        })),
        ...(aligned === undefined ? {} : { alignedAt: aligned.value.ranAt }),
        ...(alignment === undefined ? {} : { alignment: alignment.value }),
      });
    }
    return { integrations };
  },
});

const row = z.union([z.record(z.string().max(60), z.json()), shortText, z.null()]);

/** Adds, changes or removes one row of a mapping table and releases the holds it may fix. */
export const setMapping = defineOperation({
  name: 'map',
  summary: 'Add, change or remove a row of a mapping table; holds it fixes are looked at again.',
  input: z.strictObject({
    integration: integrationName,
    table: shortText,
    /** Entry name, for tables that are a list of name and value; or the key of a row to remove, as `mappings` prints it. */
    key: shortText.optional(),
    /** The row, the value of an entry, or null to remove it. */
    row,
  }),
  changes: true,
  async run(connector, request, operator) {
    const running = oneIntegration(connector, request.integration);
    const table = tableOf(running.definition, request.table);
    const key = keyOf(table, request);
    const after = request.row as Json;
    const before = (await presentRows(connector, running, table)).find((candidate) => candidate.key === key)?.row;
    if (after === null && before === undefined) throw refused(`${table.name} has no row ${key}.`, `See its rows with: map ${table.name}`);
    await refuseIfBroken(connector, running, { table: table.name, rowKey: key, row: after });
    const { clock, state } = connector.ports;
    await state.put(
      { partition: settingsPartition(running.name), name: rowEditName(table.name, key) },
      { row: after, by: operator.name, at: clock.now().toISOString() },
    );
    await recordOperation(connector, {
      integration: running.name,
      operator,
      sentence: `${operator.name} ${after === null ? 'removed' : before === undefined ? 'added' : 'changed'} ${key} ${after === null ? 'from' : before === undefined ? 'to' : 'in'} ${table.name}.`,
      before: (before as Json | undefined) ?? null,
      after,
    });
    const released = await releaseHolds(connector, running.name, table, operator);
    return {
      integration: running.name,
      table: table.name,
      key,
      ...(before === undefined ? {} : { before: before as Json }),
      row: after,
      released,
    };
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

/** Rows as they hold now; of settings that do not open, what was edited: that is what has to be taken back. */
async function presentRows(connector: Connector, running: Running, table: MappingTable): Promise<ReturnType<typeof rowsOf>> {
  const edits = await readLiveEdits(connector.ports.state, running.name);
  const settings = settingsWith(connector, running, edits);
  if (settings !== undefined) return rowsOf(table, settings);
  return edits.rows.flatMap((edit) => (edit.table === table.name && edit.row !== null ? [{ key: edit.rowKey, row: edit.row }] : []));
}

function settingsWith(connector: Connector, { definition, name }: Running, edits: LiveEdits): unknown {
  try {
    return effectiveSettings(definition, connector.configuration.integrations[name]?.settings ?? {}, edits);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** Rows of a table in the settings, with the key an edit of each would have. */
function rowsOf(table: MappingTable, settings: unknown): readonly { readonly key: string; readonly row: unknown }[] {
  const part = table.name.split('.').reduce<unknown>((inner, member) => (inner as Row | undefined)?.[member], settings);
  if (table.shape === 'rows') return (Array.isArray(part) ? part : []).map((one) => ({ key: rowKeyOf(table, one as Row), row: one }));
  return Object.entries((part ?? {}) as Row).map(([key, value]) => ({ key, row: value }));
}

const forbiddenNames = ['__proto__', 'constructor', 'prototype'];

function keyOf(table: MappingTable, request: { readonly key?: string | undefined; readonly row: unknown }): string {
  const { key } = request;
  if (key !== undefined && forbiddenNames.includes(key))
    throw refused(`"${key}" cannot be the name of an entry.`, 'Use the name as it stands in the source system.');
  if (table.shape === 'entries') {
    if (key === undefined)
      throw refused(`${table.name} needs to know which entry is meant.`, `Example: map ${table.name} --key "Write-off" 66000`);
    if (request.row !== null && typeof request.row !== 'string')
      throw refused(`An entry of ${table.name} is one text.`, `Example: map ${table.name} --key "${key}" 66000`);
    return key;
  }
  if (request.row === null) {
    if (key === undefined)
      throw refused(`${table.name} needs to know which row is meant.`, `Example: map ${table.name} --remove ${table.key[0]}=…`);
    return rowKeyOf(table, rowOfKey(table, key));
  }
  if (typeof request.row !== 'object')
    throw refused(
      `A row of ${table.name} is a set of fields.`,
      `Example: map ${table.name} ${table.key.map((member) => `${member}=…`).join(' ')} …`,
    );
  return rowKeyOf(table, request.row as Row);
}

/** `code=EU Usage;currency=EUR` as the members it names. */
function rowOfKey(table: MappingTable, key: string): Record<string, string> {
  const members: Record<string, string> = {};
  for (const part of key.split(';').filter((one) => one.trim() !== '')) {
    const at = part.indexOf('=');
    const name = part.slice(0, Math.max(at, 0)).trim();
    if (!table.key.includes(name))
      throw refused(
        `"${part.trim()}" does not name a row of ${table.name}.`,
        `A row is named by: ${table.key.map((member) => `${member}=…`).join(';')}`,
      );
    members[name] = part.slice(at + 1);
  }
  return members;
}

/** An edit that would break the settings is refused before it is stored: broken settings would stop the whole integration. */
async function refuseIfBroken(
  connector: Connector,
  running: Running,
  edit: { readonly table: string; readonly rowKey: string; readonly row: Json | null },
): Promise<void> {
  const { definition, name } = running;
  const written = connector.configuration.integrations[name]?.settings ?? {};
  const edits = await readLiveEdits(connector.ports.state, name);
  const rows = [...edits.rows.filter((other) => other.table !== edit.table || other.rowKey !== edit.rowKey), edit];
  try {
    const present = settingsWith(connector, running, edits);
    const known = new Set(present === undefined ? [] : definition.contradictions(present).map(({ path, reason }) => `${path} ${reason}`));
    const found = definition.contradictions(effectiveSettings(definition, written, { modes: edits.modes, rows }));
    const caused = found.filter(({ path, reason }) => !known.has(`${path} ${reason}`));
    if (caused.length > 0) throw refused(problemsText(caused), 'Nothing was changed.');
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'ConfigurationInvalid') throw error;
    throw refused(
      `${edit.table} was left as it is: ${error.message.split('\n').at(-1) ?? ''}`,
      `Correct the row; see how others look with: map ${edit.table}`,
    );
  }
}

async function releaseHolds(connector: Connector, integration: string, table: MappingTable, operator: Operator): Promise<number> {
  const wanted: Wanted[] = [];
  for await (const { origin, label, trouble } of heldLinks(connector, integration)) {
    if (table.releases.some((prefix) => trouble?.cause.startsWith(prefix))) wanted.push({ ref: origin, label });
  }
  if (wanted.length > 0) await queueChanges(connector, wanted, operator);
  return wanted.length;
}
