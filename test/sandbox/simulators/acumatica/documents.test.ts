import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Desk, detailsIn, fieldOf, invoiceBody, northgate, openDesk, paymentBody, wrap } from './desk.ts';

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
  await desk.simulator.seed({ customers: [northgate] });
});
afterEach(() => desk.close());

async function postInvoice(changes: Record<string, unknown> = {}): Promise<string> {
  const created = await desk.put('/Invoice', invoiceBody(changes));
  expect(created.status, created.text).toBe(200);
  const reference = String(fieldOf(created.json, 'ReferenceNbr'));
  expect((await desk.run('/Invoice/ReleaseInvoice', { Type: String(changes['Type'] ?? 'Invoice'), ReferenceNbr: reference })).status).toBe(
    204,
  );
  return reference;
}

async function balance(account: string): Promise<unknown> {
  return desk.simulator.records('gl').find((row) => row['account'] === account)?.['balance'];
}

describe('an invoice', () => {
  test('is created Balanced and becomes Open with one batch in the ledger', async () => {
    const reference = await postInvoice();
    const read = await desk.get(`/Invoice/Invoice/${reference}?$expand=Details&$custom=Document.CuryID,CurrentDocument.BatchNbr`);
    expect(fieldOf(read.json, 'Status')).toBe('Open');
    expect(read.text).toContain('"Amount":{"value":1334.8800}');
    expect(read.text).toContain('"Qty":{"value":25.000000}');
    expect(read.json['custom']).toEqual({
      Document: { CuryID: { type: 'CustomStringField', value: 'USD' } },
      CurrentDocument: { BatchNbr: { type: 'CustomStringField', value: '00009001' } },
    });
    expect(await balance('11000')).toBe('1334.88');
    expect(await balance('40000')).toBe('1225');
    expect(await balance('23000')).toBe('109.88');
  });

  test('posted twice shows twice in the ledger', async () => {
    await postInvoice();
    await postInvoice();
    expect(await balance('11000')).toBe('2669.76');
  });

  test('is recomputed from quantity and price when the extended price does not fit', async () => {
    const answer = await desk.put(
      '/Invoice?$expand=Details',
      invoiceBody({ Details: [{ Qty: 3, UnitPrice: 33.333333, ExtendedPrice: 100, Account: '40000' }] }),
    );
    expect(fieldOf(answer.json, 'Amount')).toBe('100.0000');
    const other = await desk.put(
      '/Invoice?$expand=Details',
      invoiceBody({ Details: [{ Qty: 2, UnitPrice: 10, ExtendedPrice: 25, Account: '40000' }] }),
    );
    expect(fieldOf(other.json, 'Amount')).toBe('20.0000');
  });

  test('ignores misspelt members and so can be saved with a zero line', async () => {
    const answer = await desk.put('/Invoice', invoiceBody({ Details: [{ Quantity: 1, ExtPrice: 100, Account: '40000' }] }));
    expect(answer.status).toBe(200);
    expect(fieldOf(answer.json, 'Amount')).toBe('0.0000');
  });

  test.each([
    ['an unknown customer', { Customer: 'C9999' }, ['Customer', 'error'], "'Customer' cannot be found in the system."],
    ['a closed period', { Date: '2026-01-15', DueDate: null }, ['PostPeriod', 'error'], 'closed in Accounts Receivable'],
    ['a negative total', { Details: [{ Qty: 1, UnitPrice: -5, Account: '40000' }] }, ['Amount', 'error'], 'cannot be negative'],
    ['unknown terms', { Terms: 'NEVER' }, ['Terms', 'error'], "'Terms' cannot be found"],
  ])('with %s is refused beside the field and not stored', async (_name, changes, path, message) => {
    const answer = await desk.put('/Invoice', invoiceBody(changes));
    expect(answer.status).toBe(422);
    expect(answer.json['error']).toContain("Inserting  'Invoice' record raised at least one error");
    expect(fieldOf(answer.json, 'ReferenceNbr')).toBe('<NEW>');
    expect(answer.json[path[0] ?? '']?.[path[1] ?? '']).toContain(message);
    expect(desk.simulator.records('invoices')).toEqual([]);
  });

  test('with a bad account complains in the detail row', async () => {
    const answer = await desk.put('/Invoice', invoiceBody({ Details: [{ Qty: 1, UnitPrice: 5, Account: '4OOOO' }] }));
    expect(answer.status).toBe(422);
    expect(answer.text).toContain(`"Account":{"value":"4OOOO","error":"'Account' cannot be found in the system."}`);
    await desk.simulator.act({ action: 'set-account', code: '40100', active: false });
    const inactive = await desk.put('/Invoice', invoiceBody({ Details: [{ Qty: 1, UnitPrice: 5, Account: '40100' }] }));
    expect(inactive.text).toContain("Account '40100     ' is inactive.");
  });

  test('appends rows without id, updates rows with one, deletes on request', async () => {
    const created = await desk.put('/Invoice?$expand=Details', invoiceBody({ Hold: true }));
    const [first] = detailsIn(created.json, 'Details');
    const key = { Type: { value: 'Invoice' }, ReferenceNbr: { value: fieldOf(created.json, 'ReferenceNbr') } };
    const changed = await desk.put('/Invoice?$expand=Details', {
      ...key,
      Details: [
        { id: first?.id, UnitPrice: { value: 50 } },
        { Account: { value: '40100' }, ExtendedPrice: { value: 1 } },
      ],
    });
    expect(changed.json['Details']).toHaveLength(3);
    expect(fieldOf(changed.json, 'Amount')).toBe('1360.8800');
    const fewer = await desk.put('/Invoice?$expand=Details', { ...key, Details: [{ id: first?.id, delete: true }] });
    expect(fewer.json['Details']).toHaveLength(2);
  });

  test('stays on hold by preference until it is told otherwise', async () => {
    const { Hold: _hold, ...body } = invoiceBody();
    const created = await desk.put('/Invoice', body);
    expect(fieldOf(created.json, 'Status')).toBe('On Hold');
    const reference = String(fieldOf(created.json, 'ReferenceNbr'));
    const refused = await desk.run('/Invoice/ReleaseInvoice', { Type: 'Invoice', ReferenceNbr: reference });
    expect(refused.status).toBe(500);
    const off = await desk.put('/Invoice', wrap({ Type: 'INV', ReferenceNbr: reference, Hold: 'false' }));
    expect(fieldOf(off.json, 'Status')).toBe('Balanced');
  });

  test('takes the currency of the customer, and another only with override and a rate', async () => {
    const eur = { custom: { Document: { CuryID: { type: 'CustomStringField', value: 'EUR' } } } };
    const ignored = await desk.put('/Invoice?$custom=Document.CuryID', invoiceBody(eur));
    expect(JSON.stringify(ignored.json['custom'])).toContain('USD');
    await desk.simulator.act({ action: 'edit-customer', id: 'C0001042', fields: { EnableCurrencyOverride: true } });
    const taken = await desk.put('/Invoice?$custom=Document.CuryID', invoiceBody(eur));
    expect(JSON.stringify(taken.json['custom'])).toContain('EUR');
    const yen = await desk.put('/Invoice', invoiceBody({ custom: { Document: { CuryID: { type: 'CustomStringField', value: 'JPY' } } } }));
    expect(yen.status).toBe(422);
    expect(yen.text).toContain('Currency rate is not defined');
  });

  test('imports taxes only when they are declared valid', async () => {
    const lines = [{ Qty: 1, UnitPrice: 900, Account: '40000', TaxCategory: 'TAXABLE' }];
    const zone = { custom: { CurrentDocument: { TaxZoneID: { type: 'CustomStringField', value: 'EXTERNAL' } } } };
    const taxes = { TaxDetails: [{ TaxID: 'DEVAT19', TaxableAmount: 900, TaxAmount: 170.99 }] };
    const imported = await desk.put('/Invoice?$expand=TaxDetails', invoiceBody({ Details: lines, IsTaxValid: true, ...zone, ...taxes }));
    expect(fieldOf(imported.json, 'TaxTotal')).toBe('170.9900');
    const calculated = await desk.put('/Invoice?$expand=TaxDetails', invoiceBody({ Details: lines, ...zone, ...taxes }));
    expect(fieldOf(calculated.json, 'Amount')).toBe('1071.0000');
  });

  test('needs its total when totals are validated on entry', async () => {
    await desk.simulator.act({ action: 'set-preference', preferences: { requireControlTotal: true } });
    const refused = await desk.put('/Invoice', invoiceBody());
    expect(refused.json['Amount']?.['error']).toBe('The document is out of the balance.');
    expect((await desk.put('/Invoice', invoiceBody({ Amount: 1334.88 }))).status).toBe(200);
  });

  test('waits for approval, and for nothing once approved', async () => {
    await desk.simulator.act({ action: 'set-preference', preferences: { approvals: ['Invoice'] } });
    const created = await desk.put('/Invoice', invoiceBody());
    expect(fieldOf(created.json, 'Status')).toBe('Pending Approval');
    const ref = fieldOf(created.json, 'ReferenceNbr');
    expect(await desk.simulator.act({ action: 'approve', type: 'Invoice', ref })).toEqual({ status: 'Balanced' });
  });

  test('can be deleted until it is released', async () => {
    const created = await desk.put('/Invoice', invoiceBody());
    expect((await desk.send('DELETE', `${desk.endpoint}/Invoice/Invoice/${fieldOf(created.json, 'ReferenceNbr')}`)).status).toBe(204);
    const released = await postInvoice();
    expect((await desk.send('DELETE', `${desk.endpoint}/Invoice/Invoice/${released}`)).status).toBe(422);
  });
});

