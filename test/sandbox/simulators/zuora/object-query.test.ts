import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { invoiceOne, kestrel, openStage, type Stage } from './stage.ts';

let stage: Stage;

beforeEach(async () => {
  stage = await openStage();
  await stage.simulator.seed({ ...kestrel, invoices: [invoiceOne] });
});
afterEach(() => stage.close());

const many = (count: number, date = '2026-03-03') =>
  Array.from({ length: count }, (_, index) => ({ account: 'KR-10031', date, items: [{ amount: String(index + 1) }] }));

describe('records', () => {
  it('an invoice arrives with camel-case names, offset times, bare numbers and no nulls', async () => {
    const { body } = await stage.query('invoices', [['filter[]', 'invoicenumber.EQ:inv00000417']]);
    expect(body.data).toHaveLength(1);
    expect(body.data[0]).toMatchObject({
      invoiceNumber: 'INV00000417',
      amount: 1334.88,
      amountWithoutTax: 1225,
      taxAmount: 109.88,
      balance: 1334.88,
      status: 'Posted',
      reversed: false,
      invoiceDate: '2026-03-02',
      dueDate: '2026-04-01',
      updatedDate: '2026-03-02T04:15:09-08:00',
      postedDate: '2026-03-02T04:15:09-08:00',
    });
    expect(body.data[0]).not.toHaveProperty('sourceId');
    expect(body).not.toHaveProperty('nextPage');
  });

  it('includeNullFields shows nulls, and nextPage as null on the last page', async () => {
    const { body } = await stage.query('invoices', [['includeNullFields', 'true']]);
    expect(body.data[0]).toMatchObject({ sourceId: null });
    expect(body).toHaveProperty('nextPage', null);
  });

  it('items lower only the first letter, give the processing type as digit text and codes as ids', async () => {
    const [invoice] = (await stage.query('invoices', [])).body.data;
    const { body } = await stage.query('invoice-items', [
      ['filter[]', `invoiceid.EQ:${String(invoice?.['id'])}`],
      ['expand[]', 'taxationitems'],
    ]);
    const code = stage.simulator.records('accountingCodes').find((row) => row['name'] === 'Subscription Revenue');
    expect(body.data[0]).toMatchObject({
      sKU: 'KR-CLOUD',
      uOM: 'Each',
      processingType: '0',
      chargeAmount: 1225,
      taxAmount: 109.88,
      quantity: 25,
      unitPrice: 49,
      recognizedRevenueAccountingCodeId: code?.['id'],
      taxationItems: [{ taxAmount: 109.88, accountingCode: 'Sales Tax Payable' }],
    });
  });

  it('accounts show custom fields with a lower first letter, full country names and both contacts on demand', async () => {
    await stage.act({ action: 'update-account', number: 'KR-10023', custom: { NAVCustomerNo__c: 'C00230' } });
    const { body } = await stage.query('accounts', [
      ['filter[]', 'NAVCustomerNo__c.EQ:c00230'],
      ['expand[]', 'billto'],
      ['expand[]', 'soldto'],
    ]);
    expect(body.data[0]).toMatchObject({
      nAVCustomerNo__c: 'C00230',
      balance: 1334.88,
      billTo: { firstName: 'Ada', country: 'United States', state: 'Ohio', postalCode: '45402' },
      soldTo: { firstName: 'Ada' },
    });
  });

  it('the summer offset follows the date, not the season of today', async () => {
    stage.clock.pass(120 * 86_400_000);
    await stage.act({ action: 'touch', noun: 'invoices', number: 'INV00000417' });
    const { body } = await stage.query('invoices', [['fields[]', 'updatedDate,createdDate']]);
    expect(body.data[0]).toEqual({ updatedDate: '2026-06-30T05:15:09-07:00', createdDate: '2026-03-02T04:15:09-08:00' });
  });

  it('a record comes by id and by number, and 404 otherwise', async () => {
    expect(await stage.json('/object-query/invoices/INV00000417')).toMatchObject({ amount: 1334.88 });
    const missing = await stage.call('/object-query/invoices/INV404');
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ reasons: [{ code: '50000040' }] });
  });
});

