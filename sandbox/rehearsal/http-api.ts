import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Authorize, denialText, type Place } from '../cloud/access.ts';
import { isRecord } from '../cloud/aws-json.ts';
import type { CloudClock } from '../cloud/clock.ts';
import { accessKeyIdOf, listenOnLoopback, newRequestId, readBody } from '../cloud/loopback.ts';
import { decoded, eventOf, splitOnce } from './http-api-event.ts';
import { type InvokeResult, type LocalFunction, newTraceId } from './lambda.ts';

export interface Route {
  /** `POST /operations/{operation}`, `ANY /webhooks/{proxy+}` or `$default`. */
  readonly routeKey: string;
  readonly function: LocalFunction;
  /** The caller has to sign with a key that may invoke the API. */
  readonly signed: boolean;
  readonly timeoutMs: number;
}

export interface HttpApiOptions {
  readonly port?: number | undefined;
  readonly clock: CloudClock;
  readonly place: Place;
  readonly authorize: Authorize;
}

export interface LocalHttpApi {
  readonly url: string;
  /** Opens the routes. Until then every request is answered 503. */
  open(api: { readonly id: string; readonly routes: readonly Route[]; readonly stageVariables?: Readonly<Record<string, string>> }): void;
  close(): Promise<void>;
}

const mostBodyBytes = 10 * 1024 * 1024;
/** HTTP APIs do not wait longer for a function. */
export const longestWaitMs = 30_000;

/** API Gateway's HTTP API: routes to functions with payload format 2.0 and the gateway's own answers. */
export async function startHttpApi(options: HttpApiOptions): Promise<LocalHttpApi> {
  const { place } = options;
  let opened: Parameters<LocalHttpApi['open']>[0] | undefined;

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const refuse = (status: number, message: string): void => {
      outgoing.writeHead(status, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify({ message }));
    };
    const body = await readBody(incoming, mostBodyBytes);
    if (opened === undefined) return refuse(503, 'Service Unavailable');
    if (body === undefined) return refuse(413, 'Request Entity Too Large');
    const [path] = splitOnce(incoming.url ?? '/', '?');
    const method = incoming.method ?? 'GET';
    const found = findRoute(opened.routes, method, path);
    if (found === undefined) return refuse(404, 'Not Found');
    const accessKeyId = accessKeyIdOf(incoming.headers.authorization);
    if (found.route.signed) {
      const resource = `arn:aws:execute-api:${place.region}:${place.accountId}:${opened.id}/$default/${method}${path}`;
      const access = { accessKeyId: accessKeyId ?? '', action: 'execute-api:Invoke', resource };
      const denial = options.authorize(access);
      if (denial) {
        // The header is where AWS says why; the body says as little as theirs.
        outgoing.setHeader('x-amzn-errormessage', denialText(access, denial));
        return refuse(403, 'Forbidden');
      }
    }
    const traceId = newTraceId();
    const event = eventOf({
      incoming,
      body,
      routeKey: found.route.routeKey,
      pathParameters: found.parameters,
      requestId: newRequestId(),
      traceId,
      at: options.clock.now(),
      apiId: opened.id,
      accountId: place.accountId,
      stageVariables: opened.stageVariables,
      signedBy: found.route.signed
        ? { accessKeyId: accessKeyId ?? '', userArn: `arn:aws:iam::${place.accountId}:user/${accessKeyId}` }
        : undefined,
    });
    const result = await inTime(found.route.function.invoke(event, { traceId }), found.route.timeoutMs);
    if (result === 'late' || (!result.ok && result.throttled)) return refuse(503, 'Service Unavailable');
    if (!result.ok && result.failure.errorType === 'RequestTooLargeException') return refuse(413, 'Request Entity Too Large');
    const reply = result.ok ? replyOf(result.payload) : undefined;
    if (reply === undefined) return refuse(500, 'Internal Server Error');
    outgoing.writeHead(reply.status, [...reply.headers.flat()]);
    outgoing.end(reply.body);
  }

  const server = await listenOnLoopback(options.port ?? 0, serve);
  return {
    url: server.url,
    open(api) {
      opened = api;
    },
    close: () => server.close(),
  };
}

