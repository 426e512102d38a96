import type * as z from 'zod';
import type { Seed } from './seed-shapes.ts';

/** A small software company with American and European customers: what an empty tenant of it would be set up with. */
export const standardCompany: z.input<typeof Seed> = {
  company: { name: 'Kestrel Software Inc.', baseCurrency: 'USD', branches: [{ id: 'MAIN', name: 'Kestrel Main Branch' }] },
  currencies: [
    { code: 'USD', description: 'US Dollar' },
    { code: 'EUR', description: 'Euro' },
    { code: 'GBP', description: 'Pound Sterling' },
    { code: 'JPY', description: 'Japanese Yen', decimals: 0 },
  ],
  rates: [
    { currency: 'EUR', from: '2026-02-01', rate: '1.08' },
    { currency: 'GBP', from: '2026-02-01', rate: '1.27' },
  ],
  accounts: [
    { code: '10200', description: 'Clearing account USD', cash: true },
    { code: '10210', description: 'Clearing account EUR', cash: true, currency: 'EUR' },
    { code: '11000', description: 'Accounts receivable' },
    { code: '23000', description: 'Sales tax payable' },
    { code: '24000', description: 'Deferred revenue' },
    { code: '40000', description: 'Subscription revenue' },
    { code: '40100', description: 'Usage revenue' },
    { code: '40900', description: 'Discounts' },
    { code: '40990', description: 'Rounding differences' },
    { code: '41000', description: 'Cash discounts taken' },
    { code: '66000', description: 'Bad debt' },
    { code: '66100', description: 'Balance write-offs' },
    { code: '67000', description: 'Bank and gateway fees' },
    { code: '71000', description: 'Realized exchange gain or loss', type: 'Expense' },
  ],
  subaccounts: [
    { code: 'SAS000', description: 'Software' },
    { code: 'SRV000', description: 'Services' },
  ],
  terms: [
    { id: '30D', days: 30 },
    { id: '15D', days: 15 },
    { id: '45D', days: 45 },
    { id: '60D', days: 60 },
    { id: '0D', days: 0 },
    { id: '2D10N30', days: 30, discountPercent: '2', discountDays: 10 },
  ],
  taxes: [{ id: 'DEVAT19', description: 'German VAT 19%', rate: '19', account: '23000' }],
  taxCategories: [
    { id: 'EXEMPT', description: 'Not taxed here' },
    { id: 'TAXABLE', description: 'Taxable', taxes: ['DEVAT19'] },
  ],
  taxZones: [
    { id: 'EXTERNAL', description: 'Calculated elsewhere', taxes: ['DEVAT19'] },
    { id: 'EUSTD', description: 'European standard', taxes: ['DEVAT19'] },
  ],
  paymentMethods: [
    { id: 'ZCARD', description: 'Cards, collected elsewhere', cashAccounts: [{ account: '10200', default: true }, { account: '10210' }] },
    {
      id: 'ZWIRE',
      description: 'Wires',
      means: 'Direct Deposit',
      cashAccounts: [{ account: '10200', default: true }, { account: '10210' }],
    },
    {
      id: 'VISATOK',
      description: 'Cards with integrated processing',
      means: 'Credit Card',
      integrated: true,
      cashAccounts: [{ account: '10200', default: true }],
    },
  ],
  customerClasses: [
    { id: 'SAAS', description: 'Software customers', terms: '30D', arAccount: '11000', salesAccount: '40000' },
    { id: 'SAASEU', description: 'European software customers', currency: 'EUR', terms: '30D', arAccount: '11000', salesAccount: '40000' },
  ],
  ledgers: [{ id: 'ACTUAL' }],
  periods: [
    { year: 2025, status: 'Closed' },
    { year: 2026 },
    { year: 2027 },
    { year: 2028, status: 'Inactive' },
    { period: '012026', closedInAR: true },
  ],
  clients: [
    {
      clientId: '8E0761D9-F4EC-2D4B-A60F-BCE2708C6FDD@KESTREL',
      secret: 'simulated-acumatica-secret',
      redirectUris: ['https://connector.example/oauth/acumatica'],
      refreshTokens: 'sliding',
      absoluteDays: null,
    },
    { clientId: '0B6A3C17-52D8-4E19-9C44-7F21D5A8E630@KESTREL', secret: 'simulated-password-secret', flow: 'password' },
  ],
  users: [{ name: 'mlc', password: 'simulated-password' }],
};
