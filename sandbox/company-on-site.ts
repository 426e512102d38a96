import { createSeededRandom } from '../lib/memory/seeded-random.ts';
import type { SecretStore } from '../lib/ports/secret-store.ts';
import { Secret } from '../lib/values/secret.ts';
import type { CallingSimulator, Company } from './company.ts';
import { createNetwork, type Network } from './network.ts';
import type { VirtualTime } from './virtual-time.ts';
import { createWebhookPost, type WebhookPost } from './webhook-post.ts';

/** A company whose systems run: simulators on a network, seeded, with the credentials they gave out. */
export interface CompanyOnSite {
  readonly simulators: Readonly<Record<string, CallingSimulator>>;
  readonly origins: Readonly<Record<string, string>>;
  readonly network: Network;
  readonly post: WebhookPost;
  /** Seeds the systems, lets happen there what comes before the story, and stores the credentials. */
  moveIn(secrets: SecretStore, webhookAddress: (system: string) => string): Promise<void>;
  /** An administrator consents anew: what changed in the credentials is stored. */
  consent(secrets: SecretStore, system: string): Promise<void>;
}

const firstSimulatorPort = 7101;

export function openCompany(
  company: Company,
  given: {
    readonly time: VirtualTime;
    readonly seed: number;
    readonly options: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  },
): CompanyOnSite {
  const { time } = given;
  const simulators: Record<string, CallingSimulator> = {};
  const origins: Record<string, string> = {};
  const answers: Record<string, unknown[]> = {};
  const post = createWebhookPost(() => network, createSeededRandom(given.seed * 1000 + 999));
  for (const [index, [name, system]] of Object.entries(company.systems).entries()) {
    origins[name] = `http://127.0.0.1:${firstSimulatorPort + index}`;
    simulators[name] = system.create(
      { clock: time.serverClock, random: createSeededRandom(given.seed * 1000 + index), fetch: (request) => post.send(request) },
      given.options[name] ?? {},
    );
  }
  const network = createNetwork(
    time,
    Object.fromEntries(Object.entries(simulators).map(([name, simulator]) => [name, { origin: origins[name] ?? '', simulator }])),
  );

  async function act(system: string, action: Readonly<Record<string, unknown>>): Promise<unknown> {
    return time.run(Promise.resolve(simulators[system]?.act(action)));
  }

  return {
    simulators,
    origins,
    network,
    post,
    async moveIn(secrets, webhookAddress) {
      for (const [name, system] of Object.entries(company.systems)) {
        await time.run(Promise.resolve(simulators[name]?.seed(system.seed)));
        const said: unknown[] = [];
        for (const action of system.acts) said.push(await act(name, withAddress(action, webhookAddress(name))));
        answers[name] = said;
        simulators[name]?.resetCalls();
      }
      for (const [name, fields] of Object.entries(company.secrets(answers))) await secrets.put(name, secretFields(fields));
    },
    async consent(secrets, system) {
      const index = company.systems[system]?.acts.findIndex((action) => action['action'] === 'consent') ?? -1;
      const action = company.systems[system]?.acts[index];
      if (!action) throw new Error(`nobody ever consented in ${system}: the company ${company.name} has no act "consent" there`);
      const before = company.secrets(answers);
      answers[system] = (answers[system] ?? []).with(index, await act(system, action));
      for (const [name, fields] of Object.entries(company.secrets(answers))) {
        if (JSON.stringify(fields) !== JSON.stringify(before[name])) await secrets.put(name, secretFields(fields));
      }
    },
  };
}

function secretFields(fields: Readonly<Record<string, string>>): Record<string, Secret> {
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, new Secret(value)]));
}

function withAddress(act: Readonly<Record<string, unknown>>, url: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(act).map(([member, value]) => [member, value === '{webhooks}' ? url : value]));
}
