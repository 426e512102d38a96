import type { DynamoEngine, Item, Operation } from './dynamodb-engine.ts';

export interface TableUnits {
  readonly read: number;
  readonly write: number;
}

/** Size of an item as DynamoDB counts it: UTF-8 bytes of names and values, numbers by their digits. */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) bytes += Buffer.byteLength(name) + valueBytes(value);
  return bytes;
}

function valueBytes(value: unknown): number {
  if (value === null || typeof value !== 'object') return 0;
  const [type, content] = Object.entries(value)[0] ?? ['NULL', true];
  const list = Array.isArray(content) ? content : [];
  switch (type) {
    case 'S':
      return Buffer.byteLength(String(content));
    case 'N':
      return numberBytes(String(content));
    case 'B':
      return Buffer.byteLength(String(content), 'base64');
    case 'SS':
      return list.reduce((sum: number, text) => sum + Buffer.byteLength(String(text)), 0);
    case 'NS':
      return list.reduce((sum: number, text) => sum + numberBytes(String(text)), 0);
    case 'BS':
      return list.reduce((sum: number, text) => sum + Buffer.byteLength(String(text), 'base64'), 0);
    case 'L':
      return 3 + list.reduce((sum: number, part) => sum + 1 + valueBytes(part), 0);
    case 'M':
      return 3 + Object.entries(content ?? {}).reduce((sum, [name, part]) => sum + 1 + Buffer.byteLength(name) + valueBytes(part), 0);
    default:
      return 1;
  }
}

/** One byte per two significant digits and one more, plus one for a sign. */
function numberBytes(text: string): number {
  const digits = text
    .replace(/[eE].*$/, '')
    .replace(/[-+.]/g, '')
    .replace(/^0+/, '')
    .replace(/0+$/, '');
  return 1 + Math.ceil(digits.length / 2) + (text.startsWith('-') ? 1 : 0);
}

const writeUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / 1024));

/** Half a unit per 4 KB, a whole one when strongly consistent; nothing found still costs the smallest read. */
export const readUnits = (bytes: number, consistent: boolean): number => Math.max(1, Math.ceil(bytes / 4096)) * (consistent ? 1 : 0.5);

/** Table of a stored key, and whether it belongs to an index: `item-links~…`, `index-global~links~byState~…`. */
function placeOf(key: string): { readonly table: string; readonly index: boolean } | undefined {
  if (key.startsWith('item-')) return { table: key.slice(5, key.indexOf('~')), index: false };
  if (key.startsWith('index-')) return { table: key.split('~')[1] ?? '', index: true };
  return undefined;
}

/**
 * Write units of stored operations per table, index entries included: the larger of the old and the new size; an index entry that stays the
 * same costs nothing. `factor` 2 for transactions.
 */
export async function writeUnitsOf(
  engine: DynamoEngine,
  operations: readonly Operation[],
  factor: 1 | 2,
): Promise<ReadonlyMap<string, number>> {
  const units = new Map<string, number>();
  for (const operation of operations) {
    const place = placeOf(operation.key);
    if (place === undefined) continue;
    const before = (await engine.get(operation.key)) as Item | undefined;
    const after = operation.type === 'put' ? (operation.value as Item) : undefined;
    if (place.index && JSON.stringify(before) === JSON.stringify(after)) continue;
    const bytes = Math.max(before === undefined ? 0 : itemBytes(before), after === undefined ? 0 : itemBytes(after));
    units.set(place.table, (units.get(place.table) ?? 0) + writeUnits(bytes) * factor);
  }
  return units;
}

/** What a refused conditional write costs: the item that stood in the way. */
export const refusedWriteUnits = (item: Item | undefined): number => writeUnits(item === undefined ? 0 : itemBytes(item));

/** Counts units for a benchmark. */
export class CapacityCount {
  #units = new Map<string, { read: number; write: number }>();

  add(table: string, kind: 'read' | 'write', units: number): void {
    const row = this.#units.get(table) ?? { read: 0, write: 0 };
    row[kind] += units;
    this.#units.set(table, row);
  }

  units(): Readonly<Record<string, TableUnits>> {
    return Object.fromEntries([...this.#units].map(([table, row]) => [table, { ...row }]));
  }

  reset(): void {
    this.#units.clear();
  }
}
