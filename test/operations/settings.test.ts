import { describe, expect, test } from 'vitest';
import { type Desk, invoice, openDesk, usageInvoice } from './kestrel-desk.ts';

const references = async (desk: Desk): Promise<unknown[]> => (await desk.books('invoices')).map((row) => row['reference']).sort();
const heldCount = async (desk: Desk): Promise<number> =>
  (await desk.ask<{ groups: readonly { readonly count: number }[] }>('holds')).groups.reduce((sum, { count }) => sum + count, 0);
const modeOf = async (desk: Desk, flow: string): Promise<string | undefined> => {
  const { integrations } = await desk.ask<{
    integrations: readonly { readonly flows: readonly { readonly flow: string; readonly mode: string }[] }[];
  }>('status');
  return integrations[0]?.flows.find((one) => one.flow === flow)?.mode;
};
type Tables = {
  readonly integrations: readonly { readonly tables: readonly { readonly table: string; readonly rows: readonly unknown[] }[] }[];
};
const rows = async (desk: Desk, table: string): Promise<readonly unknown[]> =>
  (await desk.ask<Tables>('mappings', { table })).integrations[0]?.tables[0]?.rows ?? [];

describe('map', () => {
  test('a row that was missing releases every record held for it, and the books have them to the cent', async () => {
    const desk = await openDesk();
    await desk.zuora(usageInvoice('INV00000420'), usageInvoice('INV00000421', '33.33'));
    await desk.settle();
    expect(await heldCount(desk)).toBe(2);
    expect(await desk.ask('map', { table: 'accountMap', row: { code: 'EU Usage', account: '40100' } })).toMatchObject({
      key: 'code=eu usage',
      released: 2,
    });
    await desk.settle();
    expect(await heldCount(desk)).toBe(0);
    expect((await desk.books('invoices')).map((row) => row['amount'])).toEqual(['90', '33.33']);
    await desk.world.keep();
    expect(await desk.ask('dlq-list')).toMatchObject({ letters: [] });
  });

  test('a row is changed in place, shown with who and when, and removed by its name in any letter case', async () => {
    const desk = await openDesk();
    await desk.ask('map', { table: 'accountMap', row: { code: 'EU Usage', account: '40100' } }, 'anna');
    await desk.ask('map', { table: 'accountMap', row: { code: 'eu usage ', account: '40000' } }, 'bert');
    expect(await rows(desk, 'accountMap')).toEqual([
      { key: 'code=eu usage', row: expect.objectContaining({ account: '40000' }), editedBy: 'bert', editedAt: expect.any(String) },
    ]);
    const { entries } = await desk.ask<{ entries: readonly unknown[] }>('audit', { outcome: 'operator' });
    expect(entries.at(-1)).toMatchObject({ operator: 'bert', before: { account: '40100' }, after: { account: '40000' } });
    await desk.ask('map', { table: 'accountMap', key: 'code=EU Usage', row: null });
    expect(await rows(desk, 'accountMap')).toEqual([]);
  });

  test('entries of a table of names, and rows that connector.yaml has', async () => {
    const desk = await openDesk();
    await desk.ask('map', { table: 'reasonAccounts', key: 'Goodwill', row: '66000' });
    expect(await rows(desk, 'reasonAccounts')).toMatchObject([
      { key: 'Write-off', row: '66000' },
      { key: 'Goodwill', row: '66000', editedBy: 'anna' },
    ]);
    await desk.ask('map', { table: 'reasonAccounts', key: 'Write-off', row: null });
    expect(await rows(desk, 'reasonAccounts')).toMatchObject([{ key: 'Goodwill' }]);
    const methods = await rows(desk, 'methods');
    await desk.ask('map', { table: 'methods', key: 'currency=EUR;methodType=CreditCard', row: null });
    expect(await rows(desk, 'methods')).toHaveLength(methods.length - 1);
  });

  test('refuses what would break the settings, and changes nothing', async () => {
    const desk = await openDesk();
    const before = JSON.stringify(await desk.ask('mappings'));
    const refusals: readonly (readonly [object, string])[] = [
      [{ table: 'accountMaps', row: { code: 'x' } }, 'has no mapping table "accountMaps". → Use one of: accountMap'],
      [{ table: 'accountMap', row: { code: 'EU Usage' } }, 'account'],
      [{ table: 'accountMap', row: { code: 'EU Usage', acount: '40100' } }, 'acount'],
      [{ table: 'accountMap', row: { code: 'EU Usage', account: 40100 } }, 'account'],
      [{ table: 'accountMap', row: { code: 'EU Usage', account: '4'.repeat(40) } }, 'account'],
      [{ table: 'accountMap', row: { code: 'EU Usage', account: '40100', currency: 'euro' } }, 'currency'],
      [{ table: 'accountMap', row: '40100' }, 'is a set of fields'],
      [{ table: 'accountMap', row: ['40100'] }, 'row'],
      [{ table: 'accountMap', row: null }, 'needs to know which row is meant'],
      [{ table: 'accountMap', key: 'code=Nothing', row: null }, 'accountMap has no row code=nothing'],
      [{ table: 'accountMap', key: 'EU Usage', row: null }, 'does not name a row of accountMap. → A row is named by: code=…;currency=…'],
      [{ table: 'reasonAccounts', row: '66000' }, 'needs to know which entry is meant'],
      [{ table: 'reasonAccounts', key: 'Goodwill', row: { account: '66000' } }, 'is one text'],
      [{ table: 'reasonAccounts', key: '__proto__', row: '66000' }, 'cannot be the name of an entry'],
      [{ table: 'accountMap', row: { code: 'x'.repeat(300), account: '40100' } }, 'code'],
      [{ table: 'accountMap' }, 'row'],
    ];
    for (const [input, expected] of refusals) expect(await desk.refusal('map', input), JSON.stringify(input)).toContain(expected);
    expect(JSON.stringify(await desk.ask('mappings'))).toBe(before);
    expect(await desk.ask('check')).not.toMatchObject({ parts: [{ results: [{ id: 'ConfigurationInvalid' }] }] });
  });

  test('the last payment method cannot be removed: payments would have nowhere to go', async () => {
    const desk = await openDesk({ settings: { methods: [{ paymentMethod: 'ZWIRE', cashAccount: '10200' }] } });
    expect(await rows(desk, 'methods')).toHaveLength(1);
    expect(await desk.refusal('map', { table: 'methods', key: ';', row: null })).toContain('payments need a payment method');
    expect(await rows(desk, 'methods')).toHaveLength(1);
  });
});

