import type { AcumaticaClient } from '../../vendors/acumatica/client.ts';
import { after, eq, or } from '../../vendors/acumatica/filter.ts';
import type { CustomerRow } from '../../vendors/acumatica/wire.ts';
import type { PairContext } from './context.ts';
import { type Candidate, plainName } from './matching.ts';

/**
 * All customers, small enough to be kept: who is like a new account is asked of it before the present state is read. Read whole once a day; in
 * between only what was modified since.
 */

const listed = ['CustomerID', 'CustomerName', 'AccountRef', 'CurrencyID', 'Status', 'LastModifiedDateTime'] as const;
const contact = ['MainContact/Email', 'MainContact/Address/PostalCode', 'MainContact/Address/Country'] as const;
const indexed = { select: [...listed, ...contact], expand: ['MainContact', 'MainContact/Address'] };
/** Everything a customer is compared by. */
const whole = { expand: ['MainContact', 'MainContact/Address'] };

const dayMs = 24 * 3_600_000;
const freshMs = 10 * 60_000;
/** The ERP's clock may be behind ours. */
const overlapMs = 10 * 60_000;
const customersPerRead = 20;

type Stored = { readonly readAt: string; readonly rows: readonly Candidate[] };

export interface CustomerIndex {
  named(plain: string): readonly Candidate[];
}

export async function loadCustomerIndex(context: PairContext): Promise<CustomerIndex> {
  const { acumatica } = context;
  const all = await context.cached<Stored>('customers', dayMs, async () => ({
    readAt: context.now.toISOString(),
    rows: await collect(acumatica.list('Customer', indexed)),
  }));
  const changes = () =>
    context.cached<Stored>('customers:changed', freshMs, async () => ({
      readAt: all.readAt,
      rows: await collect(
        acumatica.list('Customer', {
          ...indexed,
          filter: after('Customer', 'LastModifiedDateTime', new Date(Date.parse(all.readAt) - overlapMs)),
        }),
      ),
    }));
  let changed = context.now.getTime() - Date.parse(all.readAt) < freshMs ? undefined : await changes();
  if (changed !== undefined && changed.readAt !== all.readAt) {
    await context.forget('customers:changed');
    changed = await changes();
  }
  const byId = new Map([...all.rows, ...(changed?.rows ?? [])].map((row) => [row.id, row]));
  const byName = new Map<string, Candidate[]>();
  for (const row of byId.values()) {
    const plain = plainName(row.name);
    byName.set(plain, [...(byName.get(plain) ?? []), row]);
  }
  return { named: (plain) => byName.get(plain) ?? [] };
}

/** Customers as they are now, by CustomerID, with everything they are compared by; 20 per call. */
export async function fetchCustomerRows(acumatica: AcumaticaClient, ids: readonly string[]): Promise<ReadonlyMap<string, CustomerRow>> {
  const rows = await fetchWhere(acumatica, 'CustomerID', ids, whole);
  const found = new Map<string, CustomerRow>();
  for (const id of ids) {
    const row = rows.find((each) => each.CustomerID.trim().toLowerCase() === id.trim().toLowerCase());
    if (row !== undefined) found.set(id, row);
  }
  return found;
}

/** Customers by AccountRef; live, because it decides whether one is created. */
export function fetchCustomersByRef(acumatica: AcumaticaClient, refs: readonly string[]): Promise<readonly CustomerRow[]> {
  return fetchWhere(acumatica, 'AccountRef', refs, { select: [...listed] });
}

async function fetchWhere(
  acumatica: AcumaticaClient,
  field: 'CustomerID' | 'AccountRef',
  values: readonly string[],
  options: { readonly select?: readonly string[]; readonly expand?: readonly string[] },
): Promise<readonly CustomerRow[]> {
  const rows: CustomerRow[] = [];
  const unique = [...new Set(values)];
  for (let start = 0; start < unique.length; start += customersPerRead) {
    const part = unique.slice(start, start + customersPerRead);
    if (field === 'AccountRef') {
      const [first, ...more] = part.map((value) => eq('Customer', 'AccountRef', value));
      if (first !== undefined)
        for await (const page of acumatica.list('Customer', { ...options, filter: or(first, ...more) })) rows.push(...page);
    } else {
      const [first, ...more] = part.map((value) => eq('Customer', 'CustomerID', value));
      if (first !== undefined)
        for await (const page of acumatica.list('Customer', { ...options, filter: or(first, ...more) })) rows.push(...page);
    }
  }
  return rows;
}

export function candidateOf(row: CustomerRow): Candidate {
  const email = row.MainContact?.Email ?? row.Email;
  const address = row.MainContact?.Address;
  return {
    id: row.CustomerID.trim(),
    name: row.CustomerName ?? '',
    ...(row.AccountRef === undefined ? {} : { ref: row.AccountRef }),
    ...(row.CurrencyID === undefined ? {} : { currency: row.CurrencyID }),
    ...(email === undefined ? {} : { email }),
    ...(address?.PostalCode === undefined ? {} : { postal: address.PostalCode }),
    ...(address?.Country === undefined ? {} : { country: address.Country }),
  };
}

async function collect(pages: AsyncIterable<readonly CustomerRow[]>): Promise<readonly Candidate[]> {
  const rows: Candidate[] = [];
  for await (const page of pages) rows.push(...page.map(candidateOf));
  return rows;
}
