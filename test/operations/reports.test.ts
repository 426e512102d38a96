import { beforeAll, expect, test } from 'vitest';
import { catalog } from '../../lib/catalog.ts';
import type { FlowContext } from '../../lib/contracts/flow.ts';
import type { Report, ReportResult } from '../../lib/contracts/integration.ts';
import { command, openConsole } from '../cli/console.ts';
import { type Desk, invoice, openDesk, usageInvoice } from './kestrel-desk.ts';

/** A report that counts what the links of invoices say, on the company's own integration. */
const count: Report<FlowContext> = {
  id: 'count',
  summary: 'Counts the invoices that are in the books.',
  schedule: '0 5 * * *',
  async run(_context, { period = '202603', links }): Promise<ReportResult> {
    let all = 0;
    let held = 0;
    for await (const link of links('invoices')) {
      all += 1;
      if (link.state === 'held') held += 1;
    }
    const result = held === 0 ? 'tied' : 'explained';
    const difference = { amount: String(90 * held), currency: 'USD' };
    return {
      key: period,
      title: `Invoices of ${period}`,
      period,
      result,
      lines: [
        { section: 'R1', label: 'count', a: all, b: all - held, difference: String(held), causes: [], result },
        {
          section: 'R1',
          label: 'held',
          a: difference,
          b: { amount: '0', currency: 'USD' },
          difference: difference.amount,
          causes: [{ cause: 'held', amount: difference.amount, records: ['INV00000420'] }],
          result,
        },
      ],
      notes: ['Drafts are not counted.'],
    };
  },
};

let desk: Desk;
beforeAll(async () => {
  const [pair, ...others] = catalog.integrations;
  if (!pair) throw new Error('the catalog is empty');
  desk = await openDesk({ catalog: { ...catalog, integrations: [{ ...pair, reports: [count] }, ...others] } });
  await desk.zuora(invoice('INV00000417'), usageInvoice('INV00000420'));
  await desk.settle();
});

test('a report that did not run says how to run it', async () => {
  expect(await desk.ask('reports')).toMatchObject({ reports: [{ report: 'count', mode: 'live', schedule: '0 5 * * *', results: [] }] });
  expect(await desk.refusal('report', { report: 'count' })).toContain('count has no result yet. → Run it: report count --run');
  expect(await desk.refusal('report', { report: 'counts' })).toContain('There is no report "counts". → Use one of: count');
});

test('run now, it is kept, listed, and shown again; the audit says who ran it', async () => {
  const ran = await desk.ask('report', { report: 'count', run: true });
  expect(ran).toMatchObject({ key: '202603', result: 'explained', lines: [{ a: 2, b: 1 }, { difference: '90' }] });
  expect(await desk.ask('report', { report: 'count' })).toEqual(ran);
  expect(await desk.ask('report', { report: 'count', period: '2026-03' })).toEqual(ran);
  expect(await desk.ask('reports')).toMatchObject({ reports: [{ results: [{ key: '202603', result: 'explained', open: 0 }] }] });
  expect(await desk.ask('audit', { outcome: 'operator', limit: 1 })).toMatchObject({
    entries: [{ sentence: 'anna ran the report count.' }],
  });
});

test('a period of its own stands beside the others; one that was never run is refused with those there are', async () => {
  expect(await desk.ask('report', { report: 'count', period: '202602', run: true })).toMatchObject({ title: 'Invoices of 202602' });
  expect(await desk.ask('report', { report: 'count', period: '2026-03' })).toMatchObject({ title: 'Invoices of 202603' });
  expect(await desk.refusal('report', { report: 'count', period: '2026-01' })).toContain('has no result of 2026-01; there are: ');
});

test('as a person reads it', async () => {
  const there = await openConsole(desk);
  try {
    const shown = await command(['report', 'count', '--period', '202603', '--state', there.state]);
    expect(shown.out.replace(/ran .*$/m, 'ran …')).toMatchInlineSnapshot(`
      "Invoices of 202603  explained  ran …
          line   a          b         difference  result     because of
      R1  count  2          1         1           explained
      R1  held   90.00 USD  0.00 USD  90.00 USD   explained  90.00 USD held: INV00000420
      Drafts are not counted."
    `);
    expect((await command(['reports', '--state', there.state])).out).toContain('Counts the invoices that are in the books.');
  } finally {
    await there.close();
  }
});
