import * as z from 'zod';
import type { GrantedToken, Token, TokenVault } from '../contracts/io.ts';
import { asFailure, Failure } from '../failures.ts';
import type { Clock, Ids, Random } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { StateStore } from '../ports/state-store.ts';
import { Secret } from '../values/secret.ts';
import { connectionKey } from './notes.ts';
import { giveBackLease, takeLease } from './state-lease.ts';

/** A token is replaced this long before its end, or in the last tenth of its life when that is shorter. */
const earlyMs = 5 * 60_000;
const earlyShare = 0.1;
/** Longest a grant may take; a worker that died while granting is overtaken after it. */
const grantMs = 60_000;
/** How long a worker waits for another one's grant. */
const patienceMs = 75_000;
const pollMs = 250;
/** After a grant that failed while the present token still lives. */
const pauseAfterFailureMs = 30_000;

const storedSchema = z.object({
  access: z.string(),
  generation: z.number(),
  grantedAtMs: z.number(),
  expiresAtMs: z.number(),
  carry: z.record(z.string(), z.string()).optional(),
  /** The vendor no longer takes this generation. */
  refused: z.boolean().optional(),
});
type Stored = z.infer<typeof storedSchema>;
type Grant = (carry: Readonly<Record<string, Secret>> | undefined) => Promise<GrantedToken>;

export interface VaultParts {
  readonly state: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly log: Log;
  readonly connection: string;
}

export function createTokenVault(parts: VaultParts): TokenVault {
  return new SharedTokenVault(parts);
}

/** The item of the state store lies in a table encrypted with the customer's key; everywhere else the token is a Secret. */
class SharedTokenVault implements TokenVault {
  readonly #parts: VaultParts;
  #known: Stored | undefined;
  #running: Promise<Token> | undefined;
  #quietUntilMs = 0;

  constructor(parts: VaultParts) {
    this.#parts = parts;
  }