async function inTime(running: Promise<InvokeResult>, timeoutMs: number): Promise<InvokeResult | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), timeoutMs);
  });
  const result = await Promise.race([running, late]);
  clearTimeout(timer);
  return result;
}

interface Found {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The most exact route: literal segments before parameters before a greedy one; a named method before ANY; `$default` last. */
export function findRoute(routes: readonly Route[], method: string, path: string): Found | undefined {
  let best: { readonly found: Found; readonly rank: string } | undefined;
  for (const route of routes) {
    if (route.routeKey === '$default') continue;
    const [wanted, pattern] = splitOnce(route.routeKey, ' ');
    if (wanted !== method && wanted !== 'ANY') continue;
    const match = matchPath(pattern, path);
    if (match === undefined) continue;
    const rank = `${match.rank}${wanted === 'ANY' ? 1 : 0}`;
    if (best === undefined || rank < best.rank) best = { found: { route, parameters: match.parameters }, rank };
  }
  if (best !== undefined) return best.found;
  const fallback = routes.find((route) => route.routeKey === '$default');
  return fallback && { route: fallback, parameters: {} };
}

/** `rank` orders matches as text: per segment 0 literal, 1 parameter, 2 greedy. */
function matchPath(
  pattern: string,
  path: string,
): { readonly parameters: Readonly<Record<string, string>>; readonly rank: string } | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  const parameters: Record<string, string> = {};
  let rank = '';
  for (const [index, segment] of wanted.entries()) {
    const greedy = /^\{(.+)\+\}$/.exec(segment)?.[1];
    if (greedy !== undefined) {
      const rest = given.slice(index).join('/');
      if (rest === '') return undefined;
      return { parameters: { ...parameters, [greedy]: decoded(rest) }, rank: `${rank}2` };
    }
    const value = given[index];
    if (value === undefined) return undefined;
    const name = /^\{(.+)\}$/.exec(segment)?.[1];
    if (name === undefined && segment !== value) return undefined;
    if (name !== undefined) {
      if (value === '') return undefined;
      parameters[name] = decoded(value);
    }
    rank += name === undefined ? '0' : '1';
  }
  return given.length === wanted.length ? { parameters, rank } : undefined;
}

interface Reply {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/** A result without a status code is the body itself, as JSON with 200. Undefined: no answer a gateway could send. */
export function replyOf(payload: string): Reply | undefined {
  let result: unknown;
  try {
    result = JSON.parse(payload);
  } catch {
    return undefined;
  }
  if (!isRecord(result) || !('statusCode' in result)) {
    const text = typeof result === 'string' ? result : payload;
    return { status: 200, headers: [['content-type', 'application/json']], body: Buffer.from(text) };
  }
  const status = Number(result['statusCode']);
  const { body, headers, cookies } = { body: result['body'], headers: result['headers'], cookies: result['cookies'] };
  if (!Number.isInteger(status) || status < 100 || status > 599) return undefined;
  if (body !== undefined && body !== null && typeof body !== 'string') return undefined;
  const named = Object.entries(isRecord(headers) ? headers : {})
    .filter(([name]) => !['connection', 'transfer-encoding', 'content-length'].includes(name.toLowerCase()))
    .map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  const typed = named.some(([name]) => name === 'content-type') ? [] : [['content-type', 'text/plain;charset=UTF-8'] as const];
  const set = (Array.isArray(cookies) ? cookies : []).map((cookie) => ['set-cookie', String(cookie)] as const);
  return {
    status,
    headers: [...named, ...typed, ...set],
    body: Buffer.from(body ?? '', result['isBase64Encoded'] === true ? 'base64' : 'utf8'),
  };
}
