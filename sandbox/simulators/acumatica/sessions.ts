import type { SimulatedWorld } from '../kit.ts';
import type { Licence } from './options.ts';

export interface Client {
  clientId: string;
  secret: string;
  flow: 'authorization-code' | 'password';
  redirectUris: string[];
  refreshTokens: 'sliding' | 'absolute' | 'none';
  /** Days a refresh token lives after it was issued (sliding). */
  slidingDays: number;
  /** Days after the consent when every refresh token ends; null is never. */
  absoluteDays: number | null;
}

export interface User {
  name: string;
  password: string;
}

/** One consent (or one password sign-in): it has one session, whatever the number of tokens. */
export interface Grant {
  id: string;
  clientId: string;
  user: string;
  scopes: string[];
  endsAt: string | null;
  revoked: boolean;
}

export interface Session {
  id: string;
  grantId: string | null;
  user: string;
  openedAt: string;
  /** OAuth sessions end with their newest access token, cookie sessions 20 minutes after the last call. */
  endsAt: string;
}

interface AccessToken {
  grantId: string;
  expiresAt: string;
}

interface RefreshToken {
  grantId: string;
  expiresAt: string | null;
  used: boolean;
}

interface Code {
  grantId: string;
  redirectUri: string;
  challenge: string;
  used: boolean;
}

export const tokenSeconds = 3600;
const cookieIdleMs = 20 * 60_000;

/** Too many users are signed in. */
export class LoginLimitReached extends Error {}

/** Who may do what until when. Plain data, so that it travels in a snapshot. */
export class Sessions {
  readonly #world: SimulatedWorld;
  readonly #licence: () => Licence;
  state = {
    clients: [] as Client[],
    users: [] as User[],
    grants: {} as Record<string, Grant>,
    sessions: {} as Record<string, Session>,
    access: {} as Record<string, AccessToken>,
    refresh: {} as Record<string, RefreshToken>,
    codes: {} as Record<string, Code>,
  };

  constructor(world: SimulatedWorld, licence: () => Licence) {
    this.#world = world;
    this.#licence = licence;
  }

