import { afterEach, describe, expect, test } from 'vitest';
import { amount } from '../../../lib/vendors/acumatica/wrapping.ts';
import { failureOf } from '../../conformance/vendor-stage.ts';
import { type Answer, noEntityError, openTenant } from './tenant.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const tenant of open.splice(0)) await tenant.close();
});

async function tenantThat(answer: Answer, options?: Parameters<typeof openTenant>[1]) {
  const tenant = await openTenant(answer, options);
  open.push(tenant);
  return tenant;
}

const invoice = (number: string, more: object = {}) => ({
  id: `id-${number}`,
  rowNumber: 1,
  Type: { value: 'Invoice' },
  ReferenceNbr: { value: number },
  custom: {},
  ...more,
});
const customer = (id: string) => ({ id: `id-${id}`, CustomerID: { value: id } });

describe('reading by key', () => {
  test('hands out plain texts, amounts without loss and dates without time', async () => {
    const { client, received } = await tenantThat(({ line }) =>
      line.startsWith('GET /Invoice/')
        ? {
            body:
              '{"id":"9a","Type":{"value":"Credit Memo"},"ReferenceNbr":{"value":"CM000017"},"Amount":{"value":12345678901234567.8900},"Terms":{},' +
              '"Date":{"value":"2026-01-31T00:00:00+00:00"},"LastModifiedDateTime":{"value":"2026-02-01T09:14:05.16+00:00"},"Hold":{"value":false},' +
              '"Details":[{"id":"l1","LineNbr":{"value":1},"Qty":{"value":10.000000}}],"Unknown":{"value":"x"},' +
              '"custom":{"Document":{"CuryID":{"type":"CustomStringField","value":"EUR"}}}}',
          }
        : undefined,
    );
    expect(await client.findByKey('Invoice', ['Credit Memo', 'CM000017'], { expand: ['Details'], custom: ['Document.CuryID'] })).toEqual({
      id: '9a',
      Type: 'Credit Memo',
      ReferenceNbr: 'CM000017',
      Amount: '12345678901234567.89',
      Date: '2026-01-31',
      LastModifiedDateTime: '2026-02-01T09:14:05.160Z',
      Hold: false,
      Details: [{ id: 'l1', LineNbr: '1', Qty: '10' }],
      custom: { Document: { CuryID: 'EUR' } },
    });
    expect(received.at(-1)?.line).toBe('GET /Invoice/Credit Memo/CM000017?$expand=Details&$custom=Document.CuryID');
    expect(received.at(-1)?.headers['authorization']).toBe('Bearer access-1');
  });

  test('answers undefined for a missing record, which Acumatica calls an internal error', async () => {
    const { client } = await tenantThat(({ line }) =>
      line.startsWith('GET /Customer') ? { status: 500, body: noEntityError } : undefined,
    );
    expect(await client.findByKey('Customer', ['C9'])).toBeUndefined();
  });

  test('never takes a session that could not be opened for a missing record', async () => {
    const { client } = await tenantThat(() => ({ status: 500, body: noEntityError }));
    expect((await failureOf(client.findByKey('Customer', ['C9']))).kind).toBe('VendorUnavailable');
  });

  test('goes by id where a key does not fit into an address', async () => {
    const { client, lines } = await tenantThat(({ line }) => {
      if (line.startsWith('GET /TaxCategory?')) return { body: [{ id: 'tc-1', TaxCategoryID: { value: 'A/B' } }] };
      return line === 'GET /TaxCategory/tc-1'
        ? { body: { id: 'tc-1', TaxCategoryID: { value: 'A/B' }, Active: { value: true } } }
        : undefined;
    });
    expect(await client.findByKey('TaxCategory', ['A/B'])).toMatchObject({ TaxCategoryID: 'A/B', Active: true });
    expect(lines()).toEqual(["GET /TaxCategory?$filter=TaxCategoryID eq 'A/B'&$select=TaxCategoryID", 'GET /TaxCategory/tc-1']);
  });

  test('names the field that does not fit', async () => {
    const { client } = await tenantThat(({ line }) =>
      line.startsWith('GET /Invoice') ? { body: invoice('1', { Amount: { value: 'many' } }) } : undefined,
    );
    const failure = await failureOf(client.findByKey('Invoice', ['Invoice', '1']));
    expect(failure.kind).toBe('ShapeUnexpected');
    expect(failure.message).toMatch(/Amount: expected a number/);
  });

  test('takes a page in place of JSON for an absence, not for an answer', async () => {
    const { client } = await tenantThat(({ line }) => (line.startsWith('GET /Customer') ? { body: '<html>Login</html>' } : undefined));
    expect((await failureOf(client.findByKey('Customer', ['C1']))).kind).toBe('VendorUnavailable');
  });
});

