import * as z from 'zod';
import { addressWindows, CallCounter, rateRefusal, tokenWindows } from './rate-limits.ts';
import { isForeignHost } from './regions.ts';
import type { Tenant } from './tenant.ts';

const lifeSeconds = 3_598;

const tokensSchema = z.array(z.tuple([z.string(), z.number()]));

/** Tokens of one API user. Several live at once; none can be refreshed or revoked. */
export class TokenDesk {
  readonly #tenant: Tenant;
  readonly #calls = new CallCounter();
  #expiries = new Map<string, number>();

  constructor(tenant: Tenant) {
    this.#tenant = tenant;
  }

  /** `POST /oauth/token`: form only, no Authorization header, credentials of this tenant's host only. */
  async grant(request: Request): Promise<Response> {
    const { settings, world } = this.#tenant;
    const requestId = this.#tenant.randomHex(32);
    const nowMs = world.clock.now().getTime();
    const windows = this.#calls.take('tenant', tokenWindows(this.#tenant), nowMs);
    const address = request.headers.get('x-forwarded-for')?.split(',')[0]?.trim() ?? 'loopback';
    const byAddress = this.#calls.take(`address ${address}`, addressWindows(this.#tenant), nowMs);
    const minute = windows[0];
    const headers = {
      'zuora-request-id': requestId,
      'x-ratelimit-limit-minute': String(minute?.limit ?? 0),
      'x-ratelimit-remaining-minute': String(Math.min(minute?.remaining ?? 0, byAddress[0]?.remaining ?? 0)),
    };
    const answer = (status: number, body: unknown): Response => Response.json(body, { status, headers });
    const exceeded = [...windows, ...byAddress].find((state) => state.exceeded);
    if (exceeded) return answer(429, rateRefusal(exceeded));
    if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers.get('content-type') ?? ''))
      return answer(415, { error: 'invalid_request', message: 'Content type must be application/x-www-form-urlencoded' });
    if (request.headers.has('authorization'))
      return answer(400, { error: 'invalid_request', message: 'Authorization header is not expected' });
    const form = new URLSearchParams(await request.text());
    if (form.get('grant_type') !== 'client_credentials')
      return answer(400, { error: 'unsupported_grant_type', message: 'grant_type must be client_credentials' });
    const known = form.get('client_id') === settings.clientId && form.get('client_secret') === settings.clientSecret;
    if (!known || isForeignHost(new URL(request.url).hostname, settings.region))
      return answer(401, { error: 'invalid_client', message: 'Invalid client id or secret' });
    const token = this.#tenant.randomHex(32);
    this.#expiries.set(token, nowMs + lifeSeconds * 1000);
    const entities = settings.entityIds.map((id) => `entity.${id}`).join(' ');
    return answer(200, {
      access_token: token,
      token_type: 'bearer',
      expires_in: lifeSeconds,
      scope: `${entities} tenant.${settings.tenantId} user.8ad09fc2 service.usage.write`,
      jti: token,
    });
  }

  accepts(authorization: string | undefined): boolean {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    const expiresMs = token === undefined ? undefined : this.#expiries.get(token);
    return expiresMs !== undefined && this.#tenant.world.clock.now().getTime() < expiresMs;
  }

  expireAll(): number {
    const count = this.#expiries.size;
    this.#expiries.clear();
    return count;
  }

  snapshot(): unknown {
    return [...this.#expiries];
  }

  restore(snapshot: unknown): void {
    this.#expiries = new Map(tokensSchema.parse(snapshot));
  }
}
