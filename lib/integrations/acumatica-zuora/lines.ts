import {
  absolute,
  add,
  compare,
  type Decimal,
  decimalsOf,
  equal,
  isNegative,
  isZero,
  multiply,
  negate,
  normal,
  readable,
  round,
  subtract,
  sum,
} from '../../values/decimal.ts';
import { type AccountChoice, accountOf, reasonAccount } from './accounts.ts';
import type { Books } from './books.ts';
import type { ArDocument, DocumentLine } from './canonical.ts';
import { hold, mappingMissing, reasonUnmapped } from './holds.ts';
import { cut, sameText } from './markers.ts';
import type { Settings } from './settings.ts';

/** Document lines: accounts, quantities, tax and the control that nothing is lost between the items and the total. */

export interface ArLine {
  readonly text: string;
  readonly qty: Decimal;
  readonly price: Decimal;
  readonly amount: Decimal;
  readonly account: string;
  readonly subaccount?: string;
  readonly taxCategory?: string;
  readonly deferral?: { readonly code: string; readonly from?: string; readonly to?: string };
}

export interface ArTaxDetail {
  readonly taxId: string;
  readonly taxable: Decimal;
  readonly amount: Decimal;
}

export interface BuiltLines {
  readonly lines: readonly ArLine[];
  readonly taxDetails: readonly ArTaxDetail[];
  /** What Acumatica must show as tax: 0 when tax is posted as lines. */
  readonly taxTotal: Decimal;
  /** Items without amount and tax that were left out. */
  readonly dropped: number;
}

const textLength = 256;

/** `turned`: a negative document is posted as the opposite kind with all signs turned. */
export function buildLines(document: ArDocument, turned: boolean, settings: Settings, books: Books): BuiltLines {
  const sign = (amount: Decimal) => (turned ? negate(amount) : normal(amount));
  const decimals = decimalsAllowed(document, books);
  const kept = document.lines.filter((line) => !isZero(line.net) || !isZero(line.tax));
  const charges = [...kept].sort(inOrder).map((line) => chargeLine(line, { document, turned, settings, books, decimals }));
  const taxes = settings.tax.mode === 'line' ? taxLines(document, sign, settings, books) : [];
  const taxDetails = settings.tax.mode === 'detail' ? taxDetailsOf(document, sign, settings) : [];
  const taxTotal = sum(taxDetails.map((detail) => detail.amount));
  const total = sign(document.total);
  const merged = settings.lines === 'by-account' ? byAccount(charges) : charges;
  const rounding = roundingLine(
    subtract(total, sum([...charges, ...taxes].map((line) => line.amount).concat(taxTotal))),
    document,
    settings,
    books,
  );
  return { lines: [...merged, ...taxes, ...rounding], taxDetails, taxTotal, dropped: document.lines.length - kept.length };
}

function inOrder(left: DocumentLine, right: DocumentLine): number {
  const [a, b] = [left.from ?? '', right.from ?? ''];
  if (a !== b) return a < b ? -1 : 1;
  return left.key < right.key ? -1 : left.key > right.key ? 1 : 0;
}

function decimalsAllowed(document: ArDocument, books: Books): number {
  const decimals = books.currencies.get(document.currency)?.decimals ?? 2;
  const fine = [document.total, ...document.lines.map((line) => line.net), ...document.taxes.map((tax) => tax.amount)].find(
    (amount) => decimalsOf(amount) > decimals,
  );
  if (fine !== undefined)
    throw hold(
      `precision:${document.currency}`,
      `${document.number} has the amount ${fine}; Acumatica keeps ${decimals} decimals of ${document.currency}.`,
      'Raise the precision of the currency in Acumatica (CM202000) or the rounding in Zuora.',
    );
  return decimals;
}

/** Revenue accounts a code leads to, in the order of preference the setting gives. */
export function codeOf(
  line: Pick<DocumentLine, 'recognisedCode' | 'ownCode' | 'deferredCode'>,
  revenue: Settings['revenue'],
): string | undefined {
  return revenue === 'zuora-journals' ? (line.deferredCode ?? line.recognisedCode ?? line.ownCode) : (line.recognisedCode ?? line.ownCode);
}

const writeOff = 'write-off';

function chargeAccount(line: DocumentLine, document: ArDocument, settings: Settings, books: Books): AccountChoice {
  if (document.object !== 'invoice' && document.reason !== undefined) {
    const entry = Object.entries(settings.reasonAccounts).find(([reason]) => sameText(reason, document.reason));
    if (entry) return reasonAccount(document.reason, entry[1], document.currency, { settings, books });
    if (sameText(document.reason, writeOff)) throw reasonUnmapped(document.number, 'Write-off');
  }
  return accountOf(codeOf(line, settings.revenue), document.currency, { settings, books });
}

function chargeLine(
  line: DocumentLine,
  given: {
    readonly document: ArDocument;
    readonly turned: boolean;
    readonly settings: Settings;
    readonly books: Books;
    readonly decimals: number;
  },
): ArLine {
  const { document, turned, settings, books, decimals } = given;
  const { deferralCode, ...account } = chargeAccount(line, document, settings, books);
  const amount = turned ? negate(line.net) : normal(line.net);
  const counted = quantityOf(line, turned, amount, decimals);
  const dates = line.from === undefined ? '' : ` ${line.from}${line.to === undefined ? '' : `–${line.to}`}`;
  const suffix =
    counted || line.qty === undefined || equal(line.qty, '1')
      ? ''
      : ` (qty ${normal(line.qty)}${line.uom === undefined ? '' : ` ${line.uom}`})`;
  const category = settings.tax.mode === 'detail' && !isZero(line.tax) ? settings.tax.taxableCategory : settings.tax.exemptCategory;
  return {
    text: cut(`${line.text}${dates}`, textLength - suffix.length) + suffix,
    qty: counted?.qty ?? '1',
    price: counted?.price ?? amount,
    amount,
    ...account,
    ...(category === undefined ? {} : { taxCategory: category }),
    ...(settings.revenue === 'acumatica-deferral' && deferralCode !== undefined
      ? {
          deferral: {
            code: deferralCode,
            ...(line.from === undefined ? {} : { from: line.from }),
            ...(line.to === undefined ? {} : { to: line.to }),
          },
        }
      : {}),
  };
}