  async current(grant: Grant): Promise<Token> {
    if (this.#known && this.#isGood(this.#known)) return asToken(this.#known);
    this.#running ??= this.#obtain(grant).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async refused(generation: number): Promise<void> {
    if (this.#known?.generation === generation) this.#known = undefined;
    for (;;) {
      const { stored, version } = await this.#read();
      if (stored === undefined || stored.generation !== generation || stored.refused === true) return;
      const put = await this.#parts.state.put(this.#key('token'), { ...stored, refused: true }, { expect: version ?? 'absent' });
      if (put !== 'conflict') return;
    }
  }

  /** Finds a good token, waits for the worker that is granting one, or grants it. */
  async #obtain(grant: Grant): Promise<Token> {
    const { clock, connection, ids, log, random, state } = this.#parts;
    const owner = ids.next();
    const deadlineMs = clock.now().getTime() + patienceMs;
    for (;;) {
      const { stored } = await this.#read();
      if (stored && this.#isGood(stored)) return this.#remember(stored);
      const nowMs = clock.now().getTime();
      const taken = await takeLease(state, this.#key('token-grant'), { owner, nowMs, forMs: grantMs });
      if ('holding' in taken) {
        try {
          return await this.#grantOnce(grant);
        } finally {
          // A token that was granted and stored is good, also when the lease has to run out by itself.
          await giveBackLease(state, taken.holding).catch((error: unknown) =>
            log.warn('token.lease-not-given-back', { connection, error: error instanceof Error ? error.name : '' }),
          );
        }
      }
      // Somebody renews it early; until then the present one serves.
      if (stored && this.#isAlive(stored)) return asToken(stored);
      if (nowMs >= deadlineMs) throw stillGranting(connection, taken.busyUntilMs);
      await clock.sleep(pollMs * (0.5 + random.next()));
    }
  }

  /** Under the grant's lease. The carry is read here, not before: the worker that held the lease until now may have rotated it. */
  async #grantOnce(grant: Grant): Promise<Token> {
    const { clock, connection, log } = this.#parts;
    const { stored, version } = await this.#read();
    if (stored && this.#isGood(stored)) return this.#remember(stored);
    const carry = stored?.carry;
    let granted: GrantedToken;
    try {
      granted = await grant(carry === undefined ? undefined : mapValues(carry, (text) => new Secret(text)));
    } catch (error) {
      const failure = asFailure(error);
      if (stored && failure.disposition === 'retryable' && this.#isAlive(stored)) {
        log.warn('token.renewal-failed', { connection, kind: failure.kind, generation: stored.generation });
        this.#quietUntilMs = clock.now().getTime() + pauseAfterFailureMs;
        return this.#remember(stored);
      }
      throw error;
    }
    const nowMs = clock.now().getTime();
    // A grant that rotates nothing leaves the carry as it was: losing a refresh token costs a person's visit.
    const next = granted.carry === undefined ? carry : mapValues(granted.carry, (secret) => secret.reveal());
    const fresh: Stored = {
      access: granted.access.reveal(),
      generation: (stored?.generation ?? 0) + 1,
      grantedAtMs: nowMs,
      expiresAtMs: nowMs + granted.expiresInMs,
      ...(next === undefined ? {} : { carry: next }),
    };
    return this.#store(fresh, version);
  }

  /** Stored before anyone uses it. */
  async #store(fresh: Stored, version: number | undefined): Promise<Token> {
    const { connection, log, state } = this.#parts;
    let expect = version;
    let value = fresh;
    for (;;) {
      const put = await state.put(this.#key('token'), value, { expect: expect ?? 'absent' });
      if (put !== 'conflict') {
        log.info('token.granted', { connection, generation: value.generation });
        return this.#remember(value);
      }
      const found = await this.#read();
      const later = found.stored;
      // Only a note that the old one is refused came in between: ours still replaces it.
      const replaces = later === undefined || later.generation < value.generation;
      if (!replaces && later.access !== value.access && later.grantedAtMs >= value.grantedAtMs) {
        // We were overtaken after our deadline, and the other worker's grant is the newer one.
        return this.#remember(later);
      }
      if (later && later.access === value.access) return this.#remember(later);
      value = { ...value, generation: Math.max(value.generation, (later?.generation ?? 0) + 1) };
      expect = found.version;
    }
  }

  async #read(): Promise<{ readonly stored: Stored | undefined; readonly version: number | undefined }> {
    const item = await this.#parts.state.get(this.#key('token'));
    if (item === undefined) return { stored: undefined, version: undefined };
    const parsed = storedSchema.safeParse(item.value);
    return { stored: parsed.success ? parsed.data : undefined, version: item.version };
  }

  #remember(stored: Stored): Token {
    this.#known = stored;
    return asToken(stored);
  }

  /** Accepted by the vendor and not so old that it should be renewed. */
  #isGood(stored: Stored): boolean {
    const nowMs = this.#parts.clock.now().getTime();
    if (!this.#isAlive(stored)) return false;
    if (nowMs < this.#quietUntilMs) return true;
    return nowMs < stored.expiresAtMs - Math.min(earlyMs, (stored.expiresAtMs - stored.grantedAtMs) * earlyShare);
  }

  #isAlive(stored: Stored): boolean {
    return stored.refused !== true && this.#parts.clock.now().getTime() < stored.expiresAtMs;
  }

  #key(name: string) {
    return connectionKey(this.#parts.connection, name);
  }
}

function asToken(stored: Stored): Token {
  return { access: new Secret(stored.access), generation: stored.generation, expiresAt: new Date(stored.expiresAtMs) };
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

function stillGranting(connection: string, busyUntilMs: number): Failure {
  return new Failure('TokenExpired', {
    cause: `token:${connection}`,
    sentence: `Another worker is fetching a new access token for ${connection} and takes unusually long; it is tried again.`,
    at: new Date(busyUntilMs),
  });
}
