import type { Decimal } from '../../../lib/values/decimal.ts';

/** One stored value. Decimals are decimal text, business dates `YYYY-MM-DD`, instants ISO text; null and absent are the same. */
export type Cell = string | number | boolean | null;

/** A record, a detail row or a linked object: fields under their contract names. */
export interface Row {
  id: string;
  fields: Record<string, Cell>;
  /** Form fields outside the contract, under `View.Field`. */
  custom?: Record<string, Cell>;
  details?: Record<string, Row[]>;
  linked?: Record<string, Row>;
  note?: string;
}

/** One released line of the general ledger, in the batch currency and in the base currency. */
export interface Entry {
  account: string;
  subaccount: string;
  debit: Decimal;
  credit: Decimal;
  baseDebit: Decimal;
  baseCredit: Decimal;
  reference: string;
  type: string;
  customer: string;
  text: string;
}

/** A released application of one document to another; a reversal is a row of its own with the opposite amounts. */
export interface Application {
  number: number;
  type: string;
  reference: string;
  amount: Decimal;
  discount: Decimal;
  writeOff: Decimal;
  date: string;
  period: string;
  batch: string;
  reversed: boolean;
}

/** A document with a life: invoice, memo, payment, refund, batch. */
export interface Document extends Row {
  released: boolean;
  voided: boolean;
  approval: 'none' | 'approved' | 'rejected';
  currency: string;
  /** Base currency per unit of the document currency. */
  rate: Decimal;
  nextLine: number;
  /** Applications this document made. */
  history: Application[];
  /** Keys of the documents that applied themselves to this one. */
  appliedBy: string[];
  /** Lines in the general ledger; only batches have them. */
  entries?: Entry[];
  /** For a Voided Payment or Voided Refund: not yet saved by the user interface's Save. */
  unsaved?: boolean;
}

export function text(row: Row, field: string): string {
  const value = row.fields[field];
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : String(value);
}

export function amount(row: Row, field: string): Decimal {
  const value = row.fields[field];
  return typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : '0';
}

export function flag(row: Row, field: string): boolean {
  return row.fields[field] === true;
}

export function detailsOf(row: Row, name: string): Row[] {
  return row.details?.[name] ?? [];
}

export function setDetails(row: Row, name: string, rows: Row[]): void {
  row.details = { ...row.details, [name]: rows };
}

export function customText(row: Row, path: string): string {
  const value = row.custom?.[path];
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : String(value);
}

export function setCustom(row: Row, path: string, value: Cell): void {
  row.custom = { ...row.custom, [path]: value };
}

/** A copy to work on; nothing of a refused request may reach the stored record. */
export function draftOf<R extends Row>(row: R): R {
  return structuredClone(row);
}
