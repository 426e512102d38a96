import { addDays, type CalendarDate } from '../../lib/values/calendar-date.ts';
import { add, type Decimal } from '../../lib/values/decimal.ts';
import type { Company } from '../company.ts';
import { kestrel } from './kestrel.ts';
import { type MonthAccount, monthAccounts } from './kestrel-accounts.ts';
import { type Bill, billRun, creditFor, type PaymentInput, paymentFor, usageBill } from './kestrel-bills.ts';

/** Something that happens in a system while the connector runs. */
export interface Happening {
  readonly system: string;
  readonly action: Readonly<Record<string, unknown>>;
}

/** A company with a story: what is there when the rehearsal opens, what happens then, and what is held on purpose. */
export interface CompanyInAction extends Company {
  readonly story: readonly Happening[];
  /** Beginning of the cause, by the record that is held; records that need a held one wait for it. */
  readonly heldOnPurpose: Readonly<Record<string, string>>;
  /** Commands of the CLI worth trying once everything has come to rest. */
  readonly tries: readonly { readonly command: string; readonly why: string }[];
}

/** The months of the story, counted back from today, so that no calendar in the simulators ends before it does. */
function monthsBefore(today: CalendarDate) {
  const start = (back: number): CalendarDate => {
    let first = `${today.slice(0, 8)}01`;
    for (let month = 0; month < back; month += 1) first = `${addDays(first, -1).slice(0, 8)}01`;
    return first;
  };
  const on = (back: number, day: number): CalendarDate => addDays(start(back), day - 1);
  return { start, on };
}

/** `2026-09-01` → `092026`, as Acumatica names periods. */
const periodOf = (date: CalendarDate): string => `${date.slice(5, 7)}${date.slice(0, 4)}`;

/** Their usage of the second month is billed on an accounting code that nobody has mapped yet. */
const withoutMapping = ['KR-20024', 'KR-20029', 'KR-20040'];
const marlow = 'KR-30026';

/**
 * Kestrel Software over two months: a bill run each, the payments that followed, credits, refunds, a chargeback. The first month is history when the
 * rehearsal opens and is found by a poll; the second is billed while everything runs and announced by webhooks.
 */
export function kestrelMonth(today: CalendarDate): CompanyInAction {
  const { start, on } = monthsBefore(today);
  const closed = start(3);
  const first = billRun(on(2, 1), 501, () => 'Usage Revenue');
  const second = billRun(on(1, 1), 561, ({ number }) => (withoutMapping.includes(number) ? 'EU Usage' : 'Usage Revenue'));
  const money = settlements({ first, second, on });
  const accountNamed = (number: string): MonthAccount => {
    const account = monthAccounts.find((each) => each.number === number);
    if (!account) throw new Error(`there is no account ${number}`);
    return account;
  };
  const inClosedPeriod = usageBill(accountNamed('KR-10095'), 'INV00000499', on(3, 24), {
    calls: 140,
    gigabytes: 300,
    code: 'Usage Revenue',
  });
  const beforeStart = ['KR-10070', 'KR-10148'].map((number, index) =>
    usageBill(accountNamed(number), `INV0000048${index}`, on(4, 12), { calls: 90, gigabytes: 120, code: 'Usage Revenue' }),
  );
  const unmapped = second.filter((bill) => withoutMapping.includes(bill.account.number) && isUsage(bill));
  const { acumatica, zuora } = kestrel.systems;
  if (!acumatica || !zuora) throw new Error('Kestrel lost a system');

  return {
    ...kestrel,
    name: 'kestrel-month',
    about: 'Kestrel Software over two months: 40 billing accounts in USD, EUR and GBP, their bill runs, payments, credits and refunds.',
    systems: {
      acumatica: { ...acumatica, seed: books(today, periodOf(closed)) },
      zuora: {
        ...zuora,
        // The connector registers its webhooks itself.
        acts: [],
        seed: {
          ...(zuora.seed as object),
          accounts: monthAccounts.map(accountInput),
          invoices: [...beforeStart, inClosedPeriod, ...first].map((bill) => bill.input),
          creditMemos: money.credits.map((credit) => credit.input),
          payments: money.firstPayments,
          refunds: money.refunds,
        },
      },
    },
    story: [
      { action: 'bill-run', number: 'BR-00000027', invoices: second.map((bill) => bill.input) },
      { action: 'payment-run', payments: money.secondCards },
      ...money.secondWires.map((payment) => ({ action: 'create-payment', ...payment })),
      { action: 'chargeback', number: 'R-00000023', payment: money.chargedBack, date: on(1, 27) },
    ].map((action) => ({ system: 'zuora', action })),
    heldOnPurpose: {
      ...Object.fromEntries(unmapped.map((bill) => [bill.number, 'account-map:EU Usage'])),
      [inClosedPeriod.number]: 'period:',
      [marlow]: 'possible-duplicate',
    },
    tries: [
      { command: `explain ${unmapped[0]?.number ?? ''}`, why: 'the whole story of an invoice that is held' },
      { command: 'holds', why: 'everything that needs a person, grouped by cause' },
      { command: 'map accountMap "code=EU Usage" account=40100', why: 'the missing mapping: its invoices are posted by themselves' },
      { command: `replay ${inClosedPeriod.number}`, why: 'another look at a document, for example after its period was reopened' },
    ],
    configuration: (origins) => configuration(origins, closed),
  };
}

