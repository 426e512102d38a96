import { hold } from './holds.ts';
import type { Settings } from './settings.ts';

/**
 * Releasing an AR document already posts revenue, tax, AR and cash to the ledger. A journal may therefore only carry what has no AR document;
 * this is the table of who owns which Zuora transaction type. Types are compared by their words, because Zuora spells them with and without blanks.
 */
export type Owner = { readonly is: 'journal' } | { readonly is: 'filtered'; readonly rule: string };

const ofDocuments = [/^invoice item$/, /^taxation item$/, /^(debit|credit) memo item( \((charge|tax)\))?$/];
const ofMoney = [
  /^(electronic|external) (payment|refund)$/,
  /^(electronic|external)? ?payment application( item)?$/,
  /^(electronic|external)? ?refund application( item)?$/,
  /^credit memo application item$/,
];
const withoutSettlement = [/^invoice item adjustment( \(.*\))?$/, /^invoice adjustment$/, /credit balance/];
const recognition = /^revenue event item$/;

export function ownerOf(transactionType: string, settings: Pick<Settings, 'postingMode' | 'revenue'>): Owner {
  const type = transactionType
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .trim()
    .replace(/\s+/g, ' ')
    .toLowerCase();
  const any = (patterns: readonly RegExp[]) => patterns.some((pattern) => pattern.test(type));
  const known = any(ofDocuments) || any(ofMoney) || any(withoutSettlement) || recognition.test(type);
  if (!known)
    throw hold(
      'unknown-type',
      `Transaction type '${transactionType}' is not one this connector knows; it may be booked by an AR document already.`,
      'Enter it by hand in Acumatica or update the connector; nothing was written.',
    );
  if (settings.postingMode === 'gl-summary') return { is: 'journal' };
  if (any(ofDocuments) || any(ofMoney)) return { is: 'filtered', rule: 'owned-by-ar' };
  if (recognition.test(type))
    return settings.revenue === 'zuora-journals' ? { is: 'journal' } : { is: 'filtered', rule: 'recognised-at-billing' };
  throw hold(
    'no-ar-counterpart',
    `'${transactionType}' has no AR document of its own in a tenant without Invoice Settlement.`,
    'Enter the adjustment by hand in Acumatica (AR301000), then release this hold with ignore.',
  );
}
