import * as z from 'zod';
import type { Feed, Found } from '../../../contracts/flow.ts';
import { isZero } from '../../../values/decimal.ts';
import { type AccountRow, customField, instantOf } from '../../../vendors/zuora/wire.ts';
import type { PairContext } from '../context.ts';

/** Reads billing accounts of Zuora with their bill-to contact and, where the settings ask for them, tax number and top-most parent. */

const text = z.string().optional();

export const accountSourceSchema = z.object({
  id: z.string(),
  number: z.string(),
  name: z.string(),
  status: z.string(),
  currency: z.string(),
  updatedAt: z.string(),
  batch: text,
  terms: text,
  /** No open balance: only then may a canceled account make its customer inactive. */
  settled: z.boolean(),
  customerId: text,
  taxId: text,
  /** What stands at the top of the chain of parents. */
  parent: z
    .discriminatedUnion('is', [
      z.object({ is: z.literal('account'), id: z.string(), number: z.string() }),
      z.object({ is: z.literal('excluded'), number: z.string() }),
      z.object({ is: z.literal('endless'), number: z.string() }),
    ])
    .optional(),
  contact: z
    .object({
      firstName: text,
      lastName: text,
      address1: text,
      address2: text,
      city: text,
      state: text,
      country: text,
      postal: text,
      workEmail: text,
      personalEmail: text,
      workPhone: text,
    })
    .optional(),
});
export type AccountSource = z.infer<typeof accountSourceSchema>;

type Parent = NonNullable<AccountSource['parent']>;

const deepestChain = 10;

export async function fetchAccountSources(context: PairContext, ids: readonly string[]): Promise<ReadonlyMap<string, AccountSource>> {
  const rows = await context.zuora.fetchByIds('accounts', ids, { expand: ['billto'] });
  const sources = await sourcesOf(context, rows);
  return new Map(sources.map((source) => [source.id, source]));
}

async function sourcesOf(context: PairContext, rows: readonly AccountRow[]): Promise<readonly AccountSource[]> {
  const { customers, hierarchy } = context.settings;
  const parents = hierarchy === 'parent' ? await fetchParents(context, rows) : new Map<string, Parent>();
  const taxIdOf = async (row: AccountRow): Promise<string | undefined> => {
    if (customers.taxId === 'off') return undefined;
    return customers.taxId === 'v1' ? (await context.zuora.fetchAccount(row.id))?.taxInfo?.VATId : customField(row, customers.taxId);
  };
  const taxIds = await Promise.all(rows.map(taxIdOf));
  return rows.map((row, index): AccountSource => {
    const { billTo } = row;
    return {
      id: row.id,
      number: row.accountNumber,
      name: row.name,
      status: row.status,
      currency: row.currency,
      updatedAt: row.updatedDate,
      batch: row.batch,
      terms: row.paymentTerm,
      settled: row.balance === undefined || isZero(row.balance),
      customerId: customers.matchField === undefined ? undefined : customField(row, customers.matchField),
      taxId: taxIds[index],
      parent: parents.get(row.id),
      contact:
        billTo === undefined
          ? undefined
          : {
              firstName: billTo.firstName,
              lastName: billTo.lastName,
              address1: billTo.address1,
              address2: billTo.address2,
              city: billTo.city,
              state: billTo.state,
              country: billTo.country,
              postal: billTo.zipCode ?? billTo.postalCode,
              workEmail: billTo.workEmail,
              personalEmail: billTo.personalEmail,
              workPhone: billTo.workPhone,
            },
    };
  });
}

/** Top-most ancestors, because Acumatica's hierarchy has two levels only. One read per level of the deepest chain. */
async function fetchParents(context: PairContext, rows: readonly AccountRow[]): Promise<ReadonlyMap<string, Parent>> {
  const known = new Map(rows.map((row) => [row.id, row]));
  for (let level = 0; level <= deepestChain; level += 1) {
    const missing = [...known.values()].flatMap((row) => (row.parentId === undefined || known.has(row.parentId) ? [] : [row.parentId]));
    if (missing.length === 0) break;
    const found = await context.zuora.fetchByIds('accounts', missing);
    for (const row of found) known.set(row.id, row);
    if (found.length === 0) break;
  }
  const parents = new Map<string, Parent>();
  for (const row of rows) {
    const parent = topOf(row, known, context.settings.customers.excludeBatches);
    if (parent !== undefined) parents.set(row.id, parent);
  }
  return parents;
}

function topOf(row: AccountRow, known: ReadonlyMap<string, AccountRow>, excluded: readonly string[]): Parent | undefined {
  let top = row;
  for (let level = 0; ; level += 1) {
    const next = top.parentId === undefined ? undefined : known.get(top.parentId);
    if (next === undefined) break;
    if (level >= deepestChain || next.id === row.id) return { is: 'endless', number: row.accountNumber };
    top = next;
  }
  if (top === row) return undefined;
  if (top.batch !== undefined && excluded.includes(top.batch)) return { is: 'excluded', number: top.accountNumber };
  return { is: 'account', id: top.id, number: top.accountNumber };
}

/** Accounts, and with a hierarchy also the accounts below a changed one: their top-most parent may have changed with it. */
export const accountFeed: Feed<AccountSource, PairContext> = {
  name: 'accounts',
  async *list(context, since) {
    const { customers, hierarchy } = context.settings;
    const ask = since === undefined ? { filters: ['status.EQ:Active'] } : { since };
    for await (const page of context.zuora.listChanged('accounts', { ...ask, expand: ['billto'] })) {
      const rows = hierarchy === 'parent' && since !== undefined ? [...page, ...(await fetchBelow(context, page))] : page;
      const last = page.at(-1)?.updatedDate;
      // A tax number of the v1 resource costs a read per account: the worker makes it, for those that are news.
      if (customers.taxId === 'v1') yield rows.map((row): Found<AccountSource> => ({ key: row.id, at: atOf(row, page, last) }));
      else {
        const sources = new Map((await sourcesOf(context, rows)).map((source) => [source.id, source]));
        yield rows.map((row): Found<AccountSource> => {
          const source = sources.get(row.id);
          return { key: row.id, at: atOf(row, page, last), ...(source === undefined ? {} : { row: source }) };
        });
      }
    }
  },
};

/** What is listed for its parent's sake must not move the cursor: it counts as changed when the page did. */
function atOf(row: AccountRow, page: readonly AccountRow[], last: string | undefined): Date {
  return instantOf(page.includes(row) ? row.updatedDate : (last ?? row.updatedDate));
}

async function fetchBelow(context: PairContext, page: readonly AccountRow[]): Promise<readonly AccountRow[]> {
  const known = new Set(page.map((row) => row.id));
  const below: AccountRow[] = [];
  let level: readonly AccountRow[] = page;
  for (let depth = 0; depth < deepestChain && level.length > 0; depth += 1) {
    const parents = level.map((row) => row.id);
    const children = await context.zuora.fetchWhereIn('accounts', 'parentid', parents, { chunk: 20, expand: ['billto'] });
    level = children.filter((row) => !known.has(row.id));
    for (const row of level) known.add(row.id);
    below.push(...level);
  }
  return below;
}

/** Contacts change without their account: each one is a look at the account. */
export const contactFeed: Feed<AccountSource, PairContext> = {
  name: 'contacts',
  async *list(context, since) {
    // The first look at the accounts brings their contacts along.
    if (since === undefined) return;
    for await (const page of context.zuora.listChanged('contacts', { since }))
      yield page.map((row) => ({ key: row.accountId, at: instantOf(row.updatedDate) }));
  },
};
