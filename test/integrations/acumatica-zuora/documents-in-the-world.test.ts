import { expect, test } from 'vitest';
import { invoiceI0, invoiceI1, openPair } from './kestrel-world.ts';

/** Whole flows against both simulators; S-numbers are the acceptance scenarios of the pair. */

const payment = (more: Readonly<Record<string, unknown>>) => ({
  action: 'create-payment',
  account: 'KR-10023',
  date: '2026-03-09',
  methodType: 'CreditCard',
  ...more,
});

test('S1, S2: a posted invoice becomes a released AR invoice on the mapped accounts, and a second poll writes nothing', async () => {
  const pair = await openPair();
  await pair.bill(invoiceI1);
  expect([await pair.held(), await pair.waiting(), pair.world.errors]).toEqual([[], [], []]);
  expect(await pair.invoice('INV00000417')).toMatchObject({
    type: 'Invoice',
    customer: 'C0000001',
    status: 'Open',
    amount: '1334.88',
    balance: '1334.88',
    taxTotal: '0',
    terms: '30D',
    lines: [
      { account: '40000', amount: '1225', qty: '25', price: '49', taxCategory: 'EXEMPT' },
      { account: '23000', amount: '109.88' },
    ],
  });
  expect([await pair.account('11000'), await pair.account('40000'), await pair.account('23000')]).toEqual([
    '1334.88',
    '-1225.00',
    '-109.88',
  ]);
  pair.world.simulators['acumatica']?.resetCalls();
  await pair.world.poll();
  expect(pair.writes()).toEqual([]);
});

test('S3: a payment is posted in full and applied to both invoices, the rest stays available', async () => {
  const pair = await openPair();
  await pair.bill(invoiceI0, invoiceI1);
  await pair.bill(
    payment({
      number: 'P-00000188',
      amount: '2000.00',
      type: 'Electronic',
      gateway: 'Stripe',
      applications: [
        { invoice: 'INV00000398', amount: '300.00', date: '2026-03-09' },
        { invoice: 'INV00000417', amount: '1334.88', date: '2026-03-09' },
      ],
    }),
  );
  expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
  expect(await pair.payment('P-00000188')).toMatchObject({
    status: 'Open',
    amount: '2000',
    available: '365.12',
    method: 'ZCARD',
    cashAccount: '10200',
  });
  expect((await pair.invoice('INV00000398'))?.['status']).toBe('Closed');
  expect((await pair.invoice('INV00000417'))?.['status']).toBe('Closed');
  expect(await pair.account('10200')).toBe('2000.00');
});

test('S5: a payment waits for the invoice it pays and is then posted by itself', async () => {
  const pair = await openPair();
  await pair.bill(
    { ...invoiceI0, number: 'INV00000420', date: '2026-03-05', items: [{ amount: '90.00', recognizedRevenueAccountingCode: 'EU Usage' }] },
    payment({ number: 'P-00000191', amount: '90.00', applications: [{ invoice: 'INV00000420', amount: '90.00' }] }),
  );
  expect(await pair.held()).toEqual(['INV00000420 account-map:EU Usage']);
  expect(await pair.books('payments')).toEqual([]);
});

test('S6: a credit memo is applied on the days Zuora applied it', async () => {
  const pair = await openPair();
  await pair.bill(invoiceI1);
  await pair.bill({
    action: 'create-credit-memo',
    number: 'CM00000031',
    account: 'KR-10023',
    date: '2026-03-10',
    reasonCode: 'Standard credit',
    items: [
      { amount: '100.00', tax: '8.97', taxAccountingCode: 'Sales Tax Payable', recognizedRevenueAccountingCode: 'Subscription Revenue' },
    ],
    applications: [{ invoice: 'INV00000417', amount: '60.00', date: '2026-03-10' }],
  });
  expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
  await pair.bill({ action: 'apply-memo', number: 'CM00000031', invoice: 'INV00000417', amount: '48.97', date: '2026-03-15' });
  expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
  expect(await pair.invoice('CM00000031')).toMatchObject({ type: 'Credit Memo', status: 'Closed', amount: '108.97', balance: '0' });
  expect(await pair.invoice('INV00000417')).toMatchObject({ balance: '1225.91' });
  const memo = (await pair.books('payments')).find((row) => row['type'] === 'Credit Memo');
  expect(memo?.['applications']).toMatchObject([
    { amount: '60', date: '2026-03-10' },
    { amount: '48.97', date: '2026-03-15' },
  ]);
});

