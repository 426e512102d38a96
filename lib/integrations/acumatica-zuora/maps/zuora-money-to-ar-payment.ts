import { latest } from '../../../values/calendar-date.ts';
import { isPositive, subtract, sum } from '../../../values/decimal.ts';
import { fingerprint } from '../../../values/json.ts';
import type { Application } from '../applied.ts';
import type { Books } from '../books.ts';
import type { DesiredRow, MoneySource, RefundHeader } from '../canonical.ts';
import type { CustomerCard } from '../customer-card.ts';
import { cut, markerOf, numberOf, reversalMarkerOf } from '../markers.ts';
import { methodOf } from '../method-map.ts';
import type { ReceiptDraft, VoidDraft } from '../money-draft.ts';
import { datedIn } from '../periods.ts';
import type { Settings } from '../settings.ts';
import { checkCurrency, checkCustomer } from './zuora-document-to-ar-document.ts';

/** Zuora payments and refunds become receipts and voids of AR302000. Pure. */

interface Given {
  readonly generation: number;
  readonly customer: CustomerCard;
  readonly currency: string;
  readonly settings: Settings;
  readonly books: Books;
}

const descriptionLength = 50;

export const isFullyRefunded = (source: Pick<MoneySource, 'amount' | 'refunded'>): boolean =>
  isPositive(source.refunded) && subtract(source.amount, source.refunded) === '0';

/** Fingerprint of what matters of a listed payment; applications have a flow of their own. */
export const paymentPrint = (source: MoneySource): string =>
  fingerprint({
    status: source.status,
    account: source.accountId,
    currency: source.currency,
    amount: source.amount,
    date: source.date,
    refunded: isFullyRefunded(source),
  });

/** Fingerprint of what the books hold of a payment. */
export const paymentContent = (source: MoneySource, currency: string): string =>
  fingerprint({ account: source.accountId, currency, amount: source.amount, date: source.date });

export const desiredPrint = (rows: readonly DesiredRow[]): string =>
  fingerprint(rows.map((row) => [row.docId, row.amount]).sort((left, right) => ((left[0] ?? '') < (right[0] ?? '') ? -1 : 1)));

/** Only rows that may be applied on the payment's own date go with it; later ones follow in the order of their dates. */
export function mapPayment(
  source: MoneySource,
  given: Given & { readonly desired: readonly DesiredRow[]; readonly applications: readonly Application[] },
): ReceiptDraft {
  const { settings, books, customer, currency } = given;
  const number = numberOf(settings.markerPrefix, source.number);
  checkCustomer(source.number, customer);
  checkCurrency(source.number, currency, customer, settings, books);
  const dated = datedIn(source.date, 'ar', { periods: books.periods, closedPeriod: settings.closedPeriod }, source.number);
  const date = dated.movedTo ?? source.date;
  const method = methodOf({ gateway: source.gateway, methodType: source.methodType, currency }, settings.methods, books);
  const rows = given.applications
    .filter((row) => row.date <= date)
    .map(({ docType, ref, number: doc, amount }) => ({ docType, ref, number: doc, amount }));
  return {
    way: 'receipt',
    type: 'Payment',
    marker: markerOf(number, given.generation),
    number,
    description: cut(`Zuora ${number}${dated.movedTo === undefined ? '' : ` of ${source.date}`}`, descriptionLength),
    customer: customer.id,
    accountId: source.accountId,
    ...method,
    currency,
    amount: source.amount,
    date,
    branch: settings.branch,
    rows,
    desired: desiredPrint(given.desired),
    complete: sum(rows.map((row) => row.amount)) === sum(given.desired.map((row) => row.amount)),
    content: paymentContent(source, currency),
  };
}

/** Undoes a receipt: the void is dated by the event that took it back. */
export function mapVoid(
  posted: ReceiptDraft,
  given: {
    readonly generation: number;
    readonly target: string | undefined;
    readonly marker: string;
    readonly on: string;
    readonly settings: Settings;
    readonly books: Pick<Books, 'periods'>;
  },
): VoidDraft {
  const dated = datedIn(
    latest(given.on, posted.date),
    'ar',
    { periods: given.books.periods, closedPeriod: given.settings.closedPeriod },
    `The void of ${posted.number}`,
  );
  return {
    way: 'void',
    type: posted.type,
    ...(given.target === undefined ? {} : { target: given.target }),
    originalMarker: given.marker,
    marker: reversalMarkerOf(posted.number, given.generation),
    number: posted.number,
    description: cut(`Zuora ${posted.number} void${dated.movedTo === undefined ? '' : ` of ${dated.date}`}`, descriptionLength),
    currency: posted.currency,
    amount: posted.amount,
    date: dated.movedTo ?? dated.date,
    isRefund: false,
    content: posted.content,
  };
}

