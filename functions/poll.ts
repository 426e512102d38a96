import { connectorFor } from './compose.ts';
import { scheduleEntry } from './middleware/schedule.ts';

/** Asks which flows of an integration are due, lists what changed, queues it. */
export const handler = scheduleEntry(async (integration, deadline) => {
  const { engine } = await connectorFor();
  await engine.poll(integration, { deadline });
});
