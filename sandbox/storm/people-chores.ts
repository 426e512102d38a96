import type { Chore, Office } from './office.ts';

const towns = [
  { city: 'Dayton', state: 'Ohio', postalCode: '45402', country: 'United States' },
  { city: 'Portland', state: 'Oregon', postalCode: '97209', country: 'United States' },
  { city: 'Kiel', state: '', postalCode: '24103', country: 'Germany' },
  { city: 'Nantes', state: '', postalCode: '44000', country: 'France' },
] as const;

/** Customers and the people who edit them on both sides, and what bookkeeping does in the ERP meanwhile. */
export function peopleChores(office: Office): readonly Chore[] {
  const { draws, books, hands, customer } = office;
  const { zuora, acumatica } = hands;
  const word = (): string => draws.oneOf('Alder', 'Birch', 'Cedar', 'Dogwood', 'Elm', 'Fir', 'Ginkgo', 'Hazel', 'Été', 'Jürgens');
  const town = () => draws.pick(towns) ?? towns[0];
  const everything = ['customers', 'invoices', 'credit-memos', 'payments', 'applications', 'refunds', 'journals'];

  async function newAccount(): Promise<boolean> {
    const number = books.number('KR-');
    const currency = draws.oneOf('USD', 'USD', 'USD', 'EUR');
    const name = `${word()} ${word()} ${number.slice(-4)} ${draws.oneOf('Inc.', 'LLC', 'GmbH', 'Group')}`;
    const billTo = { firstName: word(), lastName: 'Doe', address1: `${draws.between(1, 99)} Mill Rd`, ...town() };
    const made = await zuora({
      ...{ action: 'create-account', number, name, currency },
      paymentTerm: draws.oneOf('Net 30', 'Net 15', 'Due Upon Receipt'),
      billTo: { ...billTo, workEmail: `ap${number}@customer.example`.toLowerCase() },
    });
    if (made === undefined) return false;
    books.customers.push({ number, currency, canceled: false });
    return true;
  }

  /** The customer of an account, if the connector made one already. */
  const counterpart = (): string | undefined => {
    const account = customer();
    const found = hands.records('acumatica', 'customers').find((row) => row['accountRef'] === account?.number);
    return typeof found?.['id'] === 'string' ? found['id'] : undefined;
  };

  return [
    { weight: 5, flows: everything, act: newAccount },
    {
      weight: 5,
      flows: ['customers'],
      async act() {
        const account = customer();
        if (!account) return false;
        const change = draws.oneOf<Record<string, unknown>>(
          { name: `${word()} ${word()} ${account.number.slice(-4)}` },
          { paymentTerm: draws.oneOf('Net 30', 'Net 45', 'Net 60') },
          { notes: 'seen' },
        );
        return (await zuora({ action: 'update-account', number: account.number, ...change })) !== undefined;
      },
    },
    {
      weight: 5,
      flows: ['customers'],
      async act() {
        const account = customer();
        if (!account) return false;
        const change = draws.oneOf<Record<string, unknown>>(
          { workEmail: `new${draws.between(1, 999)}@customer.example` },
          { workPhone: `+1 555 ${draws.between(1000, 9999)}` },
          { ...town(), address1: `${draws.between(1, 99)} ${word()} St` },
          { workPhone: '' },
        );
        return (await zuora({ action: 'update-contact', account: account.number, ...change })) !== undefined;
      },
    },
    {
      weight: 0.4,
      flows: ['customers'],
      async act() {
        const account = customer();
        const accountNumber = books.number('KN-');
        if (!account || (await zuora({ action: 'update-account', number: account.number, accountNumber })) === undefined) return false;
        for (const one of [...books.owed, ...books.money])
          if (one.account === account.number) Object.assign(one, { account: accountNumber });
        account.number = accountNumber;
        return true;
      },
    },
    {
      weight: 0.5,
      flows: ['customers'],
      async act() {
        const account = customer();
        if (!account || books.customers.length < 6) return false;
        if ((await zuora({ action: 'update-account', number: account.number, status: 'Canceled' })) === undefined) return false;
        account.canceled = true;
        return true;
      },
    },
    {
      weight: 4,
      flows: ['customers'],
      async act() {
        const id = counterpart();
        if (id === undefined) return false;
        if (draws.chance(0.2))
          return (await acumatica({ action: 'rename-customer', id, name: `${word()} renamed ${id.slice(-3)}` })) !== undefined;
        const fields = draws.oneOf<Record<string, unknown>>(
          { MainContact: { Email: `user${draws.between(1, 999)}@erp.example` } },
          { MainContact: { Phone1: `+49 ${draws.between(1000, 9999)}` } },
          { MainContact: { Address: { AddressLine2: `Suite ${draws.between(1, 99)}` } } },
        );
        return (await acumatica({ action: 'edit-customer', id, fields })) !== undefined;
      },
    },
    {
      weight: 0.4,
      flows: ['customers', 'invoices', 'payments'],
      async act() {
        const id = counterpart();
        return (
          id !== undefined &&
          (await acumatica({ action: 'change-customer-id', id, newId: `N${draws.between(100000, 999999)}` })) !== undefined
        );
      },
    },
    {
      weight: 0.7,
      flows: everything,
      async act() {
        const period = draws.oneOf('022026', '032026');
        await acumatica({ action: draws.oneOf('close-period', 'open-period', 'open-period'), period });
        return true;
      },
    },
    {
      weight: 0.5,
      flows: ['invoices', 'credit-memos'],
      act: async () =>
        (await acumatica({ action: 'set-account', code: draws.oneOf('40000', '40100', '23000'), active: draws.chance(0.7) })) !== undefined,
    },
    {
      weight: 0.5,
      flows: everything,
      async act() {
        const id = counterpart();
        if (id === undefined) return false;
        const manual = {
          action: 'create-manual-document',
          type: 'Invoice',
          customer: id,
          date: hands.today(),
          amount: office.cents(5, 50),
        };
        return (await acumatica(manual)) !== undefined;
      },
    },
  ];
}
