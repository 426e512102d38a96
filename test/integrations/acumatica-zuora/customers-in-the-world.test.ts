import { expect, test } from 'vitest';
import { openMasters, type Row } from './masters-world.ts';

const northgate = {
  number: 'KR-10023',
  name: 'Northgate Dental Group',
  currency: 'USD',
  paymentTerm: 'Net 30',
  billTo: {
    firstName: 'Ada',
    lastName: 'Byrne',
    address1: '12 Mill Rd',
    city: 'Dayton',
    state: 'Ohio',
    postalCode: '45402',
    country: 'United States',
    workEmail: 'ada@northgate.example',
  },
};
const hollis = {
  number: 'KR-10031',
  name: 'Hollis Freight LLC',
  currency: 'USD',
  billTo: { city: 'Dayton', state: 'Ohio', postalCode: '45402', country: 'United States', workEmail: 'ap@hollis.example' },
};
const invoice = (account: string, number = 'INV00000500', currency?: string): Row => ({
  action: 'create-invoice',
  number,
  account,
  date: '2026-03-10',
  items: [{ chargeName: 'Setup', amount: '100.00', recognizedRevenueAccountingCode: 'Subscription Revenue' }],
  ...(currency === undefined ? {} : { currency }),
});

test('an account becomes a customer with every field in place, once', async () => {
  const pair = await openMasters({ accounts: [northgate] });
  await pair.sync();
  expect(await pair.customers()).toMatchObject([
    {
      accountRef: 'KR-10023',
      name: 'Northgate Dental Group',
      class: 'SAAS',
      currency: 'USD',
      terms: '30D',
      status: 'Active',
      autoApplyPayments: false,
      printInvoices: false,
      emailInvoices: false,
      email: 'ada@northgate.example',
      attention: 'Ada Byrne',
      line1: '12 Mill Rd',
      city: 'Dayton',
      state: 'OH',
      postal: '45402',
      country: 'US',
    },
  ]);
  expect((await pair.audit('KR-10023')).map((entry) => entry.outcome)).toEqual(['created']);
  pair.writes();
  await pair.sync();
  await pair.pass(30);
  expect(pair.writes()).toEqual([]);
});

test('a change of balance is no change of the customer', async () => {
  const pair = await openMasters({ accounts: [northgate], flows: { invoices: 'off' } });
  await pair.sync();
  pair.writes();
  await pair.pass(10);
  await pair.zuora(invoice('KR-10023'));
  await pair.sync();
  expect(pair.writes()).toEqual([]);
  expect((await pair.audit('KR-10023')).map((entry) => entry.outcome)).toEqual(['created']);
});

test('a user’s edit stays while Zuora changes another field, and loses when Zuora changes the same one', async () => {
  const pair = await openMasters({ accounts: [northgate] });
  await pair.sync();
  const id = String((await pair.customer('KR-10023'))?.['id']);
  await pair.pass(10);
  await pair.acumatica({ action: 'edit-customer', id, fields: { MainContact: { Email: 'front-desk@northgate.example' } } });
  await pair.zuora({ action: 'update-contact', account: 'KR-10023', workPhone: '+1 937 555 0100' });
  await pair.sync();
  expect(await pair.customer('KR-10023')).toMatchObject({ phone: '+1 937 555 0100', email: 'front-desk@northgate.example' });
  await pair.pass(10);
  await pair.zuora({ action: 'update-contact', account: 'KR-10023', workEmail: 'billing@northgate.example' });
  await pair.sync();
  expect(await pair.customer('KR-10023')).toMatchObject({ email: 'billing@northgate.example' });
  const last = (await pair.audit('KR-10023')).at(-1);
  expect(last).toMatchObject({ outcome: 'updated', before: { 'a.email': 'front-desk@northgate.example' } });
  expect(last?.sentence).toContain('email was changed on both sides');
});

