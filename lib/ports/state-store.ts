import type { Json } from '../values/json.ts';

/** A place in the state store: a partition, which can be listed, and a name in it. */
export interface StateKey {
  readonly partition: string;
  readonly name: string;
}

export interface StateItem<Value extends Json = Json> {
  readonly key: StateKey;
  readonly value: Value;
  /** Grows by one with every write of this item; starts at 1. */
  readonly version: number;
}

/** `absent`: only if nothing is there (an item past its `expiresAt` counts as nothing). A number: only if the version is this one. */
export type Expectation = 'absent' | number;

/**
 * Small shared state with optimistic concurrency: cursors, tokens, rate budgets, lanes, seen webhook ids, modes, mapping rows, plans.
 * Guarantees: reads are strongly consistent; a `put` or `remove` with an expectation is atomic and answers `conflict` instead of writing
 * when the expectation does not hold; an item past `expiresAt` is never returned, whether or not it was swept. Values up to 300 KB.
 */
export interface StateStore {
  get<Value extends Json = Json>(key: StateKey): Promise<StateItem<Value> | undefined>;
  /** Any number of keys; missing ones are absent from the answer, which has no particular order. */
  getMany<Value extends Json = Json>(keys: readonly StateKey[]): Promise<readonly StateItem<Value>[]>;
  put(
    key: StateKey,
    value: Json,
    options?: { readonly expect?: Expectation; readonly expiresAt?: Date },
  ): Promise<{ readonly version: number } | 'conflict'>;
  remove(key: StateKey, options?: { readonly expect?: number }): Promise<'removed' | 'conflict'>;
  /** Items of a partition whose name starts with `prefix`, ordered by name, a page at a time. */
  list<Value extends Json = Json>(
    partition: string,
    options?: { readonly prefix?: string; readonly after?: string; readonly limit?: number },
  ): Promise<{ readonly items: readonly StateItem<Value>[]; readonly next?: string }>;
}
