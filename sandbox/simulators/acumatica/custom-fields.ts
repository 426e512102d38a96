import type { Cell } from './rows.ts';

/** Form elements outside the contract that exist on the forms we hold, by entity or detail that owns them. */
const known: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  Invoice: {
    Document: ['CuryID', 'DiscDate', 'CuryDiscTot', 'CuryOrigDocAmt'],
    CurrentDocument: ['TaxZoneID', 'TaxCalcMode', 'DontPrint', 'DontEmail', 'ARSubID', 'CashAccountID', 'PaymentMethodID', 'BatchNbr'],
    CurrencyInfo: ['CuryRateTypeID', 'CuryEffDate', 'SampleCuryRate', 'SampleRecipRate'],
  },
  InvoiceDetail: { Transactions: ['DeferredCode', 'DRTermStartDate', 'DRTermEndDate', 'ManualPrice', 'ManualDisc'] },
  Payment: {
    Document: ['CuryID', 'AdjFinPeriodID', 'DepositAfter'],
    CurrentDocument: ['DocDate', 'BatchNbr', 'DepositAsBatch', 'Deposited', 'DepositDate', 'DepositNbr'],
    CurrencyInfo: ['SampleCuryRate'],
  },
  JournalTransaction: { BatchModule: ['CuryControlTotal'], _Batch_CurrencyInfo_: ['CuryRateTypeID', 'SampleCuryRate'] },
  Customer: {},
};

/** Computed by the form; a value sent for them is ignored. */
const readOnly = new Set([
  'CurrentDocument.BatchNbr',
  'CurrentDocument.Deposited',
  'CurrentDocument.DepositNbr',
  'CurrentDocument.DepositDate',
  'CurrentDocument.DocDate',
  'Document.CuryOrigDocAmt',
]);

const decimals = new Set(['SampleCuryRate', 'SampleRecipRate', 'CuryControlTotal', 'CuryDiscTot', 'CuryOrigDocAmt']);
const dates = new Set(['DiscDate', 'CuryEffDate', 'DRTermStartDate', 'DRTermEndDate', 'DocDate', 'DepositDate', 'DepositAfter']);
const booleans = new Set(['DontPrint', 'DontEmail', 'ManualPrice', 'ManualDisc', 'Deposited', 'DepositAsBatch']);

/** Whether the form element exists there. User-defined attributes (`Document.AttributeREGION`) exist on every top-level form. */
export function ownsCustomField(entity: string, path: string): boolean {
  const [view = '', field = ''] = path.split('.');
  const views = known[entity];
  if (!views) return false;
  if (views[view]?.includes(field)) return true;
  return entity !== 'InvoiceDetail' && /^Attribute[A-Z0-9]+$/.test(field);
}

export function isWritableCustomField(entity: string, path: string): boolean {
  return ownsCustomField(entity, path) && !readOnly.has(path);
}

export function customFieldType(path: string, value: Cell): string {
  const field = path.split('.')[1] ?? '';
  if (decimals.has(field)) return 'CustomDecimalField';
  if (dates.has(field)) return 'CustomDateTimeField';
  if (booleans.has(field) || typeof value === 'boolean') return 'CustomBooleanField';
  return 'CustomStringField';
}