test('with conflict: hold nobody wins by itself, documents go on, and a person’s answer is carried out', async () => {
  const pair = await openMasters({ accounts: [northgate], settings: { customers: { conflict: 'hold' } } });
  await pair.sync();
  const id = String((await pair.customer('KR-10023'))?.['id']);
  await pair.pass(10);
  await pair.acumatica({ action: 'edit-customer', id, fields: { MainContact: { Email: 'front-desk@northgate.example' } } });
  await pair.zuora({ action: 'update-contact', account: 'KR-10023', workEmail: 'billing@northgate.example' });
  pair.writes();
  await pair.sync();
  expect(await pair.held()).toHaveLength(1);
  expect(pair.writes()).toEqual([]);
  await pair.zuora(invoice('KR-10023'));
  await pair.sync();
  expect(await pair.records('acumatica', 'invoices')).toMatchObject([{ reference: 'INV00000500', status: 'Open' }]);
  await pair.operate('decide', { flow: 'customers', record: 'KR-10023', decision: 'b-wins' });
  await pair.sync();
  expect(await pair.customer('KR-10023')).toMatchObject({ email: 'billing@northgate.example' });
  expect(await pair.held()).toEqual([]);
});

test('what Zuora empties is emptied, what it never had stays', async () => {
  const pair = await openMasters({ accounts: [northgate] });
  await pair.sync();
  const id = String((await pair.customer('KR-10023'))?.['id']);
  await pair.acumatica({ action: 'edit-customer', id, fields: { MainContact: { Phone1: '555-0101' } } });
  await pair.pass(10);
  await pair.zuora({ action: 'update-contact', account: 'KR-10023', workEmail: '' });
  await pair.sync();
  const customer = await pair.customer('KR-10023');
  expect(customer?.['email']).toBeUndefined();
  expect(customer?.['phone']).toBe('555-0101');
});

test('a move to another country takes the state along', async () => {
  const pair = await openMasters({ accounts: [northgate] });
  await pair.sync();
  await pair.pass(10);
  await pair.zuora({
    action: 'update-contact',
    account: 'KR-10023',
    country: 'Germany',
    state: 'Bayern',
    city: 'München',
    postalCode: '80331',
  });
  await pair.sync();
  const customer = await pair.customer('KR-10023');
  expect(customer).toMatchObject({ country: 'DE', city: 'München', postal: '80331' });
  expect(customer?.['state']).toBeUndefined();
});

test('a strong match is adopted: only what is empty is filled, and Acumatica stops applying by itself', async () => {
  const pair = await openMasters({
    accounts: [hollis],
    customers: [
      {
        id: 'C0000412',
        name: 'Hollis Freight, Inc.',
        class: 'SAAS',
        city: 'Dayton',
        postal: '45402',
        country: 'US',
        email: 'office@hollis.example',
        autoApplyPayments: true,
      },
      { id: 'C0000977', name: 'HOLLIS FREIGHT', class: 'SAAS', city: 'Toledo', postal: '43604', country: 'US' },
    ],
  });
  await pair.sync();
  expect(await pair.customers()).toHaveLength(2);
  expect(await pair.customer('KR-10031')).toMatchObject({
    id: 'C0000412',
    name: 'Hollis Freight, Inc.',
    email: 'office@hollis.example',
    state: 'OH',
    autoApplyPayments: false,
  });
  const outcomes = (await pair.audit('KR-10031')).map((entry) => entry.outcome);
  expect(outcomes).toEqual(['adopted', 'updated']);
  pair.writes();
  await pair.pass(30);
  expect(pair.writes()).toEqual([]);
});

test('two strong matches are held, the invoice waits, and the linked customer gets it', async () => {
  const twins = ['C0000412', 'C0000977'].map((id) => ({ id, name: 'Hollis Freight', class: 'SAAS', postal: '45402', country: 'US' }));
  const pair = await openMasters({ accounts: [hollis], customers: twins });
  await pair.zuora(invoice('KR-10031'));
  await pair.sync();
  expect(await pair.held()).toEqual(['KR-10031 Hollis Freight LLC: ambiguous-customer']);
  expect(await pair.waiting()).toEqual(['INV00000500: missing:customer KR-10031']);
  expect(await pair.customers()).toHaveLength(2);
  const b = (await pair.link('KR-10031'))?.origin.key;
  await pair.operate('link', { flow: 'customers', a: 'C0000977', b });
  await pair.sync();
  expect(await pair.customer('KR-10031')).toMatchObject({ id: 'C0000977' });
  expect(await pair.records('acumatica', 'invoices')).toMatchObject([{ reference: 'INV00000500', customer: 'C0000977', status: 'Open' }]);
  expect(await pair.held()).toEqual([]);
});

