import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCollectingLog } from '../../lib/memory/collecting-log.ts';
import { createHandTurnedClock, type HandTurnedClock } from '../../lib/memory/hand-turned-clock.ts';
import { createOrderedIds } from '../../lib/memory/ordered-ids.ts';
import { createSeededRandom } from '../../lib/memory/seeded-random.ts';
import { createMemoryStateStore } from '../../lib/memory/state-store.ts';

export const start = new Date('2026-03-02T08:00:00.000Z');

/** The world of a worker, with time by hand. Workers of one test share state and clock. */
export function createWorld(seed = 1) {
  const clock = createHandTurnedClock(start);
  const random = createSeededRandom(seed);
  return { clock, random, ids: createOrderedIds({ clock, random }), log: createCollectingLog(), state: createMemoryStateStore({ clock }) };
}

/** Turns the clock from sleeper to sleeper until the work is done. */
export async function finish<Result>(clock: HandTurnedClock, work: Promise<Result>): Promise<Result> {
  let done = false;
  const end = (): void => {
    done = true;
  };
  work.then(end, end);
  for (let idle = 0; !done; ) {
    await clock.pass(0);
    if (done) break;
    const next = clock.nextWakeAt();
    if (next) {
      clock.advance(next.getTime() - clock.now().getTime());
      idle = 0;
    } else {
      idle += 1;
      if (idle > 1000) throw new Error('nobody sleeps and nothing moves');
    }
  }
  return work;
}

/** A server on loopback that answers as the test says. */
export async function serve(answer: (request: IncomingMessage, response: ServerResponse, count: number) => void) {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    answer(request, response, count);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls: () => count,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
