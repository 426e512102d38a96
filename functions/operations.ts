import { answerOperation } from '../lib/operations/answer.ts';
import { connectorFor, logger } from './compose.ts';
import { httpEntry } from './middleware/http.ts';

/** `POST /operations/{operation}`, for callers that IAM lets in: what the CLI and the console ask. */
export const handler = httpEntry(async (request, parameters, event) => {
  const operation = parameters['operation'] ?? '';
  const reply = await answerOperation(connectorFor, { operation, body: request.body, operator: { name: callerOf(event) } });
  // What the person is told, the log has too when it was not the person's mistake.
  if (reply.status >= 500) logger.error('operation.failed', { operation, status: reply.status, answer: reply.body });
  return reply;
});

/** Who asks, as IAM knows them; the CLI adds the person's name, which only informs. */
function callerOf(event: { readonly requestContext: object; readonly headers: Readonly<Record<string, string | undefined>> }): string {
  const context = event.requestContext as { authorizer?: { iam?: { userArn?: string } } };
  const identity = context.authorizer?.iam?.userArn?.split('/').at(-1) ?? 'unknown caller';
  const person = personOf(event.headers['x-operator'] ?? '');
  return person === '' ? identity : `${person} (${identity})`;
}

/** A name travels encoded, because headers take few letters. Whatever else is in the header becomes part of a line in the audit, so it is made harmless. */
function personOf(header: string): string {
  try {
    return decodeURIComponent(header.slice(0, 300)).replace(/\p{C}/gu, ' ').trim().slice(0, 60);
  } catch {
    return '';
  }
}
