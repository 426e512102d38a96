import { beforeAll, describe, expect, test } from 'vitest';
import { type Desk, invoice, openDesk, usageInvoice } from './kestrel-desk.ts';

/** One company with a posted invoice, its payment, and two invoices that nobody mapped: looked at from every side. */
let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
  await desk.zuora(
    invoice('INV00000417'),
    usageInvoice('INV00000420'),
    usageInvoice('INV00000421', '10.00', { account: 'KR-20007' }),
    usageInvoice('INV00000422', '33.33', { account: 'KR-10031' }),
    {
      action: 'create-payment',
      number: 'P-00000188',
      account: 'KR-10023',
      date: '2026-03-09',
      methodType: 'CreditCard',
      type: 'Electronic',
      gateway: 'Stripe',
      amount: '1225.00',
      applications: [{ invoice: 'INV00000417', amount: '1225.00', date: '2026-03-09' }],
    },
  );
  await desk.settle();
});

interface Story {
  readonly record: string;
  readonly flow: string;
  readonly state: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly timeline: readonly { readonly outcome: string }[];
}
const stories = async (record: string, more: object = {}): Promise<readonly Story[]> =>
  (await desk.ask<{ stories: readonly Story[] }>('explain', { record, ...more })).stories;

describe('explain', () => {
  test('tells where an invoice stands by its number, in any letter case', async () => {
    const [story, ...others] = await stories('inv00000417');
    expect(others).toEqual([]);
    expect(story).toMatchObject({
      flow: 'acumatica-zuora.invoices',
      label: 'INV00000417',
      state: 'synced',
      money: '1,225.00 USD',
      keys: { acumatica: expect.stringMatching(/^Invoice\/AR\d+$/) },
      targets: [{ generation: 1, kind: 'post', stage: 'posted', marker: 'INV00000417' }],
    });
    expect(story?.timeline.map((entry) => entry.outcome)).toContain('posted');
  });

  test('finds the same story by vendor id, by the document in the books, and by full reference', async () => {
    const [story] = await stories('INV00000417');
    const { record = '', keys = {} } = story ?? {};
    for (const name of [keys['zuora'] ?? '', keys['acumatica'] ?? '', record, ` ${record} `])
      expect((await stories(name))[0]?.record).toBe(record);
  });

  test('tells every story of a payment that several flows know, and one when the flow is named', async () => {
    expect((await stories('P-00000188')).map(({ flow }) => flow)).toEqual(['acumatica-zuora.payments', 'acumatica-zuora.applications']);
    expect((await stories('P-00000188', { flow: 'payments' })).map(({ flow }) => flow)).toEqual(['acumatica-zuora.payments']);
  });

  test('finds a customer by account number, by CustomerID and by account number with name', async () => {
    const [customer] = await stories('KR-10023');
    expect(customer).toMatchObject({ flow: 'acumatica-zuora.customers', state: 'synced' });
    expect((await stories(customer?.keys['acumatica'] ?? ''))[0]?.record).toBe(customer?.record);
    expect((await stories('KR-10023 Northgate Dental Group'))[0]?.record).toBe(customer?.record);
  });

  test('says of a held one why, since when, and what a person does next', async () => {
    expect((await stories('INV00000420'))[0]).toMatchObject({
      state: 'held',
      trouble: {
        cause: 'account-map:EU Usage',
        since: expect.stringContaining('2026-03-20T12:00'),
        fix: expect.stringContaining('accountMap'),
      },
      next: expect.stringContaining('accountMap'),
    });
  });

  test('refuses what is not known with what to try', async () => {
    expect(await desk.refusal('explain', { record: 'INV99999999' })).toMatch(/No record "INV99999999" is known here.*replay FLOW NUMBER/s);
    expect(await desk.refusal('explain', { record: 'x|y' })).toContain('is not a record reference');
    expect(await desk.refusal('explain', { record: 'nav-zuora.invoices|b|1' })).toContain(
      'names the flow "nav-zuora.invoices", which this deployment does not have',
    );
    expect(await desk.refusal('explain', { record: '   ' })).toContain('must not be empty');
    expect(await desk.refusal('explain', { record: 'INV1', flow: 'orders' })).toContain(
      'There is no flow "orders". → Use one of: customers, invoices',
    );
  });
});

interface Entry {
  readonly id: string;
  readonly at: string;
  readonly record: string;
  readonly outcome: string;
}
const audit = (input: object): Promise<{ entries: readonly Entry[]; more: boolean; before?: string }> => desk.ask('audit', input);