const isUsage = (bill: Bill): boolean => JSON.stringify(bill.input['items']).includes('API calls');

function accountInput(account: MonthAccount) {
  const [firstName = '', ...lastName] = account.contact.split(' ');
  return {
    ...{ number: account.number, name: account.name, currency: account.currency, paymentTerm: 'Net 30', autoPay: account.pays === 'card' },
    billTo: {
      ...{ firstName, lastName: lastName.join(' '), workEmail: account.email },
      ...{ address1: account.line1, city: account.city, postalCode: account.postal, country: account.country },
      ...(account.state === '-' ? {} : { state: account.state }),
    },
  };
}

/** What followed the bill runs. */
function settlements({
  first,
  second,
  on,
}: {
  readonly first: readonly Bill[];
  readonly second: readonly Bill[];
  readonly on: (back: number, day: number) => CalendarDate;
}) {
  let nextPayment = 301;
  const number = (): string => `P-${String(nextPayment++).padStart(8, '0')}`;
  const of = (run: readonly Bill[], account: string): readonly Bill[] => run.filter((bill) => bill.account.number === account);
  const only = (run: readonly Bill[], account: string): Bill => {
    const [bill] = of(run, account);
    if (!bill) throw new Error(`${account} has no invoice`);
    return bill;
  };
  const paying = (way: MonthAccount['pays']) => monthAccounts.filter((account) => account.pays === way).map((account) => account.number);

  /** Cards pay everything of an account at once, subscription and usage together. */
  const cards = (run: readonly Bill[], date: CalendarDate): PaymentInput[] =>
    paying('card').map((account) => paymentFor(of(run, account), { number: number(), date }));
  /** Wires come per invoice; the last one of a run pays 500.00 too much. */
  const wires = (run: readonly Bill[], accounts: readonly string[], back: number, overpaid: Decimal): PaymentInput[] => {
    const bills = accounts.flatMap((account) => of(run, account));
    return bills.map((bill, index) => {
      const surplus = index === bills.length - 1 ? overpaid : '0';
      return paymentFor([bill], { number: number(), date: on(back, 8 + (index % 18)), amount: add(bill.total, surplus) });
    });
  };
  const partial = (account: string, amount: Decimal, day: number): PaymentInput =>
    paymentFor([only(first, account)], { number: number(), date: on(2, day), amount });

  const firstCards = cards(first, on(2, 2));
  const firstWires = wires(first, paying('wire'), 2, '500.00');
  const partials = [partial('KR-10070', '150.00', 19), partial('KR-20024', '300.00', 22), partial('KR-30038', '100.00', 25)];
  const secondCards = cards(second, on(1, 2));
  const secondWires = wires(second, paying('wire').slice(0, 4), 1, '0');

  const credit = (account: string, index: number, net: Decimal, more: { readonly reason?: string; readonly applied?: Decimal | 'all' }) =>
    creditFor(only(first, account), {
      ...{ number: `CM${String(60 + index).padStart(8, '0')}`, date: on(2, 26), net, reason: 'Standard credit' },
      ...more,
    });
  const credits = [
    credit('KR-10070', 1, '60.00', { applied: 'all' }),
    credit('KR-10148', 2, '45.00', { applied: 'all' }),
    credit('KR-20024', 3, '120.00', { applied: '80.00' }),
    credit('KR-20029', 4, '200.00', { applied: '150.00', reason: 'Correcting invoice error' }),
    credit('KR-20040', 5, '600.00', { applied: 'all', reason: 'Correcting invoice error' }),
    credit('KR-30038', 6, '35.00', { applied: '20.00' }),
    credit('KR-10044', 7, '250.00', {}),
    credit('KR-30009', 8, '90.00', {}),
    credit('KR-20007', 9, '75.00', { reason: 'Customer satisfaction' }),
    // Nobody believes in this invoice any more: all of it is written off.
    credit('KR-10095', 10, '174.00', { reason: 'Write-off', applied: 'all' }),
  ];
  const overpaid = firstWires.at(-1);
  const refunded = credits[7];
  const chargedBack = firstCards.find((payment) => payment.account === 'KR-10052');
  if (!overpaid || !refunded || !chargedBack) throw new Error('the story lost a document');
  return {
    ...{ firstPayments: [...firstCards, ...firstWires, ...partials], secondCards, secondWires, credits },
    refunds: [
      { number: 'R-00000021', payment: overpaid.number, amount: '500.00', date: on(2, 28), methodType: 'WireTransfer' },
      {
        number: 'R-00000022',
        creditMemo: String(refunded.input['number']),
        amount: refunded.total,
        date: on(2, 28),
        methodType: 'WireTransfer',
      },
    ],
    chargedBack: chargedBack.number,
  };
}

