import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { invoiceOne, kestrel, openStage, type Stage } from './stage.ts';

let stage: Stage;
const invoiceZero = {
  number: 'INV00000398',
  account: 'KR-10023',
  date: '2026-02-02',
  items: [{ chargeName: 'Support', amount: '300.00' }],
} as const;

beforeEach(async () => {
  stage = await openStage();
  await stage.simulator.seed({ ...kestrel, invoices: [invoiceZero, invoiceOne] });
});
afterEach(() => stage.close());

type Friendly = Readonly<Record<string, unknown>>;
const record = (noun: string, number: string): Friendly => stage.simulator.records(noun).find((row) => row['number'] === number) ?? {};
const balances = () => Object.fromEntries(stage.simulator.records('invoices').map((row) => [row['number'], row['balance']]));
const accountBalance = () => record('accounts', 'KR-10023')['balance'];
const parts = async (path: string) =>
  ((await stage.json(path)) as { parts: { invoiceId: string | null; debitMemoId: string | null; amount: number }[] }).parts.map((part) => [
    part.invoiceId === null ? null : stage.simulator.records('invoices').find((row) => row['id'] === part.invoiceId)?.['number'],
    part.amount,
  ]);

const electronic = {
  action: 'create-payment',
  number: 'P-00000188',
  account: 'KR-10023',
  amount: '2000.00',
  date: '2026-03-09',
  type: 'Electronic',
  gateway: 'Stripe',
  applications: [
    { invoice: 'INV00000398', amount: '300.00' },
    { invoice: 'INV00000417', amount: '1334.88' },
  ],
} as const;

describe('payments', () => {
  it('an overpayment closes both invoices and leaves a free part', async () => {
    await stage.act(electronic);
    expect(record('payments', 'P-00000188')).toMatchObject({ appliedAmount: '1634.88', unappliedAmount: '365.12', status: 'Processed' });
    expect(balances()).toEqual({ INV00000398: '0', INV00000417: '0' });
    expect(accountBalance()).toBe('-365.12');
    expect(await parts('/v1/payments/P-00000188/parts')).toEqual([
      [null, 365.12],
      ['INV00000398', 300],
      ['INV00000417', 1334.88],
    ]);
  });

  it('applying moves the invoice’s updatedDate, and the query shows the applications', async () => {
    stage.clock.pass(3_600_000);
    await stage.act(electronic);
    const { body } = await stage.query('payments', [
      ['expand[]', 'paymentapplications'],
      ['expand[]', 'paymentmethod'],
    ]);
    expect(body.data[0]).toMatchObject({
      type: 'Electronic',
      gateway: 'Stripe',
      amount: 2000,
      appliedAmount: 1634.88,
      paymentMethod: { type: 'CreditCard' },
      paymentApplications: expect.arrayContaining([expect.objectContaining({ applyAmount: 300, effectiveDate: '2026-03-09' })]),
    });
    const invoices = await stage.query('invoices', [['filter[]', 'updateddate.GT:2026-03-02T13:00:00Z']]);
    expect(invoices.body.data).toHaveLength(2);
  });

  it('unapplying opens the invoice again and leaves a negative row, or none, as the tenant is set', async () => {
    await stage.act(electronic);
    await stage.act({ action: 'unapply-payment', number: 'P-00000188', invoice: 'INV00000398', amount: '300.00' });
    const amounts = () => stage.simulator.records('paymentApplications').map((row) => row['amount']);
    expect(amounts()).toEqual(['300', '1334.88', '-300']);
    expect(balances()).toMatchObject({ INV00000398: '300' });
    await stage.act({ action: 'set-feature', feature: 'unapplyRows', value: 'removed' });
    await stage.act({ action: 'unapply-payment', number: 'P-00000188', invoice: 'INV00000417', amount: '1334.88' });
    expect(amounts()).toEqual(['300', '-300']);
    expect(await parts('/v1/payments/P-00000188/parts')).toEqual([[null, 2000]]);
  });

  it('more than is open, or more than is free, is refused', async () => {
    await stage.act({ action: 'create-payment', number: 'P-1', account: 'KR-10023', amount: 500, date: '2026-03-09' });
    await expect(stage.act({ action: 'apply-payment', number: 'P-1', invoice: 'INV00000398', amount: 301 })).rejects.toThrow(
      /open with 300/,
    );
    await expect(stage.act({ action: 'apply-payment', number: 'P-1', invoice: 'INV00000417', amount: 501 })).rejects.toThrow(
      /500 unapplied/,
    );
  });

  it('an external payment is canceled only when nothing is applied', async () => {
    await stage.act({ ...electronic, type: 'External', gateway: undefined });
    await expect(stage.act({ action: 'cancel-payment', number: 'P-00000188' })).rejects.toThrow(/unapply first/);
    await stage.act({ action: 'unapply-payment', number: 'P-00000188', invoice: 'INV00000398', amount: 300 });
    await stage.act({ action: 'unapply-payment', number: 'P-00000188', invoice: 'INV00000417', amount: '1334.88' });
    await stage.act({ action: 'cancel-payment', number: 'P-00000188' });
    expect(record('payments', 'P-00000188')).toMatchObject({ status: 'Canceled', unappliedAmount: '0' });
    expect(accountBalance()).toBe('1634.88');
    expect(await parts('/v1/payments/P-00000188/parts')).toEqual([]);
  });

  it('a failed payment frees its invoices', async () => {
    await stage.act(electronic);
    await stage.act({ action: 'fail-payment', number: 'P-00000188' });
    expect(record('payments', 'P-00000188')).toMatchObject({ status: 'Error', appliedAmount: '0', gatewayState: 'FailedToSettle' });
    expect(balances()).toEqual({ INV00000398: '300', INV00000417: '1334.88' });
    expect(accountBalance()).toBe('1634.88');
  });

  it('an unapplied payment moves to another account with its money', async () => {
    await stage.act({ action: 'create-payment', number: 'P-1', account: 'KR-10023', amount: 500, date: '2026-03-09' });
    await stage.act({ action: 'transfer-payment', number: 'P-1', account: 'KR-10031' });
    expect(accountBalance()).toBe('1634.88');
    expect(record('accounts', 'KR-10031')['balance']).toBe('-500');
  });
});

