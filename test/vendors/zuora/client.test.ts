import { afterEach, describe, expect, test } from 'vitest';
import { openZuora } from '../../../lib/vendors/zuora/client.ts';
import { customField, instantOf } from '../../../lib/vendors/zuora/wire.ts';
import { type Act, failureOf, type Got, json, once, openStage, type Stage } from '../../conformance/vendor-stage.ts';
import { accountRow, connectionAt, invoiceRow } from './fixtures.ts';

const stages: Stage[] = [];
afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage.close()));
});

const grant = {
  access_token: 'token-1',
  token_type: 'bearer',
  expires_in: 3598,
  scope: 'entity.11e643f4-a3ee-8bad-b061-0025904c57d6 tenant.21765',
};

async function play(answer: (request: Got) => Act | undefined | Promise<Act>, settings: Readonly<Record<string, unknown>> = {}) {
  const stage = await openStage(async (request) =>
    request.path === '/oauth/token' ? json(grant) : ((await answer(request)) ?? json({ message: 'no Route matched' }, 404)),
  );
  stages.push(stage);
  const client = openZuora(connectionAt(stage.url, { settings }), stage.io);
  return { stage, client, asked: () => stage.got.filter((request) => request.path !== '/oauth/token') };
}

async function all<Row>(pages: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

const hex = (index: number): string => index.toString(16).padStart(32, '0');

describe('reading with object query', () => {
  test('a list asks for the largest pages and repeats everything with the cursor', async () => {
    const { client, asked } = await play((request) =>
      json(request.query.get('cursor') === null ? { data: [invoiceRow], nextPage: 'W3sidmFsdWUiOiIrLz0ifV0=' } : { data: [] }),
    );
    await client.findWhere('invoices', ['status.EQ:Posted'], { expand: ['account'] });
    const [first, second] = asked();
    expect([...(first?.query ?? [])]).toEqual([
      ['pageSize', '99'],
      ['sort[]', 'id.ASC'],
      ['filter[]', 'status.EQ:Posted'],
      ['expand[]', 'account'],
    ]);
    expect([...(second?.query ?? [])]).toEqual([...(first?.query ?? []), ['cursor', 'W3sidmFsdWUiOiIrLz0ifV0=']]);
  });

  test('what changed is read on from the second where a page ended, never by its cursor', async () => {
    const rows = ['01', '02', '03'].map((second, index) => ({
      ...invoiceRow,
      id: hex(index),
      updatedDate: `2026-03-02T04:15:${second}-08:00`,
    }));
    const { client, asked } = await play((request) =>
      json(
        request.query.getAll('filter[]')[0] === 'updateddate.GE:2026-03-02T12:10:00Z'
          ? { data: rows.slice(0, 2), nextPage: 'offset-99' }
          : { data: rows.slice(1) },
      ),
    );
    const found = await all(client.listChanged('invoices', { since: new Date('2026-03-02T12:10:00.987Z'), filters: ['status.EQ:Posted'] }));
    expect(found.map((row) => row.id)).toEqual(rows.map((row) => row.id));
    expect(asked().map((request) => request.query.getAll('filter[]'))).toEqual([
      ['updateddate.GE:2026-03-02T12:10:00Z', 'status.EQ:Posted'],
      ['updateddate.GE:2026-03-02T12:15:02Z', 'status.EQ:Posted'],
    ]);
    expect(asked().every((request) => request.query.get('sort[]') === 'updateddate.ASC' && request.query.get('cursor') === null)).toBe(
      true,
    );
  });

  test('every call carries the pinned version, a track id, and an entity and orgs only when they are configured', async () => {
    const plain = await play(() => json({ data: [] }));
    await plain.client.findWhere('accounts', []);
    expect(plain.asked()[0]?.headers).toMatchObject({
      'zuora-version': '2025-08-12',
      accept: 'application/json',
      authorization: 'Bearer token-1',
    });
    expect(plain.asked()[0]?.headers['zuora-track-id']).toMatch(/^[0-9A-Z]{26}$/);
    expect(plain.asked()[0]?.headers).not.toHaveProperty('zuora-entity-ids');
    expect(plain.asked()[0]?.headers).not.toHaveProperty('idempotency-key');
    const entity = '11e643f4-a3ee-8bad-b061-0025904c57d6';
    const several = await play(() => json({ data: [] }), { entityId: entity, orgIds: ['o1', 'o2'] });
    await several.client.findWhere('accounts', []);
    expect(several.asked()[0]?.headers).toMatchObject({ 'zuora-entity-ids': entity, 'zuora-org-ids': 'o1,o2' });
  });

  test('the grant is a form in which the secret is percent-encoded, and carries no token', async () => {
    const { stage, client } = await play(() => json({ data: [] }));
    await client.findWhere('accounts', []);
    const asked = stage.got[0];
    expect(asked?.body).toBe(
      'client_id=6b1f7d3e-52d0-4b0a-9a52-0c5d8e3f7a11&client_secret=kT9%2BxQ%3D%2Fy0mZ&grant_type=client_credentials',
    );
    expect(asked?.headers).not.toHaveProperty('authorization');
    expect(await client.tokenEntities()).toEqual(['11e643f4-a3ee-8bad-b061-0025904c57d6']);
  });

  test('amounts keep every digit, absent values are absent, dates are days', async () => {
    const body = JSON.stringify({ data: [invoiceRow] })
      .replace('1334.88', '90071992547409.93')
      .replace('"dueDate":"2026-04-01"', '"dueDate":"","targetDate":null,"nAVInvoiceNo__c":"C-7"');
    const { client } = await play(() => ({ body }));
    const [row] = await client.findWhere('invoices', []);
    expect(row).toMatchObject({ amount: '90071992547409.93', taxAmount: '109.88', amountWithoutTax: '1225', invoiceDate: '2026-03-02' });
    expect(row).not.toHaveProperty('dueDate');
    expect(row).not.toHaveProperty('targetDate');
    expect(row && customField(row, 'NAVInvoiceNo__c')).toBe('C-7');
    expect(row && instantOf(row.updatedDate).toISOString()).toBe('2026-03-02T12:15:09.000Z');
  });

  test('relations arrive under one name, however they are spelled', async () => {
    const tax = { id: hex(9), taxAmount: '1.10', name: 'State' };
    const item = { id: hex(1), creditMemoId: hex(2), amount: 5 };
    for (const spelling of ['credittaxationitems', 'creditTaxationItems', 'taxationItems']) {
      const { client } = await play(() => json({ data: [{ ...item, [spelling]: [tax] }] }));
      const [row] = await client.fetchWhereIn('credit-memo-items', 'creditmemoid', [hex(2)], { expand: ['credittaxationitems'] });
      expect(row?.taxationItems).toEqual([{ ...tax, taxAmount: '1.1' }]);
    }
    const { client } = await play(() =>
      json({ data: [{ ...accountRow, billto: { id: hex(3), country: 'United States', workEmail: null } }] }),
    );
    const [account] = await client.findWhere('accounts', [], { expand: ['billto'] });
    expect(account?.billTo).toEqual({ id: hex(3), country: 'United States' });
  });

  test('ids are asked for forty at a time, each once, with at most eight requests in the air', async () => {
    let inFlight = 0;
    let most = 0;
    const { client, asked } = await play(async (request) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      for (let turn = 0; turn < 50; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
      inFlight -= 1;
      return json({ data: idsIn(request).map((id) => ({ ...invoiceRow, id })) });
    });
    const ids = Array.from({ length: 500 }, (_, index) => hex(index));
    const rows = await client.fetchByIds('invoices', [...ids, ...ids.slice(0, 10)]);
    expect(rows.map((row) => row.id)).toEqual(ids);
    expect(asked()).toHaveLength(13);
    expect(asked().every((request) => idsIn(request).length <= 40 && request.query.get('sort[]') === 'id.ASC')).toBe(true);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });

  test('children are asked for twenty parents at a time, to the last page', async () => {
    const { client, asked } = await play((request) => {
      const parents = idsIn(request, 'invoiceid');
      const second = request.query.get('cursor') === 'two';
      const data = parents.map((invoiceId, index) => ({
        id: `${invoiceId.slice(2)}${second ? 'b' : 'a'}${index % 10}`,
        invoiceId,
        chargeAmount: 1.5,
        sKU: 'X',
      }));
      return json({ data, ...(second ? {} : { nextPage: 'two' }) });
    });
    const parents = Array.from({ length: 45 }, (_, index) => hex(index));
    const rows = await client.fetchWhereIn('invoice-items', 'invoiceid', parents);
    expect(rows).toHaveLength(90);
    expect(rows[0]).toMatchObject({ chargeAmount: '1.5', sKU: 'X' });
    expect(asked()).toHaveLength(6);
  });

  test('no ids ask nothing, and a value that would break the list is asked for alone', async () => {
    const { client, asked } = await play(() => json({ data: [] }));
    expect(await client.fetchByIds('invoices', [])).toEqual([]);
    expect(asked()).toHaveLength(0);
    await client.fetchWhereIn('accounts', 'accountnumber', ['A-1', 'B,2', 'C-3']);
    expect(
      asked()
        .map((request) => request.query.get('filter[]'))
        .sort(),
    ).toEqual(['accountnumber.EQ:B,2', 'accountnumber.IN:[A-1,C-3]']);
  });

  test('a plus sign in a filter survives the trip', async () => {
    const { client, asked } = await play(() => json({ data: [] }));
    await client.findWhere('payments', ['effectivedate.GE:2026-03-02T04:15:09+01:00', 'referenceid.EQ:a&b=c #1']);
    expect(asked()[0]?.query.getAll('filter[]')).toEqual(['effectivedate.GE:2026-03-02T04:15:09+01:00', 'referenceid.EQ:a&b=c #1']);
  });

  test('a list whose cursor comes back is ended with a failure', async () => {
    const { client } = await play(() => json({ data: [invoiceRow], nextPage: 'same' }));
    expect((await failureOf(client.findWhere('invoices', []))).message).toContain('does not end');
    expect((await failureOf(all(client.listChanged('invoices', {})))).message).toContain('does not end');
  });

  test('rate headers slow all workers down before the vendor has to', async () => {
    const { stage, client } = await play(() => json({ data: [] }, 200, { 'RateLimit-Remaining': '0', 'RateLimit-Reset': '7' }));
    await client.findWhere('accounts', []);
    const before = stage.clock.now().getTime();
    await client.findWhere('accounts', []).catch(() => undefined);
    expect(stage.clock.now().getTime() - before).toBeGreaterThanOrEqual(7_000);
  });

  test('a vendor that keeps throttling ends in RateLimited with the instant to come back', async () => {
    const { client, asked } = await play(() =>
      json({ success: false, reasons: [{ code: 50000070, message: 'Concurrency' }] }, 429, { 'Retry-After': '120' }),
    );
    const failure = await failureOf(client.findWhere('accounts', []));
    expect(failure.kind).toBe('RateLimited');
    expect(failure.record.at).toBe('2026-03-02T12:02:00.000Z');
    expect(asked()).toHaveLength(1);
  });
});

describe('reading with v1', () => {
  test('parts are read to the last page; a next page elsewhere is not followed', async () => {
    const { stage, client } = await play((request) =>
      request.query.get('page') === '2'
        ? json({ parts: [{ id: 'p2', invoiceId: null, debitMemoId: null, amount: 0.5 }], success: true })
        : json({
            parts: [{ id: 'p1', invoiceId: hex(1), debitMemoId: null, amount: '10.00' }],
            nextPage: 'https://rest.na.zuora.com/v1/payments/P-1/parts?page=2&pageSize=40',
            success: true,
          }),
    );
    expect(await client.fetchPaymentParts('P-1')).toEqual([
      { id: 'p1', invoiceId: hex(1), amount: '10' },
      { id: 'p2', amount: '0.5' },
    ]);
    stage.interrupt(() => json({ parts: [], nextPage: 'https://evil.example/v1/payments/P-1/parts?page=2', success: true }));
    expect((await failureOf(client.fetchCreditMemoParts('CM-1'))).kind).toBe('ShapeUnexpected');
    expect(stage.got.at(-1)?.path).toBe('/v1/credit-memos/CM-1/parts');
  });

  test('taxes of a memo item beyond an expansion are read from the item, with the name of their account', async () => {
    const { client, asked } = await play(() =>
      json({
        data: [{ id: hex(7), name: 'Ohio', taxAmount: 0.7, financeInformation: { salesTaxPayableAccountingCode: 'Sales Tax' } }],
        success: true,
      }),
    );
    expect(await client.fetchMemoItemTaxes({ kind: 'debit', memoId: hex(1), itemId: hex(2) })).toEqual([
      { id: hex(7), name: 'Ohio', taxAmount: '0.7', debitMemoItemId: hex(2), accountingCode: 'Sales Tax' },
    ]);
    expect(asked()[0]?.path).toBe(`/v1/debit-memos/${hex(1)}/items/${hex(2)}/taxation-items`);
  });

  test('accounting codes come without the values they do not have', async () => {
    const { client, asked } = await play(() =>
      json({
        accountingCodes: [
          { id: 'a', name: 'Subscription Revenue', type: 'SalesRevenue', glAccountName: null, glAccountNumber: '', status: 'Active' },
        ],
        success: true,
      }),
    );
    expect(await client.listAccountingCodes()).toEqual([{ id: 'a', name: 'Subscription Revenue', type: 'SalesRevenue', status: 'Active' }]);
    expect(asked()[0]?.query.get('pageSize')).toBe('300');
  });

  test('an account that does not exist is undefined, and its number is encoded', async () => {
    const { client, asked } = await play(() =>
      json({ success: false, reasons: [{ code: 50000040, message: 'Cannot find entity by key' }] }, 404),
    );
    expect(await client.fetchAccount('KR 1/2')).toBeUndefined();
    expect(asked()[0]?.path).toBe('/v1/accounts/KR%201%2F2');
  });

  test('journal entries keep their lines as decimal text', async () => {
    const { client } = await play(() =>
      json({
        success: true,
        journalEntries: [
          {
            number: 'JE-00000006',
            status: 'Created',
            journalEntryDate: '2026-03-31',
            currency: 'USD',
            homeCurrency: 'USD',
            transactionType: 'Invoice Item',
            aggregateCurrency: true,
            segments: [{ segmentName: 'Dept', segmentValue: '10' }],
            journalEntryItems: [{ type: 'Debit', amount: '100.10', homeCurrencyAmount: 100.1, accountingCodeName: 'Accounts Receivable' }],
          },
        ],
      }),
    );
    const [entry] = await client.listJournalEntries('JR-00000045');
    expect(entry?.journalEntryItems).toEqual([
      { type: 'Debit', amount: '100.1', homeCurrencyAmount: '100.1', accountingCodeName: 'Accounts Receivable' },
    ]);
  });

  test('callout history is asked for in the time of the tenant', async () => {
    const { client, asked } = await play(() =>
      json({
        calloutHistories: [
          { attemptedNum: 3, eventCategory: 1110, responseCode: 503, eventContext: { '<Invoice.ID>': hex(1), '<Table>': { a: 1 } } },
        ],
        success: true,
      }),
    );
    const [attempt] = await client.listCalloutHistory({
      from: new Date('2026-03-01T08:00:00Z'),
      to: new Date('2026-03-02T07:59:59Z'),
      eventCategory: '3110',
      failedOnly: false,
    });
    expect(attempt).toEqual({ attemptedNum: 3, eventCategory: '1110', responseCode: 503, eventContext: { 'Invoice.ID': hex(1) } });
    expect(Object.fromEntries(asked()[0]?.query ?? [])).toMatchObject({
      startTime: '2026-03-01T00:00:00',
      endTime: '2026-03-01T23:59:59',
      failedOnly: 'false',
      eventCategory: '3110',
    });
  });

  test('ZOQL is read through its locators', async () => {
    const { client, asked } = await play((request) =>
      request.path.endsWith('queryMore')
        ? json({ records: [{ Id: '2', Amount: 5 }], size: 2, done: true })
        : json({ records: [{ Id: '1', Amount: '7.25' }], size: 2, done: false, queryLocator: '8ad0-2000' }),
    );
    expect(await client.queryZoql('select Id, Amount from InvoicePayment')).toEqual([
      { Id: '1', Amount: '7.25' },
      { Id: '2', Amount: '5' },
    ]);
    expect(asked()[1]?.body).toBe('{"queryLocator":"8ad0-2000"}');
  });
});

describe('a data query', () => {
  const answers =
    (statuses: string[], file: (base: string) => string) =>
    (base: () => string) =>
    (request: Got): Act | undefined => {
      if (request.method === 'POST') return json({ data: { id: 'job-1', queryStatus: 'accepted' } });
      if (request.path === '/files/result.json') return { body: '{"id":"1","total":12.50,"note":null}\n{"id":"2","total":3}\n' };
      const status = statuses.length > 1 ? statuses.shift() : statuses[0];
      return json({ data: { id: 'job-1', queryStatus: status, ...(status === 'completed' ? { dataFile: file(base()) } : {}) } });
    };

  test('is started, looked at and read line by line, without sending the token to the file host', async () => {
    let url = '';
    const { stage, client, asked } = await play(
      answers(['in_progress', 'completed'], (base) => `${base}/files/result.json?X-Amz-Signature=s`)(() => url),
    );
    url = stage.url;
    expect(await client.runDataQuery('SELECT 1')).toEqual([
      { id: '1', total: '12.50' },
      { id: '2', total: '3' },
    ]);
    expect(asked().at(-1)?.headers).not.toHaveProperty('authorization');
    expect(asked().at(-1)?.headers).not.toHaveProperty('zuora-track-id');
  });

  test('that takes long is left running and found again', async () => {
    let url = '';
    const statuses = Array.from({ length: 9 }, () => 'in_progress').concat('completed');
    const { stage, client, asked } = await play(answers(statuses, (base) => `${base}/files/result.json`)(() => url));
    url = stage.url;
    const failure = await failureOf(client.runDataQuery('SELECT 1'));
    expect(failure.kind).toBe('ConditionPending');
    expect(failure.record.at).toBeDefined();
    expect(await client.runDataQuery('SELECT 1')).toHaveLength(2);
    expect(asked().filter((request) => request.method === 'POST')).toHaveLength(1);
  });

  test.each(['failed', 'cancelled'])('that %s is a refusal and starts anew next time', async (status) => {
    const { client, asked } = await play(answers([status], () => '')(() => ''));
    expect((await failureOf(client.runDataQuery('SELECT x'))).kind).toBe('RequestRejected');
    await failureOf(client.runDataQuery('SELECT x'));
    expect(asked().filter((request) => request.method === 'POST')).toHaveLength(2);
  });
});

describe('writing and probing', () => {
  test('a flag is set without idempotency key, which a PUT must not carry', async () => {
    const { client, asked } = await play(() => json({ success: true }));
    await client.markTransferred('credit-memos', hex(4), 'Yes');
    await client.markTransferred('journal-entries', 'JE-00000006', 'Yes');
    expect(asked().map((request) => [request.method, request.path, request.body])).toEqual([
      ['PUT', `/v1/credit-memos/${hex(4)}`, '{"transferredToAccounting":"Yes"}'],
      ['PUT', '/v1/journal-entries/JE-00000006/basic-information', '{"transferredToAccounting":"Yes"}'],
    ]);
    expect(asked()[0]?.headers).not.toHaveProperty('idempotency-key');
    expect(asked()[0]?.headers['content-type']).toBe('application/json');
  });

  test('a refusal at HTTP 200 is a refusal', async () => {
    const { client } = await play(() => json({ success: false, reasons: [{ code: 53100330, message: 'Invoice is not posted.' }] }));
    const failure = await failureOf(client.markTransferred('invoices', hex(4), 'Yes'));
    expect(failure.kind).toBe('RequestRejected');
    expect(failure.message).toContain('Invoice is not posted.');
  });

  test.each([
    [400, { reasons: [{ code: '60000027', message: 'x' }] }],
    [403, { reasons: [{ code: '60000010', message: 'x' }] }],
    [404, { message: 'no Route matched with those values' }],
  ])('a %i on credit memos means that Invoice Settlement is off', async (status, body) => {
    const { client } = await play((request) =>
      request.path.includes('credit-memos') ? json(body, status) : json({ accountingCodes: [], success: true }),
    );
    expect(await client.probeFeatures()).toEqual({ invoiceSettlement: false, finance: true });
  });

  test('a vendor that is down is not a feature that is off', async () => {
    const { client } = await play(() => json({}, 503));
    expect((await failureOf(client.probeFeatures())).kind).toBe('VendorUnavailable');
  });

  test('a connection dropped once does not fail a read', async () => {
    const { stage, client } = await play(() => json({ data: [invoiceRow] }));
    stage.interrupt(once((request) => request.path.startsWith('/object-query'), 'drop'));
    expect(await client.findWhere('invoices', [])).toHaveLength(1);
  });
});

function idsIn(request: Got, field = 'id'): readonly string[] {
  const list = new RegExp(`^${field}\\.IN:\\[(.*)\\]$`).exec(request.query.get('filter[]') ?? '')?.[1];
  return list === undefined || list === '' ? [] : list.split(',');
}
