import colors from 'picocolors';
import { showHolds } from '../../cli/show-records.ts';
import { add, type Decimal, isZero, readable, subtract, sum } from '../../lib/values/decimal.ts';
import { type Compared, missingEffect } from '../companies/kestrel-comparison.ts';
import type { Absence, Figures } from './summary.ts';

/** The figures as a finance person reads them, and whether both sides agree as expected. */
export function summaryOf(
  figures: Figures,
  run: {
    readonly seconds: number;
    readonly tries: readonly { readonly command: string; readonly why: string }[];
    readonly stateOption: string;
  },
): { readonly text: string; readonly agrees: boolean } {
  const { comparison, absences, differences } = figures;
  const rows = rowsOf(figures);
  const unmeant = absences.filter(({ isExpected }) => !isExpected);
  const untied = [...comparison.receivables].filter(([currency, side]) => !isTied(figures, currency, side));
  const agrees = differences.length === 0 && unmeant.length === 0 && untied.length === 0;
  const { customers } = comparison;
  const parts = [
    colors.bold('Zuora and Acumatica, side by side'),
    '',
    aligned([['', '', 'Zuora', '', 'Acumatica', '', 'difference', 'because'], ...rows]),
    '',
    `Customers: ${customers.customers} of ${customers.accounts} billing accounts${customers.missing.length === 0 ? '.' : `; not there yet: ${customers.missing.join(', ')}.`}`,
    ...(comparison.others > 0 ? [`Acumatica also has ${comparison.others} released documents that people entered there.`] : []),
    '',
    colors.bold('Held, with what to do'),
    '',
    showHolds(figures.holds),
    ...waitingText(absences),
    ...problemText(
      unmeant,
      differences,
      untied.map(([currency]) => currency),
    ),
    '',
    `${agrees ? colors.green('Both sides agree: every difference above is explained.') : colors.red('The two sides differ in a way nobody meant.')}`,
    `It took ${run.seconds} s and ${callText(figures)}.`,
    '',
    colors.bold('Try, in another terminal'),
    ...aligned(
      run.tries.map(({ command, why }) => [`npm run cli -- ${run.stateOption}${command}`, why]),
      [false, false],
    )
      .split('\n')
      .map((line) => `  ${line}`),
  ];
  return { text: parts.join('\n'), agrees };
}

function rowsOf({ comparison, absences }: Figures): string[][] {
  const groups = new Map<string, Compared[]>();
  for (const document of comparison.documents) {
    const key = `${document.kind}|${document.currency}`;
    groups.set(key, [...(groups.get(key) ?? []), document]);
  }
  const kinds = [...new Set(comparison.documents.map(({ kind }) => kind))];
  const rows = kinds.flatMap((kind) =>
    [...groups]
      .filter(([key]) => key.startsWith(`${kind}|`))
      .sort(([left], [right]) => (left < right ? 1 : -1))
      .map(([, documents], index) => documentRow(documents, absences, index === 0)),
  );
  const receivables = [...comparison.receivables].reverse().map(([currency, { billed, booked }], index) => {
    const difference = subtract(billed, booked);
    return [
      ...[index === 0 ? 'Receivables' : '', currency, '', readable(billed), '', readable(booked)],
      ...[
        shown(difference),
        isZero(difference) ? '' : isTied({ comparison }, currency, { billed, booked }) ? 'the documents above, to 0.00' : 'not explained',
      ],
    ];
  });
  return [...rows, ...receivables];
}

function documentRow(documents: readonly Compared[], absences: readonly Absence[], isFirst: boolean): string[] {
  const [first] = documents;
  const there = documents.filter(({ booked }) => booked.length > 0);
  const billed = sum(documents.map(({ amount }) => amount));
  const booked = sum(there.flatMap((document) => document.booked.map(({ amount }) => amount)));
  const numbers = new Set(documents.filter((document) => document.booked.length === 0).map(({ number }) => number));
  return [
    ...[isFirst ? (first?.kind ?? '') : '', first?.currency ?? '', String(documents.length), readable(billed)],
    ...[
      String(there.length),
      readable(booked),
      shown(subtract(billed, booked)),
      reasonsOf(absences.filter(({ document }) => numbers.has(document.number))),
    ],
  ];
}

const reasons: Readonly<Record<Absence['state'], string>> = {
  'before-start': 'before the first day',
  filtered: 'left out',
  planned: 'planned',
  held: 'held',
  waiting: 'waiting',
  'on-the-way': 'on the way',
  unknown: 'not explained',
};

function reasonsOf(absences: readonly Absence[]): string {
  return Object.entries(reasons)
    .map(([state, words]) => [absences.filter((absence) => absence.state === state).length, words] as const)
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${count} ${words}`)
    .join(', ');
}

const shown = (difference: Decimal): string => (isZero(difference) ? '–' : readable(difference));

function isTied(
  { comparison }: Pick<Figures, 'comparison'>,
  currency: string,
  { billed, booked }: { readonly billed: Decimal; readonly booked: Decimal },
): boolean {
  return isZero(subtract(subtract(billed, booked), missingEffect(comparison.documents, currency)));
}

function waitingText(absences: readonly Absence[]): string[] {
  const waiting = absences.filter(({ state }) => state === 'waiting');
  if (waiting.length === 0) return [];
  const total = new Map<string, Decimal>();
  for (const { document } of waiting) total.set(document.currency, add(total.get(document.currency) ?? '0', document.amount));
  const money = [...total].map(([currency, amount]) => `${readable(amount)} ${currency}`).join(' + ');
  const numbers = waiting.map(({ document }) => document.number).join(', ');
  return ['', `Waiting, and posted by themselves afterwards: ${numbers} (${money}). ${waiting[0]?.because}`];
}

/** More than this nobody reads. */
const mostProblems = 20;

function problemText(unmeant: readonly Absence[], differences: readonly Compared[], untied: readonly string[]): string[] {
  const problems = [
    ...unmeant.map(
      ({ document, because }) => `${document.number} ${readable(document.amount)} ${document.currency} is not in Acumatica: ${because}`,
    ),
    ...differences.map(
      ({ number, amount, currency, booked }) =>
        `${number} is ${readable(amount)} ${currency} in Zuora and ${booked.map((there) => `${readable(there.amount)} as ${there.target}`).join(' and ')} in Acumatica`,
    ),
    ...untied.map((currency) => `the receivables in ${currency} differ by more than the documents that are missing`),
  ];
  if (problems.length === 0) return [];
  const more = problems.length - mostProblems;
  return [
    '',
    colors.bold('Not as it should be'),
    '',
    ...problems.slice(0, mostProblems).map((problem) => `  ${problem}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function callText({ calls }: Figures): string {
  return Object.entries(calls)
    .map(([system, { reads, writes }]) => `${reads} reads and ${writes} writes at ${system}`)
    .join(', ');
}

/** Columns as wide as their longest cell; all but the first two and the last are numbers and end at the same place. */
function aligned(rows: readonly (readonly string[])[], numeric?: readonly boolean[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const isNumeric = (column: number): boolean => numeric?.[column] ?? (column > 1 && column < columns - 1);
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (isNumeric(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
