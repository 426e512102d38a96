import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { invoiceOne, kestrel, openStage, type Stage } from './stage.ts';

let stage: Stage;

beforeEach(async () => {
  stage = await openStage();
  await stage.simulator.seed({ ...kestrel, invoices: [invoiceOne] });
});
afterEach(() => stage.close());

const send = (method: string, path: string, body: unknown, version?: string) =>
  stage.call(path, { method, body: JSON.stringify(body), ...(version === undefined ? {} : { version }) });

describe('accounts', () => {
  const tornow = {
    name: 'Tornow Messtechnik GmbH',
    accountNumber: 'KR-20007',
    currency: 'EUR',
    billCycleDay: 0,
    autoPay: false,
    NAVCustomerNo__c: 'D100',
    billToContact: {
      firstName: 'Jan',
      lastName: 'Tornow',
      country: 'DEU',
      city: 'Kiel',
      zipCode: '24103',
      workEmail: 'jan@tornow.example',
    },
  };

  it('are created with custom fields at the root and one shared contact, and read back in blocks with full names', async () => {
    const made = (await (await send('POST', '/v1/accounts', tornow)).json()) as Record<string, unknown>;
    expect(made).toMatchObject({ success: true, accountNumber: 'KR-20007' });
    expect(made['soldToContactId']).toBe(made['billToContactId']);
    expect(await stage.json('/v1/accounts/KR-20007')).toMatchObject({
      basicInfo: { id: made['accountId'], NAVCustomerNo__c: 'D100', profileNumber: 'CP-00000001' },
      billingAndPayment: { currency: 'EUR', paymentTerm: 'Due Upon Receipt', invoiceDeliveryPrefsEmail: false },
      billToContact: { country: 'Germany', zipCode: '24103' },
      metrics: { balance: 0 },
      success: true,
    });
  });

  it.each([
    ['no bill-to contact', { billToContact: undefined }, '22'],
    ['no billCycleDay', { billCycleDay: undefined }, '22'],
    ['an empty last name', { billToContact: { firstName: 'Jan', lastName: '' } }, '20'],
    ['postalCode in a contact', { billToContact: { firstName: 'Jan', lastName: 'T', postalCode: '24103' } }, '20'],
    ['an unknown country', { billToContact: { firstName: 'Jan', lastName: 'T', country: 'Atlantis' } }, '20'],
    ['autoPay without a method', { autoPay: true }, '30'],
    ['the tenant’s own prefix', { accountNumber: 'A00000001' }, '30'],
    ['a number that exists', { accountNumber: 'KR-10023' }, '30'],
    ['a parent by number', { parentId: 'KR-10023' }, '20'],
    ['a misspelt field', { navCustomerNo: 'x' }, '21'],
    ['an emoji', { name: 'Tornow 🚀' }, '20'],
  ])('%s is refused', async (_what, over, category) => {
    const response = await send('POST', '/v1/accounts', { ...tornow, ...over });
    expect(response.status).toBe(400);
    const { reasons } = (await response.json()) as { reasons: { code: number }[] };
    expect(String(reasons[0]?.code)).toMatch(new RegExp(`${category}$`));
    expect(stage.simulator.records('accounts')).toHaveLength(2);
  });

  it('a PUT changes what it names; an e-mail address in it switches e-mail delivery on', async () => {
    expect(await (await send('PUT', '/v1/accounts/KR-10023', { paymentTerm: 'Net 60', notes: '' })).json()).toEqual({ success: true });
    expect(await stage.json('/v1/accounts/KR-10023')).toMatchObject({
      basicInfo: { name: 'Northgate Dental Group' },
      billingAndPayment: { paymentTerm: 'Net 60', invoiceDeliveryPrefsEmail: false },
    });
    await send('PUT', '/v1/accounts/KR-10023', { billToContact: { workEmail: 'new@northgate.example' } });
    expect(await stage.json('/v1/accounts/KR-10023')).toMatchObject({ billingAndPayment: { invoiceDeliveryPrefsEmail: true } });
    expect((await send('PUT', '/v1/accounts/KR-10023', { currency: 'EUR' })).status).toBe(400);
  });

  it('a contact edit does not move the account, unless the tenant is set so', async () => {
    const account = () => stage.simulator.records('accounts')[0];
    const before = account()?.['updatedAt'];
    stage.clock.pass(60_000);
    await send('PUT', `/v1/contacts/${String(account()?.['billToId'])}`, { city: 'Toledo' });
    expect(account()?.['updatedAt']).toBe(before);
    const moved = await stage.query('contacts', [['filter[]', 'updateddate.GT:2026-03-02T12:16:00Z']]);
    expect(moved.body.data).toMatchObject([{ city: 'Toledo', accountId: account()?.['id'] }]);
    await stage.act({ action: 'set-feature', feature: 'accountMovesOnContactEdit', value: true });
    await stage.act({ action: 'update-contact', account: 'KR-10023', city: 'Dayton' });
    expect(account()?.['updatedAt']).not.toBe(before);
  });
});