test('a like name alone is a question: create makes a new customer', async () => {
  const pair = await openMasters({
    accounts: [hollis],
    customers: [{ id: 'C0000977', name: 'HOLLIS FREIGHT', class: 'SAAS', postal: '43604', country: 'US' }],
  });
  await pair.sync();
  expect(await pair.held()).toEqual(['KR-10031 Hollis Freight LLC: possible-duplicate']);
  await pair.operate('decide', { flow: 'customers', record: 'KR-10031', decision: 'create' });
  await pair.sync();
  expect(await pair.customers()).toHaveLength(2);
  expect((await pair.customer('KR-10031'))?.['id']).not.toBe('C0000977');
});

test('with names off a like name is no question', async () => {
  const pair = await openMasters({
    accounts: [hollis],
    customers: [{ id: 'C0000977', name: 'HOLLIS FREIGHT', class: 'SAAS', postal: '45402', country: 'US' }],
    settings: { customers: { match: 'off' } },
  });
  await pair.sync();
  expect(await pair.held()).toEqual([]);
  expect(await pair.customers()).toHaveLength(2);
});

test('a customer that carries the account number is adopted, in another currency held', async () => {
  const own = { id: 'C0000100', name: 'Dental partners', class: 'SAAS', country: 'US', accountRef: 'KR-10023' };
  const same = await openMasters({ accounts: [northgate], customers: [own] });
  await same.sync();
  expect(await same.customer('KR-10023')).toMatchObject({ id: 'C0000100', name: 'Dental partners', email: 'ada@northgate.example' });
  const other = await openMasters({ accounts: [northgate], customers: [{ ...own, class: 'SAASEU', currency: 'EUR' }] });
  await other.sync();
  expect(await other.held()).toEqual(['KR-10023 Northgate Dental Group: currency']);
  expect(await other.customers()).toHaveLength(1);
});

test('two customers with one account number are a person’s business', async () => {
  const twins = ['C0000100', 'C0000101'].map((id) => ({
    id,
    name: `Northgate ${id}`,
    class: 'SAAS',
    country: 'US',
    accountRef: 'KR-10023',
  }));
  const pair = await openMasters({ accounts: [northgate], customers: twins });
  await pair.sync();
  expect((await pair.held())[0]).toContain('several-marked');
  expect(await pair.customers()).toHaveLength(2);
});

test('the CustomerID written into the account counts before any likeness', async () => {
  const pair = await openMasters({
    accounts: [{ ...hollis, custom: { ErpCustomer__c: 'C0000977' } }],
    customers: [
      { id: 'C0000412', name: 'Hollis Freight', class: 'SAAS', postal: '45402', country: 'US' },
      { id: 'C0000977', name: 'Something else', class: 'SAAS', country: 'US' },
    ],
    settings: { customers: { matchField: 'ErpCustomer__c' } },
  });
  await pair.sync();
  expect(await pair.customer('KR-10031')).toMatchObject({ id: 'C0000977' });
});

test('a customer that is linked with another account never matches', async () => {
  const customers = [{ id: 'C0000412', name: 'Hollis Freight', class: 'SAAS', postal: '45402', country: 'US' }];
  const pair = await openMasters({ accounts: [hollis], customers });
  await pair.sync();
  await pair.acumatica({ action: 'edit-customer', id: 'C0000412', fields: { AccountRef: null } });
  await pair.zuora({ action: 'create-account', ...hollis, number: 'KR-10044' });
  await pair.pass(20);
  expect(await pair.customer('KR-10044')).toBeDefined();
  expect(await pair.customers()).toHaveLength(2);
});

test('a renumbered account keeps its customer, and a renumbered customer its account', async () => {
  const pair = await openMasters({ accounts: [northgate] });
  await pair.sync();
  const id = String((await pair.customer('KR-10023'))?.['id']);
  await pair.pass(10);
  await pair.zuora({ action: 'update-account', number: 'KR-10023', accountNumber: 'KR-90023' });
  await pair.sync();
  expect(await pair.customer('KR-90023')).toMatchObject({ id });
  await pair.acumatica({ action: 'change-customer-id', id, newId: 'NORTHGATE' });
  await pair.pass(10);
  await pair.zuora({ action: 'update-account', number: 'KR-90023', name: 'Northgate Dental' });
  await pair.sync();
  expect(await pair.customers()).toMatchObject([{ id: 'NORTHGATE', accountRef: 'KR-90023', name: 'Northgate Dental' }]);
  expect(await pair.held()).toEqual([]);
  expect((await pair.link('KR-90023'))?.keys.a).toBe('NORTHGATE');
});

