import { describe, expect, test } from 'vitest';
import { invoiceI0, invoiceI1, openPair } from './kestrel-world.ts';

/** What goes wrong, what a person does meanwhile, and what was there before: still at most one document per source document. */

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
const mine = (rows: readonly Readonly<Record<string, unknown>>[], reference: string) =>
  rows.filter((row) => row['reference'] === reference);

describe('a write whose answer is lost', () => {
  test('S9: the invoice that was written is found after a minute, verified and released', async () => {
    const pair = await openPair();
    pair.world.simulators['acumatica']?.addFault({ operation: 'PUT /Invoice', kind: 'drop-after' });
    await pair.bill(invoiceI1);
    await pair.pass(15);
    expect(await pair.held()).toEqual([]);
    expect(mine(await pair.books('invoices'), 'INV00000417')).toMatchObject([{ status: 'Open', amount: '1334.88' }]);
  });

  test('S9: the invoice that was not written is written once, after the last look', async () => {
    const pair = await openPair();
    pair.world.simulators['acumatica']?.addFault({ operation: 'PUT /Invoice', kind: 'drop-before' });
    await pair.bill(invoiceI1);
    await pair.pass(5);
    expect(await pair.books('invoices')).toEqual([]);
    await pair.pass(15);
    expect(mine(await pair.books('invoices'), 'INV00000417')).toMatchObject([{ status: 'Open' }]);
  });

  test.each(['PUT /Payment', 'POST /Payment/ReleasePayment', 'POST /Invoice/ReleaseInvoice'])(
    '%s loses its answer: nothing is booked twice',
    async (operation) => {
      const pair = await openPair();
      pair.world.simulators['acumatica']?.addFault({ operation, kind: 'drop-after' });
      await pair.bill(invoiceI0, appliedToI0);
      await pair.pass(45);
      expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
      expect(mine(await pair.books('payments'), 'P-00000188')).toMatchObject([{ status: 'Closed', amount: '300' }]);
      expect([await pair.account('10200'), await pair.account('11000')]).toEqual(['300.00', '0.00']);
    },
  );

  test('S16: a chunk whose answer is lost is not written again', async () => {
    const pair = await openPair();
    pair.world.simulators['acumatica']?.addFault({ operation: 'PUT /Invoice', kind: 'drop-after', skip: 1 });
    await pair.bill({
      ...invoiceI0,
      number: 'INV00000450',
      items: Array.from({ length: 620 }, (_, index) => ({
        chargeName: `Unit ${index}`,
        amount: '1.00',
        recognizedRevenueAccountingCode: 'Subscription Revenue',
      })),
    });
    await pair.pass(15);
    expect(await pair.held()).toEqual([]);
    const [document, ...others] = mine(await pair.books('invoices'), 'INV00000450');
    expect(others).toEqual([]);
    expect(document).toMatchObject({ amount: '620', status: 'Open' });
    expect((document?.['lines'] as readonly unknown[] | undefined)?.length).toBe(620);
  });
});

describe('what a person does in Acumatica', () => {
  test('manual release: the document waits Balanced, and goes on when somebody released it', async () => {
    const pair = await openPair({ settings: { release: 'manual' } });
    await pair.bill(invoiceI0);
    const document = await pair.invoice('INV00000398');
    expect(document?.['status']).toBe('Balanced');
    expect(await pair.waiting()).toEqual(['INV00000398 acumatica-status']);
    await pair.person({ action: 'release-document', type: 'Invoice', ref: document?.['ref'] });
    await pair.pass(65);
    expect(await pair.waiting()).toEqual([]);
    expect((await pair.audit()).filter((entry) => entry.label === 'INV00000398').at(-1)?.outcome).toBe('posted');
  });

  test('a user document with the same reference is never touched', async () => {
    const pair = await openPair();
    await pair.person({
      action: 'create-manual-document',
      type: 'Invoice',
      customer: 'C0000002',
      reference: 'INV00000398',
      date: '2026-02-02',
      amount: '77.00',
    });
    await pair.bill(invoiceI0);
    expect(await pair.held()).toEqual(['INV00000398 marker-collision']);
    expect(mine(await pair.books('invoices'), 'INV00000398')).toMatchObject([{ customer: 'C0000002', amount: '77' }]);
  });

  test('an equal released document is adopted', async () => {
    const pair = await openPair();
    await pair.person({
      action: 'create-manual-document',
      type: 'Invoice',
      customer: 'C0000001',
      reference: 'INV00000398',
      date: '2026-02-02',
      amount: '300.00',
    });
    await pair.bill(invoiceI0);
    expect(await pair.held()).toEqual([]);
    expect(mine(await pair.books('invoices'), 'INV00000398')).toHaveLength(1);
    expect((await pair.audit()).at(-1)).toMatchObject({ outcome: 'adopted' });
  });

  test('a deposited payment is not voided by us', async () => {
    const pair = await openPair();
    await pair.bill(invoiceI0, appliedToI0);
    await pair.person({ action: 'deposit-payment', ref: (await pair.payment('P-00000188'))?.['ref'] });
    await pair.bill(
      { action: 'unapply-payment', number: 'P-00000188', invoice: 'INV00000398', amount: '300.00' },
      { action: 'cancel-payment', number: 'P-00000188' },
    );
    expect(await pair.held()).toContain('P-00000188 payment-deposited');
    expect(await pair.payment('P-00000188')).toMatchObject({ status: 'Closed' });
  });
});