test('S11: a closed period holds the invoice; reopened, it is posted with its own date', async () => {
  const pair = await openPair({ start: '2026-03-20T12:00:00Z' });
  await pair.person({ action: 'close-period', period: '022026' });
  await pair.bill(invoiceI0);
  expect(await pair.held()).toEqual(['INV00000398 period:202602']);
  expect(await pair.books('invoices')).toEqual([]);
  await pair.person({ action: 'open-period', period: '022026' });
  await pair.pass(65);
  expect(await pair.invoice('INV00000398')).toMatchObject({ status: 'Open', period: '022026' });
});

test('S11, next-open: the date stays and the period moves', async () => {
  const pair = await openPair({ settings: { closedPeriod: 'next-open' } });
  await pair.person({ action: 'close-period', period: '022026' });
  await pair.bill(invoiceI0);
  expect(await pair.held()).toEqual([]);
  expect(await pair.invoice('INV00000398')).toMatchObject({ status: 'Open', period: '032026' });
});

test('S13: without Invoice Settlement a negative invoice becomes a credit memo', async () => {
  const pair = await openPair({ zuora: {} });
  await pair.bill(
    { action: 'set-feature', feature: 'invoiceSettlement', value: false },
    {
      ...invoiceI0,
      number: 'INV00000430',
      date: '2026-03-05',
      items: [{ amount: '-25.00', recognizedRevenueAccountingCode: 'Subscription Revenue' }],
    },
    {
      ...invoiceI0,
      number: 'INV00000431',
      date: '2026-03-05',
      items: [
        { amount: '100.00', recognizedRevenueAccountingCode: 'Subscription Revenue', serviceStartDate: '2026-03-01' },
        { amount: '-90.00', processingType: 'Discount', accountingCode: 'Discounts', serviceStartDate: '2026-03-02' },
      ],
    },
  );
  expect([await pair.held(), await pair.waiting(), pair.world.errors]).toEqual([[], [], []]);
  expect(await pair.invoice('INV00000430')).toMatchObject({ type: 'Credit Memo', amount: '25' });
  expect(await pair.invoice('INV00000431')).toMatchObject({
    type: 'Invoice',
    amount: '10',
    lines: [
      { account: '40000', amount: '100' },
      { account: '40900', amount: '-90' },
    ],
  });
});

test('S14: items that do not sum are held, and posted with a rounding line within the tolerance', async () => {
  const odd = {
    ...invoiceI0,
    number: 'INV00000440',
    date: '2026-03-05',
    total: '100.00',
    items: [1, 2, 3].map(() => ({ amount: '33.33', recognizedRevenueAccountingCode: 'Subscription Revenue' })),
  };
  const strict = await openPair();
  await strict.bill(odd);
  expect(await strict.held()).toEqual(['INV00000440 items-do-not-sum']);
  const lenient = await openPair({ settings: { rounding: { tolerance: '0.05', account: '40900' } } });
  await lenient.bill(odd);
  expect(await lenient.held()).toEqual([]);
  expect(await lenient.invoice('INV00000440')).toMatchObject({ amount: '100', status: 'Open' });
});

test('S12: an invoice in another currency than its customer is held and not written', async () => {
  const pair = await openPair({
    customers: [{ id: 'C0000003', name: 'Tornow', accountRef: 'KR-20007', class: 'SAAS', currency: 'USD', country: 'DE' }],
  });
  await pair.bill({
    ...invoiceI0,
    number: 'INV00000445',
    account: 'KR-20007',
    date: '2026-03-05',
    items: [{ amount: '500.00', recognizedRevenueAccountingCode: 'Subscription Revenue' }],
  });
  expect(await pair.held()).toEqual(['INV00000445 currency']);
  expect(await pair.books('invoices')).toEqual([]);
});

test('S15 (a): a canceled payment is voided on the day of the cancellation', async () => {
  const pair = await openPair();
  await pair.bill(
    invoiceI0,
    payment({ number: 'P-00000188', amount: '300.00', applications: [{ invoice: 'INV00000398', amount: '300.00', date: '2026-03-09' }] }),
  );
  await pair.bill(
    { action: 'unapply-payment', number: 'P-00000188', invoice: 'INV00000398', amount: '300.00' },
    { action: 'cancel-payment', number: 'P-00000188' },
  );
  await pair.pass(40);
  expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
  expect(await pair.payment('P-00000188')).toMatchObject({ status: 'Voided' });
  expect(await pair.payment('P-00000188', 'Voided Payment')).toMatchObject({ released: true });
  expect(await pair.invoice('INV00000398')).toMatchObject({ status: 'Open', balance: '300' });
});

