import type { Mismatch } from '../../../contracts/flow.ts';
import { equal, readable, sum } from '../../../values/decimal.ts';
import type { InvoiceRow } from '../../../vendors/acumatica/wire.ts';
import { subaccountKey } from '../accounts.ts';
import type { ArDraft } from '../ar-draft.ts';
import type { PairContext } from '../context.ts';
import { hold } from '../holds.ts';
import { sameText } from '../markers.ts';
import { samePeriod } from '../periods.ts';

/** Compares a document with what was meant. Acumatica drops, recomputes and defaults fields without a word. */

const sameAmount = (left: string, right: string | undefined): boolean => right !== undefined && equal(left, right);

export function verifyArDocument(draft: ArDraft, row: InvoiceRow): readonly Mismatch[] {
  const found: Mismatch[] = [];
  const check = (same: boolean, field: string, sent: string, got: string | undefined) => {
    if (!same) found.push({ field, sent, got: got ?? '(empty)' });
  };
  const currency = row.custom?.['Document']?.['CuryID'];
  check(sameText(draft.type, row.Type), 'Type', draft.type, row.Type);
  check(sameText(draft.customer, row.Customer), 'Customer', draft.customer, row.Customer);
  check(sameText(draft.marker, row.CustomerOrder), 'CustomerOrder', draft.marker, row.CustomerOrder);
  check(draft.date === row.Date, 'Date', draft.date, row.Date);
  if (draft.dueDate !== undefined) check(draft.dueDate === row.DueDate, 'DueDate', draft.dueDate, row.DueDate);
  if (draft.postPeriod !== undefined)
    check(row.PostPeriod !== undefined && samePeriod(draft.postPeriod, row.PostPeriod), 'PostPeriod', draft.postPeriod, row.PostPeriod);
  check(
    typeof currency === 'string' && sameText(draft.currency, currency),
    'CuryID',
    draft.currency,
    typeof currency === 'string' ? currency : undefined,
  );
  check(sameAmount(draft.total, row.Amount), 'Amount', draft.total, row.Amount);
  check(sameAmount(draft.taxTotal, row.TaxTotal ?? '0'), 'TaxTotal', draft.taxTotal, row.TaxTotal);
  const lines = inLineOrder(row);
  check(lines.length === draft.lines.length, 'Details', `${draft.lines.length} lines`, `${lines.length} lines`);
  if (lines.length === draft.lines.length) found.push(...lineMismatches(draft, lines));
  return found;
}

type Line = NonNullable<InvoiceRow['Details']>[number];

function inLineOrder(row: InvoiceRow): readonly Line[] {
  const lines = row.Details ?? [];
  return lines.every((line) => line.LineNbr !== undefined)
    ? [...lines].sort((left, right) => Number(left.LineNbr) - Number(right.LineNbr))
    : lines;
}

function lineMismatches(draft: ArDraft, lines: readonly Line[]): readonly Mismatch[] {
  return draft.lines.flatMap((meant, index) => {
    const line = lines[index];
    const differs = (field: string, sent: string, got: string | boolean | undefined) => [
      { field, sent: `line ${index + 1}: ${sent}`, got: got === undefined ? '(empty)' : String(got) },
    ];
    return [
      ...(sameText(meant.account, line?.Account) ? [] : differs('Account', meant.account, line?.Account)),
      ...(meant.subaccount === undefined || subaccountKey(meant.subaccount) === subaccountKey(line?.Subaccount ?? '')
        ? []
        : differs('Subaccount', meant.subaccount, line?.Subaccount)),
      ...(sameAmount(meant.amount, line?.Amount ?? line?.ExtendedPrice)
        ? []
        : differs('Amount', meant.amount, line?.Amount ?? line?.ExtendedPrice)),
      ...deferralMismatches(meant, line, differs),
    ];
  });
}

function deferralMismatches(
  meant: ArDraft['lines'][number],
  line: Line | undefined,
  differs: (field: string, sent: string, got: string | boolean | undefined) => readonly Mismatch[],
): readonly Mismatch[] {
  if (meant.deferral === undefined) return [];
  const echo = line?.custom?.['Transactions'] ?? {};
  const day = (value: string | boolean | undefined) => (typeof value === 'string' ? value.slice(0, 10) : value);
  return [
    ...(sameText(meant.deferral.code, String(echo['DeferredCode'] ?? ''))
      ? []
      : differs('DeferredCode', meant.deferral.code, echo['DeferredCode'])),
    ...(meant.deferral.from === undefined || meant.deferral.from === day(echo['DRTermStartDate'])
      ? []
      : differs('DRTermStartDate', meant.deferral.from, echo['DRTermStartDate'])),
    ...(meant.deferral.to === undefined || meant.deferral.to === day(echo['DRTermEndDate'])
      ? []
      : differs('DRTermEndDate', meant.deferral.to, echo['DRTermEndDate'])),
  ];
}

/** Tenants whose custom fields cannot be read show no currency: then only the base currency is certain. */
export function echoOf(context: PairContext, row: InvoiceRow): InvoiceRow {
  const base = context.books().baseCurrency;
  if (row.custom?.['Document']?.['CuryID'] !== undefined || base === undefined) return row;
  return { ...row, custom: { ...row.custom, Document: { CuryID: base } } };
}

export const differencesOf = (draft: ArDraft, row: InvoiceRow): readonly string[] =>
  verifyArDocument(draft, row).map(({ field, sent, got }) => `${field} ${got} instead of ${sent}`);

/** Unreleased, with our description, and its lines are the first lines of ours: a writing that stopped half-way. */
export function isPrefix(draft: ArDraft, row: InvoiceRow): boolean {
  const lines = inLineOrder(row);
  if (!sameText(draft.description, row.Description) || !sameText(draft.customer, row.Customer) || draft.date !== row.Date) return false;
  if (lines.length > draft.lines.length) return false;
  const head = { ...draft, lines: draft.lines.slice(0, lines.length) };
  return (
    lineMismatches(head, lines).length === 0 &&
    sameAmount(sum(head.lines.map((line) => line.amount)), sum(lines.map((line) => line.Amount ?? '0')))
  );
}

/** A person may have released it after an edit: that is never corrected by us. */
export function checkReleased(draft: ArDraft, target: string, row: InvoiceRow): void {
  const differs = (field: string, sent: string, got: string) =>
    hold(
      `verify:${field}`,
      `${target} was released with ${field} ${got} instead of ${sent}.`,
      `Correct it in Acumatica by hand (Invoices and Memos, AR301000), then release this hold with ignore.`,
      {
        details: { field, sent, got },
      },
    );
  if (row.Amount !== undefined && !equal(row.Amount, draft.total)) throw differs('Amount', readable(draft.total), readable(row.Amount));
  if (row.Customer !== undefined && !sameText(row.Customer, draft.customer)) throw differs('Customer', draft.customer, row.Customer);
}
