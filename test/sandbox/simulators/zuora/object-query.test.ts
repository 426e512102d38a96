import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { invoiceOne, kestrel, openStage, type Stage } from './stage.ts';

let stage: Stage;

beforeEach(async () => {
  stage = await openStage();
  await stage.simulator.seed({ ...kestrel, invoices: [invoiceOne] });
});
afterEach(() => stage.close());

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
});
