import type { Books } from './books.ts';
import { hold, mappingMissing } from './holds.ts';
import { sameText } from './markers.ts';
import type { MethodRow } from './settings.ts';

export interface Paid {
  readonly gateway: string | undefined;
  readonly methodType: string | undefined;
  readonly currency: string;
}

/** The most specific row that fits wins, then the first. The cash account must be allowed for AR in the method. */
export function methodOf(
  paid: Paid,
  rows: readonly MethodRow[],
  books: Pick<Books, 'methods'>,
): Pick<MethodRow, 'paymentMethod' | 'cashAccount'> {
  const fits = (wanted: string | undefined, has: string | undefined) => wanted === undefined || sameText(wanted, has);
  const specific = (row: MethodRow) => [row.gateway, row.methodType, row.currency].filter((member) => member !== undefined).length;
  const best = rows
    .filter((row) => fits(row.gateway, paid.gateway) && fits(row.methodType, paid.methodType) && fits(row.currency, paid.currency))
    .reduce<MethodRow | undefined>((first, row) => (first === undefined || specific(row) > specific(first) ? row : first), undefined);
  const asked = `${paid.gateway ?? '-'}/${paid.methodType ?? '-'}/${paid.currency}`;
  if (!best)
    throw mappingMissing(
      `method-map:${asked}`,
      `No payment method is mapped for gateway ${paid.gateway ?? '(none)'}, method ${paid.methodType ?? '(none)'}, ${paid.currency}.`,
      'Add a row to methods: paymentMethod and cashAccount.',
    );
  const method = books.methods.get(best.paymentMethod.trim().toUpperCase());
  if (!method?.useInAr || !method.cashAccounts.some((account) => sameText(account, best.cashAccount)))
    throw hold(
      `method-map:${asked}`,
      `Cash account ${best.cashAccount} is not allowed for AR in payment method ${best.paymentMethod}.`,
      'Allow it in Payment Methods (CA204000) or correct the row in methods.',
    );
  return { paymentMethod: best.paymentMethod, cashAccount: best.cashAccount };
}
