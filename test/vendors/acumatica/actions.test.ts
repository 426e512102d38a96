import { afterEach, describe, expect, test } from 'vitest';
import { failureOf } from '../../conformance/vendor-stage.ts';
import { type Answer, openTenant, type Reply } from './tenant.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const tenant of open.splice(0)) await tenant.close();
});

const statusPath = '/acme/entity/Default/24.200.001/Invoice/ReleaseInvoice/status/4080b45b';
const statusLine = 'GET /Invoice/ReleaseInvoice/status/4080b45b';
const keys = { Type: 'Invoice', ReferenceNbr: 'AR004711' };

/** A release that answers 202 so many times, then as given. */
async function releasing(looks: number, end: Reply, more: Answer = () => undefined) {
  let asked = 0;
  const tenant = await openTenant((request) => {
    if (request.line === 'POST /Invoice/ReleaseInvoice') return { status: 202, headers: { location: statusPath } };
    if (request.line === statusLine) {
      asked += 1;
      return asked > looks ? end : { status: 202 };
    }
    return more(request);
  });
  open.push(tenant);
  return tenant;
}

describe('an action', () => {
  test('is asked after 2, 3, 5 and 10 seconds until it ended', async () => {
    const { client, clock, lines, received } = await releasing(4, { status: 204 });
    expect(await client.act('Invoice', 'ReleaseInvoice', keys)).toBe('done');
    expect(clock.slept).toEqual([2000, 3000, 5000, 10_000, 10_000]);
    expect(lines()).toEqual(['POST /Invoice/ReleaseInvoice', ...Array.from({ length: 5 }, () => statusLine)]);
    expect(received.find(({ line }) => line.startsWith('POST /Invoice'))?.body).toBe(
      '{"entity":{"Type":{"value":"Invoice"},"ReferenceNbr":{"value":"AR004711"}}}',
    );
  });

  test('that ended at once is not asked for, even when the answer names an address', async () => {
    const tenant = await openTenant(({ line }) =>
      line.startsWith('POST /Payment') ? { status: 204, headers: { location: statusPath } } : undefined,
    );
    open.push(tenant);
    expect(await tenant.client.act('Payment', 'VoidPayment', { Type: 'Payment', ReferenceNbr: '001523' })).toBe('done');
    expect(tenant.lines()).toEqual(['POST /Payment/VoidPayment']);
  });

  test.each<readonly [string, Reply, string]>([
    ['a field error', { status: 422, body: { error: 'The document is out of the balance.' } }, 'RequestRejected'],
    [
      'an exception',
      { status: 500, body: { message: 'An error has occurred.', exceptionMessage: 'AR Error: cannot be released.' } },
      'RequestRejected',
    ],
    [
      'a concurrent change',
      { status: 500, body: { exceptionMessage: "Another process has updated the 'ARRegister' record." } },
      'LockContention',
    ],
  ])('that ends with %s is thrown as what it is', async (_name, end, kind) => {
    const { client } = await releasing(1, end);
    expect((await failureOf(client.act('Invoice', 'ReleaseInvoice', keys))).kind).toBe(kind);
  });

  test('that is refused at once is thrown', async () => {
    const tenant = await openTenant(({ line }) =>
      line.startsWith('POST /Invoice') ? { status: 422, body: { error: 'The document is on hold.' } } : undefined,
    );
    open.push(tenant);
    expect((await failureOf(tenant.client.act('Invoice', 'ReleaseInvoice', keys))).message).toMatch(
      /release the document Invoice AR004711: The document is on hold/,
    );
  });

  test('whose answer is lost is uncertain', async () => {
    const tenant = await openTenant(({ line }) => (line.startsWith('POST /Invoice') ? { drop: true } : undefined));
    open.push(tenant);
    expect((await failureOf(tenant.client.act('Invoice', 'ReleaseInvoice', keys))).kind).toBe('WriteUncertain');
  });

  test('never sends the token to another host', async () => {
    const tenant = await openTenant(({ line }) => {
      if (line.startsWith('POST /Invoice')) return { status: 202, headers: { location: `https://elsewhere.example${statusPath}` } };
      return line === statusLine ? { status: 204 } : undefined;
    });
    open.push(tenant);
    expect(await tenant.client.act('Invoice', 'ReleaseInvoice', keys)).toBe('done');
    expect(tenant.lines()).toContain(statusLine);
  });
});

