import { openZuora, type ZuoraClient } from '../../../lib/vendors/zuora/client.ts';
import { zuora } from '../../../lib/vendors/zuora/vendor.ts';
import { describeVendor } from '../../conformance/vendor.ts';
import { json } from '../../conformance/vendor-stage.ts';
import { connectionAt, invoiceRow } from './fixtures.ts';

const ids = ['8ad08aef9385f2b60193a1b2c3d40001', '8ad08aef9385f2b60193a1b2c3d40002', '8ad08aef9385f2b60193a1b2c3d40003'];

describeVendor<ZuoraClient>({
  name: 'zuora',
  open: (url, io) => openZuora(connectionAt(url), io),
  secrets: ['kT9+xQ=/y0mZ', 'ml-Hmac_s3cret/2026+Zuora='],
  limits: { requestsPerMinute: 6000, burst: zuora.limits(connectionAt('http://127.0.0.1:1').settings).burst },
  token: {
    isGrant: (request) => request.path === '/oauth/token',
    grant: (access) => json({ access_token: access, token_type: 'bearer', expires_in: '3598', scope: 'tenant.21765' }),
    lifeMs: 3_598_000,
    carriedBy: (request) => request.headers['authorization']?.replace('Bearer ', ''),
    refusal: json({ success: false, reasons: [{ code: 90000011, message: 'Authentication error' }] }, 401),
  },
  list: {
    async read(client) {
      const found: string[] = [];
      for (const row of await client.findWhere('invoices', ['invoicedate.GE:2026-03-01'])) found.push(row.id);
      return found;
    },
    isPage: (request) => request.path === '/object-query/invoices',
    answer(request, { unknownField, withoutField }) {
      const page = Number(request.query.get('cursor') ?? '0');
      const row = { ...invoiceRow, id: ids[page], ...(unknownField ? { futureField: { nested: [1] }, status: 'SomethingNew' } : {}) };
      const { accountId: _left, ...without } = row;
      return json({ data: [withoutField ? without : row], ...(page < 2 ? { nextPage: String(page + 1) } : {}) });
    },
    ids,
    pages: 3,
    field: 'accountId',
  },
  write: {
    send: (client) => client.markTransferred('invoices', ids[0] ?? '', 'Yes'),
    isWrite: (request) => request.method === 'PUT' && request.path === `/v1/invoices/${ids[0]}`,
    answer: json({ success: true }),
  },
  throttle: (seconds) =>
    json({ reasons: [{ code: 70, message: `API Rate limit exceeded for the minute, retry after ${seconds} seconds` }] }, 429),
});
