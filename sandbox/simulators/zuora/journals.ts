import { add, compare, isZero, negate } from '../../../lib/values/decimal.ts';
import { ControlError } from '../kit.ts';
import { accountingCodeNamed, accountingCodeOfType } from './accounts.ts';
import { type DocumentKind, itemTables } from './items.ts';
import type { BillingDocument, Item, JournalEntry, JournalLine, JournalRun } from './rows.ts';
import type { JournalRunInput } from './shapes.ts';
import type { Tenant } from './tenant.ts';

/** How long a run asked for by the API takes. */
const runTakesMs = 10_000;

export function createJournalRun(tenant: Tenant, input: JournalRunInput, pending: boolean): JournalRun {
  if (!tenant.features.finance) throw new ControlError('Zuora Finance is off: there are no journal runs');
  const today = tenant.today();
  const date = input.journalEntryDate ?? today;
  const nowMs = tenant.world.clock.now().getTime();
  const types =
    input.transactionTypes.length > 0
      ? input.transactionTypes
      : [...new Set(input.entries?.map((entry) => entry.transactionType) ?? ['Invoice Item'])];
  const run = tenant.save(tenant.journalRuns, {
    ...tenant.stamp(),
    number: tenant.numberFor('journalRun', tenant.journalRuns, input.number),
    journalEntryDate: date,
    targetStartDate: input.targetStartDate ?? `${date.slice(0, 7)}-01`,
    targetEndDate: input.targetEndDate ?? date,
    accountingPeriodName: input.accountingPeriodName ?? null,
    transactionTypes: types,
    status: 'Pending',
    aggregateCurrency: input.aggregateCurrency,
    completesAt: new Date(nowMs + (pending ? runTakesMs : 0)).toISOString(),
    executedAt: null,
  });
  if (input.entries) for (const entry of input.entries) saveEntry(tenant, run, entry);
  return pending ? run : complete(tenant, run);
}

/** Runs that were asked for through the API complete by themselves. */
export function completeRuns(tenant: Tenant): void {
  const now = tenant.world.clock.now().toISOString();
  for (const run of tenant.journalRuns.all()) if (run.status === 'Pending' && run.completesAt <= now) complete(tenant, run);
}

function complete(tenant: Tenant, run: JournalRun): JournalRun {
  if (tenant.journalEntries.by('journalRunId', run.id).length === 0) {
    for (const type of run.transactionTypes) deriveEntries(tenant, run, type);
  }
  const done = tenant.change(tenant.journalRuns, run, { status: 'Completed', executedAt: tenant.now() });
  tenant.announce('JournalRunCompletion', { object: 'JournalRun', id: done.id, number: done.number });
  return done;
}

type EntryInput = NonNullable<JournalRunInput['entries']>[number];

function saveEntry(tenant: Tenant, run: JournalRun, input: EntryInput): JournalEntry {
  return tenant.save(tenant.journalEntries, {
    ...tenant.stamp(),
    number: tenant.numberFor('journalEntry', tenant.journalEntries, input.number),
    journalRunId: run.id,
    status: input.status,
    journalEntryDate: run.journalEntryDate,
    currency: input.currency ?? tenant.settings.homeCurrency,
    homeCurrency: tenant.settings.homeCurrency,
    aggregateCurrency: run.aggregateCurrency,
    transactionType: input.transactionType,
    accountingPeriodName: run.accountingPeriodName,
    timePeriodStart: run.targetStartDate,
    timePeriodEnd: run.targetEndDate,
    transferredToAccounting: input.transferredToAccounting,
    notes: input.notes,
    segments: input.segments,
    lines: input.lines.map((line) => {
      accountingCodeNamed(tenant, line.accountingCode, 'SalesRevenue');
      return { ...line, homeCurrencyAmount: line.homeCurrencyAmount ?? line.amount };
    }),
  });
}

export function cancelJournalEntry(tenant: Tenant, key: string): JournalEntry {
  const entry = tenant.need(tenant.journalEntries, key);
  if (entry.status !== 'Created') throw new ControlError(`journal entry ${entry.number} is ${entry.status}`);
  return tenant.change(tenant.journalEntries, entry, { status: 'Cancelled' });
}

/** Sums per currency and pair of accounting codes: what the period's documents of one transaction type mean in the ledger. */
class Sums {
  readonly #byCurrency = new Map<string, Map<string, string>>();

  /** Debit positive, credit negative. */
  add(currency: string, code: string, amount: string): void {
    const codes = this.#byCurrency.get(currency) ?? new Map<string, string>();
    codes.set(code, add(codes.get(code) ?? '0', amount));
    this.#byCurrency.set(currency, codes);
  }

