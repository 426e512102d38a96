import type { PairContext } from '../context.ts';
import { journalKey } from './journals.ts';

/** Records by the numbers people know, for what the connector has never seen. Zuora compares them without letter case. */

/** What may stand in a number; anything else could end the condition it is put into. */
const isNumber = (text: string): boolean => /^[A-Za-z0-9._/-]{1,60}$/.test(text);

const numberFields = {
  accounts: 'accountnumber',
  invoices: 'invoicenumber',
  'debit-memos': 'memonumber',
  'credit-memos': 'memonumber',
  payments: 'paymentnumber',
  refunds: 'refundnumber',
} as const;
type Numbered = keyof typeof numberFields;

/** Ids of the records with this number, in the first object that has one. */
export function named(...nouns: readonly Numbered[]) {
  return async (context: PairContext, number: string): Promise<readonly string[]> => {
    if (!isNumber(number)) return [];
    for (const noun of nouns) {
      if (noun.endsWith('memos') && !(await context.hasInvoiceSettlement())) continue;
      const rows = await context.zuora.findWhere(noun, [`${numberFields[noun]}.EQ:${number}`]);
      if (rows.length > 0) return rows.map((row) => row.id);
    }
    return [];
  };
}

/** Every entry of a run (`JR-00000045`): v1 has no list of runs, so a person names the one that was missed. One entry as `JR-00000045/JE-00000012`. */
export async function journalsNamed(context: PairContext, name: string): Promise<readonly string[]> {
  const [run = '', one, ...rest] = name.split('/');
  if (!isNumber(name) || rest.length > 0 || !/\d/.test(run)) return [];
  const entries = await context.zuora.listJournalEntries(run);
  return entries.filter((entry) => one === undefined || entry.number === one).map((entry) => journalKey(run, entry.number));
}
