import * as z from 'zod';
import type { AuditEntry } from '../../../lib/contracts/audit.ts';
import type { PostFlow } from '../../../lib/contracts/flow.ts';
import type { Catalog, Integration } from '../../../lib/contracts/integration.ts';
import type { Vendor } from '../../../lib/contracts/vendor.ts';
import type { PairContext } from '../../../lib/integrations/acumatica-zuora/context.ts';
import { acumaticaZuora } from '../../../lib/integrations/acumatica-zuora/integration.ts';
import { eq } from '../../../lib/vendors/acumatica/filter.ts';
import { acumatica } from '../../../lib/vendors/acumatica/vendor.ts';
import { zuora } from '../../../lib/vendors/zuora/vendor.ts';
import { kestrel } from '../../../sandbox/companies/kestrel.ts';
import { createWorld, type World } from '../../../sandbox/world.ts';

/** The document flows against both simulators. Customers are found by AccountRef only: what makes them is proven elsewhere. */

const accountRow = z.object({ id: z.string(), number: z.string(), updatedAt: z.string() });
type Account = z.infer<typeof accountRow>;

const customersFound: PostFlow<Account, Account, Account, PairContext> = {
  id: 'customers',
  kind: 'post',
  summary: 'Finds customers by AccountRef.',
  from: 'b',
  wakes: { webhooks: [], poll: '0 3 1 1 *' },
  source: {
    feeds: () => [],
    async rows(context, keys) {
      const rows = await context.zuora.fetchByIds('accounts', keys);
      return new Map(rows.map((row) => [row.id, { id: row.id, number: row.accountNumber, updatedAt: row.updatedDate }]));
    },
    row: accountRow,
    describe: (row) => ({ key: row.id, label: row.number, header: row.number }),
  },
  screen: () => ({ is: 'go' }),
  gather: async (_context, rows) => new Map(rows.map((row) => [row.id, row])),
  decide: (_row, memory) =>
    memory.postings?.[0]?.stage === 'posted' ? { do: 'settle', outcome: 'unchanged' } : { do: 'post', generation: 1 },
  references: () => [],
  map: (row) => row,
  remember: (row) => row,
  target: {
    marker: (row) => row.number,
    money: () => undefined,
    sentence: (row) => row.number,
    data: (row) => row,
    async locate(context, asks) {
      const located = new Map();
      for (const { draft } of asks)
        for await (const page of context.acumatica.list('Customer', { filter: eq('Customer', 'AccountRef', draft.number) }))
          for (const row of page) located.set(draft.number, { is: 'posted', target: row.CustomerID });
      return located;
    },
    prepare: () => Promise.reject(new Error('customers are only found here')),
    verify: () => [],
    commit: async () => undefined,
    confirm: async () => new Map(),
    looksAfterMs: [],
  },
};

export const customers = [
  { id: 'C0000001', name: 'Northgate Dental Group', accountRef: 'KR-10023', class: 'SAAS', country: 'US', terms: '30D' },
  { id: 'C0000002', name: 'Hollis Freight LLC', accountRef: 'KR-10031', class: 'SAAS', country: 'US', terms: '30D' },
  {
    id: 'C0000003',
    name: 'Tornow Messtechnik GmbH',
    accountRef: 'KR-20007',
    class: 'SAASEU',
    currency: 'EUR',
    country: 'DE',
    terms: '30D',
  },
];

