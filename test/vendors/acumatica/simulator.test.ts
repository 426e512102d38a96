import { afterEach, describe, expect, test } from 'vitest';
import { createIo } from '../../../lib/http/connection-io.ts';
import { createCollectingLog } from '../../../lib/memory/collecting-log.ts';
import { createOrderedIds } from '../../../lib/memory/ordered-ids.ts';
import { createSeededRandom } from '../../../lib/memory/seeded-random.ts';
import { createMemoryStateStore } from '../../../lib/memory/state-store.ts';
import { Secret } from '../../../lib/values/secret.ts';
import type { AcumaticaClient } from '../../../lib/vendors/acumatica/client.ts';
import { after, eq, startsWith } from '../../../lib/vendors/acumatica/filter.ts';
import { acumatica } from '../../../lib/vendors/acumatica/vendor.ts';
import { amount } from '../../../lib/vendors/acumatica/wrapping.ts';
import { type AcumaticaOptions, createAcumaticaSimulator } from '../../../sandbox/simulators/acumatica/simulator.ts';
import { listen } from '../../../sandbox/simulators/kit.ts';
import { createStageClock, failureOf } from '../../conformance/vendor-stage.ts';

const servers: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const clientId = '8E0761D9-F4EC-2D4B-A60F-BCE2708C6FDD@KESTREL';

/** The simulated tenant and a worker of it, on one clock that whoever waits moves on. */
async function openSimulated(options: AcumaticaOptions = {}, settings: Readonly<Record<string, unknown>> = {}) {
  const clock = createStageClock(new Date('2026-03-02T08:00:00Z'));
  const random = createSeededRandom(3);
  const simulator = createAcumaticaSimulator({ clock, random, fetch }, { instance: 'kestrel', tenant: 'KESTREL', ...options });
  const server = await listen(simulator);
  servers.push(server);
  const consent = (await simulator.act({ action: 'consent', clientId })) as { readonly refreshToken: string };
  const credentials: Readonly<Record<string, string>> = {
    clientId,
    clientSecret: 'simulated-acumatica-secret',
    refreshToken: consent.refreshToken,
    username: 'mlc',
    password: 'simulated-password',
  };
  const parsed = acumatica.settings.parse({
    url: `${server.url}/kestrel`,
    tenant: 'KESTREL',
    branch: 'MAIN',
    refreshTokens: { absoluteDays: 'infinite' },
    requestsPerMinute: 3000,
    ...settings,
  });
  const { io } = createIo({
    connection: 'erp',
    limits: acumatica.limits(parsed),
    ports: {
      state: createMemoryStateStore({ clock }),
      clock,
      random,
      ids: createOrderedIds({ clock, random }),
      log: createCollectingLog(),
    },
    fetch,
    queue: 'live',
  });
  const client = acumatica.open(
    {
      name: 'erp',
      settings: parsed,
      credentials: async () => Object.fromEntries(Object.entries(credentials).map(([name, text]) => [name, new Secret(text)])),
      previousCredentials: async () => undefined,
    },
    io,
  );
  return { client, simulator, clock };
}

const createCustomer = (client: AcumaticaClient) =>
  client.put(
    'Customer',
    {
      CustomerName: 'Northgate Dental Group',
      CustomerClass: 'SAAS',
      AccountRef: 'KR-10023',
      CurrencyID: 'USD',
      EnableCurrencyOverride: true,
      Terms: '30D',
      AutoApplyPayments: false,
      MainContact: { Email: 'ap@northgate.example', Address: { AddressLine1: '1 Main St', City: 'Kirkland', Country: 'US', State: 'WA' } },
    },
    { expand: ['MainContact', 'MainContact/Address'] },
  );

const createInvoice = (client: AcumaticaClient, customer: string, marker = 'INV00000417') =>
  client.put(
    'Invoice',
    {
      Type: 'Invoice',
      Customer: customer,
      CustomerOrder: marker,
      Date: '2026-03-01',
      Description: `Zuora ${marker} KR-10023`,
      LinkBranch: 'MAIN',
      Hold: false,
      Details: [
        {
          Branch: 'MAIN',
          TransactionDescription: 'Pro plan',
          Qty: amount('10'),
          UnitPrice: amount('99'),
          ExtendedPrice: amount('990.00'),
          Account: '40000',
          Subaccount: 'SAS000',
          TaxCategory: 'EXEMPT',
        },
        {
          Branch: 'MAIN',
          TransactionDescription: 'Discount',
          Qty: amount('1'),
          UnitPrice: amount('-90'),
          ExtendedPrice: amount('-90.00'),
          Account: '40900',
          Subaccount: 'SAS000',
          TaxCategory: 'EXEMPT',
        },
      ],
    },
    { expand: ['Details', 'TaxDetails'], custom: ['Document.CuryID'] },
  );

