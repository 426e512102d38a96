import { connectorFor } from './compose.ts';
import { httpEntry } from './middleware/http.ts';

/** `/webhooks/{integration}/{system}`: verify, queue, answer; nothing else. */
export const handler = httpEntry(async (request) => {
  const { engine, integrations } = await connectorFor();
  const [, integration = '', system = ''] = /\/webhooks\/([^/]+)\/([^/]+)/.exec(request.path) ?? [];
  const sides = integrations.find((candidate) => candidate.name === integration)?.definition.sides;
  const side = sides?.a.key === system ? 'a' : sides?.b.key === system ? 'b' : undefined;
  return side === undefined ? { status: 404 } : engine.receiveWebhook(integration, side, request);
});
