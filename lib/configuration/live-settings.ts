import * as z from 'zod';
import type { Integration, MappingTable } from '../contracts/integration.ts';
import { Failure } from '../failures.ts';
import type { StateStore } from '../ports/state-store.ts';
import type { Json } from '../values/json.ts';
import { problemsOf, problemsText } from './problem.ts';
import { flowModeSchema } from './schema.ts';

/**
 * What operators changed after the deployment: modes of flows and rows of mapping tables. They live in the state store and lie over connector.yaml,
 * so that a fix needs no deployment; connector.yaml stays as it was written.
 */

const flowEditSchema = z.object({ mode: flowModeSchema, by: z.string(), at: z.string() });
const rowEditSchema = z.object({ row: z.json().nullable(), by: z.string(), at: z.string() });

export interface LiveEdits {
  readonly modes: Readonly<Record<string, z.infer<typeof flowModeSchema>>>;
  readonly rows: readonly { readonly table: string; readonly rowKey: string; readonly row: Json | null }[];
}

export const settingsPartition = (integration: string): string => `settings|${integration}`;
export const flowEditName = (flowId: string): string => `flow|${flowId}`;
export const rowEditName = (table: string, rowKey: string): string => `table|${table}|${rowKey}`;

/** Names a row of a table for people and for the store: `code=EU Usage`, empty members left out. */
export function rowKeyOf(table: MappingTable, row: Readonly<Record<string, unknown>>): string {
  return table.key
    .filter((member) => row[member] !== undefined && row[member] !== '')
    .map((member) => `${member}=${String(row[member]).trim().toLowerCase()}`)
    .join(';');
}

export async function readLiveEdits(state: StateStore, integration: string): Promise<LiveEdits> {
  const modes: Record<string, z.infer<typeof flowModeSchema>> = {};
  const rows: { table: string; rowKey: string; row: Json | null }[] = [];
  let after: string | undefined;
  do {
    const page = await state.list(settingsPartition(integration), after === undefined ? {} : { after });
    for (const item of page.items) {
      const [kind, first = '', ...rest] = item.key.name.split('|');
      if (kind === 'flow') modes[first] = flowEditSchema.parse(item.value).mode;
      if (kind === 'table') rows.push({ table: first, rowKey: rest.join('|'), row: rowEditSchema.parse(item.value).row as Json | null });
    }
    after = page.next;
  } while (after !== undefined);
  return { modes, rows };
}

/** The settings as they hold now: connector.yaml, with the edited rows in place of theirs. Fails with ConfigurationInvalid. */
export function effectiveSettings(definition: Integration, written: Readonly<Record<string, unknown>>, edits: LiveEdits): unknown {
  const settings = structuredClone(written) as Record<string, unknown>;
  for (const table of definition.tables) {
    const changed = edits.rows.filter((edit) => edit.table === table.name);
    if (changed.length > 0)
      setAt(
        settings,
        table.name,
        table.shape === 'rows'
          ? editedRows(table, getAt(settings, table.name), changed)
          : editedEntries(getAt(settings, table.name), changed),
      );
  }
  const parsed = definition.settings.safeParse(settings);
  if (parsed.success) return parsed.data;
  throw new Failure('ConfigurationInvalid', {
    sentence: `The settings of ${definition.key} do not fit together after the last edit:\n${problemsText(problemsOf(parsed.error))}`,
    fix: 'Correct or remove the edited row; until then nothing of this integration is written.',
  });
}

function editedRows(table: MappingTable, rows: unknown, edits: LiveEdits['rows']): unknown[] {
  const edited = new Map(edits.map((edit) => [edit.rowKey, edit.row]));
  const kept = (Array.isArray(rows) ? rows : []).filter((row) => !edited.has(rowKeyOf(table, row as Record<string, unknown>)));
  return [...kept, ...[...edited.values()].filter((row) => row !== null)];
}

function editedEntries(entries: unknown, edits: LiveEdits['rows']): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...(entries as Record<string, unknown> | undefined) };
  for (const { rowKey, row } of edits) {
    if (row === null) delete merged[rowKey];
    else merged[rowKey] = row;
  }
  return merged;
}

/** Table names may be dotted: `tax.ids`. */
function getAt(settings: Record<string, unknown>, path: string): unknown {
  return path.split('.').reduce<unknown>((part, member) => (part as Record<string, unknown> | undefined)?.[member], settings);
}

function setAt(settings: Record<string, unknown>, path: string, value: unknown): void {
  const members = path.split('.');
  const last = members.pop() ?? path;
  let part = settings;
  for (const member of members) {
    part[member] = { ...(part[member] as Record<string, unknown> | undefined) };
    part = part[member] as Record<string, unknown>;
  }
  part[last] = value;
}
