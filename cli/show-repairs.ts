import * as z from 'zod';
import { counted, dim, heading, mark, shortTime, table } from './tables.ts';

/** What was done, and what there is to do it with: replay, dead letters, mappings, modes, links, reports, registration. */

const lettersAnswer = z.object({
  letters: z.array(
    z.object({
      id: z.string(),
      records: z.array(z.string()),
      cause: z.string().optional(),
      sentence: z.string().optional(),
      fix: z.string().optional(),
      sentAt: z.string(),
      receiveCount: z.number(),
      body: z.string().optional(),
    }),
  ),
  others: z.number().optional(),
});
export type Letter = z.infer<typeof lettersAnswer>['letters'][number];

export const lettersOf = (answer: unknown): readonly Letter[] => lettersAnswer.parse(answer).letters;

export function showLetters(answer: unknown): string {
  const { letters, others = 0 } = lettersAnswer.parse(answer);
  const more = others > 0 ? [`${counted(others, 'more letter')} in somebody else's hands just now, or beyond the first thousand.`] : [];
  if (letters.length === 0) return ['The dead-letter queue is empty.', ...more].join('\n');
  return [letterTable(letters), ...more].join('\n');
}

export function letterTable(letters: readonly Letter[]): string {
  return table(
    ['id', 'since', 'record', 'cause', 'why'],
    letters.map((letter) => [
      letter.id,
      shortTime(letter.sentAt),
      letter.records.join('\n') || '(not a message of ours)',
      letter.cause ?? '',
      letter.sentence ?? letter.body?.slice(0, 80) ?? '',
    ]),
  );
}

export function showLetter(letter: Letter): string {
  return [
    `${heading(letter.id)}  since ${shortTime(letter.sentAt)}, received ${counted(letter.receiveCount, 'time')}`,
    ...letter.records.map((record) => `  ${record}`),
    ...(letter.cause === undefined ? [] : [`  ${letter.cause}`]),
    ...(letter.sentence === undefined ? [] : [`  ${letter.sentence}`]),
    ...(letter.fix === undefined ? [] : [`  → ${letter.fix}`]),
    ...(letter.body === undefined ? [] : [`  not a message of ours: ${letter.body}`]),
  ].join('\n');
}

export function showRedriven(answer: unknown): string {
  const { redriven, unreadable } = z.object({ redriven: z.number(), unreadable: z.array(z.string()) }).parse(answer);
  const left = unreadable.length === 0 ? '' : ` Left where they are, because they are no messages of ours: ${unreadable.join(', ')}.`;
  return `${counted(redriven, 'dead letter')} back on the live queue.${left}`;
}

export const showPurged = (answer: unknown): string =>
  `${counted(z.object({ purged: z.number() }).parse(answer).purged, 'dead letter')} removed.`;

const notes = z.array(z.string()).default([]);

export function showReplay(answer: unknown): string {
  const { replayed, notes: said } = z.object({ replayed: z.array(z.string()), notes }).parse(answer);
  const shown = replayed.slice(0, 20).map((record) => dim(`  ${record}`));
  const others = replayed.length > 20 ? [dim(`  and ${replayed.length - 20} more`)] : [];
  return [`${counted(replayed.length, 'record')} will be looked at again now.`, ...shown, ...others, ...said].join('\n');
}

export function showMode(answer: unknown): string {
  const { flow, before, mode, notes: said } = z.object({ flow: z.string(), before: z.string(), mode: z.string(), notes }).parse(answer);
  const first = before === mode ? `${flow} was ${mark(mode)} already.` : `${flow} was ${mark(before)} and is ${mark(mode)} now.`;
  return [first, ...said].join('\n');
}

export function showMapped(answer: unknown): string {
  const {
    table: name,
    key,
    row,
    released,
  } = z.object({ table: z.string(), key: z.string(), row: z.json(), released: z.number() }).parse(answer);
  const done = row === null ? `${name}: ${key} is removed.` : `${name}: ${key} is set to ${rowText(row)}.`;
  return `${done} ${released === 0 ? 'No hold waited for it.' : `${counted(released, 'held record')} will be looked at again now.`}`;
}

const rowText = (row: unknown): string =>
  row !== null && typeof row === 'object'
    ? Object.entries(row)
        .map(([name, value]) => `${name}=${String(value)}`)
        .join(' ')
    : String(row);

