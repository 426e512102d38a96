import type { Row } from '../rows.ts';
import type { Table } from '../table.ts';
import type { Tenant } from '../tenant.ts';
import allowLists from './allow-lists.json' with { type: 'json' };

export type FieldKind = 'text' | 'amount' | 'integer' | 'date' | 'instant' | 'boolean';
type Value = string | number | boolean | null;

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  of(row: Row, tenant: Tenant): Value;
}

export interface Relation {
  /** Key under which the related record or records arrive. */
  readonly name: string;
  readonly object: string;
  readonly many: boolean;
  of(row: Row, tenant: Tenant): readonly Row[];
}

export interface QueryObject {
  readonly path: string;
  /** As in `account.fields[]`. */
  readonly singular: string;
  readonly filterRequired: boolean;
  readonly filterable: ReadonlySet<string>;
  readonly sortable: ReadonlySet<string>;
  readonly expandable: ReadonlySet<string>;
  readonly needsSettlement: boolean;
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, Field>;
  /** Which index of the table answers an EQ or IN on a field. */
  readonly indexes: ReadonlyMap<string, string>;
  readonly relations: ReadonlyMap<string, Relation>;
  /** Documented sample cursors of these objects are plain offsets; of all others sort positions. */
  readonly cursorIsOffset: boolean;
  table(tenant: Tenant): Table<Row>;
  custom(row: Row): Readonly<Record<string, string | null>>;
}

interface Definition<T extends Row> {
  readonly table: (tenant: Tenant) => Table<T>;
  readonly singular: string;
  readonly needsSettlement?: boolean;
  readonly cursorIsOffset?: boolean;
  readonly fields: Readonly<Partial<Record<FieldKind, Readonly<Record<string, (row: T, tenant: Tenant) => Value>>>>>;
  readonly indexes?: Readonly<Record<string, keyof T & string>>;
  readonly relations?: Readonly<
    Record<
      string,
      readonly [name: string, object: string, many: 'one' | 'many', of: (row: T, tenant: Tenant) => readonly (Row | undefined)[]]
    >
  >;
  readonly custom?: (row: T) => Readonly<Record<string, string | null>>;
}

type ObjectName = keyof typeof allowLists;

export function define<T extends Row>(path: ObjectName, definition: Definition<T>): QueryObject {
  const allowed = allowLists[path];
  const fields = new Map<string, Field>();
  const addField = (name: string, kind: FieldKind, of: (row: T, tenant: Tenant) => Value): void => {
    fields.set(name.toLowerCase(), { name, kind, of: (row, tenant) => of(row as T, tenant) });
  };
  addField('id', 'text', (row) => row.id);
  addField('createdDate', 'instant', (row) => row.createdAt);
  addField('updatedDate', 'instant', (row) => row.updatedAt);
  addField('createdById', 'text', () => apiUserId);
  addField('updatedById', 'text', () => apiUserId);
  for (const [kind, named] of Object.entries(definition.fields)) {
    for (const [name, of] of Object.entries(named)) addField(name, kind as FieldKind, of);
  }
  // Listed by the vendor, never filled in this tenant.
  for (const name of allowed.filter) if (!fields.has(name)) addField(name, 'text', () => null);
  const relations = new Map<string, Relation>();
  for (const [key, [name, object, many, of]] of Object.entries(definition.relations ?? {})) {
    const rows = (row: Row, tenant: Tenant): readonly Row[] => of(row as T, tenant).filter((related) => related !== undefined);
    relations.set(key, { name, object, many: many === 'many', of: rows });
  }
  const indexes = new Map<string, string>(Object.entries(definition.indexes ?? {}));
  return {
    path,
    singular: definition.singular,
    filterRequired: allowed.filterRequired,
    filterable: new Set(allowed.filter),
    sortable: new Set(allowed.sort),
    expandable: new Set(allowed.expand),
    needsSettlement: definition.needsSettlement ?? false,
    fields,
    indexes,
    relations,
    cursorIsOffset: definition.cursorIsOffset ?? false,
    table: (tenant) => definition.table(tenant),
    custom: (row) => definition.custom?.(row as T) ?? {},
  };
}

export const apiUserId = '8ad09fc28193c189018194da28be74ba';
