import { connectorFor } from './compose.ts';
import { scheduleEntry } from './middleware/schedule.ts';

/** Housekeeping of an integration: renewals, due holds, waiting records, abandoned writes, pings of paused connections, reports. */
export const handler = scheduleEntry(async (integration, deadline) => {
  const { engine } = await connectorFor();
  await engine.keep(integration, { deadline });
});