describe('audit', () => {
  test('shows the newest that fit, oldest of them first', async () => {
    const all = (await audit({ limit: 500 })).entries;
    expect(all.length).toBeGreaterThan(6);
    expect(all.map(({ at, id }) => `${at}|${id}`)).toEqual([...all].map(({ at, id }) => `${at}|${id}`).sort());
    const last = await audit({ limit: 3 });
    expect(last.entries.map(({ id }) => id)).toEqual(all.slice(-3).map(({ id }) => id));
    expect(last.more).toBe(true);
  });

  test('goes back page by page without a gap and without a repeat', async () => {
    const all = (await audit({ limit: 500 })).entries.map(({ id }) => id);
    const pages: string[][] = [];
    let before: string | undefined;
    do {
      const page = await audit({ limit: 4, ...(before === undefined ? {} : { before }) });
      pages.unshift(page.entries.map(({ id }) => id));
      before = page.before;
    } while (before !== undefined);
    expect(pages.flat()).toEqual(all);
  });

  test('filters by record, flow, outcome and time, and by all of them at once', async () => {
    const posted = await audit({ record: 'INV00000417', outcome: 'posted' });
    expect(posted.entries).toHaveLength(1);
    expect((await audit({ flow: 'customers', outcome: 'created' })).entries).toHaveLength(3);
    expect(
      (await audit({ flow: 'acumatica-zuora.invoices' })).entries.every(({ record }) => record.startsWith('acumatica-zuora.invoices|')),
    ).toBe(true);
    expect((await audit({ from: '2026-03-20', to: '2026-03-20' })).entries.length).toBeGreaterThan(6);
    expect((await audit({ from: '2026-03-21' })).entries).toEqual([]);
    expect((await audit({ to: '2026-03-20T11:59:59Z' })).entries).toEqual([]);
    const at = posted.entries[0]?.at ?? '';
    expect((await audit({ record: 'INV00000417', outcome: 'posted', flow: 'invoices', from: at, to: at })).entries).toHaveLength(1);
  });

  test('refuses a filter that could only answer nothing', async () => {
    expect(await desk.refusal('audit', { outcome: 'psoted' })).toContain('outcome');
    expect(await desk.refusal('audit', { from: '2026-02-30' })).toContain('from: must be a day (2026-03-02) or an instant in UTC');
    expect(await desk.refusal('audit', { from: '2026-03-20', to: '2026-03-01' })).toContain('lies after');
    expect(await desk.refusal('audit', { record: 'INV99999999' })).toContain('No record "INV99999999"');
    expect(await desk.refusal('audit', { limit: 5000 })).toContain('must be at most 2000');
    expect(await desk.refusal('audit', { before: 'hello' })).toContain('is no place in the audit');
  });
});

describe('holds', () => {
  test('one group per cause, with money per currency, since when, and the fix', async () => {
    expect(await desk.ask('holds')).toMatchObject({
      groups: [
        {
          cause: 'account-map:EU Usage',
          count: 3,
          money: ['10.00 EUR', '123.33 USD'],
          sentence: "Accounting code 'EU Usage' has no Acumatica account.",
          fix: expect.stringContaining('accountMap'),
          records: expect.arrayContaining([expect.objectContaining({ label: 'INV00000421', money: '10.00 EUR' })]),
        },
      ],
    });
  });

  test('by cause, by the beginning of one, and by flow', async () => {
    const counts = async (input: object) =>
      (await desk.ask<{ groups: readonly { count: number }[] }>('holds', input)).groups.map(({ count }) => count);
    expect(await counts({ cause: 'account-map:EU Usage' })).toEqual([3]);
    expect(await counts({ cause: 'account-map:*' })).toEqual([3]);
    expect(await counts({ cause: 'account-map' })).toEqual([]);
    expect(await counts({ flow: 'payments' })).toEqual([]);
  });

  test('kinds of documents are never added up with each other', async () => {
    const other = await openDesk();
    await other.acumatica({ action: 'close-period', period: '022026' });
    await other.zuora(
      invoice('INV00000398', {
        date: '2026-02-02',
        items: [{ amount: '300.00', recognizedRevenueAccountingCode: 'Subscription Revenue' }],
      }),
      {
        action: 'create-credit-memo',
        number: 'CM00000031',
        account: 'KR-10023',
        date: '2026-02-10',
        reasonCode: 'Standard credit',
        items: [{ amount: '100.00', recognizedRevenueAccountingCode: 'Subscription Revenue' }],
      },
    );
    await other.settle();
    expect(await other.ask('holds')).toMatchObject({
      groups: [{ cause: 'period:202602', count: 2, money: ['credit-memos 100.00 USD', 'invoices 300.00 USD'] }],
    });
  });
});