describe('mode', () => {
  test('preview writes nothing anywhere; live then books everything that was planned', async () => {
    const desk = await openDesk({ mode: 'preview', flows: { customers: 'live' } });
    await desk.zuora(invoice('INV00000417'), usageInvoice('INV00000420'));
    await desk.settle();
    expect(await references(desk)).toEqual([]);
    expect(await desk.ask('plans', { flow: 'invoices' })).toMatchObject({
      flows: [
        {
          flow: 'invoices',
          mode: 'preview',
          count: 2,
          would: expect.arrayContaining([expect.objectContaining({ would: 'post', count: 1, money: ['1,225.00 USD'] })]),
          troubles: [expect.objectContaining({ cause: 'account-map:EU Usage', count: 1 })],
        },
      ],
    });
    expect(await desk.ask('explain', { record: 'INV00000417' })).toMatchObject({
      stories: [{ state: 'planned', plan: { would: 'post' }, next: expect.stringContaining('when the flow goes live') }],
    });
    // Long after the cursor passed them.
    await desk.world.pass(3 * 3_600_000);
    expect(await desk.ask('mode', { flow: 'invoices', mode: 'live' })).toMatchObject({
      before: 'preview',
      notes: [expect.stringContaining('listed again: 2 records')],
    });
    await desk.settle();
    expect(await references(desk)).toEqual(['INV00000417']);
    expect(await heldCount(desk)).toBe(1);
  });

  test('plans come a page at a time', async () => {
    const desk = await openDesk({ mode: 'preview', flows: { customers: 'live' } });
    await desk.zuora(invoice('INV00000417'), invoice('INV00000418'), invoice('INV00000419'));
    await desk.settle();
    const labels: string[] = [];
    let after: string | undefined;
    do {
      const page = await desk.ask<{ plans: readonly { readonly label: string }[]; next?: string }>('plans', {
        flow: 'invoices',
        limit: 2,
        ...(after === undefined ? {} : { after }),
      });
      labels.push(...page.plans.map(({ label }) => label));
      after = page.next;
    } while (after !== undefined);
    expect(labels.sort()).toEqual(['INV00000417', 'INV00000418', 'INV00000419']);
  });

  test('paused keeps what changes and books it afterwards', async () => {
    const desk = await openDesk();
    await desk.settle();
    expect(await desk.ask('mode', { flow: 'invoices', mode: 'paused' })).toMatchObject({ before: 'live', mode: 'paused' });
    await desk.zuora(invoice('INV00000417'));
    await desk.world.pass(3_600_000);
    expect(await references(desk)).toEqual([]);
    await desk.ask('mode', { flow: 'invoices', mode: 'live' });
    await desk.world.pass(3_600_000);
    expect(await references(desk)).toEqual(['INV00000417']);
  });

  test('off leaves out what changes; live again takes it after all', async () => {
    const desk = await openDesk();
    await desk.settle();
    await desk.ask('mode', { flow: 'invoices', mode: 'off' });
    await desk.zuora(invoice('INV00000417'));
    await desk.world.pass(3_600_000);
    expect(await references(desk)).toEqual([]);
    expect(await desk.ask('mode', { flow: 'invoices', mode: 'live' })).toMatchObject({
      notes: [expect.stringContaining('listed again: 1 record ')],
    });
    await desk.settle();
    expect(await references(desk)).toEqual(['INV00000417']);
  });

  test('a second time is no change and leaves no line', async () => {
    const desk = await openDesk();
    await desk.ask('mode', { flow: 'acumatica-zuora.invoices', mode: 'paused' });
    await desk.ask('mode', { flow: 'invoices', mode: 'paused' });
    const { entries } = await desk.ask<{ entries: readonly unknown[] }>('audit', { flow: 'invoices', outcome: 'operator' });
    expect(entries).toMatchObject([{ record: 'acumatica-zuora.invoices|*', sentence: 'anna switched invoices from live to paused.' }]);
    expect(await modeOf(desk, 'invoices')).toBe('paused');
  });

  test('refuses flows and modes that do not exist, and what the settings rule out', async () => {
    const desk = await openDesk();
    expect(await desk.refusal('mode', { flow: 'orders', mode: 'live' })).toContain('has no flow "orders"');
    expect(await desk.refusal('mode', { flow: 'invoices', mode: 'on' })).toContain('mode');
    const summary = await openDesk({ settings: { postingMode: 'gl-summary', revenue: 'zuora-journals', startFrom: '2026-03-01' } });
    expect(await summary.refusal('mode', { flow: 'invoices', mode: 'live' })).toContain('cannot be switched on: postingMode gl-summary');
    expect(await modeOf(summary, 'invoices')).toBe('off');
  });
});

