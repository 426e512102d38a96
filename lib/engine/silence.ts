import type { Flow } from '../contracts/flow.ts';
import { alertOnce, alertOver } from './alerts-once.ts';
import type { Stand } from './cursors.ts';
import type { Desk } from './shift.ts';
import { heardKey } from './state-keys.ts';

const windowMs = 86_400_000;
const documents = 5;
export const silentCadenceMinutes = 5;

/** Webhooks of a flow were heard at this instant; written at most every few minutes. */
export async function noteHeard(desk: Desk, integration: string, flowId: string): Promise<void> {
  const key = heardKey(integration, flowId);
  const now = desk.clock.now();
  const before = await desk.state.get<{ at: string }>(key);
  if (before !== undefined && now.getTime() - Date.parse(before.value.at) < 300_000) return;
  await desk.state.put(key, { at: now.toISOString() });
}

/**
 * Five documents found by poll and no webhook within a day: the vendor's definition is probably inactive. The flow is then polled every few
 * minutes until webhooks return.
 */
export async function watchSilence(
  desk: Desk,
  integration: string,
  given: { readonly flow: Flow; readonly stand: Stand; readonly found: number },
): Promise<Stand> {
  const { flow, stand, found } = given;
  if (flow.wakes.webhooks.length === 0 || (found === 0 && stand.silentSince === undefined)) return stand;
  const now = desk.clock.now();
  const cut = new Date(now.getTime() - windowMs).toISOString();
  const news = Array.from({ length: Math.min(found, documents) }, () => now.toISOString());
  const missed = [...stand.missed, ...news].filter((at) => at > cut).slice(-documents);
  const heard = (await desk.state.get<{ at: string }>(heardKey(integration, flow.id)))?.value.at;
  const alert = `silence|${integration}.${flow.id}`;
  if (heard !== undefined && heard > (stand.silentSince ?? cut)) {
    const { silentSince, ...rest } = stand;
    if (silentSince !== undefined) await alertOver(desk, integration, alert);
    return { ...rest, missed: [] };
  }
  if (missed.length < documents) return { ...stand, missed };
  await alertOnce(desk, {
    key: alert,
    integration,
    sentence: `Polls of ${integration}.${flow.id} found ${documents} or more records within a day and no webhook told of any of them.`,
    fix: `Check at the vendor that the notifications ${flow.wakes.webhooks.join(', ')} are active and reach us. Until they return the flow is polled every ${silentCadenceMinutes} minutes.`,
  });
  return { ...stand, missed, silentSince: stand.silentSince ?? now.toISOString() };
}
