import type { GrantedToken, HttpAnswer, Io } from '../../contracts/io.ts';
import { Failure } from '../../failures.ts';
import { writeJson } from '../../values/json.ts';
import { Secret } from '../../values/secret.ts';
import { loginLimit, sessionFailure } from './failures.ts';
import { loginLimited, throttle } from './limits.ts';
import type { AcumaticaSettings } from './settings.ts';

/** A session left alone ends after about 20 minutes; each login starts a new one. */
const sessionMs = 15 * 60_000;

/**
 * Sign-in with user name and password, the session kept in cookies. Acumatica announces its end: a fallback for tenants that cannot
 * register a connected application. The session of the login before is signed out first, because each one takes a place of the licence.
 * Source: Integration Development Guide, "Sign In to the Service" (2026 R1, read 2026-11-20).
 */
export async function login(
  settings: AcumaticaSettings,
  io: Io,
  credentials: { readonly username: string; readonly password: string },
  carry: Readonly<Record<string, Secret>> | undefined,
): Promise<GrantedToken> {
  const before = carry?.['cookies'];
  if (before) await logout(settings, io, before);
  const answer = await send(settings, io, 'POST /entity/auth/login', '/entity/auth/login', {
    headers: { 'content-type': 'application/json' },
    body: writeJson({
      name: credentials.username,
      password: credentials.password,
      tenant: settings.tenant,
      ...(settings.branch === undefined ? {} : { branch: settings.branch }),
    }),
  });
  if (answer.status < 200 || answer.status > 299) {
    const failure = sessionFailure(answer);
    if (failure.record.code === loginLimit) throw await loginLimited(io);
    throw failure.kind === 'RateLimited' ? await throttle(io, answer) : failure;
  }
  const cookies = parseCookies(answer.header('set-cookie') ?? '');
  if (cookies === '') throw new Failure('ShapeUnexpected', { sentence: 'Acumatica accepted the login but sent no session cookie.' });
  const access = new Secret(cookies);
  return { access, expiresInMs: sessionMs, carry: { cookies: access } };
}

/** IIS refuses a body without length (411): the empty text makes the sender say `Content-Length: 0`. */
async function logout(settings: AcumaticaSettings, io: Io, cookies: Secret): Promise<void> {
  try {
    await send(settings, io, 'POST /entity/auth/logout', '/entity/auth/logout', { headers: { cookie: cookies.reveal() }, body: '' });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    io.log.warn('acumatica.logout-failed', { kind: error.kind });
  }
}

async function send(
  settings: AcumaticaSettings,
  io: Io,
  operation: string,
  path: string,
  request: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
): Promise<HttpAnswer> {
  try {
    return await io.http.send({ operation, method: 'POST', url: `${settings.url}${path}`, ...request, timeoutMs: 60_000, effect: 'write' });
  } catch (error) {
    if (error instanceof Failure && error.kind === 'WriteUncertain')
      throw new Failure('VendorUnavailable', { sentence: 'Acumatica did not answer the login.', error });
    throw error;
  }
}

/** `name=value; name=value` out of one or several joined Set-Cookie headers; a comma inside `expires=` does not separate. */
export function parseCookies(setCookie: string): string {
  const pairs = setCookie
    .split(/[,\n](?=\s*[^;,=\s]+=)/)
    .map((cookie) => cookie.split(';')[0]?.trim() ?? '')
    .filter((pair) => /^[^=]+=./.test(pair));
  return [...new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair])).values()].join('; ');
}
