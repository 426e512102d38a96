import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createIo } from '../../../lib/http/connection-io.ts';
import { createCollectingLog } from '../../../lib/memory/collecting-log.ts';
import { createOrderedIds } from '../../../lib/memory/ordered-ids.ts';
import { createSeededRandom } from '../../../lib/memory/seeded-random.ts';
import { createMemoryStateStore } from '../../../lib/memory/state-store.ts';
import type { Clock } from '../../../lib/ports/clock.ts';
import { Secret } from '../../../lib/values/secret.ts';
import { acumatica } from '../../../lib/vendors/acumatica/vendor.ts';

export interface Received {
  /** `PUT /Invoice?$expand=Details`, decoded, below the endpoint. */
  readonly line: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** An object is written as JSON; a text goes out as it is. */
  readonly body?: unknown;
  /** Close the connection without an answer. */
  readonly drop?: boolean;
}

export type Answer = (request: Received) => Reply | undefined;

export const clientId = '8E0761D9-F4EC-2D4B-A60F-BCE2708C6FDD@ACME';

/** Whoever waits makes the time pass; a time limit (a wait that can be called off) never comes. */
function createPatientClock(start = '2026-03-02T08:00:00.000Z'): Clock & { advance(ms: number): void; readonly slept: readonly number[] } {
  let nowMs = Date.parse(start);
  const slept: number[] = [];
  return {
    slept,
    now: () => new Date(nowMs),
    sleep: (ms, signal) =>
      signal
        ? new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })))
        : new Promise((resolve) => {
            nowMs += ms;
            slept.push(ms);
            resolve();
          }),
    advance(ms) {
      nowMs += ms;
    },
  };
}

/** A tenant on loopback that answers as the test says, and a client of it. Tokens and the list of endpoints are answered unless the test does. */
export async function openTenant(
  answer: Answer,
  options: { readonly settings?: Readonly<Record<string, unknown>>; readonly credentials?: Readonly<Record<string, string>> } = {},
) {
  const received: Received[] = [];
  let tokens = 0;
  let inFlight = 0;
  let most = 0;
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const path = decodeURIComponent(incoming.url ?? '')
        .replace('/acme/entity/Default/24.200.001', '')
        .replace(/^\/acme/, '');
      const request: Received = {
        line: `${incoming.method} ${path}`,
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      received.push(request);
      inFlight += 1;
      most = Math.max(most, inFlight);
      // Answered a turn later, so that a second request has the time to come in between.
      setImmediate(() => setImmediate(() => respond(request, incoming, outgoing)));
    });
  });
  const respond = (request: Received, incoming: IncomingMessage, outgoing: ServerResponse): void => {
    inFlight -= 1;
    const reply = answer(request) ?? standard(request);
    if (reply.drop) {
      incoming.socket.destroy();
      return;
    }
    const text = reply.body === undefined ? '' : typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
    outgoing.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
    outgoing.end(text);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/acme`;

  function standard({ line }: Received): Reply {
    if (line === 'POST /identity/connect/token') {
      tokens += 1;
      return {
        body: {
          access_token: `access-${tokens}`,
          expires_in: 3600,
          token_type: 'Bearer',
          refresh_token: `refresh-${tokens}`,
          scope: 'api offline_access',
        },
      };
    }
    if (line === 'GET /entity') return { body: served };
    return { status: 500, body: { message: `the test has no answer for ${line}` } };
  }

  const clock = createPatientClock();
  const random = createSeededRandom(1);
  const log = createCollectingLog();
  const state = createMemoryStateStore({ clock });
  const settings = acumatica.settings.parse({ url, tenant: 'ACME', ...options.settings });
  const credentials: Record<string, string> = options.credentials
    ? { ...options.credentials }
    : { clientId, clientSecret: 'client-secret', refreshToken: 'refresh-0' };
  const open = () => {
    const { io, release } = createIo({
      connection: 'erp',
      limits: acumatica.limits(settings),
      ports: { state, clock, random, ids: createOrderedIds({ clock, random }), log },
      fetch,
      queue: 'live',
    });
    const client = acumatica.open(
      {
        name: 'erp',
        settings,
        credentials: async () => Object.fromEntries(Object.entries(credentials).map(([name, text]) => [name, new Secret(text)])),
        previousCredentials: async () => undefined,
      },
      io,
    );
    return { client, io, release };
  };
  const first = open();
  return {
    ...first,
    /** Another worker of the same connection. */
    openAnother: open,
    url,
    clock,
    log,
    credentials,
    received,
    mostInFlight: () => most,
    /** Requests other than for tokens. */
    lines: () => received.map(({ line }) => line).filter((line) => !line.startsWith('POST /identity')),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const served = {
  version: { acumaticaBuildVersion: '25.201.0213', databaseVersion: '25.201.0213' },
  endpoints: ['20.200.001', '22.200.001', '23.200.001', '24.200.001', '25.200.001'].map((version) => ({
    name: 'Default',
    version,
    href: `/acme/entity/Default/${version}/`,
  })),
};

export const noEntityError = {
  message: 'An error has occurred.',
  exceptionMessage: 'No entity satisfies the condition.',
  exceptionType: 'PX.Api.ContractBased.NoEntitySatisfiesTheConditionException',
  stackTrace: '   at PX.Api.ContractBased.EntityService.Get()',
};
