import type { FlowContext } from '../contracts/flow.ts';
import type { Report, ReportResult } from '../contracts/integration.ts';
import type { Link } from '../contracts/link.ts';
import { Failure } from '../failures.ts';
import { alertOnce, alertOver } from './alerts-once.ts';
import { isDue } from './cadence.ts';
import { type Shift, timeIsUp } from './shift.ts';
import { reportKey, scheduleKey } from './state-keys.ts';

/** Runs the reports whose hour has come. */
export async function runReports(shift: Shift): Promise<number> {
  const { state, clock } = shift.desk;
  let ran = 0;
  for (const report of shift.definition.reports) {
    const setting = shift.open.flow(report.id);
    if (setting.mode === 'off' || setting.mode === 'paused' || timeIsUp(shift)) continue;
    const key = scheduleKey(shift.name, `report|${report.id}`);
    const last = await state.get<{ ranAt: string }>(key);
    const now = clock.now();
    if (last === undefined) {
      // The first turn is the next one the schedule names, not the moment of the deployment.
      await state.put(key, { ranAt: now.toISOString() }, { expect: 'absent' });
      continue;
    }
    if (!isDue(setting.poll, last.value.ranAt, now)) continue;
    await runReport(shift, report);
    await state.put(key, { ranAt: now.toISOString() });
    ran++;
  }
  return ran;
}

/** Runs one report and keeps its result; an open difference is told once, until a later run explains it. */
export async function runReport(shift: Shift, report: Report<FlowContext>, period?: string): Promise<ReportResult> {
  const { desk, name } = shift;
  const result = await report.run(shift.open.context, {
    ...(period === undefined ? {} : { period }),
    links: (flow) => linksOf(shift, flow),
  });
  const at = desk.clock.now().toISOString();
  await desk.state.put(reportKey(name, report.id, result.key), { at, ...JSON.parse(JSON.stringify(result)) });
  const alert = `report|${name}.${report.id}`;
  if (result.result !== 'open') await alertOver(desk, name, alert);
  else {
    const open = result.lines.filter((line) => line.result === 'open').length;
    await alertOnce(desk, {
      key: alert,
      integration: name,
      sentence: `${result.title}: ${open} lines differ and nothing explains why.`,
      fix: `Read the report ${report.id} and settle each open line.`,
    });
  }
  desk.log.info('report.ran', { integration: name, report: report.id, result: result.result, lines: result.lines.length });
  return result;
}

/** A report on demand. Off and paused are about the schedule: whoever asks gets an answer. */
export async function reportNow(shift: Shift, asked: { readonly report: string; readonly period?: string }): Promise<ReportResult> {
  const report = shift.definition.reports.find(({ id }) => id === asked.report);
  if (report !== undefined) return runReport(shift, report, asked.period);
  throw new Failure('ConfigurationInvalid', {
    sentence: `${shift.name} has no report "${asked.report}".`,
    fix: `Use one of: ${shift.definition.reports.map(({ id }) => id).join(', ') || 'there is none'}.`,
  });
}

async function* linksOf(shift: Shift, flow: string): AsyncIterable<Link> {
  const full = flow.includes('.') ? flow : `${shift.name}.${flow}`;
  let after: string | undefined;
  do {
    const page = await shift.desk.links.list(full, { limit: 100, ...(after === undefined ? {} : { after }) });
    yield* page.links;
    after = page.next;
  } while (after !== undefined);
}
