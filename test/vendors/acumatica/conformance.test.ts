import { Secret } from '../../../lib/values/secret.ts';
import { acumatica } from '../../../lib/vendors/acumatica/vendor.ts';
import { describeVendor } from '../../conformance/vendor.ts';
import { json } from '../../conformance/vendor-stage.ts';
import { clientId, served } from './tenant.ts';

const credentials: Readonly<Record<string, string>> = { clientId, clientSecret: 's3cret&word', refreshToken: 'first+refresh/token' };
const ids = Array.from({ length: 1100 }, (_, index) => `C${String(index).padStart(6, '0')}`);

describeVendor({
  name: 'acumatica',
  limits: acumatica.limits(acumatica.settings.parse({ url: 'https://erp.example.com', tenant: 'ACME', requestsPerMinute: 6000 })),
  open: (url, io) =>
    acumatica.open(
      {
        name: 'staged',
        settings: acumatica.settings.parse({ url: `${url}/acme`, tenant: 'ACME' }),
        credentials: async () => Object.fromEntries(Object.entries(credentials).map(([name, text]) => [name, new Secret(text)])),
        previousCredentials: async () => undefined,
      },
      io,
    ),
  secrets: ['s3cret&word', 'first+refresh/token', 'rotated-refresh'],
  token: {
    isGrant: (request) => request.path === '/acme/identity/connect/token',
    grant: (access) => json({ access_token: access, expires_in: 3600, token_type: 'Bearer', refresh_token: 'rotated-refresh' }),
    lifeMs: 3_600_000,
    carriedBy: (request) => /^Bearer (.+)$/.exec(request.headers['authorization'] ?? '')?.[1],
    refusal: json({ message: 'Authorization has been denied for this request.' }, 401),
  },
  list: {
    async read(client) {
      const found: string[] = [];
      for await (const page of client.list('Customer')) found.push(...page.map((row) => row.CustomerID));
      return found;
    },
    isPage: (request) => request.method === 'GET' && request.path.endsWith('/Customer'),
    answer(request, rows) {
      const behind = /CustomerID gt '(\w+)'/.exec(request.query.get('$filter') ?? '')?.[1] ?? '';
      const page = ids.filter((id) => id > behind).slice(0, Number(request.query.get('$top')));
      return json(
        page.map((id) => ({
          id: `guid-${id}`,
          rowNumber: 1,
          ...(rows.withoutField ? {} : { CustomerID: { value: id } }),
          ...(rows.unknownField ? { Invented: { value: 1 }, InventedRows: [{ A: { value: 'x' } }], Bare: 7 } : {}),
        })),
      );
    },
    ids,
    pages: 3,
    field: 'CustomerID',
  },
  write: {
    send: (client) => client.put('Invoice', { Type: 'Invoice', Customer: 'C000001' }),
    isWrite: (request) => request.method === 'PUT' && request.path.endsWith('/Invoice'),
    answer: json({ Type: { value: 'Invoice' }, ReferenceNbr: { value: 'AR000001' } }),
  },
  throttle: (seconds) => ({
    status: 429,
    headers: { 'retry-after': String(seconds) },
    body: 'The custom error module does not recognize this error.',
  }),
  other: (request) => (request.path === '/acme/entity' ? json(served) : undefined),
});
