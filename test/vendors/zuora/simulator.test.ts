import { afterEach, describe, expect, test } from 'vitest';
import { createIo } from '../../../lib/http/connection-io.ts';
import { createCollectingLog } from '../../../lib/memory/collecting-log.ts';
import { createOrderedIds } from '../../../lib/memory/ordered-ids.ts';
import { createSeededRandom } from '../../../lib/memory/seeded-random.ts';
import { createMemoryStateStore } from '../../../lib/memory/state-store.ts';
import { openZuora } from '../../../lib/vendors/zuora/client.ts';
import { zuora } from '../../../lib/vendors/zuora/vendor.ts';
import { zuoraWebhooks } from '../../../lib/vendors/zuora/webhooks.ts';
import { customField, instantOf } from '../../../lib/vendors/zuora/wire.ts';
import { listen } from '../../../sandbox/simulators/kit.ts';
import { createZuoraSimulator, type ZuoraSimulatorOptions } from '../../../sandbox/simulators/zuora/simulator.ts';
import { createStageClock, failureOf } from '../../conformance/vendor-stage.ts';
import { connectionAt } from './fixtures.ts';

/* The client against a strict Zuora that somebody else wrote from the same documents. */

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function play(options: ZuoraSimulatorOptions = {}, settings: Readonly<Record<string, unknown>> = {}) {
  const clock = createStageClock();
  const random = createSeededRandom(11);
  const callouts: Request[] = [];
  const world = {
    clock,
    random,
    fetch: async (request: Request) => {
      callouts.push(request.clone());
      const headers = Object.fromEntries(request.headers);
      const body = new Uint8Array(await request.arrayBuffer());
      const url = new URL(request.url);
      const result = await zuoraWebhooks
        .receive({ method: request.method, path: url.pathname, query: Object.fromEntries(url.searchParams), headers, body }, connection)
        .then(
          (proven) => {
            if ('signals' in proven) signals.push(...proven.signals);
            return 'accepted' as const;
          },
          () => 'rejected' as const,
        );
      const reply = zuoraWebhooks.answer(result, connection);
      return new Response(reply.body ?? '', { status: reply.status, headers: { ...reply.headers } });
    },
  };
  const signals: { event: string; objectId?: string; dedupeKey: string }[] = [];
  const simulator = createZuoraSimulator(world, options);
  const server = await listen(simulator);
  closing.push(async () => {
    simulator.stop();
    await server.close();
  });
  const connection = connectionAt(server.url, { settings });
  const log = createCollectingLog();
  const ports = { state: createMemoryStateStore({ clock }), clock, random, ids: createOrderedIds({ clock, random }), log };
  const { io } = createIo({ connection: connection.name, limits: { requestsPerMinute: 6000, burst: 50 }, ports, fetch, queue: 'live' });
  return { clock, simulator, client: openZuora(connection, io), signals, callouts };
}

