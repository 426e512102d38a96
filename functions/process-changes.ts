import { Failure } from '../lib/failures.ts';
import { connectorFor } from './compose.ts';
import { queueEntry } from './middleware/queue.ts';

/** A batch of changes: `<stack>-<integration>-live` or `-bulk`. */
export const handler = queueEntry(async (messages, { deadline, queueName }) => {
  const { engine, integrations } = await connectorFor(queueName.endsWith('-bulk') ? 'bulk' : 'live');
  // The function serves one integration: its environment names the queues of that one only.
  const served = integrations.find(({ name }) => queueName.endsWith(`-${name}-live`) || queueName.endsWith(`-${name}-bulk`));
  if (!served) {
    throw new Failure('ConfigurationInvalid', {
      cause: 'environment',
      actor: 'us',
      sentence: `No integration of this deployment has the queue ${queueName}.`,
      fix: 'Deploy the stack again after every change of connector.yaml; the messages stay on their queue until then.',
    });
  }
  return engine.process(served.name, messages, deadline);
});
