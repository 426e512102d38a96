import * as z from 'zod';
import type { GrantedToken, HttpAnswer, Io } from '../../contracts/io.ts';
import type { Connection } from '../../contracts/vendor.ts';
import { Failure } from '../../failures.ts';
import { addDays } from '../../values/calendar-date.ts';
import { fingerprint, parseJson } from '../../values/json.ts';
import { Secret } from '../../values/secret.ts';
import { login } from './cookie-login.ts';
import { sessionFailure } from './failures.ts';
import { loginLimited, refuseWhileLoginLimited, throttle } from './limits.ts';
import type { AcumaticaSettings } from './settings.ts';

/**
 * Tokens. There is no client_credentials grant: a person consents once (authorization code) and the connector lives on the refresh token, or
 * it stores user name and password. Every refresh brings a new refresh token and ends the old one; the vault stores it before anyone uses
 * the token, and lets one worker refresh at a time.
 *
 * Source: Integration Development Guide, OAuth 2.0 topics (2026 R1, read 2026-11-20).
 */

type Carry = Readonly<Record<string, Secret>>;
export type Grant = (carry: Carry | undefined) => Promise<GrantedToken>;

/** What is known of the grant, for `check` and alerts; no secrets. */
export const grantNoteSchema = z.object({ hasRefreshToken: z.boolean(), endsAt: z.iso.datetime().optional() });
export const grantNote = 'grant';

/** A consent that ends is announced with every token: two weeks before as a warning, in the last three days as an error. */
export const warnDays = 14;
const urgentDays = 3;

/** Repeated tries with a wrong password lock the user: nothing is tried again for so long, unless the credentials change. */
const refusedPasswordMs = 15 * 60_000;
const refusedNote = 'refused-password';
/** Ends before the vault lets another worker try: two refreshes with one token would cost a new consent. */
const grantTimeoutMs = 40_000;

const tokenSchema = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive().max(31_536_000).default(3600),
  refresh_token: z.string().min(1).optional(),
});

export function createGrant(connection: Connection<AcumaticaSettings>, io: Io): Grant {
  const { settings } = connection;

  return async (carry) => {
    await refuseWhileLoginLimited(io);
    const credentials = await connection.credentials();
    if (settings.grant === 'authorization-code') return consented(credentials, carry);
    const refused = fingerprint([
      settings.grant,
      reveal(credentials, 'username'),
      reveal(credentials, 'password'),
      reveal(credentials, 'clientId'),
    ]);
    if ((await io.notes.get(refusedNote)) === refused) throw passwordRefused('not tried again for 15 minutes');
    try {
      return await (settings.grant === 'password'
        ? password(credentials, carry, refused)
        : login(settings, io, requireFields(credentials, ['username', 'password']), carry));
    } catch (error) {
      if (error instanceof Failure && error.kind === 'CredentialRefused')
        await io.notes.put(refusedNote, refused, { forMs: refusedPasswordMs });
      throw error;
    }
  };

  async function consented(credentials: Carry, carry: Carry | undefined): Promise<GrantedToken> {
    const { refreshToken } = requireFields(credentials, ['refreshToken']);
    // A person who consents again stores a new first token; it replaces whatever was carried on from the old one.
    const seed = fingerprint(refreshToken);
    const carried = carry?.['seed']?.reveal() === seed ? carry : undefined;
    const token = await post(
      { grant_type: 'refresh_token', refresh_token: carried?.['refreshToken']?.reveal() ?? refreshToken },
      credentials,
    );
    return granted(token, seed, carried?.['since']?.reveal() ?? settings.refreshTokens.consentedOn);
  }

  async function password(credentials: Carry, carry: Carry | undefined, seed: string): Promise<GrantedToken> {
    const carried = carry?.['seed']?.reveal() === seed ? carry['refreshToken'] : undefined;
    if (carried) {
      try {
        return await granted(
          await post({ grant_type: 'refresh_token', refresh_token: carried.reveal() }, credentials),
          seed,
          carry?.['since']?.reveal(),
        );
      } catch (error) {
        // The refresh token has ended; the password starts a new session.
        if (!(error instanceof Failure && error.record.code === 'invalid_grant')) throw error;
      }
    }
    const { username, password } = requireFields(credentials, ['username', 'password']);
    const form = { grant_type: 'password', username, password };
    try {
      return await granted(await post({ ...form, scope: 'api offline_access' }, credentials), seed, undefined);
    } catch (error) {
      // With refresh tokens switched off in the connected application, asking for offline_access is an error.
      if (!(error instanceof Failure && error.record.code === 'invalid_scope')) throw error;
      return granted(await post({ ...form, scope: 'api' }, credentials), seed, undefined);
    }
  }

  async function granted(token: z.infer<typeof tokenSchema>, seed: string, since: string | undefined): Promise<GrantedToken> {
    const now = io.clock.now();
    const start = since ?? now.toISOString().slice(0, 10);
    const endsAt = refreshTokenEnd(settings, start.slice(0, 10), now);
    const hasRefreshToken = token.refresh_token !== undefined;
    const daysLeft = endsAt && (endsAt.getTime() - now.getTime()) / 86_400_000;
    if (hasRefreshToken && daysLeft !== undefined && daysLeft < warnDays)
      io.log[daysLeft < urgentDays ? 'error' : 'warn']('acumatica.consent-ends', { daysLeft: Math.floor(daysLeft) });
    await io.notes.put(grantNote, { hasRefreshToken, ...(hasRefreshToken && endsAt ? { endsAt: endsAt.toISOString() } : {}) });
    return {
      access: new Secret(token.access_token),
      expiresInMs: token.expires_in * 1000,
      ...(token.refresh_token === undefined
        ? // A password starts afresh; a refresh that brings no new token leaves the old one in use.
          settings.grant === 'password' && { carry: {} }
        : { carry: { refreshToken: new Secret(token.refresh_token), seed: new Secret(seed), since: new Secret(start) } }),
    };
  }

  async function post(form: Readonly<Record<string, string>>, credentials: Carry): Promise<z.infer<typeof tokenSchema>> {
    const { clientId, clientSecret } = requireFields(credentials, ['clientId', 'clientSecret']);
    checkTenant(clientId, settings.tenant);
    const answer = await sendToken(new URLSearchParams({ ...form, client_id: clientId, client_secret: clientSecret }).toString());
    if (answer.status === 200) {
      const parsed = tokenSchema.safeParse(parseOr(answer.text));
      if (parsed.success) return parsed.data;
      throw new Failure('VendorUnavailable', {
        sentence: `The token address of Acumatica answers, but not with a token: ${settings.url}/identity/connect/token.`,
      });
    }
    throw await tokenFailure(answer, form['grant_type'] ?? '');
  }

  async function sendToken(body: string): Promise<HttpAnswer> {
    try {
      return await io.http.send({
        operation: 'POST /identity/connect/token',
        method: 'POST',
        url: `${settings.url}/identity/connect/token`,
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body,
        timeoutMs: grantTimeoutMs,
        effect: 'write',
      });
    } catch (error) {
      // A lost token is not a lost booking: nothing has to be looked for, it is simply asked again.
      if (error instanceof Failure && error.kind === 'WriteUncertain')
        throw new Failure('VendorUnavailable', { sentence: 'Acumatica did not answer the request for a token.', error });
      throw error;
    }
  }

  async function tokenFailure(answer: HttpAnswer, grantType: string): Promise<Failure> {
    const body = parseOr(answer.text);
    const error = body !== null && typeof body === 'object' && 'error' in body && typeof body.error === 'string' ? body.error : undefined;
    if (/API Login Limit/i.test(answer.text)) return loginLimited(io);
    if (answer.status === 429) return throttle(io, answer);
    if (error !== undefined && answer.status < 500) {
      if (grantType === 'password' && error === 'invalid_grant') return passwordRefused(error);
      return new Failure('CredentialRefused', {
        cause: `acumatica:grant:${error}`,
        code: error,
        sentence: `Acumatica refused the grant (${error}): ${error === 'invalid_grant' ? 'consent again' : 'check the connected application'}.`,
        fix: grantFixes[error] ?? 'Compare client id, client secret and flow with the connected application (SM303010).',
      });
    }
    if (answer.status === 404)
      return new Failure('WrongAddress', {
        sentence: `No Acumatica at ${settings.url}: it has no token address.`,
        fix: 'Give the full tenant URL with its instance, for example https://erp.example.com/kestrel.',
      });
    return sessionFailure(answer);
  }
}

