import { describe, expect, test } from 'vitest';
import { type Desk, invoice, openDesk, usageInvoice } from './kestrel-desk.ts';

const labelled = async (
  desk: Desk,
  label: string,
): Promise<{ readonly state: string; readonly record: string; readonly keys: Readonly<Record<string, string>> }> => {
  const { stories } = await desk.ask<{ stories: readonly { state: string; record: string; keys: Readonly<Record<string, string>> }[] }>(
    'explain',
    { record: label },
  );
  const [story] = stories;
  if (!story) throw new Error(`no story of ${label}`);
  return story;
};
const references = async (desk: Desk): Promise<unknown[]> => (await desk.books('invoices')).map((row) => row['reference']);

describe('replay', () => {
  test('of a record, a cause or everything held looks at the present state and posts what is repaired', async () => {
    for (const input of [
      { record: 'INV00000420' },
      { cause: 'account-map:EU Usage' },
      { cause: 'account-map:*' },
      { held: true },
      { held: true, flow: 'invoices' },
    ]) {
      const desk = await openDesk();
      await desk.zuora(usageInvoice('INV00000420'));
      await desk.settle();
      expect(await references(desk)).toEqual([]);
      await desk.ask('map', { table: 'accountMap', row: { code: 'EU Usage', account: '40100' } });
      await desk.ask('dlq-purge', { all: true });
      await desk.ask('replay', input);
      await desk.settle();
      expect(await references(desk)).toEqual(['INV00000420']);
      expect((await labelled(desk, 'INV00000420')).state).toBe('synced');
    }
  });

  test('of what is in the books already changes nothing there, and the timeline says who asked', async () => {
    const desk = await openDesk();
    await desk.zuora(invoice('INV00000417'));
    await desk.settle();
    const before = await desk.books('invoices');
    for (let turn = 0; turn < 3; turn += 1) await desk.ask('replay', { record: 'INV00000417' });
    await desk.settle();
    expect(await desk.books('invoices')).toEqual(before);
    const { entries } = await desk.ask<{ entries: readonly unknown[] }>('audit', { record: 'INV00000417', outcome: 'operator' });
    expect(entries).toHaveLength(3);
    expect(entries[0]).toMatchObject({ operator: 'anna', sentence: 'anna asked for another look at INV00000417.' });
  });

  test('fetches a record that never reached the connector: by its number, or by flow and vendor id', async () => {
    const desk = await openDesk();
    await desk.settle();
    await desk.zuora(invoice('INV00000417'), invoice('INV00000418'));
    const rows = (await desk.world.time.run(Promise.resolve(desk.world.simulators['zuora']?.records('invoices')))) as readonly {
      readonly number: string;
      readonly id: string;
    }[];
    const id = rows.find(({ number }) => number === 'INV00000418')?.id ?? '';
    await desk.ask('replay', { record: 'INV00000417' });
    await desk.ask('replay', { record: id, flow: 'invoices' });
    await desk.world.work();
    expect((await references(desk)).sort()).toEqual(['INV00000417', 'INV00000418']);
  });

  test('takes a full reference as the audit prints it', async () => {
    const desk = await openDesk();
    await desk.zuora(invoice('INV00000417'));
    await desk.settle();
    const { record } = await labelled(desk, 'INV00000417');
    expect(await desk.ask('replay', { record })).toEqual({ replayed: [record], notes: [] });
  });

  test('of a journal run takes every entry of it', async () => {
    const desk = await openDesk({ flows: { journals: 'live' }, settings: { revenue: 'zuora-journals' } });
    await desk.settle();
    await desk.zuora({
      action: 'create-journal-run',
      number: 'JR-00000045',
      journalEntryDate: '2026-03-10',
      entries: [
        {
          number: 'JE-00000012',
          transactionType: 'Revenue Event',
          currency: 'USD',
          lines: [
            { accountingCode: 'Deferred Revenue', type: 'Debit', amount: '100.00' },
            { accountingCode: 'Subscription Revenue', type: 'Credit', amount: '100.00' },
          ],
        },
      ],
    });
    expect(await desk.ask('replay', { flow: 'journals', record: 'JR-00000045' })).toEqual({
      replayed: ['acumatica-zuora.journals|b|JR-00000045/JE-00000012'],
      notes: [],
    });
    await desk.world.work();
    expect((await labelled(desk, 'JE-00000012')).state).toMatch(/synced|held|filtered/);
    expect(await desk.refusal('replay', { flow: 'journals', record: 'JR-00000099' })).toContain('No record "JR-00000099"');
  });

  test('says what is off, paused or in preview instead of doing something else', async () => {
    const desk = await openDesk();
    await desk.zuora(usageInvoice('INV00000420'));
    await desk.settle();
    await desk.ask('mode', { flow: 'invoices', mode: 'off' });
    expect(await desk.refusal('replay', { record: 'INV00000420' })).toContain('The flow invoices is off. → Switch the flow on first');
    expect(await desk.refusal('replay', { held: true })).toContain('The flow invoices is off.');
    expect((await labelled(desk, 'INV00000420')).state).toBe('held');
    await desk.ask('mode', { flow: 'invoices', mode: 'paused' });
    expect(await desk.ask('replay', { record: 'INV00000420' })).toMatchObject({
      notes: ['The flow invoices is paused: its records are looked at when it goes on.'],
    });
  });

  test('refuses nothing, too much, and what nobody knows', async () => {
    const desk = await openDesk();
    expect(await desk.refusal('replay', {})).toContain('Nothing was named to replay.');
    expect(await desk.refusal('replay', { record: 'INV1', held: true })).toContain('exclude each other');
    expect(await desk.refusal('replay', { held: true })).toContain('Nothing is held.');
    expect(await desk.refusal('replay', { cause: 'period:202602' })).toContain('Nothing is held for "period:202602".');
    expect(await desk.refusal('replay', { record: 'INV99999999' })).toContain('No record "INV99999999" is known here');
    expect(await desk.refusal('replay', { record: "INV' or 1=1" })).toContain('No record');
    expect(await desk.refusal('replay', { record: 'nav-zuora.invoices|b|1' })).toContain('which this deployment does not have');
    expect(await desk.refusal('replay', { held: true, flow: 'orders' })).toContain('There is no flow "orders"');
  });
});