export interface Pair {
  readonly world: World;
  /** Something happens in Zuora, and is polled and worked on. */
  bill(...acts: readonly Readonly<Record<string, unknown>>[]): Promise<void>;
  settle(): Promise<void>;
  /** A person acts in Acumatica. */
  person(act: Readonly<Record<string, unknown>>): Promise<void>;
  books(noun: 'invoices' | 'payments' | 'journals'): Promise<readonly Readonly<Record<string, unknown>>[]>;
  invoice(reference: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  payment(reference: string, type?: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Balance of an account in the ledger: debits minus credits. */
  account(code: string): Promise<string>;
  audit(): Promise<readonly AuditEntry[]>;
  held(): Promise<readonly string[]>;
  waiting(): Promise<readonly string[]>;
  /** Every write Acumatica took since the last `resetCalls`. */
  writes(): readonly string[];
  pass(minutes: number): Promise<void>;
}

export async function openPair(
  options: {
    readonly settings?: Readonly<Record<string, unknown>>;
    readonly flows?: Readonly<Record<string, unknown>>;
    readonly customers?: readonly Readonly<Record<string, unknown>>[];
    readonly start?: string;
    readonly acumatica?: Readonly<Record<string, unknown>>;
    readonly zuora?: Readonly<Record<string, unknown>>;
  } = {},
): Promise<Pair> {
  const integration: Integration = {
    ...(acumaticaZuora as Integration),
    flows: [customersFound as PostFlow, ...(acumaticaZuora.flows as readonly PostFlow[]).filter((flow) => flow.id !== 'customers')],
  };
  const catalog: Catalog = { vendors: { acumatica: acumatica as Vendor, zuora: zuora as Vendor }, integrations: [integration] };
  const world = await createWorld({
    company: {
      ...kestrel,
      systems: Object.fromEntries(
        Object.entries(kestrel.systems).map(([name, system]) => [
          name,
          name === 'acumatica' ? { ...system, seed: { ...(system.seed as object), customers: options.customers ?? customers } } : system,
        ]),
      ),
    },
    catalog,
    start: new Date(options.start ?? '2026-03-20T12:00:00Z'),
    seed: 7,
    options: { acumatica: options.acumatica ?? {}, zuora: options.zuora ?? {} },
    configure: (configuration) => {
      const integrations = configuration['integrations'] as Record<string, Record<string, unknown>>;
      const pair = integrations['acumatica-zuora'] ?? {};
      return {
        ...configuration,
        integrations: {
          'acumatica-zuora': {
            ...pair,
            ...(options.flows === undefined ? {} : { flows: options.flows }),
            settings: { ...(pair['settings'] as object), ...options.settings },
          },
        },
      };
    },
  });
  world.deliverWebhooks = false;
  const of = (system: 'acumatica' | 'zuora') => {
    const simulator = world.simulators[system];
    if (!simulator) throw new Error(`no ${system}`);
    return simulator;
  };
  const records = async (noun: string) =>
    (await world.time.run(Promise.resolve(of('acumatica').records(noun)))) as readonly Readonly<Record<string, unknown>>[];
  const failures = async (state: 'held' | 'waiting') => {
    const links = world.operator.ports.links;
    const page = await world.time.run(state === 'held' ? links.listHeld(world.integration) : links.listWaiting(world.integration));
    return page.links.map((link) => `${link.label ?? ''} ${link.trouble?.cause ?? ''}`);
  };
  const visible = () =>
    (['live', 'bulk'] as const).some(
      (queue) => (world.queues.nextVisibleAt(queue)?.getTime() ?? Number.POSITIVE_INFINITY) <= world.time.clock.now().getTime() + 20_000,
    );
  /** Works until no message is left that comes back within seconds. */
  const settle = async () => {
    for (let round = 0; round < 60; round += 1) {
      await world.work();
      if (!visible()) return;
      await world.pass(5_000);
    }
    throw new Error('the queues do not come to rest');
  };
  return {
    world,
    settle,
    async bill(...acts) {
      for (const act of acts) await world.time.run(Promise.resolve(of('zuora').act(act)));
      await world.poll();
      await settle();
    },
    async person(act) {
      await world.time.run(Promise.resolve(of('acumatica').act(act)));
    },
    books: records,
    invoice: async (reference) => (await records('invoices')).find((row) => row['reference'] === reference),
    payment: async (reference, type = 'Payment') =>
      (await records('payments')).find((row) => row['reference'] === reference && row['type'] === type),
    async account(code) {
      const rows = (await records('gl')) as readonly { readonly account: string; readonly debit: string; readonly credit: string }[];
      const own = rows.filter((row) => row.account === code);
      return own.reduce((total, row) => (Number(total) + Number(row.debit) - Number(row.credit)).toFixed(2), '0.00');
    },
    audit: async () => (await world.time.run(world.operator.ports.audit.query({ integration: world.integration, limit: 500 }))).entries,
    held: () => failures('held'),
    waiting: () => failures('waiting'),
    writes: () =>
      Object.keys(of('acumatica').calls()).filter(
        (operation) => /^(PUT|POST|DELETE)/.test(operation) && !/token|Inquiry|CompaniesStructure/.test(operation),
      ),
    async pass(minutes) {
      await world.pass(minutes * 60_000);
      await settle();
    },
  };
}

/** The invoice of the examples: 25 × 49.00 and 109.88 of tax. */
export const invoiceI1 = {
  action: 'create-invoice',
  number: 'INV00000417',
  account: 'KR-10023',
  date: '2026-03-02',
  dueDate: '2026-04-01',
  paymentTerm: 'Net 30',
  items: [
    {
      chargeName: 'Pro plan',
      amount: '1225.00',
      quantity: '25',
      unitPrice: '49.00',
      tax: '109.88',
      taxName: 'Sales tax',
      taxAccountingCode: 'Sales Tax Payable',
      recognizedRevenueAccountingCode: 'Subscription Revenue',
      deferredRevenueAccountingCode: 'Deferred Revenue',
      serviceStartDate: '2026-03-02',
      serviceEndDate: '2026-04-01',
    },
  ],
};

export const invoiceI0 = {
  action: 'create-invoice',
  number: 'INV00000398',
  account: 'KR-10023',
  date: '2026-02-02',
  dueDate: '2026-03-04',
  items: [{ chargeName: 'Setup', amount: '300.00', recognizedRevenueAccountingCode: 'Subscription Revenue' }],
};
