import type * as z from 'zod';
import type { Lens, Resolved } from '../../../contracts/flow.ts';
import { asFailure, Failure } from '../../../failures.ts';
import { fingerprint } from '../../../values/json.ts';
import { and, eq } from '../../../vendors/acumatica/filter.ts';
import { type CustomerRow, rowSchemas } from '../../../vendors/acumatica/wire.ts';
import type { WritableRecord } from '../../../vendors/acumatica/wrapping.ts';
import type { PairContext } from '../context.ts';
import { acumaticaFields, type Customer } from '../customer.ts';
import { candidateOf, fetchCustomerRows, fetchCustomersByRef } from '../customer-index.ts';
import { hold } from '../holds.ts';
import { sameText } from '../markers.ts';
import { checkCustomerCurrency } from '../matching.ts';

/** Customers of form AR303000: found by AccountRef, created with what must never change afterwards, updated field by field. */

const form = 'Customers (AR303000)';
const expand = ['MainContact', 'MainContact/Address'];
const inactive = 'Inactive';

const rowSchema: z.ZodType<CustomerRow> = rowSchemas.Customer;

export const acumaticaCustomer: Lens<Customer, CustomerRow, PairContext> = {
  source: {
    // Nothing flows from here: what people change in Acumatica stays until Zuora changes the same field.
    feeds: () => [],
    rows: (context, keys) => fetchCustomerRows(context.acumatica, keys),
    row: rowSchema,
    describe: (row) => ({
      key: row.CustomerID.trim(),
      label: `${row.CustomerID.trim()} ${row.CustomerName ?? ''}`.trim(),
      header: fingerprint(readCustomer(row)),
    }),
  },
  read: readCustomer,
  changedAt: (row) => (row.LastModifiedDateTime === undefined ? undefined : new Date(row.LastModifiedDateTime)),
  writes: acumaticaFields,
  createOnly: ['currency'],
  looksAfterMs: [60_000, 300_000, 660_000],
  async findByMarker(context, refs, asking) {
    const rows = await fetchCustomersByRef(context.acumatica, refs);
    return new Map(refs.map((ref): [string, readonly CustomerRow[] | Failure] => [ref, hitsOf(ref, rows, asking.get(ref))]));
  },
  create: createCustomer,
  update: updateCustomer,
};

function hitsOf(ref: string, rows: readonly CustomerRow[], asking: Partial<Customer> | undefined): readonly CustomerRow[] | Failure {
  const hits = rows.filter((row) => sameText(row.AccountRef, ref));
  const [only] = hits;
  if (only === undefined || hits.length > 1 || asking?.currency === undefined) return hits;
  try {
    checkCustomerCurrency({ ref, currency: asking.currency }, candidateOf(only));
    return hits;
  } catch (thrown) {
    return asFailure(thrown);
  }
}

function readCustomer(row: CustomerRow): Partial<Customer> {
  const { MainContact: contact } = row;
  const address = contact?.Address;
  return {
    ref: row.AccountRef ?? '',
    name: row.CustomerName ?? '',
    currency: row.CurrencyID ?? '',
    terms: row.Terms,
    email: contact?.Email,
    attention: contact?.Attention,
    phone: contact?.Phone1,
    line1: address?.AddressLine1,
    line2: address?.AddressLine2,
    city: address?.City,
    state: address?.State,
    postal: address?.PostalCode,
    country: address?.Country ?? '',
    taxId: row.TaxRegistrationID,
    parent: row.ParentRecord,
    active: row.Status !== inactive,
    applies: row.AutoApplyPayments === true ? undefined : 'connector',
  };
}

async function createCustomer(
  context: PairContext,
  customer: Customer,
  links: Resolved,
): Promise<{ readonly key: string; readonly row: CustomerRow }> {
  const { customers, currency } = context.settings;
  const byHand = customers.id === 'account-number';
  const customerClass = customers.class?.byCurrency[customer.currency] ?? customers.class?.default;
  const record: WritableRecord = {
    // Under automatic numbering a CustomerID that is sent is ignored, and a second record would be made by every try.
    ...(byHand ? { CustomerID: customer.ref.toUpperCase() } : {}),
    // First, because the class gives the other fields their defaults.
    CustomerClass: customerClass,
    CustomerName: customer.name,
    AccountRef: customer.ref,
    CurrencyID: customer.currency,
    ...(currency === 'document' ? { EnableCurrencyOverride: true } : {}),
    Terms: customer.terms,
    TaxRegistrationID: customer.taxId,
    ParentRecord: customer.parent === undefined ? undefined : parentOf(links),
    AutoApplyPayments: false,
    PrintInvoices: false,
    SendInvoicesbyEmail: false,
    MainContact: {
      Email: customer.email,
      Attention: customer.attention,
      Phone1: customer.phone,
      Address: {
        // Before the state, which belongs to it.
        Country: customer.country,
        AddressLine1: customer.line1,
        AddressLine2: customer.line2,
        City: customer.city,
        State: customer.state,
        PostalCode: customer.postal,
      },
    },
  };
  const row = await context.acumatica.put('Customer', record, { expand, ifNoneMatch: byHand });
  if (row !== 'condition-failed') return { key: row.CustomerID.trim(), row };
  return takenNumber(context, customer.ref);
}

