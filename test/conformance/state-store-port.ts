import { describe, expect, test } from 'vitest';
import type { HandTurnedClock } from '../../lib/memory/hand-turned-clock.ts';
import type { StateKey, StateStore } from '../../lib/ports/state-store.ts';

export interface StateStoreWorld {
  readonly store: StateStore;
  readonly clock: HandTurnedClock;
}

/** The guarantees of `StateStore`, for every implementation. `open` answers an empty store. */
export function describeStateStore(name: string, open: () => Promise<StateStoreWorld>): void {
  const key: StateKey = { partition: 'connection|heron', name: 'token' };
  const inFuture = (clock: HandTurnedClock, ms: number) => new Date(clock.now().getTime() + ms);

  describe(`state store: ${name}`, () => {
    test('what was put is read back, unchanged in every digit and letter', async () => {
      const { store } = await open();
      const value = { text: 'Ünïcode | "quotes" \u0000 \n 漢字 😀', list: [1, null, true, { deep: ['x'] }], amount: '1334.880', empty: '' };
      expect(await store.put(key, value)).toEqual({ version: 1 });
      expect(await store.get(key)).toEqual({ key, value, version: 1 });
    });

    test('what is not there is undefined, and missing keys are left out of many', async () => {
      const { store } = await open();
      await store.put(key, 1);
      expect(await store.get({ partition: 'connection|heron', name: 'toke' })).toBeUndefined();
      expect(await store.getMany([key, { partition: 'connection|owl', name: 'token' }])).toEqual([{ key, value: 1, version: 1 }]);
      expect(await store.getMany([])).toEqual([]);
    });

    test('a changed object does not change what was stored', async () => {
      const { store } = await open();
      const value = { count: 1 };
      await store.put(key, value);
      value.count = 2;
      expect((await store.get(key))?.value).toEqual({ count: 1 });
    });

    test('the version grows by one with every write', async () => {
      const { store } = await open();
      for (let version = 1; version <= 3; version += 1) expect(await store.put(key, version)).toEqual({ version });
      expect(await store.put(key, 4, { expect: 3 })).toEqual({ version: 4 });
    });

    test('an expectation that does not hold writes nothing', async () => {
      const { store } = await open();
      expect(await store.put(key, 'lost', { expect: 1 })).toBe('conflict');
      await store.put(key, 'first', { expect: 'absent' });
      expect(await store.put(key, 'second', { expect: 'absent' })).toBe('conflict');
      expect(await store.put(key, 'second', { expect: 2 })).toBe('conflict');
      expect(await store.get(key)).toEqual({ key, value: 'first', version: 1 });
    });

    test('of many that expect absence at the same moment exactly one writes', async () => {
      const { store } = await open();
      const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => store.put(key, index, { expect: 'absent' })));
      const winners = answers.flatMap((answer, index) => (answer === 'conflict' ? [] : [index]));
      expect(winners).toHaveLength(1);
      expect((await store.get(key))?.value).toBe(winners[0]);
    });

    test('a counter changed by many with expectations loses no step', async () => {
      const { store } = await open();
      const countUp = async () => {
        for (;;) {
          const item = await store.get<number>(key);
          if ((await store.put(key, (item?.value ?? 0) + 1, { expect: item?.version ?? 'absent' })) !== 'conflict') return;
        }
      };
      await Promise.all(Array.from({ length: 8 }, countUp));
      expect((await store.get(key))?.value).toBe(8);
    });

    test('an item at its end is gone for every way of reading', async () => {
      const { clock, store } = await open();
      await store.put(key, 'short', { expiresAt: inFuture(clock, 1500) });
      clock.advance(1499);
      expect((await store.get(key))?.value).toBe('short');
      clock.advance(1);
      expect(await store.get(key)).toBeUndefined();
      expect(await store.getMany([key])).toEqual([]);
      expect((await store.list(key.partition)).items).toEqual([]);
    });

    test('an item past its end counts as absent, and its old version no longer opens it', async () => {
      const { clock, store } = await open();
      const old = await store.put(key, 'old', { expiresAt: inFuture(clock, 1000) });
      clock.advance(1000);
      const oldVersion = old === 'conflict' ? 0 : old.version;
      expect(await store.put(key, 'by version', { expect: oldVersion })).toBe('conflict');
      expect(await store.put(key, 'new', { expect: 'absent' })).not.toBe('conflict');
      expect(await store.put(key, 'stale holder', { expect: oldVersion })).toBe('conflict');
      expect(await store.remove(key, { expect: oldVersion })).toBe('conflict');
      expect((await store.get(key))?.value).toBe('new');
    });

    test('a put without an end takes the end of the one before away', async () => {
      const { clock, store } = await open();
      await store.put(key, 'short', { expiresAt: inFuture(clock, 1000) });
      await store.put(key, 'long');
      clock.advance(10_000);
      expect((await store.get(key))?.value).toBe('long');
    });

    test('remove with an expectation removes that version only', async () => {
      const { store } = await open();
      await store.put(key, 1);
      await store.put(key, 2);
      expect(await store.remove(key, { expect: 1 })).toBe('conflict');
      expect((await store.get(key))?.value).toBe(2);
      expect(await store.remove(key, { expect: 2 })).toBe('removed');
      expect(await store.get(key)).toBeUndefined();
      expect(await store.remove(key, { expect: 2 })).toBe('conflict');
      expect(await store.remove(key)).toBe('removed');
    });

    test('a list is ordered by name, bounded by its prefix and its partition, and whole over its pages', async () => {
      const { clock, store } = await open();
      const names = Array.from({ length: 23 }, (_, index) => `row|${String((index * 7) % 23).padStart(3, '0')}`);
      for (const name of names) await store.put({ partition: 'map', name }, name);
      await store.put({ partition: 'map', name: 'rox' }, 1);
      await store.put({ partition: 'map', name: 'row' }, 1);
      await store.put({ partition: 'mapping', name: 'row|001' }, 1);
      await store.put({ partition: 'map', name: 'row|003' }, 'gone', { expiresAt: inFuture(clock, 1) });
      clock.advance(1);
      const found: string[] = [];
      let pages = 0;
      let from: string | undefined;
      do {
        const page = await store.list('map', { prefix: 'row|', limit: 5, ...(from === undefined ? {} : { after: from }) });
        expect(page.items.length).toBeLessThanOrEqual(5);
        found.push(...page.items.map((item) => item.key.name));
        from = page.next;
        pages += 1;
      } while (from !== undefined && pages < 50);
      expect(found).toEqual([...names].sort().filter((one) => one !== 'row|003'));
      expect((await store.list('map')).items).toHaveLength(24);
      expect(await store.list('nothing')).toEqual({ items: [] });
    });

    test('130 keys are read at once, asked twice or not', async () => {
      const { store } = await open();
      const keys = Array.from({ length: 130 }, (_, index) => ({ partition: 'seen', name: `webhook ${index}` }));
      await Promise.all(keys.map((one, index) => store.put(one, index)));
      const items = await store.getMany([...keys, ...keys.slice(0, 5)]);
      expect(items.map((item) => item.value).sort((left, right) => Number(left) - Number(right))).toEqual(keys.map((_, index) => index));
    });

    test('250 KB are kept whole, and what is too large is refused without harm', async () => {
      const { store } = await open();
      const large = 'x'.repeat(250 * 1024);
      await store.put(key, large);
      expect((await store.get(key))?.value).toBe(large);
      await expect(store.put(key, 'y'.repeat(400 * 1024))).rejects.toMatchObject({
        kind: 'NeedsPerson',
        record: { cause: 'record-too-large' },
      });
      expect((await store.get(key))?.value).toBe(large);
    });
  });
}
