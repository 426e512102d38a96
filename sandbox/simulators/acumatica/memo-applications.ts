import { compare, sum } from '../../../lib/values/decimal.ts';
import { checkApplication } from './applications.ts';
import { assign, mergeDetails } from './assign.ts';
import type { Company } from './company.ts';
import { documentKey, documentType } from './document-types.ts';
import type { Problems } from './refusals.ts';
import { amount, type Document, detailsOf, setDetails, text } from './rows.ts';
import type { Input } from './wire-read.ts';

/** The documents an unreleased credit memo will be applied to when it is released. */
export function mergeMemoApplications(company: Company, memo: Document, inputs: readonly Input[], problems: Problems): void {
  const rows = mergeDetails(company, detailsOf(memo, 'ApplicationsCreditMemo'), inputs, {
    problems,
    sameKey: (row, input) =>
      documentKey(text(row, 'DocType'), text(row, 'ReferenceNbr')) ===
      documentKey(documentType(String(input.fields.get('DocType') ?? 'Invoice')) ?? '', String(input.fields.get('ReferenceNbr') ?? '')),
    fill: (row, input) => {
      assign(company, 'InvoiceApplicationsCreditMemo', { row, problems }, input, ['DocType', 'ReferenceNbr', 'AmountPaid']);
      const written = text(row, 'DocType') || 'Invoice';
      row.fields['DocType'] = documentType(written) ?? written;
    },
  });
  for (const row of rows) {
    checkApplication(
      company,
      { document: memo, type: 'Credit Memo', customer: text(memo, 'Customer'), date: text(memo, 'Date'), period: text(memo, 'PostPeriod') },
      row,
      problems,
    );
    row.fields['Customer'] = text(memo, 'Customer');
  }
  setDetails(memo, 'ApplicationsCreditMemo', rows);
  if (compare(sum(rows.map((row) => amount(row, 'AmountPaid'))), amount(memo, 'Amount')) > 0)
    problems.add(memo, 'Amount', 'The document is out of the balance.');
}
