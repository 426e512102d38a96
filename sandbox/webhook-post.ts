import type { Network } from './network.ts';

/** A webhook as it left its vendor: enough to send the very same bytes again. */
interface Sent {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: ArrayBuffer;
}

/**
 * What lies between the vendors and the connector's webhook address. Everything passes, unless a scenario wants it lost on the way, delivered
 * in another order, or delivered again.
 */
export interface WebhookPost {
  /** Sends a webhook on its way; what a simulator uses as fetch. */
  send(request: Request): Promise<Response>;
  /** From now on webhooks are lost on the way; their vendor believes them delivered. */
  lose(): void;
  /** From now on webhooks pass. */
  pass(): void;
  /** Collects what `deliver` sends, then delivers it newest first. */
  reversed(deliver: () => Promise<void>): Promise<number>;
  /** Delivers every webhook so far again, byte for byte; with `newRequestId` under a new id of the transmission. */
  repeat(options: { readonly times: number; readonly newRequestId?: boolean; readonly origin?: string }): Promise<number>;
}

/** Vendors name the transmission, as opposed to the notice, in a header that ends like this. */
const requestIdHeader = /(^|-)request-id$/;
const taken = (): Response => new Response('{"success":true}', { status: 200, headers: { 'content-type': 'application/json' } });

export function createWebhookPost(network: () => Network, random: { next(): number }): WebhookPost {
  const delivered: Sent[] = [];
  let way: 'pass' | 'lose' | 'collect' = 'pass';
  let collected: Sent[] = [];

  function forward({ url, method, headers, body }: Sent): Promise<Response> {
    return network().fetch(url, { method, headers, ...(body.byteLength > 0 ? { body } : {}) });
  }

  function hex(): string {
    return Array.from({ length: 32 }, () => Math.floor(random.next() * 16).toString(16)).join('');
  }

  return {
    async send(request) {
      const { url, method, headers } = request;
      const sent = { url, method, headers, body: await request.arrayBuffer() };
      if (way === 'lose') return taken();
      if (way === 'collect') {
        collected.push(sent);
        return taken();
      }
      delivered.push(sent);
      return forward(sent);
    },
    lose() {
      way = 'lose';
    },
    pass() {
      way = 'pass';
    },
    async reversed(deliver) {
      way = 'collect';
      collected = [];
      await deliver();
      way = 'pass';
      for (const sent of collected.toReversed()) {
        delivered.push(sent);
        await forward(sent);
      }
      return collected.length;
    },
    async repeat({ times, newRequestId }) {
      for (const sent of [...delivered]) {
        const headers = new Headers(sent.headers);
        if (newRequestId === true) for (const name of [...headers.keys()]) if (requestIdHeader.test(name)) headers.set(name, hex());
        for (let time = 0; time < times; time += 1) await forward({ ...sent, headers });
      }
      return delivered.length * times;
    },
  };
}