test('S15 (b): a chargeback in full voids the payment instead of writing a refund', async () => {
  const pair = await openPair();
  await pair.bill(
    invoiceI0,
    payment({ number: 'P-00000188', amount: '300.00', applications: [{ invoice: 'INV00000398', amount: '300.00', date: '2026-03-09' }] }),
  );
  await pair.bill({
    action: 'refund-payment',
    number: 'R-00000055',
    payment: 'P-00000188',
    amount: '300.00',
    date: '2026-03-18',
    reasonCode: 'Payment Reversal',
    unapply: true,
  });
  await pair.pass(40);
  expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
  expect((await pair.books('payments')).filter((row) => row['type'] === 'Refund')).toEqual([]);
  expect(await pair.payment('P-00000188')).toMatchObject({ status: 'Voided' });
  expect(await pair.invoice('INV00000398')).toMatchObject({ status: 'Open', balance: '300' });
});

test('S15 (c): a partial refund is paid from the free rest; the unapply waits for a person', async () => {
  const pair = await openPair();
  await pair.bill(invoiceI0, invoiceI1);
  await pair.bill(
    payment({
      number: 'P-00000188',
      amount: '2000.00',
      applications: [
        { invoice: 'INV00000398', amount: '300.00', date: '2026-03-09' },
        { invoice: 'INV00000417', amount: '1334.88', date: '2026-03-09' },
      ],
    }),
  );
  await pair.bill({
    action: 'refund-payment',
    number: 'R-00000056',
    payment: 'P-00000188',
    amount: '300.00',
    date: '2026-03-18',
    methodType: 'CreditCard',
    unapply: [{ invoice: 'INV00000398', amount: '300.00' }],
  });
  expect(await pair.payment('R-00000056', 'Refund')).toMatchObject({ amount: '300', released: true });
  expect(await pair.payment('P-00000188')).toMatchObject({ available: '65.12' });
  expect(await pair.held()).toEqual(['P-00000188 unapply:P-00000188/INV00000398 300.00']);
  const ref = (await pair.payment('P-00000188'))?.['ref'];
  const document = (await pair.invoice('INV00000398'))?.['ref'];
  await pair.person({ action: 'reverse-application', type: 'Payment', ref, document });
  await pair.pass(400);
  expect(await pair.held()).toEqual([]);
  expect(await pair.payment('P-00000188')).toMatchObject({ available: '365.12' });
  expect(await pair.invoice('INV00000398')).toMatchObject({ status: 'Open', balance: '300' });
});

test('S16: 620 lines are written in parts and released once', async () => {
  const pair = await openPair();
  await pair.bill({
    ...invoiceI0,
    number: 'INV00000450',
    date: '2026-03-05',
    items: Array.from({ length: 620 }, (_, index) => ({
      chargeName: `Unit ${index}`,
      amount: '1.00',
      recognizedRevenueAccountingCode: 'Subscription Revenue',
    })),
  });
  expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
  const document = await pair.invoice('INV00000450');
  expect(document).toMatchObject({ amount: '620', status: 'Open' });
  expect((document?.['lines'] as readonly unknown[] | undefined)?.length).toBe(620);
});

test('S19: a write-off memo hits its own account and closes the invoice', async () => {
  const pair = await openPair();
  await pair.bill(invoiceI1);
  await pair.bill({ action: 'write-off', number: 'INV00000417', memoNumber: 'CM00000041', date: '2026-03-12' });
  expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
  expect(await pair.invoice('INV00000417')).toMatchObject({ status: 'Closed', balance: '0' });
  expect([await pair.account('66000'), await pair.account('11000')]).toEqual(['1225.00', '0.00']);
});

test('an unposted, changed and posted again invoice is reversed and posted as its next generation', async () => {
  const pair = await openPair();
  await pair.bill(invoiceI0);
  await pair.bill(
    { action: 'unpost', number: 'INV00000398' },
    {
      action: 'edit-invoice-items',
      number: 'INV00000398',
      items: [{ amount: '280.00', recognizedRevenueAccountingCode: 'Subscription Revenue' }],
    },
    { action: 'post-invoice', number: 'INV00000398' },
  );
  expect([await pair.held(), await pair.waiting()]).toEqual([[], []]);
  expect(await pair.invoice('INV00000398')).toMatchObject({ status: 'Closed', balance: '0' });
  expect(await pair.invoice('INV00000398~R1')).toMatchObject({ type: 'Credit Memo', amount: '300', balance: '0' });
  expect(await pair.invoice('INV00000398~2')).toMatchObject({ status: 'Open', amount: '280' });
  expect([await pair.account('11000'), await pair.account('40000')]).toEqual(['280.00', '-280.00']);
});
