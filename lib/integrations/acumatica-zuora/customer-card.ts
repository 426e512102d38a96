import type { AcumaticaClient } from '../../vendors/acumatica/client.ts';
import { eq, or } from '../../vendors/acumatica/filter.ts';
import type { CustomerRow } from '../../vendors/acumatica/wire.ts';
import { sameText } from './markers.ts';

/** What documents need to know of their customer. */

export interface CustomerAsk {
  readonly customerId: string;
  readonly accountNumber: string;
}

export type CustomerCard = {
  /** The present CustomerID: differs from the one asked for after a renumbering. */
  readonly id: string;
  readonly currency?: string;
  readonly status?: string;
  /** A document may be in another currency. */
  readonly anyCurrency?: boolean;
  readonly parent?: string;
};

const cardFields = ['CustomerID', 'AccountRef', 'CurrencyID', 'Status', 'EnableCurrencyOverride', 'ParentRecord'] as const;
const customersPerRead = 20;

/** Customers by CustomerID, 20 per call; those that are gone are looked for by AccountRef, because a renumbering keeps it. */
export async function readCustomers(acumatica: AcumaticaClient, asks: readonly CustomerAsk[]): Promise<ReadonlyMap<string, CustomerCard>> {
  const cards = new Map<string, CustomerCard>();
  for (let start = 0; start < asks.length; start += customersPerRead) {
    const part = asks.slice(start, start + customersPerRead);
    const [first, ...more] = part.map((ask) => eq('Customer', 'CustomerID', ask.customerId));
    if (first === undefined) continue;
    for await (const page of acumatica.list('Customer', { filter: or(first, ...more), select: cardFields })) {
      for (const row of page) {
        const ask = part.find((each) => sameText(each.customerId, row.CustomerID));
        if (ask) cards.set(ask.customerId, cardOf(row));
      }
    }
  }
  for (const ask of asks.filter((each) => !cards.has(each.customerId))) {
    const found = [];
    for await (const page of acumatica.list('Customer', { filter: eq('Customer', 'AccountRef', ask.accountNumber), select: cardFields }))
      found.push(...page);
    const [only] = found;
    if (only !== undefined && found.length === 1) cards.set(ask.customerId, cardOf(only));
  }
  return cards;
}

function cardOf(row: CustomerRow): CustomerCard {
  return {
    id: row.CustomerID,
    ...(row.CurrencyID === undefined ? {} : { currency: row.CurrencyID }),
    ...(row.Status === undefined ? {} : { status: row.Status }),
    ...(row.EnableCurrencyOverride === undefined ? {} : { anyCurrency: row.EnableCurrencyOverride }),
    ...(row.ParentRecord === undefined ? {} : { parent: row.ParentRecord }),
  };
}
