import { expect, test } from 'vitest';
import { runOperation } from '../../../lib/operations/operations.ts';
import { customers, invoiceI0, invoiceI1, openPair } from './kestrel-world.ts';

/** Settings and features that change what happens. */

const payment = (more: Readonly<Record<string, unknown>>) => ({
  action: 'create-payment',
  account: 'KR-10023',
  date: '2026-03-09',
  methodType: 'CreditCard',
  ...more,
});
const appliedToI0 = payment({
  number: 'P-00000188',
  amount: '300.00',
  applications: [{ invoice: 'INV00000398', amount: '300.00', date: '2026-03-09' }],
});

test('without Invoice Settlement a payment is applied by its InvoicePayment rows', async () => {
  const pair = await openPair();
  await pair.bill({ action: 'set-feature', feature: 'invoiceSettlement', value: false }, invoiceI0, appliedToI0);
  expect([await pair.held(), await pair.waiting(), pair.world.errors]).toEqual([[], [], []]);
  expect(await pair.payment('P-00000188')).toMatchObject({ status: 'Closed' });
  expect(await pair.invoice('INV00000398')).toMatchObject({ status: 'Closed' });
});

test('documents of an excluded batch are filtered', async () => {
  const pair = await openPair({ settings: { customers: { class: { default: 'SAAS' }, excludeBatches: ['Batch50'] } } });
  await pair.bill({ action: 'update-account', number: 'KR-10023', batch: 'Batch50' }, invoiceI0, appliedToI0);
  expect([await pair.books('invoices'), await pair.books('payments'), await pair.held()]).toEqual([[], [], []]);
  expect((await pair.audit()).map((entry) => entry.reason)).toContain('excluded-batch');
});

test("another account's invoice is paid by its parent only", async () => {
  const pays = payment({
    number: 'P-00000188',
    account: 'KR-10031',
    amount: '300.00',
    applications: [{ invoice: 'INV00000398', amount: '300.00', date: '2026-03-09' }],
  });
  const strangers = await openPair();
  await strangers.bill(invoiceI0, pays);
  expect(await strangers.held()).toEqual(['P-00000188 cross-account']);
  const [northgate, hollis, ...others] = customers;
  const family = await openPair({ customers: [hollis ?? {}, { ...northgate, parent: 'C0000002' }, ...others] });
  await family.bill(invoiceI0, pays);
  expect([await family.held(), await family.waiting()]).toEqual([[], []]);
  expect(await family.invoice('INV00000398')).toMatchObject({ status: 'Closed' });
});

test('a credit memo is refunded from its balance', async () => {
  const pair = await openPair();
  await pair.bill({
    action: 'create-credit-memo',
    number: 'CM00000031',
    account: 'KR-10023',
    date: '2026-03-10',
    items: [{ amount: '50.00', recognizedRevenueAccountingCode: 'Subscription Revenue' }],
  });
  await pair.bill({
    action: 'refund-payment',
    number: 'R-00000060',
    creditMemo: 'CM00000031',
    amount: '50.00',
    date: '2026-03-18',
    methodType: 'CreditCard',
  });
  expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
  expect(await pair.payment('R-00000060', 'Refund')).toMatchObject({ amount: '50', released: true });
  expect(await pair.invoice('CM00000031')).toMatchObject({ status: 'Closed', balance: '0' });
  expect([await pair.account('10200'), await pair.account('11000')]).toEqual(['-50.00', '0.00']);
});

test('gl-summary: the journals carry everything and no AR document is written', async () => {
  const pair = await openPair({
    settings: { postingMode: 'gl-summary', accountMap: [{ code: 'Accounts Receivable', account: '24000' }] },
    flows: { journals: { mode: 'live' } },
  });
  await pair.bill(invoiceI1, {
    action: 'create-journal-run',
    number: 'JR-00000046',
    journalEntryDate: '2026-03-31',
    targetStartDate: '2026-03-01',
    targetEndDate: '2026-03-31',
    entries: [
      {
        number: 'JE-00000103',
        transactionType: 'Invoice Item',
        lines: [
          { type: 'Debit', accountingCode: 'Accounts Receivable', amount: '1225.00' },
          { type: 'Credit', accountingCode: 'Subscription Revenue', amount: '1225.00' },
        ],
      },
    ],
  });
  expect([await pair.books('invoices'), await pair.held()]).toEqual([[], []]);
  expect(await pair.books('journals')).toHaveLength(1);
  expect(await pair.account('40000')).toBe('-1225.00');
});

test('a code without account holds its invoices under one cause and blocks no other', async () => {
  const usage = (number: string) => ({ ...invoiceI0, number, items: [{ amount: '10.00', recognizedRevenueAccountingCode: 'EU Usage' }] });
  const pair = await openPair();
  await pair.bill(usage('INV1'), usage('INV2'), usage('INV3'), invoiceI0);
  expect([...(await pair.held())].sort()).toEqual(['INV1 account-map:EU Usage', 'INV2 account-map:EU Usage', 'INV3 account-map:EU Usage']);
  expect(await pair.invoice('INV00000398')).toMatchObject({ status: 'Open' });
});