describe('refunds', () => {
  beforeEach(() => stage.act(electronic));

  it('a chargeback leaves the payment Processed without parts and the invoices open', async () => {
    await stage.act({ action: 'chargeback', payment: 'P-00000188', number: 'R-00000055' });
    expect(record('refunds', 'R-00000055')).toMatchObject({
      type: 'External',
      amount: '2000',
      reasonCode: 'Payment Reversal',
      status: 'Processed',
    });
    expect(record('payments', 'P-00000188')).toMatchObject({
      status: 'Processed',
      appliedAmount: '0',
      unappliedAmount: '0',
      refundAmount: '2000',
    });
    expect(await parts('/v1/payments/P-00000188/parts')).toEqual([]);
    expect(balances()).toEqual({ INV00000398: '300', INV00000417: '1334.88' });
    const { body } = await stage.query('refunds', [['expand[]', 'refundapplications']]);
    expect(body.data[0]).toMatchObject({ refundNumber: 'R-00000055', sourceType: 'Payment', refundApplications: [{ applyAmount: 2000 }] });
  });

  it('a partial refund unapplies what it is told to', async () => {
    const unapply = [{ invoice: 'INV00000398', amount: 300 }];
    await stage.act({ action: 'refund-payment', payment: 'P-00000188', number: 'R-00000056', amount: 300, unapply });
    expect(record('payments', 'P-00000188')).toMatchObject({ appliedAmount: '1334.88', unappliedAmount: '365.12', refundAmount: '300' });
    expect(balances()).toMatchObject({ INV00000398: '300' });
  });

  it('beyond the free amount it is refused without unapply', async () => {
    await expect(stage.act({ action: 'refund-payment', payment: 'P-00000188', amount: 400 })).rejects.toThrow(/365.12 unapplied/);
  });

  it('a canceled refund gives the money back to the payment', async () => {
    await stage.act({ action: 'refund-payment', payment: 'P-00000188', number: 'R-1', amount: 100 });
    await stage.act({ action: 'cancel-refund', number: 'R-1' });
    expect(record('refunds', 'R-1')['status']).toBe('Canceled');
    expect(record('payments', 'P-00000188')).toMatchObject({ unappliedAmount: '365.12', refundAmount: '0' });
  });
});

