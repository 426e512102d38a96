import * as z from 'zod';
import { dim, heading, mark, shortTime, table } from './tables.ts';

/** How it stands: status, check, poll. Answers are read by schema, so that a newer connector with more in its answers still shows. */

const statusAnswer = z.object({
  integrations: z.array(
    z.object({
      integration: z.string(),
      broken: z.object({ sentence: z.string(), fix: z.string().optional() }).optional(),
      flows: z.array(
        z.object({
          flow: z.string(),
          mode: z.string(),
          reason: z.string().optional(),
          poll: z.union([z.number(), z.string()]),
          polledAt: z.string().optional(),
          cursor: z.string().optional(),
          backfilling: z.boolean().optional(),
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
          mark(flow.mode) + (flow.reason && flow.reason !== 'flow-off' ? dim(` ${flow.reason}`) : ''),
          flow.mode === 'off' ? '' : typeof flow.poll === 'number' ? `${flow.poll} min` : flow.poll,
          shortTime(flow.polledAt),
          shortTime(flow.cursor) + (flow.backfilling ? dim(' backfill goes on') : ''),
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
      const silent = one.flows.flatMap((flow) =>
        flow.webhooksSilentSince === undefined
          ? []
          : [`  ${flow.flow}: no webhook since ${shortTime(flow.webhooksSilentSince)}; polls bring what changed`],
      );
      const broken = one.broken && [`  ${mark('broken')} ${one.broken.sentence}`, ...(one.broken.fix ? [`  → ${one.broken.fix}`] : [])];
      return [
        heading(one.integration),
        ...(broken ?? []),
        flows,
        ...silent,
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
      ...results.map((result) => {
        const gap = ' '.repeat(Math.max(0, 5 - result.level.length));
        return `  ${mark(result.level)}${gap}  ${result.id.padEnd(4)} ${result.sentence}${result.fix ? `\n              → ${result.fix}` : ''}`;
      }),
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
        ...(report.flows.length === 0
          ? []
          : [
              table(
                ['flow', 'listed', 'unchanged', 'queued'],
                report.flows.map((flow) => [flow.flow, flow.listed, flow.unchanged, flow.queued]),
              ),
            ]),
        ...Object.entries(report.skipped).map(([flow, why]) => dim(`  ${flow}: ${why}`)),
      ].join('\n'),
    )
    .join('\n\n');
}
