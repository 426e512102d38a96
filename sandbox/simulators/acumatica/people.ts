import { ControlError } from '../kit.ts';
import { entityOf } from './contract.ts';
import { saveCustomer } from './customers.ts';
import { Licence, Preferences } from './options.ts';
import { type ActionOf, type PersonAction, parseAction } from './person-actions.ts';
import {
  createJournal,
  decideApproval,
  deleteDocument,
  depositPayment,
  editDocument,
  releaseDocument,
  reverseApplication,
  setHold,
  voidDocument,
} from './person-documents.ts';
import { plainInput } from './plain-input.ts';
import { recordsOf } from './records-of-entity.ts';
import { text } from './rows.ts';
import { customerFields, explained, seedDocument } from './seed.ts';
import type { AcumaticaServer } from './server.ts';

/** Writes that are to be lost for the client and carried out later. */
export interface QueueHold {
  operation: string;
  minutes: number;
  times: number;
}

/** What happens around the application rather than in it. */
export interface Surroundings {
  queueHolds: QueueHold[];
  outage: { until: string; status: number } | undefined;
}

/** Carries out what a person does, and answers with what they would see. */
export function actAsPerson(server: AcumaticaServer, surroundings: Surroundings, action: Readonly<Record<string, unknown>>): unknown {
  const { name, given } = parseAction(action);
  const handler = handlers[name] as (server: AcumaticaServer, given: unknown, surroundings: Surroundings) => unknown;
  try {
    return handler(server, given, surroundings);
  } catch (error) {
    throw explained(error);
  }
}

type Handlers = {
  readonly [Name in PersonAction]: (server: AcumaticaServer, given: ActionOf<Name>, surroundings: Surroundings) => unknown;
};

const handlers: Handlers = {
  'reverse-application': ({ company }, given) => reverseApplication(company, given),
  'edit-document': ({ company }, given) => editDocument(company, given),
  'delete-document': ({ company }, given) => deleteDocument(company, given),
  'release-document': ({ company }, given) => releaseDocument(company, given),
  'put-on-hold': ({ company }, given) => setHold(company, given, true),
  'remove-hold': ({ company }, given) => setHold(company, given, false),
  approve: ({ company }, given) => decideApproval(company, given, 'approved'),
  reject: ({ company }, given) => decideApproval(company, given, 'rejected'),
  'void-document': ({ company }, given) => voidDocument(company, given),
  'deposit-payment': ({ company }, given) => depositPayment(company, given),
  'create-manual-document': ({ company }, given) => {
    const manual = company.state.manual;
    const document = seedDocument(company, given);
    company.state.manual = manual;
    return { type: text(document, 'Type'), ref: text(document, 'ReferenceNbr'), status: text(document, 'Status') };
  },
  'create-journal': ({ company }, given) => createJournal(company, given),
  'create-customer': (server, given) => {
    const { company } = server;
    const manual = company.state.manual;
    if (given.id !== undefined) company.state.manual = [...manual, 'Customer'];
    try {
      return { id: text(saveCustomer(company, undefined, plainInput('Customer', customerFields(given)), today(server)), 'CustomerID') };
    } finally {
      company.state.manual = manual;
    }
  },
  'edit-customer': (server, given) => {
    saveCustomer(server.company, customerOf(server, given.id), plainInput('Customer', given.fields), today(server));
    return { id: given.id };
  },
  'rename-customer': (server, given) => {
    saveCustomer(server.company, customerOf(server, given.id), plainInput('Customer', { CustomerName: given.name }), today(server));
    return { id: given.id };
  },
  'change-customer-id': (server, given) => changeCustomerId(server, given),
  'delete-customer': (server, given) => {
    recordsOf(server.company, entityOf('Customer')).remove?.(customerOf(server, given.id));
    return { deleted: true };
  },
  'open-period': (server, given) =>
    setPeriod(server, given.period, (period) => {
      period.status = 'Open';
      period.closedInAR = false;
    }),
  'close-period': (server, given) =>
    setPeriod(server, given.period, (period) => {
      period.closedInAR = true;
      if (given.ledger === 'GL') period.status = 'Closed';
    }),
  'deactivate-period': (server, given) =>
    setPeriod(server, given.period, (period) => {
      period.status = 'Inactive';
    }),
  'add-rate': ({ company }, given) => {
    company.state.rates.push({ currency: given.currency, effectiveDate: given.from, rate: given.rate });
    return { added: true };
  },
  'set-account': ({ company }, given) => {
    const account = company.find('Account', given.code);
    if (!account) throw new ControlError(`there is no account ${given.code}`);
    account.fields['Active'] = given.active;
    account.fields['LastModifiedDateTime'] = company.now();
    return { code: given.code, active: given.active };
  },
  'set-preference': ({ company }, given) => {
    company.state.preferences = Preferences.parse({ ...company.state.preferences, ...given.preferences });
    return company.state.preferences;
  },
  'set-licence': ({ company }, given) => {
    company.state.licence = Licence.parse({ ...company.state.licence, ...given.licence });
    return company.state.licence;
  },
  'set-numbering': ({ company }, given) => {
    company.setNumbering(given.numbering);
    return { set: true };
  },
  'set-endpoints': ({ company }, given) => {
    company.installation = { ...company.installation, endpointVersions: given.versions };
    return { versions: given.versions };
  },
  'revoke-tokens': ({ sessions }, given) => {
    sessions.revoke(given.clientId);
    return { revoked: true };
  },
  'expire-tokens': ({ sessions }) => {
    sessions.expireAccessTokens();
    return { expired: true };
  },
  'expire-refresh-token': ({ sessions }) => {
    sessions.expireRefreshTokens();
    return { expired: true };
  },
  consent: (server, given) => consent(server, given),
  'set-queue-hold': (_server, given, surroundings) => {
    surroundings.queueHolds.push({ ...given });
    return { held: given.operation };
  },
  'lock-record': (server, given) => {
    server.locks.push({ type: given.type, reference: given.ref, times: given.times });
    return { locked: given.ref };
  },
  'set-outage': ({ company }, given, surroundings) => {
    const until = new Date(company.world.clock.now().getTime() + given.minutes * 60_000).toISOString();
    surroundings.outage = { until, status: given.status };
    return { until };
  },
};