test('a deleted customer is not made again without a word', async () => {
  const pair = await openMasters({ accounts: [northgate] });
  await pair.sync();
  const id = String((await pair.customer('KR-10023'))?.['id']);
  await pair.acumatica({ action: 'delete-customer', id });
  await pair.pass(10);
  await pair.zuora({ action: 'update-account', number: 'KR-10023', name: 'Northgate Dental' });
  await pair.sync();
  expect((await pair.held())[0]).toContain('counterpart-gone');
  await pair.operate('decide', { flow: 'customers', record: 'KR-10023', decision: 'recreate' });
  await pair.sync();
  expect(await pair.customers()).toMatchObject([{ accountRef: 'KR-10023', name: 'Northgate Dental' }]);
});

test('a child gets the top-most parent, which comes first', async () => {
  const pair = await openMasters({
    accounts: [
      { ...northgate, number: 'KR-3', name: 'Practice', parent: 'KR-2' },
      { ...northgate, number: 'KR-2', name: 'Region', parent: 'KR-1' },
      { ...northgate, number: 'KR-1', name: 'Group' },
    ].reverse(),
    settings: { hierarchy: 'parent' },
    preferences: { parentChild: true },
    zuora: { features: { customerHierarchy: true } },
  });
  await pair.sync();
  await pair.pass(5);
  const group = (await pair.customer('KR-1'))?.['id'];
  expect(await pair.customer('KR-2')).toMatchObject({ parent: group });
  expect(await pair.customer('KR-3')).toMatchObject({ parent: group });
  expect(await pair.held()).toEqual([]);
});

test('a change at the top of the hierarchy reaches the accounts below', async () => {
  const pair = await openMasters({
    accounts: [
      { ...northgate, number: 'KR-1', name: 'Group' },
      { ...northgate, number: 'KR-2', name: 'Region', parent: 'KR-1' },
      { ...northgate, number: 'KR-9', name: 'Holding' },
    ],
    settings: { hierarchy: 'parent' },
    preferences: { parentChild: true },
    zuora: { features: { customerHierarchy: true } },
  });
  await pair.sync();
  await pair.pass(10);
  await pair.zuora({ action: 'create-account', ...northgate, number: 'KR-3', name: 'Practice', parent: 'KR-2' });
  await pair.sync();
  await pair.pass(10);
  expect(await pair.customer('KR-3')).toMatchObject({ parent: (await pair.customer('KR-1'))?.['id'] });
  await pair.zuora({ action: 'update-account', number: 'KR-2', parent: 'KR-9' });
  await pair.sync();
  const holding = (await pair.customer('KR-9'))?.['id'];
  expect(await pair.customer('KR-2')).toMatchObject({ parent: holding });
  expect(await pair.customer('KR-3')).toMatchObject({ parent: holding });
});

test('an account of an excluded batch and its documents stay out', async () => {
  const pair = await openMasters({
    accounts: [{ ...northgate, batch: 'Batch7' }],
    settings: { customers: { excludeBatches: ['Batch7'] } },
  });
  await pair.zuora(invoice('KR-10023'));
  await pair.sync();
  expect(await pair.customers()).toEqual([]);
  expect((await pair.audit('KR-10023')).map((entry) => entry.reason)).toEqual(['excluded-batch']);
  expect((await pair.audit('INV')).map((entry) => entry.reason)).toEqual(['excluded-batch']);
});

test('on-demand creates a customer when its first document comes, never makes none', async () => {
  const demand = await openMasters({ accounts: [northgate, hollis], settings: { customers: { create: 'on-demand' } } });
  await demand.sync();
  expect(await demand.customers()).toEqual([]);
  await demand.zuora(invoice('KR-10031'));
  await demand.sync();
  expect(await demand.customers()).toMatchObject([{ accountRef: 'KR-10031' }]);
  expect(await demand.records('acumatica', 'invoices')).toMatchObject([{ reference: 'INV00000500', status: 'Open' }]);
  const never = await openMasters({ accounts: [northgate], settings: { customers: { create: 'never' } } });
  await never.zuora(invoice('KR-10023'));
  await never.sync();
  expect(await never.held()).toEqual(['KR-10023 Northgate Dental Group: no-customer:KR-10023']);
  expect(await never.waiting()).toHaveLength(1);
});

test('a draft account stays out until a document asks for it', async () => {
  const pair = await openMasters({ accounts: [] });
  await pair.sync();
  await pair.pass(5);
  await pair.zuora({ action: 'create-account', ...northgate, status: 'Draft' });
  await pair.sync();
  expect((await pair.audit('KR-10023')).map((entry) => entry.reason)).toEqual(['status:Draft']);
  await pair.zuora(invoice('KR-10023'));
  await pair.sync();
  expect(await pair.customer('KR-10023')).toBeDefined();
});