describe('reference data', () => {
  it('accounting codes carry G/L numbers with Zuora Finance only', async () => {
    const codes = async () =>
      ((await stage.json('/v1/accounting-codes?pageSize=300')) as { accountingCodes: Record<string, unknown>[] }).accountingCodes;
    expect((await codes())[1]).toMatchObject({
      name: 'Subscription Revenue',
      type: 'SalesRevenue',
      category: 'Revenue',
      glAccountNumber: '40000',
      status: 'Active',
    });
    await stage.act({ action: 'set-feature', feature: 'finance', value: false });
    expect((await codes())[1]).toMatchObject({ glAccountNumber: null });
    expect((await stage.call('/v1/accounting-codes?pageSize=301')).status).toBe(400);
  });

  it('the settings list names the chart of accounts', async () => {
    expect(await stage.json('/settings/listing')).toMatchObject({
      settings: [{ httpOperations: [{ url: '/settings/chart-of-accounts' }] }],
    });
  });
});

describe('old lists', () => {
  beforeEach(async () => {
    for (const [number, amount] of [
      ['P-1', 10],
      ['P-2', 20],
      ['P-3', 30],
    ] as const) {
      stage.clock.pass(1_000);
      await stage.act({ action: 'create-payment', number, account: 'KR-10023', amount, date: '2026-03-09' });
    }
  });
  const numbers = async (search: string) =>
    ((await stage.json(`/v1/payments?${search}`)) as { payments: { number: string }[] }).payments.map((row) => row.number);

  it('filter by equality, and sort the wrong way round', async () => {
    expect(await numbers('sort=%2Bamount')).toEqual(['P-3', 'P-2', 'P-1']);
    expect(await numbers('sort=-amount')).toEqual(['P-1', 'P-2', 'P-3']);
    expect(await numbers('amount=20')).toEqual(['P-2']);
    expect((await stage.call('/v1/payments?pageSize=41')).status).toBe(400);
  });

  it('go on under a full address of the next page', async () => {
    const first = (await stage.json('/v1/payments?pageSize=2&sort=-number')) as { nextPage: string };
    expect(first.nextPage).toBe(`${stage.url}/v1/payments?pageSize=2&sort=-number&page=2`);
    expect(await numbers(new URL(first.nextPage).search.slice(1))).toEqual(['P-3']);
  });
});

