import type { Reference, Resolved } from '../../contracts/flow.ts';
import type { Link } from '../../contracts/link.ts';
import { type CalendarDate, latest } from '../../values/calendar-date.ts';
import { and, eq } from '../../vendors/acumatica/filter.ts';
import type { Application } from './applied.ts';
import { arDraftSchema, parseTarget } from './ar-draft.ts';
import type { DesiredRow, DocumentHeader } from './canonical.ts';
import type { PairContext } from './context.ts';
import type { CustomerCard } from './customer-card.ts';
import { hold } from './holds.ts';
import { documentHeaderPrint } from './maps/zuora-document-to-ar-document.ts';
import { numberOf, sameText } from './markers.ts';
import { receiptDraftSchema } from './money-draft.ts';
import { datedIn, periodCode } from './periods.ts';
import { fetchInvoicesAndDebitMemos } from './sources/documents.ts';
import { bookedTarget, standingOf } from './standing.ts';

/** The documents that money is applied to: which must be here first, and what they are in Acumatica. */

/** A desired application with the present header of its document; undefined when Zuora no longer shows it. */
export interface Wanted extends DesiredRow {
  readonly document: DocumentHeader | undefined;
}

export async function fetchWanted(
  context: PairContext,
  desired: ReadonlyMap<string, readonly DesiredRow[]>,
): Promise<ReadonlyMap<string, readonly Wanted[]>> {
  const ids = [...new Set([...desired.values()].flat().map((row) => row.docId))];
  const headers = ids.length === 0 ? new Map<string, DocumentHeader>() : await fetchInvoicesAndDebitMemos(context, ids);
  return new Map([...desired].map(([key, rows]) => [key, rows.map((row) => ({ ...row, document: headers.get(row.docId) }))]));
}

export const isBeforeCutover = (date: string, context: Pick<PairContext, 'settings'>): boolean => date < context.settings.startFrom;

const documentName = (docId: string): string => `document:${docId}`;

/** Every document must be settled in its present form, so that money never lands on one that is about to be reversed. */
export function documentReferences(rows: readonly Wanted[], context: PairContext): readonly Reference[] {
  return rows.flatMap((row) => {
    if (row.document !== undefined && isBeforeCutover(row.document.date, context)) return [];
    return [
      {
        name: documentName(row.docId),
        flow: 'invoices',
        side: 'b' as const,
        key: row.docId,
        label: `document ${row.document?.number ?? row.docId}`,
        ...(row.document === undefined ? {} : { header: documentHeaderPrint(row.document) }),
      },
    ];
  });
}

export interface OldDocument {
  readonly docType: string;
  readonly ref: string;
}

/** Opening balances: documents older than the cut-over, found by the Zuora number in CustomerOrder; never changed. */
export async function findOldDocuments(
  context: PairContext,
  rows: readonly Wanted[],
  customer: string,
): Promise<Readonly<Record<string, OldDocument>>> {
  const found: Record<string, OldDocument> = {};
  for (const row of rows) {
    const { document } = row;
    if (document === undefined || !isBeforeCutover(document.date, context)) continue;
    const number = numberOf(context.settings.markerPrefix, document.number);
    const type = document.object === 'invoice' ? 'Invoice' : 'Debit Memo';
    const filter = and(eq('Invoice', 'Type', type), eq('Invoice', 'CustomerOrder', number));
    const hits = [];
    for await (const page of context.acumatica.list('Invoice', {
      filter,
      select: ['Type', 'ReferenceNbr', 'Customer', 'CustomerOrder', 'Status', 'Balance'],
    }))
      hits.push(...page.filter((hit) => sameText(hit.Customer, customer)));
    const [only] = hits;
    if (only !== undefined && hits.length === 1) found[row.docId] = { docType: only.Type, ref: only.ReferenceNbr };
  }
  return found;
}

/**
 * The desired rows in Acumatica's terms, with the day each may be applied on: not before the application, the source or the document.
 * Throws `pre-cutover-document` and holds for documents that were left out.
 */
