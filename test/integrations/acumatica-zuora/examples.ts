import type { Books } from '../../../lib/integrations/acumatica-zuora/books.ts';
import type { ArDocument, DocumentLine } from '../../../lib/integrations/acumatica-zuora/canonical.ts';
import type { CustomerCard } from '../../../lib/integrations/acumatica-zuora/customer-card.ts';
import { type Settings, settingsSchema } from '../../../lib/integrations/acumatica-zuora/settings.ts';

/** Small true-to-life values for the table tests. */

export const settingsWith = (more: Readonly<Record<string, unknown>> = {}): Settings =>
  settingsSchema.parse({
    startFrom: '2026-02-01',
    branch: 'MAIN',
    customers: { class: { default: 'SAAS' } },
    tax: { exemptCategory: 'EXEMPT' },
    methods: [
      { methodType: 'CreditCard', currency: 'USD', paymentMethod: 'ZCARD', cashAccount: '10200' },
      { currency: 'USD', paymentMethod: 'ZWIRE', cashAccount: '10200' },
    ],
    ...more,
  });

const account = (number: string, more: Readonly<Record<string, unknown>> = {}) =>
  [number, { number, active: true, cash: false, ...more }] as const;
const month = (id: string, end: string, openForAr = true) => ({
  id,
  start: `${id.slice(0, 4)}-${id.slice(4)}-01`,
  end,
  openForAr,
  openForGl: openForAr,
});

export const books: Books = {
  codes: [
    { id: 'c1', name: 'Subscription Revenue', active: true, glNumber: '40000' },
    { id: 'c2', name: 'Discounts', active: true, glNumber: '40900' },
    { id: 'c3', name: 'Deferred Revenue', active: true, glNumber: '24000' },
    { id: 'c4', name: 'Sales Tax Payable', active: true, glNumber: '23000' },
    { id: 'c5', name: 'EU Usage', active: true },
    { id: 'c6', name: 'Bank', active: true, glNumber: '10200' },
    { id: 'c7', name: 'Receivables', active: true, glNumber: '11000' },
    { id: 'c8', name: 'Old Revenue', active: true, glNumber: '49999' },
    { id: 'c9', name: 'Euro Revenue', active: true, glNumber: '40200' },
    { id: 'c10', name: 'Nowhere', active: true, glNumber: '70000' },
  ],
  accounts: new Map([
    account('40000'),
    account('40100'),
    account('40900'),
    account('24000'),
    account('23000'),
    account('66000'),
    account('40990'),
    account('10200', { cash: true }),
    account('11000'),
    account('11090'),
    account('49999', { active: false }),
    account('40200', { currency: 'EUR' }),
  ]),
  arAccounts: new Set(['11000']),
  subaccounts: undefined,
  currencies: new Map([
    ['USD', { active: true, decimals: 2 }],
    ['EUR', { active: true, decimals: 2 }],
    ['JPY', { active: true, decimals: 0 }],
    ['CHF', { active: false, decimals: 2 }],
  ]),
  methods: new Map([
    ['ZCARD', { useInAr: true, cashAccounts: ['10200'] }],
    ['ZWIRE', { useInAr: true, cashAccounts: ['10200'] }],
    ['NOAR', { useInAr: false, cashAccounts: ['10200'] }],
  ]),
  periods: [
    month('202601', '2026-01-31', false),
    month('202602', '2026-02-28', false),
    month('202603', '2026-03-31'),
    month('202604', '2026-04-30'),
  ],
  baseCurrency: 'USD',
};

export const northgate: CustomerCard = { id: 'C0000001', currency: 'USD', status: 'Active' };

export const line = (more: Partial<DocumentLine> = {}): DocumentLine => ({
  key: 'i1',
  text: 'Pro plan',
  from: '2026-03-02',
  to: '2026-04-01',
  qty: '25',
  uom: 'Each',
  price: '49.00',
  net: '1225.00',
  tax: '109.88',
  recognisedCode: 'Subscription Revenue',
  deferredCode: 'Deferred Revenue',
  ...more,
});

/** An invoice of 1,225.00 and 109.88 of tax. */
export const document = (more: Partial<ArDocument> = {}): ArDocument => ({
  object: 'invoice',
  id: '8ad0',
  number: 'INV00000417',
  accountId: '8ada',
  accountNumber: 'KR-10023',
  status: 'Posted',
  reversed: false,
  date: '2026-03-02',
  dueDate: '2026-04-01',
  terms: 'Net 30',
  currency: 'USD',
  total: '1334.88',
  tax: '109.88',
  balance: '1334.88',
  updatedAt: '2026-03-02T04:15:09-08:00',
  lines: [line()],
  taxes: [{ lineKey: 'i1', name: 'Ohio', code: 'Sales Tax Payable', taxable: '1225.00', amount: '109.88' }],
  ...more,
});

/** A document of these net amounts without tax. */
export const netDocument = (nets: readonly string[], total: string, more: Partial<ArDocument> = {}): ArDocument =>
  document({
    total,
    taxes: [],
    lines: nets.map((net, index) => ({ key: `i${index}`, text: `Item ${index}`, net, tax: '0', recognisedCode: 'Subscription Revenue' })),
    ...more,
  });

/** The cause a Failure was thrown with. */
export function causeOf(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    return (thrown as { record?: { cause?: string } }).record?.cause ?? String(thrown);
  }
  return 'nothing was thrown';
}