describe('a payment', () => {
  test('pays two invoices and keeps the rest open', async () => {
    const first = await postInvoice();
    const second = await postInvoice({ CustomerOrder: 'INV00000398', Details: [{ Qty: 1, UnitPrice: 300, Account: '40000' }] });
    const rows = [
      { DocType: 'Invoice', ReferenceNbr: first, AmountPaid: 1334.88, CashDiscountTaken: 0 },
      { DocType: 'INV', ReferenceNbr: second, AmountPaid: 300, CashDiscountTaken: 0 },
    ];
    const created = await desk.put('/Payment?$expand=DocumentsToApply', paymentBody({ DocumentsToApply: rows }));
    expect(fieldOf(created.json, 'AppliedToDocuments')).toBe('1634.8800');
    expect(fieldOf(created.json, 'AvailableBalance')).toBe('365.1200');
    const reference = String(fieldOf(created.json, 'ReferenceNbr'));
    expect((await desk.run('/Payment/ReleasePayment', { Type: 'Payment', ReferenceNbr: reference })).status).toBe(204);
    const read = await desk.get(`/Payment/Payment/${reference}?$expand=DocumentsToApply,ApplicationHistory`);
    expect(fieldOf(read.json, 'Status')).toBe('Open');
    expect(fieldOf(read.json, 'AppliedToDocuments')).toBe('0.0000');
    expect(fieldOf(read.json, 'AvailableBalance')).toBe('365.1200');
    expect(read.json['DocumentsToApply']).toEqual([]);
    expect(read.json['ApplicationHistory']).toHaveLength(2);
    expect(fieldOf(read.json, 'ApplicationDate')).toBe('2026-03-16T00:00:00+00:00');
    expect(desk.simulator.records('invoices').map((row) => row['status'])).toEqual(['Closed', 'Closed']);
    expect(await balance('10200')).toBe('2000');
    expect(await balance('11000')).toBe('-365.12');
  });

  test('applies more to an open payment, dated by the new application', async () => {
    const invoice = await postInvoice();
    const created = await desk.put('/Payment', paymentBody());
    const key = { Type: 'Payment', ReferenceNbr: String(fieldOf(created.json, 'ReferenceNbr')) };
    await desk.run('/Payment/ReleasePayment', key);
    const row = { DocType: 'Invoice', ReferenceNbr: invoice, AmountPaid: 334.88, CashDiscountTaken: 0 };
    const more = await desk.put(
      '/Payment?$expand=DocumentsToApply',
      wrap({ ...key, ApplicationDate: '2026-03-12', DocumentsToApply: [row] }),
    );
    expect(fieldOf(more.json, 'AppliedToDocuments')).toBe('334.8800');
    expect((await desk.run('/Payment/ReleasePayment', key)).status).toBe(204);
    const [payment] = desk.simulator.records('payments');
    expect(payment).toMatchObject({ date: '2026-03-09', available: '1665.12', applications: [{ date: '2026-03-12', amount: '334.88' }] });
  });

  test.each([
    ['more than the balance', { AmountPaid: 2000 }, 'less than or equal to 1334.88'],
    ['an unknown document', { ReferenceNbr: 'AR999999' }, "'Reference Nbr.' cannot be found in the system."],
  ])('that applies %s is refused in its row', async (_name, change, message) => {
    const invoice = await postInvoice();
    const row = { DocType: 'Invoice', ReferenceNbr: invoice, AmountPaid: 10, CashDiscountTaken: 0, ...change };
    const answer = await desk.put('/Payment', paymentBody({ DocumentsToApply: [row] }));
    expect(answer.status).toBe(422);
    expect(answer.text).toContain(message);
  });

  test('dated before the document it pays is refused', async () => {
    const invoice = await postInvoice();
    const row = { DocType: 'Invoice', ReferenceNbr: invoice, AmountPaid: 10, CashDiscountTaken: 0 };
    const answer = await desk.put('/Payment', paymentBody({ ApplicationDate: '2026-03-01', DocumentsToApply: [row] }));
    expect(answer.text).toContain('Application Date cannot be less than Document Date.');
  });

  test('of more applications than money is out of balance', async () => {
    const invoice = await postInvoice();
    const row = { DocType: 'Invoice', ReferenceNbr: invoice, AmountPaid: 100, CashDiscountTaken: 0 };
    const answer = await desk.put('/Payment', paymentBody({ PaymentAmount: 50, DocumentsToApply: [row] }));
    expect(answer.json['PaymentAmount']?.['error']).toBe('The document is out of the balance.');
  });

  test('takes the cash discount of the terms when the row says nothing about it', async () => {
    const invoice = await postInvoice({ Terms: '2D10N30', DueDate: null });
    const row = { DocType: 'Invoice', ReferenceNbr: invoice };
    const silent = await desk.put('/Payment?$expand=DocumentsToApply', paymentBody({ DocumentsToApply: [row] }));
    const [applied] = detailsIn(silent.json, 'DocumentsToApply');
    expect(JSON.stringify(applied)).toContain('"CashDiscountTaken":{"value":"26.7000"}');
    const strict = await desk.put('/Payment', paymentBody({ DocumentsToApply: [{ ...row, AmountPaid: 1334.88 }] }));
    expect(strict.status).toBe(422);
  });

  test('may pay a child of its customer, and nobody else', async () => {
    await desk.simulator.seed({
      customers: [
        { id: 'CHILD', name: 'Northgate East', class: 'SAAS', parent: 'C0001042' },
        { id: 'OTHER', name: 'Other', class: 'SAAS' },
      ],
    });
    const child = await postInvoice({ Customer: 'CHILD' });
    const other = await postInvoice({ Customer: 'OTHER' });
    const row = (ReferenceNbr: string) => ({ DocType: 'Invoice', ReferenceNbr, AmountPaid: 1, CashDiscountTaken: 0 });
    expect((await desk.put('/Payment', paymentBody({ DocumentsToApply: [row(child)] }))).status).toBe(200);
    expect((await desk.put('/Payment', paymentBody({ DocumentsToApply: [row(other)] }))).status).toBe(422);
  });

  test('is voided by a document of its own under the same number', async () => {
    const invoice = await postInvoice();
    const row = { DocType: 'Invoice', ReferenceNbr: invoice, AmountPaid: 1334.88, CashDiscountTaken: 0 };
    const created = await desk.put('/Payment', paymentBody({ DocumentsToApply: [row] }));
    const ReferenceNbr = String(fieldOf(created.json, 'ReferenceNbr'));
    await desk.run('/Payment/ReleasePayment', { Type: 'Payment', ReferenceNbr });
    expect((await desk.run('/Payment/VoidPayment', { Type: 'Payment', ReferenceNbr })).status).toBe(204);
    const voiding = await desk.get(`/Payment/Voided%20Payment/${ReferenceNbr}`);
    expect(fieldOf(voiding.json, 'PaymentAmount')).toBe('-2000.0000');
    expect(fieldOf(voiding.json, 'Status')).toBe('On Hold');
    const key = { Type: 'Voided Payment', ReferenceNbr };
    await desk.put('/Payment', wrap({ ...key, ApplicationDate: '2026-03-14', Hold: false }));
    expect((await desk.run('/Payment/ReleasePayment', key)).status).toBe(204);
    expect(desk.simulator.records('payments')).toMatchObject([
      { type: 'Payment', status: 'Voided', available: '0' },
      { type: 'Voided Payment', status: 'Closed', date: '2026-03-14' },
    ]);
    expect(desk.simulator.records('invoices')).toMatchObject([{ status: 'Open', balance: '1334.88' }]);
    expect(await balance('10200')).toBe('0');
  });

  test('in a bank deposit is not voided over the API', async () => {
    const created = await desk.put('/Payment', paymentBody());
    const key = { Type: 'Payment', ReferenceNbr: String(fieldOf(created.json, 'ReferenceNbr')) };
    await desk.run('/Payment/ReleasePayment', key);
    await desk.simulator.act({ action: 'deposit-payment', ref: key.ReferenceNbr });
    const answer = await desk.run('/Payment/VoidPayment', key);
    expect(answer.status).toBe(500);
    expect(answer.text).toContain('PXDialogRequiredException');
    const read = await desk.get(`/Payment/Payment/${key.ReferenceNbr}?$custom=CurrentDocument.DepositNbr`);
    expect(JSON.stringify(read.json['custom'])).toContain('000001');
  });
});

