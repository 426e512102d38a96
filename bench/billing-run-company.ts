import { kestrel } from '../sandbox/companies/kestrel.ts';
import type { Company, CompanySystem } from '../sandbox/company.ts';

/** How many records of each kind a billing run has; everything follows from the number of invoices. */
export interface RunSize {
  readonly accounts: number;
  readonly invoices: number;
  readonly payments: number;
  readonly creditMemos: number;
}

/** A run of 10,000 invoices has 2,000 accounts, 8,000 payments and 500 credit memos; a smaller one has them in the same proportion. */
export function runSize(invoices: number): RunSize {
  return { invoices, accounts: invoices / 5, payments: (invoices * 4) / 5, creditMemos: invoices / 20 };
}

const padded = (value: number, digits: number): string => String(value).padStart(digits, '0');
const accountNumber = (index: number): string => `KB-${padded(index, 6)}`;
const invoiceNumber = (index: number): string => `INV${padded(index, 8)}`;

function account(index: number) {
  return {
    number: accountNumber(index),
    name: `Benchmark Customer ${index} Inc.`,
    currency: 'USD',
    paymentTerm: 'Net 30',
    billTo: {
      firstName: 'Ada',
      lastName: `Byrne ${index}`,
      address1: `${index} Mill Rd`,
      city: 'Dayton',
      state: 'Ohio',
      postalCode: '45402',
      country: 'United States',
      workEmail: `ap-${index}@customer.example`,
    },
  };
}

const service = { serviceStartDate: '2026-03-01', serviceEndDate: '2026-03-31' };
const subscription = { recognizedRevenueAccountingCode: 'Subscription Revenue', deferredRevenueAccountingCode: 'Deferred Revenue' };
const usage = { recognizedRevenueAccountingCode: 'Usage Revenue' };
const tax = { name: 'Ohio sales tax', amount: '35.53', taxable: '490.00', rate: '7.25', accountingCode: 'Sales Tax Payable' };
const total = '543.53';

/** Three lines, one of them taxed. */
function invoice(index: number, accounts: number) {
  return {
    number: invoiceNumber(index),
    account: accountNumber(index % accounts),
    date: '2026-03-02',
    items: [
      {
        ...{ chargeName: 'Pro plan', amount: '490.00', quantity: '10', unitPrice: '49.00', unitOfMeasure: 'Seat', taxes: [tax] },
        ...service,
        ...subscription,
      },
      { chargeName: 'API calls', amount: '12.34', ...service, ...usage },
      { chargeName: 'Storage', amount: '5.66', ...service, ...usage },
    ],
  };
}

/** Pays one invoice in full, by card. */
function payment(index: number, accounts: number) {
  return {
    number: `P-${padded(index, 8)}`,
    account: accountNumber(index % accounts),
    amount: total,
    date: '2026-03-05',
    type: 'Electronic',
    methodType: 'CreditCard',
    gateway: 'Stripe',
    applications: [{ invoice: invoiceNumber(index), amount: total, date: '2026-03-05' }],
  };
}

/** Credits a part of an invoice that no payment pays, and is applied to it. */
function creditMemo(index: number, size: RunSize) {
  const of = size.invoices - 1 - index;
  return {
    number: `CM${padded(index, 8)}`,
    account: accountNumber(of % size.accounts),
    date: '2026-03-06',
    reasonCode: 'Standard credit',
    items: [{ chargeName: 'Goodwill', amount: '100.00', ...subscription }],
    applications: [{ invoice: invoiceNumber(of), amount: '100.00', date: '2026-03-06' }],
  };
}

const list = <Row>(length: number, row: (index: number) => Row): readonly Row[] => Array.from({ length }, (_, index) => row(index));

/** Kestrel Software on the evening of its billing run: everything is posted in Zuora and nothing is in Acumatica. */
export function billingRunCompany(size: RunSize): Company {
  const zuora = kestrel.systems['zuora'];
  if (zuora === undefined) throw new Error('the company has no Zuora');
  const seed = {
    ...(zuora.seed as object),
    accounts: list(size.accounts, account),
    invoices: list(size.invoices, (index) => invoice(index, size.accounts)),
    payments: list(size.payments, (index) => payment(index, size.accounts)),
    creditMemos: list(size.creditMemos, (index) => creditMemo(index, size)),
  };
  const systems: Readonly<Record<string, CompanySystem>> = { ...kestrel.systems, zuora: { ...zuora, seed } };
  return { ...kestrel, name: 'billing-run', systems };
}
