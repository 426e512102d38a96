import * as z from 'zod';
import { counted, dim, heading, mark, shortTime, table } from './tables.ts';

/** What became of records: explain, audit, holds, waiting, plans. */

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
  before: z.json().optional(),
  after: z.json().optional(),
});
const auditAnswer = z.object({ entries: z.array(auditEntry), more: z.boolean(), before: z.string().optional() });

export function showAudit(answer: unknown): string {
  const { entries, before } = auditAnswer.parse(answer);
  const older = before === undefined ? '' : `Older entries: the same with --before "${before}"`;
  if (entries.length === 0) return older === '' ? 'No entries.' : `No entries in what was searched. ${older}`;
  const rows = entries.map((entry) => [
    shortTime(entry.at),
    (entry.record.split('|')[0] ?? '').split('.').at(-1),
    entry.label ?? '',
    mark(entry.outcome) + (entry.reason ? ` (${entry.reason})` : ''),
    entry.operator ?? entry.cause,
    entry.sentence,
  ]);
  return [table(['when', 'flow', 'record', 'outcome', 'because of', 'what'], rows), ...(older === '' ? [] : [older])].join('\n');
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
      trouble: z
        .object({
          cause: z.string(),
          sentence: z.string(),
          since: z.string().optional(),
          details: z.record(z.string(), z.string()).optional(),
        })
        .optional(),
      note: z.string().optional(),
      decision: z.string().optional(),
      plan: z.object({ at: z.string(), would: z.string(), sentence: z.string() }).optional(),
      next: z.string(),
      timeline: z.array(auditEntry),
    }),
  ),
});
type ShownStory = z.infer<typeof explainAnswer>['stories'][number];

export function showExplain(answer: unknown): string {
  return explainAnswer.parse(answer).stories.map(showStory).join('\n\n');
}

function showStory(story: ShownStory): string {
  const { trouble, plan } = story;
  const title = [heading(story.label), story.flow, mark(story.state), story.money, story.note && dim(story.note)];
  const lines = [title.filter(Boolean).join('  '), dim(`  ${story.record}`)];
  for (const [system, key] of Object.entries(story.keys)) lines.push(`  ${system}: ${key}`);
  for (const target of story.targets) {
    lines.push(
      `  ${target.kind} ${target.generation}: ${target.target ?? 'not written yet'}, ${target.stage}, found again by ${target.marker}`,
    );
  }
  if (trouble) {
    lines.push(`  ${mark(story.state)} since ${shortTime(trouble.since)} (${trouble.cause})`, `  ${trouble.sentence}`);
    for (const [name, value] of Object.entries(trouble.details ?? {})) lines.push(dim(`    ${name}: ${value}`));
  }
  if (plan) lines.push(`  plan of ${shortTime(plan.at)}: ${mark(plan.would)}: ${plan.sentence}`);
  if (story.decision) lines.push(`  decided: ${story.decision}`);
  lines.push(`  → ${story.next}`, heading('  Timeline'));
  for (const entry of story.timeline) {
    const reason = entry.reason ? ` (${entry.reason})` : '';
    lines.push(
      `  ${shortTime(entry.at)}  ${mark(entry.outcome)}${reason}  ${entry.sentence}${dim(`  because of ${entry.operator ?? entry.cause}`)}`,
    );
    if (entry.before !== undefined && entry.before !== null) lines.push(dim(`      before ${JSON.stringify(entry.before)}`));
    if (entry.after !== undefined && entry.after !== null) lines.push(dim(`      after  ${JSON.stringify(entry.after)}`));
  }
  if (story.timeline.length === 0) lines.push(dim('  nothing was decided yet'));
  return lines.join('\n');
}

const group = z.object({
  integration: z.string(),
  cause: z.string(),
  count: z.number(),
  money: z.array(z.string()),
  sentence: z.string(),
  fix: z.string().optional(),
  since: z.string().optional(),
  records: z.array(z.object({ label: z.string(), flow: z.string() })),
});
const groupsAnswer = z.object({ groups: z.array(group) });

const shownRecords = 12;

export const showHolds = (answer: unknown): string => showGroups(answer, 'Nothing is held.');
export const showWaiting = (answer: unknown): string => showGroups(answer, 'Nothing waits.');

function showGroups(answer: unknown, none: string): string {
  const { groups } = groupsAnswer.parse(answer);
  return groups.length === 0 ? none : groups.map(showGroup).join('\n\n');
}

function showGroup({ cause, count, money, sentence, fix, since, records }: z.infer<typeof group>): string {
  const labels = records.slice(0, shownRecords).map((record) => record.label);
  const others = count > labels.length ? ` and ${count - labels.length} more` : '';
  const totals = money.length > 0 ? `, ${money.join(' + ')}` : '';
  return [
    `${heading(cause)}  ${counted(count, 'record')}${totals}${since ? dim(`  since ${shortTime(since)}`) : ''}`,
    `  ${sentence}`,
    ...(fix ? [`  → ${fix}`] : []),
    `  ${dim(labels.join(', ') + others)}`,
  ].join('\n');
}

const totals = { count: z.number(), money: z.array(z.string()) };
const plansAnswer = z.object({
  flows: z.array(
    z.object({
      flow: z.string(),
      mode: z.string(),
      count: z.number(),
      newest: z.string().optional(),
      would: z.array(z.object({ would: z.string(), ...totals })),
      troubles: z.array(z.object({ cause: z.string(), sentence: z.string(), fix: z.string().optional(), ...totals })),
    }),
  ),
  plans: z.array(z.object({ record: z.string(), label: z.string(), would: z.string(), sentence: z.string() })),
  next: z.string().optional(),
});

export function showPlans(answer: unknown): string {
  const { flows, plans, next } = plansAnswer.parse(answer);
  if (flows.length === 0) return 'No flow is in preview. Switch one: mode invoices preview';
  const blocks = flows.map((flow) => {
    const would = flow.would.map((one) => `  ${mark(one.would)}: ${one.count}${one.money.length > 0 ? `, ${one.money.join(' + ')}` : ''}`);
    const troubles = flow.troubles.flatMap((one) => [
      `  ${heading(one.cause)}  ${counted(one.count, 'record')}${one.money.length > 0 ? `, ${one.money.join(' + ')}` : ''}`,
      `    ${one.sentence}`,
      ...(one.fix ? [`    → ${one.fix}`] : []),
    ]);
    const newest = flow.newest === undefined ? '' : dim(`  last ${shortTime(flow.newest)}`);
    return [`${heading(flow.flow)}  ${mark(flow.mode)}  ${counted(flow.count, 'plan')}${newest}`, ...would, ...troubles].join('\n');
  });
  const list =
    plans.length === 0
      ? []
      : [
          table(
            ['flow', 'record', 'would', 'what'],
            plans.map((plan) => [(plan.record.split('|')[0] ?? '').split('.').at(-1), plan.label, mark(plan.would), plan.sentence]),
          ),
        ];
  return [...blocks, ...list, ...(next === undefined ? [] : [`More: the same with --after "${next}"`])].join('\n\n');
}
