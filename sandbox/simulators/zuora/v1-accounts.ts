import type { Hono } from 'hono';
import * as z from 'zod';
import { jsonNumber } from '../../../lib/values/json.ts';
import { createContact } from './accounts.ts';
import { countryName, stateName } from './countries.ts';
import { notFound, Refused } from './failures.ts';
import { json } from './gateway.ts';
import { pageOf, withNext } from './paging.ts';
import { accountBalance } from './query-objects/accounts.ts';
import type { Account, AccountingCode, Contact } from './rows.ts';
import type { Tenant } from './tenant.ts';
import { plainTime } from './tenant-time.ts';
import { needRow, readJson } from './v1-documents.ts';

/** Text without four-byte characters (emoji), as the vendor's columns take it. */
const text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((value) => !/[\u{10000}-\u{10FFFF}]/u.test(value), 'characters beyond the basic plane are not supported');
const country = text(64).refine((value) => countryName(value) !== undefined, 'unknown country');

const contactShape = {
  firstName: text(100).min(1),
  lastName: text(100).min(1),
  address1: text(255),
  address2: text(255),
  city: text(40),
  state: text(40),
  county: text(32),
  zipCode: text(20),
  country,
  workEmail: text(80),
  personalEmail: text(80),
  workPhone: text(40),
  mobilePhone: text(40),
  taxRegion: text(32),
} as const;

const contactBody = z.strictObject(contactShape).partial().required({ firstName: true, lastName: true });
const contactChanges = z.strictObject(contactShape).partial();

const accountShape = {
  name: text(255).min(1),
  accountNumber: text(50).min(1),
  billCycleDay: z.number().int().min(0).max(31),
  autoPay: z.boolean(),
  paymentTerm: text(255),
  batch: text(50),
  parentId: z.string().nullable(),
  crmId: text(100).nullable(),
  salesRep: text(50).nullable(),
  notes: text(65_535),
  purchaseOrderNumber: text(100).nullable(),
  communicationProfileId: z.string(),
  invoiceDeliveryPrefsEmail: z.boolean(),
  taxInfo: z.looseObject({ exemptStatus: z.enum(['No', 'Yes', 'PendingVerification']).optional(), VATId: text(25).nullish() }),
} as const;

const accountBody = z
  .object({ ...accountShape, currency: z.string().length(3), billToContact: contactBody, soldToContact: contactBody })
  .partial()
  .required({ name: true, currency: true, billToContact: true, billCycleDay: true })
  .catchall(z.unknown());

const accountChanges = z
  .object({ ...accountShape, billToContact: contactChanges, soldToContact: contactChanges })
  .partial()
  .catchall(z.unknown());

function parse<T>(schema: z.ZodType<T>, body: string): T {
  const parsed = schema.safeParse(readJson(body));
  if (parsed.success) return parsed.data;
  const missing = parsed.error.issues.some((issue) => issue.code === 'invalid_type' && issue.input === undefined);
  throw new Refused(missing ? '22' : '20', z.prettifyError(parsed.error), { object: '531000' });
}

/** Custom fields stand at the root; any other unknown member is refused. */
function customOf(body: Readonly<Record<string, unknown>>, known: object): Record<string, string | null> {
  const custom: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(body)) {
    if (name in known) continue;
    if (!/__(c|NS)$/.test(name)) throw new Refused('21', `Unknown field '${name}'`, { object: '531000' });
    custom[name] = value === null || value === '' ? null : String(value);
  }
  return custom;
}

