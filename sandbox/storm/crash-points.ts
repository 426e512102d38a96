import { catalog } from '../../lib/catalog.ts';
import type { Ports } from '../../lib/connector.ts';
import { kestrel } from '../companies/kestrel.ts';
import { createWorld, type World } from '../world.ts';
import { comeToRest } from './calm.ts';
import { createDraws } from './draws.ts';
import type { Finding } from './finding.ts';
import type { Action, Hands } from './office.ts';
import { judge } from './oracle.ts';
import { Weather } from './weather.ts';

/** How the answer of an effect is lost to the worker that waits for it. */
export const manners = ['lost', 'late', 'error'] as const;
export type Manner = (typeof manners)[number];

/** One flow kind at work, small enough to be run once per effect. */
export interface Story {
  readonly name: string;
  /** Done and settled before. */
  readonly given: readonly Action[];
  /** What sets the worker going. */
  readonly when: readonly Action[];
}

const revenue = { recognizedRevenueAccountingCode: 'Subscription Revenue' };
const taxed = { tax: '8.25', taxAccountingCode: 'Sales Tax Payable' };
const invoice = {
  action: 'create-invoice',
  number: 'INV1',
  account: 'KR-10023',
  date: '2026-03-09',
  items: [{ amount: '100.00', ...taxed, ...revenue }],
};
const paid = { account: 'KR-10023', date: '2026-03-09', type: 'External', methodType: 'WireTransfer' };
const payment = {
  action: 'create-payment',
  number: 'P-1',
  ...paid,
  amount: '120.00',
  applications: [{ invoice: 'INV1', amount: '108.25' }],
};
const memo = {
  action: 'create-credit-memo',
  number: 'CM1',
  account: 'KR-10023',
  date: '2026-03-09',
  items: [{ amount: '30.00', ...revenue }],
};

export const stories: readonly Story[] = [
  { name: 'an invoice of a customer who is made on demand', given: [], when: [invoice] },
  { name: 'a payment that is applied', given: [invoice], when: [payment] },
  {
    name: 'a credit memo and its later application',
    given: [invoice],
    when: [memo, { action: 'apply-memo', number: 'CM1', invoice: 'INV1', amount: '30.00', date: '2026-03-09' }],
  },
  {
    name: 'an invoice that is unposted, changed and posted again',
    given: [invoice],
    when: [
      { action: 'unpost', number: 'INV1' },
      { action: 'edit-invoice-items', number: 'INV1', items: [{ amount: '70.00', ...revenue }] },
      { action: 'post-invoice', number: 'INV1' },
    ],
  },
  {
    name: 'a refund of what is free',
    given: [invoice, payment],
    when: [{ action: 'refund-payment', number: 'R-1', payment: 'P-1', amount: '11.75', methodType: 'Check' }],
  },
  {
    name: 'a payment that is canceled',
    given: [{ ...payment, applications: [] }],
    when: [{ action: 'cancel-payment', number: 'P-1' }],
  },
  {
    name: 'a customer whose name and address change',
    given: [invoice],
    when: [
      { action: 'update-account', number: 'KR-10023', name: 'Northgate Dental Clinics' },
      { action: 'update-contact', account: 'KR-10023', address1: '13 Mill Rd', workEmail: 'office@northgate.example' },
    ],
  },
];

export interface CrashPoint {
  readonly story: string;
  /** Number of the effect, from 1, and its name. */
  readonly at: number;
  readonly effect: string;
  readonly manner: Manner;
  readonly findings: readonly Finding[];
}

/** Long enough that the lease of a worker who waits for it has ended. */
const lateMs = 400_000;

/** Counts the effects of the connector, and spoils one of them. */
class Effects {
  counted = 0;
  readonly names: string[] = [];
  spoiled: { readonly at: number; readonly manner: Manner } | undefined;
  #world: World | undefined;

  watch(world: World): void {
    this.#world = world;
  }