describe('looking for markers', () => {
  test('asks for 20 at once and for fewer when the query grows long', async () => {
    const { client, lines } = await tenantThat(({ line }) => (line.startsWith('GET /Invoice') ? { body: [] } : undefined));
    const numbers = Array.from({ length: 45 }, (_, index) => `INV${String(index).padStart(8, '0')}`);
    await client.findMany('Invoice', 'CustomerOrder', numbers, 'Invoice', { select: ['Amount', 'Status'] });
    expect(lines().map((line) => line.split('CustomerOrder eq').length - 1)).toEqual([20, 20, 5]);
    expect(lines()[0]).toMatch(
      /^GET \/Invoice\?\$filter=Type eq 'Invoice' and \(CustomerOrder eq 'INV00000000' or .*\)&\$select=Type,ReferenceNbr,Amount,Status,CustomerOrder$/,
    );
    const long = Array.from({ length: 20 }, (_, index) => `Ü Ä Ö ${'x'.repeat(40)}${index}`);
    await client.findMany('Invoice', 'CustomerOrder', long, 'Invoice');
    const longQueries = lines()
      .slice(3)
      .map((line) => encodeURI(line).length);
    expect(longQueries.length).toBeGreaterThan(1);
    for (const length of longQueries) expect(length).toBeLessThan(1850);
  });

  test('asks nothing for nothing', async () => {
    const { client, received } = await tenantThat(() => undefined);
    expect(await client.findMany('Payment', 'PaymentRef', [], 'Payment')).toEqual([]);
    expect(await client.readStatus('Invoice', 'Invoice', [])).toEqual([]);
    expect(received).toEqual([]);
  });

  test('reads the state of documents by their numbers', async () => {
    const { client, lines } = await tenantThat(({ line }) =>
      line.startsWith('GET /JournalTransaction')
        ? { body: [{ Module: { value: 'GL' }, BatchNbr: { value: '00004567' }, Status: { value: 'Posted' } }] }
        : undefined,
    );
    expect(await client.readStatus('JournalTransaction', 'GL', ['00004567'])).toEqual([
      { Module: 'GL', BatchNbr: '00004567', Status: 'Posted' },
    ]);
    expect(lines()[0]).toContain("$filter=Module eq 'GL' and BatchNbr eq '00004567'&$select=Module,BatchNbr,Status");
  });
});

describe('writing', () => {
  test('wraps the record and unwraps the echo', async () => {
    const { client, received } = await tenantThat(({ line }) =>
      line.startsWith('PUT /Invoice') ? { body: invoice('AR1', { Status: { value: 'Balanced' } }) } : undefined,
    );
    const row = await client.put(
      'Invoice',
      { Type: 'Invoice', Customer: 'C1', Details: [{ Account: '40000', ExtendedPrice: amount('990.00') }] },
      { expand: ['Details'] },
    );
    expect(row).toMatchObject({ ReferenceNbr: 'AR1', Status: 'Balanced' });
    expect(received.at(-1)).toMatchObject({
      line: 'PUT /Invoice?$expand=Details',
      body: '{"Type":{"value":"Invoice"},"Customer":{"value":"C1"},"Details":[{"Account":{"value":"40000"},"ExtendedPrice":{"value":990.00}}]}',
    });
  });

  test('tells that a condition was not met', async () => {
    const { client, received } = await tenantThat(({ line }) => (line === 'PUT /Customer' ? { status: 412 } : undefined));
    expect(await client.put('Customer', { CustomerID: 'C1' }, { ifNoneMatch: true })).toBe('condition-failed');
    expect(received.at(-1)?.headers['if-none-match']).toBe('*');
    expect(await client.put('Customer', { CustomerID: 'C1' }, { ifMatch: true })).toBe('condition-failed');
    expect(received.at(-1)?.headers['if-match']).toBe('*');
  });

  test.each([
    ['a lost answer', { drop: true }],
    ['a gateway that gave up', { status: 504, body: '<html>Gateway Timeout</html>' }],
    ['half an answer', { body: '{"Type":{"value":"Inv' }],
  ])('is uncertain after %s, and is not repeated', async (_name, reply) => {
    const { client, lines } = await tenantThat(({ line }) => (line === 'PUT /Invoice' ? reply : undefined));
    expect((await failureOf(client.put('Invoice', { Type: 'Invoice' }))).kind).toBe('WriteUncertain');
    expect(lines()).toEqual(['PUT /Invoice']);
  });

  test('deletes, and finds nothing to delete', async () => {
    const { client } = await tenantThat(({ line }) => {
      if (line === 'DELETE /Invoice/Invoice/AR1') return { status: 204 };
      if (line.endsWith('/AR2')) return { status: 500, body: noEntityError };
      if (line === 'DELETE /Invoice/Invoice/AR3') return { status: 404 };
      return line === 'GET /Invoice/Invoice/AR3' ? { status: 500, body: noEntityError } : undefined;
    });
    expect(await client.remove('Invoice', ['Invoice', 'AR1'])).toBe('removed');
    expect(await client.remove('Invoice', ['Invoice', 'AR2'])).toBe('missing');
    expect(await client.remove('Invoice', ['Invoice', 'AR3'])).toBe('missing');
  });
});

