import { accountObjects } from './query-objects/accounts.ts';
import type { QueryObject } from './query-objects/define.ts';
import { invoiceObjects } from './query-objects/invoices.ts';
import { memoObjects } from './query-objects/memos.ts';
import { moneyObjects } from './query-objects/money.ts';

/** Every object of the query that this tenant answers, by path. */
export const queryObjects: ReadonlyMap<string, QueryObject> = new Map(
  [...accountObjects, ...invoiceObjects, ...memoObjects, ...moneyObjects].map((object) => [object.path, object]),
);
