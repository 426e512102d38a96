import { createSeededRandom } from '../../lib/memory/seeded-random.ts';
import { listen } from '../simulators/kit.ts';
import { drillCompany } from './company.ts';
import { passingClock } from './passing-time.ts';

/** The vendors: a process of their own that is never killed. Tells where they listen; everything else goes over their control routes. */
const [today = '', invoices = '0'] = process.argv.slice(2);
const company = drillCompany(today, Number(invoices));
const origins: Record<string, string> = {};
for (const [index, [name, system]] of Object.entries(company.systems).entries()) {
  const world = { clock: passingClock, random: createSeededRandom(index + 1), fetch: (request: Request) => fetch(request) };
  const simulator = system.create(world, { autoDeliver: true });
  await simulator.seed(system.seed);
  origins[name] = (await listen(simulator)).url;
}
process.send?.({ origins });
process.on('disconnect', () => process.exit());
