import type { Connector } from '../connector.ts';
import type { HttpReply } from '../contracts/vendor.ts';
import { asFailure, type Failure } from '../failures.ts';
import type { Operator } from './operation.ts';
import { runOperation } from './operations.ts';

/** Far above any request of ours. */
const mostBytes = 64 * 1024;

/** `POST /operations/{operation}` as bytes in and a reply out: the same for the function, the console and whoever tests them. */
export async function answerOperation(
  connector: () => Connector | Promise<Connector>,
  request: { readonly operation: string; readonly body: Uint8Array; readonly operator: Operator },
): Promise<HttpReply> {
  const { operation, body, operator } = request;
  if (body.byteLength > mostBytes)
    return json(413, { error: { sentence: 'The request is too large to be one.', fix: 'Send at most 64 KB.' } });
  let input: unknown;
  try {
    input = body.byteLength === 0 ? {} : JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return json(400, { error: { sentence: 'The request is not JSON.', fix: 'Send a JSON object in UTF-8.' } });
  }
  try {
    return json(200, await runOperation(await connector(), operation, input, operator));
  } catch (error) {
    const failure = asFailure(error);
    return json(statusOf(failure), { error: failure.record });
  }
}

/** 400: the request. 409: the state of the record. 502: a vendor. 500: us, and what we were deployed with. */
function statusOf(failure: Failure): number {
  if (failure.kind === 'ConfigurationInvalid') return failure.record.actor === 'us' ? 500 : 400;
  if (failure.kind === 'LeaseLost' || failure.kind === 'NeedsPerson') return 409;
  return failure.kind === 'Defect' ? 500 : 502;
}

function json(status: number, body: unknown): HttpReply {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