const mappingsAnswer = z.object({
  integrations: z.array(
    z.object({
      integration: z.string(),
      alignedAt: z.string().optional(),
      tables: z.array(
        z.object({
          table: z.string(),
          rows: z.array(z.object({ key: z.string(), row: z.json(), editedBy: z.string().optional(), editedAt: z.string().optional() })),
        }),
      ),
    }),
  ),
});

export function showMappings(answer: unknown): string {
  return mappingsAnswer
    .parse(answer)
    .integrations.flatMap((one) =>
      one.tables.map((shown) => {
        const rows = shown.rows.map((row) => [
          row.key || '(every other)',
          rowText(row.row),
          row.editedBy === undefined ? 'connector.yaml' : `${row.editedBy}, ${shortTime(row.editedAt)}`,
        ]);
        return [heading(shown.table), rows.length === 0 ? '  empty' : table(['row', 'fields', 'from'], rows)].join('\n');
      }),
    )
    .join('\n\n');
}

export function showLinked(answer: unknown): string {
  const { record, keys } = z.object({ record: z.string(), keys: z.record(z.string(), z.string()) }).parse(answer);
  return `${Object.values(keys).join(' and ')} belong together now.\n${dim(`  ${record}`)}`;
}

export function showUnlinked(answer: unknown): string {
  const { record, label } = z.object({ record: z.string(), label: z.string() }).parse(answer);
  return `The link of ${label} is forgotten; both records stay as they are.\n${dim(`  ${record}`)}`;
}

export function showDecided(answer: unknown): string {
  const { record, decision } = z.object({ record: z.string(), decision: z.string() }).parse(answer);
  return `Decided: ${decision}. It will be looked at again now.\n${dim(`  ${record}`)}`;
}

const reportsAnswer = z.object({
  reports: z.array(
    z.object({
      report: z.string(),
      summary: z.string(),
      schedule: z.string(),
      mode: z.string(),
      results: z.array(z.object({ at: z.string(), key: z.string(), result: z.string(), open: z.number() })),
    }),
  ),
});

export function showReports(answer: unknown): string {
  const { reports } = reportsAnswer.parse(answer);
  if (reports.length === 0) return 'No integration here has a report.';
  return reports
    .map((one) => {
      const rows = one.results.map((result) => [result.key, shortTime(result.at), mark(result.result), result.open]);
      return [
        `${heading(one.report)}  ${mark(one.mode)}  ${dim(one.schedule)}`,
        `  ${one.summary}`,
        rows.length === 0 ? '  It did not run yet.' : table(['of', 'ran', 'result', 'open lines'], rows),
      ].join('\n');
    })
    .join('\n\n');
}

const reportAnswer = z.object({
  at: z.string(),
  title: z.string(),
  result: z.string(),
  lines: z.array(
    z.object({
      section: z.string(),
      label: z.string(),
      shown: z.object({ a: z.string(), b: z.string(), difference: z.string(), causes: z.array(z.string()) }),
      causes: z.array(z.object({ cause: z.string(), records: z.array(z.string()) })),
      result: z.string(),
    }),
  ),
  notes: z.array(z.string()),
});

export function showReport(answer: unknown): string {
  const { at, title, result, lines, notes: said } = reportAnswer.parse(answer);
  const rows = lines.map((line) => {
    const { a, b, difference, causes } = line.shown;
    const because = line.causes.map((one, index) => {
      const records = one.records.length > 5 ? [...one.records.slice(0, 5), '…'] : one.records;
      return `${causes[index] ?? ''} ${one.cause}${records.length === 0 ? '' : `: ${records.join(', ')}`}`;
    });
    return [line.section, line.label, a, b, difference, mark(line.result), because.join('\n')];
  });
  return [
    `${heading(title)}  ${mark(result)}  ${dim(`ran ${shortTime(at)}`)}`,
    rows.length === 0 ? 'No lines.' : table(['', 'line', 'a', 'b', 'difference', 'result', 'because of'], rows),
    ...said,
  ].join('\n');
}

const registeredAnswer = z.object({ registered: z.array(z.object({ system: z.string(), url: z.string(), lines: z.array(z.string()) })) });

export function showRegistered(answer: unknown): string {
  const { registered } = registeredAnswer.parse(answer);
  if (registered.length === 0) return 'No system here sends webhooks.';
  return registered.map((one) => [heading(one.system), `  ${one.url}`, ...one.lines.map((line) => `  ${line}`)].join('\n')).join('\n\n');
}
