import { absolute, isNegative, isPositive, isZero } from '../../../values/decimal.ts';
import { fingerprint } from '../../../values/json.ts';
import type { ArDraft } from '../ar-draft.ts';
import type { Books } from '../books.ts';
import type { ArDocument, DocumentHeader } from '../canonical.ts';
import type { CustomerCard } from '../customer-card.ts';
import { hold } from '../holds.ts';
import { buildLines } from '../lines.ts';
import { cut, markerOf, numberOf, reversalMarkerOf, sameText } from '../markers.ts';
import { type Dated, datedIn } from '../periods.ts';
import type { Settings } from '../settings.ts';

/** A posted Zuora invoice, debit memo or credit memo becomes a document of AR301000. Pure. */

const kindOf = { invoice: 'Invoice', 'debit-memo': 'Debit Memo', 'credit-memo': 'Credit Memo' } as const;

/** A negative document is posted as the opposite kind with all signs turned. */
export function typeOf(document: Pick<DocumentHeader, 'object' | 'total'>): ArDraft['type'] {
  if (!isNegative(document.total)) return kindOf[document.object];
  return document.object === 'credit-memo' ? 'Debit Memo' : 'Credit Memo';
}

/** Fingerprint of what matters of a listed row; balance, payments and flags move `updatedDate` only. */
export function documentHeaderPrint(header: DocumentHeader): string {
  const { status, reversed, accountId, currency, date, total, tax, postedAt } = header;
  return fingerprint({ status, reversed, accountId, currency, date, total, tax: tax ?? '0', postedAt });
}

/** Fingerprint of what the books hold of a document. Texts and due date are not in it. */
export function contentPrint(document: ArDocument): string {
  const byText = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0);
  return fingerprint({
    object: document.object,
    accountId: document.accountId,
    date: document.date,
    currency: document.currency,
    total: document.total,
    reason: document.reason,
    lines: document.lines
      .filter((line) => !isZero(line.net))
      .map((line) => JSON.stringify([line.net, line.recognisedCode, line.ownCode, line.deferredCode]))
      .sort(byText),
    taxes: document.taxes
      .filter((tax) => !isZero(tax.amount))
      .map((tax) => JSON.stringify([tax.name, tax.amount, tax.code]))
      .sort(byText),
  });
}

export interface Mapping {
  readonly generation: number;
  readonly customer: CustomerCard;
  readonly settings: Settings;
  readonly books: Books;
}

export function mapDocument(document: ArDocument, { generation, customer, settings, books }: Mapping): ArDraft {
  const number = numberOf(settings.markerPrefix, document.number);
  const turned = isNegative(document.total);
  const type = typeOf(document);
  checkCustomer(document.number, customer);
  const sendCurrency = checkCurrency(document.number, document.currency, customer, settings, books);
  const dated = datedIn(document.date, 'ar', { periods: books.periods, closedPeriod: settings.closedPeriod }, document.number);
  const { lines, taxDetails, taxTotal, dropped } = buildLines(document, turned, settings, books);
  const credit = type === 'Credit Memo';
  const terms = credit ? undefined : termsOf(document.terms, settings.terms);
  return {
    type,
    marker: markerOf(number, generation),
    number,
    description: cut(`Zuora ${number} ${document.accountNumber}${truth(dated)}`, 512),
    customer: customer.id,
    accountNumber: document.accountNumber,
    accountId: document.accountId,
    date: document.date,
    ...(credit || document.dueDate === undefined ? {} : { dueDate: document.dueDate }),
    ...(terms === undefined ? {} : { terms }),
    ...(dated.postPeriod === undefined ? {} : { postPeriod: dated.postPeriod }),
    branch: settings.branch,
    currency: document.currency,
    sendCurrency,
    total: absolute(document.total),
    taxTotal,
    lines: [...lines],
    taxDetails: [...taxDetails],
    ...(settings.tax.mode === 'detail' && settings.tax.zone !== undefined ? { taxZone: settings.tax.zone } : {}),
    openInSource: document.balance !== undefined && isPositive(absolute(document.balance)),
    content: contentPrint(document),
    source: { object: document.object, id: document.id },
    dropped,
  };
}

const truth = (dated: Dated): string => (dated.movedTo === undefined ? '' : ` of ${dated.date}`);

const blocking = ['Inactive', 'On Hold'];

export function checkCustomer(number: string, customer: CustomerCard): void {
  if (!blocking.some((status) => sameText(status, customer.status))) return;
  throw hold(
    `customer-status:${customer.id}`,
    `${number}: customer ${customer.id} is ${customer.status} in Acumatica, which blocks documents.`,
    `Make ${customer.id} active (AR303000), then replay.`,
  );
}

/** Whether the currency must be sent; throws `currency` where the customer may not have it. */
export function checkCurrency(
  number: string,
  currency: string,
  customer: CustomerCard,
  settings: Pick<Settings, 'currency'>,
  books: Pick<Books, 'baseCurrency' | 'currencies'>,
): boolean {
  const known = books.currencies.get(currency);
  if (!known?.active)
    throw hold(
      'currency',
      `${number} is in ${currency}, which is ${known ? 'inactive' : 'not set up'} in Acumatica.`,
      `Set ${currency} up (CM202000), then replay.`,
    );
  const own = customer.currency ?? books.baseCurrency;
  if (sameText(own, currency)) return settings.currency === 'document';
  if (settings.currency === 'document' && customer.anyCurrency === true) return true;
  throw hold(
    'currency',
    `${number} is in ${currency}; customer ${customer.id} is in ${own ?? 'no currency'}${settings.currency === 'document' ? ' and may not have documents in another one' : ''}.`,
    settings.currency === 'document'
      ? `Allow the currency override on ${customer.id} (AR303000), then replay.`
      : `Correct the currency of ${customer.id} (AR303000) or set currency: document, then replay.`,
  );
}

/** A table entry, else `Net 30` → `30D`; an unknown term is not sent and the due date rules. */
export function termsOf(term: string | undefined, table: Readonly<Record<string, string>>): string | undefined {
  if (term === undefined) return undefined;
  const entry = Object.entries(table).find(([name]) => sameText(name, term));
  if (entry) return entry[1].trim() === '' ? undefined : entry[1].trim();
  const net = /^net\s*(\d{1,3})$/i.exec(term.trim());
  return net ? `${net[1]}D` : undefined;
}

/** The opposite document of a posted one: the same lines and accounts, dated by the event that took it back. */
export function mapReversal(
  posted: ArDraft,
  given: { readonly generation: number; readonly on: string; readonly settings: Settings; readonly books: Pick<Books, 'periods'> },
): ArDraft {
  const { dueDate: _due, terms: _terms, postPeriod: _period, ...kept } = posted;
  const dated = datedIn(
    given.on,
    'ar',
    { periods: given.books.periods, closedPeriod: given.settings.closedPeriod },
    `The reversal of ${posted.number}`,
  );
  return {
    ...kept,
    type: posted.type === 'Credit Memo' ? 'Debit Memo' : 'Credit Memo',
    marker: reversalMarkerOf(posted.number, given.generation),
    description: cut(`Zuora ${posted.number} ${posted.accountNumber} reversal${truth(dated)}`, 512),
    date: given.on,
    ...(dated.postPeriod === undefined ? {} : { postPeriod: dated.postPeriod }),
    openInSource: true,
  };
}
