import type { Row } from './rows.ts';

export interface StoreOptions<R extends Row> {
  /** The durable key; records are listed in its order. */
  readonly keyOf: (row: R) => string;
  /** Fields that filters on equality find without a scan. */
  readonly indexed?: readonly string[];
}

/** Records of one entity by key, by id and by the texts of the indexed fields. Comparisons ignore case, as the vendor's database does. */
export class Store<R extends Row> {
  readonly #keyOf: (row: R) => string;
  readonly #rows = new Map<string, R>();
  readonly #ids = new Map<string, string>();
  readonly #indexes = new Map<string, Map<string, Set<string>>>();
  /** Keys in order; undefined until somebody lists. */
  #order: string[] | undefined;

  constructor(options: StoreOptions<R>) {
    this.#keyOf = options.keyOf;
    for (const field of options.indexed ?? []) this.#indexes.set(field, new Map());
  }

  get size(): number {
    return this.#rows.size;
  }

  keyOf(row: R): string {
    return this.#keyOf(row).toUpperCase();
  }

  get(key: string): R | undefined {
    return this.#rows.get(key.toUpperCase());
  }

  byId(id: string): R | undefined {
    const key = this.#ids.get(id.toLowerCase());
    return key === undefined ? undefined : this.#rows.get(key);
  }

  /** Inserts, or replaces the record with the same id, even under a new key. */
  put(row: R): void {
    const key = this.keyOf(row);
    const formerKey = this.#ids.get(row.id);
    const former = this.#rows.get(formerKey ?? key);
    if (former) this.#forget(former, formerKey ?? key);
    if (formerKey !== undefined && formerKey !== key) this.#unlist(formerKey);
    if (formerKey !== key) this.#list(key);
    this.#rows.set(key, row);
    this.#ids.set(row.id, key);
    for (const [field, index] of this.#indexes) {
      const value = indexText(row, field);
      const keys = index.get(value);
      if (keys) keys.add(key);
      else index.set(value, new Set([key]));
    }
  }

  delete(row: R): void {
    const key = this.keyOf(row);
    this.#forget(row, key);
    this.#unlist(key);
  }

  /** In key order. */
  all(): readonly R[] {
    this.#order ??= [...this.#rows.keys()].sort();
    const rows: R[] = [];
    for (const key of this.#order) {
      const row = this.#rows.get(key);
      if (row) rows.push(row);
    }
    return rows;
  }

  isIndexed(field: string): boolean {
    return this.#indexes.has(field);
  }

  /** Records whose indexed field has this text, in no particular order. */
  withText(field: string, value: string): readonly R[] {
    const keys = this.#indexes.get(field)?.get(value.trim().toLowerCase()) ?? [];
    const found: R[] = [];
    for (const key of keys) {
      const row = this.#rows.get(key);
      if (row) found.push(row);
    }
    return found;
  }

  snapshot(): readonly R[] {
    return [...this.#rows.values()];
  }

  restore(rows: readonly R[]): void {
    this.#rows.clear();
    this.#ids.clear();
    for (const index of this.#indexes.values()) index.clear();
    this.#order = undefined;
    for (const row of rows) this.put(row);
  }

  #list(key: string): void {
    if (!this.#order) return;
    const place = placeOf(this.#order, key);
    if (this.#order[place] !== key) this.#order.splice(place, 0, key);
  }

  #unlist(key: string): void {
    if (!this.#order) return;
    const place = placeOf(this.#order, key);
    if (this.#order[place] === key) this.#order.splice(place, 1);
  }

  #forget(row: R, key: string): void {
    this.#rows.delete(key);
    this.#ids.delete(row.id);
    for (const [field, index] of this.#indexes) index.get(indexText(row, field))?.delete(key);
  }
}

function indexText(row: Row, field: string): string {
  const value = row.fields[field];
  return typeof value === 'string' ? value.trim().toLowerCase() : '';
}

/** Where `key` stands, or would stand, in a sorted list. */
function placeOf(order: readonly string[], key: string): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((order[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