  entries(): { readonly currency: string; readonly lines: JournalLine[] }[] {
    return [...this.#byCurrency].map(([currency, codes]) => ({
      currency,
      lines: [...codes]
        .filter(([, amount]) => !isZero(amount))
        .map(([accountingCode, amount]) => {
          const credit = compare(amount, '0') < 0;
          const size = credit ? negate(amount) : amount;
          return { type: credit ? 'Credit' : 'Debit', accountingCode, amount: size, homeCurrencyAmount: size };
        }),
    }));
  }
}

const documentTypes: Readonly<Record<string, { readonly kind: DocumentKind; readonly part: 'charge' | 'tax' }>> = {
  'Invoice Item': { kind: 'invoice', part: 'charge' },
  'Taxation Item': { kind: 'invoice', part: 'tax' },
  'Credit Memo Item (Charge)': { kind: 'credit-memo', part: 'charge' },
  'Credit Memo Item (Tax)': { kind: 'credit-memo', part: 'tax' },
  'Debit Memo Item (Charge)': { kind: 'debit-memo', part: 'charge' },
  'Debit Memo Item (Tax)': { kind: 'debit-memo', part: 'tax' },
};

const moneyTypes: Readonly<Record<string, { readonly type: string; readonly refund: boolean }>> = {
  'External Payment': { type: 'External', refund: false },
  'Electronic Payment': { type: 'Electronic', refund: false },
  'External Payment Application': { type: 'External', refund: false },
  'Electronic Payment Application': { type: 'Electronic', refund: false },
  'External Refund': { type: 'External', refund: true },
  'Electronic Refund': { type: 'Electronic', refund: true },
  'External Refund Application': { type: 'External', refund: true },
  'Electronic Refund Application': { type: 'Electronic', refund: true },
};

function deriveEntries(tenant: Tenant, run: JournalRun, transactionType: string): void {
  const sums = new Sums();
  const documents = documentTypes[transactionType];
  const money = moneyTypes[transactionType];
  const inPeriod = (date: string): boolean => date >= run.targetStartDate && date <= run.targetEndDate;
  const receivable = accountingCodeOfType(tenant, 'AccountsReceivable')?.name ?? 'Accounts Receivable';
  const cash = accountingCodeOfType(tenant, 'Cash')?.name ?? 'Cash';
  if (documents) {
    const rows: readonly BillingDocument[] =
      documents.kind === 'invoice'
        ? tenant.invoices.all()
        : documents.kind === 'credit-memo'
          ? tenant.creditMemos.all()
          : tenant.debitMemos.all();
    const sign = documents.kind === 'credit-memo' ? negate : (amount: string) => amount;
    const tables = itemTables(tenant, documents.kind);
    for (const row of rows.filter((document) => document.status === 'Posted' && inPeriod(document.date))) {
      for (const item of tables.items.by('documentId', row.id)) {
        const parts =
          documents.part === 'charge'
            ? [{ code: revenueCode(tenant, item), amount: item.amountWithoutTax }]
            : tables.taxes.by('itemId', item.id).map((tax) => ({ code: tax.accountingCode ?? 'Sales Tax Payable', amount: tax.taxAmount }));
        for (const part of parts) {
          sums.add(row.currency, receivable, sign(part.amount));
          sums.add(row.currency, part.code, negate(sign(part.amount)));
        }
      }
    }
  } else if (money?.refund === true) {
    for (const row of tenant.refunds
      .all()
      .filter((refund) => refund.status === 'Processed' && refund.type === money.type && inPeriod(refund.refundDate))) {
      sums.add(row.currency, receivable, row.amount);
      sums.add(row.currency, cash, negate(row.amount));
    }
  } else if (money) {
    for (const row of tenant.payments
      .all()
      .filter((one) => one.status === 'Processed' && one.type === money.type && inPeriod(one.effectiveDate))) {
      sums.add(row.currency, cash, row.amount);
      sums.add(row.currency, receivable, negate(row.amount));
    }
  }
  for (const { currency, lines } of sums.entries()) {
    if (lines.length === 0) continue;
    const typed = lines.map((line) => ({ ...line, type: line.type === 'Credit' ? ('Credit' as const) : ('Debit' as const) }));
    saveEntry(tenant, run, {
      transactionType,
      currency,
      status: 'Created',
      transferredToAccounting: 'No',
      notes: '',
      segments: [],
      lines: typed,
    });
  }
}

function revenueCode(tenant: Tenant, item: Item): string {
  const id = item.deferredRevenueAccountingCodeId ?? item.recognizedRevenueAccountingCodeId;
  return (id === null ? undefined : tenant.accountingCodes.get(id)?.name) ?? item.accountingCode ?? 'Revenue';
}