describe('invoices', () => {
  it('an unposted invoice comes back under the same id and number with a new posted date', async () => {
    const before = record('invoices', 'INV00000417');
    stage.clock.pass(86_400_000);
    await stage.act({ action: 'unpost', number: 'INV00000417' });
    expect(record('invoices', 'INV00000417')).toMatchObject({ status: 'Draft', postedAt: null });
    expect(accountBalance()).toBe('300');
    await stage.act({ action: 'edit-invoice-items', number: 'INV00000417', items: [{ chargeName: 'Pro plan', amount: 1000 }] });
    await stage.act({ action: 'post-invoice', number: 'INV00000417' });
    const after = record('invoices', 'INV00000417');
    expect(after).toMatchObject({ id: before['id'], status: 'Posted', amount: '1000', balance: '1000', taxAmount: '0' });
    expect(after['postedAt']).not.toBe(before['postedAt']);
    expect(stage.simulator.records('taxationItems')).toHaveLength(0);
  });

  it.each([
    ['a settled one', async () => stage.act(electronic), 'INV00000417', /settled/],
    ['an earlier one', async () => undefined, 'INV00000398', /later/],
    [
      'any, without the feature',
      async () => stage.act({ action: 'set-feature', feature: 'cancelPostedBillingDocument', value: false }),
      'INV00000417',
      /feature/,
    ],
  ])('unposting %s is refused', async (_what, prepare, number, says) => {
    await prepare();
    await expect(stage.act({ action: 'unpost', number })).rejects.toThrow(says);
  });

  it('a canceled invoice leaves Posted and owes nothing', async () => {
    await stage.act({ action: 'cancel', number: 'INV00000417' });
    expect(record('invoices', 'INV00000417')).toMatchObject({ status: 'Canceled', balance: '0' });
    expect(accountBalance()).toBe('300');
  });

  it('a reversed invoice stays Posted, is marked, and a memo with its lines and tax is applied', async () => {
    await stage.act({ action: 'reverse-invoice', number: 'INV00000417', memoNumber: 'CM00000040' });
    const { body } = await stage.query('invoices', [['filter[]', 'reversed.EQ:true']]);
    expect(body.data[0]).toMatchObject({ status: 'Posted', balance: 0, creditMemoAmount: 1334.88 });
    expect(await stage.json('/v1/invoices/INV00000417')).not.toHaveProperty('reversed');
    const memo = (
      await stage.query('credit-memos', [
        ['expand[]', 'creditmemoapplications'],
        ['expand[]', 'creditmemoitems'],
      ])
    ).body.data[0];
    expect(memo).toMatchObject({
      memoNumber: 'CM00000040',
      totalAmount: 1334.88,
      taxAmount: 109.88,
      balance: 0,
      appliedAmount: 1334.88,
      creditMemoApplications: [{ amount: 1334.88 }],
      creditMemoItems: [{ amountWithoutTax: 1225, taxAmount: 109.88, invoiceItemId: expect.any(String) }],
    });
    await expect(stage.act({ action: 'reverse-invoice', number: 'INV00000417' })).rejects.toThrow(/applied/);
  });

  it('a write-off credits what is open, tax in proportion', async () => {
    await stage.act({
      action: 'create-payment',
      account: 'KR-10023',
      amount: '667.44',
      date: '2026-03-09',
      applications: [{ invoice: 'INV00000417', amount: '667.44' }],
    });
    await stage.act({ action: 'write-off', number: 'INV00000417', memoNumber: 'CM-W' });
    expect(record('creditMemos', 'CM-W')).toMatchObject({ reasonCode: 'Write-off', amount: '667.44', taxAmount: '54.94', balance: '0' });
    expect(balances()).toMatchObject({ INV00000417: '0' });
  });

  it('v1 shows names, not ids, plain times without zone, and no more than asked', async () => {
    expect(await stage.json('/v1/invoices/INV00000417')).toMatchObject({
      updatedDate: '2026-03-02 04:15:09',
      postedDate: '2026-03-02',
      success: true,
    });
    expect(await stage.json('/v1/invoices/INV00000417/items')).toMatchObject({
      invoiceItems: [
        {
          processingType: 'Charge',
          chargeAmount: 1225,
          recognizedRevenueAccountingCode: 'Subscription Revenue',
          deferredRevenueAccountingCode: 'Deferred Revenue',
          taxationItems: { data: [{ taxAmount: 109.88 }] },
        },
      ],
    });
  });

  it('marking as transferred moves updatedDate only, other fields are refused', async () => {
    stage.clock.pass(60_000);
    const put = (body: unknown) => stage.call('/v1/invoices/INV00000417', { method: 'PUT', body: JSON.stringify(body) });
    expect(await (await put({ transferredToAccounting: 'Yes' })).json()).toMatchObject({
      transferredToAccounting: 'Yes',
      updatedDate: '2026-03-02 04:16:09',
      balance: 1334.88,
    });
    expect((await put({ amount: 1 })).status).toBe(400);
  });

  it('a total that is not the sum of its lines can be rehearsed', async () => {
    const items = [1, 2, 3].map(() => ({ amount: '33.33' }));
    await stage.act({ action: 'create-invoice', number: 'ODD', account: 'KR-10031', date: '2026-03-02', total: '100.00', items });
    expect(record('invoices', 'ODD')).toMatchObject({ amount: '100', balance: '100' });
  });
});

