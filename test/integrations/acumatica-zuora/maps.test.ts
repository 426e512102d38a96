import { describe, expect, test } from 'vitest';
import type { Journal, MoneySource } from '../../../lib/integrations/acumatica-zuora/canonical.ts';
import {
  contentPrint,
  documentHeaderPrint,
  mapDocument,
  mapReversal,
  termsOf,
  typeOf,
} from '../../../lib/integrations/acumatica-zuora/maps/zuora-document-to-ar-document.ts';
import { mapJournal } from '../../../lib/integrations/acumatica-zuora/maps/zuora-journal-to-gl-batch.ts';
import {
  isFullyRefunded,
  mapPayment,
  mapVoid,
  wayOfRefund,
} from '../../../lib/integrations/acumatica-zuora/maps/zuora-money-to-ar-payment.ts';
import { books, causeOf, document, netDocument, northgate, settingsWith } from './examples.ts';

const map = (of = document(), more: Parameters<typeof settingsWith>[0] = {}, customer = northgate, generation = 1) =>
  mapDocument(of, { generation, customer, settings: settingsWith(more), books });

describe('an invoice or memo', () => {
  test('plain', () => {
    expect(map()).toMatchObject({
      type: 'Invoice',
      marker: 'INV00000417',
      description: 'Zuora INV00000417 KR-10023',
      customer: 'C0000001',
      date: '2026-03-02',
      dueDate: '2026-04-01',
      terms: '30D',
      currency: 'USD',
      sendCurrency: false,
      total: '1334.88',
      taxTotal: '0',
    });
  });

  test.each([
    ['invoice', '10', 'Invoice'],
    ['invoice', '-10', 'Credit Memo'],
    ['debit-memo', '10', 'Debit Memo'],
    ['debit-memo', '-10', 'Credit Memo'],
    ['credit-memo', '10', 'Credit Memo'],
    ['credit-memo', '-10', 'Debit Memo'],
    ['invoice', '0', 'Invoice'],
  ] as const)('%s of %s becomes %s', (object, total, type) => {
    expect(typeOf({ object, total })).toBe(type);
  });

  test('a credit memo has neither terms nor due date', () => {
    const draft = map(netDocument(['50.00'], '50.00', { object: 'credit-memo', number: 'CM1' }));
    expect([draft.type, draft.terms, draft.dueDate]).toEqual(['Credit Memo', undefined, undefined]);
  });

  test('generations and prefix are in the marker', () => {
    expect(map(document(), { markerPrefix: 'EU-' }, northgate, 2)).toMatchObject({ marker: 'EU-INV00000417~2', number: 'EU-INV00000417' });
  });

  test('next-open keeps the date and sends the period of the first open one', () => {
    expect(map(document({ date: '2026-02-02' }), { closedPeriod: 'next-open' })).toMatchObject({
      date: '2026-02-02',
      postPeriod: '032026',
      description: 'Zuora INV00000417 KR-10023 of 2026-02-02',
    });
  });

  test.each<[string, () => unknown, string]>([
    ['a closed period', () => map(document({ date: '2026-02-02' })), 'period:202602'],
    ['no period at all', () => map(document({ date: '2027-05-05' })), 'period:202705'],
    ['a customer in another currency', () => map(document(), {}, { ...northgate, currency: 'EUR' }), 'currency'],
    [
      'a customer that may not have another currency',
      () => map(document(), { currency: 'document' }, { ...northgate, currency: 'EUR' }),
      'currency',
    ],
    ['an inactive currency', () => map(document({ currency: 'CHF' })), 'currency'],
    ['an inactive customer', () => map(document(), {}, { ...northgate, status: 'Inactive' }), 'customer-status:C0000001'],
    ['a number that is too long', () => map(document({ number: 'X'.repeat(37) })), 'number-too-long'],
  ])('%s holds', (_name, act, cause) => {
    expect(causeOf(act)).toBe(cause);
  });

  test('currency: document sends the currency where the customer allows the override', () => {
    expect(map(document(), { currency: 'document' }, { ...northgate, currency: 'EUR', anyCurrency: true })).toMatchObject({
      sendCurrency: true,
      currency: 'USD',
    });
  });

  test('a customer without a currency of its own has the one of the branch', () => {
    expect(map(document(), {}, { id: 'C1' })).toMatchObject({ sendCurrency: false });
  });

  test('balance and texts do not change the fingerprints; amounts, codes and status do', () => {
    const before = document();
    expect(documentHeaderPrint({ ...before, balance: '0', dueDate: '2026-05-01', updatedAt: '2026-06-01T00:00:00Z' })).toBe(
      documentHeaderPrint(before),
    );
    expect(documentHeaderPrint({ ...before, status: 'Draft' })).not.toBe(documentHeaderPrint(before));
    const [first] = before.lines;
    if (first === undefined) throw new Error('an invoice has a line');
    expect(contentPrint(document({ lines: [{ ...first, text: 'Renamed' }] }))).toBe(contentPrint(before));
    expect(contentPrint(document({ lines: [{ ...first, recognisedCode: 'Discounts' }] }))).not.toBe(contentPrint(before));
  });

  test('the reversal has the opposite type, the same lines and the day of the event', () => {
    const reversal = mapReversal(map(), { generation: 1, on: '2026-03-15', settings: settingsWith(), books });
    expect(reversal).toMatchObject({ type: 'Credit Memo', marker: 'INV00000417~R1', date: '2026-03-15', total: '1334.88' });
    expect(reversal.lines).toEqual(map().lines);
    expect([reversal.dueDate, reversal.terms]).toEqual([undefined, undefined]);
  });

  test.each([
    ['Net 30', '30D'],
    ['net45', '45D'],
    ['Due Upon Receipt', undefined],
    ['Special', 'SPC'],
    ['Ours', undefined],
    [undefined, undefined],
  ])('term %s is sent as %s', (term, code) => {
    expect(termsOf(term, { special: 'SPC', Ours: '' })).toBe(code);
  });
});