describe('an action that takes longer than a minute', () => {
  const customer: Answer = ({ line }) => (line.startsWith('GET /Customer') ? { body: { CustomerID: { value: 'C1' } } } : undefined);

  test('is handed back, closes its form for every worker and leaves other forms open', async () => {
    const tenant = await releasing(100, { status: 204 }, customer);
    const running = await tenant.client.act('Invoice', 'ReleaseInvoice', keys);
    expect(running).toEqual({
      statusUrl: `${new URL(tenant.url).origin}${statusPath}`,
      generation: 1,
      startedAt: '2026-03-02T08:00:00.000Z',
    });
    expect(tenant.clock.now().getTime() - Date.parse('2026-03-02T08:00:00.000Z')).toBeLessThanOrEqual(60_000);
    await tenant.release();
    const other = tenant.openAnother().client;
    const failure = await failureOf(other.readStatus('Invoice', 'Invoice', ['AR1']));
    expect(failure.kind).toBe('LaneBusy');
    expect(Date.parse(failure.record.at ?? '')).toBe(tenant.clock.now().getTime() + 30_000);
    expect((await failureOf(other.act('Invoice', 'ReleaseInvoice', keys))).kind).toBe('LaneBusy');
    expect(await other.findByKey('Customer', ['C1'])).toEqual({ CustomerID: 'C1' });
  });

  test('is gone on with, and opens the form when it ended', async () => {
    const tenant = await releasing(8, { status: 204 }, ({ line }) => (line.startsWith('GET /Invoice?') ? { body: [] } : undefined));
    const running = await tenant.client.act('Invoice', 'ReleaseInvoice', keys);
    if (running === 'done') throw new Error('expected a running action');
    expect(await tenant.client.act('Invoice', 'ReleaseInvoice', keys, { resume: running })).toBe('done');
    expect(await tenant.client.readStatus('Invoice', 'Invoice', ['AR1'])).toEqual([]);
    expect(tenant.lines().filter((line) => line.startsWith('POST'))).toHaveLength(1);
  });

  test('opens its form as soon as somebody who needs it finds that it ended', async () => {
    const tenant = await releasing(10, { status: 204 }, ({ line }) => (line.startsWith('GET /Invoice?') ? { body: [] } : undefined));
    const running = await tenant.client.act('Invoice', 'ReleaseInvoice', keys);
    if (running === 'done') throw new Error('expected a running action');
    const read = () => tenant.client.readStatus('Invoice', 'Invoice', ['AR1']);
    expect((await failureOf(read())).kind).toBe('LaneBusy');
    const asked = tenant.lines().length;
    tenant.clock.advance(30_000);
    expect((await failureOf(read())).kind).toBe('LaneBusy');
    expect((await failureOf(read())).kind).toBe('LaneBusy');
    expect(tenant.lines()).toHaveLength(asked + 1);
    tenant.clock.advance(30_000);
    await failureOf(read());
    tenant.clock.advance(30_000);
    expect(await read()).toEqual([]);
    expect(await tenant.client.act('Invoice', 'ReleaseInvoice', keys, { resume: running })).toBe('done');
  });

  test('is not asked for with the token of another session: the document tells', async () => {
    const tenant = await releasing(100, { status: 204 });
    const running = await tenant.client.act('Invoice', 'ReleaseInvoice', keys);
    if (running === 'done') throw new Error('expected a running action');
    const asked = tenant.lines().length;
    tenant.clock.advance(3_600_000);
    expect(await tenant.client.act('Invoice', 'ReleaseInvoice', keys, { resume: running })).toBe('done');
    expect(tenant.lines()).toHaveLength(asked);
  });

  test('is handed back earlier when the worker has less time', async () => {
    const tenant = await releasing(100, { status: 204 });
    const deadline = new Date(tenant.clock.now().getTime() + 12_000);
    expect(await tenant.client.act('Invoice', 'ReleaseInvoice', keys, { deadline })).not.toBe('done');
    expect(tenant.clock.now().getTime()).toBeLessThanOrEqual(deadline.getTime());
  });

  test('keeps its form closed for ten minutes at most when nobody comes back', async () => {
    const tenant = await releasing(100, { status: 204 }, ({ line }) => (line.startsWith('GET /Invoice?') ? { body: [] } : undefined));
    await tenant.client.act('Invoice', 'ReleaseInvoice', keys);
    tenant.clock.advance(600_000);
    expect(await tenant.client.readStatus('Invoice', 'Invoice', ['AR1'])).toEqual([]);
  });

  test('goes on when its status cannot be asked for a moment', async () => {
    const tenant = await releasing(0, { status: 503, body: '<html>' });
    expect(await tenant.client.act('Invoice', 'ReleaseInvoice', keys)).toMatchObject({ generation: 1 });
  });
});