describe('dead letters', () => {
  const foreign = 'a text that somebody else put on the queue';
  const withLetters = async (): Promise<Desk> => {
    const desk = await openDesk();
    await desk.zuora(usageInvoice('INV00000420'), usageInvoice('INV00000421'));
    await desk.settle();
    await desk.world.queues.sendText('live', foreign);
    await desk.world.work();
    return desk;
  };
  interface Letters {
    readonly letters: readonly {
      readonly id: string;
      readonly records: readonly string[];
      readonly body?: string;
      readonly cause?: string;
    }[];
    readonly others: number;
  }

  test('are listed with record, cause and fix; a foreign text is shown for what it is, and all stay where they are', async () => {
    const desk = await withLetters();
    for (let turn = 0; turn < 2; turn += 1) {
      const { letters, others } = await desk.ask<Letters>('dlq-list');
      expect(others).toBe(0);
      expect(letters).toHaveLength(3);
      expect(letters.filter(({ cause }) => cause === 'account-map:EU Usage')).toHaveLength(2);
      expect(letters.filter(({ body }) => body === foreign)).toEqual([expect.objectContaining({ records: [] })]);
    }
  });

  test('redriven, repaired records are posted; what is no message of ours stays', async () => {
    const desk = await withLetters();
    await desk.ask('map', { table: 'accountMap', row: { code: 'EU Usage', account: '40100' } });
    const redriven = await desk.ask<{ redriven: number; unreadable: readonly string[] }>('dlq-redrive', { all: true });
    expect(redriven).toMatchObject({ redriven: 2, unreadable: [expect.any(String)] });
    await desk.settle();
    expect((await references(desk)).sort()).toEqual(['INV00000420', 'INV00000421']);
    expect((await desk.ask<Letters>('dlq-list')).letters.map(({ body }) => body)).toEqual([foreign]);
  });

  test('one by id, those of a cause, and all; purged, the records stay held and can be replayed', async () => {
    const desk = await withLetters();
    const { letters } = await desk.ask<Letters>('dlq-list');
    const stranger = letters.find(({ body }) => body === foreign)?.id;
    expect(await desk.ask('dlq-purge', { id: stranger })).toEqual({ purged: 1 });
    expect(await desk.ask('dlq-purge', { cause: 'account-map:*' })).toEqual({ purged: 2 });
    expect(await desk.ask('dlq-list')).toEqual({ letters: [], others: 0 });
    expect((await labelled(desk, 'INV00000420')).state).toBe('held');
    expect(await desk.ask('replay', { held: true })).toMatchObject({ replayed: [expect.any(String), expect.any(String)] });
  });

  test('what was redriven and not repaired is a dead letter again, and exactly one', async () => {
    const desk = await withLetters();
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await desk.ask('dlq-redrive', { cause: 'account-map:EU Usage' })).toMatchObject({ redriven: 2 });
      await desk.settle();
      expect((await labelled(desk, 'INV00000420')).state).toBe('held');
      // Whoever watches the queue is not told that all is well.
      expect((await desk.ask<Letters>('dlq-list')).letters).toHaveLength(3);
    }
    // A replay leaves the letter where it is, so there is no second one.
    await desk.ask('replay', { held: true });
    await desk.settle();
    expect((await desk.ask<Letters>('dlq-list')).letters).toHaveLength(3);
  });

  test('refuses to guess which letter is meant', async () => {
    const desk = await withLetters();
    for (const name of ['dlq-redrive', 'dlq-purge']) {
      expect(await desk.refusal(name, {})).toContain('Say which');
      expect(await desk.refusal(name, { id: 'x', all: true })).toContain('Say which');
      expect(await desk.refusal(name, { id: 'no-such-letter' })).toContain('There is no such dead letter');
    }
    expect((await desk.ask<Letters>('dlq-list')).letters).toHaveLength(3);
  });
});