describe('a credit memo', () => {
  test('appears as a payment of type Credit Memo and is applied there', async () => {
    const invoice = await postInvoice();
    const lines = [{ Qty: 1, UnitPrice: 108.97, Account: '40000' }];
    const memo = await postInvoice({
      Type: 'Credit Memo',
      CustomerOrder: 'CM00000031',
      Terms: null,
      DueDate: null,
      Date: '2026-03-10',
      Details: lines,
    });
    const key = { Type: 'Credit Memo', ReferenceNbr: memo };
    const row = { DocType: 'Invoice', ReferenceNbr: invoice, AmountPaid: 60, CashDiscountTaken: 0 };
    const saved = await desk.put('/Payment', wrap({ ...key, ApplicationDate: '2026-03-10', DocumentsToApply: [row] }));
    expect(saved.status, saved.text).toBe(200);
    expect((await desk.run('/Payment/ReleasePayment', key)).status).toBe(204);
    await desk.put('/Payment', wrap({ ...key, ApplicationDate: '2026-03-15', DocumentsToApply: [{ ...row, AmountPaid: 48.97 }] }));
    expect((await desk.run('/Payment/ReleasePayment', key)).status).toBe(204);
    expect(desk.simulator.records('invoices')).toMatchObject([
      { type: 'Credit Memo', status: 'Closed', balance: '0' },
      { type: 'Invoice', status: 'Open', balance: '1225.91' },
    ]);
    expect(desk.simulator.records('payments')[0]).toMatchObject({ applications: [{ date: '2026-03-10' }, { date: '2026-03-15' }] });
    expect(await balance('40000')).toBe('1116.03');
  });
});

