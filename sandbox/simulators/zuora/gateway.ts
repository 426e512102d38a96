import { gzipSync } from 'node:zlib';
import type { Hono } from 'hono';
import { writeJson } from '../../../lib/values/json.ts';
import { asRefusal, authenticationAnswer, type ErrorContext, errorAnswer, isAction, Refused } from './failures.ts';
import type { IdempotencyStore } from './idempotency.ts';
import type { TokenDesk } from './oauth.ts';
import { operationOf } from './operations.ts';
import { CallCounter, callWindows, concurrencyClass, concurrencyRefusal, rateHeaders, rateRefusal } from './rate-limits.ts';
import { isForeignHost } from './regions.ts';
import type { Tenant } from './tenant.ts';
import { versionAge } from './versions.ts';

interface GatewayParts {
  readonly tenant: Tenant;
  readonly tokens: TokenDesk;
  readonly idempotency: IdempotencyStore;
  readonly routes: Hono;
  readonly gzip: boolean;
}

export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(writeJson(body), { status, headers: { 'content-type': 'application/json; charset=utf-8', ...headers } });
}

/** What stands in front of every resource: limits, token, entity, version, media type, idempotency, and the common headers. */
export function createGateway({ tenant, tokens, idempotency, routes, gzip }: GatewayParts): (request: Request) => Promise<Response> {
  const counter = new CallCounter();
  const inFlight = new Map<string, number>();

  async function answer(request: Request, url: URL, context: ErrorContext): Promise<Response> {
    const refusedBefore = await beforeWork(request, url, context);
    if (refusedBefore) return refusedBefore;
    const key = request.headers.get('idempotency-key');
    const work = (): Promise<Response> => perform(request, context);
    return key === null ? work() : idempotency.run(key, { method: request.method, path: url.pathname + url.search }, work);
  }

  async function beforeWork(request: Request, url: URL, context: ErrorContext): Promise<Response | undefined> {
    const { method, headers } = request;
    if (url.pathname.length + url.search.length > tenant.limits.addressLength)
      return new Response('<html><body><h1>414 Request-URI Too Large</h1></body></html>', {
        status: 414,
        headers: { 'content-type': 'text/html' },
      });
    if (isForeignHost(url.hostname, tenant.settings.region) || !tokens.accepts(headers.get('authorization') ?? undefined)) {
      const refused = authenticationAnswer(context);
      return json(refused.body, refused.status, refused.headers);
    }
    const operation = operationOf(method, url.pathname);
    if (operation === undefined) return json({ message: 'no Route matched with those values' }, 404);
    const refuse = (refused: Refused): Response => failure(refused, context);
    const scope = refusedScope(headers);
    if (scope) return refuse(scope);
    if (tenant.denied.some((pattern) => matches(pattern, operation)))
      return refuse(new Refused('10', 'You do not have permission to access this resource'));
    const key = headers.get('idempotency-key');
    if (key !== null) {
      if (method !== 'POST' && method !== 'PATCH')
        return refuse(new Refused('45', `Request method '${method}' not supported with Idempotency-Key header`, { status: 400 }));
      if (key === '' || key.length > 255)
        return refuse(new Refused('20', 'Idempotency-Key must have 1 to 255 characters', { status: 400 }));
    }
    const track = headers.get('zuora-track-id');
    if (track !== null && (track.length > 64 || !/^[\x20-\x7e]*$/.test(track) || /[:;"']/.test(track)))
      return refuse(new Refused('20', 'Zuora-Track-Id must have up to 64 US-ASCII characters and none of : ; " \'', { status: 400 }));
    if (method !== 'POST' && method !== 'PUT' && method !== 'PATCH') return undefined;
    const isJson = /^application\/json\b/i.test(headers.get('content-type') ?? '');
    const length = (await request.clone().arrayBuffer()).byteLength;
    if (!isJson || length === 0) return refuse(new Refused('45', `Content type '${headers.get('content-type') ?? ''}' not supported`));
    return undefined;
  }

  function refusedScope(headers: Headers): Refused | undefined {
    const { entityIds } = tenant.settings;
    const entity = headers.get('zuora-entity-ids');
    const plain = (id: string): string => id.replaceAll('-', '').toLowerCase();
    if (entity !== null && !entityIds.some((id) => plain(id) === plain(entity))) return new Refused('10', `Invalid entity id '${entity}'`);
    if (entity === null && entityIds.length > 1)
      return new Refused('23', 'Zuora-Entity-Ids is required: the token covers several entities', { status: 400 });
    if (headers.has('zuora-org-ids')) return new Refused('10', 'Organization is not accessible');
    return undefined;
  }

  async function perform(request: Request, context: ErrorContext): Promise<Response> {
    if (tenant.limits.answerTakesMs > 0) await tenant.world.clock.sleep(tenant.limits.answerTakesMs);
    try {
      return await routes.fetch(request);
    } catch (thrown) {
      const error = asRefusal(thrown);
      if (error instanceof Refused) return failure(error, context);
      throw thrown;
    }
  }

  return async (request) => {
    const url = new URL(request.url);
    const context: ErrorContext = {
      path: url.pathname,
      versionAge: versionAge(request.headers.get('zuora-version') ?? undefined),
      requestId: tenant.randomHex(32),
      processId: tenant.randomHex(16).toUpperCase(),
    };
    const windows = counter.take('tenant', callWindows(tenant), tenant.world.clock.now().getTime());
    const group = concurrencyClass(tenant, request.method, url.pathname);
    const running = (inFlight.get(group.type) ?? 0) + 1;
    inFlight.set(group.type, running);
    try {
      const exceeded = windows.find((state) => state.exceeded);
      const response = exceeded
        ? json(rateRefusal(exceeded), 429)
        : running > group.limit
          ? json(concurrencyRefusal, 429, { 'retry-after': '120' })
          : await answer(request, url, context);
      const headers: Record<string, string> = {
        'zuora-request-id': context.requestId,
        ...rateHeaders(windows),
        'concurrency-limit-type': group.type,
        'concurrency-limit-limit': String(group.limit),
        'concurrency-limit-remaining': String(Math.max(0, group.limit - running)),
      };
      const track = request.headers.get('zuora-track-id');
      if (track !== null) headers['zuora-track-id'] = track;
      return finished(response, headers, gzip && /\bgzip\b/.test(request.headers.get('accept-encoding') ?? ''));
    } finally {
      inFlight.set(group.type, (inFlight.get(group.type) ?? 1) - 1);
    }
  };
}

function failure(refused: Refused, context: ErrorContext): Response {
  if (isAction(context.path)) return json({ FaultCode: 'INVALID_VALUE', FaultMessage: refused.message }, 400);
  const { status, body } = errorAnswer(refused, context);
  return json(body, status);
}

async function finished(response: Response, more: Readonly<Record<string, string>>, mayCompress: boolean): Promise<Response> {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  const body = Buffer.from(await response.arrayBuffer());
  // Only answers above 1,000 bytes are worth it to the vendor.
  if (!mayCompress || body.length <= 1000 || headers.has('content-encoding'))
    return new Response(body, { status: response.status, headers });
  headers.set('content-encoding', 'gzip');
  return new Response(gzipSync(body), { status: response.status, headers });
}

function matches(pattern: string, operation: string): boolean {
  const expression = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${expression.join('.*')}$`).test(operation);
}
