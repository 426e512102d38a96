import type { GrantedToken, HttpAnswer, Io, Token } from '../../contracts/io.ts';
import { Failure } from '../../failures.ts';
import { Secret } from '../../values/secret.ts';
import { bodyOf, refusalsIn, retryInstant } from './failures.ts';
import { baseUrlOf, type ZuoraConnection } from './settings.ts';

/**
 * Tokens live about an hour, there is no refresh token, several may live at once. One is shared by all workers, because the token endpoint
 * allows 100 requests a minute per address, across all tenants behind it. The vault renews it some minutes before its end.
 * Source: https://developer.zuora.com/v1-api-reference/authentication/ (read 2026-01-20)
 */
const assumedLifeSeconds = 3600;

const entitiesNote = 'zuora-token-entities';

export interface ZuoraAuth {
  token(): Promise<Token>;
  refused(generation: number): Promise<void>;
  /** Entities that the token covers, by its scope; undefined when the scope names none. */
  entities(): Promise<readonly string[] | undefined>;
}

export function createZuoraAuth(connection: ZuoraConnection, io: Io): ZuoraAuth {
  const host = new URL(baseUrlOf(connection.settings)).host;
  const grant = async (): Promise<GrantedToken> => {
    const credentials = await connection.credentials();
    const clientId = credentials['clientId'];
    const clientSecret = credentials['clientSecret'];
    if (!clientId || !clientSecret)
      throw new Failure('ConfigurationInvalid', {
        cause: `credentials:${connection.name}`,
        sentence: `The secret of Zuora connection “${connection.name}” has no ${clientId ? 'clientSecret' : 'clientId'}.`,
        fix: 'Put the OAuth client of the Zuora API user into the secret (Zuora: Settings, Administration, Manage Users, OAuth clients).',
      });
    const answer = await io.http.send({
      operation: 'POST /oauth/token',
      method: 'POST',
      url: `${baseUrlOf(connection.settings)}/oauth/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json', 'zuora-track-id': io.ids.next() },
      body: formOf({ client_id: clientId.reveal(), client_secret: clientSecret.reveal(), grant_type: 'client_credentials' }),
      timeoutMs: 30_000,
      effect: 'read', // asking twice leaves two tokens, which harms nobody
      unmetered: true,
    });
    const granted = parseGrant(answer);
    if (!granted) throw await refusal(answer, { host, clientId: clientId.reveal(), clientSecret: clientSecret.reveal() }, io);
    await io.notes.put(entitiesNote, [...granted.entities]);
    return { access: granted.access, expiresInMs: granted.lifeSeconds * 1000 };
  };
  return {
    token: () => io.tokens.current(grant),
    refused: (generation) => io.tokens.refused(generation),
    async entities() {
      await io.tokens.current(grant);
      const known = await io.notes.get(entitiesNote);
      const names = Array.isArray(known) ? known.filter((name): name is string => typeof name === 'string') : [];
      return names.length === 0 ? undefined : names;
    },
  };
}

/** Percent-encodes every reserved character: a secret can hold `+`, `/` and `=`. */
function formOf(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(
      ([name, value]) =>
        `${name}=${encodeURIComponent(value).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)}`,
    )
    .join('&');
}

function parseGrant(answer: HttpAnswer): { access: Secret; lifeSeconds: number; entities: readonly string[] } | undefined {
  const body = bodyOf(answer);
  if (answer.status < 200 || answer.status >= 300 || body === null || typeof body !== 'object' || Array.isArray(body)) return undefined;
  const members = body as Readonly<Record<string, unknown>>;
  if (typeof members['access_token'] !== 'string' || members['access_token'] === '') return undefined;
  const named = Number(members['expires_in']); // number or text
  const life = Number.isFinite(named) && named > 0 ? named : assumedLifeSeconds;
  const scope = typeof members['scope'] === 'string' ? members['scope'] : '';
  return {
    access: new Secret(members['access_token']),
    lifeSeconds: life,
    entities: [...scope.matchAll(/(?:^|\s)entity\.([0-9a-fA-F-]{32,36})(?=\s|$)/g)].map((match) => match[1] ?? ''),
  };
}

/** The body of a refused grant is not documented. It is quoted only after the credentials were taken out of it. */
async function refusal(answer: HttpAnswer, asked: { host: string; clientId: string; clientSecret: string }, io: Io): Promise<Failure> {
  const now = io.clock.now();
  const page = /^\s*</.test(answer.text);
  if (answer.status === 429) {
    const until = retryInstant(answer, now, io.random.next());
    await io.budget.throttled(until);
    return new Failure('RateLimited', {
      cause: 'RateLimited:zuora',
      sentence: `Zuora hands out no tokens at ${asked.host} for the moment: too many were asked for from our address.`,
      code: 'HTTP 429',
      at: until,
    });
  }
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 404 && !page) {
    const said =
      refusalsIn(bodyOf(answer))
        .map((reason) => reason.message)
        .join(' · ') || answer.text.slice(0, 200);
    return new Failure('CredentialRefused', {
      cause: `CredentialRefused:zuora:${asked.host}`,
      sentence: `Zuora refused client ${asked.clientId} at ${asked.host}: wrong secret or wrong region.`,
      fix: 'Check clientId and clientSecret and that `environment` names the host of this tenant; credentials of one host are unknown on every other.',
      code: `HTTP ${answer.status}`,
      said: said.replaceAll(asked.clientSecret, '(secret)').replaceAll(encodeURIComponent(asked.clientSecret), '(secret)'),
    });
  }
  if (answer.status === 404)
    return new Failure('WrongAddress', {
      cause: `WrongAddress:zuora:${asked.host}`,
      sentence: `${asked.host} has no Zuora token endpoint.`,
      fix: 'Choose the `environment` of this tenant in connector.yaml.',
      code: 'HTTP 404',
    });
  return new Failure('VendorUnavailable', {
    cause: 'VendorUnavailable:zuora',
    sentence: `Zuora at ${asked.host} did not hand out a token (status ${answer.status}${page ? ', a web page instead of an answer' : ''}). It is tried again by itself.`,
    code: `HTTP ${answer.status}`,
  });
}
