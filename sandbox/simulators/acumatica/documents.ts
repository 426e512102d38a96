import type { RequestContext } from './assign.ts';
import type { Company } from './company.ts';
import { cannotBeEmpty, type Problems } from './refusals.ts';
import { type Document, flag, text } from './rows.ts';

/** An empty document as a form opens it. */
export function newDocument(company: Company, fields: Document['fields']): Document {
  return {
    id: company.newId(),
    fields: { ...fields, CreatedDateTime: company.now() },
    released: false,
    voided: false,
    approval: 'none',
    currency: company.state.baseCurrency,
    rate: '1',
    nextLine: 1,
    history: [],
    appliedBy: [],
  };
}

/** The status of an unreleased document, apart from what only one form knows. */
export function unreleasedStatus(company: Company, document: Document, form: string): string | undefined {
  if (document.approval === 'rejected') return 'Rejected';
  if (flag(document, 'Hold')) return 'On Hold';
  const forms: readonly string[] = company.preferences.approvals;
  if (forms.includes(form) && document.approval !== 'approved') return 'Pending Approval';
  return undefined;
}

/** Gives a new document its number: the one that was sent under manual numbering, else the next of its sequence. */
export function numberDocument(
  company: Company,
  document: Document,
  options: { readonly field: string; readonly label: string; readonly sequence: string; readonly problems: Problems },
): void {
  if (!company.isManual(options.sequence)) {
    document.fields[options.field] = '<NEW>';
    return;
  }
  const written = text(document, options.field).trim().toUpperCase();
  document.fields[options.field] = written;
  if (written === '') options.problems.add(document, options.field, cannotBeEmpty(options.label));
}

/** A rate must be effective on the date of a document in a foreign currency, at save and at release. */
export function checkRate(
  company: Company,
  document: Document,
  options: { readonly dateField: string; readonly problems: Problems },
): void {
  const own = document.custom?.['CurrencyInfo.SampleCuryRate'];
  const date = text(document, options.dateField);
  const rate = typeof own === 'string' && document.currency !== company.state.baseCurrency ? own : company.rateOn(document.currency, date);
  if (rate === undefined)
    options.problems.add(
      document,
      options.dateField,
      `Currency rate is not defined for the ${document.currency} currency on ${date} (form CM301000).`,
    );
  else document.rate = rate;
}

/** The period a date belongs to, or the one that was sent. */
export function defaultDate(document: Document, field: string, context: RequestContext): void {
  if (text(document, field) === '') document.fields[field] = context.businessDate;
}
