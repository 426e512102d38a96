import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import type { Io } from '../../lib/contracts/io.ts';
import { Failure } from '../../lib/failures.ts';
import { createIo } from '../../lib/http/connection-io.ts';
import { createCollectingLog } from '../../lib/memory/collecting-log.ts';
import { createOrderedIds } from '../../lib/memory/ordered-ids.ts';
import { createSeededRandom } from '../../lib/memory/seeded-random.ts';
import { createMemoryStateStore } from '../../lib/memory/state-store.ts';
import type { Clock } from '../../lib/ports/clock.ts';

/** A request as the staged vendor got it. */
export interface Got {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The client's time when it arrived. */
  readonly at: Date;
}

/** What the staged vendor does: answer, close the connection (`drop`), or never answer (`hang`). */
export type Act = Canned | 'drop' | 'hang';
export interface Canned {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Stage {
  readonly url: string;
  readonly io: Io;
  readonly clock: StageClock;
  readonly got: readonly Got[];
  /** Plays before everything else, on the next requests for which it answers something. */
  interrupt(act: (request: Got) => Act | undefined): void;
  /** Everything that was logged, as text. */
  printed(): string;
  close(): Promise<void>;
}

export interface StageClock extends Clock {
  advance(ms: number): void;
  /** Lets every time limit that is running now pass. */
  expire(): void;
}

/**
 * Time that jumps over every pause, so that nothing in a test waits; time limits (sleeps with a signal) pass only by `expire`.
 */
export function createStageClock(start = new Date('2026-03-02T12:00:00Z')): StageClock {
  let nowMs = start.getTime();
  const limits = new Set<() => void>();
  return {
    now: () => new Date(nowMs),
    async sleep(ms, signal) {
      if (!signal) {
        nowMs += Math.max(0, ms);
        return;
      }
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        const end = (): void => {
          limits.delete(end);
          resolve();
        };
        limits.add(end);
        signal.addEventListener('abort', end, { once: true });
      });
    },
    advance(ms) {
      nowMs += ms;
    },
    expire() {
      for (const end of [...limits]) end();
    },
  };
}

/** A vendor on loopback that answers what the test says, and the Io of a worker that calls it. */
export async function openStage(
  answer: (request: Got) => Act | Promise<Act>,
  limits: { readonly requestsPerMinute: number; readonly burst: number; readonly lanes?: number } = { requestsPerMinute: 6000, burst: 50 },
): Promise<Stage> {
  const clock = createStageClock();
  const random = createSeededRandom(7);
  const log = createCollectingLog();
  const got: Got[] = [];
  const interruptions: ((request: Got) => Act | undefined)[] = [];

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const url = new URL(incoming.url ?? '/', 'http://127.0.0.1');
    const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
    const body = Buffer.concat(chunks).toString('utf8');
    const request: Got = { method: incoming.method ?? 'GET', path: url.pathname, query: url.searchParams, headers, body, at: clock.now() };
    got.push(request);
    let act: Act | undefined;
    for (const interruption of interruptions) act ??= interruption(request);
    act ??= await answer(request);
    if (act === 'drop') incoming.socket.destroy();
    else if (act === 'hang') clock.expire();
    else {
      outgoing.writeHead(act.status ?? 200, { 'content-type': 'application/json', ...act.headers });
      outgoing.end(act.body ?? '');
    }
  }

  const server = createServer((incoming, outgoing) => void serve(incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const ports = { state: createMemoryStateStore({ clock }), clock, random, ids: createOrderedIds({ clock, random }), log };
  const { io } = createIo({ connection: 'staged', limits, ports, fetch, queue: 'live' });
  return {
    url: `http://127.0.0.1:${port}`,
    io,
    clock,
    got,
    interrupt: (act) => void interruptions.push(act),
    printed: () => inspect(log.lines, { depth: 8 }) + inspect(log.counts, { depth: 8 }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An interruption that plays the given acts once each, on requests that match. */
export function once(matches: (request: Got) => boolean, ...acts: readonly Act[]): (request: Got) => Act | undefined {
  const left = [...acts];
  return (request) => (matches(request) ? left.shift() : undefined);
}

export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

export const json = (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Canned => ({
  status,
  headers,
  body: JSON.stringify(body),
});
