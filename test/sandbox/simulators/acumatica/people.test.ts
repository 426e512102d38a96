import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAcumaticaSimulator } from '../../../../sandbox/simulators/acumatica/simulator.ts';
import { type Desk, detailsIn, fieldOf, invoiceBody, northgate, openDesk, paymentBody, repeatableRandom, signIn, wrap } from './desk.ts';

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
  await desk.simulator.seed({
    customers: [northgate],
    documents: [
      { type: 'Invoice', ref: 'AR000398', customer: 'KR-10023', reference: 'INV00000398', date: '2026-02-02', amount: '300' },
      {
        type: 'Payment',
        ref: '000188',
        customer: 'KR-10023',
        reference: 'P-00000188',
        date: '2026-03-09',
        amount: '500',
        applications: [{ ref: 'AR000398', amount: '300' }],
      },
    ],
  });
});
afterEach(() => desk.close());

const payment = () => desk.simulator.records('payments')[0];
const invoice = () => desk.simulator.records('invoices')[0];

describe('a person', () => {
  test('reverses an application: the opposite row stands in the history and both balances are back', async () => {
    expect(invoice()).toMatchObject({ status: 'Closed', balance: '0' });
    await desk.simulator.act({ action: 'reverse-application', type: 'Payment', ref: '000188', document: 'AR000398', amount: '300.00' });
    expect(invoice()).toMatchObject({ status: 'Open', balance: '300' });
    expect(payment()).toMatchObject({
      status: 'Open',
      available: '500',
      applications: [
        { amount: '300', reversed: true },
        { amount: '-300', reversed: true },
      ],
    });
    const read = await desk.get('/Payment/Payment/000188?$expand=ApplicationHistory');
    expect(detailsIn(read.json, 'ApplicationHistory').map((row) => fieldOf(row, 'AmountPaid'))).toEqual(['300.0000', '-300.0000']);
  });

  test('may leave the reversal pending and release it later', async () => {
    await desk.simulator.act({
      action: 'reverse-application',
      type: 'Payment',
      ref: '000188',
      document: { ref: 'AR000398' },
      release: false,
    });
    expect(invoice()).toMatchObject({ balance: '0' });
    expect(payment()).toMatchObject({ pending: [{ amount: '-300' }] });
    await desk.simulator.act({ action: 'release-document', type: 'Payment', ref: '000188' });
    expect(invoice()).toMatchObject({ balance: '300' });
  });

  test('cannot reverse what is not there', async () => {
    await expect(async () =>
      desk.simulator.act({ action: 'reverse-application', type: 'Payment', ref: '000188', document: 'AR000398', amount: '1' }),
    ).rejects.toThrow('no live application');
  });

  test('edits, holds, releases and deletes documents', async () => {
    const created = await desk.put('/Invoice', invoiceBody());
    const which = { type: 'Invoice', ref: fieldOf(created.json, 'ReferenceNbr') };
    const details = [{ LineNbr: 1, UnitPrice: '50' }];
    await desk.simulator.act({ action: 'edit-document', ...which, fields: { CustomerOrder: 'PO 77', Details: details } });
    expect(desk.simulator.records('invoices')[1]).toMatchObject({ customerOrder: 'PO 77', amount: '1359.88' });
    expect(await desk.simulator.act({ action: 'put-on-hold', ...which })).toEqual({ status: 'On Hold' });
    expect(await desk.simulator.act({ action: 'release-document', ...which })).toEqual({ status: 'Open' });
    await expect(async () => desk.simulator.act({ action: 'delete-document', ...which })).rejects.toThrow('released');
  });

  test('closes and opens a period', async () => {
    await desk.simulator.act({ action: 'close-period', period: '032026' });
    expect((await desk.put('/Invoice', invoiceBody())).text).toContain('closed in Accounts Receivable');
    await desk.simulator.act({ action: 'open-period', period: '032026' });
    expect((await desk.put('/Invoice', invoiceBody())).status).toBe(200);
    await desk.simulator.act({ action: 'deactivate-period', period: '032026' });
    expect((await desk.put('/Invoice', invoiceBody())).text).toContain('financial period is inactive');
  });

  test('with the supervisor role posts into a closed period, where date and period may differ', async () => {
    const early = invoiceBody({ Date: '2026-01-15', PostPeriod: '02-2026' });
    const moved = await desk.put('/Invoice', early);
    expect(fieldOf(moved.json, 'PostPeriod')).toBe('022026');
    await desk.simulator.act({ action: 'set-preference', preferences: { financialSupervisor: true } });
    expect((await desk.put('/Invoice', invoiceBody({ Date: '2026-01-15' }))).status).toBe(200);
  });

  test('changes a CustomerID, and the documents follow', async () => {
    await desk.simulator.act({ action: 'change-customer-id', id: 'C0001042', newId: 'NORTHGATE' });
    expect(invoice()).toMatchObject({ customer: 'NORTHGATE' });
    expect((await desk.get('/Customer/C0001042')).status).toBe(500);
    expect((await desk.get("/Customer?$filter=AccountRef eq 'KR-10023'")).rows).toHaveLength(1);
    expect((await desk.put('/Invoice', invoiceBody())).text).toContain("'Customer' cannot be found");
  });

  test('puts a customer on hold or out of business, and documents are refused', async () => {
    for (const Status of ['Inactive', 'On Hold']) {
      await desk.simulator.act({ action: 'edit-customer', id: 'C0001042', fields: { Status } });
      expect((await desk.put('/Invoice', invoiceBody())).text).toContain(`The customer status is '${Status}'.`);
    }
    await desk.simulator.act({ action: 'edit-customer', id: 'C0001042', fields: { Status: 'Credit Hold' } });
    expect(fieldOf((await desk.put('/Invoice', invoiceBody())).json, 'Status')).toBe('Credit Hold');
  });

  test('adds a rate, and the document that missed it goes through', async () => {
    await desk.simulator.seed({ customers: [{ id: 'TOKYO', name: 'Tokyo KK', class: 'SAAS', currency: 'JPY' }] });
    const yen = invoiceBody({ Customer: 'TOKYO', Details: [{ Qty: 1, UnitPrice: 1000.4, Account: '40000' }] });
    expect((await desk.put('/Invoice', yen)).status).toBe(422);
    await desk.simulator.act({ action: 'add-rate', currency: 'JPY', from: '2026-03-01', rate: '0.0067' });
    const saved = await desk.put('/Invoice', yen);
    expect(fieldOf(saved.json, 'Amount')).toBe('1000.0000');
  });

  test('voids a payment in one go, and rejects a document for good', async () => {
    await desk.simulator.act({ action: 'void-document', type: 'Payment', ref: '000188', date: '2026-03-14' });
    expect(payment()).toMatchObject({ status: 'Voided' });
    expect(invoice()).toMatchObject({ status: 'Open', balance: '300' });
    await desk.simulator.act({ action: 'set-preference', preferences: { approvals: ['Payment'] } });
    const created = await desk.put('/Payment', paymentBody());
    const which = { type: 'Payment', ref: fieldOf(created.json, 'ReferenceNbr') };
    expect(await desk.simulator.act({ action: 'reject', ...which })).toEqual({ status: 'Rejected' });
  });

  test('hears what an action may be called and what it needs', async () => {
    await expect(async () => desk.simulator.act({ action: 'approve', type: 'Invoice' })).rejects.toThrow('ref');
    await expect(async () => desk.simulator.act({ action: 'dance' })).rejects.toThrow('reverse-application');
  });
});