export function accountRoutes(app: Hono, tenant: Tenant): void {
  app.get('/v1/accounts/:key', (context) => json(shownAccount(tenant, needRow(tenant, tenant.accounts, context.req.param('key')))));
  app.post('/v1/accounts', async (context) => json(createFromBody(tenant, parse(accountBody, await context.req.text()))));
  app.put('/v1/accounts/:key', async (context) => {
    const account = needRow(tenant, tenant.accounts, context.req.param('key'));
    changeFromBody(tenant, account, parse(accountChanges, await context.req.text()));
    return json({ success: true });
  });
  app.post('/v1/contacts', async (context) => {
    const { accountId, zipCode, ...input } = parse(contactBody.extend({ accountId: z.string() }), await context.req.text());
    const account = needRow(tenant, tenant.accounts, accountId);
    const contact = createContact(tenant, account.id, { ...input, ...(zipCode === undefined ? {} : { postalCode: zipCode }) });
    return json({ ...shownContact(contact), success: true });
  });
  app.get('/v1/contacts/:key', (context) =>
    json({ ...shownContact(needRow(tenant, tenant.contacts, context.req.param('key'))), success: true }),
  );
  app.put('/v1/contacts/:key', async (context) => {
    const contact = needRow(tenant, tenant.contacts, context.req.param('key'));
    const changed = changeContact(tenant, contact, parse(contactChanges, await context.req.text()));
    return json({ ...shownContact(changed), success: true });
  });
  app.get('/v1/accounting-codes', (context) => {
    const page = pageOf(tenant.accountingCodes.all(), context.req.url, { usual: 300, most: 300 });
    return json({ accountingCodes: page.rows.map((row) => shownCode(tenant, row)), ...withNext(page), success: true });
  });
  app.get('/v1/accounting-codes/:key', (context) => {
    const code = tenant.accountingCodes.get(context.req.param('key'));
    if (!code) throw notFound(context.req.param('key'));
    return json({ ...shownCode(tenant, code), success: true });
  });
  app.get('/settings/listing', () => json({ settings: ['ChartOfAccounts'].map((key) => setting(key)) }));
  app.get('/settings/chart-of-accounts', () => json(tenant.accountingCodes.all().map((row) => shownCode(tenant, row))));
}

function setting(key: string) {
  const path = '/chart-of-accounts';
  const httpOperations = [{ method: 'GET', url: `/settings${path}`, parameters: [], responseType: {} }];
  return { key, description: 'Chart of accounts', context: 'Entity', pathPattern: path, httpOperations };
}

function shownCode(tenant: Tenant, row: AccountingCode) {
  const { zone } = tenant.settings;
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    // The G/L fields come with Zuora Finance.
    glAccountName: tenant.features.finance ? row.glAccountName : null,
    glAccountNumber: tenant.features.finance ? row.glAccountNumber : null,
    notes: row.notes,
    category: row.category,
    status: row.status,
    createdOn: plainTime(row.createdAt, zone),
    updatedOn: plainTime(row.updatedAt, zone),
  };
}

function shownContact(row: Contact) {
  const { createdAt: _created, updatedAt: _updated, postalCode, ...fields } = row;
  return { ...fields, zipCode: postalCode };
}