  around(ports: Ports): Ports {
    const through = async <Result>(name: string, act: () => Promise<Result>): Promise<Result> => {
      if (this.#world === undefined) return act();
      this.counted += 1;
      this.names.push(name);
      const manner = this.counted === this.spoiled?.at ? this.spoiled.manner : undefined;
      if (manner === 'error')
        throw Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) });
      if (manner === 'lost') this.#world.crashes.add({ effect: '*', when: 'after' });
      const result = await act();
      if (manner === 'late') await ports.clock.sleep(lateMs);
      return result;
    };
    const all = <Port extends object>(name: string, port: Port): Port =>
      new Proxy(port, {
        get(target, member) {
          const value: unknown = Reflect.get(target, member, target);
          if (typeof value !== 'function' || typeof member === 'symbol') return value;
          return (...given: unknown[]) => through(`${name}.${member}`, async () => Reflect.apply(value, target, given));
        },
      });
    return {
      ...ports,
      links: all('links', ports.links),
      audit: all('audit', ports.audit),
      state: all('state', ports.state),
      queue: (name) => all('queue', ports.queue(name)),
      fetch: (url, init) => through(`${init.method ?? 'GET'} ${new URL(url).pathname}`, () => ports.fetch(url, init)),
    };
  }
}

/** Runs a story once with one effect spoiled, and judges the end. Without `spoiled`: how many effects there are. */
export async function runStory(story: Story, spoiled?: { readonly at: number; readonly manner: Manner }) {
  const effects = new Effects();
  const weather = new Weather(createDraws(1, 2));
  const zuora = kestrel.systems['zuora'];
  if (!zuora) throw new Error('the company has no billing system');
  const acts = [...zuora.acts, { action: 'set-feature', feature: 'cancelPostedBillingDocument', value: true }];
  const world = await createWorld({
    company: { ...kestrel, systems: { ...kestrel.systems, zuora: { ...zuora, acts } } },
    catalog,
    start: new Date('2026-03-09T15:00:00Z'),
    seed: 1,
    workers: 2,
    ports: (ports) => effects.around(weather.around(ports)),
  });
  const act = (system: string, action: Action): Promise<unknown> => world.time.run(Promise.resolve(world.simulators[system]?.act(action)));
  const hands: Hands = {
    zuora: (action) => act('zuora', action),
    acumatica: (action) => act('acumatica', action),
    records: (system, noun) => world.simulators[system]?.records(noun) ?? [],
    today: () => '2026-03-09',
  };
  for (const action of story.given) await hands.zuora(action);
  await world.poll();
  await world.pass(60_000);
  effects.watch(world);
  effects.spoiled = spoiled;
  for (const action of story.when) await hands.zuora(action);
  await world.pass(30_000);
  await world.poll();
  await world.pass(20 * 60_000);
  const counted = effects.counted;
  const effect = spoiled === undefined ? '' : (effects.names[spoiled.at - 1] ?? '');
  effects.spoiled = undefined;
  await comeToRest({ world, weather, hands, draws: createDraws(1, 3), aside: [], operator: { name: 'storm' } });
  const { findings } = await judge({ world, weather, hands, edited: new Map(), errorsBefore: world.errors.length });
  return { counted, effect, findings };
}

/** Every effect of every story, each in every manner; `every` takes only each so-many-th. Answers those that ended badly. */
export async function runCrashPoints(options: { readonly every: number; readonly only?: readonly Story[] }) {
  const bad: CrashPoint[] = [];
  let points = 0;
  for (const story of options.only ?? stories) {
    const { counted, findings } = await runStory(story);
    if (findings.length > 0) bad.push({ story: story.name, at: 0, effect: 'nothing', manner: 'lost', findings });
    for (let at = 1; at <= counted; at += 1) {
      for (const [index, manner] of manners.entries()) {
        if ((at * manners.length + index) % options.every !== 0) continue;
        const end = await runStory(story, { at, manner });
        points += 1;
        if (end.findings.length > 0) bad.push({ story: story.name, at, effect: end.effect, manner, findings: end.findings });
      }
    }
  }
  return { points, bad };
}
