import type { Notes } from '../contracts/io.ts';
import type { Clock } from '../ports/clock.ts';
import type { StateKey, StateStore } from '../ports/state-store.ts';

/** Where everything shared about one connection is kept. */
export function connectionKey(connection: string, name: string): StateKey {
  return { partition: `connection|${connection}`, name };
}

export function createNotes(parts: { readonly state: StateStore; readonly clock: Clock; readonly connection: string }): Notes {
  const keyOf = (name: string) => connectionKey(parts.connection, `note|${name}`);
  return {
    async get(name) {
      return (await parts.state.get(keyOf(name)))?.value;
    },
    async put(name, value, options) {
      const { forMs } = options ?? {};
      await parts.state.put(keyOf(name), value, forMs === undefined ? {} : { expiresAt: new Date(parts.clock.now().getTime() + forMs) });
    },
    async remove(name) {
      await parts.state.remove(keyOf(name));
    },
  };
}