export function applicationsOf(
  rows: readonly Wanted[],
  given: {
    readonly sourceNumber: string;
    readonly sourceDate: string;
    readonly links: Resolved;
    readonly old: Readonly<Record<string, OldDocument>>;
    readonly context: PairContext;
  },
): readonly Application[] {
  const { context, links, old, sourceNumber } = given;
  return rows.flatMap((row): readonly Application[] => {
    const number = row.document?.number ?? row.docId;
    const place = placeOf(row);
    if (place === undefined) {
      if (context.settings.preCutover === 'unapplied') return [];
      throw hold(
        `pre-cutover-document:${number}`,
        `${sourceNumber} is applied to ${number} of ${row.document?.date ?? 'an earlier day'}, older than startFrom, and Acumatica has no open document with that number.`,
        `Put ${number} into the Customer Order field of its opening balance in Acumatica, or set preCutover: unapplied.`,
      );
    }
    const wanted = latest(
      row.date ?? given.sourceDate,
      given.sourceDate,
      row.document?.date ?? given.sourceDate,
      ...countsFrom(links.get('source'), context),
      ...countsFrom(links.get(documentName(row.docId)), context),
    );
    const dated = datedIn(
      wanted,
      'ar',
      { periods: context.books().periods, closedPeriod: context.settings.closedPeriod },
      `The application of ${sourceNumber} to ${number}`,
    );
    return [{ docType: place.docType, ref: place.ref, number, amount: row.amount, date: dated.movedTo ?? wanted }];
  });

  function placeOf(row: Wanted): OldDocument | undefined {
    if (row.document !== undefined && isBeforeCutover(row.document.date, context)) return old[row.docId];
    const link = links.get(documentName(row.docId));
    const target = link === undefined ? undefined : bookedTarget(link);
    if (target !== undefined) {
      const { type, ref } = parseTarget(target);
      return { docType: type, ref };
    }
    const number = row.document?.number ?? row.docId;
    throw hold(
      `document-left-out:${number}`,
      `${sourceNumber} is applied to ${number}, which is not in Acumatica${link?.note === undefined ? '' : ` (${link.note})`}.`,
      `Let ${number} move, or apply the money by hand in Acumatica and release this hold with ignore.`,
    );
  }
}

/** From when on a document counts in the books, when it was posted into a later period than that of its date: no application may be earlier. */
export function countsFrom(link: Pick<Link, 'postings'> | undefined, context: PairContext): readonly CalendarDate[] {
  const draft = link === undefined ? undefined : standingOf(link).latest?.draft;
  const receipt = receiptDraftSchema.safeParse(draft).data;
  if (receipt !== undefined) return [receipt.date];
  const postPeriod = arDraftSchema.safeParse(draft).data?.postPeriod;
  const period = postPeriod === undefined ? undefined : context.books().periods.find(({ id }) => periodCode(id) === postPeriod);
  return period === undefined ? [] : [period.start];
}

/** Accounts other than the payer's whose documents are paid. */
export const otherOwners = (rows: readonly Wanted[], payerAccount: string): readonly string[] => [
  ...new Set(rows.flatMap((row) => ownerOf(row) ?? []).filter((owner) => owner !== payerAccount)),
];

const ownerOf = (row: Wanted): string | undefined => row.ownerId ?? row.document?.accountId;

/** Paying another account's document is possible for a parent only. Throws `cross-account`. */
export function checkOwners(ask: {
  readonly number: string;
  readonly payerAccount: string;
  readonly payer: string;
  readonly rows: readonly Wanted[];
  readonly owners: Readonly<Record<string, CustomerCard>>;
}): void {
  for (const row of ask.rows) {
    const owner = ownerOf(row);
    if (owner === undefined || owner === ask.payerAccount) continue;
    const customer = ask.owners[owner];
    if (customer?.parent !== undefined && sameText(customer.parent, ask.payer)) continue;
    throw hold(
      'cross-account',
      `${ask.number} pays ${row.document?.number ?? row.docId} of another account (customer ${customer?.id ?? 'unknown'}), which is no child of ${ask.payer} in Acumatica.`,
      `Make ${ask.payer} the parent of that customer (AR303000), or move the payment in Zuora; then replay.`,
    );
  }
}
