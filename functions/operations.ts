import { asFailure, Failure } from '../lib/failures.ts';
import { runOperation } from '../lib/operations/operations.ts';
import { connectorFor } from './compose.ts';
import { httpEntry } from './middleware/http.ts';

/** `POST /operations/{operation}`, for callers that IAM lets in: what the CLI and the console ask. */
export const handler = httpEntry(async (request, parameters, event) => {
  try {
    const input: unknown = request.body.length === 0 ? {} : JSON.parse(Buffer.from(request.body).toString('utf8'));
    const result = await runOperation(connectorFor(), parameters['operation'] ?? '', input, { name: callerOf(event) });
    return json(200, result);
  } catch (error) {
    if (error instanceof SyntaxError) return json(400, { error: { sentence: 'The request is not JSON.', fix: 'Send a JSON object.' } });
    const { record } = error instanceof Failure ? error : asFailure(error);
    return json(record.kind === 'ConfigurationInvalid' ? 400 : record.kind === 'Defect' ? 500 : 502, { error: record });
  }
});

/** Who asks, as IAM knows them; the CLI adds the person's name, which only informs. */
function callerOf(event: { readonly requestContext: object; readonly headers: Readonly<Record<string, string | undefined>> }): string {
  const context = event.requestContext as { authorizer?: { iam?: { userArn?: string } } };
  const identity = context.authorizer?.iam?.userArn?.split('/').at(-1) ?? 'unknown caller';
  const person = event.headers['x-operator'];
  return person === undefined ? identity : `${person.slice(0, 60)} (${identity})`;
}

function json(status: number, body: unknown) {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
