import { createAcumaticaSimulator } from '../../../../sandbox/simulators/acumatica/simulator.ts';
import { describeSimulator } from '../../../conformance/simulator.ts';
import { invoiceBody, northgate, passwordClientId, passwordClientSecret } from './desk.ts';

const documents = [{ type: 'Invoice', customer: 'C0001042', reference: 'INV-OLD', date: '2026-02-10', amount: '100' }];

async function signedIn(url: string): Promise<Record<string, string>> {
  const form = {
    grant_type: 'password',
    client_id: passwordClientId,
    client_secret: passwordClientSecret,
    username: 'mlc',
    password: 'simulated-password',
    scope: 'api',
  };
  const answer = await fetch(`${url}/identity/connect/token`, { method: 'POST', body: new URLSearchParams(form) });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
}

const endpoint = '/entity/Default/24.200.001';

describeSimulator({
  name: 'Acumatica',
  create: (world) => createAcumaticaSimulator(world, { licence: { users: null } }),
  seed: { customers: [northgate], documents },
  noun: 'invoices',
  seeded: 1,
  misspelt: { customers: [northgate], documents: documents.map((document) => ({ ...document, amuont: '1' })) },
  read: async (url) => fetch(`${url}${endpoint}/Customer`, { headers: await signedIn(url) }),
  readOperation: 'GET /Customer',
  write: async (url) =>
    fetch(`${url}${endpoint}/Invoice`, { method: 'PUT', headers: await signedIn(url), body: JSON.stringify(invoiceBody()) }),
  writeOperation: 'PUT /Invoice',
  refused: { action: { action: 'release-document', type: 'Invoice', ref: 'AR999999' }, says: /AR999999/ },
});