describe('the client against the simulated tenant', () => {
  test('finds the connection ready', async () => {
    const { client } = await openSimulated();
    const results = await acumatica.check(client);
    expect(results.map(({ id, level }) => `${id} ${level}`)).toEqual([
      'A1 green',
      'A2 green',
      'A3 green',
      'A4 green',
      'A5 green',
      'A6 amber',
    ]);
    await createInvoice(client, (await createCustomer(client)).CustomerID);
    expect((await acumatica.check(client)).at(-1)).toMatchObject({ id: 'A6', level: 'green' });
  });

  test('writes a customer and finds it by its reference', async () => {
    const { client } = await openSimulated();
    const customer = await createCustomer(client);
    expect(customer).toMatchObject({
      AccountRef: 'KR-10023',
      MainContact: { Email: 'ap@northgate.example', Address: { City: 'Kirkland' } },
    });
    for await (const page of client.list('Customer', { filter: eq('Customer', 'AccountRef', 'KR-10023') }))
      expect(page.map((row) => row.CustomerID)).toEqual([customer.CustomerID]);
    const changed: string[] = [];
    const since = after('Customer', 'LastModifiedDateTime', new Date('2026-03-02T07:00:00Z'));
    for await (const page of client.list('Customer', { filter: since })) changed.push(...page.map((row) => row.CustomerID));
    expect(changed).toContain(customer.CustomerID);
    expect(await client.put('Customer', { CustomerID: customer.CustomerID, Terms: '15D' }, { ifMatch: true })).toMatchObject({
      Terms: '15D',
    });
    expect(await client.put('Customer', { CustomerID: 'C9999999', Terms: '15D' }, { ifMatch: true })).toBe('condition-failed');
    expect(await client.findByKey('Customer', ['C9999999'])).toBeUndefined();
  });

  test('brings an invoice into the books, pays it and voids the payment', async () => {
    const { client } = await openSimulated();
    const { CustomerID: customer } = await createCustomer(client);
    const invoice = await createInvoice(client, customer);
    expect(invoice).toMatchObject({ Status: 'Balanced', Amount: '900', Date: '2026-03-01', custom: { Document: { CuryID: 'USD' } } });
    expect(invoice.Details?.map((line) => line.Amount)).toEqual(['990', '-90']);
    const found = await client.findMany('Invoice', 'CustomerOrder', ['INV00000417', 'INV00000418'], 'Invoice', {
      select: ['Amount', 'Status'],
    });
    expect(found).toMatchObject([{ ReferenceNbr: invoice.ReferenceNbr, CustomerOrder: 'INV00000417', Amount: '900' }]);

    const invoiceKeys = { Type: 'Invoice', ReferenceNbr: invoice.ReferenceNbr };
    expect(await client.act('Invoice', 'ReleaseInvoice', invoiceKeys)).toBe('done');
    expect(await client.readStatus('Invoice', 'Invoice', [invoice.ReferenceNbr])).toMatchObject([{ Status: 'Open', Balance: '900' }]);

    const payment = await client.put(
      'Payment',
      {
        Type: 'Payment',
        CustomerID: customer,
        PaymentMethod: 'ZCARD',
        CashAccount: '10200',
        CurrencyID: 'USD',
        Branch: 'MAIN',
        ApplicationDate: '2026-03-02',
        PaymentRef: 'P-00009876',
        PaymentAmount: amount('1000'),
        Hold: false,
        DocumentsToApply: [
          { DocType: 'Invoice', ReferenceNbr: invoice.ReferenceNbr, AmountPaid: amount('900'), CashDiscountTaken: amount('0') },
        ],
      },
      { expand: ['DocumentsToApply'] },
    );
    expect(payment).toMatchObject({ AppliedToDocuments: '900', AvailableBalance: '100', ApplicationDate: '2026-03-02' });
    const keys = { Type: 'Payment', ReferenceNbr: payment.ReferenceNbr };
    expect(await client.act('Payment', 'ReleasePayment', keys)).toBe('done');
    const released = await client.findByKey('Payment', ['Payment', payment.ReferenceNbr], {
      expand: ['DocumentsToApply', 'ApplicationHistory'],
    });
    expect(released).toMatchObject({ Status: 'Open', ApplicationHistory: [{ DisplayRefNbr: invoice.ReferenceNbr, AmountPaid: '900' }] });
    expect(await client.readStatus('Payment', 'Payment', [payment.ReferenceNbr])).toMatchObject([
      { Status: 'Open', PaymentRef: 'P-00009876' },
    ]);

    expect(await client.act('Payment', 'VoidPayment', keys)).toBe('done');
    expect(await client.findByKey('Payment', ['Voided Payment', payment.ReferenceNbr])).toMatchObject({ Type: 'Voided Payment' });
    await client.put('Payment', { ...keys, Type: 'Voided Payment', ApplicationDate: '2026-03-02', Hold: false });
    expect(await client.act('Payment', 'ReleasePayment', { ...keys, Type: 'Voided Payment' })).toBe('done');
    expect(await client.readStatus('Invoice', 'Invoice', [invoice.ReferenceNbr])).toMatchObject([{ Status: 'Open', Balance: '900' }]);
  });

  test('posts a journal and reads the books', async () => {
    const { client } = await openSimulated();
    const line = { BranchID: 'MAIN', Subaccount: 'SAS000', ReferenceNbr: 'JE-00000012' };
    const journal = await client.put(
      'JournalTransaction',
      {
        Module: 'GL',
        LedgerID: 'ACTUAL',
        BranchID: 'MAIN',
        TransactionDate: '2026-03-01',
        CurrencyID: 'USD',
        Description: 'ZUORA JE-00000012|JR-00000045 revenue',
        Hold: false,
        Details: [
          { ...line, Account: '24000', DebitAmount: amount('12500.00') },
          { ...line, Account: '40000', CreditAmount: amount('12500.00') },
        ],
      },
      { expand: ['Details'] },
    );
    expect(await client.act('JournalTransaction', 'ReleaseJournalTransaction', { Module: 'GL', BatchNbr: journal.BatchNbr })).toBe('done');
    expect(await client.readStatus('JournalTransaction', 'GL', [journal.BatchNbr])).toMatchObject([{ Status: 'Posted' }]);
    const filter = startsWith('JournalTransaction', 'Description', 'ZUORA JE-00000012|');
    for await (const page of client.list('JournalTransaction', { filter }))
      expect(page.map((row) => row.BatchNbr)).toEqual([journal.BatchNbr]);
    const rows = await client.inquire('AccountDetailsForPeriodInquiry', { FromPeriod: '032026', ToPeriod: '032026', Ledger: 'ACTUAL' });
    expect(
      rows.filter((row) => row.BatchNumber === journal.BatchNbr).map((row) => [row.Account, row.DebitAmount, row.CreditAmount]),
    ).toEqual([
      ['24000', '12500', '0'],
      ['40000', '0', '12500'],
    ]);
  });

  test('reads every kind of reference data', async () => {
    const { client } = await openSimulated();
    const keys: Record<string, string[]> = {};
    for (const entity of [
      'Account',
      'Subaccount',
      'Ledger',
      'Currency',
      'PaymentMethod',
      'CustomerClass',
      'TaxCategory',
      'TaxZone',
      'Tax',
    ] as const)
      for await (const page of client.list(entity, entity === 'PaymentMethod' ? { expand: ['AllowedCashAccounts'] } : {}))
        keys[entity] = page.map((row) => Object.values(row).map(String).join());
    for (const [entity, rows] of Object.entries(keys)) expect(rows.length, entity).toBeGreaterThan(0);
    expect((await client.listBranches()).map((row) => row.BranchID)).toEqual(['MAIN']);
    const periods = await client.listPeriods(undefined, '2026');
    expect(periods.find((row) => row.FinancialPeriodID === '012026')).toMatchObject({ ClosedInAR: true });
    expect(await client.discover()).toMatchObject({ endpoints: expect.arrayContaining([{ name: 'Default', version: '24.200.001' }]) });
  });

  test('names the field of a detail row that is wrong', async () => {
    const { client } = await openSimulated();
    const { CustomerID: customer } = await createCustomer(client);
    const failure = await failureOf(
      client.put('Invoice', {
        Type: 'Invoice',
        Customer: customer,
        Date: '2026-03-01',
        Details: [{ Account: '4OOOO', ExtendedPrice: amount('1') }],
      }),
    );
    expect(failure.kind).toBe('RequestRejected');
    expect(failure.message).toMatch(/Details\[0\]\.Account: /);
  });

  test('comes to a release that takes longer than a minute again later', async () => {
    const { client, clock } = await openSimulated({ preferences: { actionMs: 75_000 } });
    const { CustomerID: customer } = await createCustomer(client);
    const { ReferenceNbr } = await createInvoice(client, customer);
    const keys = { Type: 'Invoice', ReferenceNbr };
    const running = await client.act('Invoice', 'ReleaseInvoice', keys);
    if (running === 'done') throw new Error('expected a running action');
    expect((await failureOf(client.readStatus('Invoice', 'Invoice', [ReferenceNbr]))).kind).toBe('LaneBusy');
    clock.advance(30_000);
    expect(await client.readStatus('Invoice', 'Invoice', [ReferenceNbr])).toMatchObject([{ Status: 'Open' }]);
    expect(await client.act('Invoice', 'ReleaseInvoice', keys, { resume: running })).toBe('done');
  });

  test.each(['done-at-once', 'done-with-bogus-location'] as const)('takes a release that is %s for ended', async (actionAnswer) => {
    const { client } = await openSimulated({ preferences: { actionAnswer } });
    const { CustomerID: customer } = await createCustomer(client);
    const { ReferenceNbr } = await createInvoice(client, customer);
    expect(await client.act('Invoice', 'ReleaseInvoice', { Type: 'Invoice', ReferenceNbr })).toBe('done');
    expect(await client.readStatus('Invoice', 'Invoice', [ReferenceNbr])).toMatchObject([{ Status: 'Open' }]);
  });

  test('finds the document of a write whose answer was lost', async () => {
    const { client, simulator } = await openSimulated();
    const { CustomerID: customer } = await createCustomer(client);
    simulator.addFault({ operation: 'PUT /Invoice', kind: 'drop-after' });
    expect((await failureOf(createInvoice(client, customer))).kind).toBe('WriteUncertain');
    expect(await client.findMany('Invoice', 'CustomerOrder', ['INV00000417'], 'Invoice')).toHaveLength(1);
  });

  test('deletes what is not released, once', async () => {
    const { client } = await openSimulated();
    const { CustomerID: customer } = await createCustomer(client);
    const { ReferenceNbr } = await createInvoice(client, customer);
    expect(await client.remove('Invoice', ['Invoice', ReferenceNbr])).toBe('removed');
    expect(await client.remove('Invoice', ['Invoice', ReferenceNbr])).toBe('missing');
  });

  test('renews its token for days on one session, and stops when the consent is withdrawn', async () => {
    const { client, simulator, clock } = await openSimulated();
    for (let hour = 0; hour < 30; hour += 1) {
      expect(await client.findByKey('Customer', ['C9999999'])).toBeUndefined();
      clock.advance(3_600_000);
    }
    await simulator.act({ action: 'revoke-tokens' });
    const failure = await failureOf(client.findByKey('Customer', ['C9999999']));
    expect(failure.kind).toBe('CredentialRefused');
    expect(failure.message).toMatch(/consent again/);
  });

  test('signs in with cookies where there is nothing better', async () => {
    const { client } = await openSimulated({}, { grant: 'cookie' });
    expect(await client.listBranches()).toHaveLength(1);
  });

  test('names the versions that are served when its own is gone', async () => {
    const { client, simulator } = await openSimulated();
    await client.listBranches();
    await simulator.act({ action: 'set-endpoints', versions: ['25.200.001'] });
    const failure = await failureOf(client.listBranches());
    expect(failure.kind).toBe('WrongAddress');
    expect(failure.message).toMatch(/24\.200\.001 is not served; served: Default\/25\.200\.001/);
  });
});
