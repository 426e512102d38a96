import type { Company } from '../company.ts';
import { createAcumaticaSimulator } from '../simulators/acumatica/simulator.ts';
import { createZuoraSimulator } from '../simulators/zuora/simulator.ts';

const clientId = '8E0761D9-F4EC-2D4B-A60F-BCE2708C6FDD@KESTREL';
const hmacSecret = 'rehearsal-Hmac_s3cret/2026+Zuora=';

/** Zuora accounting codes with the G/L numbers of the standard Acumatica company; one has none on purpose. */
const accountingCodes = [
  { name: 'Subscription Revenue', type: 'SalesRevenue', glAccountNumber: '40000' },
  { name: 'Usage Revenue', type: 'SalesRevenue', glAccountNumber: '40100' },
  { name: 'EU Usage', type: 'SalesRevenue', glAccountNumber: '' },
  { name: 'Discounts', type: 'SalesDiscounts', glAccountNumber: '40900' },
  { name: 'Deferred Revenue', type: 'DeferredRevenue', glAccountNumber: '24000' },
  { name: 'Sales Tax Payable', type: 'SalesTaxPayable', glAccountNumber: '23000' },
  { name: 'Accounts Receivable', type: 'AccountsReceivable', glAccountNumber: '11000' },
];

const accounts = [
  {
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
  },
  {
    number: 'KR-10031',
    name: 'Hollis Freight LLC',
    currency: 'USD',
    paymentTerm: 'Net 30',
    billTo: {
      firstName: 'Ray',
      lastName: 'Hollis',
      address1: '400 Depot St',
      city: 'Dayton',
      state: 'Ohio',
      postalCode: '45402',
      country: 'United States',
      workEmail: 'ap@hollis.example',
    },
  },
  {
    number: 'KR-20007',
    name: 'Tornow Messtechnik GmbH',
    currency: 'EUR',
    paymentTerm: 'Net 30',
    billTo: {
      firstName: 'Jens',
      lastName: 'Tornow',
      address1: 'Hafenstr. 8',
      city: 'Kiel',
      postalCode: '24103',
      country: 'Germany',
      workEmail: 'buchhaltung@tornow.example',
    },
  },
];

/** The smallest company with everything in it: three accounts, no documents. Scenarios begin here. */
export const kestrel: Company = {
  name: 'kestrel',
  about:
    'Kestrel Software: three billing accounts in Zuora (two in USD, one in EUR), the chart of accounts and an empty receivables ledger in Acumatica.',
  integration: 'acumatica-zuora',
  systems: {
    acumatica: {
      create: (world, options) => createAcumaticaSimulator(world, { instance: 'kestrel', tenant: 'KESTREL', ...options }),
      nouns: ['customers', 'invoices', 'payments', 'journals', 'gl'],
      // Inquiries of the contract-based API are asked with PUT.
      reads: ['POST /token', 'POST /login', 'POST /logout', 'PUT /*Inquiry', 'PUT /CompanyFinancialPeriod', 'PUT /CompaniesStructure'],
      seed: {},
      acts: [{ action: 'consent', clientId }],
    },
    zuora: {
      create: (world, options) => createZuoraSimulator(world, options),
      nouns: ['accounts', 'invoices', 'creditMemos', 'debitMemos', 'payments', 'refunds', 'journalEntries'],
      reads: ['POST /oauth/token', 'POST /v1/action/query', 'POST /v1/action/queryMore', 'POST /query/jobs'],
      seed: { accountingCodes, accounts },
      acts: [{ action: 'register-callouts', url: '{webhooks}', secret: hmacSecret }],
    },
  },
  configuration: (origins) => ({
    version: 1,
    stack: 'kestrel',
    environment: 'production',
    connections: {
      erp: {
        vendor: 'acumatica',
        secret: 'kestrel/erp',
        settings: {
          url: `${origins['acumatica']}/kestrel`,
          tenant: 'KESTREL',
          branch: 'MAIN',
          refreshTokens: { absoluteDays: 'infinite' },
        },
      },
      billing: { vendor: 'zuora', secret: 'kestrel/billing', settings: { environment: 'us-production-cloud1', baseUrl: origins['zuora'] } },
    },
    integrations: {
      'acumatica-zuora': {
        a: 'erp',
        b: 'billing',
        settings: {
          startFrom: '2026-02-01',
          branch: 'MAIN',
          customers: { class: { default: 'SAAS', byCurrency: { EUR: 'SAASEU' } } },
          tax: { mode: 'line', exemptCategory: 'EXEMPT' },
          methods: [
            { currency: 'USD', methodType: 'CreditCard', paymentMethod: 'ZCARD', cashAccount: '10200' },
            { currency: 'USD', paymentMethod: 'ZWIRE', cashAccount: '10200' },
            { currency: 'EUR', methodType: 'CreditCard', paymentMethod: 'ZCARD', cashAccount: '10210' },
            { currency: 'EUR', paymentMethod: 'ZWIRE', cashAccount: '10210' },
          ],
          reasonAccounts: { 'Write-off': '66000' },
        },
      },
    },
  }),
  secrets: ({ acumatica }) => ({
    'kestrel/erp': { clientId, clientSecret: 'simulated-acumatica-secret', refreshToken: refreshTokenOf(acumatica?.[0]) },
    'kestrel/billing': { clientId: '6b1f7d3e-52d0-4b0a-9a52-0c5d8e3f7a11', clientSecret: 'kT9+xQ=/y0mZ', hmacSecret },
  }),
};

function refreshTokenOf(consent: unknown): string {
  if (consent !== null && typeof consent === 'object' && 'refreshToken' in consent && typeof consent.refreshToken === 'string')
    return consent.refreshToken;
  throw new Error('the consent brought no refresh token');
}