export const refundPrint = (refund: RefundHeader): string =>
  fingerprint({ status: refund.status, account: refund.accountId, currency: refund.currency, amount: refund.amount, date: refund.date });

export const refundContent = (refund: RefundHeader, currency: string): string =>
  fingerprint({ account: refund.accountId, currency, amount: refund.amount, date: refund.date });

/** What is refunded, as it stands in Acumatica. */
export interface RefundedSource {
  readonly docType: 'Payment' | 'Credit Memo';
  readonly ref: string;
  readonly number: string;
  readonly date: string;
}

export function mapRefund(refund: RefundHeader, source: RefundedSource, given: Given): ReceiptDraft {
  const { settings, books, customer, currency } = given;
  const number = numberOf(settings.markerPrefix, refund.number);
  checkCustomer(refund.number, customer);
  checkCurrency(refund.number, currency, customer, settings, books);
  const dated = datedIn(
    latest(refund.date, source.date),
    'ar',
    { periods: books.periods, closedPeriod: settings.closedPeriod },
    refund.number,
  );
  const method = methodOf({ gateway: refund.gateway, methodType: refund.methodType, currency }, settings.methods, books);
  return {
    way: 'receipt',
    type: 'Refund',
    marker: markerOf(number, given.generation),
    number,
    description: cut(`Zuora ${number}${dated.movedTo === undefined ? '' : ` of ${refund.date}`}`, descriptionLength),
    customer: customer.id,
    accountId: refund.accountId,
    ...method,
    currency,
    amount: refund.amount,
    date: dated.movedTo ?? dated.date,
    branch: settings.branch,
    rows: [{ docType: source.docType, ref: source.ref, number: source.number, amount: refund.amount }],
    desired: '',
    complete: true,
    content: refundContent(refund, currency),
  };
}

/** A full refund of an applied payment: voiding the payment has the same effect on cash and AR as unapply and refund. */
export function mapRefundByVoid(
  refund: RefundHeader,
  source: RefundedSource,
  given: Pick<Given, 'generation' | 'currency' | 'settings' | 'books'>,
): VoidDraft {
  const { settings, books, currency } = given;
  const number = numberOf(settings.markerPrefix, refund.number);
  const dated = datedIn(
    latest(refund.date, source.date),
    'ar',
    { periods: books.periods, closedPeriod: settings.closedPeriod },
    refund.number,
  );
  return {
    way: 'void',
    type: 'Payment',
    target: `Payment/${source.ref}`,
    originalMarker: numberOf(settings.markerPrefix, source.number),
    marker: markerOf(number, given.generation),
    number,
    description: cut(`Zuora ${number} void${dated.movedTo === undefined ? '' : ` of ${refund.date}`}`, descriptionLength),
    currency,
    amount: refund.amount,
    date: dated.movedTo ?? dated.date,
    isRefund: true,
    content: refundContent(refund, currency),
  };
}

export type RefundWay = 'refund' | 'void' | 'needs-unapply';

/** The order of decision of one refund. `begun`: a way this refund was already begun in, which its own booking must not change. */
export function wayOfRefund(ask: {
  readonly amount: string;
  readonly free: string;
  readonly sourceAmount: string;
  readonly isPayment: boolean;
  readonly otherRefunds: number;
  readonly refundOfApplied: Settings['refundOfApplied'];
  readonly begun: 'refund' | 'void' | undefined;
}): RefundWay {
  if (ask.begun !== undefined) return ask.begun;
  if (!subtract(ask.free, ask.amount).startsWith('-')) return 'refund';
  const full = subtract(ask.sourceAmount, ask.amount) === '0';
  return ask.isPayment && full && ask.otherRefunds === 0 && ask.refundOfApplied === 'void' ? 'void' : 'needs-unapply';
}