describe('poll and register', () => {
  test('poll looks now; a backfill lists everything since the cut-over; unknown flows are refused', async () => {
    const desk = await openDesk();
    await desk.zuora(invoice('INV00000417'));
    const first = await desk.ask<{ reports: readonly { readonly flows: readonly unknown[] }[] }>('poll', {
      flows: ['customers', 'invoices'],
    });
    expect(first.reports[0]?.flows).toMatchObject([
      { flow: 'customers', listed: 3 },
      { flow: 'invoices', listed: 1, queued: 1 },
    ]);
    await desk.settle();
    const again = await desk.ask<{ reports: readonly { readonly flows: readonly unknown[] }[] }>('poll', {
      flows: ['invoices'],
      backfill: true,
    });
    expect(again.reports[0]?.flows).toMatchObject([{ flow: 'invoices', listed: 1, unchanged: 1, queued: 0 }]);
    expect(await desk.refusal('poll', { flows: ['orders'] })).toContain('There is no flow "orders"');
    expect(await desk.refusal('poll', { flows: [] })).toContain('flows');
  });

  test('register sets up the callouts, and a second time finds them as they should be', async () => {
    const desk = await openDesk();
    const origin = new URL(desk.world.webhookAddress('zuora')).origin;
    const first = await desk.ask<{
      registered: readonly { readonly system: string; readonly url: string; readonly lines: readonly string[] }[];
    }>('register', { origin });
    expect(first.registered).toMatchObject([{ system: 'zuora', url: desk.world.webhookAddress('zuora') }]);
    expect(first.registered[0]?.lines.length).toBeGreaterThan(0);
    expect(JSON.stringify(first)).not.toContain('rehearsal-Hmac');
    expect(await desk.refusal('register', { origin: 'ftp://example.test' })).toContain('origin');
    expect(await desk.refusal('register', {})).toContain('origin');
  });
});
