import * as z from 'zod';
import { dim, heading, mark, table } from './tables.ts';

/** How each answer looks to a person. The answers are read by schema, so that a newer connector with more in its answers still shows. */

const shortTime = (iso: string | undefined): string => (iso === undefined ? '' : iso.replace('T', ' ').slice(0, 19));

const statusAnswer = z.object({
  integrations: z.array(
    z.object({
      integration: z.string(),
      flows: z.array(
        z.object({
          flow: z.string(),
          mode: z.string(),
          reason: z.string().optional(),
          poll: z.union([z.number(), z.string()]),
          polledAt: z.string().optional(),
          cursor: z.string().optional(),
          webhooksSilentSince: z.string().optional(),
          held: z.number(),
          waiting: z.number(),
        }),
      ),
      connections: z.array(
        z.object({
          connection: z.string(),
          vendor: z.string(),
          pausedSince: z.string().optional(),
          why: z.string().optional(),
          fix: z.string().optional(),
        }),
      ),
      queues: z.object({
        live: z.object({ waiting: z.number(), inFlight: z.number(), delayed: z.number() }),
        bulk: z.object({ waiting: z.number(), inFlight: z.number(), delayed: z.number() }),
        dead: z.number(),
      }),
      working: z.number(),
      alerts: z.array(z.object({ alert: z.string(), since: z.string(), sentence: z.string() })),
    }),
  ),
});

export function showStatus(answer: unknown): string {
  return statusAnswer
    .parse(answer)
    .integrations.map((one) => {
      const flows = table(
        ['flow', 'mode', 'looks every', 'last look', 'read up to', 'held', 'waiting'],
        one.flows.map((flow) => [
          flow.flow,
          mark(flow.mode) + (flow.reason ? dim(` ${flow.reason}`) : ''),
          typeof flow.poll === 'number' ? `${flow.poll} min` : flow.poll,
          shortTime(flow.polledAt),
          shortTime(flow.cursor),
          flow.held,
          flow.waiting,
        ]),
      );
      const connections = one.connections.map((connection) =>
        connection.pausedSince === undefined
          ? `  ${connection.connection} (${connection.vendor}): ${mark('live')}`
          : `  ${connection.connection} (${connection.vendor}): ${mark('paused')} since ${shortTime(connection.pausedSince)}. ${connection.why ?? ''} ${connection.fix ?? ''}`,
      );
      const { live, bulk, dead } = one.queues;
      const queues = `  live ${live.waiting} waiting, ${live.inFlight} in work, ${live.delayed} later · bulk ${bulk.waiting} waiting, ${bulk.inFlight} in work · dead letters ${dead} · writes under way ${one.working}`;
      const alerts = one.alerts.map((alert) => `  ${mark('red')} ${alert.sentence} ${dim(`since ${shortTime(alert.since)}`)}`);
      return [
        heading(one.integration),
        flows,
        heading('Connections'),
        ...connections,
        heading('Queues'),
        queues,
        ...(alerts.length > 0 ? [heading('Alerts'), ...alerts] : []),
      ].join('\n');
    })
    .join('\n\n');
}

const checkAnswer = z.object({
  level: z.string(),
  parts: z.array(
    z.object({
      integration: z.string(),
      part: z.string(),
      results: z.array(z.object({ id: z.string(), level: z.string(), sentence: z.string(), fix: z.string().optional() })),
    }),
  ),
});

export function showCheck(answer: unknown): string {
  const { level, parts } = checkAnswer.parse(answer);
  const blocks = parts.map(({ part, results }) =>
    [
      heading(part),
      ...results.map(
        (result) =>
          `  ${mark(result.level).padEnd(7)} ${result.id.padEnd(4)} ${result.sentence}${result.fix ? `\n               ${dim(`→ ${result.fix}`)}` : ''}`,
      ),
    ].join('\n'),
  );
  const verdict =
    level === 'green'
      ? 'Everything is ready.'
      : level === 'amber'
        ? 'Ready, with the limits above.'
        : 'Not ready: the red lines come first.';
  return [...blocks, '', verdict].join('\n');
}

const auditEntry = z.object({
  at: z.string(),
  record: z.string(),
  label: z.string().optional(),
  cause: z.string(),
  outcome: z.string(),
  reason: z.string().optional(),
  sentence: z.string(),
  target: z.string().optional(),
  operator: z.string().optional(),
  correlation: z.string().optional(),
  before: z.json().optional(),
  after: z.json().optional(),
});
const auditAnswer = z.object({ entries: z.array(auditEntry), more: z.boolean() });

export function showAudit(answer: unknown): string {
  const { entries, more } = auditAnswer.parse(answer);
  if (entries.length === 0) return 'No entries.';
  const rows = entries.map((entry) => [
    shortTime(entry.at),
    entry.record.split('|')[0],
    entry.label ?? '',
    mark(entry.outcome) + (entry.reason ? ` (${entry.reason})` : ''),
    entry.cause,
    entry.sentence,
  ]);
  return (
    table(['when', 'flow', 'record', 'outcome', 'because of', 'what'], rows) +
    (more ? '\nOlder entries were left out: --limit takes more, --from and --to narrow.' : '')
  );
}

