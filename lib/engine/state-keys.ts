import type { StateKey } from '../ports/state-store.ts';
import type { Side } from '../values/record-ref.ts';

/** Every place of the state store the engine writes, so that `status` and `explain` read the same names. */

/** Where a flow's polls stand: cursors of its feeds, when it was polled, what polls found that no webhook told. */
export const pollKey = (integration: string, flowId: string): StateKey => ({ partition: `poll|${integration}`, name: flowId });

/** When a webhook of a flow was last heard. */
export const heardKey = (integration: string, flowId: string): StateKey => ({ partition: `heard|${integration}`, name: flowId });

/** A notice that was taken in, by the vendor's id of it. */
export const noticeKey = (integration: string, side: Side, dedupeKey: string): StateKey => ({
  partition: `notice|${integration}|${side}`,
  name: dedupeKey,
});

/** A connection that is paused, shared by every integration that uses it. */
export const circuitKey = (connection: string): StateKey => ({ partition: 'circuit', name: connection });

/** An alert that is up. */
export const alertKey = (integration: string, alert: string): StateKey => ({ partition: `alert|${integration}`, name: alert });

/** What a flow in preview would do with a record. */
export const planKey = (flow: string, key: string): StateKey => ({ partition: `plan|${flow}`, name: key });

/** When a piece of housekeeping last ran: `reference`, `report|<id>`, `release|<prefix>`, `waiting`, `conditions`. */
export const scheduleKey = (integration: string, task: string): StateKey => ({ partition: `schedule|${integration}`, name: task });

/** The latest result of a report, by report id and the result's own key (a period, a day). */
export const reportKey = (integration: string, report: string, key: string): StateKey => ({
  partition: `report|${integration}`,
  name: `${report}|${key}`,
});

/** What the last refresh of reference data found. */
export const alignmentKey = (integration: string): StateKey => ({ partition: `alignment|${integration}`, name: 'latest' });
