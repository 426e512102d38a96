import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { catalog } from '../lib/catalog.ts';
import { loadConfiguration } from '../lib/configuration/load.ts';
import { createConnector, type Ports } from '../lib/connector.ts';
import { Failure } from '../lib/failures.ts';
import type { MemoryQueues } from '../lib/memory/change-queue.ts';
import { createCollectingAlerts } from '../lib/memory/collecting-alerts.ts';
import { createHandTurnedClock } from '../lib/memory/hand-turned-clock.ts';
import { createOrderedIds } from '../lib/memory/ordered-ids.ts';
import { createMemorySecretStore } from '../lib/memory/secret-store.ts';
import { createSeededRandom } from '../lib/memory/seeded-random.ts';
import { Secret } from '../lib/values/secret.ts';
import { createVirtualTime, type VirtualTime } from '../sandbox/virtual-time.ts';
import type { Setting, Taken, Told } from './memory-messages.ts';

/** One billing run in a process that holds the connector and nothing else; prints what it took. Started with --expose-gc and the number of invoices. */
const integration = 'acumatica-zuora';
const pollEveryMs = 15 * 60_000;
const shiftMs = 290_000;
const visibilityMs = 1_800_000;
const batchesPerLook = 5;

const clock = createHandTurnedClock(new Date('2026-03-10T20:00:00Z'));
const time = createVirtualTime(clock);
const random = createSeededRandom(2);
const surroundings = fork(join(import.meta.dirname, 'memory-surroundings.ts'), process.argv.slice(2), {
  execArgv: ['--import', 'tsx'],
  serialization: 'advanced',
});

const setting = await new Promise<Setting>((resolve) => surroundings.once('message', (first) => resolve(first as Setting)));
const call = callerOf(surroundings, time);
const queues = remote<MemoryQueues>('queues');
const secrets = createMemorySecretStore();
for (const [name, fields] of Object.entries(setting.secrets))
  await secrets.put(name, Object.fromEntries(Object.entries(fields).map(([field, text]) => [field, new Secret(text)])));
const silent = (): void => undefined;
const ports: Ports = {
  clock,
  random,
  ids: createOrderedIds({ clock, random }),
  log: { info: silent, warn: silent, error: silent, count: silent },
  alerts: createCollectingAlerts(),
  secrets,
  links: remote('links'),
  audit: remote('audit'),
  state: remote('state'),
  queue: () => queues,
  deadLetters: () => remote('deadLetters'),
  gauge: () => queues,
  async fetch(url, { method, headers, body }) {
    const answer = (await call('vendors', 'fetch', [url, { method, headers, body }])) as {
      status: number;
      headers: [string, string][];
      body: string;
    };
    const bodiless = answer.status === 204 || answer.status === 304;
    return new Response(bodiless ? null : answer.body, { status: answer.status, headers: answer.headers });
  },
};
const connector = createConnector({ configuration: loadConfiguration(setting.configuration, catalog), catalog, ports });

let liveBytes = 0;
let nextPollMs = 0;
for (let batches = 0; ; batches += 1) {
  if (clock.now().getTime() >= nextPollMs) {
    nextPollMs = clock.now().getTime() + pollEveryMs;
    await time.run(connector.engine.poll(integration));
  }
  if (!(await workOff('live')) && !(await workOff('bulk'))) {
    const next = await nextMessage();
    if (next === undefined) break;
    time.turnTo(new Date(Math.min(next.getTime(), nextPollMs)));
  }
  if (batches % batchesPerLook === 0) look();
}
look();
const taken: Taken = { liveBytes, residentBytes: process.resourceUsage().maxRSS * 1024 };
process.stdout.write(`${JSON.stringify(taken)}\n`);
surroundings.disconnect();

function look(): void {
  globalThis.gc?.();
  liveBytes = Math.max(liveBytes, process.memoryUsage().heapUsed);
}

async function workOff(queue: 'live' | 'bulk'): Promise<boolean> {
  const batch = await queues.receive(queue, { visibilityMs });
  if (batch.length === 0) return false;
  const deadline = new Date(clock.now().getTime() + shiftMs);
  const { failed } = await time.run(connector.engine.process(integration, batch, deadline));
  await queues.remove(
    queue,
    batch.filter(({ id }) => !failed.includes(id)).map(({ handle }) => handle),
  );
  return true;
}

async function nextMessage(): Promise<Date | undefined> {
  const instants = [await queues.nextVisibleAt('live'), await queues.nextVisibleAt('bulk')].filter((instant) => instant !== undefined);
  return instants.length === 0 ? undefined : new Date(Math.min(...instants.map((instant) => instant.getTime())));
}

/** A port that lives in the other process. */
function remote<Port extends object>(part: string): Port {
  return new Proxy({} as Port, {
    get: (_target, method) => (typeof method === 'string' ? (...args: unknown[]) => call(part, method, args) : undefined),
  });
}

function callerOf(
  process: ChildProcess,
  virtual: VirtualTime,
): (part: string, method: string, args: readonly unknown[]) => Promise<unknown> {
  const waiting = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void }>();
  let lastId = 0;
  process.on('message', (message) => {
    const told = message as Told;
    const asked = waiting.get(told.id);
    waiting.delete(told.id);
    if ('value' in told) asked?.resolve(told.value);
    else asked?.reject('failure' in told ? Failure.from(told.failure) : new Error(told.error));
  });
  return (part, method, args) =>
    virtual.during(
      () =>
        new Promise((resolve, reject) => {
          lastId += 1;
          waiting.set(lastId, { resolve, reject });
          process.send({ id: lastId, nowMs: virtual.clock.now().getTime(), part, method, args });
        }),
    );
}