  #now(): number {
    return this.#world.clock.now().getTime();
  }

  #opaque(length: number): string {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
    let text = '';
    while (text.length < length) text += alphabet[Math.floor(this.#world.random.next() * alphabet.length)] ?? '';
    return text;
  }

  #after(ms: number): string {
    return new Date(this.#now() + ms).toISOString();
  }

  openGrant(client: Client, user: string, scopes: readonly string[]): Grant {
    const grant: Grant = {
      id: this.#opaque(20),
      clientId: client.clientId,
      user,
      scopes: [...scopes],
      endsAt: client.absoluteDays === null ? null : this.#after(client.absoluteDays * 86_400_000),
      revoked: false,
    };
    this.state.grants[grant.id] = grant;
    return grant;
  }

  openCode(grant: Grant, redirectUri: string, challenge: string): string {
    const code = this.#opaque(43);
    this.state.codes[code] = { grantId: grant.id, redirectUri, challenge, used: false };
    return code;
  }

  /** A pair of tokens for a grant. The access token opens the session of the grant, or keeps it open. */
  issue(grant: Grant, client: Client): { readonly accessToken: string; readonly refreshToken?: string } {
    if (this.#licence().loginLimitAt === 'token') this.#openSession(grant);
    const accessToken = this.#opaque(43);
    this.state.access[accessToken] = { grantId: grant.id, expiresAt: this.#after(tokenSeconds * 1000) };
    const session = this.sessionOfGrant(grant.id);
    if (session) session.endsAt = this.#after(tokenSeconds * 1000);
    if (!grant.scopes.includes('offline_access')) return { accessToken };
    return { accessToken, refreshToken: this.newRefreshToken(grant, client) };
  }

  newRefreshToken(grant: Grant, client: Client): string {
    const token = this.#opaque(43);
    const sliding = client.refreshTokens === 'sliding' ? this.#after(client.slidingDays * 86_400_000) : null;
    const ends = [sliding, grant.endsAt].filter((end) => end !== null).sort();
    this.state.refresh[token] = { grantId: grant.id, expiresAt: ends[0] ?? null, used: false };
    return token;
  }

  /** The grant of a refresh token that is good, which is thereby used up; every other one gets undefined. */
  takeRefreshToken(token: string, clientId: string): Grant | undefined {
    const known = this.state.refresh[token];
    const grant = known && this.state.grants[known.grantId];
    if (!known || !grant || known.used || grant.revoked || grant.clientId.toUpperCase() !== clientId.toUpperCase()) return undefined;
    if (known.expiresAt !== null && Date.parse(known.expiresAt) <= this.#now()) return undefined;
    known.used = true;
    return grant;
  }

  takeCode(code: string): (Code & { readonly grant: Grant }) | undefined {
    const known = this.state.codes[code];
    const grant = known && this.state.grants[known.grantId];
    if (!known || !grant || known.used || grant.revoked) return undefined;
    known.used = true;
    return { ...known, grant };
  }

  sessionOfGrant(grantId: string): Session | undefined {
    return Object.values(this.active()).find((session) => session.grantId === grantId);
  }

  /** Sessions that hold a licence slot now. */
  active(): Session[] {
    const now = this.#now();
    for (const session of Object.values(this.state.sessions)) if (Date.parse(session.endsAt) <= now) delete this.state.sessions[session.id];
    return Object.values(this.state.sessions);
  }

  /**
   * The session of a bearer token; undefined when the token is not (or no longer) good. With `api:concurrent_access` a grant has many
   * sessions, told apart by cookie: a call without its cookie opens another one.
   */
  bearer(token: string, cookieId: string | undefined): Session | undefined {
    const access = this.state.access[token];
    const grant = access && this.state.grants[access.grantId];
    if (!access || !grant || grant.revoked || Date.parse(access.expiresAt) <= this.#now()) return undefined;
    const concurrent = grant.scopes.includes('api:concurrent_access');
    const own = concurrent ? this.active().find((session) => session.id === cookieId && session.grantId === grant.id) : undefined;
    const session = own ?? (concurrent ? this.#open(grant.id, grant.user, tokenSeconds * 1000) : this.#openSession(grant));
    if (Date.parse(session.endsAt) < Date.parse(access.expiresAt)) session.endsAt = access.expiresAt;
    return session;
  }

  /** Whether the client must be told its session by cookie. */
  isTold(session: Session): boolean {
    const grant = session.grantId === null ? undefined : this.state.grants[session.grantId];
    return grant?.scopes.includes('api:concurrent_access') ?? false;
  }

  cookie(id: string): Session | undefined {
    const session = this.active().find((other) => other.id === id && other.grantId === null);
    if (session) session.endsAt = this.#after(cookieIdleMs);
    return session;
  }

  signIn(user: string): Session {
    return this.#open(null, user, cookieIdleMs);
  }

  end(session: Session): void {
    delete this.state.sessions[session.id];
  }

  /** "Revoke Access": every token of a client (or of everybody) is gone. */
  revoke(clientId: string | undefined): void {
    for (const grant of Object.values(this.state.grants)) {
      if (clientId !== undefined && grant.clientId.toUpperCase() !== clientId.toUpperCase()) continue;
      grant.revoked = true;
      for (const session of this.active()) if (session.grantId === grant.id) this.end(session);
    }
  }

  expireAccessTokens(): void {
    for (const token of Object.values(this.state.access)) token.expiresAt = this.#after(0);
  }

  expireRefreshTokens(): void {
    for (const token of Object.values(this.state.refresh)) token.expiresAt = this.#after(0);
  }

  #openSession(grant: Grant): Session {
    return this.sessionOfGrant(grant.id) ?? this.#open(grant.id, grant.user, tokenSeconds * 1000);
  }

  #open(grantId: string | null, user: string, livesMs: number): Session {
    const { users } = this.#licence();
    if (users !== null && this.active().length >= users) throw new LoginLimitReached();
    const session: Session = {
      id: this.#opaque(24),
      grantId,
      user,
      openedAt: this.#world.clock.now().toISOString(),
      endsAt: this.#after(livesMs),
    };
    this.state.sessions[session.id] = session;
    return session;
  }
}