describe('memos', () => {
  const memo = {
    action: 'create-credit-memo',
    number: 'CM00000031',
    account: 'KR-10023',
    date: '2026-03-10',
    invoice: 'INV00000417',
    items: [{ amount: '100.00', tax: '8.97', taxAccountingCode: 'Sales Tax Payable' }],
  } as const;

  it('is applied in two steps on two dates and closes', async () => {
    await stage.act({ ...memo, applications: [{ invoice: 'INV00000417', amount: '60.00', date: '2026-03-10' }] });
    await stage.act({ action: 'apply-memo', number: 'CM00000031', invoice: 'INV00000417', amount: '48.97', date: '2026-03-15' });
    expect(record('creditMemos', 'CM00000031')).toMatchObject({ amount: '108.97', balance: '0', appliedAmount: '108.97' });
    expect(balances()).toMatchObject({ INV00000417: '1225.91' });
    const { body } = await stage.query('credit-memo-applications', [['sort[]', 'effectivedate.ASC']]);
    expect(body.data.map((row) => [row['effectiveDate'], row['amount']])).toEqual([
      ['2026-03-10', 60],
      ['2026-03-15', 48.97],
    ]);
    expect(await parts('/v1/credit-memos/CM00000031/parts')).toEqual([['INV00000417', 108.97]]);
    expect(await parts('/v1/creditmemos/CM00000031/parts')).toHaveLength(1);
  });

  it('the expanded tax items of a memo line keep their lower-case name', async () => {
    await stage.act(memo);
    const { body } = await stage.query('credit-memo-items', [['expand[]', 'credittaxationitems']]);
    expect(body.data[0]).toMatchObject({ amount: 100, processingType: '0', credittaxationitems: [{ taxAmount: 8.97 }] });
  });

  it('goes back to draft only unapplied, and is canceled from there', async () => {
    await stage.act({ ...memo, applications: [{ invoice: 'INV00000417', amount: 60 }] });
    await expect(stage.act({ action: 'unpost-memo', number: 'CM00000031' })).rejects.toThrow(/unapply first/);
    await stage.act({ action: 'unapply-memo', number: 'CM00000031', invoice: 'INV00000417', amount: 60 });
    await stage.act({ action: 'unpost-memo', number: 'CM00000031' });
    expect(accountBalance()).toBe('1634.88');
    await stage.act({ action: 'cancel-memo', number: 'CM00000031' });
    expect(record('creditMemos', 'CM00000031')).toMatchObject({ status: 'Canceled', balance: '0' });
  });

  it('a reversed memo is marked and applied to a debit memo of its lines', async () => {
    await stage.act(memo);
    await stage.act({ action: 'reverse-memo', number: 'CM00000031', memoNumber: 'DM00000001' });
    expect(record('creditMemos', 'CM00000031')).toMatchObject({ reversed: true, balance: '0' });
    expect(record('debitMemos', 'DM00000001')).toMatchObject({ amount: '108.97', balance: '0', creditMemoAmount: '108.97' });
    const { body } = await stage.query('debit-memos', [['expand[]', 'debitmemoitems']]);
    expect(body.data[0]).toMatchObject({ memoNumber: 'DM00000001', totalAmount: 108.97, debitMemoItems: [{ taxAmount: 8.97 }] });
  });

  it('a debit memo takes a payment', async () => {
    await stage.act({ action: 'create-debit-memo', number: 'DM-1', account: 'KR-10023', date: '2026-03-10', items: [{ amount: 90 }] });
    await stage.act({
      action: 'create-payment',
      number: 'P-1',
      account: 'KR-10023',
      amount: 90,
      date: '2026-03-11',
      applications: [{ debitMemo: 'DM-1', amount: 90 }],
    });
    expect(record('debitMemos', 'DM-1')).toMatchObject({ balance: '0', paymentAmount: '90' });
  });

  it('member names of v1 items follow the version', async () => {
    await stage.act(memo);
    const item = async (version: string) =>
      ((await stage.json('/v1/creditmemos/CM00000031/items', { version })) as { items: object[] }).items[0];
    expect(Object.keys((await item('2025-08-12')) ?? {})).toEqual(expect.arrayContaining(['amount', 'description', 'taxationItems']));
    expect(Object.keys((await item('215.0')) ?? {})).toEqual(expect.arrayContaining(['memoItemAmount', 'comment', 'creditTaxItems']));
  });

  it('a memo with inclusive tax has a gross amount on its line', async () => {
    await stage.act({ ...memo, items: [{ amount: '100.00', tax: '19.00', taxMode: 'TaxInclusive' }] });
    expect((await stage.query('credit-memo-items', [])).body.data[0]).toMatchObject({
      amount: 119,
      amountWithoutTax: 100,
      taxMode: 'TaxInclusive',
    });
  });
});