/** The number exists: it is ours when it carries our reference, because the look before may have come too early. */
async function takenNumber(context: PairContext, ref: string): Promise<{ readonly key: string; readonly row: CustomerRow }> {
  const id = ref.toUpperCase();
  const row = (await fetchCustomerRows(context.acumatica, [id])).get(id);
  if (row !== undefined && sameText(row.AccountRef, ref)) return { key: row.CustomerID.trim(), row };
  throw hold(
    `customer-id:${id}`,
    `CustomerID ${id} exists in Acumatica and has ${row?.AccountRef === undefined ? 'no AccountRef' : `AccountRef ${row.AccountRef}`}: it was not touched.`,
    `If it is the customer of account ${ref}, link the two; else renumber one of them.`,
  );
}

async function updateCustomer(
  context: PairContext,
  key: string,
  changes: Partial<Customer>,
  current: CustomerRow,
  links: Resolved,
): Promise<CustomerRow> {
  if (changes.active === false) await refuseOpenDocuments(context, key);
  const sent = <Name extends keyof Customer>(field: Name, value: string | null | undefined = textOf(changes[field])) =>
    field in changes ? (value ?? null) : undefined;
  const contact = { Email: sent('email'), Attention: sent('attention'), Phone1: sent('phone') };
  const address = {
    Country: sent('country'),
    AddressLine1: sent('line1'),
    AddressLine2: sent('line2'),
    City: sent('city'),
    // A new country clears the state: one that stays the same is sent again.
    State: 'country' in changes && !('state' in changes) ? current.MainContact?.Address?.State : sent('state'),
    PostalCode: sent('postal'),
  };
  const record: WritableRecord = {
    CustomerID: key,
    CustomerName: sent('name'),
    AccountRef: sent('ref'),
    Terms: sent('terms'),
    TaxRegistrationID: sent('taxId'),
    ParentRecord: 'parent' in changes ? (changes.parent === undefined ? null : parentOf(links)) : undefined,
    Status: 'active' in changes ? (changes.active === false ? inactive : 'Active') : undefined,
    AutoApplyPayments: 'applies' in changes ? false : undefined,
    ...(isEmpty(contact) && isEmpty(address) ? {} : { MainContact: { ...contact, ...(isEmpty(address) ? {} : { Address: address }) } }),
  };
  const row = await context.acumatica.put('Customer', record, { expand, ifMatch: true });
  // What documents know of it may have changed.
  await context.forget(`customer:${key}`);
  if (row !== 'condition-failed') return row;
  throw new Failure('RecordGone', { sentence: `Customer ${key} no longer exists in Acumatica.` });
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const isEmpty = (record: Readonly<Record<string, unknown>>): boolean => Object.values(record).every((value) => value === undefined);

/** CustomerID of the parent; the engine resolved it before anything was written. */
function parentOf(links: Resolved): string | undefined {
  return links.get('parent')?.keys.a;
}

/** An inactive customer takes no documents: money that is still to come could not be posted. */
async function refuseOpenDocuments(context: PairContext, key: string): Promise<void> {
  const { acumatica } = context;
  const invoices = acumatica.list('Invoice', {
    filter: and(eq('Invoice', 'Customer', key), eq('Invoice', 'Status', 'Open')),
    top: 1,
    select: [],
  });
  const payments = acumatica.list('Payment', {
    filter: and(eq('Payment', 'CustomerID', key), eq('Payment', 'Status', 'Open')),
    top: 1,
    select: [],
  });
  for await (const page of invoices) if (page.length > 0) throw stillOpen(context, key);
  for await (const page of payments) if (page.length > 0) throw stillOpen(context, key);
}

function stillOpen(context: PairContext, key: string): Failure {
  return new Failure('ConditionPending', {
    cause: 'customer-balance',
    sentence: `The account is canceled in Zuora; customer ${key} still has open documents in Acumatica and stays Active until they are settled.`,
    fix: `Settle its documents on ${form}, or set customers.onCanceled: keep. It is looked at again by itself.`,
    at: new Date(context.now.getTime() + 6 * 3_600_000),
  });
}
