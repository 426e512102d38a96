import type { Alert, Alerts } from '../ports/alerts.ts';

/** Keeps every alert, oldest first. */
export function createCollectingAlerts(): Alerts & { readonly raised: readonly Alert[] } {
  const raised: Alert[] = [];
  return {
    raised,
    async raise(alert) {
      raised.push(alert);
    },
  };
}
