import { asFailure } from '../../../failures.ts';
import { add, type Decimal, subtract } from '../../../values/decimal.ts';
import { and, compare, eq } from '../../../vendors/acumatica/filter.ts';
import type { AccountDetailsRow, InvoiceRow, PaymentRow } from '../../../vendors/acumatica/wire.ts';
import { parseTarget, targetKey } from '../ar-draft.ts';
import type { PairContext } from '../context.ts';
import { type FinancialPeriod, periodCode } from '../periods.ts';
import type { CustomerNow } from './customers.ts';

/** Reads what Acumatica shows now. */

/** A document of AR301000 or AR302000 as it stands. */
export interface Standing {
  readonly target: string;
  readonly status: string;
  readonly amount: Decimal;
  /** Still open: Balance, or AvailableBalance of a payment. */
  readonly open: Decimal;
  readonly currency: string | undefined;
  readonly customer: string | undefined;
  readonly marker: string | undefined;
  /** `YYYYMM`; documents of AR302000 do not show theirs. */
  readonly period: string | undefined;
}

const invoiceFields = ['Type', 'ReferenceNbr', 'Status', 'Customer', 'CustomerOrder', 'Amount', 'Balance', 'PostPeriod'] as const;
const withCurrency = { select: [...invoiceFields], custom: ['Document.CuryID'] };
const invoiceTypes: readonly string[] = ['Invoice', 'Debit Memo', 'Credit Memo'];

/** Released documents of AR301000 posted in a period. */
export async function readPosted(context: PairContext, period: string): Promise<readonly Standing[]> {
  const filter = eq('Invoice', 'PostPeriod', periodCode(period));
  return collect(context.acumatica.list('Invoice', { ...withCurrency, filter }), ofInvoice);
}

/** Documents of AR302000 dated in a period. A later application moves that date, so what is missing here is asked for one by one. */
export async function readPostedMoney(context: PairContext, { start, end }: FinancialPeriod): Promise<readonly Standing[]> {
  const filter = and(compare('Payment', 'ApplicationDate', 'ge', start), compare('Payment', 'ApplicationDate', 'le', end));
  const rows = await collect(context.acumatica.list('Payment', { select: moneyFields, filter }), ofMoney);
  return rows.filter(({ target }) => !target.startsWith('Credit Memo/'));
}

/** Documents by target, 20 per call; missing ones are absent. */
export async function readStanding(context: PairContext, targets: readonly string[]): Promise<ReadonlyMap<string, Standing>> {
  const byType = new Map<string, string[]>();
  for (const target of new Set(targets)) {
    const { type, ref } = parseTarget(target);
    byType.set(type, [...(byType.get(type) ?? []), ref]);
  }
  const standing = new Map<string, Standing>();
  for (const [type, refs] of byType) {
    if (invoiceTypes.includes(type)) {
      for (const row of await context.acumatica.readStatus('Invoice', type, refs))
        standing.set(targetKey(row.Type, row.ReferenceNbr), ofInvoice(row));
      continue;
    }
    for (const row of await context.acumatica.readStatus('Payment', type, refs)) {
      const one = ofMoney(row);
      standing.set(one.target, one);
    }
  }
  return standing;
}

/** Everything that is open: documents with a balance, payments with money left. */
export async function readOpenDocuments(context: PairContext): Promise<readonly Standing[]> {
  const { acumatica } = context;
  const invoices = await collect(
    acumatica.list('Invoice', { ...withCurrency, filter: and(eq('Invoice', 'Status', 'Open'), compare('Invoice', 'Balance', 'gt', '0')) }),
    ofInvoice,
  );
  const money = await collect(acumatica.list('Payment', { select: moneyFields, filter: eq('Payment', 'Status', 'Open') }), ofMoney);
  const payments = money.filter(({ target }) => target.startsWith('Payment/') || target.startsWith('Prepayment/'));
  return [...invoices, ...payments];
}

const moneyFields = ['Type', 'ReferenceNbr', 'Status', 'CustomerID', 'CurrencyID', 'PaymentRef', 'PaymentAmount', 'AvailableBalance'];