test('validate totals on entry: the amount is sent after the first refusal, and remembered', async () => {
  const pair = await openPair();
  await pair.person({ action: 'set-preference', preferences: { requireControlTotal: true } });
  await pair.bill(invoiceI0, invoiceI1);
  expect(await pair.held()).toEqual([]);
  expect(await pair.invoice('INV00000398')).toMatchObject({ status: 'Open' });
  expect(await pair.invoice('INV00000417')).toMatchObject({ status: 'Open' });
});

test('a missing rate is held by currency and day, and looked at again by itself', async () => {
  const pair = await openPair({ settings: { startFrom: '2026-01-01' } });
  await pair.person({ action: 'open-period', period: '012026' });
  await pair.bill({
    ...invoiceI0,
    number: 'INV00000460',
    account: 'KR-20007',
    date: '2026-01-15',
    items: [{ amount: '500.00', recognizedRevenueAccountingCode: 'Subscription Revenue' }],
  });
  expect(await pair.held()).toEqual(['INV00000460 rate:EUR:2026-01-15']);
  await pair.person({ action: 'add-rate', currency: 'EUR', from: '2026-01-01', rate: '1.08' });
  await pair.pass(95);
  expect(await pair.invoice('INV00000460')).toMatchObject({ status: 'Open', currency: 'EUR', amount: '500' });
});

test('a release that runs for minutes is waited for and asked for once', async () => {
  const pair = await openPair();
  await pair.person({ action: 'set-preference', preferences: { actionMs: 200_000 } });
  await pair.bill(invoiceI0);
  await pair.pass(20);
  expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
  expect(await pair.invoice('INV00000398')).toMatchObject({ status: 'Open' });
  expect(pair.world.simulators['acumatica']?.calls()['POST /Invoice/ReleaseInvoice']).toBe(1);
});

test('an approval in Acumatica is waited for', async () => {
  const pair = await openPair();
  await pair.person({ action: 'set-preference', preferences: { approvals: ['Invoice'] } });
  await pair.bill(invoiceI0);
  expect(await pair.waiting()).toEqual(['INV00000398 acumatica-status']);
  await pair.person({ action: 'approve', type: 'Invoice', ref: (await pair.invoice('INV00000398'))?.['ref'] });
  await pair.pass(65);
  expect(await pair.invoice('INV00000398')).toMatchObject({ status: 'Open' });
});

test('a void that Acumatica does not save by itself is held after two tries', async () => {
  const pair = await openPair();
  await pair.bill(invoiceI0, appliedToI0);
  await pair.person({ action: 'set-preference', preferences: { voidSaves: false } });
  await pair.bill(
    { action: 'unapply-payment', number: 'P-00000188', invoice: 'INV00000398', amount: '300.00' },
    { action: 'cancel-payment', number: 'P-00000188' },
  );
  await pair.pass(10);
  expect(await pair.held()).toContain('P-00000188 void-not-saved');
  expect(await pair.payment('P-00000188')).toMatchObject({ status: 'Closed' });
});

test('the transferred flag is set in Zuora and does not bring the invoice back', async () => {
  const pair = await openPair({ settings: { markTransferred: true } });
  await pair.bill(invoiceI0);
  const rows = (await pair.world.time.run(Promise.resolve(pair.world.simulators['zuora']?.records('invoices')))) as readonly Readonly<
    Record<string, unknown>
  >[];
  expect(rows[0]?.['transferredToAccounting']).toBe('Yes');
  pair.world.simulators['acumatica']?.resetCalls();
  await pair.world.poll();
  await pair.settle();
  expect(pair.writes()).toEqual([]);
});

test('a renumbered customer is found by its AccountRef', async () => {
  const pair = await openPair();
  await pair.bill(invoiceI0);
  await pair.person({ action: 'change-customer-id', id: 'C0000001', newId: 'C0000099' });
  await pair.bill(invoiceI1);
  await pair.pass(5);
  expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
  expect(await pair.invoice('INV00000417')).toMatchObject({ customer: 'C0000099', status: 'Open' });
});

test('an accounting code made minutes after the codes were read is held under its own name', async () => {
  const pair = await openPair();
  const coded = (number: string, code: string) => ({
    ...{ action: 'create-invoice', number, account: 'KR-10023', date: '2026-03-05' },
    items: [{ amount: '90.00', recognizedRevenueAccountingCode: code }],
  });
  await pair.bill(coded('INV00000420', 'EU Usage'));
  await pair.pass(1);
  await pair.bill(coded('INV00000421', 'Training'));
  expect(await pair.held()).toEqual(['INV00000420 account-map:EU Usage', 'INV00000421 account-map:Training']);
});

test('asked for another look right after its period was reopened, a document is posted', async () => {
  const pair = await openPair();
  await pair.person({ action: 'close-period', period: '022026' });
  await pair.bill(invoiceI0);
  await pair.pass(1);
  await pair.person({ action: 'open-period', period: '022026' });
  const { world } = pair;
  await world.time.run(runOperation(world.operator, 'replay', { record: 'INV00000398' }, { name: 'ann' }));
  await pair.settle();
  expect([await pair.held(), (await pair.invoice('INV00000398'))?.['period']]).toEqual([[], '022026']);
});
