import type { HttpAnswer, Io, Token } from '../../contracts/io.ts';
import type { Connection } from '../../contracts/vendor.ts';
import { Failure } from '../../failures.ts';
import { parseJson, writeJson } from '../../values/json.ts';
import { createGrant, type Grant } from './auth.ts';
import { createDiscovery, type Discovery } from './discovery.ts';
import { forms } from './entities.ts';
import type { Exchange, Sent } from './exchange.ts';
import { failureOf, loginLimit, notFound } from './failures.ts';
import { loginLimited, throttle } from './limits.ts';
import type { AcumaticaSettings } from './settings.ts';

/** Look-ups and lists: the socket stays open while Acumatica delays a request on purpose. */
const readTimeoutMs = 120_000;
/** Large documents take minutes; a time-out makes the outcome unknown. */
const writeTimeoutMs = 300_000;

export interface Session {
  /** One request and its answer, in the lane; every answer but a success is thrown. */
  send(exchange: Exchange): Promise<HttpAnswer>;
  /** Several requests in one stay in the lane. */
  inLane<Result>(work: () => Promise<Result>): Promise<Result>;
  /** A request by someone who is in the lane already. */
  exchange(exchange: Exchange): Promise<Sent>;
  /** One request with the token given and nothing else: no second try, no judgement. */
  sendOnce(exchange: Exchange, token: Token): Promise<HttpAnswer>;
  failure(answer: HttpAnswer, exchange: Exchange): Promise<Failure>;
  currentToken(): Promise<Token>;
  readonly discovery: Discovery;
  readonly settings: AcumaticaSettings;
}

export function createSession(connection: Connection<AcumaticaSettings>, io: Io): Session {
  const { settings } = connection;
  const root = `${settings.url}/entity/${settings.endpoint}/${settings.version}`;
  const grant: Grant = createGrant(connection, io);
  const cookies = settings.grant === 'cookie';

  const session: Session = {
    settings,
    send: async (exchange) => {
      const { answer } = await io.lane.run(() => session.exchange(exchange));
      return answer;
    },
    inLane: (work) => io.lane.run(work),
    currentToken: () => io.tokens.current(grant),

    async exchange(exchange) {
      const token = await io.tokens.current(grant);
      const answer = await session.sendOnce(exchange, token);
      if (isSuccess(answer)) return { answer, token };
      const failure = await session.failure(answer, exchange);
      if (failure.kind !== 'TokenExpired') throw failure;
      await io.tokens.refused(token.generation);
      const fresh = await io.tokens.current(grant);
      const second = await session.sendOnce(exchange, fresh);
      if (isSuccess(second)) return { answer: second, token: fresh };
      const again = await session.failure(second, exchange);
      if (again.kind !== 'TokenExpired') throw again;
      throw new Failure('CredentialRefused', {
        cause: 'acumatica:token',
        code: String(second.status),
        sentence: `Acumatica refuses even a new token while we ${exchange.what}.`,
        fix: 'Look whether the API user is enabled and licensed for the API (SM201010), then consent again.',
      });
    },

    sendOnce: (exchange, token) =>
      io.http.send({
        operation: exchange.operation,
        method: exchange.method,
        url: `${exchange.path.startsWith('http') ? '' : root}${exchange.path}${queryText(exchange.query)}`,
        headers: {
          accept: 'application/json',
          ...(exchange.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(cookies ? { cookie: token.access.reveal() } : { authorization: `Bearer ${token.access.reveal()}` }),
          ...exchange.headers,
        },
        ...(exchange.body === undefined ? {} : { body: writeJson(exchange.body) }),
        timeoutMs: exchange.effect === 'write' ? writeTimeoutMs : readTimeoutMs,
        effect: exchange.effect === 'write' ? 'write' : 'read',
      }),

    async failure(answer, exchange) {
      const failure = failureOf(answer, {
        what: exchange.what,
        effect: exchange.effect,
        form: forms[exchange.entity],
        cookies,
        ...(exchange.entity === 'Subaccount' ? { optionalFeature: 'Subaccounts' } : {}),
      });
      if (failure.record.code === loginLimit) return loginLimited(io);
      if (failure.kind === 'RateLimited') return throttle(io, answer);
      if (failure.record.code === notFound) return addressFailure(exchange);
      return failure;
    },

    discovery: createDiscovery(settings, io, (request) => session.exchange(request)),
  };

  /** After a 404 the site is asked what it serves: a wrong version stops the connection, a missing entity only what needs it. */
  async function addressFailure(exchange: Exchange): Promise<Failure> {
    if (exchange.path.startsWith('http')) return session.discovery.nobodyThere();
    await session.discovery.forget();
    const served = await session.discovery.inLane();
    const wrong = session.discovery.notServed(served);
    if (wrong) return wrong;
    return new Failure('FeatureOff', {
      cause: `acumatica:not-in-endpoint:${exchange.operation}`,
      code: notFound,
      sentence: `${settings.endpoint}/${settings.version} has no ${exchange.operation}.`,
      fix: `Look whether ${exchange.entity} is in the endpoint ${settings.endpoint}/${settings.version} (Web Service Endpoints, SM207060).`,
    });
  }

  return session;
}

export const isSuccess = (answer: HttpAnswer): boolean => answer.status >= 200 && answer.status < 300;

export function queryText(query: Exchange['query']): string {
  const parts = Object.entries(query ?? {}).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** The JSON of a success. A page in place of JSON, or half of one, says nothing about a write. */
export function jsonOf(answer: HttpAnswer, exchange: Pick<Exchange, 'what' | 'effect'>): unknown {
  try {
    return parseJson(answer.text);
  } catch (error) {
    throw exchange.effect === 'write'
      ? new Failure('WriteUncertain', {
          sentence: `The answer of Acumatica cannot be read after we wanted to ${exchange.what}: it may or may not have happened.`,
          error,
        })
      : new Failure('VendorUnavailable', {
          sentence: `Acumatica answered with something that is not JSON while we ${exchange.what}.`,
          error,
        });
  }
}