describe('link, unlink and decide', () => {
  /** Two customers without a reference that look like the account: the connector asks a person. */
  const ambiguous = async (): Promise<Desk> => {
    const desk = await openDesk({ mode: 'paused' });
    const row = { name: 'Hollis Freight LLC', class: 'SAAS', country: 'US', terms: '30D' };
    await desk.world.time.run(
      Promise.resolve(
        desk.world.simulators['acumatica']?.seed({
          customers: [
            { id: 'C0000031', ...row },
            { id: 'C0000032', ...row },
          ],
        }),
      ),
    );
    for (const flow of ['customers', 'invoices']) await desk.ask('mode', { flow, mode: 'live' });
    await desk.settle();
    return desk;
  };

  test('an ambiguous customer is held until a person links one of the candidates', async () => {
    const desk = await ambiguous();
    expect(await labelled(desk, 'KR-10031')).toMatchObject({ state: 'held' });
    await desk.ask('link', { flow: 'customers', a: 'C0000032', b: 'KR-10031' });
    await desk.settle();
    expect(await labelled(desk, 'KR-10031')).toMatchObject({ state: 'synced', keys: { acumatica: 'C0000032' } });
    const customers = await desk.books('customers');
    expect(customers.filter((row) => row['name'] === 'Hollis Freight LLC')).toHaveLength(2);
  });

  test('an answer the hold offers makes a new customer, one it does not offer is refused', async () => {
    const desk = await ambiguous();
    expect(await desk.refusal('decide', { record: 'KR-10031', decision: 'recreate' })).toContain('does not offer "recreate"');
    expect(await desk.refusal('decide', { record: 'KR-10031', decision: 'whatever' })).toContain('decision');
    expect(await desk.refusal('decide', { record: 'KR-10023', decision: 'create' })).toContain('is not held (it is synced)');
    await desk.ask('decide', { record: 'KR-10031', decision: 'create' });
    await desk.settle();
    const customers = await desk.books('customers');
    expect(customers.filter((row) => row['name'] === 'Hollis Freight LLC')).toHaveLength(3);
    expect(await labelled(desk, 'KR-10031')).toMatchObject({ state: 'synced' });
  });

  test('nothing is linked that does not exist, is linked already, or is found by its reference', async () => {
    const desk = await ambiguous();
    expect(await desk.refusal('link', { flow: 'customers', a: 'C9999999', b: 'KR-10031' })).toContain('has no record C9999999');
    expect(await desk.refusal('link', { flow: 'customers', a: 'KR-10031', b: 'C0000031' })).toContain('has no record');
    const other = (await labelled(desk, 'KR-10023')).keys['acumatica'] ?? '';
    expect(await desk.refusal('link', { flow: 'customers', a: other, b: 'KR-10031' })).toContain('is linked already');
    expect(await desk.refusal('link', { flow: 'customers', a: 'C0000031', b: 'KR-10023' })).toContain('is linked already');
    expect(await desk.refusal('link', { flow: 'invoices', a: 'Invoice/AR004701', b: 'INV00000417' })).toContain('are not linked by hand');
    expect(await labelled(desk, 'KR-10031')).toMatchObject({ state: 'held' });
  });

  test('an invoice whose link was forgotten is found by its reference and not booked twice', async () => {
    const desk = await openDesk();
    await desk.zuora(invoice('INV00000417'));
    await desk.settle();
    const before = await labelled(desk, 'INV00000417');
    await desk.ask('unlink', { record: 'INV00000417' });
    const { stories } = await desk.ask<{ stories: readonly { readonly state: string; readonly timeline: readonly unknown[] }[] }>(
      'explain',
      { record: before.record },
    );
    expect(stories[0]).toMatchObject({ state: 'unlinked' });
    await desk.ask('replay', { record: before.record });
    await desk.settle();
    expect(await references(desk)).toEqual(['INV00000417']);
    expect(await labelled(desk, 'INV00000417')).toMatchObject({ state: 'synced', keys: before.keys });
  });

  test('a record whose write may still land is left alone until its outcome is known', async () => {
    const desk = await openDesk();
    await desk.settle();
    desk.world.simulators['acumatica']?.addFault({ operation: 'PUT /Invoice', kind: 'drop-before', times: 1 });
    await desk.zuora(invoice('INV00000417'));
    await desk.world.poll();
    expect(await labelled(desk, 'INV00000417')).toMatchObject({ state: 'working' });
    for (const refusal of [await desk.refusal('unlink', { record: 'INV00000417' })])
      expect(refusal).toContain('its outcome is not known yet');
    expect(await desk.refusal('decide', { record: 'INV00000417', decision: 'ignore' })).toContain('is not held (it is working)');
    await desk.world.pass(20 * 60_000);
    expect(await references(desk)).toEqual(['INV00000417']);
    expect(await labelled(desk, 'INV00000417')).toMatchObject({ state: 'synced' });
  });

  test('a name that several records answer to has to be told apart', async () => {
    const desk = await openDesk();
    await desk.zuora(invoice('INV00000417'), {
      action: 'create-payment',
      number: 'P-00000188',
      account: 'KR-10023',
      date: '2026-03-09',
      methodType: 'CreditCard',
      type: 'Electronic',
      gateway: 'Stripe',
      amount: '1225.00',
      applications: [{ invoice: 'INV00000417', amount: '1225.00', date: '2026-03-09' }],
    });
    await desk.settle();
    expect(await desk.refusal('unlink', { record: 'P-00000188' })).toMatch(/names 2 records.*Add the flow: --flow payments/s);
    expect(await desk.ask('unlink', { record: 'P-00000188', flow: 'applications' })).toMatchObject({ label: 'P-00000188' });
  });
});