describe('what changes in Zuora afterwards', () => {
  test('a moved application waits for a person and moves nothing by halves', async () => {
    const pair = await openPair();
    await pair.bill(invoiceI0, { ...invoiceI0, number: 'INV00000399' }, appliedToI0);
    await pair.bill(
      { action: 'unapply-payment', number: 'P-00000188', invoice: 'INV00000398', amount: '300.00' },
      { action: 'apply-payment', number: 'P-00000188', invoice: 'INV00000399', amount: '300.00', date: '2026-03-12' },
    );
    expect(await pair.held()).toEqual(['P-00000188 unapply:P-00000188/INV00000398 300.00']);
    expect(await pair.invoice('INV00000399')).toMatchObject({ balance: '300' });
    await pair.person({
      action: 'reverse-application',
      type: 'Payment',
      ref: (await pair.payment('P-00000188'))?.['ref'],
      document: (await pair.invoice('INV00000398'))?.['ref'],
    });
    await pair.pass(400);
    expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
    expect(await pair.invoice('INV00000398')).toMatchObject({ balance: '300', status: 'Open' });
    expect(await pair.invoice('INV00000399')).toMatchObject({ balance: '0', status: 'Closed' });
  });

  test('a payment moved to another account is voided and posted there as its next generation', async () => {
    const pair = await openPair();
    await pair.bill(payment({ number: 'P-00000188', amount: '300.00' }));
    await pair.bill({ action: 'transfer-payment', number: 'P-00000188', account: 'KR-10031' });
    expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
    expect(await pair.payment('P-00000188')).toMatchObject({ status: 'Voided', customer: 'C0000001' });
    expect(await pair.payment('P-00000188~2')).toMatchObject({ status: 'Open', customer: 'C0000002' });
    expect(await pair.account('10200')).toBe('300.00');
  });

  test('a refund that voided its payment is canceled: the payment is posted again with its applications', async () => {
    const pair = await openPair();
    await pair.bill(invoiceI0, appliedToI0);
    await pair.bill({
      action: 'refund-payment',
      number: 'R-00000055',
      payment: 'P-00000188',
      amount: '300.00',
      date: '2026-03-18',
      unapply: true,
    });
    await pair.bill({ action: 'cancel-refund', number: 'R-00000055' });
    await pair.pass(40);
    expect(await pair.held()).toEqual([]);
    expect(await pair.payment('P-00000188~2')).toMatchObject({ released: true, amount: '300' });
    expect(await pair.account('10200')).toBe('300.00');
  });

  test('a canceled refund document is voided', async () => {
    const pair = await openPair();
    await pair.bill(payment({ number: 'P-00000188', amount: '300.00' }));
    await pair.bill({
      action: 'refund-payment',
      number: 'R-00000056',
      payment: 'P-00000188',
      amount: '100.00',
      date: '2026-03-18',
      methodType: 'CreditCard',
    });
    expect(await pair.account('10200')).toBe('200.00');
    await pair.bill({ action: 'cancel-refund', number: 'R-00000056' });
    expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
    expect(await pair.payment('R-00000056', 'Refund')).toMatchObject({ status: 'Voided' });
    expect(await pair.account('10200')).toBe('300.00');
  });

  test('an unposted credit memo is undone by a debit memo', async () => {
    const pair = await openPair();
    await pair.bill({
      action: 'create-credit-memo',
      number: 'CM00000031',
      account: 'KR-10023',
      date: '2026-03-10',
      items: [{ amount: '50.00', recognizedRevenueAccountingCode: 'Subscription Revenue' }],
    });
    await pair.bill({ action: 'unpost', number: 'CM00000031' });
    expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
    expect(await pair.invoice('CM00000031')).toMatchObject({ status: 'Closed' });
    expect(await pair.invoice('CM00000031~R1')).toMatchObject({ type: 'Debit Memo', status: 'Closed', amount: '50' });
    expect(await pair.account('11000')).toBe('0.00');
  });

  test('an unposted invoice that is not released yet is deleted', async () => {
    const pair = await openPair({ settings: { release: 'manual' } });
    await pair.bill(invoiceI0);
    await pair.bill({ action: 'unpost', number: 'INV00000398' });
    await pair.pass(65);
    expect(await pair.books('invoices')).toEqual([]);
    expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
  });

  test('a payment canceled before it was posted here is filtered', async () => {
    const pair = await openPair();
    await pair.bill(invoiceI0);
    await pair.bill(payment({ number: 'P-00000188', amount: '300.00', status: 'Canceled' }));
    expect(await pair.books('payments')).toEqual([]);
    expect((await pair.audit()).map((entry) => entry.reason)).toContain('canceled-before-transfer');
  });
});