/** Quantity and price only where Acumatica, which multiplies them again, comes to the very amount. */
function quantityOf(line: DocumentLine, turned: boolean, amount: Decimal, decimals: number): { qty: Decimal; price: Decimal } | undefined {
  if (line.qty === undefined || line.price === undefined || isZero(line.qty)) return undefined;
  if (decimalsOf(line.qty) > 6 || decimalsOf(line.price) > 6) return undefined;
  const turnQty = turned && isNegative(line.qty);
  const qty = turnQty ? negate(line.qty) : normal(line.qty);
  const price = turned && !turnQty ? negate(line.price) : normal(line.price);
  return equal(round(multiply(qty, price), decimals), amount) ? { qty, price } : undefined;
}

function taxLines(document: ArDocument, sign: (amount: Decimal) => Decimal, settings: Settings, books: Books): ArLine[] {
  const groups = new Map<string, { account: AccountChoice; amount: Decimal; names: Set<string> }>();
  for (const tax of document.taxes) {
    if (isZero(tax.amount)) continue;
    const { deferralCode: _, ...account } = accountOf(tax.code, document.currency, { settings, books });
    const key = `${account.account}|${account.subaccount ?? ''}`;
    const group = groups.get(key) ?? { account, amount: '0', names: new Set<string>() };
    group.amount = add(group.amount, sign(tax.amount));
    group.names.add(tax.name);
    groups.set(key, group);
  }
  return [...groups.values()]
    .filter((group) => !isZero(group.amount))
    .map((group) => ({
      text: cut(`Tax: ${[...group.names].join(', ')}`, textLength),
      qty: '1',
      price: group.amount,
      amount: group.amount,
      ...group.account,
      ...(settings.tax.exemptCategory === undefined ? {} : { taxCategory: settings.tax.exemptCategory }),
    }));
}

function taxDetailsOf(document: ArDocument, sign: (amount: Decimal) => Decimal, settings: Settings): ArTaxDetail[] {
  const nets = new Map(document.lines.map((line) => [line.key, line.net]));
  const groups = new Map<string, { taxable: Decimal; amount: Decimal }>();
  for (const tax of document.taxes) {
    const entry = Object.entries(settings.tax.ids).find(([name]) => sameText(name, tax.name));
    if (!entry)
      throw mappingMissing(`tax-map:${tax.name}`, `Zuora tax '${tax.name}' has no Acumatica TaxID.`, `Add '${tax.name}' to tax.ids.`);
    const group = groups.get(entry[1]) ?? { taxable: '0', amount: '0' };
    const taxable = tax.taxable ?? nets.get(tax.lineKey) ?? '0';
    groups.set(entry[1], { taxable: add(group.taxable, sign(taxable)), amount: add(group.amount, sign(tax.amount)) });
  }
  return [...groups].map(([taxId, group]) => ({ taxId, ...group }));
}

function byAccount(lines: readonly ArLine[]): ArLine[] {
  const groups = new Map<string, { first: ArLine; amount: Decimal; count: number }>();
  for (const line of lines) {
    const key = [
      line.account,
      line.subaccount ?? '',
      line.taxCategory ?? '',
      line.deferral?.code ?? '',
      line.deferral?.from ?? '',
      line.deferral?.to ?? '',
    ].join('|');
    const group = groups.get(key);
    groups.set(
      key,
      group ? { ...group, amount: add(group.amount, line.amount), count: group.count + 1 } : { first: line, amount: line.amount, count: 1 },
    );
  }
  return [...groups.values()]
    .filter((group) => !isZero(group.amount))
    .map(({ first, amount, count }) => {
      if (count === 1) return first;
      const suffix = ` (and ${count - 1} more)`;
      return { ...first, text: cut(first.text, textLength - suffix.length) + suffix, qty: '1', price: amount, amount };
    });
}

function roundingLine(difference: Decimal, document: ArDocument, settings: Settings, books: Books): ArLine[] {
  if (isZero(difference)) return [];
  const { tolerance, account } = settings.rounding;
  if (account === undefined || compare(absolute(difference), tolerance) > 0)
    throw hold(
      'items-do-not-sum',
      `${document.number}: the items and taxes sum to ${readable(subtract(absolute(document.total), difference))}, the total is ${readable(absolute(document.total))}; difference ${readable(absolute(difference))}.`,
      'Correct the document in Zuora, or allow a rounding line with rounding.tolerance and rounding.account.',
      { details: { difference: readable(absolute(difference)) } },
    );
  const { deferralCode: _, ...choice } = accountOf('rounding', document.currency, {
    settings: { ...settings, accountMap: [{ code: 'rounding', account }] },
    books,
  });
  return [
    {
      text: 'Rounding',
      qty: '1',
      price: difference,
      amount: difference,
      ...choice,
      ...(settings.tax.exemptCategory === undefined ? {} : { taxCategory: settings.tax.exemptCategory }),
    },
  ];
}

/** Above 500 lines a document is written in parts: how many lines each request carries. */
export function chunksOf(lines: number): readonly number[] {
  if (lines <= 500) return [lines];
  return Array.from({ length: Math.ceil(lines / 250) }, (_, index) => Math.min(250, lines - index * 250));
}