describe('refusals', () => {
  const refused: readonly (readonly [string, string, readonly (readonly [string, string])[]])[] = [
    ['a page size of 0', 'accounts', [['pageSize', '0']]],
    ['a page size of 100', 'accounts', [['pageSize', '100']]],
    ['an unlisted filter field', 'payments', [['filter[]', 'type.EQ:External']]],
    ['invoiceid on payment applications', 'payment-applications', [['filter[]', 'invoiceid.EQ:8ad0']]],
    ['an unknown operator', 'accounts', [['filter[]', 'status.XX:Active']]],
    ['a filter without value', 'accounts', [['filter[]', 'status.EQ:']]],
    ['an unlisted sort field', 'invoices', [['sort[]', 'currency.ASC']]],
    [
      'two sort fields',
      'invoices',
      [
        ['sort[]', 'id.ASC'],
        ['sort[]', 'balance.ASC'],
      ],
    ],
    ['an unknown expand', 'invoices', [['expand[]', 'payments']]],
    ['an unknown parameter', 'invoices', [['filters[]', 'id.EQ:1']]],
    ['an unknown field', 'invoices', [['fields[]', 'invoiceNo']]],
    ['invoice items without filter', 'invoice-items', []],
    ['a date-time without offset', 'invoices', [['filter[]', 'updateddate.GE:2026-03-02T12:10:00']]],
    ['a date-time as date', 'invoices', [['filter[]', 'invoicedate.GE:2026-03-02T00:00:00Z']]],
    ['a word as amount', 'invoices', [['filter[]', 'amount.GT:much']]],
    ['an IN without brackets', 'invoices', [['filter[]', 'id.IN:a,b']]],
    ['a made-up cursor', 'invoices', [['cursor', 'MTA=']]],
  ];
  it.each(refused)('%s is category 27', async (_what, object, parameters) => {
    const { status, body } = await stage.query(object, parameters);
    expect(status).toBe(400);
    expect(body.reasons?.[0]?.code).toMatch(/^6700\d\d27$/);
    expect(body).not.toHaveProperty('success');
    expect(body.requestId).toMatch(/^[0-9a-f]{32}$/);
  });

  it('a plus sign that is not encoded arrives as a blank and is refused', async () => {
    expect((await stage.call('/object-query/invoices?filter[]=updateddate.GE:2026-03-02T12:10:00+01:00')).status).toBe(400);
    expect((await stage.call('/object-query/invoices?filter[]=updateddate.GE:2026-03-02T12:10:00%2B01:00')).status).toBe(200);
  });

  it('raw brackets of a list are refused', async () => {
    expect((await stage.call('/object-query/invoices?filter[]=status.IN:[Posted,Draft]')).status).toBe(400);
    expect((await stage.call('/object-query/invoices?filter[]=status.IN:%5BPosted,Draft%5D')).status).toBe(200);
  });

  it('an address that is too long is 414', async () => {
    const list = Array.from({ length: 300 }, () => '8ad0000000000000000000000000000a').join(',');
    expect((await stage.query('invoices', [['filter[]', 'id.EQ:1']])).status).toBe(200);
    expect((await stage.call(`/object-query/invoices?filter[]=${encodeURIComponent(`id.IN:[${list}]`)}`)).status).toBe(414);
  });

  it('older versions use other shapes: 400 with success, before that even HTTP 200', async () => {
    const middle = await stage.query('accounts', [['pageSize', '0']], '2024-05-20');
    expect([middle.status, middle.body.success]).toEqual([400, false]);
    const old = await stage.query('accounts', [['pageSize', '0']], '341.0');
    expect([old.status, old.body.success]).toEqual([200, false]);
    const typo = await stage.query('accounts', [['pageSize', '0']], '2025-8-12');
    expect([typo.status, typo.body.success]).toEqual([200, false]);
  });
});

describe('filters', () => {
  beforeEach(async () => {
    await stage.simulator.seed({
      invoices: [{ number: 'INV-D', account: 'KR-10031', date: '2026-02-01', status: 'Draft', items: [{ amount: 50 }] }],
    });
  });

  const numbers = async (...filters: readonly string[]): Promise<unknown[]> => {
    const { body } = await stage.query('invoices', [
      ...filters.map((filter) => ['filter[]', filter] as const),
      ['sort[]', 'invoicenumber.ASC'],
    ]);
    return body.data.map((row) => row['invoiceNumber']);
  };

  it.each([
    ['equality without case', ['status.EQ:posted'], ['INV00000417']],
    ['field names without case', ['STATUS.EQ:Draft'], ['INV-D']],
    ['difference', ['status.NE:Posted'], ['INV-D']],
    ['amounts as numbers', ['amount.GT:50.00'], ['INV00000417']],
    ['amounts as numbers, equal', ['amount.EQ:50.00'], ['INV-D']],
    ['dates', ['invoicedate.LE:2026-02-28'], ['INV-D']],
    ['all of several', ['status.EQ:Posted', 'invoicedate.LT:2026-03-02'], []],
    ['one of a list', ['status.IN:[posted,draft]'], ['INV-D', 'INV00000417']],
    ['a prefix', ['invoicenumber.SW:INV-'], ['INV-D']],
    ['null', ['sourceid.EQ:null'], ['INV-D', 'INV00000417']],
    ['not null', ['sourceid.NE:null'], []],
    ['instants in any offset', ['updateddate.GE:2026-03-02T13:15:09+01:00'], ['INV-D', 'INV00000417']],
    ['instants, nothing later', ['updateddate.GT:2026-03-02T04:15:09-08:00'], []],
    ['booleans', ['reversed.EQ:false'], ['INV-D', 'INV00000417']],
  ])('%s', async (_what, filters, expected) => {
    expect(await numbers(...filters)).toEqual(expected);
  });

  it('the empty token finds empty text', async () => {
    const { body } = await stage.query('contacts', [['filter[]', 'workemail.EQ:\u0002\u0003']]);
    expect(body.data).toHaveLength(1);
  });
});

