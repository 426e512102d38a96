import { Hono } from 'hono';
import { writeJson } from '../../../lib/values/json.ts';
import { ControlError, createSimulator, DroppedConnection, type SimulatedWorld, type Simulator } from '../kit.ts';
import { friendlyNouns, friendlyRecords } from './friendly-records.ts';
import { Declined, RequestQueue } from './licence.ts';
import type { Operation } from './operations.ts';
import type { AcumaticaOptions } from './options.ts';
import { actAsPerson, type QueueHold, type Surroundings } from './people.ts';
import { Refusal } from './refusals.ts';
import { seed } from './seed.ts';
import { AcumaticaServer, type Call, type RecordLock, type Reply } from './server.ts';
import type { Session, Sessions } from './sessions.ts';
import { standardCompany } from './standard-company.ts';

export type { AcumaticaOptions } from './options.ts';

/** A write the client gave up on, waiting for its turn. */
interface HeldCall {
  dueAt: string;
  call: Call;
  session: Session;
}

/**
 * Acumatica ERP as one tenant sees it over the contract-based REST API: sign-in, sessions and licence limits, the entities of the Default
 * endpoint that receivables and the general ledger need, document states, applications, the ledger behind them, and the API's own oddities.
 */
export function createAcumaticaSimulator(world: SimulatedWorld, options: AcumaticaOptions = {}): Simulator {
  const server = new AcumaticaServer(world, options);
  const queue = new RequestQueue(world, () => server.company.state.licence);
  const surroundings: Surroundings = { queueHolds: [], outage: undefined };
  let held: HeldCall[] = [];
  if (options.startWith !== 'empty') seed(server.company, server.sessions, forTenant(server.company.installation.tenant));

  /** Finishes what is due: releases whose running time is over and writes that waited in the queue. */
  function settle(): void {
    const now = server.company.now();
    for (const waiting of held.filter((other) => other.dueAt <= now)) server.answer(waiting.call, waiting.session);
    held = held.filter((other) => other.dueAt > now);
    server.settle();
  }

  /** A write that the queue swallows: the client sees its connection end, the work is done later. */
  function swallowed(call: Call): boolean {
    const operation = operationOf(server.root, call.method, call.path);
    const hold = surroundings.queueHolds.find((other) => patternOf(other.operation).test(operation));
    if (!hold) return false;
    const session = server.sessionOf(call);
    if (!session) return false;
    hold.times -= 1;
    if (hold.times <= 0) surroundings.queueHolds = surroundings.queueHolds.filter((other) => other !== hold);
    held.push({ dueAt: new Date(world.clock.now().getTime() + hold.minutes * 60_000).toISOString(), call, session });
    return true;
  }

  async function answer(call: Call): Promise<Response> {
    const { outage } = surroundings;
    if (outage && outage.until > server.company.now()) return outagePage(outage.status, server.root);
    // Signing out never waits.
    const leave = /\/auth\/logout$/i.test(call.path) ? () => undefined : await queue.enter();
    try {
      settle();
      if (swallowed(call)) throw new DroppedConnection(call.path);
      return responseOf(server.answer(call));
    } finally {
      leave();
    }
  }

  const app = new Hono();
  app.onError((error) => {
    if (error instanceof Declined && error.text !== undefined)
      return new Response(error.text, { status: 429, headers: { 'content-type': 'text/plain' } });
    if (error instanceof Refusal) return responseOf({ status: error.status, body: error.body });
    throw error;
  });
  app.all('*', async (context) => answer(await callOf(context.req.raw)));

  return createSimulator(
    {
      name: 'acumatica',
      app,
      operationOf: (method, path) => operationOf(server.root, method, path),
      seed(records) {
        settle();
        seed(server.company, server.sessions, records);
      },
      records(noun) {
        settle();
        const records = friendlyRecords(noun, server);
        if (!records) throw new ControlError(`unknown noun ${noun}; there are ${friendlyNouns}`);
        return records;
      },
      act(action) {
        settle();
        return actAsPerson(server, surroundings, action);
      },
      snapshot() {
        settle();
        const { company, sessions, operations, locks } = server;
        return structuredClone({
          company: company.snapshot(),
          installation: company.installation,
          sessions: sessions.state,
          operations: operations.list,
          locks,
          held,
          queueHolds: surroundings.queueHolds,
          outage: surroundings.outage,
        });
      },
      restore(snapshot) {
        const { company, sessions, operations } = server;
        const copy = structuredClone(snapshot) as SimulatorSnapshot;
        company.restore(copy.company);
        company.installation = copy.installation;
        sessions.state = copy.sessions;
        operations.list = copy.operations;
        server.locks = copy.locks;
        held = copy.held;
        surroundings.queueHolds = copy.queueHolds;
        surroundings.outage = copy.outage;
      },
    },
    world,
  );
}

interface SimulatorSnapshot {
  company: unknown;
  installation: AcumaticaServer['company']['installation'];
  sessions: Sessions['state'];
  operations: Operation[];
  locks: RecordLock[];
  held: HeldCall[];
  queueHolds: QueueHold[];
  outage?: { until: string; status: number };
}

/** The standard company with its clients registered in this tenant. */
function forTenant(tenant: string): unknown {
  return {
    ...standardCompany,
    clients: (standardCompany.clients ?? []).map((client) => ({ ...client, clientId: `${client.clientId.split('@')[0]}@${tenant}` })),
  };
}

async function callOf(request: Request): Promise<Call> {
  const url = new URL(request.url);
  const headers = Object.fromEntries(request.headers);
  const body = await request.text();
  return {
    method: request.method,
    path: url.pathname,
    search: url.search,
    // A request that came over the wire has a host, and says its length if it has one; one handed over in process says neither.
    headers: headers['host'] === undefined ? { 'content-length': String(Buffer.byteLength(body)), ...headers } : headers,
    body,
  };
}

function responseOf(reply: Reply): Response {
  const headers = { ...reply.headers };
  if (reply.body === undefined) return new Response(null, { status: reply.status, headers });
  return new Response(writeJson(reply.body), {
    status: reply.status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  });
}

function outagePage(status: number, root: string): Response {
  if (status === 302) return new Response(null, { status, headers: { location: `${root}/ui/error` } });
  return new Response('<html><body><h2>Service Unavailable</h2></body></html>', { status, headers: { 'content-type': 'text/html' } });
}

/** `PUT /Invoice`, `GET /Payment/{key}`, `POST /Invoice/ReleaseInvoice`, `GET /Invoice/ReleaseInvoice/status`, `POST /token`. */
function operationOf(root: string, method: string, path: string): string {
  const rest = path.toLowerCase().startsWith(`${root.toLowerCase()}/`) ? path.slice(root.length) : path;
  if (/^\/identity\/connect\/token$/i.test(rest)) return `${method} /token`;
  if (/^\/entity\/auth\/(login|logout)$/i.test(rest)) return `${method} /${rest.split('/').at(-1)?.toLowerCase()}`;
  if (/^\/entity\/?$/i.test(rest)) return `${method} /entity`;
  const [, , , , entity, ...segments] = rest.split('/');
  if (!rest.toLowerCase().startsWith('/entity/') || entity === undefined) return `${method} ${rest}`;
  if (segments.length === 0) return `${method} /${entity}`;
  if (method === 'POST') return `${method} /${entity}/${segments[0]}`;
  if (segments[1] === 'status') return `${method} /${entity}/${segments[0]}/status`;
  return `${method} /${entity}/{key}`;
}

function patternOf(operation: string): RegExp {
  const parts = operation.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}
