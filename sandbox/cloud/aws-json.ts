import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Access, type Authorize, denialText } from './access.ts';
import { accessKeyIdOf, type LoopbackServer, listenOnLoopback, newRequestId, readBody } from './loopback.ts';

/** A request of an AWS service that speaks JSON over POST with `X-Amz-Target`. */
export interface AwsCall {
  /** `PutItem` */
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly accessKeyId: string;
  /** Aborted when the caller hangs up or the server closes: a long poll must not take messages for nobody. */
  readonly gone: AbortSignal;
}

/** An error as the service answers it. */
export class AwsError extends Error {
  readonly type: string;
  readonly status: number;
  readonly members: Readonly<Record<string, unknown>>;
  /** The code of the older query protocol, which SQS sends along. */
  readonly queryCode: string | undefined;

  constructor(
    type: string,
    message: string,
    more: { readonly status?: number; readonly members?: Readonly<Record<string, unknown>>; readonly queryCode?: string } = {},
  ) {
    super(message);
    this.name = type;
    this.type = type;
    this.status = more.status ?? 400;
    this.members = more.members ?? {};
    this.queryCode = more.queryCode;
  }
}

export interface AwsJsonService {
  readonly port?: number | undefined;
  /** What stands before the dot of `X-Amz-Target`: `DynamoDB_20120810`. */
  readonly target: string;
  readonly version: '1.0' | '1.1';
  /** Prefix of `__type` in errors that belong to the service: `com.amazonaws.dynamodb.v20120810#`. */
  readonly errorPrefix: string;
  readonly limitBytes: number;
  handle(call: AwsCall): Promise<unknown>;
}

export async function startAwsJson(service: AwsJsonService): Promise<LoopbackServer> {
  const open = new Set<AbortController>();
  const server = await listenOnLoopback(service.port ?? 0, async (incoming, outgoing) => {
    const gone = new AbortController();
    open.add(gone);
    outgoing.once('close', () => {
      open.delete(gone);
      gone.abort();
    });
    await serve(service, gone.signal, incoming, outgoing);
  });
  return {
    ...server,
    close: () => {
      for (const gone of open) gone.abort();
      return server.close();
    },
  };
}

async function serve(service: AwsJsonService, gone: AbortSignal, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const end = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void => {
    const text = JSON.stringify(body);
    outgoing.writeHead(status, {
      'content-type': `application/x-amz-json-${service.version}`,
      'content-length': Buffer.byteLength(text),
      'x-amzn-requestid': newRequestId(),
      ...headers,
    });
    outgoing.end(text);
  };
  try {
    const bytes = await readBody(incoming, service.limitBytes);
    if (incoming.method !== 'POST')
      throw new AwsError('UnknownOperationException', `${incoming.method} is not served here`, { status: 404 });
    if (bytes === undefined) throw new AwsError('RequestEntityTooLarge', 'the request is too large', { status: 413 });
    const call = { ...parseCall(service, incoming, bytes), gone };
    end(200, (await service.handle(call)) ?? {});
  } catch (error) {
    if (error instanceof AwsError) {
      const queryError: Record<string, string> = error.queryCode === undefined ? {} : { 'x-amzn-query-error': `${error.queryCode};Sender` };
      end(
        error.status,
        { __type: error.type.includes('#') ? error.type : service.errorPrefix + error.type, message: error.message, ...error.members },
        queryError,
      );
    } else {
      process.stderr.write(`local ${service.target}: ${error instanceof Error ? error.stack : String(error)}\n`);
      end(500, { __type: 'InternalFailure', message: error instanceof Error ? error.message : String(error) });
    }
  }
}

function parseCall(service: AwsJsonService, incoming: IncomingMessage, bytes: Buffer): Omit<AwsCall, 'gone'> {
  const coral = 'com.amazon.coral.service#';
  const target = String(incoming.headers['x-amz-target'] ?? '');
  if (!target.startsWith(`${service.target}.`)) {
    throw new AwsError(`${coral}UnknownOperationException`, `X-Amz-Target ${JSON.stringify(target)} is not of ${service.target}`);
  }
  const accessKeyId = accessKeyIdOf(incoming.headers.authorization);
  if (accessKeyId === undefined) {
    throw new AwsError(`${coral}MissingAuthenticationTokenException`, 'Request is missing Authentication Token');
  }
  let input: unknown;
  try {
    input = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new AwsError(`${coral}SerializationException`, 'the body is not JSON');
  }
  if (!isRecord(input)) throw new AwsError(`${coral}SerializationException`, 'the body is not a JSON object');
  return { operation: target.slice(service.target.length + 1), input, accessKeyId };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Throws the service's own refusal unless the caller's role allows every one of these. */
export function demandAccess(authorize: Authorize, type: string, accesses: readonly Access[], status = 400): void {
  for (const access of accesses) {
    const denial = authorize(access);
    if (denial) throw new AwsError(type, denialText(access, denial), { status });
  }
}