describe('what is older than the cut-over', () => {
  test('money applied to an invoice Acumatica does not have holds the whole payment', async () => {
    const pair = await openPair({ settings: { startFrom: '2026-03-01' } });
    await pair.bill(invoiceI0, appliedToI0);
    expect(await pair.held()).toEqual(['P-00000188 pre-cutover-document:INV00000398']);
    expect(await pair.books('payments')).toEqual([]);
  });

  test('an opening balance with the Zuora number is applied to', async () => {
    const pair = await openPair({ settings: { startFrom: '2026-03-01' } });
    await pair.person({
      action: 'create-manual-document',
      type: 'Invoice',
      customer: 'C0000001',
      reference: 'INV00000398',
      date: '2026-02-02',
      amount: '300.00',
    });
    await pair.bill(invoiceI0, appliedToI0);
    expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
    expect(await pair.invoice('INV00000398')).toMatchObject({ status: 'Closed' });
  });

  test('preCutover: unapplied leaves that part free', async () => {
    const pair = await openPair({ settings: { startFrom: '2026-03-01', preCutover: 'unapplied' } });
    await pair.bill(invoiceI0, appliedToI0);
    expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
    expect(await pair.payment('P-00000188')).toMatchObject({ status: 'Open', available: '300' });
  });
});

describe('journals', () => {
  const run = (number: string, entries: readonly Readonly<Record<string, unknown>>[]) => ({
    action: 'create-journal-run',
    number,
    journalEntryDate: '2026-03-31',
    targetStartDate: '2026-03-01',
    targetEndDate: '2026-03-31',
    entries,
  });
  const lines = (debit: string, credit: string, amount: string) => [
    { type: 'Debit', accountingCode: debit, amount },
    { type: 'Credit', accountingCode: credit, amount },
  ];

  test('S20: only revenue recognition is booked; what an AR document books is filtered', async () => {
    const pair = await openPair({ settings: { revenue: 'zuora-journals' }, flows: { journals: { mode: 'live' } } });
    await pair.bill(invoiceI1);
    expect((await pair.invoice('INV00000417'))?.['lines']).toMatchObject([{ account: '24000' }, { account: '23000' }]);
    await pair.bill(
      run('JR-00000045', [
        { number: 'JE-00000101', transactionType: 'Invoice Item', lines: lines('Accounts Receivable', 'Deferred Revenue', '1225.00') },
        {
          number: 'JE-00000102',
          transactionType: 'Revenue Event Item',
          lines: lines('Deferred Revenue', 'Subscription Revenue', '1225.00'),
        },
      ]),
    );
    await pair.world.poll();
    await pair.settle();
    expect([await pair.held(), await pair.waiting(), pair.world.errors]).toEqual([[], [], []]);
    expect(await pair.books('journals')).toHaveLength(1);
    expect([await pair.account('40000'), await pair.account('24000')]).toEqual(['-1225.00', '0.00']);
    await pair.bill({ action: 'cancel-journal-entry', number: 'JE-00000102' });
    await pair.world.poll();
    await pair.settle();
    expect(await pair.held()).toEqual([]);
    expect([await pair.account('40000'), await pair.account('24000')]).toEqual(['0.00', '-1225.00']);
  });
});