describe('ZOQL', () => {
  const query = async (queryString: string, batchSize?: number) => {
    const response = await send('POST', '/v1/action/query', { queryString, ...(batchSize === undefined ? {} : { conf: { batchSize } }) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('answers PascalCase with zone times and without nulls', async () => {
    const { body } = await query(
      "select Id, AccountNumber, ParentId, UpdatedDate from Account where AccountNumber = 'KR-10023' and UpdatedDate > '2026-03-01T00:00:00.000-08:00'",
    );
    expect(body).toEqual({
      records: [{ Id: expect.any(String), AccountNumber: 'KR-10023', UpdatedDate: '2026-03-02T04:15:09.000-08:00' }],
      size: 1,
      done: true,
    });
  });

  it('goes on by locator, for a quarter of an hour', async () => {
    const { body } = await query('select AccountNumber from Account', 1);
    expect(body).toMatchObject({ size: 2, done: false });
    const more = () => send('POST', '/v1/action/queryMore', { queryLocator: body['queryLocator'] });
    expect(await (await more()).json()).toMatchObject({ records: [{ AccountNumber: 'KR-10031' }], done: true });
    stage.clock.pass(16 * 60_000);
    expect((await more()).status).toBe(400);
  });

  it.each([
    ['an unknown field', 'select Nonsense from Account', 'INVALID_FIELD'],
    ['an unknown object', 'select Id from CreditMemo', 'INVALID_TYPE'],
    ['InvoicePayment while Invoice Settlement is on', 'select Id from InvoicePayment', 'INVALID_TYPE'],
    ['ORDER BY', "select Id from Account where Name = 'x' order by Id", 'MALFORMED_QUERY'],
    ['no query', 'delete from Account', 'MALFORMED_QUERY'],
  ])('%s is a fault', async (_what, text, code) => {
    expect(await query(text)).toMatchObject({ status: 400, body: { FaultCode: code } });
  });
});

describe('journals', () => {
  const lines = [
    { type: 'Debit', accountingCode: 'Deferred Revenue', amount: '1225.00' },
    { type: 'Credit', accountingCode: 'Subscription Revenue', amount: '1225.00' },
  ];

  it('a run of given entries is complete at once and shows lines with G/L numbers', async () => {
    await stage.act({
      action: 'create-journal-run',
      number: 'JR-00000045',
      journalEntryDate: '2026-03-31',
      entries: [{ number: 'JE-00000102', transactionType: 'Revenue Event Item', lines }],
    });
    expect(await stage.json('/v1/journal-runs/JR-00000045')).toMatchObject({ status: 'Completed', totalJournalEntryCount: 1 });
    const { journalEntries } = (await stage.json('/v1/journal-entries/journal-runs/JR-00000045')) as {
      journalEntries: Record<string, unknown>[];
    };
    expect(journalEntries).toMatchObject([
      {
        number: 'JE-00000102',
        status: 'Created',
        transferredToAccounting: 'No',
        journalEntryItems: [
          { type: 'Debit', amount: 1225, accountingCodeName: 'Deferred Revenue', glAccountNumber: '24000' },
          { type: 'Credit', amount: 1225, accountingCodeName: 'Subscription Revenue', glAccountNumber: '40000' },
        ],
      },
    ]);
    const marked = await send('PUT', '/v1/journal-entries/JE-00000102/basic-information', { transferredToAccounting: 'Yes' });
    expect(await marked.json()).toEqual({ success: true });
    await stage.act({ action: 'cancel-journal-entry', number: 'JE-00000102' });
    expect(await stage.json('/v1/journal-entries/JE-00000102')).toMatchObject({ status: 'Cancelled', transferredToAccounting: 'Yes' });
  });

  it('a run asked for by API is pending first and then derived from the documents, balanced', async () => {
    const body = {
      journalEntryDate: '2026-03-31',
      targetStartDate: '2026-03-01',
      targetEndDate: '2026-03-31',
      transactionTypes: [{ type: 'Invoice Item' }, { type: 'Taxation Item' }],
    };
    const { journalRunNumber } = (await (await send('POST', '/v1/journal-runs', body)).json()) as { journalRunNumber: string };
    expect(await stage.json(`/v1/journal-runs/${journalRunNumber}`)).toMatchObject({ status: 'Pending' });
    stage.clock.pass(10_000);
    expect(await stage.json(`/v1/journal-runs/${journalRunNumber}`)).toMatchObject({ status: 'Completed', totalJournalEntryCount: 2 });
    const { journalEntries } = (await stage.json(`/v1/journal-entries/journal-runs/${journalRunNumber}`)) as {
      journalEntries: { journalEntryItems: unknown[] }[];
    };
    expect(journalEntries[0]?.journalEntryItems).toMatchObject([
      { type: 'Debit', amount: 1225, accountingCodeName: 'Accounts Receivable' },
      { type: 'Credit', amount: 1225, accountingCodeName: 'Deferred Revenue' },
    ]);
    expect(journalEntries[1]?.journalEntryItems).toMatchObject([
      { amount: 109.88 },
      { amount: 109.88, accountingCodeName: 'Sales Tax Payable' },
    ]);
  });

  it('without Zuora Finance there are none', async () => {
    await stage.act({ action: 'set-feature', feature: 'finance', value: false });
    expect((await stage.call('/v1/journal-runs/JR-1')).status).toBe(400);
  });
});

describe('data queries', () => {
  const job = { outputFormat: 'JSON', compression: 'GZIP', output: { target: 'S3' }, sourceData: 'LIVE' };
  async function rows(query: string): Promise<unknown[]> {
    const { data } = (await (await send('POST', '/query/jobs', { ...job, query })).json()) as { data: { id: string; queryStatus: string } };
    expect(data.queryStatus).toBe('accepted');
    stage.clock.pass(1_000);
    expect(await stage.json(`/query/jobs/${data.id}`)).toMatchObject({ data: { queryStatus: 'in_progress' } });
    stage.clock.pass(5_000);
    const done = (await stage.json(`/query/jobs/${data.id}`)) as { data: { queryStatus: string; dataFile: string; errorMessage?: string } };
    if (done.data.queryStatus !== 'completed') throw new Error(done.data.errorMessage);
    expect((await fetch(done.data.dataFile, { headers: { authorization: 'Bearer x' } })).status).toBe(400);
    const bytes = Buffer.from(await (await fetch(done.data.dataFile)).arrayBuffer());
    return gunzipSync(bytes)
      .toString()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);
  }

  it('list the runs since an instant, and cancelled entries', async () => {
    const lines = [
      { type: 'Debit', accountingCode: 'Cash-Main', amount: 1 },
      { type: 'Credit', accountingCode: 'Subscription Revenue', amount: 1 },
    ];
    await stage.act({
      action: 'create-journal-run',
      number: 'JR-1',
      entries: [{ number: 'JE-1', transactionType: 'Revenue Event Item', lines }],
    });
    await stage.act({ action: 'cancel-journal-entry', number: 'JE-1' });
    expect(
      await rows("SELECT number, status FROM journalrun WHERE updateddate >= timestamp '2026-03-01 00:00:00' ORDER BY number LIMIT 10"),
    ).toEqual([{ number: 'JR-1', status: 'Completed' }]);
    expect(await rows("select je.number as n from journalentry where status = 'Cancelled'")).toEqual([{ n: 'JE-1' }]);
    expect(await rows("select count(*) from account where accountnumber like 'KR-%'")).toEqual([{ _col0: 2 }]);
    expect(await rows("select accountnumber from account where accountnumber in ('KR-10031','x')")).toEqual([
      { accountnumber: 'KR-10031' },
    ]);
  });

  it('fail with the engine’s words for an unknown table or column', async () => {
    await expect(rows('select * from nonsense')).rejects.toThrow(/does not exist/);
    await expect(rows('select nonsense from account')).rejects.toThrow(/cannot be resolved/);
    expect((await send('POST', '/query/jobs', { query: 'select 1' })).status).toBe(400);
  });

  it('five run at once, a sixth is refused', async () => {
    const start = () => send('POST', '/query/jobs', { ...job, query: 'select id from account' });
    for (let count = 0; count < 5; count += 1) expect((await start()).status).toBe(200);
    expect((await start()).status).toBe(400);
  });
});

describe('records', () => {
  it('read as a person would write them', () => {
    expect(stage.simulator.records('invoices')[0]).toMatchObject({
      number: 'INV00000417',
      account: 'KR-10023',
      amount: '1334.88',
      items: [
        {
          amountWithoutTax: '1225',
          recognizedRevenueAccountingCode: 'Subscription Revenue',
          taxes: [{ taxAmount: '109.88', accountingCode: 'Sales Tax Payable' }],
        },
      ],
    });
  });
});
