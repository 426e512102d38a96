import { connectorFor } from './compose.ts';
import { httpEntry } from './middleware/http.ts';

/** `/webhooks/{integration}/{system}`: verify, queue, answer; nothing else. */
export const handler = httpEntry(async (request) => {
  const { engine, integrations } = connectorFor();
  const [integration = '', system = ''] = request.path.split('/').slice(-2);
  const sides = integrations.find((candidate) => candidate.name === integration)?.definition.sides;
  return engine.receiveWebhook(integration, sides?.a.key === system ? 'a' : 'b', request);
});