describe('without Invoice Settlement', () => {
  beforeEach(() => stage.act({ action: 'set-feature', feature: 'invoiceSettlement', value: false }));

  it('memos, applications and parts answer an error, invoices and payments do not', async () => {
    for (const object of ['credit-memos', 'debit-memos', 'payment-applications', 'refund-applications'])
      expect((await stage.query(object, [])).status).toBe(400);
    for (const object of ['invoices', 'payments', 'refunds']) expect((await stage.query(object, [])).status).toBe(200);
    expect((await stage.call('/v1/payments/P-1/parts')).status).toBe(400);
    await expect(stage.act({ action: 'create-credit-memo', account: 'KR-10023', date: '2026-03-01', items: [] })).rejects.toThrow(
      /Invoice Settlement/,
    );
  });

  it('negative invoices exist, payments are applied in full, and applications are rows of the old query', async () => {
    await stage.act({
      action: 'create-invoice',
      number: 'INV00000430',
      account: 'KR-10031',
      date: '2026-03-02',
      items: [{ amount: '-25.00' }],
    });
    expect(record('invoices', 'INV00000430')).toMatchObject({ amount: '-25', balance: '-25' });
    await expect(stage.act({ action: 'create-payment', account: 'KR-10023', amount: 10, date: '2026-03-09' })).rejects.toThrow(
      /applied in full/,
    );
    await stage.act({
      action: 'create-payment',
      number: 'P-7',
      account: 'KR-10023',
      amount: 300,
      date: '2026-03-09',
      applications: [{ invoice: 'INV00000398', amount: 300 }],
    });
    const body = JSON.stringify({
      queryString: "select Id, PaymentId, InvoiceId, Amount from InvoicePayment where UpdatedDate >= '2026-03-02T00:00:00.000-08:00'",
    });
    expect(await stage.json('/v1/action/query', { method: 'POST', body })).toMatchObject({
      size: 1,
      done: true,
      records: [{ Amount: 300 }],
    });
    await stage.act({ action: 'refund-payment', payment: 'P-7', amount: 100 });
    expect(record('invoices', 'INV00000398')).toMatchObject({ balance: '100', refundAmount: '100' });
  });
});
