import * as z from 'zod';
import { absolute, isNegative, isZero, readable, subtract, sum } from '../../../values/decimal.ts';
import { fingerprint } from '../../../values/json.ts';
import { accountOf } from '../accounts.ts';
import type { Books } from '../books.ts';
import type { Journal } from '../canonical.ts';
import { hold, unknownValue } from '../holds.ts';
import { cut, numberOf } from '../markers.ts';
import { datedIn } from '../periods.ts';
import type { Settings } from '../settings.ts';

/** A Zuora summary journal entry becomes one batch of GL301000. Pure. */

export const batchDraftSchema = z.object({
  /** Beginning of the description, by which the batch is found: `ZUORA JE-00000102|`. */
  marker: z.string(),
  number: z.string(),
  run: z.string(),
  description: z.string(),
  ledger: z.string().optional(),
  branch: z.string(),
  date: z.string(),
  postPeriod: z.string().optional(),
  currency: z.string(),
  lines: z.array(
    z.object({ account: z.string(), subaccount: z.string().optional(), debit: z.string(), credit: z.string(), text: z.string() }),
  ),
  content: z.string(),
});
export type BatchDraft = z.infer<typeof batchDraftSchema>;

export const journalPrint = (journal: Journal): string =>
  fingerprint({ status: journal.status, transferred: journal.transferred === 'Ignore', content: journalContent(journal) });

export const journalContent = (journal: Journal): string =>
  fingerprint({
    date: journal.date,
    currency: journal.currency,
    lines: journal.lines.map((line) => JSON.stringify([line.code, line.side, line.amount])).sort(),
  });

export const batchMarker = (number: string): string => `ZUORA ${number}|`;

/** `ReferenceNbr` of a line keeps 15 characters. */
export const lineReference = (number: string): string => number.slice(0, 15);

export function mapJournal(
  journal: Journal,
  given: { readonly generation: number; readonly settings: Settings; readonly books: Books },
): BatchDraft {
  const { settings, books } = given;
  const number = numberOf(settings.markerPrefix, journal.number);
  const marker = batchMarker(given.generation === 1 ? number : `${number}~${given.generation}`);
  const { currency, amounts } = amountsOf(journal, books);
  const lines = journal.lines.flatMap((line, index) => {
    const amount = amounts[index] ?? '0';
    if (isZero(amount)) return [];
    const { deferralCode: _, ...account } = accountOf(line.code, currency, {
      settings,
      books,
      use: settings.postingMode === 'gl-summary' ? 'summary' : 'journal',
    });
    const isDebit = (sideOf(line.side, journal) === 'debit') !== isNegative(amount);
    return [
      {
        ...account,
        debit: isDebit ? absolute(amount) : '0',
        credit: isDebit ? '0' : absolute(amount),
        text: cut([line.code, line.segments].filter((part) => part !== '').join(' '), 512),
      },
    ];
  });
  const difference = subtract(sum(lines.map((line) => line.debit)), sum(lines.map((line) => line.credit)));
  if (!isZero(difference))
    throw hold(
      'unbalanced',
      `${journal.number}: debits and credits differ by ${readable(absolute(difference))} ${currency}.`,
      'Correct the journal entry in Zuora or cancel it and run it again; nothing was written.',
    );
  const dated = datedIn(journal.date, 'gl', { periods: books.periods, closedPeriod: settings.closedPeriod }, journal.number);
  return {
    marker,
    number,
    run: journal.run,
    description: cut(`${marker}${journal.run} ${journal.type} ${journal.period ?? ''}`.trim(), 512),
    ...(settings.ledger === undefined ? {} : { ledger: settings.ledger }),
    branch: settings.branch,
    date: journal.date,
    ...(dated.postPeriod === undefined ? {} : { postPeriod: dated.postPeriod }),
    currency,
    lines,
    content: journalContent(journal),
  };
}

function sideOf(side: string, journal: Journal): 'debit' | 'credit' {
  const text = side.toLowerCase();
  if (text === 'debit' || text === 'credit') return text;
  throw unknownValue('journal side', side, journal.number);
}

/** Entries aggregated over currencies carry home amounts, which fit only a ledger in the home currency. */
function amountsOf(journal: Journal, books: Books): { currency: string; amounts: readonly string[] } {
  if (!journal.aggregate || journal.homeCurrency === undefined || journal.homeCurrency === journal.currency)
    return { currency: journal.currency, amounts: journal.lines.map((line) => line.amount) };
  const amounts = journal.lines.map((line) => line.homeAmount);
  if (journal.homeCurrency !== books.baseCurrency || amounts.some((amount) => amount === undefined))
    throw hold(
      'currency',
      `${journal.number} sums several currencies into ${journal.homeCurrency}; the ledger is in ${books.baseCurrency ?? 'another currency'}.`,
      'Run the journal per currency in Zuora.',
    );
  return { currency: journal.homeCurrency, amounts: amounts.map((amount) => amount ?? '0') };
}

/** The reversing batch: sides swapped, dated the day the entry was cancelled. */
export function mapBatchReversal(
  posted: BatchDraft,
  given: { readonly generation: number; readonly on: string; readonly settings: Settings; readonly books: Pick<Books, 'periods'> },
): BatchDraft {
  const marker = batchMarker(`${posted.number}~R${given.generation}`);
  const { postPeriod: _, ...kept } = posted;
  const dated = datedIn(
    given.on,
    'gl',
    { periods: given.books.periods, closedPeriod: given.settings.closedPeriod },
    `The reversal of ${posted.number}`,
  );
  return {
    ...kept,
    marker,
    description: cut(`${marker}${posted.run} reversal`, 512),
    date: given.on,
    ...(dated.postPeriod === undefined ? {} : { postPeriod: dated.postPeriod }),
    lines: posted.lines.map((line) => ({ ...line, debit: line.credit, credit: line.debit })),
  };
}
