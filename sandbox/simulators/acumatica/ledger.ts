import { type Decimal, isZero, multiply, round, subtract, sum } from '../../../lib/values/decimal.ts';
import type { Company } from './company.ts';
import type { Document, Entry } from './rows.ts';

/** A line to be posted: a positive amount debits, a negative one credits. */
export interface Posting {
  readonly account: string;
  readonly subaccount?: string;
  readonly amount: Decimal;
  /** In the base currency, when it is not simply amount × rate. */
  readonly base?: Decimal;
  readonly reference: string;
  readonly type: string;
  readonly customer: string;
  readonly text: string;
}

export interface BatchOptions {
  readonly module: 'AR' | 'GL';
  readonly date: string;
  readonly period: string;
  readonly branch: string;
  readonly currency: string;
  readonly rate: Decimal;
  readonly description: string;
  readonly postings: readonly Posting[];
}

/** Writes the batch a release creates. Every released document has one, so that posting the same thing twice shows in the balances. */
export function postBatch(company: Company, options: BatchOptions): Document {
  const number = company.nextNumber(`Batch ${options.module}`, (taken) => company.batches.get(`${options.module}|${taken}`) !== undefined);
  const id = company.newId();
  const batch: Document = {
    id,
    fields: {
      Module: options.module,
      BatchNbr: number,
      LedgerID: company.actualLedger(),
      BranchID: options.branch,
      TransactionDate: options.date,
      PostPeriod: options.period,
      CurrencyID: options.currency,
      Description: options.description,
      Hold: false,
      Status: company.preferences.autoPost ? 'Posted' : 'Unposted',
      CreatedDateTime: company.now(),
      LastModifiedDateTime: company.now(),
    },
    released: true,
    voided: false,
    approval: 'none',
    currency: options.currency,
    rate: options.rate,
    nextLine: 1,
    history: [],
    appliedBy: [],
    entries: entriesOf(company, options),
  };
  company.batches.put(batch);
  return batch;
}

/** Converts every line and puts what rounding leaves onto the largest one, so that the batch balances in both currencies. */
export function entriesOf(company: Company, options: Pick<BatchOptions, 'postings' | 'rate'>): Entry[] {
  const places = company.precisionOf(company.state.baseCurrency);
  const lines = options.postings.filter((posting) => !isZero(posting.amount) || !isZero(posting.base ?? '0'));
  const bases = lines.map((line) => line.base ?? round(multiply(line.amount, options.rate), places));
  const residue = sum(bases);
  if (!isZero(residue) && isZero(sum(lines.map((line) => line.amount)))) {
    const last = bases.length - 1;
    bases[last] = subtract(bases[last] ?? '0', residue);
  }
  return lines.map((line, index) => {
    const base = bases[index] ?? '0';
    const credit = line.amount.startsWith('-') || (isZero(line.amount) && base.startsWith('-'));
    const unsigned = (value: Decimal) => (credit ? subtract('0', value) : value);
    return {
      account: line.account,
      subaccount: line.subaccount ?? '',
      debit: credit ? '0' : unsigned(line.amount),
      credit: credit ? unsigned(line.amount) : '0',
      baseDebit: credit ? '0' : unsigned(base),
      baseCredit: credit ? unsigned(base) : '0',
      reference: line.reference,
      type: line.type,
      customer: line.customer,
      text: line.text,
    };
  });
}

/** A line of a released batch with the batch it stands in. */
export interface LedgerLine {
  readonly batch: Document;
  readonly entry: Entry;
}

/** Every line of the ledger in batch order. */
export function* ledgerLines(company: Company): Generator<LedgerLine> {
  for (const batch of company.batches.all()) for (const entry of batch.entries ?? []) yield { batch, entry };
}

/** Debits minus credits in the base currency. */
export function netOf(entry: Entry): Decimal {
  return subtract(entry.baseDebit, entry.baseCredit);
}
