import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createSeededRandom } from '../../lib/memory/seeded-random.ts';
import { machineClock } from '../cloud/clock.ts';
import { readJsonFile, writeJsonFile } from '../cloud/file-store.ts';
import type { CallingSimulator, Company } from '../company.ts';
import { listen } from '../simulators/kit.ts';
import { StartError } from './start-error.ts';

/** A company's systems on loopback, as they were left when the folder knows them. */
export interface RunningSystems {
  readonly simulators: Readonly<Record<string, CallingSimulator>>;
  /** Address of each system: `http://127.0.0.1:7101`. */
  readonly origins: Readonly<Record<string, string>>;
  /** What happens there before the story begins, all of it or only the consents; answers what each system said, act by act. */
  act(which: 'all' | 'consent'): Promise<Readonly<Record<string, readonly unknown[]>>>;
  /** Puts the company's records into systems that are new. */
  seed(): Promise<void>;
  save(): void;
  close(): Promise<void>;
}

/** Ids that the simulators make up are the same in every first run, and never those of the run before in a later one. */
const firstSeed = 20_260_302;

export async function startSystems(
  company: Company,
  given: {
    readonly folder: string;
    readonly isNew: boolean;
    readonly ports: Readonly<Record<string, number>>;
    readonly say: (sentence: string) => void;
  },
): Promise<RunningSystems> {
  const simulators: Record<string, CallingSimulator> = {};
  const servers: { close(): Promise<void> }[] = [];
  const origins: Record<string, string> = {};
  const fileOf = (system: string): string => join(given.folder, `${system}.json`);
  for (const [index, [name, system]] of Object.entries(company.systems).entries()) {
    const random = createSeededRandom(given.isNew ? firstSeed + index : randomInt(2 ** 31));
    const simulator = system.create({ clock: machineClock, random, fetch: (request) => fetch(request) }, { autoDeliver: true });
    if (!given.isNew) simulator.restore(readJsonFile(fileOf(name)));
    const server = await listen(simulator, await freePort(name, given.ports[name] ?? 0, given.say));
    simulators[name] = simulator;
    servers.push(server);
    origins[name] = server.url;
  }
  return {
    simulators,
    origins,
    async seed() {
      for (const [name, system] of Object.entries(company.systems)) await simulators[name]?.seed(system.seed);
    },
    async act(which) {
      const answers: Record<string, unknown[]> = {};
      for (const [name, system] of Object.entries(company.systems)) {
        const said: unknown[] = [];
        for (const act of system.acts)
          said.push(which === 'all' || act['action'] === 'consent' ? await simulators[name]?.act(act) : undefined);
        answers[name] = said;
      }
      return answers;
    },
    save() {
      for (const [name, simulator] of Object.entries(simulators)) writeJsonFile(fileOf(name), simulator.snapshot());
    },
    async close() {
      for (const simulator of Object.values(simulators)) if ('stop' in simulator && typeof simulator.stop === 'function') simulator.stop();
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

/** The port asked for, or another one when somebody else has it. */
export async function freePort(what: string, wanted: number, say: (sentence: string) => void): Promise<number> {
  for (const port of [wanted, 0]) {
    const server = createServer();
    const taken = await new Promise<number | undefined>((resolve) => {
      server.once('error', () => resolve(undefined));
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        resolve(address !== null && typeof address === 'object' ? address.port : undefined);
      });
    });
    await new Promise((resolve) => server.close(resolve));
    if (taken === undefined) continue;
    if (wanted !== 0 && taken !== wanted) say(`Port ${wanted} is in use by another program; ${what} is at ${taken} instead.`);
    return taken;
  }
  throw new StartError('This machine has no free port.', 'End programs that listen on 127.0.0.1, then start again.');
}
