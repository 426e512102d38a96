import { createZuoraSimulator } from '../../../../sandbox/simulators/zuora/simulator.ts';
import { describeSimulator } from '../../../conformance/simulator.ts';
import { kestrel } from './stage.ts';

async function authorised(url: string): Promise<Record<string, string>> {
  const { clientId, clientSecret } = createZuoraSimulator({
    clock: { now: () => new Date(0), sleep: async () => {} },
    random: { next: () => 0.5 },
    fetch: async () => new Response(null),
  }).credentials;
  const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, grant_type: 'client_credentials' });
  const answer = (await (await fetch(`${url}/oauth/token`, { method: 'POST', body })).json()) as { access_token: string };
  return { authorization: `Bearer ${answer.access_token}`, 'content-type': 'application/json', 'zuora-version': '2025-08-12' };
}

let written = 0;

describeSimulator({
  name: 'Zuora',
  create: (world) => createZuoraSimulator(world),
  seed: kestrel,
  noun: 'accounts',
  seeded: 2,
  misspelt: { accounts: [{ number: 'KR-1', name: 'Misspelt', curency: 'USD' }] },
  async read(url) {
    return fetch(`${url}/object-query/accounts?pageSize=1`, { headers: await authorised(url) });
  },
  readOperation: 'GET /object-query/accounts',
  async write(url) {
    written += 1;
    const body = JSON.stringify({
      name: 'Tornow Messtechnik GmbH',
      accountNumber: `KR-9000${written}`,
      currency: 'EUR',
      billCycleDay: 0,
      billToContact: { firstName: 'Jan', lastName: 'Tornow', country: 'DE' },
    });
    return fetch(`${url}/v1/accounts`, { method: 'POST', headers: await authorised(url), body });
  },
  writeOperation: 'POST /v1/accounts',
  refused: { action: { action: 'post-invoice', number: 'INV-none' }, says: /INV-none/ },
});
