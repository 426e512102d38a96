import type { Clock, Ids, Random } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Json } from '../values/json.ts';
import type { Secret } from '../values/secret.ts';

/** One request to a vendor. */
export interface HttpRequest {
  /** Stable name for counting and budgets, without ids: `GET /object-query/invoices`, `POST /Invoice/ReleaseInvoice`. */
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  /** `write`: repeating it blindly could do harm, so a lost answer is WriteUncertain. `read`: safe, repeated on a dropped connection. */
  readonly effect: 'read' | 'write';
  /** Requests that do not count against the connection's rate budget (token endpoints with limits of their own). */
  readonly unmetered?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  /** Header by name, any letter case. */
  header(name: string): string | undefined;
  readonly text: string;
}

/**
 * The one way out. Waits for the connection's rate budget, sends with a time limit, follows no redirect, logs `http.sent` without bodies.
 * Says nothing about status codes: what a 500 means is the vendor's business.
 * Fails: RateLimited (the budget is spent for longer than a worker should wait), Unreachable, VendorUnavailable (a read without an answer),
 * WriteUncertain (a write without an answer).
 */
export interface Http {
  send(request: HttpRequest): Promise<HttpAnswer>;
}

/** What the vendor says about its limits. The budget of the connection is shared by all workers. */
export interface RateBudget {
  /** The vendor refused: nothing leaves before `until`; the allowed rate is lowered for a while. */
  throttled(until: Date): Promise<void>;
  /** The vendor's own count: at most `remaining` more requests in the next `resetMs`. */
  observed(state: { readonly remaining: number; readonly resetMs: number }): Promise<void>;
}

export interface Token {
  readonly access: Secret;
  /** Grows with every token of this connection: a status URL or session of an older generation must not be used. */
  readonly generation: number;
  readonly expiresAt: Date;
}

/** What a grant answered. `carry` is stored with the token and handed to the next grant: a rotated refresh token, its end of life. Absent: the former one stays. */
export interface GrantedToken {
  readonly access: Secret;
  readonly expiresInMs: number;
  readonly carry?: Readonly<Record<string, Secret>>;
}

/**
 * The connection's token, shared by all workers. At most one of them runs `grant` at a time; the others wait for its result.
 * The granted token, with whatever it carries, is stored before anyone uses it. A `grant` that fails leaves the stored token and its carry as they were.
 */
export interface TokenVault {
  current(grant: (carry: Readonly<Record<string, Secret>> | undefined) => Promise<GrantedToken>): Promise<Token>;
  /** The vendor refused this generation: the next `current` grants a new one, unless someone already did. */
  refused(generation: number): Promise<void>;
}

/**
 * A single file of requests for vendors that allow one session at a time. `run` waits its turn inside this process; across workers the lane is
 * held for a short time that renews itself while in use. Fails with LaneBusy when another worker holds it for longer than is worth waiting.
 */
export interface Lane {
  run<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** Small facts of a connection shared by all workers: a form that is closed, a switch learned from a refusal. */
export interface Notes {
  get(name: string): Promise<Json | undefined>;
  put(name: string, value: Json, options?: { readonly forMs?: number }): Promise<void>;
  remove(name: string): Promise<void>;
}

/** Everything a client of one connection needs of the world. */
export interface Io {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly log: Log;
  readonly http: Http;
  readonly budget: RateBudget;
  readonly tokens: TokenVault;
  readonly lane: Lane;
  readonly notes: Notes;
}
