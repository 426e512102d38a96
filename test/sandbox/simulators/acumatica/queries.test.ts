import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Desk, detailsIn, fieldOf, invoiceBody, type Loose, northgate, openDesk, paymentBody } from './desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
  await desk.simulator.seed({
    customers: [northgate, { id: 'C0000977', name: "O'Hara Freight", class: 'SAAS', email: 'ap@ohara.example', currencyOverride: true }],
    documents: [
      { type: 'Invoice', ref: 'AR000001', customer: 'C0001042', reference: 'INV-1', date: '2026-02-10', amount: '100' },
      { type: 'Invoice', ref: 'AR000002', customer: 'C0001042', reference: 'INV-2', date: '2026-02-20', amount: '250.5' },
      { type: 'Invoice', ref: 'AR000003', customer: 'C0000977', reference: 'INV-3~2', date: '2026-03-01', amount: '40', released: false },
      { type: 'Credit Memo', ref: 'CM000001', customer: 'C0001042', reference: 'CM-1', date: '2026-03-02', amount: '5' },
    ],
  });
});
afterAll(() => desk.close());

const list = async (entity: string, filter: string, rest = ''): Promise<readonly Loose[]> => {
  const answer = await desk.get(`/${entity}?$filter=${encodeURIComponent(filter)}${rest}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.rows;
};
const numbers = async (filter: string, rest = '') => (await list('Invoice', filter, rest)).map((row) => fieldOf(row, 'ReferenceNbr'));

describe('a filter', () => {
  test.each([
    ["CustomerOrder eq 'inv-1'", ['AR000001']],
    ["Type eq 'Invoice' and (CustomerOrder eq 'INV-1' or CustomerOrder eq 'INV-2' or CustomerOrder eq 'X')", ['AR000001', 'AR000002']],
    ["Type eq 'CRM'", ['CM000001']],
    ["startswith(CustomerOrder,'INV-3~')", ['AR000003']],
    ["substringof('NV-2',CustomerOrder)", ['AR000002']],
    ["endswith(CustomerOrder,'-1')", ['CM000001', 'AR000001']],
    ['Balance gt 99.5M', ['AR000001', 'AR000002']],
    ["Date ge datetimeoffset'2026-02-20' and Date lt datetimeoffset'2026-03-01T00:00:00+00:00'", ['AR000002']],
    ["not (Type eq 'Invoice')", ['CM000001']],
    ["Hold eq false and Type ne 'Credit Memo'", ['AR000001', 'AR000002', 'AR000003']],
    ["cf.String(f='Document.CuryID') eq 'USD' and Status eq 'Balanced'", ['AR000003']],
  ])('%s finds what it says, in key order', async (filter, found) => {
    expect(await numbers(filter)).toEqual(found);
  });

  test('reads doubled quotes and paths of linked objects', async () => {
    expect(await list('Customer', "CustomerName eq 'O''Hara Freight'")).toHaveLength(1);
    expect(await list('Customer', "MainContact/Email eq 'ap@ohara.example'")).toHaveLength(1);
  });

  test('across form views finds nothing, silently', async () => {
    expect(await list('Customer', "AccountRef eq 'KR-10023'")).toHaveLength(1);
    expect(await list('Customer', "Status eq 'Active'")).toHaveLength(2);
    expect(await list('Customer', "AccountRef eq 'KR-10023' and Status eq 'Active'")).toEqual([]);
    expect(await numbers("Type eq 'Invoice' and LinkBranch eq 'MAIN'")).toEqual([]);
    expect(await numbers("Details/Account eq '40000'")).toEqual([]);
  });

  test.each([
    ['Balance gt 0', 'incompatible types'],
    ['Balance gt 0.5', 'incompatible types'],
    ["Hold eq 'false'", "'Edm.Boolean' and 'Edm.String'"],
    ["Date eq '2026-02-10'", 'incompatible types'],
    ["Date eq date'2026-02-10'", 'unrecognized literal'],
    ["Colour eq 'red'", "Could not find a property named 'Colour'"],
    ["Type eq 'Invoice' und Hold eq true", 'Syntax error'],
  ])('%s is a 500', async (filter, message) => {
    const answer = await desk.get(`/Invoice?$filter=${encodeURIComponent(filter)}`);
    expect(answer.status).toBe(500);
    expect(fieldOfError(answer.json)).toContain(message);
  });

  test('with an unencoded plus sign is a 500', async () => {
    const answer = await desk.get(`/Invoice?$filter=LastModifiedDateTime gt datetimeoffset'2026-02-10T00:00:00+00:00'`);
    expect(answer.status).toBe(500);
  });
});

const fieldOfError = (json: Loose) => String(json['exceptionMessage']);

describe('a list', () => {
  test('skips before it takes', async () => {
    expect(await numbers("Type eq 'Invoice'", '&$top=1&$skip=1')).toEqual(['AR000002']);
    expect(await numbers("Type eq 'Invoice'", '&$skip=5')).toEqual([]);
  });

  test('has all fields, {} for null, empty details and custom, unless they are asked for', async () => {
    const [row] = await list('Invoice', "CustomerOrder eq 'INV-1'");
    expect(row?.['Description']).toEqual({});
    expect(row?.['Details']).toEqual([]);
    expect(row?.['custom']).toEqual({});
    expect(row?.['_links']?.['self']).toBe(`/kestrel/entity/Default/24.200.001/Invoice/${String(row?.['id'])}`);
    const [narrow] = await list('Invoice', "CustomerOrder eq 'INV-1'", '&$select=ReferenceNbr,Details/Account&$expand=Details');
    expect(Object.keys(narrow ?? {})).toEqual(['id', 'rowNumber', 'note', 'ReferenceNbr', 'Details', 'custom', '_links']);
    const [line] = detailsIn(narrow, 'Details');
    expect(Object.keys(line ?? {})).toEqual(['id', 'rowNumber', 'note', 'Account', 'custom']);
  });

  test('of payments cannot be optimized with the application history', async () => {
    const answer = await desk.get('/Payment?$expand=ApplicationHistory');
    expect(answer.status).toBe(500);
    expect(fieldOfError(answer.json)).toContain('Optimization cannot be performed.');
  });

  test('expands linked objects only where every level is named', async () => {
    const [both] = await list('Customer', "CustomerID eq 'C0001042'", '&$expand=MainContact,MainContact/Address');
    expect(both?.['MainContact']?.['Address']?.['Country']).toEqual({ value: 'US' });
    const [one] = await list('Customer', "CustomerID eq 'C0001042'", '&$expand=MainContact');
    expect(one?.['MainContact']?.['Address']).toBeUndefined();
  });

  test('of 20,000 invoices is searched by twenty markers at once without a scan', { timeout: 60_000 }, async () => {
    const big = await openDesk();
    const documents = Array.from({ length: 20_000 }, (_, index) => ({
      type: 'Invoice',
      customer: 'C0001042',
      reference: `BULK-${index}`,
      date: '2026-03-01',
      released: index % 2 === 0,
      lines: [
        { account: '40000', amount: '10.01' },
        { account: '40100', amount: '20.02' },
        { account: '23000', amount: '0.99' },
      ],
    }));
    await big.simulator.seed({ customers: [northgate], documents });
    const markers = Array.from({ length: 20 }, (_, index) => `CustomerOrder eq 'BULK-${index * 997}'`).join(' or ');
    const started = process.hrtime.bigint();
    for (let round = 0; round < 20; round += 1) {
      const answer = await big.get(`/Invoice?$filter=${encodeURIComponent(`Type eq 'Invoice' and (${markers})`)}&$select=ReferenceNbr`);
      expect(answer.json).toHaveLength(20);
    }
    const perCallMs = Number(process.hrtime.bigint() - started) / 1e6 / 20;
    expect(perCallMs).toBeLessThan(50);
    await big.close();
  });
});

describe('a key read', () => {
  test('finds a record by keys in either spelling, by code, and by id', async () => {
    const byKeys = await desk.get('/Invoice/Credit%20Memo/CM000001');
    expect((await desk.get('/Invoice/CRM%7CCM000001')).json['id']).toBe(byKeys.json['id']);
    expect((await desk.get(`/Invoice/${String(byKeys.json['id'])}`)).json['id']).toBe(byKeys.json['id']);
    expect((await desk.get('/customer/c0001042')).status).toBe(200);
  });

  test('of a missing record is a 500 of a certain type', async () => {
    const answer = await desk.get('/Invoice/Invoice/AR999999');
    expect(answer.status).toBe(500);
    expect(answer.json['exceptionType']).toBe('PX.Api.ContractBased.NoEntitySatisfiesTheConditionException');
  });

  test('gives a year of periods, of the company and of the master calendar', async () => {
    const year = await desk.get('/CompanyFinancialPeriod/KESTREL/2026?$expand=Details');
    const [january] = detailsIn(year.json, 'Details');
    expect(fieldOf(january, 'FinancialPeriodID')).toBe('012026');
    expect(fieldOf(january, 'ClosedInAR')).toBe(true);
    expect(fieldOf(january, 'EndDate')).toBe('2026-01-31T00:00:00+00:00');
    expect((await desk.get('/FinancialPeriod/2026')).status).toBe(200);
  });

  test('shows only the fields of its endpoint version', async () => {
    const old = await desk.send('GET', `${desk.url}/entity/Default/20.200.001/Customer/C0001042`);
    expect(old.json['CreditLimit']).toBeUndefined();
    expect(old.json['AccountRef']).toEqual({ value: 'KR-10023' });
  });
});

describe('an inquiry', () => {
  test('lists ledger lines of a period with module and reference', async () => {
    const answer = await desk.put('/AccountDetailsForPeriodInquiry?$expand=Results', {
      FromPeriod: { value: '022026' },
      ToPeriod: { value: '022026' },
    });
    const rows = detailsIn(answer.json, 'Results');
    expect(rows.filter((row) => fieldOf(row, 'Account') === '11000').map((row) => fieldOf(row, 'DebitAmount'))).toEqual([
      '100.0000',
      '250.5000',
    ]);
    expect(fieldOf(rows[0], 'Module')).toBe('AR');
  });

  test('sums accounts with the natural sign', async () => {
    const answer = await desk.put('/AccountSummaryInquiry?$expand=Results', { Period: { value: '03-2026' } });
    const rows = detailsIn(answer.json, 'Results');
    const revenue = rows.find((row) => fieldOf(row, 'Account') === '40000');
    expect(fieldOf(revenue, 'BeginningBalance')).toBe('350.5000');
    expect(fieldOf(revenue, 'EndingBalance')).toBe('345.5000');
  });

  test('names the branches', async () => {
    const answer = await desk.put('/CompaniesStructure?$expand=Results', {});
    expect(fieldOf(detailsIn(answer.json, 'Results')[0], 'BranchID')).toBe('MAIN');
  });
});

describe('a write', () => {
  test.each([
    ['malformed JSON', '{"Type":'],
    ['an empty body', ''],
    ['an unwrapped scalar', JSON.stringify({ ...invoiceBody(), CustomerOrder: 'INV-9' })],
    ['a wrapped detail list', JSON.stringify({ ...invoiceBody(), Details: { value: [] } })],
    ['a wrapped linked object', JSON.stringify({ BillToContact: { value: {} } })],
    ['a text that is no number', JSON.stringify(invoiceBody({ Amount: 'lots' }))],
  ])('with %s is a 400', async (_name, body) => {
    expect((await desk.send('PUT', `${desk.endpoint}/Invoice`, { body, headers: { 'content-type': 'application/json' } })).status).toBe(
      400,
    );
  });

  test('under automatic numbering ignores a number that does not exist', async () => {
    const answer = await desk.put('/Customer', { CustomerID: { value: '123' }, CustomerName: { value: 'One Two Three' } });
    expect(fieldOf(answer.json, 'CustomerID')).not.toBe('123');
  });

  test('under manual numbering is its own insert-or-update, guarded by conditions', async () => {
    const manual = await openDesk({ numbering: { Customer: { mode: 'manual' } } });
    const body = { CustomerID: { value: 'acme' }, CustomerName: { value: 'Acme' } };
    expect((await manual.put('/Customer', body, { 'if-match': '*' })).status).toBe(412);
    expect(fieldOf((await manual.put('/Customer', body, { 'if-none-match': '*' })).json, 'CustomerID')).toBe('ACME');
    expect((await manual.put('/Customer', body, { 'if-none-match': '*' })).status).toBe(412);
    expect((await manual.put('/Customer', { CustomerName: { value: 'No number' } })).status).toBe(422);
    expect(manual.simulator.records('customers')).toHaveLength(1);
    await manual.close();
  });

  test('finds its record by filter', async () => {
    const answer = await desk.put(`/Customer?$filter=${encodeURIComponent("AccountRef eq 'KR-10023'")}`, { Terms: { value: '60D' } });
    expect(fieldOf(answer.json, 'CustomerID')).toBe('C0001042');
    expect(fieldOf(answer.json, 'Terms')).toBe('60D');
  });

  test('by PATCH exists from 25.200.001 on and inserts nothing', async () => {
    const patch = (version: string, body: unknown) => desk.send('PATCH', `${desk.url}/entity/Default/${version}/Customer`, { body });
    expect((await patch('24.200.001', {})).status).toBe(405);
    expect((await patch('25.200.001', { CustomerID: { value: 'NOBODY' } })).status).toBe(404);
    expect((await patch('25.200.001', { CustomerID: { value: 'C0001042' }, Terms: { value: '30D' } })).status).toBe(200);
  });

  test('to a record another process is changing fails, and only then', async () => {
    await desk.simulator.act({ action: 'lock-record', type: 'Customer', ref: 'C0001042' });
    const body = { CustomerID: { value: 'C0001042' }, Terms: { value: '45D' } };
    const refused = await desk.put('/Customer', body);
    expect(refused.status).toBe(500);
    expect(fieldOfError(refused.json)).toContain('Another process has updated');
    expect((await desk.put('/Customer', body)).status).toBe(200);
  });

  test('without an action is not a create', async () => {
    expect((await desk.post('/Invoice', invoiceBody())).status).toBe(406);
  });

  test('under another business date or branch says so in headers', async () => {
    const { ApplicationDate: _date, ...body } = paymentBody();
    const answer = await desk.put('/Payment', body, { 'px-cbapibusinessdate': '2026/02/03', 'px-cbapibranch': 'Kestrel Main Branch' });
    expect(fieldOf(answer.json, 'ApplicationDate')).toBe('2026-02-03T00:00:00+00:00');
    expect((await desk.put('/Payment', body, { 'px-cbapibranch': 'MAIN' })).status).toBe(500);
  });
});
