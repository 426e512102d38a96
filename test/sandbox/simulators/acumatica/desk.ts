import { parseJson } from '../../../../lib/values/json.ts';
import { type AcumaticaOptions, createAcumaticaSimulator } from '../../../../sandbox/simulators/acumatica/simulator.ts';
import { listen, type Simulator } from '../../../../sandbox/simulators/kit.ts';

/** A clock that only moves when told to, or when somebody sleeps on it. */
function handTurnedClock(start: string) {
  let time = Date.parse(start);
  return {
    now: () => new Date(time),
    sleep(ms: number) {
      time += ms;
      return Promise.resolve();
    },
    advance(ms: number) {
      time += ms;
    },
  };
}

/** Repeatable pseudo-random numbers (mulberry32). */
export function repeatableRandom(seed = 7) {
  let state = seed;
  return {
    next() {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Loosely typed on purpose: a test reads what it expects. */
  readonly json: Loose;
  /** The records of a list. */
  readonly rows: readonly Loose[];
}

export interface Loose {
  readonly [member: string]: Loose;
}

export interface Desk {
  readonly simulator: Simulator;
  readonly clock: ReturnType<typeof handTurnedClock>;
  readonly url: string;
  readonly endpoint: string;
  token: string;
  refreshToken: string;
  send(
    method: string,
    path: string,
    options?: { body?: unknown; headers?: Record<string, string>; token?: string | null },
  ): Promise<Answer>;
  /** On the Default endpoint, with the token. */
  get(path: string): Promise<Answer>;
  put(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body: unknown): Promise<Answer>;
  /** Starts an action, lets it run, and returns the last answer of the status address. */
  run(path: string, entity: Record<string, string>): Promise<Answer>;
  tokenRequest(form: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

export const clientId = '8E0761D9-F4EC-2D4B-A60F-BCE2708C6FDD@KESTREL';
export const clientSecret = 'simulated-acumatica-secret';
export const passwordClientId = '0B6A3C17-52D8-4E19-9C44-7F21D5A8E630@KESTREL';
export const passwordClientSecret = 'simulated-password-secret';

/** A listening tenant with a signed-in connector. */
export async function openDesk(options: AcumaticaOptions = {}, start = '2026-03-16T08:00:00.000Z'): Promise<Desk> {
  const clock = handTurnedClock(start);
  const simulator = createAcumaticaSimulator(
    { clock, random: repeatableRandom(), fetch: () => Promise.reject(new Error('Acumatica calls nobody')) },
    { instance: 'kestrel', ...options },
  );
  const server = await listen(simulator);
  const url = `${server.url}${options.instance === '' ? '' : '/kestrel'}`;
  const desk: Desk = {
    simulator,
    clock,
    url,
    endpoint: `${url}/entity/Default/24.200.001`,
    token: '',
    refreshToken: '',
    async send(method, path, { body, headers = {}, token = desk.token } = {}) {
      const response = await fetch(path.startsWith('http') ? path : `${server.url}${path}`, {
        method,
        redirect: 'manual',
        headers: {
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = (response.headers.get('content-type') ?? '').includes('json') && text !== '';
      const json = (isJson ? parseJson(text) : {}) as Loose;
      return { status: response.status, headers: response.headers, text, json, rows: listIn(json) };
    },
    get: (path) => desk.send('GET', `${desk.endpoint}${path}`),
    put: (path, body, headers) => desk.send('PUT', `${desk.endpoint}${path}`, { body, ...(headers ? { headers } : {}) }),
    post: (path, body) => desk.send('POST', `${desk.endpoint}${path}`, { body }),
    async run(path, entity) {
      const started = await desk.post(path, { entity: wrap(entity) });
      if (started.status !== 202) return started;
      clock.advance(2000);
      return desk.send('GET', started.headers.get('location') ?? '');
    },
    tokenRequest: (form) =>
      desk.send('POST', `${url}/identity/connect/token`, {
        body: new URLSearchParams(form).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        token: null,
      }),
    close: () => server.close(),
  };
  if (options.startWith !== 'empty') await signIn(desk);
  return desk;
}

export async function signIn(desk: Desk): Promise<void> {
  const { refreshToken } = (await desk.simulator.act({ action: 'consent' })) as { refreshToken: string };
  const answer = await desk.tokenRequest({
    grant_type: 'refresh_token',
    client_id: clientId,
    client_secret: clientSecret,
    refresh_token: refreshToken,
  });
  if (answer.status !== 200) throw new Error(answer.text);
  desk.token = String(answer.json['access_token']);
  desk.refreshToken = String(answer.json['refresh_token']);
}

/** `{Type: 'Invoice'}` as the wire wants it. */
export function wrap(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      Array.isArray(value)
        ? value.map((row) => wrap(row as Record<string, unknown>))
        : name === 'custom' || name === 'id'
          ? value
          : { value },
    ]),
  );
}

/** The bare value of a wrapped field. */
export function fieldOf(record: Loose | undefined, field: string): unknown {
  const cell = record?.[field];
  return cell === undefined ? undefined : cell['value'];
}

/** Northgate Dental Group, as a seed. */
export const northgate = { id: 'C0001042', name: 'Northgate Dental Group', accountRef: 'KR-10023', class: 'SAAS' };

export const invoiceBody = (changes: Record<string, unknown> = {}) =>
  wrap({
    Type: 'Invoice',
    Customer: 'C0001042',
    CustomerOrder: 'INV00000417',
    Date: '2026-03-02T00:00:00',
    Terms: '30D',
    DueDate: '2026-04-01T00:00:00',
    Hold: false,
    Details: [
      { TransactionDescription: 'Pro plan', Qty: 25, UnitPrice: 49, ExtendedPrice: 1225, Account: '40000', TaxCategory: 'EXEMPT' },
      { TransactionDescription: 'Tax: Ohio', Qty: 1, UnitPrice: 109.88, ExtendedPrice: 109.88, Account: '23000', TaxCategory: 'EXEMPT' },
    ],
    ...changes,
  });

export const paymentBody = (changes: Record<string, unknown> = {}) =>
  wrap({
    Type: 'Payment',
    CustomerID: 'C0001042',
    PaymentMethod: 'ZCARD',
    CashAccount: '10200',
    ApplicationDate: '2026-03-09T00:00:00',
    PaymentRef: 'P-00000188',
    PaymentAmount: 2000,
    Hold: false,
    ...changes,
  });

/** Detail rows of a record. */
export function detailsIn(record: Loose | undefined, name: string): readonly Loose[] {
  return listIn(record?.[name]);
}

function listIn(value: unknown): readonly Loose[] {
  return Array.isArray(value) ? (value as Loose[]) : [];
}