test('a canceled account makes its customer inactive only when asked to, and only when nothing is open', async () => {
  const pair = await openMasters({ accounts: [northgate, hollis], settings: { customers: { onCanceled: 'inactivate' } } });
  await pair.zuora(invoice('KR-10031'));
  await pair.sync();
  await pair.pass(10);
  await pair.zuora(
    { action: 'update-account', number: 'KR-10023', status: 'Canceled' },
    { action: 'update-account', number: 'KR-10031', status: 'Canceled' },
  );
  await pair.sync();
  expect(await pair.customer('KR-10023')).toMatchObject({ status: 'Inactive' });
  expect(await pair.customer('KR-10031')).toMatchObject({ status: 'Active' });
  const keep = await openMasters({ accounts: [northgate] });
  await keep.sync();
  await keep.pass(10);
  await keep.zuora({ action: 'update-account', number: 'KR-10023', status: 'Canceled' });
  await keep.sync();
  expect(await keep.customer('KR-10023')).toMatchObject({ status: 'Active' });
});

test('account numbers as customer numbers: one that is taken is not touched', async () => {
  const settings = { customers: { id: 'account-number', match: 'off' } };
  const numbering = { Customer: { mode: 'manual' } };
  const free = await openMasters({ accounts: [{ ...northgate, number: 'kr-1' }], settings, numbering });
  await free.sync();
  expect(await free.customers()).toMatchObject([{ id: 'KR-1', accountRef: 'kr-1' }]);
  const taken = await openMasters({
    accounts: [northgate],
    customers: [{ id: 'KR-10023', name: 'Somebody', class: 'SAAS', country: 'US' }],
    settings,
    numbering,
  });
  await taken.sync();
  expect(await taken.held()).toEqual(['KR-10023 Northgate Dental Group: customer-id:KR-10023']);
  expect(await taken.customers()).toMatchObject([{ name: 'Somebody' }]);
});

test('an unknown country is held with its text, a mapped term fills in, remarks reach the audit', async () => {
  const pair = await openMasters({
    accounts: [
      {
        ...northgate,
        paymentTerm: 'Due Upon Receipt',
        billTo: { ...northgate.billTo, workEmail: 'not an address', workPhone: '1'.repeat(60) },
      },
      { ...hollis, billTo: {} },
    ],
  });
  await pair.sync();
  expect(await pair.held()).toEqual(['KR-10031 Hollis Freight LLC: country:(none)']);
  const [made] = await pair.audit('KR-10023');
  expect(made?.sentence).toContain("payment term 'Due Upon Receipt' is not mapped");
  expect(made?.sentence).toContain('e-mail address is not valid');
  expect((await pair.customer('KR-10023'))?.['email']).toBeUndefined();
});

test('the tax number comes from the v1 account where asked', async () => {
  const pair = await openMasters({ accounts: [{ ...northgate, vatId: 'DE123456789' }], settings: { customers: { taxId: 'v1' } } });
  await pair.sync();
  expect(await pair.customer('KR-10023')).toMatchObject({ taxId: 'DE123456789' });
});

test('a creation whose answer is lost is looked for before it is tried again', async () => {
  const late = await openMasters({ accounts: [northgate] });
  await late.acumatica({ action: 'set-queue-hold', operation: 'PUT /Customer', minutes: 3 });
  await late.sync();
  await late.pass(30);
  expect(await late.customers()).toHaveLength(1);
  expect((await late.link('KR-10023'))?.state).toBe('synced');
  expect((await late.audit('KR-10023')).filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
});

test.each([
  ['acumatica PUT *', 'before'],
  ['acumatica PUT *', 'after'],
  ['links.save', 'before'],
  ['links.save', 'after'],
  ['links.commit', 'before'],
  ['links.commit', 'after'],
] as const)('a worker that dies at %s, %s, leaves one customer', async (effect, when) => {
  const pair = await openMasters({ accounts: [northgate] });
  pair.world.crashes.add({ effect, when });
  await pair.sync();
  await pair.pass(120);
  expect(pair.world.crashes.struck).toBe(1);
  expect(await pair.customers()).toHaveLength(1);
  expect((await pair.link('KR-10023'))?.state).toBe('synced');
});