describe('a credit memo with its target named at once', () => {
  const lines = [{ Qty: 1, UnitPrice: 80, Account: '40000' }];
  const memo = (ReferenceNbr: string, AmountPaid: number) => ({
    Type: 'Credit Memo',
    Terms: null,
    DueDate: null,
    Details: lines,
    ApplicationsCreditMemo: [{ DocType: 'Invoice', ReferenceNbr, AmountPaid }],
  });

  test('is applied by its own release', async () => {
    const invoice = await postInvoice();
    await postInvoice(memo(invoice, 80));
    expect(desk.simulator.records('invoices')).toMatchObject([
      { type: 'Credit Memo', status: 'Closed' },
      { type: 'Invoice', balance: '1254.88' },
    ]);
  });

  test('cannot give more than it has', async () => {
    const invoice = await postInvoice();
    expect((await desk.put('/Invoice', invoiceBody(memo(invoice, 80.01)))).text).toContain('out of the balance');
  });
});

describe('a long invoice', () => {
  test('grows chunk by chunk on hold and is released whole', async () => {
    const chunk = (count: number) => Array.from({ length: count }, () => ({ Qty: 1, UnitPrice: 1, ExtendedPrice: 1, Account: '40000' }));
    const created = await desk.put('/Invoice', invoiceBody({ Hold: true, Details: chunk(250) }));
    const id = created.json['id'];
    for (const count of [250, 120]) await desk.put('/Invoice', { id, ...wrap({ Details: chunk(count) }) });
    const ready = await desk.put('/Invoice?$expand=Details', { id, ...wrap({ Hold: false }) });
    expect(detailsIn(ready.json, 'Details')).toHaveLength(620);
    expect(fieldOf(ready.json, 'Amount')).toBe('620.0000');
    expect(fieldOf(ready.json, 'Status')).toBe('Balanced');
  });
});