function shownAccount(tenant: Tenant, row: Account) {
  const contact = (id: string | null) => {
    const found = id === null ? undefined : tenant.contacts.get(id);
    return found === undefined ? null : shownContact(found);
  };
  const profile = tenant.profiles.get(row.communicationProfileId);
  const amounts = {
    balance: jsonNumber(accountBalance(row)),
    totalInvoiceBalance: jsonNumber(row.totalInvoiceBalance),
    contractedMrr: jsonNumber('0'),
  };
  return {
    basicInfo: {
      id: row.id,
      name: row.name,
      accountNumber: row.number,
      notes: row.notes,
      status: row.status,
      crmId: row.crmId ?? '',
      batch: row.batch,
      invoiceTemplateId: null,
      communicationProfileId: row.communicationProfileId,
      profileNumber: profile?.number ?? null,
      salesRep: row.salesRep ?? '',
      sequenceSetId: null,
      parentId: row.parentId,
      partnerAccount: false,
      purchaseOrderNumber: row.purchaseOrderNumber,
      ...row.custom,
    },
    billingAndPayment: {
      autoPay: row.autoPay,
      billCycleDay: row.billCycleDay,
      currency: row.currency,
      defaultPaymentMethodId: null,
      paymentTerm: row.paymentTerm,
      paymentGateway: null,
      invoiceDeliveryPrefsPrint: false,
      invoiceDeliveryPrefsEmail: row.invoiceDeliveryPrefsEmail,
      additionalEmailAddresses: [],
    },
    metrics: { ...amounts, creditBalance: jsonNumber('0') },
    metricsData: [
      {
        currency: row.currency,
        ...amounts,
        totalDebitMemoBalance: jsonNumber(row.totalDebitMemoBalance),
        unappliedPaymentAmount: jsonNumber(row.unappliedPaymentAmount),
        unappliedCreditMemoAmount: jsonNumber(row.unappliedCreditMemoAmount),
      },
    ],
    billToContact: contact(row.billToId),
    soldToContact: contact(row.soldToId),
    taxInfo: { exemptStatus: row.taxExemptStatus, VATId: row.vatId },
    success: true,
  };
}

function createFromBody(tenant: Tenant, body: z.output<typeof accountBody>) {
  const refuse = (message: string): Refused => new Refused('30', message, { object: '531000' });
  const { accountNumber, billToContact, soldToContact, taxInfo } = body;
  if (body.autoPay === true) throw refuse('autoPay cannot be true without a payment method');
  if (accountNumber?.startsWith(tenant.settings.accountNumberPrefix))
    throw refuse(`accountNumber must not begin with the tenant's own prefix '${tenant.settings.accountNumberPrefix}'`);
  if (accountNumber !== undefined && tenant.accounts.by('number', accountNumber).length > 0)
    throw refuse(`The account number ${accountNumber} already exists`);
  const parentId = parentOf(tenant, body.parentId);
  const custom = customOf(body, { ...accountShape, currency: 0, billToContact: 0, soldToContact: 0 });
  const stamp = tenant.stamp();
  const made = (contact: z.output<typeof contactBody>): Contact => {
    const { zipCode, ...input } = contact;
    return createContact(tenant, stamp.id, { ...input, ...(zipCode === undefined ? {} : { postalCode: zipCode }) });
  };
  const billTo = made(billToContact);
  const soldTo = soldToContact === undefined ? billTo : made(soldToContact);
  const account = tenant.save(tenant.accounts, {
    ...stamp,
    number: tenant.numberFor('account', tenant.accounts, accountNumber),
    name: body.name,
    status: 'Active',
    currency: body.currency,
    paymentTerm: body.paymentTerm ?? 'Due Upon Receipt',
    batch: body.batch ?? 'Batch1',
    billCycleDay: body.billCycleDay,
    autoPay: false,
    invoiceDeliveryPrefsEmail: body.invoiceDeliveryPrefsEmail ?? false,
    parentId,
    billToId: billTo.id,
    soldToId: soldTo.id,
    crmId: body.crmId ?? null,
    salesRep: body.salesRep ?? null,
    notes: body.notes ?? '',
    purchaseOrderNumber: body.purchaseOrderNumber ?? null,
    communicationProfileId: body.communicationProfileId ?? tenant.defaultProfile().id,
    taxExemptStatus: taxInfo?.exemptStatus ?? 'No',
    vatId: taxInfo?.VATId ?? null,
    lastInvoiceDate: null,
    totalInvoiceBalance: '0',
    totalDebitMemoBalance: '0',
    unappliedPaymentAmount: '0',
    unappliedCreditMemoAmount: '0',
    custom,
  });
  return { success: true, accountId: account.id, accountNumber: account.number, billToContactId: billTo.id, soldToContactId: soldTo.id };
}