describe('waiting', () => {
  test('names what is waited for, and that it comes back by itself', async () => {
    const other = await openDesk();
    await other.zuora(usageInvoice('INV00000430'), {
      action: 'create-payment',
      number: 'P-00000191',
      account: 'KR-10023',
      date: '2026-03-09',
      methodType: 'CreditCard',
      type: 'Electronic',
      gateway: 'Stripe',
      amount: '90.00',
      applications: [{ invoice: 'INV00000430', amount: '90.00', date: '2026-03-09' }],
    });
    await other.settle();
    const { groups } = await other.ask<{
      groups: readonly { readonly count: number; readonly records: readonly { readonly label: string }[] }[];
    }>('waiting');
    expect(groups.flatMap(({ records }) => records.map(({ label }) => label))).toContain('P-00000191');
    const { stories: told } = await other.ask<{ stories: readonly { readonly state: string; readonly next: string }[] }>('explain', {
      record: 'P-00000191',
      flow: 'payments',
    });
    expect(told[0]).toMatchObject({ state: 'waiting', next: expect.stringContaining('comes back by itself') });
  });
});

describe('status and check', () => {
  test('status counts per flow, and says how far each has read', async () => {
    const status = await desk.ask('status');
    expect(status).toMatchObject({
      integrations: [
        {
          integration: 'acumatica-zuora',
          flows: expect.arrayContaining([
            expect.objectContaining({
              flow: 'invoices',
              mode: 'live',
              held: 3,
              waiting: 0,
              poll: 15,
              polledAt: '2026-03-20T12:00:00.000Z',
            }),
            expect.objectContaining({ flow: 'journals', mode: 'off' }),
          ]),
          connections: [
            { connection: 'erp', vendor: 'acumatica' },
            { connection: 'billing', vendor: 'zuora' },
          ],
          queues: { dead: 3, live: { waiting: 0 } },
          working: 0,
        },
      ],
    });
    expect(await desk.refusal('status', { integration: 'nav-zuora' })).toContain('Name one of: acumatica-zuora.');
  });

  test('check asks both systems and the pair, and holds no lane afterwards', async () => {
    const { parts } = await desk.ask<{ parts: readonly { readonly part: string; readonly results: readonly { readonly id: string }[] }[] }>(
      'check',
    );
    expect(parts.map(({ part }) => part)).toEqual(['erp', 'billing', 'acumatica-zuora']);
    const before = desk.world.time.clock.now();
    await desk.zuora(invoice('INV00000490'));
    await desk.world.poll();
    // A worker that had to wait for the lane of `check` would begin half a minute later.
    expect(desk.world.time.clock.now().getTime() - before.getTime()).toBeLessThan(20_000);
  });

  test('a system that is down is a red line with its reason, and status shows what is paused', async () => {
    const other = await openDesk();
    other.world.simulators['zuora']?.addFault({ operation: '*', kind: 'status', status: 401, body: '{}', times: 500 });
    const { level, parts } = await other.ask<{ level: string; parts: readonly { readonly part: string }[] }>('check');
    expect(level).toBe('red');
    expect(parts.map(({ part }) => part)).toEqual(['erp', 'billing']);
    await other.world.poll();
    expect(await other.ask('status')).toMatchObject({
      integrations: [
        {
          connections: [{ connection: 'erp' }, { connection: 'billing', pausedSince: expect.any(String), why: expect.any(String) }],
          alerts: [expect.anything()],
        },
      ],
    });
  });

  test('settings that broke with a deployment stop nobody from seeing why', async () => {
    const other = await openDesk();
    await other.world.operator.ports.state.put(
      { partition: 'settings|acumatica-zuora', name: 'table|methods|currency=usd' },
      { row: { nonsense: true }, by: 'x', at: '2026-03-01T00:00:00Z' },
    );
    expect(await other.ask('status')).toMatchObject({ integrations: [{ broken: { sentence: expect.stringContaining('methods') } }] });
    expect(await other.ask('check')).toMatchObject({ level: 'red' });
    expect(await other.ask('map', { table: 'methods', key: 'currency=USD', row: null })).toMatchObject({ key: 'currency=usd' });
    expect(await other.ask('check')).not.toMatchObject({ parts: [{ results: [{ id: 'ConfigurationInvalid' }] }] });
  });
});

describe('operations', () => {
  test('a report that does not exist is refused with those that do', async () => {
    expect(await desk.refusal('report', { report: 'profit' })).toContain('There is no report "profit".');
    expect(await desk.refusal('report', { report: 'reconcile', period: 'soon' })).toContain('must be a period');
  });

  test('nobody finds an operation by a name of every object', async () => {
    for (const name of ['toString', '__proto__', 'constructor', '', 'x'.repeat(500)])
      expect(await desk.refusal(name)).toContain('There is no operation');
  });
});
