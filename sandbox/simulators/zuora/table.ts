import type { Row } from './rows.ts';

/** Rows by id, with look-ups by the named fields and sorted views that live until the next change. */
export class Table<T extends Row> {
  readonly #rows = new Map<string, T>();
  readonly #indexes: ReadonlyMap<string, Map<string, Set<string>>>;
  readonly #sorted = new Map<string, readonly T[]>();
  /** The vendor's name of the object: `CreditMemo`. */
  readonly object: string;

  constructor(object: string, indexed: readonly (keyof T & string)[] = []) {
    this.object = object;
    this.#indexes = new Map(indexed.map((field) => [field, new Map<string, Set<string>>()]));
  }

  get size(): number {
    return this.#rows.size;
  }

  get(id: string): T | undefined {
    return this.#rows.get(id);
  }

  all(): readonly T[] {
    return [...this.#rows.values()];
  }

  isIndexed(field: string): boolean {
    return this.#indexes.has(field);
  }

  /** Rows whose indexed field equals the value, compared without case, in order of insertion. */
  by(field: string, value: string): T[] {
    const index = this.#indexes.get(field);
    if (!index) throw new Error(`no index on ${field}`);
    const rows: T[] = [];
    for (const id of index.get(value.toLowerCase()) ?? []) {
      const row = this.#rows.get(id);
      if (row) rows.push(row);
    }
    return rows;
  }

  put(row: T): T {
    const before = this.#rows.get(row.id);
    for (const [field, index] of this.#indexes) {
      const value = keyOf(member(row, field));
      const old = before === undefined ? undefined : keyOf(member(before, field));
      if (old === value) continue;
      if (old !== undefined) index.get(old)?.delete(row.id);
      if (value === undefined) continue;
      const ids = index.get(value);
      if (ids) ids.add(row.id);
      else index.set(value, new Set([row.id]));
    }
    this.#rows.set(row.id, row);
    this.#sorted.clear();
    return row;
  }

  delete(id: string): void {
    const row = this.#rows.get(id);
    if (!row) return;
    for (const [field, index] of this.#indexes) {
      const value = keyOf(member(row, field));
      if (value !== undefined) index.get(value)?.delete(id);
    }
    this.#rows.delete(id);
    this.#sorted.clear();
  }

  /** All rows in ascending order; sorted once per name until something changes. */
  sorted(name: string, order: (left: T, right: T) => number): readonly T[] {
    const known = this.#sorted.get(name);
    if (known) return known;
    const rows = this.all().toSorted(order);
    this.#sorted.set(name, rows);
    return rows;
  }

  replaceAll(rows: readonly T[]): void {
    this.#rows.clear();
    this.#sorted.clear();
    for (const index of this.#indexes.values()) index.clear();
    for (const row of rows) this.put(row);
  }
}

function member(row: object, field: string): unknown {
  return (row as Readonly<Record<string, unknown>>)[field];
}

function keyOf(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : String(value).toLowerCase();
}