const explainAnswer = z.object({
  stories: z.array(
    z.object({
      record: z.string(),
      flow: z.string(),
      label: z.string(),
      state: z.string(),
      money: z.string().optional(),
      keys: z.record(z.string(), z.string()),
      targets: z.array(
        z.object({ generation: z.number(), kind: z.string(), stage: z.string(), target: z.string().optional(), marker: z.string() }),
      ),
      trouble: z.object({ cause: z.string(), sentence: z.string(), fix: z.string().optional(), since: z.string().optional() }).optional(),
      note: z.string().optional(),
      timeline: z.array(auditEntry),
    }),
  ),
});

export function showExplain(answer: unknown): string {
  return explainAnswer
    .parse(answer)
    .stories.map((story) => {
      const lines = [
        `${heading(story.label)}  ${story.flow}  ${mark(story.state)}${story.money ? `  ${story.money}` : ''}${story.note ? dim(`  ${story.note}`) : ''}`,
      ];
      for (const [system, key] of Object.entries(story.keys)) lines.push(`  ${system}: ${key}`);
      for (const target of story.targets)
        lines.push(
          `  ${target.kind} ${target.generation}: ${target.target ?? 'not written yet'}, ${target.stage}, found again by ${target.marker}`,
        );
      if (story.trouble) {
        lines.push(
          `  ${mark(story.state)} since ${shortTime(story.trouble.since)} (${story.trouble.cause})`,
          `  ${story.trouble.sentence}`,
        );
        if (story.trouble.fix) lines.push(`  → ${story.trouble.fix}`);
      }
      lines.push(heading('  Timeline'));
      for (const entry of story.timeline) {
        lines.push(
          `  ${shortTime(entry.at)}  ${mark(entry.outcome)}${entry.reason ? ` (${entry.reason})` : ''}  ${entry.sentence}${dim(`  because of ${entry.operator ?? entry.cause}`)}`,
        );
        if (entry.before !== undefined && entry.before !== null) lines.push(dim(`      before ${JSON.stringify(entry.before)}`));
        if (entry.after !== undefined && entry.after !== null) lines.push(dim(`      after  ${JSON.stringify(entry.after)}`));
      }
      if (story.timeline.length === 0) lines.push(dim('  nothing was decided yet'));
      return lines.join('\n');
    })
    .join('\n\n');
}

const holdsAnswer = z.object({
  groups: z.array(
    z.object({
      integration: z.string(),
      cause: z.string(),
      count: z.number(),
      money: z.array(z.string()),
      sentence: z.string(),
      fix: z.string().optional(),
      since: z.string().optional(),
      records: z.array(z.object({ label: z.string(), flow: z.string() })),
    }),
  ),
});

const shownRecords = 12;

export function showHolds(answer: unknown): string {
  const { groups } = holdsAnswer.parse(answer);
  if (groups.length === 0) return 'Nothing is held.';
  return groups
    .map((group) => {
      const labels = group.records
        .slice(0, shownRecords)
        .map((record) => record.label)
        .join(', ');
      const others = group.records.length > shownRecords ? ` and ${group.records.length - shownRecords} more` : '';
      return [
        `${heading(group.cause)}  ${group.count} record${group.count === 1 ? '' : 's'}${group.money.length > 0 ? `, ${group.money.join(' + ')}` : ''}${group.since ? dim(`  since ${shortTime(group.since)}`) : ''}`,
        `  ${group.sentence}`,
        ...(group.fix ? [`  → ${group.fix}`] : []),
        `  ${dim(labels + others)}`,
      ].join('\n');
    })
    .join('\n\n');
}

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
});

export function showLetters(answer: unknown): string {
  const { letters } = lettersAnswer.parse(answer);
  if (letters.length === 0) return 'The dead-letter queue is empty.';
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

/** One letter in full. */
export function showLetter(answer: unknown, id: string): string | undefined {
  const letter = lettersAnswer.parse(answer).letters.find((candidate) => candidate.id === id || candidate.id.startsWith(id));
  return letter && JSON.stringify(letter, null, 2);
}

const pollAnswer = z.object({
  reports: z.array(
    z.object({
      integration: z.string(),
      flows: z.array(z.object({ flow: z.string(), listed: z.number(), unchanged: z.number(), queued: z.number() })),
      skipped: z.record(z.string(), z.string()),
    }),
  ),
});

export function showPoll(answer: unknown): string {
  return pollAnswer
    .parse(answer)
    .reports.map((report) =>
      [
        heading(report.integration),
        table(
          ['flow', 'listed', 'unchanged', 'queued'],
          report.flows.map((flow) => [flow.flow, flow.listed, flow.unchanged, flow.queued]),
        ),
        ...Object.entries(report.skipped).map(([flow, why]) => dim(`  ${flow}: ${why}`)),
      ].join('\n'),
    )
    .join('\n\n');
}
