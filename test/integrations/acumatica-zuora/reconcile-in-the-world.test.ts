import { expect, test } from 'vitest';
import { type Masters, openMasters, type Row } from './masters-world.ts';

interface Line {
  readonly section: string;
  readonly label: string;
  readonly a: unknown;
  readonly b: unknown;
  readonly difference: string;
  readonly causes: readonly { readonly cause: string; readonly amount: string; readonly records: readonly string[] }[];
  readonly result: string;
}
interface Result {
  readonly result: string;
  readonly lines: readonly Line[];
  readonly notes: readonly string[];
}

async function reconciled(pair: Masters, period = '202603'): Promise<Result> {
  return (await pair.operate('report', { report: 'reconcile', period, run: true })) as Result;
}

const shown = ({ lines }: Result) =>
  lines.map((line) =>
    `${line.section} ${line.label}: ${line.result} ${line.difference} ${line.causes.map(({ cause, amount }) => `[${cause} ${amount}]`).join('')}`.trim(),
  );

const invoice = (number: string, amount: string, more: Row = {}): Row => ({
  action: 'create-invoice',
  number,
  account: 'KR-10023',
  date: '2026-03-02',
  dueDate: '2026-04-01',
  items: [{ chargeName: 'Plan', amount, recognizedRevenueAccountingCode: 'Subscription Revenue', ...more }],
});
const payment = (number: string, amount: string, applications: readonly Row[], more: Row = {}): Row => ({
  action: 'create-payment',
  number,
  account: 'KR-10023',
  amount,
  date: '2026-03-09',
  type: 'External',
  methodType: 'WireTransfer',
  applications,
  ...more,
});

const lineOf = (result: Result, label: string): string => {
  const found = shown(result).find((line) => line.startsWith(`${label}: `));
  return found?.slice(label.length + 2) ?? 'no such line';
};

test('what was posted ties, section by section', async () => {
  const pair = await openMasters();
  await pair.zuora(
    invoice('INV00000417', '1225.00', { tax: '109.88', taxAccountingCode: 'Sales Tax Payable' }),
    payment('P-00000188', '1000.00', [{ invoice: 'INV00000417', amount: '1000.00' }]),
    { ...invoice('INV00000418', '-25.00'), account: 'KR-10031' },
  );
  await pair.sync();
  await pair.pass(20);
  const result = await reconciled(pair);
  expect(result.result).toBe('tied');
  expect(shown(result)).toEqual([
    'R1 invoice USD, count: tied 0',
    'R1 invoice USD: tied 0.00',
    'R1 payment USD, count: tied 0',
    'R1 payment USD: tied 0.00',
    'R2 2 customers that agree, USD: tied 0.00',
    'R3 23000 USD: tied 0.00',
    'R3 40000 USD: tied 0.00',
    'R4 10200 USD: tied 0.00',
    'R5 active accounts with a customer: tied 0',
    'R5 customers that apply payments by themselves: tied 0',
    'R5 customers in another currency than their account: tied 0',
  ]);
  expect(result.lines.find(({ label }) => label === 'invoice USD')).toMatchObject({ a: { amount: '1309.88' }, b: { amount: '1309.88' } });
});

test('a held document explains what it leaves out, and what waits for it', async () => {
  const pair = await openMasters();
  await pair.zuora(
    invoice('INV00000417', '100.00', { recognizedRevenueAccountingCode: 'EU Usage' }),
    payment('P-00000188', '60.00', [{ invoice: 'INV00000417', amount: '60.00' }]),
  );
  await pair.sync();
  const result = await reconciled(pair);
  expect(result.result).toBe('explained');
  expect(lineOf(result, 'R1 invoice USD')).toBe('explained -100.00 [held: account-map:EU Usage -100.00]');
  expect(lineOf(result, 'R2 KR-10023 Northgate Dental Group, USD')).toBe(
    'explained -40.00 [held: account-map:EU Usage -100.00][waiting: missing:document INV00000417 60.00]',
  );
  expect(lineOf(result, 'R4 10200 USD')).toContain('explained -60.00');
});

