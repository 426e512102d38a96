import { eventCodes, type StandardEvent } from '../events.ts';
import type { Tenant } from '../tenant.ts';
import type { CalloutDesk } from './callouts.ts';
import { definitionBody, newDefinition, newTemplate, newTrigger, templateBody, triggerBody } from './set-up.ts';

export interface Registration {
  readonly url: string;
  readonly secret: string;
  /** Which events; absent: every one below. */
  readonly events?: readonly string[] | undefined;
  /** Ids of communication profiles; absent: all. */
  readonly profiles?: readonly string[] | undefined;
}

const standard: Readonly<Partial<Record<StandardEvent, readonly [object: string, id: string]>>> = {
  InvoicePosted: ['Invoice', '{{DataSource.Invoice.Id}}'],
  DebitMemoPosted: ['DebitMemo', '{{DataSource.DebitMemo.Id}}'],
  CreditMemoPosted: ['CreditMemo', '{{DataSource.CreditMemo.Id}}'],
  PaymentProcessed: ['Payment', '{{DataSource.Payment.Id}}'],
  PaymentRefundProcessed: ['Refund', '{{DataSource.Refund.Id}}'],
  CreditMemoRefundProcessed: ['Refund', '{{DataSource.Refund.Id}}'],
  BillRunCompletion: ['BillingRun', '{{DataSource.BillingRun.Id}}'],
  PaymentRunCompletion: ['PaymentRun', '{{DataSource.PaymentRun.Id}}'],
  JournalRunCompletion: ['JournalRun', '{{DataSource.JournalRun.Number}}'],
};

const changed = (object: string, fields: readonly string[]): string =>
  `changeType == 'INSERT' || (changeType == 'UPDATE' && (${fields.map((field) => `${object}.${field} != ${object}.${field}_old`).join(' || ')}))`;

const custom: Readonly<Record<string, { readonly object: string; readonly id: string; readonly condition: string }>> = {
  MlcAccountChanged: {
    object: 'Account',
    id: '{{DataSource.Account.Id}}',
    condition: changed('Account', ['Name', 'AccountNumber', 'BillToId', 'ParentId', 'PaymentTerm', 'Status', 'Batch']),
  },
  MlcContactChanged: {
    object: 'Contact',
    id: '{{DataSource.Contact.AccountId}}',
    condition: "changeType == 'INSERT' || changeType == 'UPDATE'",
  },
};

/** What an administrator would set up by hand: one template and one definition per event, bodies of ids only, signed. */
export function registerCallouts(tenant: Tenant, desk: CalloutDesk, registration: Registration): readonly string[] {
  const profiles = registration.profiles ?? tenant.profiles.all().map((profile) => profile.id);
  const wanted = (event: string): boolean => registration.events?.includes(event) ?? true;
  const names: string[] = [];

  const add = (event: string, object: string, id: string, caused: { eventCategory: number } | { eventTypeName: string }): void => {
    const name = `mlc ${event}`;
    const body = { event, tenantId: '{{Tenant.ID}}', objectType: object, objectId: id, occurredAt: '{{Event.Timestamp}}' };
    const known = desk.templates.all().find((template) => template.name === name);
    const template = newTemplate(
      tenant,
      desk,
      templateBody.parse({
        ...caused,
        name,
        calloutBaseurl: registration.url,
        httpMethod: 'POST',
        useCustomRequestBody: true,
        customRequestBody: JSON.stringify(body),
        hmacAlgorithm: 'SHA-256',
        hmacOutputFormat: 'BASE64',
        hmacSecret: registration.secret,
        hmacData: '{{Request.Body}}',
        hmacKey: 'X-Zuora-Signature',
        hmacValue: '{{Request.HMAC.Signed}}',
      }),
      known,
    );
    const before = desk.definitions.all().find((definition) => definition.name === name);
    const input = { ...caused, name, calloutActive: true, calloutTemplateIds: [template.id], communicationProfileIds: profiles };
    newDefinition(tenant, desk, definitionBody.parse(input), before);
    names.push(name);
  };

  for (const [event, [object, id]] of Object.entries(standard)) {
    if (wanted(event)) add(event, object, id, { eventCategory: eventCodes[event as StandardEvent] });
  }
  for (const [event, { object, id, condition }] of Object.entries(custom)) {
    if (!wanted(event)) continue;
    if (!desk.triggers.all().some((trigger) => trigger.eventType.name === event))
      newTrigger(tenant, desk, triggerBody.parse({ baseObject: object, condition, eventType: { name: event, displayName: event } }));
    add(event, object, id, { eventTypeName: event });
  }
  return names;
}