describe('an action', () => {
  const started = async () => {
    const created = await desk.put('/Invoice', invoiceBody());
    const entity = wrap({ Type: 'Invoice', ReferenceNbr: fieldOf(created.json, 'ReferenceNbr') });
    return { entity, answer: await desk.post('/Invoice/ReleaseInvoice', { entity }) };
  };

  test('is accepted, runs on the clock, and blocks its form for its session meanwhile', async () => {
    const { answer } = await started();
    expect(answer.status).toBe(202);
    const location = answer.headers.get('location') ?? '';
    expect(location).toMatch(/^\/kestrel\/entity\/Default\/24\.200\.001\/Invoice\/ReleaseInvoice\/status\/[0-9a-f-]{36}$/);
    expect((await desk.send('GET', location)).status).toBe(202);
    const blocked = await desk.get('/Invoice?$top=1');
    expect(blocked.status).toBe(500);
    expect(blocked.text).toContain('The previous operation has not been completed yet.');
    expect((await desk.get('/Payment?$top=1')).status).toBe(200);
    desk.clock.advance(1000);
    expect((await desk.send('GET', location)).status).toBe(204);
    expect((await desk.get('/Invoice?$top=1')).status).toBe(200);
  });

  test('tells only its own session how it goes', async () => {
    const { answer } = await started();
    const location = answer.headers.get('location') ?? '';
    await signIn(desk);
    expect((await desk.send('GET', location)).status).toBe(404);
  });

  test('that fails says so on its status address', async () => {
    const created = await desk.put('/Invoice', invoiceBody());
    await desk.simulator.act({ action: 'close-period', period: '032026' });
    const answer = await desk.run('/Invoice/ReleaseInvoice', {
      Type: 'Invoice',
      ReferenceNbr: String(fieldOf(created.json, 'ReferenceNbr')),
    });
    expect(answer.status).toBe(422);
    expect(answer.json['PostPeriod']?.['error']).toContain('closed in Accounts Receivable');
    expect(desk.simulator.records('invoices')[1]).toMatchObject({ status: 'Balanced', released: false });
  });

  test('may answer 204 with an address that leads nowhere, or 204 having done nothing', async () => {
    await desk.simulator.act({ action: 'set-preference', preferences: { actionAnswer: 'done-with-bogus-location' } });
    const { answer } = await started();
    expect(answer.status).toBe(204);
    expect((await desk.send('GET', answer.headers.get('location') ?? '')).status).toBe(404);
    expect(desk.simulator.records('invoices')[1]).toMatchObject({ status: 'Open' });
    await desk.simulator.act({ action: 'set-preference', preferences: { actionAnswer: 'nothing-started' } });
    await started();
    expect(desk.simulator.records('invoices')[2]).toMatchObject({ status: 'Balanced' });
  });

  test('on a released document is disabled, an unknown one is a 404', async () => {
    const answer = await desk.run('/Invoice/ReleaseInvoice', { Type: 'Invoice', ReferenceNbr: 'AR000398' });
    expect(answer.text).toContain('PXActionDisabledException');
    expect((await desk.post('/Invoice/Explode', { entity: wrap({ Type: 'Invoice', ReferenceNbr: 'AR000398' }) })).status).toBe(404);
    expect((await desk.post('/Invoice/ReleaseInvoice', {})).status).toBe(400);
  });

  test('VoidPayment may leave the saving of the Voided Payment to a PUT', async () => {
    await desk.simulator.act({ action: 'set-preference', preferences: { voidSaves: false } });
    await desk.run('/Payment/VoidPayment', { Type: 'Payment', ReferenceNbr: '000188' });
    expect((await desk.get('/Payment/Voided%20Payment/000188')).status).toBe(500);
    await desk.put('/Payment', wrap({ Type: 'Voided Payment', ReferenceNbr: '000188', Hold: false }));
    expect((await desk.get('/Payment/Voided%20Payment/000188')).status).toBe(200);
  });
});