const paid: MoneySource = {
  object: 'payment',
  id: 'p',
  number: 'P-00000188',
  accountId: '8ada',
  status: 'Processed',
  standalone: false,
  date: '2026-03-09',
  amount: '2000.00',
  refunded: '0',
  gateway: 'Stripe',
  methodType: 'CreditCard',
  rows: [],
  updatedAt: '2026-03-09T10:00:00Z',
};

describe('a payment', () => {
  const applications = [
    { docType: 'Invoice', ref: 'AR1', number: 'INV1', amount: '300.00', date: '2026-03-09' },
    { docType: 'Invoice', ref: 'AR2', number: 'INV2', amount: '100.00', date: '2026-03-12' },
  ];
  const desired = [
    { docId: 'd1', amount: '300.00' },
    { docId: 'd2', amount: '100.00' },
  ];
  const given = { generation: 1, customer: northgate, currency: 'USD', settings: settingsWith(), books };

  test('carries its full amount and only the rows of its own date', () => {
    expect(mapPayment(paid, { ...given, desired, applications })).toMatchObject({
      marker: 'P-00000188',
      amount: '2000.00',
      date: '2026-03-09',
      paymentMethod: 'ZCARD',
      cashAccount: '10200',
      rows: [{ ref: 'AR1', amount: '300.00' }],
      complete: false,
    });
  });

  test('the method of last resort is the row without conditions', () => {
    expect(mapPayment({ ...paid, methodType: 'ACH' }, { ...given, desired: [], applications: [] })).toMatchObject({
      paymentMethod: 'ZWIRE',
      complete: true,
    });
  });

  test.each<[string, Partial<MoneySource>, Parameters<typeof settingsWith>[0], string]>([
    [
      'no row for the method',
      {},
      { methods: [{ gateway: 'Adyen', paymentMethod: 'ZCARD', cashAccount: '10200' }] },
      'method-map:Stripe/CreditCard/USD',
    ],
    ['a method that is not for AR', {}, { methods: [{ paymentMethod: 'NOAR', cashAccount: '10200' }] }, 'method-map:Stripe/CreditCard/USD'],
    [
      'a cash account the method does not allow',
      {},
      { methods: [{ paymentMethod: 'ZCARD', cashAccount: '10999' }] },
      'method-map:Stripe/CreditCard/USD',
    ],
    ['a closed period', { date: '2026-02-03' }, {}, 'period:202602'],
  ])('%s holds', (_name, change, more, cause) => {
    expect(
      causeOf(() => mapPayment({ ...paid, ...change }, { ...given, settings: settingsWith(more), desired: [], applications: [] })),
    ).toBe(cause);
  });

  test('next-open dates it on the first day of the open period', () => {
    expect(
      mapPayment(
        { ...paid, date: '2026-02-03' },
        { ...given, settings: settingsWith({ closedPeriod: 'next-open' }), desired: [], applications: [] },
      ),
    ).toMatchObject({ date: '2026-03-01', description: 'Zuora P-00000188 of 2026-02-03' });
  });

  test('its void is never dated before it', () => {
    const posted = mapPayment(paid, { ...given, desired: [], applications: [] });
    expect(
      mapVoid(posted, { generation: 1, target: 'Payment/1', marker: posted.marker, on: '2026-03-01', settings: settingsWith(), books }),
    ).toMatchObject({ date: '2026-03-09', marker: 'P-00000188~R1' });
  });

  test.each([
    ['2000', true],
    ['2000.00', true],
    ['0', false],
    ['300', false],
  ])('refunded %s of 2000.00: in full is %s', (refunded, full) => {
    expect(isFullyRefunded({ ...paid, refunded })).toBe(full);
  });
});

