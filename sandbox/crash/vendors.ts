import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import * as z from 'zod';
import { inTime } from './in-time.ts';
import { timeVariables } from './passing-time.ts';

const invoice = z.object({ number: z.string(), amount: z.string(), status: z.string() });
const callout = z.object({ notificationId: z.string(), objectId: z.string(), state: z.string(), attempts: z.number() });
const booked = z.object({
  type: z.string(),
  ref: z.string(),
  amount: z.string(),
  customerOrder: z.string().optional(),
  released: z.boolean().optional(),
});
export type Invoice = z.infer<typeof invoice>;
export type Callout = z.infer<typeof callout>;
export type Booked = z.infer<typeof booked>;

/** Both vendors as seen from outside, over their control routes. */
export interface Vendors {
  readonly origins: Readonly<Record<string, string>>;
  act(system: string, action: Readonly<Record<string, unknown>>): Promise<unknown>;
  setLatency(ms: number): Promise<void>;
  invoices(): Promise<readonly Invoice[]>;
  callouts(): Promise<readonly Callout[]>;
  booked(): Promise<readonly Booked[]>;
  /** How far it has come, without disturbing anybody. */
  stand(): Promise<Stand>;
  end(): void;
}

const standSchema = z.object({
  /** Changes whenever a vendor was asked something. */
  calls: z.number(),
  /** Invoices in the books. */
  released: z.number(),
  /** Callouts by state. */
  callouts: z.record(z.string(), z.number()),
});
export type Stand = z.infer<typeof standSchema>;

const saidSchema = z.object({ stand: standSchema });
const startedSchema = z.object({ origins: z.record(z.string(), z.string()) });
const recordsOf = <T>(shape: z.ZodType<T>) => z.object({ records: z.array(shape) });

export async function startVendors(given: {
  readonly today: string;
  readonly invoices: number;
  readonly timeFile: string;
}): Promise<Vendors> {
  const process_ = fork(join(import.meta.dirname, 'vendors-process.ts'), [given.today, String(given.invoices)], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, ...timeVariables(given.timeFile) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(process_, 'exit').then((): never => {
    throw new Error('the vendors ended before the drill');
  });
  // Ending them at the end is no failure.
  ended.catch(() => undefined);
  const [message] = await Promise.race([once(process_, 'message'), ended]);
  const { origins } = startedSchema.parse(message);

  async function control(system: string, path: string, init: { readonly method?: string; readonly body?: unknown } = {}): Promise<unknown> {
    const response = await fetch(`${origins[system]}/__control/${path}`, {
      method: init.method ?? 'GET',
      signal: AbortSignal.timeout(60_000),
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body), headers: { 'content-type': 'application/json' } }),
    });
    if (!response.ok) throw new Error(`${system} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
  const records = async <T>(system: string, noun: string, shape: z.ZodType<T>): Promise<readonly T[]> =>
    recordsOf(shape).parse(await control(system, `records/${noun}`)).records;

  return {
    origins,
    act: async (system, action) =>
      z.object({ result: z.unknown() }).parse(await control(system, 'act', { method: 'POST', body: action })).result,
    async setLatency(ms) {
      for (const system of Object.keys(origins)) await control(system, 'latency', { method: 'PUT', body: { ms } });
    },
    invoices: () => records('zuora', 'invoices', invoice),
    callouts: () => records('zuora', 'callouts', callout),
    booked: () => records('acumatica', 'invoices', booked),
    async stand() {
      const answered = once(process_, 'message');
      process_.send('stand');
      const [answer] = await inTime('the vendors', Promise.race([answered, ended]));
      return saidSchema.parse(answer).stand;
    },
    end: () => void process_.kill('SIGKILL'),
  };
}
