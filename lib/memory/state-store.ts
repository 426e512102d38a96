import { Failure } from '../failures.ts';
import type { Clock } from '../ports/clock.ts';
import type { StateItem, StateKey, StateStore } from '../ports/state-store.ts';
import type { Json } from '../values/json.ts';

interface Kept {
  readonly text: string;
  readonly version: number;
  readonly expiresAtMs: number | undefined;
}

const defaultLimit = 100;
/** As in the table: an item may hold 400 KB, and key and bookkeeping need some of it. */
const largestValueBytes = 300 * 1024;

/** The state store in memory. Values are kept as text, so that nobody changes a stored value by changing an object. */
export function createMemoryStateStore(parts: { readonly clock: Clock }): StateStore {
  const partitions = new Map<string, Map<string, Kept>>();

  function kept(key: StateKey): Kept | undefined {
    return partitions.get(key.partition)?.get(key.name);
  }

  function isOver(item: Kept): boolean {
    return item.expiresAtMs !== undefined && item.expiresAtMs <= parts.clock.now().getTime();
  }

  function live(key: StateKey): Kept | undefined {
    const item = kept(key);
    return item === undefined || isOver(item) ? undefined : item;
  }

  const asItem = <Value extends Json>(key: StateKey, item: Kept): StateItem<Value> => ({
    key: { partition: key.partition, name: key.name },
    value: JSON.parse(item.text) as Value,
    version: item.version,
  });

  return {
    async get<Value extends Json>(key: StateKey) {
      const item = live(key);
      return item && asItem<Value>(key, item);
    },
    async getMany<Value extends Json>(keys: readonly StateKey[]) {
      return unique(keys).flatMap((key) => {
        const item = live(key);
        return item ? [asItem<Value>(key, item)] : [];
      });
    },
    async put(key, value, options = {}) {
      const text = JSON.stringify(value);
      if (Buffer.byteLength(text) > largestValueBytes) {
        throw new Failure('NeedsPerson', {
          cause: 'record-too-large',
          sentence: `State ${key.partition}/${key.name} is larger than ${largestValueBytes / 1024} KB; nothing was stored.`,
          fix: 'Send the audit entry to the maintainers.',
          actor: 'us',
        });
      }
      const present = live(key);
      if (options.expect === 'absent' ? present !== undefined : options.expect !== undefined && present?.version !== options.expect) {
        return 'conflict';
      }
      // The version goes on over an item that is past its end: whoever held the old one must not be taken for the new one.
      const version = (kept(key)?.version ?? 0) + 1;
      const partition = partitions.get(key.partition) ?? new Map<string, Kept>();
      partitions.set(key.partition, partition);
      partition.set(key.name, { text, version, expiresAtMs: options.expiresAt?.getTime() });
      return { version };
    },
    async remove(key, options = {}) {
      if (options.expect !== undefined && live(key)?.version !== options.expect) return 'conflict';
      partitions.get(key.partition)?.delete(key.name);
      return 'removed';
    },
    async list<Value extends Json>(
      partition: string,
      options: { readonly prefix?: string; readonly after?: string; readonly limit?: number } = {},
    ) {
      const { after, limit = defaultLimit, prefix = '' } = options;
      const names = [...(partitions.get(partition)?.entries() ?? [])]
        .filter(([name, item]) => name.startsWith(prefix) && (after === undefined || name > after) && !isOver(item))
        .map(([name]) => name)
        .sort();
      const page = names.slice(0, limit);
      const items = page.flatMap((name) => {
        const item = live({ partition, name });
        return item ? [asItem<Value>({ partition, name }, item)] : [];
      });
      const last = page.at(-1);
      return names.length > page.length && last !== undefined ? { items, next: last } : { items };
    },
  };
}

function unique(keys: readonly StateKey[]): readonly StateKey[] {
  return [...new Map(keys.map((key) => [`${key.partition}\n${key.name}`, key])).values()];
}
