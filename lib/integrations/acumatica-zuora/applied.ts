import type { CalendarDate } from '../../values/calendar-date.ts';
import { latest } from '../../values/calendar-date.ts';
import { add, type Decimal, equal, isNegative, isPositive, isZero, subtract, sum } from '../../values/decimal.ts';
import type { ApplicationRow, DesiredRow, MoneySource } from './canonical.ts';

/** Application arithmetic: what Zuora wants applied, what Acumatica has applied, and the difference per document. */

/** Zuora cuts an expanded list at 99 rows without saying so. */
const expandedAtMost = 98;

/**
 * The listed rows, summed per document, when they can be trusted: all positive, none cut off, and together the applied amount. The sign of rows
 * after an unapply is not documented, so anything else must be read from the parts.
 */
export function desiredFromRows(source: Pick<MoneySource, 'rows' | 'applied' | 'amount'>): readonly DesiredRow[] | undefined {
  if (source.rows.length > expandedAtMost) return undefined;
  if (source.rows.some((row) => row.docId === undefined || !isPositive(row.amount))) return undefined;
  if (source.applied === undefined || !equal(sum(source.rows.map((row) => row.amount)), source.applied)) return undefined;
  return perDocument(source.rows);
}

/** The parts are the truth about amounts; dates come from the latest application row of the document. */
export function desiredFromParts(
  parts: readonly { readonly docId: string | undefined; readonly amount: Decimal; readonly date?: CalendarDate | undefined }[],
  rows: readonly ApplicationRow[],
): readonly DesiredRow[] {
  return perDocument(
    parts
      .filter((part) => part.docId !== undefined && isPositive(part.amount))
      .map((part) => {
        const own = rows.filter((row) => row.docId === part.docId);
        const dates = own.flatMap((row) => (row.date === undefined ? [] : [row.date]));
        const owner = own.find((row) => row.ownerId !== undefined)?.ownerId;
        const date = dates.length > 0 ? latest(...dates) : part.date;
        return {
          docId: part.docId,
          amount: part.amount,
          ...(owner === undefined ? {} : { ownerId: owner }),
          ...(date === undefined ? {} : { date }),
        };
      }),
  );
}

function perDocument(rows: readonly ApplicationRow[]): readonly DesiredRow[] {
  const documents = new Map<string, DesiredRow>();
  for (const row of rows) {
    if (row.docId === undefined) continue;
    const before = documents.get(row.docId);
    const dates = [before?.date, row.date].filter((date) => date !== undefined);
    const owner = before?.ownerId ?? row.ownerId;
    documents.set(row.docId, {
      docId: row.docId,
      amount: before ? add(before.amount, row.amount) : row.amount,
      ...(owner === undefined ? {} : { ownerId: owner }),
      ...(dates.length === 0 ? {} : { date: latest(...dates) }),
    });
  }
  return [...documents.values()].sort((left, right) => (left.docId < right.docId ? -1 : 1));
}

/** A desired application in Acumatica's terms. */
export interface Application {
  readonly docType: string;
  readonly ref: string;
  /** Zuora number, for people. */
  readonly number: string;
  readonly amount: Decimal;
  /** The day it may be applied on: not before either document. */
  readonly date: CalendarDate;
}

/** What stands in Acumatica for one document: history (booked) and pending rows (written, not booked). */
export interface AppliedThere {
  readonly docType: string;
  readonly ref: string;
  readonly booked: Decimal;
  readonly pending: Decimal;
}

export interface Delta extends Application {
  readonly delta: Decimal;
}

const documentKey = (row: { readonly docType: string; readonly ref: string }) => `${row.docType}|${row.ref}`;

/** Desired − (booked + pending), per document; documents that agree are left out. */
export function deltasOf(desired: readonly Application[], there: readonly AppliedThere[]): readonly Delta[] {
  const stands = new Map(there.map((row) => [documentKey(row), row]));
  const wanted = new Map<string, Application>();
  for (const row of desired) {
    const before = wanted.get(documentKey(row));
    wanted.set(documentKey(row), before ? { ...before, amount: add(before.amount, row.amount), date: latest(before.date, row.date) } : row);
  }
  const missing = [...wanted.values()].map((row) => {
    const own = stands.get(documentKey(row));
    return { ...row, delta: subtract(row.amount, own ? add(own.booked, own.pending) : '0') };
  });
  const surplus = there
    .filter((row) => !wanted.has(documentKey(row)))
    .map((row) => ({
      docType: row.docType,
      ref: row.ref,
      number: row.ref,
      amount: '0',
      date: '',
      delta: subtract('0', add(row.booked, row.pending)),
    }));
  return [...missing, ...surplus].filter((row) => !isZero(row.delta));
}

export const takesBack = (deltas: readonly Delta[]): readonly Delta[] => deltas.filter((row) => isNegative(row.delta));

/** The rows of the earliest application date, at most 150: one step of a release. */
export function nextStep(deltas: readonly Delta[]): { readonly date: CalendarDate; readonly rows: readonly Delta[] } | undefined {
  const dates = deltas.map((row) => row.date).sort();
  const [date] = dates;
  if (date === undefined) return undefined;
  return { date, rows: deltas.filter((row) => row.date === date) };
}

/** Most rows one request may carry. */
export const rowsPerWrite = 150;