describe('order and paging', () => {
  it('without sort the newest come first, ten at a time', async () => {
    await stage.simulator.seed({ payments: [] });
    for (let day = 0; day < 12; day += 1) {
      stage.clock.pass(1_000);
      await stage.act({ action: 'create-payment', number: `P-${day}`, account: 'KR-10031', amount: 1, date: '2026-03-03' });
    }
    const first = (await stage.query('payments', [])).body;
    expect(first.data.map((row) => row['paymentNumber'])).toEqual(Array.from({ length: 10 }, (_, index) => `P-${11 - index}`));
    const second = (await stage.query('payments', [['cursor', first.nextPage ?? '']])).body;
    expect(second.data.map((row) => row['paymentNumber'])).toEqual(['P-1', 'P-0']);
    expect(second).not.toHaveProperty('nextPage');
  });

  it('a bill run of one second is paged to the end without a gap or a repeat', async () => {
    await stage.act({ action: 'bill-run', invoices: many(250) });
    const seen: unknown[] = [];
    let cursor: string | null | undefined;
    do {
      const parameters: [string, string][] = [
        ['pageSize', '99'],
        ['sort[]', 'updateddate.ASC'],
        ['filter[]', 'updateddate.GE:2026-03-02T12:00:00Z'],
      ];
      if (cursor) parameters.push(['cursor', cursor]);
      const { body } = await stage.query('invoices', parameters);
      seen.push(...body.data.map((row) => row['id']));
      cursor = body.nextPage;
    } while (cursor);
    expect(seen).toHaveLength(251);
    expect(new Set(seen).size).toBe(251);
  });

  it('a cursor is refused with other parameters', async () => {
    await stage.simulator.seed({ invoices: many(20) });
    const { nextPage } = (await stage.query('invoices', [['filter[]', 'status.EQ:Posted']])).body;
    expect(
      (
        await stage.query('invoices', [
          ['filter[]', 'status.EQ:Draft'],
          ['cursor', nextPage ?? ''],
        ])
      ).status,
    ).toBe(400);
    expect((await stage.query('invoices', [['cursor', nextPage ?? '']])).status).toBe(400);
    expect(
      (
        await stage.query('invoices', [
          ['filter[]', 'status.EQ:Posted'],
          ['cursor', nextPage ?? ''],
        ])
      ).status,
    ).toBe(200);
  });

  it('invoice cursors are offsets: a row that moves to the end while paging hides another; payment cursors are positions', async () => {
    await stage.simulator.seed({ invoices: many(30).map((row, index) => ({ ...row, number: `M${String(index).padStart(2, '0')}` })) });
    const sorted = [
      ['sort[]', 'updateddate.ASC'],
      ['filter[]', `accountid.EQ:${String(stage.simulator.records('accounts')[1]?.['id'])}`],
    ] as const;
    const first = (await stage.query('invoices', sorted)).body;
    stage.clock.pass(5_000);
    await stage.act({ action: 'touch', noun: 'invoices', number: 'M03' });
    const second = (await stage.query('invoices', [...sorted, ['cursor', first.nextPage ?? '']])).body;
    expect(second.data[0]).toMatchObject({ invoiceNumber: 'M11' });
  });

  it('children are cut at the page size and nothing says so', async () => {
    const items = Array.from({ length: 12 }, (_, index) => ({ amount: index + 1 }));
    await stage.act({ action: 'create-invoice', number: 'LONG', account: 'KR-10031', date: '2026-03-02', items });
    const { body } = await stage.query('invoices', [
      ['filter[]', 'invoicenumber.EQ:LONG'],
      ['expand[]', 'invoiceitems'],
      ['pageSize', '5'],
    ]);
    expect(body.data[0]?.['invoiceItems']).toHaveLength(5);
  });

  it('chosen fields restrict the record and each expanded one', async () => {
    const { body } = await stage.query('invoices', [
      ['invoice.fields[]', 'id,amount'],
      ['expand[]', 'account'],
      ['account.fields[]', 'name'],
    ]);
    expect(body.data[0]).toEqual({ id: expect.any(String), amount: 1334.88, account: { name: 'Northgate Dental Group' } });
  });

  it('sort[]=id.ASC gives lines in the order they were written', async () => {
    const items = Array.from({ length: 12 }, (_, index) => ({ chargeName: `line ${index}`, amount: index + 1 }));
    await stage.act({ action: 'create-invoice', number: 'LONG', account: 'KR-10031', date: '2026-03-02', items });
    const invoice = stage.simulator.records('invoices').find((row) => row['number'] === 'LONG');
    const { body } = await stage.query('invoice-items', [
      ['filter[]', `invoiceid.IN:[${String(invoice?.['id'])}]`],
      ['sort[]', 'id.ASC'],
      ['pageSize', '99'],
    ]);
    expect(body.data.map((row) => row['chargeName'])).toEqual(items.map((item) => item.chargeName));
  });
});
