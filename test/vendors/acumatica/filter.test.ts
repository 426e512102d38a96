import { describe, expect, test } from 'vitest';
import { after, and, compare, eq, type Filter, or, startsWith } from '../../../lib/vendors/acumatica/filter.ts';

const rows: readonly (readonly [string, { readonly text: string }, string])[] = [
  ['a text', eq('Invoice', 'CustomerOrder', 'INV00000417'), "CustomerOrder eq 'INV00000417'"],
  ['a quote, doubled', eq('Customer', 'CustomerName', "O'Brien"), "CustomerName eq 'O''Brien'"],
  ['a boolean without quotes', eq('Account', 'Active', true), 'Active eq true'],
  ['a decimal with its suffix', compare('Invoice', 'Balance', 'gt', '0'), 'Balance gt 0M'],
  ['a business date', compare('Payment', 'ApplicationDate', 'ge', '2026-01-31'), "ApplicationDate ge datetimeoffset'2026-01-31'"],
  [
    'an instant in UTC',
    after('Invoice', 'LastModifiedDateTime', new Date('2026-01-31T10:31:28.402Z')),
    "LastModifiedDateTime gt datetimeoffset'2026-01-31T10:31:28.402+00:00'",
  ],
  [
    'the beginning of a text',
    startsWith('JournalTransaction', 'Description', 'ZUORA JE-00000012|'),
    "startswith(Description,'ZUORA JE-00000012|')",
  ],
  [
    'one type and several markers',
    and(eq('Invoice', 'Type', 'Invoice'), or(eq('Invoice', 'CustomerOrder', 'a'), eq('Invoice', 'CustomerOrder', 'b'))),
    "Type eq 'Invoice' and (CustomerOrder eq 'a' or CustomerOrder eq 'b')",
  ],
  [
    'one marker without brackets',
    and(eq('Payment', 'Type', 'Refund'), or(eq('Payment', 'PaymentRef', 'R-1'))),
    "Type eq 'Refund' and PaymentRef eq 'R-1'",
  ],
];

describe('filters', () => {
  test.each(rows)('write %s', (_name, filter, text) => {
    expect(filter.text).toBe(text);
  });

  test('of two views cannot be joined, neither by the compiler nor at run time', () => {
    const byName = eq('Customer', 'CustomerName', 'Northwind');
    const byReference = eq('Customer', 'AccountRef', 'A00012345');
    // @ts-expect-error CustomerName is in the view BAccount, AccountRef in CurrentCustomer: together they would find nothing.
    const join = () => and(byName, byReference);
    expect(join).toThrow(/one view: Customer BAccount and Customer CurrentCustomer/);
  });

  test('know which fields they fix', () => {
    expect(and(eq('JournalTransaction', 'Module', 'GL'), compare('JournalTransaction', 'BatchNbr', 'gt', '1')).fixed).toEqual(['Module']);
    expect(or(eq('Invoice', 'Type', 'Invoice'), eq('Invoice', 'Type', 'Debit Memo')).fixed).toEqual([]);
  });

  test('on a field that no list can be filtered on are refused', () => {
    const unknown = 'Details' as 'Type';
    expect((): Filter => eq('Invoice', unknown, 'x')).toThrow(/Invoice cannot be filtered on Details/);
  });
});
