import * as z from 'zod';
import type { StateStore } from '../ports/state-store.ts';
import { pollKey } from './state-keys.ts';

/** What is kept of a flow's polls, in one item: an empty poll writes this and nothing else. */
const standSchema = z.object({
  polledAt: z.iso.datetime().optional(),
  /** By feed: the modification instant up to which everything is on the queue. */
  cursors: z.record(z.string(), z.iso.datetime()).default({}),
  /** By feed: how far an unfinished backfill has come. */
  backfill: z.record(z.string(), z.iso.datetime()).optional(),
  /** When polls found something no webhook had told, the latest few. */
  missed: z.array(z.iso.datetime()).default([]),
  /** Set while the webhooks of this flow are silent. */
  silentSince: z.iso.datetime().optional(),
});
export type Stand = z.infer<typeof standSchema>;

export interface Kept {
  readonly stand: Stand;
  /** Version to expect when it is written; undefined when there is none yet. */
  readonly version: number | undefined;
}

/** Reads the stands of many flows at once. One that cannot be read counts as lost: the flow is swept from its cut-over. */
export async function readStands(state: StateStore, integration: string, flowIds: readonly string[]): Promise<ReadonlyMap<string, Kept>> {
  const items = await state.getMany(flowIds.map((id) => pollKey(integration, id)));
  const kept = new Map<string, Kept>();
  for (const id of flowIds) {
    const item = items.find(({ key }) => key.name === id);
    const parsed = standSchema.safeParse(item?.value);
    kept.set(id, { stand: parsed.success ? parsed.data : { cursors: {}, missed: [] }, version: item?.version });
  }
  return kept;
}

/** Writes a stand; undefined when another poll of the flow was quicker. */
export async function writeStand(state: StateStore, integration: string, flowId: string, kept: Kept): Promise<Kept | undefined> {
  const put = await state.put(pollKey(integration, flowId), JSON.parse(JSON.stringify(kept.stand)), { expect: kept.version ?? 'absent' });
  return put === 'conflict' ? undefined : { stand: kept.stand, version: put.version };
}

/** A vendor's clock may be ahead of ours by minutes; a cursor further in the future than this was not written by a healthy poll. */
const aheadMs = 15 * 60_000;
const usualOverlapMs = 5 * 60_000;

/** From when to list: behind the cursor by the overlap; undefined sweeps everything from the cut-over on. */
export function sinceOf(cursor: string | undefined, overlapMs: number | undefined, now: Date): Date | undefined {
  if (cursor === undefined) return undefined;
  const at = Date.parse(cursor);
  if (Number.isNaN(at) || at > now.getTime() + aheadMs) return undefined;
  return new Date(at - (overlapMs ?? usualOverlapMs));
}

/** A cursor only moves forward, and never further than a vendor's clock may be ahead. */
export function moved(cursor: string | undefined, found: readonly { readonly at: Date }[], now: Date): string | undefined {
  let latest = cursor === undefined ? Number.NEGATIVE_INFINITY : Date.parse(cursor);
  for (const { at } of found) latest = Math.max(latest, Math.min(at.getTime(), now.getTime() + aheadMs));
  return Number.isFinite(latest) ? new Date(latest).toISOString() : undefined;
}