describe('a journal', () => {
  const journal = (changes: Record<string, unknown> = {}) =>
    wrap({
      Module: 'GL',
      TransactionDate: '2026-03-31',
      Description: 'ZUORA JE-00000102|JR-00000045 Revenue Event Item',
      Hold: false,
      Details: [
        { Account: '24000', DebitAmount: 1225, TransactionDescription: 'Release', ReferenceNbr: 'JE-00000102', Description: 'ignored' },
        { Account: '40000', CreditAmount: 1225 },
      ],
      ...changes,
    });

  test('is posted when released, and its line text is TransactionDescription', async () => {
    const created = await desk.put('/JournalTransaction?$expand=Details', journal());
    expect(fieldOf(created.json, 'Status')).toBe('Balanced');
    expect(fieldOf(detailsIn(created.json, 'Details')[0], 'Description')).toBe('Deferred revenue');
    const number = String(fieldOf(created.json, 'BatchNbr'));
    expect((await desk.run('/JournalTransaction/ReleaseJournalTransaction', { Module: 'GL', BatchNbr: number })).status).toBe(204);
    expect(desk.simulator.records('journals')).toMatchObject([{ number, status: 'Posted' }]);
    expect(desk.simulator.records('gl').find((row) => row['account'] === '24000')).toMatchObject({ balance: '-1225' });
  });

  test('that does not balance is refused unless it is on hold', async () => {
    const crooked = {
      Details: [
        { Account: '24000', DebitAmount: 1 },
        { Account: '40000', CreditAmount: 2 },
      ],
    };
    expect((await desk.put('/JournalTransaction', journal(crooked))).text).toContain('out of the balance');
    expect((await desk.put('/JournalTransaction', journal({ ...crooked, Hold: true }))).status).toBe(200);
  });

  test('may post into a period that is closed only for receivables', async () => {
    await desk.simulator.act({ action: 'close-period', period: '032026', ledger: 'AR' });
    expect((await desk.put('/JournalTransaction', journal())).status).toBe(200);
    await desk.simulator.act({ action: 'close-period', period: '032026', ledger: 'GL' });
    expect((await desk.put('/JournalTransaction', journal())).text).toContain('is closed in the KESTREL company');
  });
});