describe('addresses', () => {
  test('a 404 of a version that is no longer served stops the connection and lists what is', async () => {
    const { client } = await tenantThat(({ line }) => {
      if (line === 'GET /entity')
        return { body: [{ name: 'Default', version: '25.200.001', href: 'https://x/entity/Default/25.200.001' }] };
      return line.startsWith('GET /Customer') ? { status: 404 } : undefined;
    });
    const failure = await failureOf(client.findByKey('Customer', ['C1']));
    expect(failure.kind).toBe('WrongAddress');
    expect(failure.message).toBe('Endpoint Default/24.200.001 is not served; served: Default/25.200.001.');
  });

  test('a 404 of one entity holds only what needs it', async () => {
    const { client } = await tenantThat(({ line }) => (line.startsWith('GET /Ledger') ? { status: 404 } : undefined));
    expect((await failureOf(client.findByKey('Ledger', ['ACTUAL']))).kind).toBe('FeatureOff');
  });

  test('the list of endpoints is asked once a day', async () => {
    const { client, clock, lines } = await tenantThat(() => undefined);
    expect(await client.discover()).toMatchObject({ build: '25.201.0213' });
    await client.discover();
    expect(lines()).toEqual(['GET /entity']);
    clock.advance(86_400_001);
    await client.discover();
    expect(lines()).toEqual(['GET /entity', 'GET /entity']);
  });
});

describe('periods, branches, inquiries', () => {
  const period = {
    FinancialPeriodID: { value: '032026' },
    Status: { value: 'Open' },
    ClosedInAR: { value: false },
    StartDate: { value: '2026-03-01T00:00:00+00:00' },
  };

  test('periods come from the company', async () => {
    const { client } = await tenantThat(({ line }) =>
      line.startsWith('GET /CompanyFinancialPeriod/ACME/2026')
        ? { body: { Company: { value: 'ACME' }, FinancialYear: { value: '2026' }, Details: [period] } }
        : undefined,
    );
    expect(await client.listPeriods('ACME', '2026')).toEqual([
      { FinancialPeriodID: '032026', Status: 'Open', ClosedInAR: false, StartDate: '2026-03-01' },
    ]);
  });

  test.each([
    ['answers an empty list', { body: [] }],
    ['does not exist', { status: 500, body: noEntityError }],
    ['may not be seen', { status: 403 }],
  ])('and from the master calendar when that of the company %s', async (_name, reply) => {
    const { client } = await tenantThat(({ line }) => {
      if (line.startsWith('GET /CompanyFinancialPeriod')) return reply;
      return line.startsWith('GET /FinancialPeriod/2026') ? { body: { FinancialYear: { value: '2026' }, Details: [period] } } : undefined;
    });
    expect(await client.listPeriods('ACME', '2026')).toHaveLength(1);
  });

  test('branches are asked with an inquiry', async () => {
    const { client, received } = await tenantThat(({ line }) =>
      line === 'PUT /CompaniesStructure?$expand=Results'
        ? {
            body: {
              Results: [
                { CompanyID: { value: 'ACME' }, BranchID: { value: 'MAIN' }, BranchStatus: { value: true } },
                { CompanyID: { value: 'EMPTY' } },
              ],
            },
          }
        : undefined,
    );
    expect(await client.listBranches()).toEqual([{ CompanyID: 'ACME', BranchID: 'MAIN', BranchStatus: true }]);
    expect(received.at(-1)?.body).toBe('{}');
  });
});

describe('limits', () => {
  test('a refusal by the licence stops every worker, longer each time', async () => {
    const { client, clock } = await tenantThat(({ line }) =>
      line.startsWith('GET /Customer') ? { status: 429, body: 'The custom error module does not recognize this error.' } : undefined,
    );
    const waits: number[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const failure = await failureOf(client.findByKey('Customer', ['C1']));
      expect(failure.kind).toBe('RateLimited');
      const waitMs = Date.parse(failure.record.at ?? '') - clock.now().getTime();
      waits.push(waitMs);
      clock.advance(waitMs + 1);
    }
    const [first = 0, second = 0, third = 0] = waits;
    expect(first).toBeGreaterThanOrEqual(4000);
    expect(second).toBeGreaterThan(first);
    expect(third).toBeGreaterThan(second);
  });

  test('calls of one connection never overlap', async () => {
    const tenant = await tenantThat(({ line }) => (line.startsWith('GET /Customer') ? { body: customer('C1') } : undefined));
    await Promise.all(Array.from({ length: 5 }, () => tenant.client.findByKey('Customer', ['C1'])));
    expect(tenant.mostInFlight()).toBe(1);
    expect(tenant.received.filter(({ line }) => line.startsWith('POST /identity'))).toHaveLength(1);
  });

  test('nothing secret is logged', async () => {
    const tenant = await tenantThat(({ line }) => (line.startsWith('GET /Customer') ? { body: customer('C1') } : undefined));
    await tenant.client.findByKey('Customer', ['C1']);
    expect(JSON.stringify(tenant.log.lines)).not.toMatch(/access-1|refresh-|client-secret/);
  });
});