test('an edit, a deletion and a void in Acumatica are told apart', async () => {
  const pair = await openMasters({ settings: { release: 'auto' } });
  await pair.zuora(invoice('INV00000417', '100.00'), payment('P-00000188', '60.00', [{ invoice: 'INV00000417', amount: '60.00' }]));
  await pair.sync();
  await pair.pass(20);
  const [paid] = await pair.records('acumatica', 'payments');
  await pair.acumatica({ action: 'void-document', type: 'Payment', ref: paid?.['ref'], date: '2026-03-20' });
  const result = await reconciled(pair);
  expect(result.result).toBe('explained');
  expect(lineOf(result, 'R1 payment USD')).toContain('[voided in Acumatica');
  expect(lineOf(result, 'R2 KR-10023 Northgate Dental Group, USD')).toBe('explained 60.00 [voided in Acumatica 60.00]');
});

test('a document somebody made by hand in Acumatica is named', async () => {
  const pair = await openMasters();
  await pair.zuora(invoice('INV00000417', '100.00'));
  await pair.sync();
  const customer = (await pair.customer('KR-10023'))?.['id'];
  await pair.acumatica({
    action: 'create-manual-document',
    type: 'Invoice',
    customer,
    date: '2026-03-05',
    lines: [{ account: '40000', price: '7.50', qty: '1', text: 'By hand' }],
  });
  const result = await reconciled(pair);
  expect(lineOf(result, 'R2 KR-10023 Northgate Dental Group, USD')).toBe('explained 7.50 [manual document in Acumatica 7.50]');
  expect(result.notes.some((note) => note.startsWith('40000 USD: 1 lines of others, -7.50'))).toBe(true);
  expect(result.result).toBe('explained');
});

test('an invoice of a closed period that was posted into the next one is said to be there', async () => {
  const pair = await openMasters({ settings: { closedPeriod: 'next-open' } });
  await pair.acumatica({ action: 'close-period', period: '022026' });
  await pair.zuora({ ...invoice('INV00000398', '300.00'), date: '2026-02-02', dueDate: '2026-03-04' });
  await pair.sync();
  const february = await reconciled(pair, '2026-02');
  expect(lineOf(february, 'R1 invoice USD')).toBe('explained -300.00 [other period: 202603 -300.00]');
  const march = await reconciled(pair, '2026-03-31');
  expect(lineOf(march, 'R1 invoice USD')).toBe('explained 300.00 [other period: 202602 300.00]');
  expect(lineOf(march, 'R3 40000 USD')).toBe('tied 0.00');
});

test('a document older than the cut-over is open in Zuora only', async () => {
  const pair = await openMasters();
  await pair.zuora({ ...invoice('INV00000300', '80.00'), date: '2026-01-15', dueDate: '2026-02-14' });
  await pair.sync();
  const result = await reconciled(pair);
  expect(lineOf(result, 'R2 KR-10023 Northgate Dental Group, USD')).toBe('explained -80.00 [before startFrom -80.00]');
});

test('an opening balance with the Zuora number stands for its invoice', async () => {
  const pair = await openMasters();
  await pair.sync();
  const customer = (await pair.customer('KR-10023'))?.['id'];
  await pair.acumatica({
    action: 'create-manual-document',
    type: 'Invoice',
    customer,
    date: '2026-02-01',
    reference: 'INV00000300',
    lines: [{ account: '40000', price: '80.00', qty: '1', text: 'Opening' }],
  });
  await pair.zuora({ ...invoice('INV00000300', '80.00'), date: '2026-01-15', dueDate: '2026-02-14' });
  await pair.sync();
  const result = await reconciled(pair);
  expect(lineOf(result, 'R2 1 customers that agree, USD')).toBe('tied 0.00');
});

test('an unexplained cent leaves the report open', async () => {
  const pair = await openMasters();
  await pair.sync();
  await pair.pass(10);
  await pair.zuora(invoice('INV00000417', '100.00'));
  // Two hours go by and nobody polls: nothing says any more that it is on its way.
  pair.world.time.turnTo(new Date(pair.world.time.clock.now().getTime() + 2 * 3_600_000));
  const result = await reconciled(pair);
  expect(result.result).toBe('open');
  expect(lineOf(result, 'R1 invoice USD')).toBe('open -100.00 [unexplained -100.00]');
});

