import { listen, type SimulatedWorld } from '../../../../sandbox/simulators/kit.ts';
import { createZuoraSimulator, type ZuoraSimulator, type ZuoraSimulatorOptions } from '../../../../sandbox/simulators/zuora/simulator.ts';

export interface HandClock {
  now(): Date;
  sleep(ms: number): Promise<void>;
  pass(ms: number): void;
}

function handClock(start: string): HandClock {
  let nowMs = Date.parse(start);
  const clock = {
    now: () => new Date(nowMs),
    async sleep(ms: number) {
      nowMs += ms;
    },
    pass(ms: number) {
      nowMs += ms;
    },
  };
  return clock;
}

/** A small repeatable generator: the same history every run. */
export function seededRandom(seed = 1): { next(): number } {
  let state = seed;
  return {
    next() {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 0x1_0000_0000;
    },
  };
}

export interface Stage {
  readonly clock: HandClock;
  readonly simulator: ZuoraSimulator;
  readonly url: string;
  token(): Promise<string>;
  /** An authorised call with the newest version. */
  call(path: string, init?: RequestInit & { readonly version?: string | null }): Promise<Response>;
  json(path: string, init?: RequestInit & { readonly version?: string | null }): Promise<unknown>;
  /** Object Query with properly encoded parameters. */
  query(
    object: string,
    parameters: readonly (readonly [string, string])[],
    version?: string | null,
  ): Promise<{ status: number; body: QueryAnswer }>;
  act(action: Readonly<Record<string, unknown>>): Promise<unknown>;
  close(): Promise<void>;
}

interface QueryAnswer {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly nextPage?: string | null;
  readonly reasons?: readonly { readonly code: unknown; readonly message: string }[];
  readonly success?: boolean;
  readonly requestId?: string;
}

export const start = '2026-03-02T12:15:09.000Z';

/** Northgate and its bank, as in the examples of the fact sheet. */
export const kestrel = {
  accountingCodes: [
    { name: 'Accounts Receivable', type: 'AccountsReceivable', glAccountNumber: '11000' },
    { name: 'Subscription Revenue', type: 'SalesRevenue', glAccountNumber: '40000' },
    { name: 'Deferred Revenue', type: 'DeferredRevenue', glAccountNumber: '24000' },
    { name: 'Sales Tax Payable', type: 'SalesTaxPayable', glAccountNumber: '23000' },
    { name: 'Cash-Main', type: 'Cash', glAccountNumber: '10200' },
  ],
  accounts: [
    {
      number: 'KR-10023',
      name: 'Northgate Dental Group',
      billTo: {
        firstName: 'Ada',
        lastName: 'Byrne',
        address1: '12 Mill Rd',
        city: 'Dayton',
        state: 'OH',
        postalCode: '45402',
        country: 'US',
        workEmail: 'ada@northgate.example',
      },
    },
    { number: 'KR-10031', name: 'Hollis Freight LLC' },
  ],
} as const;

/** Invoice I1 of the examples: 1,225.00 net, 109.88 tax. */
export const invoiceOne = {
  number: 'INV00000417',
  account: 'KR-10023',
  date: '2026-03-02',
  dueDate: '2026-04-01',
  items: [
    {
      chargeName: 'Pro plan',
      amount: '1225.00',
      quantity: 25,
      unitPrice: '49.00',
      sku: 'KR-CLOUD',
      unitOfMeasure: 'Each',
      tax: '109.88',
      taxAccountingCode: 'Sales Tax Payable',
      recognizedRevenueAccountingCode: 'Subscription Revenue',
      deferredRevenueAccountingCode: 'Deferred Revenue',
      accountingCode: 'Subscription Revenue',
      serviceStartDate: '2026-03-01',
      serviceEndDate: '2026-03-31',
    },
  ],
} as const;

export async function openStage(
  options: ZuoraSimulatorOptions & { readonly fetch?: SimulatedWorld['fetch']; readonly clock?: HandClock } = {},
): Promise<Stage> {
  const { fetch: callOut = async () => Response.json({ success: true }), clock = handClock(start), ...rest } = options;
  const simulator = createZuoraSimulator({ clock, random: seededRandom(), fetch: callOut }, rest);
  const server = await listen(simulator);
  let bearer: string | undefined;
  const stage: Stage = {
    clock,
    simulator,
    url: server.url,
    async token() {
      const { clientId, clientSecret } = simulator.credentials;
      const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, grant_type: 'client_credentials' });
      const response = await fetch(`${server.url}/oauth/token`, { method: 'POST', body });
      const answer = (await response.json()) as { access_token: string };
      return answer.access_token;
    },
    async call(path, init = {}) {
      bearer ??= await stage.token();
      const { version = '2025-08-12', ...others } = init;
      const headers = new Headers(others.headers);
      if (!headers.has('authorization')) headers.set('authorization', `Bearer ${bearer}`);
      if (version !== null) headers.set('zuora-version', version);
      if (others.body !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/json');
      return fetch(server.url + path, { ...others, headers });
    },
    async json(path, init = {}) {
      return (await stage.call(path, init)).json();
    },
    async query(object, parameters, version = '2025-08-12') {
      const search = new URLSearchParams(parameters.map(([name, value]): [string, string] => [name, value]));
      const response = await stage.call(`/object-query/${object}?${search}`, { version });
      return { status: response.status, body: (await response.json()) as QueryAnswer };
    },
    act: async (action) => simulator.act(action),
    close: () => server.close(),
  };
  return stage;
}
