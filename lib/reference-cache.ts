import { gunzipSync, gzipSync } from 'node:zlib';
import type { Clock } from './ports/clock.ts';
import type { StateStore } from './ports/state-store.ts';
import type { Json } from './values/json.ts';

/** Stored parts stay well below what one item of the state store may hold. */
const partCharacters = 250_000;

interface Header {
  readonly [member: string]: Json;
  readonly loadedAt: string;
  readonly parts: number;
}

/**
 * Reference data of an integration, shared by all workers: loaded by one of them, kept compressed in the state store, and in memory for as long
 * as it is fresh. Two workers that load at once both store the same facts; the later one wins, which is harmless.
 */
export interface ReferenceCache {
  cached<Value extends Json>(name: string, maxAgeMs: number, load: () => Promise<Value>): Promise<Value>;
  forget(name: string): Promise<void>;
}

export function createReferenceCache(options: {
  readonly state: StateStore;
  readonly clock: Clock;
  readonly integration: string;
}): ReferenceCache {
  const { state, clock } = options;
  const partition = `reference|${options.integration}`;
  const memory = new Map<string, { readonly loadedAt: number; readonly value: Json }>();
  const loading = new Map<string, Promise<Json>>();

  async function fromStore(name: string): Promise<{ readonly loadedAt: number; readonly value: Json } | undefined> {
    const header = (await state.get<Header>({ partition, name }))?.value;
    if (!header) return undefined;
    const keys = Array.from({ length: header.parts }, (_, part) => ({ partition, name: `${name}#${header.loadedAt}#${part}` }));
    const items = await state.getMany<string>(keys);
    const byName = new Map(items.map((item) => [item.key.name, item.value]));
    const texts = keys.map((key) => byName.get(key.name));
    // A part may be gone when another worker has just stored a newer version: load again rather than read half of it.
    if (texts.some((text) => text === undefined)) return undefined;
    const value = JSON.parse(gunzipSync(Buffer.from(texts.join(''), 'base64')).toString('utf8')) as Json;
    return { loadedAt: Date.parse(header.loadedAt), value };
  }

  async function store(name: string, value: Json, maxAgeMs: number): Promise<{ readonly loadedAt: number; readonly value: Json }> {
    const now = clock.now();
    const text = gzipSync(Buffer.from(JSON.stringify(value), 'utf8')).toString('base64');
    const expiresAt = new Date(now.getTime() + Math.max(2 * maxAgeMs, 3_600_000));
    const parts = Math.max(1, Math.ceil(text.length / partCharacters));
    for (let part = 0; part < parts; part += 1) {
      await state.put(
        { partition, name: `${name}#${now.toISOString()}#${part}` },
        text.slice(part * partCharacters, (part + 1) * partCharacters),
        { expiresAt },
      );
    }
    await state.put({ partition, name }, { loadedAt: now.toISOString(), parts }, { expiresAt });
    return { loadedAt: now.getTime(), value };
  }

  async function obtain<Value extends Json>(name: string, maxAgeMs: number, load: () => Promise<Value>): Promise<Json> {
    const stored = await fromStore(name);
    const entry = stored && clock.now().getTime() - stored.loadedAt < maxAgeMs ? stored : await store(name, await load(), maxAgeMs);
    memory.set(name, entry);
    return entry.value;
  }

  return {
    async cached<Value extends Json>(name: string, maxAgeMs: number, load: () => Promise<Value>): Promise<Value> {
      const known = memory.get(name);
      if (known && clock.now().getTime() - known.loadedAt < maxAgeMs) return known.value as Value;
      const running = loading.get(name) ?? obtain(name, maxAgeMs, load).finally(() => loading.delete(name));
      loading.set(name, running);
      return (await running) as Value;
    },
    async forget(name) {
      memory.delete(name);
      await state.remove({ partition, name });
    },
  };
}