describe('a refund', () => {
  test('consumes the open balance of a payment', async () => {
    const created = await desk.put('/Payment', paymentBody());
    const source = String(fieldOf(created.json, 'ReferenceNbr'));
    await desk.run('/Payment/ReleasePayment', { Type: 'Payment', ReferenceNbr: source });
    const row = { DocType: 'Payment', ReferenceNbr: source, AmountPaid: 300 };
    const refund = await desk.put(
      '/Payment',
      paymentBody({ Type: 'Refund', PaymentRef: 'R-00000056', PaymentAmount: 300, DocumentsToApply: [row] }),
    );
    expect(refund.status, refund.text).toBe(200);
    await desk.run('/Payment/ReleasePayment', { Type: 'Refund', ReferenceNbr: String(fieldOf(refund.json, 'ReferenceNbr')) });
    expect(desk.simulator.records('payments')).toMatchObject([
      { type: 'Payment', available: '1700', status: 'Open' },
      { type: 'Refund', available: '0', status: 'Closed' },
    ]);
    expect(await balance('10200')).toBe('1700');
    const history = await desk.get(`/Payment/Payment/${source}?$expand=ApplicationHistory`);
    expect(fieldOf(detailsIn(history.json, 'ApplicationHistory')[0], 'DisplayDocType')).toBe('Refund');
    const tooMuch = await desk.put('/Payment', paymentBody({ Type: 'Refund', DocumentsToApply: [{ ...row, AmountPaid: 1700.01 }] }));
    expect(tooMuch.status).toBe(422);
  });
});
