import type { CredentialField, Vendor } from '../../contracts/vendor.ts';
import { openAcumatica } from './client.ts';
import { type AcumaticaSettings, acumaticaSettingsSchema } from './settings.ts';
import type { AcumaticaClient } from './surface.ts';

export type { AcumaticaSettings } from './settings.ts';

const credentials: readonly CredentialField[] = [
  {
    name: 'clientId',
    label: 'Client ID',
    help: 'Connected Applications (SM303010), registered while signed in to the tenant. Not needed for the grant `cookie`.',
    secret: false,
    required: false,
    example: '8E0761D9-F4EC-2D4B-A60F-BCE2708C6FDD@ACME',
  },
  {
    name: 'clientSecret',
    label: 'Client secret',
    help: 'The shared secret of the connected application; Acumatica shows it once. Not needed for the grant `cookie`.',
    secret: true,
    required: false,
  },
  {
    name: 'refreshToken',
    label: 'Refresh token',
    help: 'Grant `authorization-code`: what the consent with scope `api offline_access` brought. Replace it after a new consent only.',
    secret: true,
    required: false,
  },
  {
    name: 'username',
    label: 'User name',
    help: 'Grants `password` and `cookie`: the API user, without two-factor authentication and without the role Financial Supervisor.',
    secret: false,
    required: false,
    example: 'ml-connector',
  },
  {
    name: 'password',
    label: 'Password',
    help: 'Grants `password` and `cookie`.',
    secret: true,
    required: false,
  },
];

export const acumatica: Vendor<AcumaticaSettings, AcumaticaClient> = {
  key: 'acumatica',
  title: 'Acumatica Cloud ERP',
  settings: acumaticaSettingsSchema,
  credentials,
  docs: [
    {
      title: 'Integration Development Guide (2026 R1), contract-based REST API',
      url: 'https://github.com/Acumatica/Acumatica-AI-Resources',
      readOn: '2026-11-20',
    },
    {
      title: 'Endpoint definitions and the vendor’s own client',
      url: 'https://github.com/Acumatica/AcumaticaRESTAPIClientForCSharp',
      readOn: '2026-11-20',
    },
    { title: 'Example requests', url: 'https://github.com/Acumatica/Help-and-Training-Examples', readOn: '2026-11-20' },
  ],
  open: openAcumatica,
  check: (client) => client.check(),
  /** A small burst: from half of the licence's limit on Acumatica delays every request on purpose. */
  limits: ({ requestsPerMinute, sessions }) => ({
    requestsPerMinute,
    burst: Math.max(1, Math.min(10, Math.floor(requestsPerMinute / 5))),
    lanes: sessions,
  }),
};
