import { afterEach, describe, expect, test } from 'vitest';
import { after, eq } from '../../../lib/vendors/acumatica/filter.ts';
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

describe('lists', () => {
  async function all<Row>(pages: AsyncIterable<readonly Row[]>): Promise<Row[]> {
    const rows: Row[] = [];
    for await (const page of pages) rows.push(...page);
    return rows;
  }

  test('go on behind the last key until a page is short', async () => {
    const ids = Array.from({ length: 1200 }, (_, index) => `C${String(index).padStart(5, '0')}`);
    const { client, lines } = await tenantThat(({ line }) => {
      if (!line.startsWith('GET /Customer')) return undefined;
      const behind = /gt '(\w+)'/.exec(line)?.[1] ?? '';
      return {
        body: ids
          .filter((id) => id > behind)
          .slice(0, 500)
          .map(customer),
      };
    });
    expect((await all(client.list('Customer', { select: ['CustomerName'] }))).map((row) => row.CustomerID)).toEqual(ids);
    expect(lines()).toEqual([
      'GET /Customer?$select=CustomerID,CustomerName&$top=500',
      "GET /Customer?$filter=CustomerID gt 'C00499'&$select=CustomerID,CustomerName&$top=500",
      "GET /Customer?$filter=CustomerID gt 'C00999'&$select=CustomerID,CustomerName&$top=500",
    ]);
  });

  test('never mix the key into a filter of another view: they skip, and notice when records moved', async () => {
    let ids = Array.from({ length: 900 }, (_, index) => `C${String(index).padStart(5, '0')}`);
    let calls = 0;
    const { client, lines } = await tenantThat(({ line }) => {
      if (!line.startsWith('GET /Customer')) return undefined;
      calls += 1;
      const skip = Number(/\$skip=(\d+)/.exec(line)?.[1] ?? 0);
      const page = ids.slice(skip, skip + 500).map(customer);
      if (calls === 1) ids = ids.slice(1);
      return { body: page };
    });
    const since = after('Customer', 'LastModifiedDateTime', new Date('2026-03-01T00:00:00Z'));
    const found = (await all(client.list('Customer', { filter: since }))).map((row) => row.CustomerID);
    expect(found).toHaveLength(900);
    expect(new Set(found).size).toBe(900);
    const filter = "$filter=LastModifiedDateTime gt datetimeoffset'2026-03-01T00:00:00.000+00:00'";
    expect(lines()).toEqual([
      `GET /Customer?${filter}&$top=500`,
      `GET /Customer?${filter}&$top=500&$skip=499`,
      `GET /Customer?${filter}&$top=500`,
      `GET /Customer?${filter}&$top=500&$skip=499`,
    ]);
  });

  test.each([
    ['is any', (index: number) => (index * 37) % 700],
    [
      'brings the highest key at the end of the first page',
      (index: number) => (index < 499 ? 698 - index : index === 499 ? 699 : index - 500),
    ],
  ])('read again with skip when the order %s', async (_name, place) => {
    const ids = Array.from({ length: 700 }, (_, index) => `C${String(place(index)).padStart(5, '0')}`);
    const { client } = await tenantThat(({ line }) => {
      if (!line.startsWith('GET /Customer')) return undefined;
      const behind = /gt '(\w+)'/.exec(line)?.[1] ?? '';
      const skip = Number(/\$skip=(\d+)/.exec(line)?.[1] ?? 0);
      return {
        body: ids
          .filter((id) => id > behind)
          .slice(skip, skip + 500)
          .map(customer),
      };
    });
    const found = (await all(client.list('Customer'))).map((row) => row.CustomerID);
    expect(found.toSorted()).toEqual([...new Set(ids)].toSorted());
  });

  test('stop at the number of records asked for', async () => {
    const { client, lines } = await tenantThat(({ line }) => (line.startsWith('GET /Invoice') ? { body: [invoice('1')] } : undefined));
    expect(await all(client.list('Invoice', { top: 1, filter: eq('Invoice', 'Type', 'Invoice') }))).toHaveLength(1);
    expect(lines()).toEqual(["GET /Invoice?$filter=Type eq 'Invoice'&$top=1"]);
  });

  test('fall back to key reads when Acumatica cannot list a field', async () => {
    const { client, lines } = await tenantThat(({ line }) => {
      if (line.startsWith('GET /PaymentMethod?$select'))
        return { body: [{ PaymentMethodID: { value: 'WIRE' } }, { PaymentMethodID: { value: 'GONE' } }] };
      if (line.startsWith('GET /PaymentMethod/WIRE'))
        return { body: { PaymentMethodID: { value: 'WIRE' }, AllowedCashAccounts: [{ CashAccount: { value: '10200' } }] } };
      if (line.startsWith('GET /PaymentMethod/GONE')) return { status: 500, body: noEntityError };
      if (line.startsWith('GET /PaymentMethod'))
        return {
          status: 500,
          body: {
            exceptionMessage: 'Optimization cannot be performed.The following fields cause the error:\r\nX: View V has BQL delegate',
          },
        };
      return undefined;
    });
    expect(await all(client.list('PaymentMethod', { expand: ['AllowedCashAccounts'] }))).toEqual([
      { PaymentMethodID: 'WIRE', AllowedCashAccounts: [{ CashAccount: '10200' }] },
    ]);
    expect(lines()).toHaveLength(4);
  });

  test('refuse what is known to fail before it is sent', async () => {
    const { client, lines } = await tenantThat(() => undefined);
    expect((await failureOf(all(client.list('Payment', { expand: ['ApplicationHistory'] })))).message).toMatch(/read it by key/);
    expect(lines()).toEqual([]);
  });
});
