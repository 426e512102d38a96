import { catalog } from '../../lib/catalog.ts';
import { runOperation } from '../../lib/operations/operations.ts';
import type { World } from '../world.ts';
import type { Draws } from './draws.ts';
import type { Hands } from './office.ts';
import type { Weather } from './weather.ts';

/** One kind of trouble. It names itself in the counts of a run. */
export interface Trouble {
  readonly name: string;
  readonly weight: number;
  /** Takes no time of the world's clock beyond what it waits for itself. */
  strike(): void | Promise<unknown>;
}

export interface Struck {
  readonly world: World;
  readonly weather: Weather;
  readonly draws: Draws;
  readonly hands: Hands;
  /** Work that goes on beside the history; waited for before it ends. */
  readonly aside: Promise<unknown>[];
  readonly operator: { readonly name: string };
}

const systems = ['acumatica', 'zuora'] as const;
const acumaticaWrites = ['PUT /Invoice', 'PUT /Payment', 'PUT /Customer', 'POST /Invoice/*', 'POST /Payment/*', 'P* /*'] as const;
const flows = catalog.integrations.flatMap((integration) => integration.flows.map(({ id }) => id));

/** Retry-After as vendors send it: right, absent, wrong. */
const waits: readonly (Readonly<Record<string, string>> | undefined)[] = [
  undefined,
  { 'retry-after': '2' },
  { 'retry-after': '45' },
  { 'retry-after': '0' },
  { 'retry-after': '-30' },
  { 'retry-after': 'soon' },
  { 'retry-after': '259200' },
  { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' },
  { 'ratelimit-reset': '7' },
];

/** Everything that goes wrong between and around two systems. */
export function createTroubles(struck: Struck): readonly Trouble[] {
  const { world, weather, draws, hands } = struck;
  const { zuora, acumatica } = hands;
  const clock = (): number => world.time.clock.now().getTime();
  const simulator = (name: string) => world.simulators[name];
  const operation = (): string => draws.oneOf('*', 'GET *', draws.pick(acumaticaWrites) ?? '*');

  function fault(name: string, weight: number, make: (system: string) => Record<string, unknown>): Trouble {
    return {
      name,
      weight,
      strike() {
        const system = draws.oneOf('acumatica', 'acumatica', 'zuora');
        const where = { operation: system === 'acumatica' ? operation() : '*', skip: draws.between(0, 8) };
        simulator(system)?.addFault({ ...where, times: 1, kind: 'status', ...make(system) });
      },
    };
  }

  const operate = (name: string, input: Record<string, unknown>): Promise<unknown> =>
    world.time.run(runOperation(world.operator, name, input, struck.operator).catch(() => undefined));

  return [
    fault('answer-lost-before', 4, () => ({ kind: 'drop-before' })),
    fault('answer-lost-after', 6, () => ({ kind: 'drop-after' })),
    fault('answer-late', 3, () => ({ kind: 'delay', ms: draws.oneOf(20_000, 90_000, 250_000, 299_000, 330_000) })),
    fault('answer-half', 3, () => ({ kind: 'truncate' })),
    fault('answer-wrong', 1.5, () => ({ kind: 'status', status: 200, body: draws.oneOf('<html>maintenance</html>', '', '[]') })),
    fault('5xx', 3, () => ({ kind: 'status', status: draws.oneOf(500, 502, 503, 504), body: draws.oneOf('', '{}', '<html/>') })),
    fault('5xx-after', 3, () => ({ kind: 'status-after', status: draws.oneOf(500, 502, 504), body: '' })),
    {
      name: '429',
      weight: 3,
      strike() {
        const headers = draws.pick(waits);
        const more = headers === undefined ? {} : { headers };
        simulator(draws.oneOf(...systems))?.addFault({
          ...{ operation: '*', skip: draws.between(0, 8), times: draws.between(1, 3) },
          ...{ kind: 'status', status: 429, body: 'Too many requests', ...more },
        });
      },
    },
    {
      name: 'crash',
      weight: 12,
      strike: () =>
        world.crashes.add({
          effect: draws.oneOf('*', '*', 'links.*', 'state.*', 'queue.*', 'acumatica *', 'acumatica P*', 'links.commit', 'links.save'),
          when: draws.oneOf('before', 'after'),
          skip: draws.between(0, 25),
        }),
    },
    { name: 'token-expired', weight: 2, strike: () => draws.oneOf(zuora, acumatica)({ action: 'expire-tokens' }) },
    {
      name: 'token-revoked',
      weight: 0.7,
      async strike() {
        await acumatica({ action: draws.oneOf('revoke-tokens', 'expire-refresh-token') });
        if (draws.chance(0.5)) await world.consent('acumatica');
      },
    },
    {
      name: 'renewal-failed',
      weight: 1,
      async strike() {
        const operations = { acumatica: 'POST /token', zuora: 'POST /oauth/token' } as const;
        const system = draws.oneOf(...systems);
        const kind = draws.oneOf('drop-before' as const, 'drop-after' as const, 'status' as const);
        simulator(system)?.addFault({ operation: operations[system], kind, status: 500, times: draws.between(1, 3) });
        await hands[system]({ action: 'expire-tokens' });
      },
    },
    { name: 'webhook-lost', weight: 3, strike: () => zuora({ action: 'lose-callouts', count: draws.between(1, 6) }) },
    {
      name: 'webhook-late',
      weight: 2,
      strike: () => zuora({ action: 'delay-callouts', count: draws.between(1, 6), ms: draws.oneOf(30_000, 400_000, 5_000_000) }),
    },
    { name: 'webhook-reordered', weight: 1, strike: () => zuora({ action: 'reorder-callouts', on: draws.chance(0.6) }) },
    {
      name: 'webhook-repeated',
      weight: 2,
      async strike() {
        const one = draws.pick(hands.records('zuora', 'callouts'));
        const number = typeof one?.['objectId'] === 'string' ? one['objectId'] : '';
        await zuora({ action: 'repeat-callouts', number, times: draws.between(1, 4), newNotificationId: draws.chance(0.3) });
      },
    },
    {
      name: 'webhook-forged',
      weight: 2,
      async strike() {
        const object = hands.records('zuora', 'invoices').at(-1)?.['id'] ?? 'f'.repeat(32);
        const body = JSON.stringify({ event: 'InvoicePosted', tenantId: '21765', objectId: object });
        const url = world.webhookAddress('zuora');
        const secret = draws.oneOf({}, { secret: 'guessed-secret' }, { headers: { 'x-zuora-signature': 'QUJD' } });
        const reply = await zuora({ action: 'forge-callout', url, body: draws.chance(0.8) ? body : body.slice(0, 30), ...secret });
        const status = (reply as { status?: number } | null | undefined)?.status;
        if (status !== undefined && status < 300) weather.count('forged-accepted');
      },
    },
    { name: 'definition-off', weight: 0.2, strike: () => zuora({ action: 'deactivate-definition', name: definition(draws, hands) }) },
    { name: 'write-held-by-vendor', weight: 2, strike: () => acumatica({ action: 'set-queue-hold', minutes: draws.oneOf(0.5, 2, 4, 9) }) },
    {
      name: 'record-locked',
      weight: 1,
      strike() {
        const one = draws.pick(hands.records('acumatica', draws.oneOf('invoices', 'payments')));
        return one && acumatica({ action: 'lock-record', type: one['type'], ref: one['ref'], times: draws.between(1, 2) });
      },
    },
    {
      name: 'outage',
      weight: 0.5,
      strike: () => acumatica({ action: 'set-outage', minutes: draws.between(1, 45), status: draws.oneOf(302, 503) }),
    },
    {
      name: 'released-by-person',
      weight: 1,
      async strike() {
        const draft = draws.pick(
          hands.records('acumatica', draws.oneOf('invoices', 'payments')).filter((one) => one['released'] === false),
        );
        if (draft) await acumatica({ action: 'release-document', type: draft['type'], ref: draft['ref'] });
      },
    },
    {
      name: 'tables-in-trouble',
      weight: 3,
      strike() {
        weather.tableTrouble = weather.tableTrouble > 0 ? 0 : draws.oneOf(0.004, 0.02, 0.08);
      },
    },
    {
      name: 'queue-twice',
      weight: 2,
      strike() {
        weather.doubles = draws.oneOf(0, 0.1, 0.5);
      },
    },
    {
      name: 'worker-stalled',
      weight: 3,
      strike() {
        weather.stallMs = draws.oneOf(15_000, 200_000, 330_000, 500_000, 500_000);
        weather.stallsAtWrites = draws.chance(0.8);
        weather.doubles = Math.max(weather.doubles, 0.5);
      },
    },
    {
      name: 'clock-skew',
      weight: 1,
      strike() {
        weather.skewMs = draws.oneOf(0, 0, -600_000, -90_000, 90_000, 600_000);
      },
    },
    {
      name: 'list-lag',
      weight: 3,
      strike() {
        weather.listLagMs = draws.oneOf(0, 60_000, 240_000, 240_000);
      },
    },
    {
      name: 'polls-overlap',
      weight: 5,
      strike() {
        for (let time = draws.between(1, 2); time > 0; time -= 1)
          struck.aside.push(world.operator.engine.poll(world.integration, { force: true }).catch(() => undefined));
      },
    },
    {
      name: 'worker-beside',
      weight: 1,
      strike() {
        struck.aside.push(world.operator.engine.keep(world.integration).catch(() => undefined));
      },
    },
    {
      name: 'mode-switched',
      weight: 1.5,
      strike: () => operate('mode', { flow: draws.pick(flows) ?? '', mode: draws.oneOf('paused', 'preview', 'live', 'live') }),
    },
    {
      // What a flow leaves out while it is off or in preview comes back by a backfill.
      name: 'flow-off-or-preview',
      weight: 0.2,
      strike() {
        weather.count('swept');
        return operate('mode', { flow: draws.pick(flows) ?? '', mode: draws.oneOf('off', 'preview') });
      },
    },
    {
      name: 'vendor-stores-otherwise',
      weight: 1,
      strike() {
        weather.tampering += 1;
      },
    },
    { name: 'deployment', weight: 1, strike: () => world.configure((written) => ({ ...written })) },
    { name: 'replay-all', weight: 0.7, strike: () => operate('replay', { held: true }) },
    { name: 'redrive', weight: 0.7, strike: () => operate('dlq-redrive', { all: true }) },
    {
      name: 'cursor-lost',
      weight: 0.4,
      async strike() {
        const name = draws.pick(flows) ?? '';
        await world.time.run(
          world.operator.ports.state.remove({ partition: `poll|${world.integration}`, name }).catch(() => 'conflict' as const),
        );
      },
    },
    {
      name: 'nonsense-on-queue',
      weight: 0.4,
      strike: () => world.queues.sendText('live', draws.oneOf('nonsense', '{}', `{"version":1,"at":${clock()}}`)),
    },
  ];
}

function definition(draws: Draws, hands: Hands): string {
  const name = draws.pick(hands.records('zuora', 'notificationDefinitions'))?.['name'];
  return typeof name === 'string' ? name : '';
}