/** What Acumatica needs beyond the standard company: pounds, open periods around today, and customers somebody entered long ago. */
function books(today: CalendarDate, closedPeriod: string) {
  const { start } = monthsBefore(addDays(`${today.slice(0, 8)}28`, 370));
  const months = Array.from({ length: 26 }, (_, back) => periodOf(start(back)));
  const cashAccounts = [{ account: '10200', default: true }, { account: '10210' }, { account: '10220' }];
  return {
    // Releases of a company this small end within the request that starts them; the long ones are rehearsed by scenarios.
    company: { preferences: { actionAnswer: 'done-at-once' } },
    accounts: [{ code: '10220', description: 'Clearing account GBP', cash: true, currency: 'GBP' }],
    paymentMethods: [
      { id: 'ZCARD', description: 'Cards, collected elsewhere', cashAccounts },
      { id: 'ZWIRE', description: 'Wires', means: 'Direct Deposit', cashAccounts },
    ],
    customerClasses: [
      { id: 'SAASUK', description: 'British software customers', currency: 'GBP', terms: '30D', arAccount: '11000', salesAccount: '40000' },
    ],
    rates: [
      { currency: 'EUR', from: start(25), rate: '1.08' },
      { currency: 'GBP', from: start(25), rate: '1.27' },
    ],
    periods: months.map((period) => ({ period, closedInAR: period === closedPeriod })),
    customers: [
      // Known by the number of its billing account, and known by name and e-mail: both are taken over.
      {
        name: 'Hollis Freight LLC',
        accountRef: 'KR-10031',
        class: 'SAAS',
        terms: '30D',
        country: 'US',
        city: 'Dayton',
        state: 'OH',
        postal: '45402',
      },
      {
        ...{ name: 'Tornow Messtechnik GmbH', class: 'SAASEU', currency: 'EUR', terms: '30D', email: 'buchhaltung@tornow.example' },
        ...{ line1: 'Hafenstr. 8', city: 'Kiel', postal: '24103', country: 'DE' },
      },
      // The same name and nothing else in common: somebody has to say whether it is the same company.
      {
        name: 'Marlow & Finch Limited',
        class: 'SAASUK',
        currency: 'GBP',
        email: 'office@mfl.example',
        city: 'Norwich',
        postal: 'NR1 3DY',
        country: 'GB',
      },
    ],
  };
}

function configuration(origins: Readonly<Record<string, string>>, startFrom: CalendarDate): Record<string, unknown> {
  const written = kestrel.configuration(origins) as {
    readonly connections: { readonly erp: { readonly settings: object }; readonly billing: object };
    readonly integrations: { readonly 'acumatica-zuora': { readonly settings: { readonly customers: object } } };
  };
  const { erp, billing } = written.connections;
  const pair = written.integrations['acumatica-zuora'];
  const inCurrency = (currency: string, cashAccount: string) => [
    { currency, methodType: 'CreditCard', paymentMethod: 'ZCARD', cashAccount },
    { currency, paymentMethod: 'ZWIRE', cashAccount },
  ];
  return {
    ...written,
    connections: {
      // The simulator's licence sets no limit. A real tenant gets half of what its licence allows, 45 unless configured otherwise.
      erp: { ...erp, settings: { ...erp.settings, requestsPerMinute: 6000 } },
      billing,
    },
    integrations: {
      'acumatica-zuora': {
        ...pair,
        settings: {
          ...pair.settings,
          startFrom,
          customers: { ...pair.settings.customers, class: { default: 'SAAS', byCurrency: { EUR: 'SAASEU', GBP: 'SAASUK' } } },
          methods: [...inCurrency('USD', '10200'), ...inCurrency('EUR', '10210'), ...inCurrency('GBP', '10220')],
        },
      },
    },
  };
}
