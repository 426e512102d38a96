import { Secret } from '../../../lib/values/secret.ts';
import { settingsSchema, type ZuoraConnection } from '../../../lib/vendors/zuora/settings.ts';

const credentials = {
  clientId: '6b1f7d3e-52d0-4b0a-9a52-0c5d8e3f7a11',
  clientSecret: 'kT9+xQ=/y0mZ',
  hmacSecret: 'ml-Hmac_s3cret/2026+Zuora=',
  basicUser: 'zuora-callout',
  basicPassword: 'b4sic:Pass',
  pathToken: 't-7f3a9c21d4e8',
};

const secretsOf = (fields: Readonly<Record<string, string>>): Readonly<Record<string, Secret>> =>
  Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, new Secret(text)]));

/** A connection of the tenant "Kestrel Robotics" at a loopback address. */
export function connectionAt(
  baseUrl: string,
  given: {
    readonly settings?: Readonly<Record<string, unknown>>;
    readonly secrets?: Readonly<Record<string, string>>;
    readonly previous?: Readonly<Record<string, string>>;
  } = {},
): ZuoraConnection {
  return {
    name: 'kestrel-billing',
    settings: settingsSchema.parse({ environment: 'us-production-cloud1', baseUrl, ...given.settings }),
    credentials: async () => secretsOf(given.secrets ?? credentials),
    previousCredentials: async () => (given.previous === undefined ? undefined : secretsOf(given.previous)),
  };
}

export const invoiceRow = {
  id: '8ad08aef9385f2b60193a1b2c3d40001',
  accountId: '8ad08c9f93f1a2b30193f4d5e6f70011',
  invoiceNumber: 'INV00000417',
  amount: 1334.88,
  amountWithoutTax: 1225,
  taxAmount: 109.88,
  balance: 1334.88,
  currency: 'USD',
  invoiceDate: '2026-03-02',
  dueDate: '2026-04-01',
  status: 'Posted',
  reversed: false,
  paymentTerm: 'Net 30',
  postedDate: '2026-03-02T04:15:09-08:00',
  createdDate: '2026-03-02T04:14:58-08:00',
  updatedDate: '2026-03-02T04:15:09-08:00',
};

export const accountRow = {
  id: '8ad08c9f93f1a2b30193f4d5e6f70011',
  accountNumber: 'KR-10023',
  name: 'Northgate Dental Group',
  status: 'Active',
  currency: 'USD',
  communicationProfileId: '8ad08c9f8c0000018c0000000aa00010',
  updatedDate: '2026-03-02T04:15:09-08:00',
};