function parentOf(tenant: Tenant, parentId: string | null | undefined): string | null {
  if (parentId === null || parentId === undefined || parentId === '') return null;
  if (!tenant.features.customerHierarchy)
    throw new Refused('30', 'Customer Hierarchy is not enabled for your tenant.', { object: '531000' });
  // An account number is refused here: only the id names a parent.
  if (!tenant.accounts.get(parentId)) throw new Refused('20', `parentId '${parentId}' is not the id of an account`, { object: '531000' });
  return parentId;
}

function changeFromBody(tenant: Tenant, account: Account, body: z.output<typeof accountChanges>): void {
  const custom = customOf(body, { ...accountShape, billToContact: 0, soldToContact: 0 });
  const { accountNumber, billToContact, soldToContact, taxInfo, parentId, ...fields } = body;
  let prefers = body.invoiceDeliveryPrefsEmail;
  if (billToContact) {
    const contact = needRow(tenant, tenant.contacts, account.billToId ?? '');
    const changed = changeContact(tenant, contact, billToContact);
    // Naming an e-mail address here switches e-mail delivery on; two empty ones switch it off.
    const named = billToContact.workEmail !== undefined || billToContact.personalEmail !== undefined;
    if (named && prefers === undefined) prefers = changed.workEmail !== '' || changed.personalEmail !== '';
  }
  if (soldToContact) changeContact(tenant, needRow(tenant, tenant.contacts, account.soldToId ?? ''), soldToContact);
  const plain = {
    name: fields.name ?? account.name,
    billCycleDay: fields.billCycleDay ?? account.billCycleDay,
    autoPay: fields.autoPay ?? account.autoPay,
    paymentTerm: fields.paymentTerm ?? account.paymentTerm,
    batch: fields.batch ?? account.batch,
    notes: fields.notes ?? account.notes,
    communicationProfileId: fields.communicationProfileId ?? account.communicationProfileId,
    crmId: fields.crmId === undefined ? account.crmId : fields.crmId,
    salesRep: fields.salesRep === undefined ? account.salesRep : fields.salesRep,
    purchaseOrderNumber: fields.purchaseOrderNumber === undefined ? account.purchaseOrderNumber : fields.purchaseOrderNumber,
  };
  tenant.change(tenant.accounts, tenant.need(tenant.accounts, account.id), {
    ...plain,
    ...(accountNumber === undefined ? {} : { number: accountNumber }),
    ...(parentId === undefined ? {} : { parentId: parentOf(tenant, parentId) }),
    ...(prefers === undefined ? {} : { invoiceDeliveryPrefsEmail: prefers }),
    ...(taxInfo === undefined
      ? {}
      : { taxExemptStatus: taxInfo.exemptStatus ?? account.taxExemptStatus, vatId: taxInfo.VATId ?? account.vatId }),
    custom: { ...account.custom, ...custom },
  });
}

type ContactChanges = Partial<Omit<Contact, 'id' | 'createdAt' | 'updatedAt' | 'accountId'>>;

/** A contact changes alone: whether the account's `updatedDate` moves with it is a switch of the tenant. */
export function changeContact(
  tenant: Tenant,
  contact: Contact,
  input: { readonly [Name in keyof ContactChanges]?: ContactChanges[Name] | undefined } & { readonly zipCode?: string | undefined },
): Contact {
  const { zipCode, ...given } = input;
  const fields: ContactChanges = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const name = fields.country == null ? contact.country : (countryName(fields.country) ?? contact.country);
  const changed = tenant.change(tenant.contacts, contact, {
    ...fields,
    ...(zipCode === undefined ? {} : { postalCode: zipCode }),
    ...(fields.country === undefined ? {} : { country: fields.country === null ? null : name }),
    ...(fields.state === undefined ? {} : { state: stateName(fields.state, name) }),
  });
  const account = tenant.accounts.get(contact.accountId);
  if (tenant.features.accountMovesOnContactEdit && account) tenant.change(tenant.accounts, account, {});
  return changed;
}
