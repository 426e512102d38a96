import type { IncomingMessage } from 'node:http';

/** A request as payload format 2.0 puts it before a function. */
export interface RequestFacts {
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  readonly routeKey: string;
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly traceId: string;
  readonly at: Date;
  readonly apiId: string;
  readonly accountId: string;
  readonly stageVariables: Readonly<Record<string, string>> | undefined;
  /** Of a route with AWS_IAM: who signed. */
  readonly signedBy: { readonly accessKeyId: string; readonly userArn: string } | undefined;
}

/** Headers that end at the gateway. */
const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'expect', 'proxy-authorization', 'te', 'trailer']);

/**
 * Text only for these types, as observed at AWS, whose documents say no more than "binary": everything else travels in base64, also forms, types
 * ending in +json, and bodies without a type. A content encoding makes a body binary in any case.
 */
export function isText(contentType: string | undefined, contentEncoding: string | undefined): boolean {
  if (contentEncoding !== undefined && contentEncoding !== 'identity') return false;
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  return type.startsWith('text/') || ['application/json', 'application/xml', 'application/javascript'].includes(type);
}

export function eventOf(facts: RequestFacts): Readonly<Record<string, unknown>> {
  const { incoming, body } = facts;
  const [rawPath = '/', rawQueryString = ''] = splitOnce(incoming.url ?? '/', '?');
  const { cookies, headers } = headersOf(facts);
  const query = queryOf(rawQueryString);
  const text = isText(headers['content-type'], headers['content-encoding']);
  const sourceIp = incoming.socket.remoteAddress ?? '127.0.0.1';
  const domainName = headers['host'] ?? '127.0.0.1';
  return {
    version: '2.0',
    routeKey: facts.routeKey,
    rawPath,
    rawQueryString,
    ...(cookies.length === 0 ? {} : { cookies }),
    headers: { ...headers, 'x-amzn-trace-id': facts.traceId.split(';')[0], 'x-forwarded-for': sourceIp, 'x-forwarded-proto': 'http' },
    ...(Object.keys(query).length === 0 ? {} : { queryStringParameters: query }),
    requestContext: {
      accountId: facts.accountId,
      apiId: facts.apiId,
      ...(facts.signedBy === undefined ? {} : { authorizer: { iam: iamContext(facts, facts.signedBy) } }),
      domainName,
      domainPrefix: facts.apiId,
      http: {
        method: incoming.method,
        path: decoded(rawPath),
        protocol: `HTTP/${incoming.httpVersion}`,
        sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: facts.requestId,
      routeKey: facts.routeKey,
      stage: '$default',
      time: commonLogTime(facts.at),
      timeEpoch: facts.at.getTime(),
    },
    ...(Object.keys(facts.pathParameters).length === 0 ? {} : { pathParameters: facts.pathParameters }),
    ...(facts.stageVariables === undefined ? {} : { stageVariables: facts.stageVariables }),
    ...(body.length === 0 ? {} : { body: body.toString(text ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !text,
  };
}

function iamContext(
  facts: RequestFacts,
  signer: { readonly accessKeyId: string; readonly userArn: string },
): Readonly<Record<string, unknown>> {
  return {
    accessKey: signer.accessKeyId,
    accountId: facts.accountId,
    callerId: signer.accessKeyId,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn: signer.userArn,
    userId: signer.accessKeyId,
  };
}

/** Names in lower case; repeated ones joined with commas; cookies apart. */
function headersOf({ incoming }: RequestFacts): { readonly headers: Record<string, string>; readonly cookies: readonly string[] } {
  // A map first: a name like `constructor` or `__proto__` is a header like any other.
  const headers = new Map<string, string>();
  const cookies: string[] = [];
  for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
    const name = (incoming.rawHeaders[index] ?? '').toLowerCase();
    const value = incoming.rawHeaders[index + 1] ?? '';
    if (hopByHop.has(name)) continue;
    if (name === 'cookie') cookies.push(...value.split(/; */));
    else headers.set(name, joined(headers.get(name), value));
  }
  return { headers: Object.fromEntries(headers), cookies };
}

function queryOf(raw: string): Readonly<Record<string, string>> {
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(raw)) query.set(name, joined(query.get(name), value));
  return Object.fromEntries(query);
}

const joined = (before: string | undefined, value: string): string => (before === undefined ? value : `${before},${value}`);

export function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

export function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `02/Mar/2026:08:00:00 +0000` */
function commonLogTime(at: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${two(at.getUTCDate())}/${months[at.getUTCMonth()]}/${at.getUTCFullYear()}:${at.toISOString().slice(11, 19)} +0000`;
}