describe('an unlucky client', () => {
  test('sees its connection end, and the write is carried out minutes later', async () => {
    await desk.simulator.act({ action: 'set-queue-hold', operation: 'PUT /Invoice', minutes: 4 });
    await expect(desk.put('/Invoice', invoiceBody())).rejects.toThrow();
    const look = () => desk.get("/Invoice?$filter=CustomerOrder eq 'INV00000417'");
    desk.clock.advance(60_000);
    expect((await look()).rows).toHaveLength(0);
    desk.clock.advance(3 * 60_000);
    expect((await look()).rows).toHaveLength(1);
  });

  test('meets a restart', async () => {
    await desk.simulator.act({ action: 'set-outage', minutes: 2 });
    expect((await desk.get('/Ledger')).status).toBe(503);
    desk.clock.advance(120_000);
    await desk.simulator.act({ action: 'set-outage', minutes: 2, status: 302 });
    const answer = await desk.get('/Ledger');
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/kestrel/ui/error']);
  });

  test('finds its endpoint version gone', async () => {
    await desk.simulator.act({ action: 'set-endpoints', versions: ['25.200.001'] });
    expect((await desk.get('/Ledger')).status).toBe(404);
  });
});

test('foreign currency leaves the exchange difference in the ledger, and receivables at zero', async () => {
  await desk.simulator.seed({
    customers: [{ id: 'TORNOW', name: 'Tornow Messtechnik GmbH', class: 'SAASEU' }],
    rates: [{ currency: 'EUR', from: '2026-03-05', rate: '1.10' }],
    documents: [
      { type: 'Invoice', ref: 'AR000777', customer: 'TORNOW', date: '2026-03-01', amount: '100' },
      {
        type: 'Payment',
        customer: 'TORNOW',
        date: '2026-03-09',
        amount: '100',
        cashAccount: '10210',
        applications: [{ ref: 'AR000777', amount: '100' }],
      },
    ],
  });
  const account = (code: string) => desk.simulator.records('gl').find((row) => row['account'] === code);
  expect(account('10210')).toMatchObject({ balance: '110', byCurrency: { EUR: '100' } });
  expect(account('71000')).toMatchObject({ net: '-2' });
  expect(account('11000')).toMatchObject({ net: '-200', byCurrency: { EUR: '0' } });
});

test('a payment in another currency than its cash account or customer is refused', async () => {
  expect((await desk.put('/Payment', paymentBody({ CurrencyID: 'EUR' }))).text).toContain('cash account is USD');
  expect((await desk.put('/Payment', paymentBody({ CashAccount: '10210', CurrencyID: 'EUR' }))).text).toContain('cannot be overridden');
});

test('a customer with AutoApplyPayments has the rest of a payment applied by itself', async () => {
  await desk.simulator.act({ action: 'edit-customer', id: 'C0001042', fields: { AutoApplyPayments: true } });
  const document = { type: 'Invoice', customer: 'C0001042', date: '2026-03-01', amount: '40' };
  await desk.simulator.act({ action: 'create-manual-document', ...document });
  const paid = { type: 'Payment', customer: 'C0001042', reference: 'Cheque 7', date: '2026-03-10', amount: '100' };
  await desk.simulator.act({ action: 'create-manual-document', ...paid });
  expect(desk.simulator.records('payments')[1]).toMatchObject({ available: '60', applications: [{ amount: '40' }] });
});

test('a running release survives a restart of the simulator', async () => {
  const created = await desk.put('/Invoice', invoiceBody());
  const entity = wrap({ Type: 'Invoice', ReferenceNbr: fieldOf(created.json, 'ReferenceNbr') });
  await desk.post('/Invoice/ReleaseInvoice', { entity });
  const fresh = createAcumaticaSimulator(
    { clock: desk.clock, random: repeatableRandom(), fetch: () => Promise.reject(new Error('no calls')) },
    { instance: 'kestrel' },
  );
  fresh.restore(JSON.parse(JSON.stringify(desk.simulator.snapshot())));
  expect(fresh.records('invoices')[1]).toMatchObject({ status: 'Balanced' });
  desk.clock.advance(1000);
  expect(fresh.records('invoices')[1]).toMatchObject({ status: 'Open' });
});
