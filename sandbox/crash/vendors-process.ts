import { createSeededRandom } from '../../lib/memory/seeded-random.ts';
import type { CallingSimulator } from '../company.ts';
import { listen } from '../simulators/kit.ts';
import { drillCompany } from './company.ts';
import { passingClock } from './passing-time.ts';
import type { Stand } from './vendors.ts';

/** The vendors: a process of their own that is never killed. Tells where they listen; everything else goes over their control routes. */
const [today = '', invoices = '0'] = process.argv.slice(2);
const company = drillCompany(today, Number(invoices));
const origins: Record<string, string> = {};
const simulators: Record<string, CallingSimulator> = {};
for (const [index, [name, system]] of Object.entries(company.systems).entries()) {
  const world = { clock: passingClock, random: createSeededRandom(index + 1), fetch: (request: Request) => fetch(request) };
  const simulator = system.create(world, { autoDeliver: true });
  await simulator.seed(system.seed);
  origins[name] = (await listen(simulator)).url;
  simulators[name] = simulator;
}
process.send?.({ origins });
process.on('message', () => process.send?.({ stand: stand() }));
process.on('disconnect', () => process.exit());

function stand(): Stand {
  const records = (system: string, noun: string) => simulators[system]?.records(noun) ?? [];
  const calls = Object.values(simulators).flatMap((simulator) => Object.values(simulator.calls()));
  const callouts: Record<string, number> = {};
  for (const { state } of records('zuora', 'callouts')) callouts[String(state)] = (callouts[String(state)] ?? 0) + 1;
  return {
    calls: calls.reduce((sum, count) => sum + count, 0),
    released: records('acumatica', 'invoices').filter((document) => document['released'] === true).length,
    callouts,
  };
}
