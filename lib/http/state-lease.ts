import type { StateKey, StateStore } from '../ports/state-store.ts';

/**
 * The right of one worker to something of a connection (its token grant, a lane) until a deadline, kept as an item of the state store.
 * The item is never removed: its version grows with every taking and giving back, so that a worker that slept through its deadline
 * can neither renew nor give back what another one holds by now.
 */
export interface Holding {
  readonly key: StateKey;
  readonly owner: string;
  readonly version: number;
  readonly untilMs: number;
}

export type Taken = { readonly holding: Holding } | { readonly busyUntilMs: number };

type LeaseValue = { readonly owner: string; readonly untilMs: number };

export interface LeaseWish {
  /** Unique per taking. */
  readonly owner: string;
  readonly nowMs: number;
  readonly forMs: number;
}

export async function takeLease(state: StateStore, key: StateKey, wish: LeaseWish): Promise<Taken> {
  const untilMs = wish.nowMs + wish.forMs;
  const value: LeaseValue = { owner: wish.owner, untilMs };
  for (;;) {
    const item = await state.get<LeaseValue>(key);
    if (item && item.value.owner === wish.owner)
      return { holding: { key, owner: wish.owner, version: item.version, untilMs: item.value.untilMs } };
    if (item && item.value.untilMs > wish.nowMs) return { busyUntilMs: item.value.untilMs };
    const put = await state.put(key, value, { expect: item?.version ?? 'absent' });
    if (put !== 'conflict') return { holding: { key, owner: wish.owner, version: put.version, untilMs } };
    // Somebody else was quicker (the next look says until when), or gave it back at this moment.
  }
}

/** Undefined when it was lost: somebody took it over after the deadline. */
export async function renewLease(state: StateStore, holding: Holding, untilMs: number): Promise<Holding | undefined> {
  const value: LeaseValue = { owner: holding.owner, untilMs };
  const put = await state.put(holding.key, value, { expect: holding.version });
  return put === 'conflict' ? undefined : { ...holding, version: put.version, untilMs };
}

export async function giveBackLease(state: StateStore, holding: Holding): Promise<void> {
  const value: LeaseValue = { owner: '', untilMs: 0 };
  await state.put(holding.key, value, { expect: holding.version });
}