function ofMoney(row: PaymentRow): Standing {
  return {
    target: targetKey(row.Type, row.ReferenceNbr),
    status: row.Status ?? '',
    amount: row.PaymentAmount ?? '0',
    open: row.AvailableBalance ?? '0',
    currency: row.CurrencyID,
    customer: row.CustomerID,
    marker: row.PaymentRef,
    period: undefined,
  };
}

function ofInvoice(row: InvoiceRow): Standing {
  const currency = row.custom?.['Document']?.['CuryID'];
  const digits = row.PostPeriod?.replace(/\D/g, '');
  return {
    target: targetKey(row.Type, row.ReferenceNbr),
    status: row.Status ?? '',
    amount: row.Amount ?? '0',
    open: row.Balance ?? '0',
    currency: typeof currency === 'string' ? currency : undefined,
    customer: row.Customer,
    marker: row.CustomerOrder,
    period: digits === undefined ? undefined : `${digits.slice(2)}${digits.slice(0, 2)}`,
  };
}

/** All customers, as the report looks at them. */
export async function readCustomersNow(context: PairContext): Promise<ReadonlyMap<string, CustomerNow>> {
  const select = ['CustomerID', 'CurrencyID', 'AutoApplyPayments'];
  const rows = await collect(
    context.acumatica.list('Customer', { select }),
    (row): CustomerNow => ({ id: row.CustomerID.trim(), currency: row.CurrencyID, autoApply: row.AutoApplyPayments === true }),
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** A ledger line of module AR. */
export interface LedgerLine {
  readonly target: string;
  readonly account: string;
  readonly currency: string;
  /** Debit positive. */
  readonly amount: Decimal;
}

/** Codes of the ledger for document types, beside the names some releases show. */
const typeNames: Readonly<Record<string, string>> = {
  INV: 'Invoice',
  DRM: 'Debit Memo',
  CRM: 'Credit Memo',
  PMT: 'Payment',
  PPM: 'Prepayment',
  REF: 'Refund',
  RPM: 'Voided Payment',
  VRF: 'Voided Refund',
};

/** The ledger of a period in module AR; undefined when the inquiry did not answer in time. */
export async function readLedger(context: PairContext, period: string): Promise<readonly LedgerLine[] | undefined> {
  const { acumatica, settings } = context;
  const filter = {
    FromPeriod: periodCode(period),
    ToPeriod: periodCode(period),
    IncludeUnposted: true,
    ...(settings.ledger === undefined ? {} : { Ledger: settings.ledger }),
  };
  try {
    const rows = await acumatica.inquire('AccountDetailsForPeriodInquiry', filter);
    return rows.flatMap((row) => (row.Module === 'AR' ? ledgerLine(row) : []));
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.kind === 'Unreachable' || failure.kind === 'VendorUnavailable') return undefined;
    throw failure;
  }
}

function ledgerLine(row: AccountDetailsRow): readonly LedgerLine[] {
  if (row.Account === undefined || row.RefNumber === undefined) return [];
  const type = row.TransactionType ?? '';
  return [
    {
      target: targetKey(typeNames[type.toUpperCase()] ?? type, row.RefNumber),
      account: row.Account,
      currency: row.Currency ?? '',
      amount: subtract(row.DebitAmount ?? '0', row.CreditAmount ?? '0'),
    },
  ];
}

/** Movement of each account in a period, in the base currency: all that is left when the details time out. Debit positive. */
export async function readAccountTotals(context: PairContext, period: string): Promise<ReadonlyMap<string, Decimal>> {
  const { ledger, branch } = context.settings;
  const rows = await context.acumatica.inquire('AccountSummaryInquiry', {
    Period: periodCode(period),
    Branch: branch,
    ...(ledger === undefined ? {} : { Ledger: ledger }),
  });
  const totals = new Map<string, Decimal>();
  for (const row of rows) {
    if (row.Account === undefined) continue;
    const change = subtract(row.DebitTotal ?? '0', row.CreditTotal ?? '0');
    totals.set(row.Account, add(totals.get(row.Account) ?? '0', change));
  }
  return totals;
}

async function collect<Row, Kept>(pages: AsyncIterable<readonly Row[]>, keep: (row: Row) => Kept): Promise<readonly Kept[]> {
  const kept: Kept[] = [];
  for await (const page of pages) kept.push(...page.map(keep));
  return kept;
}
