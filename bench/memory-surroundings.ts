import { stringify } from 'yaml';
import { catalog } from '../lib/catalog.ts';
import { loadConfiguration } from '../lib/configuration/load.ts';
import { Failure } from '../lib/failures.ts';
import { createMemoryQueues } from '../lib/memory/change-queue.ts';
import { createMemoryDatabase } from '../lib/memory/database.ts';
import { createHandTurnedClock } from '../lib/memory/hand-turned-clock.ts';
import { createOrderedIds } from '../lib/memory/ordered-ids.ts';
import { createMemorySecretStore } from '../lib/memory/secret-store.ts';
import { createSeededRandom } from '../lib/memory/seeded-random.ts';
import { createMemoryStateStore } from '../lib/memory/state-store.ts';
import { openCompany } from '../sandbox/company-on-site.ts';
import { createVirtualTime } from '../sandbox/virtual-time.ts';
import { billingRunCompany, runSize } from './billing-run-company.ts';
import type { Ask, Setting, Told } from './memory-messages.ts';

/**
 * Everything around a connector in a process of its own: both vendors, and the stores and queues that are AWS in a deployment. The process beside
 * it then holds nothing but the connector, and its memory is the connector's.
 */
const clock = createHandTurnedClock(new Date('2026-03-10T20:00:00Z'));
const time = createVirtualTime(clock);
const random = createSeededRandom(1);
const company = billingRunCompany(runSize(Number(process.argv[2])));
const site = openCompany(company, { time, seed: 1, options: {} });
const secrets = createMemorySecretStore();
const database = createMemoryDatabase();
const queues = createMemoryQueues({ clock, ids: createOrderedIds({ clock, random }) });
const parts: Readonly<Record<string, object>> = {
  links: database.links,
  audit: database.audit,
  state: createMemoryStateStore({ clock }),
  queues,
  deadLetters: queues.deadLetters,
};

await site.moveIn(secrets, () => 'http://127.0.0.1:7100/webhooks');
const written = stringify(company.configuration(site.origins));
const { connections } = loadConfiguration(written, catalog);
const setting: Setting = { configuration: written, secrets: {} };
for (const { secret } of Object.values(connections)) {
  setting.secrets[secret] = Object.fromEntries(Object.entries(await secrets.fetch(secret)).map(([name, value]) => [name, value.reveal()]));
}

process.on('message', (ask: Ask) => {
  void answer(ask).then((told) => process.send?.(told));
});
process.on('disconnect', () => process.exit());
process.send?.(setting);

async function answer({ id, nowMs, part, method, args }: Ask): Promise<Told> {
  time.turnTo(new Date(nowMs));
  try {
    if (part === 'vendors') return { id, value: await vendorAnswer(String(args[0]), args[1] as RequestInit) };
    const target = parts[part] ?? {};
    const value: unknown = await Reflect.apply(Reflect.get(target, method) as (...all: unknown[]) => unknown, target, args);
    return { id, value };
  } catch (error) {
    return error instanceof Failure ? { id, failure: error.record } : { id, error: String(error) };
  }
}

async function vendorAnswer(url: string, init: RequestInit) {
  const response = await site.network.fetch(url, init);
  return { status: response.status, headers: [...response.headers], body: await response.text() };
}