async function all<Row>(pages: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

const account = {
  number: 'KR-10023',
  name: 'Northgate Dental Group',
  billTo: {
    firstName: 'Ada',
    lastName: 'Byrne',
    city: 'Dayton',
    state: 'Ohio',
    country: 'United States',
    postalCode: '45402',
    workEmail: 'ada@northgate.example',
  },
  custom: { NAVCustomerNo__c: 'C00230' },
  vatId: 'US-77',
};
const codes = [
  { name: 'Subscription Revenue', glAccountNumber: '40100' },
  { name: 'Sales Tax', type: 'SalesTaxPayable' },
];
const invoice = (number: string) => ({
  number,
  account: 'KR-10023',
  date: '2026-03-02',
  dueDate: '2026-04-01',
  items: [
    {
      chargeName: 'Kestrel Cloud',
      amount: '1225.00',
      taxes: [{ name: 'Ohio', amount: '109.88', accountingCode: 'Sales Tax' }],
      recognizedRevenueAccountingCode: 'Subscription Revenue',
    },
  ],
});

describe('the client and a strict Zuora', () => {
  test('a healthy tenant passes the check', async () => {
    const { simulator, client } = await play();
    await simulator.seed({ accountingCodes: [codes[0]], accounts: [account] });
    expect((await zuora.check(client)).map(({ id, level }) => `${id} ${level}`)).toEqual([
      'Z1 green',
      'Z2 green',
      'Z3 green',
      'Z4 green',
      'Z5 green',
    ]);
  });

  test('a tenant of another region refuses the client', async () => {
    const { client } = await play({ clientSecret: 'another' });
    const results = await zuora.check(client);
    expect(results).toMatchObject([{ id: 'Z1', level: 'red' }]);
  });

  test('250 invoices of one second are listed once each, and their items in bulk', async () => {
    const { simulator, client, clock } = await play();
    const numbers = Array.from({ length: 250 }, (_, index) => `INV${String(index).padStart(8, '0')}`);
    await simulator.seed({ accountingCodes: codes, accounts: [account], invoices: numbers.map(invoice) });
    const rows = await all(client.listChanged('invoices', { since: new Date(clock.now().getTime() - 60_000) }));
    expect(rows.map((row) => row.invoiceNumber).sort()).toEqual(numbers);
    expect(rows[0]).toMatchObject({
      amount: '1334.88',
      taxAmount: '109.88',
      status: 'Posted',
      invoiceDate: '2026-03-02',
      dueDate: '2026-04-01',
    });
    expect(instantOf(rows[0]?.updatedDate ?? '').getTime()).toBeLessThanOrEqual(clock.now().getTime());
    // A full page of one second, that second by id in three, and what came after it.
    expect(simulator.calls()['GET /object-query/invoices']).toBe(5);
    const ids = rows.map((row) => row.id);
    const items = await client.fetchWhereIn('invoice-items', 'invoiceid', ids, { expand: ['taxationitems'] });
    expect(items).toHaveLength(250);
    expect(items[0]).toMatchObject({ chargeAmount: '1225', processingType: '0', taxationItems: [{ name: 'Ohio', taxAmount: '109.88' }] });
    expect(await client.fetchByIds('invoices', ids)).toHaveLength(250);
    expect(simulator.mostInFlight()).toBeLessThanOrEqual(8);
    const [first] = items;
    expect(await client.findWhere('taxation-items', [`invoiceitemid.EQ:${first?.id}`])).toHaveLength(1);
  });

  test('a row that moves to the end while its list is being paged hides no other', async () => {
    const { simulator, client, clock } = await play();
    const numbers = Array.from({ length: 250 }, (_, index) => `INV${String(index).padStart(8, '0')}`);
    await simulator.seed({ accountingCodes: codes, accounts: [account] });
    for (const [index, number] of numbers.entries()) {
      await simulator.seed({ invoices: [invoice(number)] });
      if (index % 7 === 0) clock.advance(1000);
    }
    const found = new Set<string>();
    let page = 0;
    for await (const rows of client.listChanged('invoices', {})) {
      for (const row of rows) found.add(row.invoiceNumber);
      page += 1;
      clock.advance(5000);
      if (page <= 2) for (const number of numbers.slice(0, 20)) await simulator.act({ action: 'touch', noun: 'invoices', number });
    }
    expect([...found].sort()).toEqual(numbers);
  });

  test('accounts come with their bill-to contact and custom fields', async () => {
    const { simulator, client } = await play();
    await simulator.seed({ accounts: [account] });
    const [row] = await all(client.listChanged('accounts', { expand: ['billto'] }));
    expect(row).toMatchObject({
      accountNumber: 'KR-10023',
      currency: 'USD',
      paymentTerm: 'Net 30',
      billTo: { country: 'United States', workEmail: 'ada@northgate.example' },
    });
    expect(row && customField(row, 'NAVCustomerNo__c')).toBe('C00230');
    expect(await client.findWhere('accounts', ['accountnumber.EQ:KR-10023'])).toHaveLength(1);
    expect(await all(client.listChanged('contacts', { since: new Date('2026-01-01T00:00:00Z') }))).toMatchObject([
      { accountId: row?.id, lastName: 'Byrne' },
    ]);
    expect((await client.fetchAccount('KR-10023'))?.taxInfo?.VATId).toBe('US-77');
    expect(await client.fetchAccount('KR-99999')).toBeUndefined();
  });

  test('payments, memos and refunds come with what they settle', async () => {
    const { simulator, client } = await play();
    await simulator.seed({
      accountingCodes: codes,
      accounts: [account],
      invoices: [invoice('INV00000417')],
      creditMemos: [
        {
          number: 'CM00000031',
          account: 'KR-10023',
          date: '2026-03-05',
          invoice: 'INV00000417',
          reasonCode: 'Goodwill',
          items: [{ amount: '34.88', tax: '2.50', taxName: 'Ohio' }],
          applications: [{ invoice: 'INV00000417', amount: '20' }],
        },
      ],
      debitMemos: [{ number: 'DM00000007', account: 'KR-10023', date: '2026-03-05', items: [{ amount: '15', tax: '1' }] }],
      payments: [
        {
          number: 'P-00000188',
          account: 'KR-10023',
          amount: '1000.10',
          date: '2026-03-09',
          methodType: 'ACH',
          applications: [{ invoice: 'INV00000417', amount: '900' }],
        },
      ],
      refunds: [{ number: 'R-00000003', payment: 'P-00000188', amount: '50', date: '2026-03-10' }],
    });
    const [payment] = await all(client.listChanged('payments', { expand: ['paymentapplications', 'paymentmethod'] }));
    expect(payment).toMatchObject({
      paymentNumber: 'P-00000188',
      amount: '1000.1',
      appliedAmount: '900',
      effectiveDate: '2026-03-09',
      paymentApplications: [{ applyAmount: '900' }],
    });
    const parts = await client.fetchPaymentParts(payment?.id ?? '');
    expect(parts.filter((part) => part.invoiceId !== undefined)).toMatchObject([{ amount: '900' }]);
    const [memo] = await all(client.listChanged('credit-memos', { expand: ['creditmemoapplications'] }));
    expect(memo).toMatchObject({
      memoNumber: 'CM00000031',
      totalAmount: '37.38',
      reasonCode: 'Goodwill',
      creditMemoApplications: [{ amount: '20' }],
    });
    expect((await client.fetchCreditMemoParts(memo?.id ?? '')).some((part) => part.amount === '20')).toBe(true);
    const [item] = await client.fetchWhereIn('credit-memo-items', 'creditmemoid', [memo?.id ?? ''], { expand: ['credittaxationitems'] });
    expect(item?.taxationItems).toMatchObject([{ taxAmount: '2.5' }]);
    const [debit] = await all(client.listChanged('debit-memos', {}));
    const [debitItem] = await client.fetchWhereIn('debit-memo-items', 'debitmemoid', [debit?.id ?? ''], { expand: ['debittaxationitems'] });
    expect(debitItem?.taxationItems).toMatchObject([{ taxAmount: '1' }]);
    const [refund] = await all(client.listChanged('refunds', {}));
    expect(refund).toMatchObject({ refundNumber: 'R-00000003', amount: '50', refundDate: '2026-03-10' });
    expect(await client.fetchWhereIn('refund-applications', 'refundid', [refund?.id ?? ''])).toMatchObject([
      { applyAmount: '50', paymentId: payment?.id },
    ]);
    expect(await all(client.listChanged('payment-applications', {}))).toHaveLength(1);
    expect(await all(client.listChanged('credit-memo-applications', {}))).toHaveLength(1);
  });

  test('an expired token, a throttled minute and a dropped connection pass unnoticed', async () => {
    const { simulator, client } = await play();
    await simulator.seed({ accounts: [account] });
    expect(await client.findWhere('accounts', [])).toHaveLength(1);
    await simulator.act({ action: 'expire-tokens' });
    expect(await client.findWhere('accounts', [])).toHaveLength(1);
    simulator.addFault({
      operation: 'GET /object-query/accounts',
      kind: 'status',
      status: 429,
      headers: { 'retry-after': '3', 'content-type': 'application/json' },
      body: '{"reasons":[{"code":70,"message":"API Rate limit exceeded"}]}',
    });
    expect(await client.findWhere('accounts', [])).toHaveLength(1);
    simulator.addFault({ operation: 'GET /object-query/accounts', kind: 'drop-after' });
    expect(await client.findWhere('accounts', [])).toHaveLength(1);
  });

  test('marking a document changes its flag; a lost answer is uncertain', async () => {
    const { simulator, client } = await play();
    await simulator.seed({ accountingCodes: codes, accounts: [account], invoices: [invoice('INV1')] });
    const [row] = await client.findWhere('invoices', ['invoicenumber.EQ:INV1']);
    await client.markTransferred('invoices', row?.id ?? '', 'Yes');
    simulator.addFault({ operation: 'PUT *', kind: 'drop-after' });
    expect((await failureOf(client.markTransferred('invoices', row?.id ?? '', 'No'))).kind).toBe('WriteUncertain');
  });

  test('filters that Zuora does not allow are our defect, not a retry', async () => {
    const { client } = await play();
    expect((await failureOf(client.findWhere('payments', ['type.EQ:External']))).kind).toBe('RequestMalformed');
    expect((await failureOf(client.findWhere('invoice-items', []))).kind).toBe('RequestMalformed');
  });

  test('features are probed', async () => {
    const on = await play();
    expect(await on.client.probeFeatures()).toEqual({ invoiceSettlement: true, finance: true });
    await on.simulator.act({ action: 'set-feature', feature: 'invoiceSettlement', value: false });
    expect((await on.client.probeFeatures()).invoiceSettlement).toBe(false);
  });

  test('callouts are registered, arrive proven, and a second registration changes nothing', async () => {
    const { simulator, client, signals, callouts } = await play();
    await simulator.seed({
      accountingCodes: codes,
      accounts: [account, { number: 'KR-2', name: 'Second', communicationProfile: undefined }],
    });
    const ask = { integration: 'acumatica-zuora', url: 'https://hooks.mlconnector.example/webhooks/acumatica-zuora/zuora' };
    expect((await client.registerCallouts(ask)).filter((line) => line.startsWith('Created'))).toHaveLength(24);
    expect(await client.registerCallouts(ask)).toEqual(['Everything is registered already.']);
    expect(await client.inspectCallouts(ask)).toMatchObject([{ id: 'Z6', level: 'green' }]);
    await simulator.act({ action: 'create-invoice', ...invoice('INV77') });
    await simulator.act({ action: 'update-account', number: 'KR-2', name: 'Renamed' });
    await simulator.deliverDue();
    const [posted] = await client.findWhere('invoices', ['invoicenumber.EQ:INV77']);
    expect(signals).toContainEqual(expect.objectContaining({ event: 'InvoicePosted', objectId: posted?.id }));
    const [renamed] = await client.findWhere('accounts', ['accountnumber.EQ:KR-2']);
    expect(signals).toContainEqual(expect.objectContaining({ event: 'MlcAccountChanged', objectId: renamed?.id }));
    expect(callouts[0]?.headers.get('x-zuora-signature')).toBeTruthy();
  });

  test('journal entries, ZOQL, a data query and the callout history can be read', async () => {
    const { simulator, client, clock } = await play();
    await simulator.seed({
      accountingCodes: codes,
      accounts: [account],
      journalRuns: [
        {
          number: 'JR-00000045',
          journalEntryDate: '2026-03-31',
          entries: [
            {
              number: 'JE-1',
              transactionType: 'Invoice Item',
              lines: [
                { type: 'Debit', accountingCode: 'Sales Tax', amount: '10.50' },
                { type: 'Credit', accountingCode: 'Subscription Revenue', amount: '10.50' },
              ],
            },
          ],
        },
      ],
    });
    const [entry] = await client.listJournalEntries('JR-00000045');
    expect(entry).toMatchObject({
      number: 'JE-1',
      status: 'Created',
      currency: 'USD',
      journalEntryDate: '2026-03-31',
      journalEntryItems: [{ type: 'Debit', amount: '10.5' }, { type: 'Credit' }],
    });
    await client.markTransferred('journal-entries', 'JE-1', 'Yes');
    expect(await client.queryZoql("select Id, AccountNumber from Account where AccountNumber = 'KR-10023'")).toMatchObject([
      { AccountNumber: 'KR-10023' },
    ]);
    expect(
      await client.listCalloutHistory({ from: new Date(clock.now().getTime() - 3_600_000), to: clock.now(), eventCategory: '3110' }),
    ).toEqual([]);
    expect(await client.runDataQuery('SELECT id, accountnumber FROM account')).toHaveLength(1);
    expect((await client.listAccountingCodes()).map((code) => code.name)).toEqual(
      expect.arrayContaining(['Subscription Revenue', 'Sales Tax']),
    );
  });
});
