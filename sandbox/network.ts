import { DroppedConnection, type Simulator } from './simulators/kit.ts';
import type { VirtualTime } from './virtual-time.ts';

/**
 * A network inside the process: requests go to simulators and to the connector's own webhook address as function calls, by the port of their
 * loopback address. Real clients, real requests and answers, no sockets.
 */
export interface Network {
  fetch(url: string, init: RequestInit): Promise<Response>;
  serve(origin: string, handler: { fetch(request: Request): Promise<Response> }): void;
  /** The vendor's name for a call, when the address belongs to a simulator: `zuora GET /object-query/invoices`. */
  operationOf(url: string, method: string): string;
}

export function createNetwork(
  time: VirtualTime,
  simulators: Readonly<Record<string, { readonly origin: string; readonly simulator: Simulator }>>,
): Network {
  const handlers = new Map<string, { fetch(request: Request): Promise<Response> }>();
  for (const { origin, simulator } of Object.values(simulators)) handlers.set(origin, simulator);

  return {
    serve(origin, handler) {
      handlers.set(origin, handler);
    },
    operationOf(url, method) {
      const { origin, pathname } = new URL(url);
      const named = Object.entries(simulators).find(([, server]) => server.origin === origin);
      return named ? `${named[0]} ${named[1].simulator.operationOf(method, pathname)}` : `${method} ${pathname}`;
    },
    fetch(url, init) {
      const handler = handlers.get(new URL(url).origin);
      // What a refused connection looks like in Node, so that the sender can tell it from a lost answer.
      if (!handler)
        return Promise.reject(
          Object.assign(new TypeError('fetch failed'), {
            cause: Object.assign(new Error(`connect ECONNREFUSED ${url}`), { code: 'ECONNREFUSED' }),
          }),
        );
      return time.during(async () => {
        init.signal?.throwIfAborted();
        const { signal, ...rest } = init;
        const answer = handler.fetch(new Request(url, rest)).catch((error: unknown) => {
          if (error instanceof DroppedConnection)
            throw Object.assign(new TypeError('fetch failed'), {
              cause: Object.assign(new Error('socket hang up'), { code: 'UND_ERR_SOCKET' }),
            });
          throw error;
        });
        return signal ? Promise.race([answer, aborted(signal)]) : answer;
      });
    },
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}