describe('the way of a refund', () => {
  const ask = {
    amount: '300.00',
    free: '365.12',
    sourceAmount: '2000.00',
    isPayment: true,
    otherRefunds: 0,
    refundOfApplied: 'void' as const,
    begun: undefined,
  };
  test.each([
    ['enough is free', {}, 'refund'],
    ['just enough is free', { free: '300' }, 'refund'],
    ['a part of an applied payment', { free: '0' }, 'needs-unapply'],
    ['all of an applied payment', { free: '0', amount: '2000', sourceAmount: '2000.00' }, 'void'],
    ['all of it, but refundOfApplied is hold', { free: '0', amount: '2000.00', refundOfApplied: 'hold' as const }, 'needs-unapply'],
    ['all of it, but there was another refund', { free: '0', amount: '2000.00', otherRefunds: 1 }, 'needs-unapply'],
    ['all of an applied memo', { free: '0', amount: '2000.00', isPayment: false }, 'needs-unapply'],
    ['begun as a refund: its own booking does not count against it', { free: '65.12', begun: 'refund' as const }, 'refund'],
  ])('%s', (_name, more, way) => {
    expect(wayOfRefund({ ...ask, ...more })).toBe(way);
  });
});

describe('a journal entry', () => {
  const entry: Journal = {
    number: 'JE-00000102',
    run: 'JR-00000045',
    type: 'Revenue Event Item',
    status: 'Created',
    date: '2026-03-31',
    period: "Mar '26",
    currency: 'USD',
    aggregate: false,
    lines: [
      { code: 'Deferred Revenue', side: 'Debit', amount: '1225.00', segments: '' },
      { code: 'Subscription Revenue', side: 'Credit', amount: '1225.00', segments: 'Dept=1' },
      { code: 'Discounts', side: 'Credit', amount: '0', segments: '' },
    ],
  };
  const mapped = (of = entry, more: Parameters<typeof settingsWith>[0] = {}) =>
    mapJournal(of, { generation: 1, settings: settingsWith(more), books });

  test('one batch, zero lines dropped, found by the beginning of its description', () => {
    expect(mapped()).toMatchObject({
      marker: 'ZUORA JE-00000102|',
      description: "ZUORA JE-00000102|JR-00000045 Revenue Event Item Mar '26",
      lines: [
        { account: '24000', debit: '1225', credit: '0' },
        { account: '40000', debit: '0', credit: '1225', text: 'Subscription Revenue Dept=1' },
      ],
    });
  });

  test('a negative amount is the other side, positive', () => {
    const negative = { ...entry, lines: entry.lines.slice(0, 2).map((each) => ({ ...each, amount: `-${each.amount}` })) };
    expect(mapped(negative).lines).toMatchObject([
      { debit: '0', credit: '1225' },
      { debit: '1225', credit: '0' },
    ]);
  });

  test.each<[string, Journal, Parameters<typeof settingsWith>[0], string]>([
    ['unbalanced', { ...entry, lines: entry.lines.slice(0, 1) }, {}, 'unbalanced'],
    [
      'an AR account',
      { ...entry, lines: [{ code: 'Receivables', side: 'Debit', amount: '1', segments: '' }] },
      {},
      'control-account:11000',
    ],
    [
      'an AR account, also in gl-summary',
      { ...entry, lines: [{ code: 'Receivables', side: 'Debit', amount: '1', segments: '' }] },
      { postingMode: 'gl-summary' },
      'control-account:11000',
    ],
    [
      'a cash account beside documents',
      { ...entry, lines: [{ code: 'Bank', side: 'Debit', amount: '1', segments: '' }] },
      {},
      'control-account:10200',
    ],
    ['a closed period', { ...entry, date: '2026-02-28' }, {}, 'period:202602'],
    [
      'a side that is neither',
      { ...entry, lines: [{ code: 'Discounts', side: 'Up', amount: '1', segments: '' }] },
      {},
      'unknown-value:journal side',
    ],
    [
      "currencies summed into one that is not the ledger's",
      { ...entry, aggregate: true, currency: 'USD', homeCurrency: 'EUR' },
      {},
      'currency',
    ],
  ])('%s holds', (_name, of, more, cause) => {
    expect(causeOf(() => mapped(of, more))).toBe(cause);
  });

  test('in gl-summary cash belongs to the journals', () => {
    const cash = {
      ...entry,
      lines: [
        { code: 'Bank', side: 'Debit', amount: '5', segments: '' },
        { code: 'Discounts', side: 'Credit', amount: '5', segments: '' },
      ],
    };
    expect(mapped(cash, { postingMode: 'gl-summary' }).lines).toHaveLength(2);
  });
});