const grantFixes: Readonly<Record<string, string>> = {
  invalid_grant: 'Consent again: the refresh token has ended, was revoked, or was used by somebody else. Store the new refresh token.',
  invalid_client: 'Store the client id ({GUID}@{Tenant}) and secret of the connected application (SM303010), registered in this tenant.',
  unauthorized_client: 'Set the flow of the connected application (SM303010) to the configured grant.',
  unsupported_grant_type: 'Set `grant` to authorization-code or password.',
};

const passwordRefused = (why: string): Failure =>
  new Failure('CredentialRefused', {
    cause: 'acumatica:credentials',
    code: 'invalid_grant',
    sentence: `Acumatica refused the grant: user name or password is wrong (${why}).`,
    fix: 'Store the right user name and password. Repeated tries lock the user, so the connection pauses.',
  });

/** The tenant is chosen by the client id alone: a wrong one would book into another tenant without an error. */
function checkTenant(clientId: string, tenant: string): void {
  const suffix = clientId.slice(clientId.indexOf('@') + 1);
  if (clientId.includes('@') && suffix.toLowerCase() === tenant.toLowerCase()) return;
  throw new Failure('ConfigurationInvalid', {
    cause: 'acumatica:tenant',
    sentence: clientId.includes('@')
      ? `The client id belongs to the tenant ${suffix}, the settings say ${tenant}.`
      : 'The client id does not name its tenant: it ends with @ and the tenant name.',
    fix: 'Register the connected application while signed in to the right tenant, and store its client id whole.',
  });
}

function requireFields<const Name extends string>(credentials: Carry, names: readonly Name[]): Record<Name, string> {
  const missing = names.filter((name) => reveal(credentials, name) === '');
  if (missing.length > 0)
    throw new Failure('ConfigurationInvalid', {
      cause: 'acumatica:credentials',
      sentence: `The credentials of Acumatica lack ${missing.join(' and ')}.`,
      fix: 'Add the missing fields to the secret of this connection.',
    });
  return Object.fromEntries(names.map((name) => [name, reveal(credentials, name)])) as Record<Name, string>;
}

const reveal = (credentials: Carry, name: string): string => credentials[name]?.reveal().trim() ?? '';

function refreshTokenEnd({ refreshTokens }: AcumaticaSettings, since: string, now: Date): Date | undefined {
  const ends: number[] = [];
  if (refreshTokens.absoluteDays !== 'infinite') ends.push(Date.parse(`${addDays(since, refreshTokens.absoluteDays)}T00:00:00Z`));
  if (refreshTokens.slidingDays !== undefined) ends.push(now.getTime() + refreshTokens.slidingDays * 86_400_000);
  return ends.length === 0 ? undefined : new Date(Math.min(...ends));
}

function parseOr(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