const today = ({ company }: AcumaticaServer) => ({ businessDate: company.today(), branch: company.defaultBranch() });

function customerOf({ company }: AcumaticaServer, id: string) {
  const customer = company.customers.get(id);
  if (!customer) throw new ControlError(`there is no customer ${id}`);
  return customer;
}

/** Documents refer to the customer behind its id, so they follow. */
function changeCustomerId(server: AcumaticaServer, given: ActionOf<'change-customer-id'>): unknown {
  const { company } = server;
  const customer = customerOf(server, given.id);
  const formerId = text(customer, 'CustomerID');
  const newId = given.newId.toUpperCase();
  if (company.customers.get(newId)) throw new ControlError(`customer ${newId} exists`);
  company.customers.put({ ...customer, fields: { ...customer.fields, CustomerID: newId, LastModifiedDateTime: company.now() } });
  for (const document of company.invoices.withText('Customer', formerId))
    company.invoices.put({ ...document, fields: { ...document.fields, Customer: newId } });
  for (const document of company.payments.withText('CustomerID', formerId))
    company.payments.put({ ...document, fields: { ...document.fields, CustomerID: newId } });
  for (const child of company.customers.all())
    if (text(child, 'ParentRecord') === formerId) company.customers.put({ ...child, fields: { ...child.fields, ParentRecord: newId } });
  return { id: newId };
}

function setPeriod(
  { company }: AcumaticaServer,
  id: string,
  change: (period: AcumaticaServer['company']['state']['periods'][number]) => void,
): unknown {
  const period = company.period(id);
  if (!period) throw new ControlError(`there is no period ${id}`);
  change(period);
  return { ...period };
}

function consent({ sessions }: AcumaticaServer, given: ActionOf<'consent'>): unknown {
  const client = sessions.state.clients.find((other) =>
    given.clientId === undefined ? other.flow === 'authorization-code' : other.clientId.toUpperCase() === given.clientId.toUpperCase(),
  );
  if (!client) throw new ControlError(`there is no client ${given.clientId ?? 'with the authorization code flow'}`);
  if (client.refreshTokens === 'none') throw new ControlError(`refresh tokens are off for ${client.clientId}`);
  const grant = sessions.openGrant(client, given.user ?? sessions.state.users[0]?.name ?? 'admin', ['api', 'offline_access']);
  return { clientId: client.clientId, refreshToken: sessions.newRefreshToken(grant, client), scope: 'api offline_access' };
}