test('customers without link, with AutoApply on, in another currency are listed', async () => {
  const pair = await openMasters({
    customers: [{ id: 'C0000977', name: 'HOLLIS FREIGHT', class: 'SAAS', postal: '43604', country: 'US' }],
  });
  await pair.sync();
  const id = (await pair.customer('KR-10023'))?.['id'];
  await pair.acumatica({ action: 'edit-customer', id, fields: { AutoApplyPayments: true, CurrencyID: 'EUR' } });
  const result = await reconciled(pair);
  expect(lineOf(result, 'R5 active accounts with a customer')).toBe('explained -1 [held: possible-duplicate -1]');
  expect(lineOf(result, 'R5 customers that apply payments by themselves')).toContain('explained 1 [AutoApplyPayments is on in Acumatica');
  expect(lineOf(result, 'R5 customers in another currency than their account')).toContain('[EUR in Acumatica, USD in Zuora');
});

test('a reversed invoice leaves nothing behind', async () => {
  const pair = await openMasters();
  await pair.zuora(invoice('INV00000417', '100.00'));
  await pair.sync();
  await pair.pass(20);
  await pair.zuora({ action: 'unpost', number: 'INV00000417' });
  await pair.sync();
  await pair.pass(40);
  expect(await pair.held()).toEqual([]);
  const result = await reconciled(pair);
  expect(result.lines.filter((line) => line.result === 'open')).toEqual([]);
  expect(lineOf(result, 'R3 40000 USD: reversed')).toBe('tied 0.00');
  expect(result.notes.some((note) => note.includes('reversed generations'))).toBe(true);
});

test('a period that Acumatica does not have is refused', async () => {
  const pair = await openMasters();
  await expect(reconciled(pair, '209901')).rejects.toThrow('no financial period 209901');
});

test('refunds tie as documents and as cash, also the one that is a void', async () => {
  const pair = await openMasters();
  await pair.zuora(
    invoice('INV00000417', '100.00'),
    payment('P-00000188', '100.00', [{ invoice: 'INV00000417', amount: '100.00' }]),
    payment('P-00000189', '50.00', []),
  );
  await pair.sync();
  await pair.pass(20);
  await pair.zuora(
    { action: 'chargeback', payment: 'P-00000188', number: 'R-00000055', date: '2026-03-12' },
    {
      action: 'refund-payment',
      payment: 'P-00000189',
      number: 'R-00000056',
      amount: '20.00',
      date: '2026-03-12',
      methodType: 'WireTransfer',
    },
  );
  await pair.sync();
  await pair.pass(60);
  expect(await pair.held()).toEqual([]);
  const result = await reconciled(pair);
  expect(result.lines.filter((line) => line.result !== 'tied')).toEqual([]);
  expect(result.lines.find(({ section }) => section === 'R4')).toMatchObject({ a: { amount: '30' }, b: { amount: '30' } });
});

test('a credit memo and its application move nothing but what they should', async () => {
  const pair = await openMasters();
  await pair.zuora(invoice('INV00000417', '100.00'), {
    action: 'create-credit-memo',
    number: 'CM00000031',
    account: 'KR-10023',
    date: '2026-03-10',
    items: [{ chargeName: 'Goodwill', amount: '30.00', recognizedRevenueAccountingCode: 'Subscription Revenue' }],
  });
  await pair.sync();
  await pair.pass(40);
  const result = await reconciled(pair);
  expect(result.lines.filter((line) => line.result !== 'tied')).toEqual([]);
  expect(result.lines.find(({ label }) => label === '40000 USD')).toMatchObject({ a: { amount: '-70' }, b: { amount: '-70' } });
});

test('a document that waits for its release is missing in documents and balances', async () => {
  const pair = await openMasters({ settings: { release: 'manual' } });
  await pair.zuora(invoice('INV00000417', '100.00'));
  await pair.sync();
  const result = await reconciled(pair);
  expect(lineOf(result, 'R1 invoice USD')).toContain('explained -100.00 [waiting: acumatica-status');
  expect(lineOf(result, 'R2 KR-10023 Northgate Dental Group, USD')).toContain('explained -100.00 [waiting: acumatica-status');
});

test('the nightly run of the first day of a month is about the month that ended', async () => {
  const pair = await openMasters({ start: '2026-04-01T02:00:00Z' });
  await pair.zuora(invoice('INV00000417', '100.00'));
  await pair.sync();
  const result = (await pair.operate('report', { report: 'reconcile', run: true })) as Result & { readonly period: string };
  expect(result.period).toBe('202603');
  expect(result.result).toBe('tied');
});
