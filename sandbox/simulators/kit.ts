import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Hono } from 'hono';
import * as z from 'zod';

/** What a simulator needs of the world. Structurally the product's ports, declared again because simulators share no code with it. */
export interface SimulatedWorld {
  readonly clock: { now(): Date; sleep(ms: number): Promise<void> };
  /** Uniform in [0, 1). */
  readonly random: { next(): number };
  /** How a simulator calls out (webhooks). In a rehearsal the real fetch, in a scenario a function call. */
  readonly fetch: (request: Request) => Promise<Response>;
}

/** A fault to be played on the next matching requests. */
export interface Fault {
  /** Name of the call, `*` for any run of characters: `PUT /Invoice`, `GET /object-query/*`. Absent: every call. */
  readonly operation?: string;
  /** Leave this many matching calls alone first. */
  readonly skip?: number;
  /** How many calls it hits; default 1. */
  readonly times?: number;
  readonly kind:
    | 'delay' // answer after `ms`
    | 'drop-before' // connection closed, nothing done
    | 'drop-after' // connection closed after the vendor committed
    | 'status' // answer `status` with `headers` and `body`, nothing done
    | 'status-after' // the same, after the vendor committed
    | 'truncate'; // commit, answer with half of the body
  readonly ms?: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface LoggedCall {
  readonly at: string;
  readonly operation: string;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** 0 when the connection was dropped. */
  readonly status: number;
  readonly inFlight: number;
}

/** What one simulator adds to the kit. Every method takes and gives plain JSON; bad input throws `ControlError`. */
export interface SimulatorParts {
  readonly name: string;
  /** The vendor's own routes. */
  readonly app: Hono;
  /** Names a request for counting and faults, without ids: `GET /object-query/invoices`. */
  operationOf(method: string, path: string): string;
  /** Merges initial records: `{ accounts: [...], invoices: [...] }`. Unknown nouns or fields are refused. */
  seed(records: unknown): void | Promise<void>;
  /** Present records of a noun in the same friendly shape, plus what the vendor added. */
  records(noun: string): readonly Readonly<Record<string, unknown>>[];
  /** Something a person (or the vendor itself) does: `{ action: 'post-invoice', number: 'INV…' }`. */
  act(action: Readonly<Record<string, unknown>>): unknown | Promise<unknown>;
  /** Whole state as JSON and back, so that a rehearsal survives a restart. */
  snapshot(): unknown;
  restore(snapshot: unknown): void;
}

export class ControlError extends Error {}

/** The connection ends without an answer. */
export class DroppedConnection extends Error {}

export interface Simulator extends SimulatorParts {
  /** The whole server as a function: vendor routes, control routes, faults. Throws DroppedConnection instead of answering. */
  fetch(request: Request): Promise<Response>;
  addFault(fault: Fault): void;
  clearFaults(): void;
  /** Faults that have not hit a single call yet. */
  unplayedFaults(): readonly Fault[];
  /** Calls since the last reset, by operation. Control calls are not counted. */
  calls(): Readonly<Record<string, number>>;
  resetCalls(): void;
  /** The newest calls, oldest first, at most 5,000. */
  callLog(): readonly LoggedCall[];
  /** Highest number of requests that were in progress at once since the last reset. */
  mostInFlight(): number;
  /** Every call takes at least this long. */
  setLatency(ms: number): void;
}

const keptCalls = 5000;

interface PendingFault {
  readonly fault: Fault;
  readonly pattern: RegExp;
  skip: number;
  left: number;
}

export function createSimulator(parts: SimulatorParts, world: SimulatedWorld): Simulator {
  let faults: PendingFault[] = [];
  let counts: Record<string, number> = {};
  let log: LoggedCall[] = [];
  let inFlight = 0;
  let most = 0;
  let latencyMs = 0;

  function nextFault(operation: string): Fault | undefined {
    for (const pending of faults) {
      if (!pending.pattern.test(operation)) continue;
      if (pending.skip > 0) {
        pending.skip -= 1;
        continue;
      }
      pending.left -= 1;
      if (pending.left <= 0) faults = faults.filter((other) => other !== pending);
      return pending.fault;
    }
    return undefined;
  }

  async function answer(request: Request, operation: string): Promise<Response> {
    const fault = nextFault(operation);
    if (latencyMs > 0) await world.clock.sleep(latencyMs);
    if (fault?.kind === 'drop-before') throw new DroppedConnection(operation);
    if (fault?.kind === 'status') return canned(fault);
    if (fault?.kind === 'delay') await world.clock.sleep(fault.ms ?? 1000);
    const response = await parts.app.fetch(request);
    if (fault?.kind === 'drop-after') throw new DroppedConnection(operation);
    if (fault?.kind === 'status-after') return canned(fault);
    if (fault?.kind === 'truncate') {
      const text = await response.text();
      return new Response(text.slice(0, Math.floor(text.length / 2)), {
        status: response.status,
        headers: { 'content-type': 'application/json' },
      });
    }
    return response;
  }

  const simulator: Simulator = {
    ...parts,
    async fetch(request) {
      const url = new URL(request.url);
      if (url.pathname.startsWith('/__control')) return control.fetch(request);
      const operation = parts.operationOf(request.method, url.pathname);
      counts[operation] = (counts[operation] ?? 0) + 1;
      inFlight += 1;
      most = Math.max(most, inFlight);
      const running = inFlight;
      let status = 0;
      try {
        const response = await answer(request, operation);
        status = response.status;
        return response;
      } finally {
        inFlight -= 1;
        log.push({
          at: world.clock.now().toISOString(),
          operation,
          method: request.method,
          path: url.pathname + url.search,
          status,
          inFlight: running,
        });
        if (log.length > keptCalls) log = log.slice(-keptCalls);
      }
    },
    addFault(fault) {
      const pattern = new RegExp(`^${(fault.operation ?? '*').split('*').map(escaped).join('.*')}$`);
      faults.push({ fault, pattern, skip: fault.skip ?? 0, left: fault.times ?? 1 });
    },
    clearFaults() {
      faults = [];
    },
    unplayedFaults: () => faults.filter(({ fault, left }) => left === (fault.times ?? 1)).map(({ fault }) => fault),
    calls: () => ({ ...counts }),
    resetCalls() {
      counts = {};
      log = [];
      most = 0;
    },
    callLog: () => log,
    mostInFlight: () => most,
    setLatency(ms) {
      latencyMs = ms;
    },
  };
  const control = controlRoutes(simulator);
  return simulator;
}

function canned(fault: Fault): Response {
  return new Response(fault.body ?? '', { status: fault.status ?? 500, headers: fault.headers ?? { 'content-type': 'application/json' } });
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** A misspelt fault would play nothing and prove nothing, so it is refused. */
const faultSchema = z.strictObject({
  operation: z.string().exactOptional(),
  skip: z.number().int().min(0).exactOptional(),
  times: z.number().int().min(1).exactOptional(),
  kind: z.enum(['delay', 'drop-before', 'drop-after', 'status', 'status-after', 'truncate']),
  ms: z.number().min(0).exactOptional(),
  status: z.number().int().min(200).max(599).exactOptional(),
  headers: z.record(z.string(), z.string()).exactOptional(),
  body: z.string().exactOptional(),
});
const latencySchema = z.strictObject({ ms: z.number().min(0) });

function read<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new ControlError(z.prettifyError(parsed.error));
  return parsed.data;
}

/** `/__control`: seed, inspect, edit and break a simulator from outside. */
function controlRoutes(simulator: Simulator): Hono {
  const control = new Hono().basePath('/__control');
  control.onError((error, context) =>
    context.json({ error: error.message }, error instanceof ControlError || error instanceof SyntaxError ? 400 : 500),
  );
  control.get('/', (context) => context.json({ name: simulator.name }));
  control.post('/seed', async (context) => {
    await simulator.seed(await context.req.json());
    return context.json({ seeded: true });
  });
  control.get('/records/:noun', (context) => context.json({ records: simulator.records(context.req.param('noun')) }));
  control.post('/act', async (context) => context.json({ result: (await simulator.act(await context.req.json())) ?? null }));
  control.get('/calls', (context) =>
    context.json({ calls: simulator.calls(), mostInFlight: simulator.mostInFlight(), log: simulator.callLog() }),
  );
  control.delete('/calls', (context) => {
    simulator.resetCalls();
    return context.json({ reset: true });
  });
  control.post('/faults', async (context) => {
    simulator.addFault(read(faultSchema, await context.req.json()));
    return context.json({ added: true });
  });
  control.delete('/faults', (context) => {
    simulator.clearFaults();
    return context.json({ cleared: true });
  });
  control.put('/latency', async (context) => {
    simulator.setLatency(read(latencySchema, await context.req.json()).ms);
    return context.json({ set: true });
  });
  control.get('/snapshot', (context) => context.json(simulator.snapshot() as never));
  control.put('/snapshot', async (context) => {
    simulator.restore(await context.req.json());
    return context.json({ restored: true });
  });
  return control;
}

/** A simulator (or any fetch-shaped function) listening on loopback. `port` 0 takes a free one. */
export async function listen(
  handler: { fetch(request: Request): Promise<Response> },
  port = 0,
): Promise<{ readonly url: string; readonly port: number; close(): Promise<void> }> {
  const server: Server = createServer((incoming, outgoing) => void serve(handler, incoming, outgoing));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  handler: { fetch(request: Request): Promise<Response> },
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const method = incoming.method ?? 'GET';
    const headers = new Headers();
    for (let index = 0; index < incoming.rawHeaders.length; index += 2)
      headers.append(incoming.rawHeaders[index] ?? '', incoming.rawHeaders[index + 1] ?? '');
    const hasBody = method !== 'GET' && method !== 'HEAD';
    const request = new Request(`http://${incoming.headers.host ?? '127.0.0.1'}${incoming.url ?? '/'}`, {
      method,
      headers,
      ...(hasBody ? { body: Buffer.concat(chunks) } : {}),
    });
    const response = await handler.fetch(request);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  } catch (error) {
    if (!(error instanceof DroppedConnection)) process.stderr.write(`simulator: ${error instanceof Error ? error.stack : String(error)}\n`);
    outgoing.destroy();
    incoming.destroy();
  }
}
