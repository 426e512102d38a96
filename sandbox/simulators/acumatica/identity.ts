import { createHash } from 'node:crypto';
import { httpError, Refusal } from './refusals.ts';
import { type Client, type Grant, LoginLimitReached, type Sessions, tokenSeconds } from './sessions.ts';
import { isObject } from './wire-read.ts';

/** An answer of the identity server. */
export interface IdentityAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Identity {
  readonly sessions: Sessions;
  readonly tenant: string;
  readonly loginLimitStatus: number;
}

class OAuthRefused extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** `POST /identity/connect/token`: authorization code, password and refresh token; nothing else exists. */
export function answerToken(identity: Identity, body: string, contentType: string): IdentityAnswer {
  try {
    if (!contentType.toLowerCase().startsWith('application/x-www-form-urlencoded')) throw new OAuthRefused('invalid_request');
    const form = new URLSearchParams(body);
    const client = clientOf(identity, form);
    const grant = grantOf(identity, client, form);
    const tokens = identity.sessions.issue(grant, client);
    return {
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: {
        access_token: tokens.accessToken,
        expires_in: tokenSeconds,
        token_type: 'Bearer',
        ...(tokens.refreshToken ? { refresh_token: tokens.refreshToken } : {}),
        scope: grant.scopes.join(' '),
      },
    };
  } catch (error) {
    if (error instanceof OAuthRefused) return { status: 400, body: { error: error.code } };
    if (error instanceof LoginLimitReached) {
      const refusal = loginLimit(identity.loginLimitStatus);
      return { status: refusal.status, body: refusal.body };
    }
    throw error;
  }
}

export function loginLimit(status: number): Refusal {
  return httpError(status, 'PX.Data.PXException', 'Error: API Login Limit. The number of API users of the license is exceeded.');
}

function clientOf(identity: Identity, form: URLSearchParams): Client {
  const id = form.get('client_id') ?? '';
  const [, tenant] = id.split('@');
  // The tenant is chosen by the suffix of the client id and by nothing else.
  if (tenant === undefined || tenant.toUpperCase() !== identity.tenant.toUpperCase()) throw new OAuthRefused('invalid_client');
  const client = identity.sessions.state.clients.find((other) => other.clientId.toUpperCase() === id.toUpperCase());
  const secret = form.get('client_secret');
  if (!client || secret === null || secret !== client.secret) throw new OAuthRefused('invalid_client');
  return client;
}

function grantOf(identity: Identity, client: Client, form: URLSearchParams): Grant {
  switch (form.get('grant_type')) {
    case 'authorization_code':
      return exchangeCode(identity, client, form);
    case 'password':
      return signIn(identity, client, form);
    case 'refresh_token': {
      const grant = identity.sessions.takeRefreshToken(form.get('refresh_token') ?? '', client.clientId);
      if (!grant) throw new OAuthRefused('invalid_grant');
      return grant;
    }
    case 'client_credentials':
      throw new OAuthRefused('unauthorized_client');
    default:
      throw new OAuthRefused('unsupported_grant_type');
  }
}

function exchangeCode(identity: Identity, client: Client, form: URLSearchParams): Grant {
  if (client.flow !== 'authorization-code') throw new OAuthRefused('unauthorized_client');
  const code = identity.sessions.takeCode(form.get('code') ?? '');
  if (code?.grant.clientId !== client.clientId || code.redirectUri !== form.get('redirect_uri')) throw new OAuthRefused('invalid_grant');
  if (code.challenge !== '') {
    const verifier = form.get('code_verifier') ?? '';
    if (createHash('sha256').update(verifier).digest('base64url') !== code.challenge) throw new OAuthRefused('invalid_grant');
  }
  return code.grant;
}

function signIn(identity: Identity, client: Client, form: URLSearchParams): Grant {
  if (client.flow !== 'password') throw new OAuthRefused('unauthorized_client');
  const user = identity.sessions.state.users.find((other) => other.name === form.get('username'));
  if (!user || user.password !== form.get('password')) throw new OAuthRefused('invalid_grant');
  return identity.sessions.openGrant(client, user.name, scopesOf(client, form.get('scope') ?? ''));
}

function scopesOf(client: Client, written: string): string[] {
  const scopes = written.split(' ').filter((scope) => scope !== '');
  const known = ['api', 'offline_access', 'api:concurrent_access', 'openid', 'profile', 'email'];
  if (!scopes.includes('api') || scopes.some((scope) => !known.includes(scope))) throw new OAuthRefused('invalid_scope');
  // "No refresh tokens" makes asking for them an error.
  if (scopes.includes('offline_access') && client.refreshTokens === 'none') throw new OAuthRefused('invalid_scope');
  return scopes;
}

/** `GET /identity/connect/authorize`: a person has signed in and consented, as far as the simulator is concerned. */
export function answerAuthorize(identity: Identity, params: URLSearchParams): IdentityAnswer {
  const client = identity.sessions.state.clients.find(
    (other) => other.clientId.toUpperCase() === (params.get('client_id') ?? '').toUpperCase(),
  );
  const redirectUri = params.get('redirect_uri') ?? '';
  if (!client?.redirectUris.includes(redirectUri)) return { status: 400, body: { error: 'unauthorized_client' } };
  const target = new URL(redirectUri);
  const state = params.get('state');
  try {
    if (params.get('response_type') !== 'code') throw new OAuthRefused('unsupported_response_type');
    if (client.flow !== 'authorization-code') throw new OAuthRefused('unauthorized_client');
    const scopes = scopesOf(client, params.get('scope') ?? '');
    const user = identity.sessions.state.users[0]?.name ?? 'admin';
    const grant = identity.sessions.openGrant(client, user, scopes);
    target.searchParams.set('code', identity.sessions.openCode(grant, redirectUri, params.get('code_challenge') ?? ''));
  } catch (error) {
    if (!(error instanceof OAuthRefused)) throw error;
    target.searchParams.set('error', error.code);
  }
  if (state !== null) target.searchParams.set('state', state);
  return { status: 302, headers: { location: target.toString() } };
}

/** `POST /entity/auth/login`: the deprecated cookie login. */
export function answerLogin(identity: Identity, body: unknown): IdentityAnswer {
  const sent = isObject(body) ? body : {};
  const user = identity.sessions.state.users.find((other) => other.name === sent['name']);
  if (!user || user.password !== sent['password'])
    throw httpError(500, 'PX.Data.PXException', 'Error: Invalid credentials. Please try again.');
  const tenant = sent['tenant'] ?? sent['company'];
  if (typeof tenant === 'string' && tenant !== '' && tenant.toUpperCase() !== identity.tenant.toUpperCase())
    throw httpError(500, 'PX.Data.PXUndefinedCompanyException', 'A proper company ID cannot be determined for the request.');
  try {
    const session = identity.sessions.signIn(user.name);
    return { status: 204, headers: { 'set-cookie': `.ASPXAUTH=${session.id}; path=/; HttpOnly` } };
  } catch (error) {
    if (error instanceof LoginLimitReached) throw loginLimit(identity.loginLimitStatus);
    throw error;
  }
}

export const unauthorized = (): Refusal => new Refusal(401, { message: 'Authorization has been denied for this request.' });
