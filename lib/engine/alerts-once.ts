import type { Alert } from '../ports/alerts.ts';
import type { Desk } from './shift.ts';
import { alertKey } from './state-keys.ts';

/** Raises an occasion once, until `alertOver`. Told first and noted after: a crash in between tells it twice rather than never. */
export async function alertOnce(desk: Desk, alert: Alert): Promise<void> {
  const key = alertKey(alert.integration, alert.key);
  if ((await desk.state.get(key)) !== undefined) return;
  try {
    await desk.alerts.raise(alert);
  } catch (error) {
    desk.log.error('alert.failed', { alert: alert.key, integration: alert.integration, error: String(error) });
    return;
  }
  await desk.state.put(key, { at: desk.clock.now().toISOString(), sentence: alert.sentence });
}

/** The occasion is over: the next one is told again. */
export async function alertOver(desk: Desk, integration: string, alert: string): Promise<void> {
  const key = alertKey(integration, alert);
  if ((await desk.state.get(key)) !== undefined) await desk.state.remove(key);
}
