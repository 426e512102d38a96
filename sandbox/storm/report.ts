import { add, type Decimal, isZero, multiply } from '../../lib/values/decimal.ts';
import type { StormResult } from './storm.ts';

/** What a run of many seeds comes to. It keeps numbers only, so that a long run stays small. */
export class Totals {
  seeds = 0;
  changes = 0;
  records = 0;
  crashes = 0;
  readonly faults: Record<string, number> = {};
  readonly left: Record<string, number> = {};
  readonly kinds: Record<string, number> = {};
  readonly failed: number[] = [];
  unexplained: Decimal = '0';

  add(result: StormResult): void {
    this.seeds += 1;
    this.changes += result.changes;
    this.records += result.records;
    this.crashes += result.crashes;
    addAll(this.faults, result.faults);
    addAll(this.left, result.left);
    if (result.findings.length > 0) this.failed.push(result.seed);
    for (const { kind, cents } of result.findings) {
      this.kinds[kind] = (this.kinds[kind] ?? 0) + 1;
      this.unexplained = add(this.unexplained, cents ?? '0');
    }
  }

  /** The one line of `--json`. The last four must read 0. */
  line() {
    const { seeds, changes, records, crashes, failed } = this;
    const of = (...kinds: readonly string[]): number => kinds.reduce((total, kind) => total + (this.kinds[kind] ?? 0), 0);
    return {
      ...{ seeds, changes, records, faults: sorted(this.faults), crashes, left: sorted(this.left) },
      ...{ failed: failed.slice(0, 50), other: of('content', 'audit', 'secret', 'defect', 'forged', 'unrest') },
      ...{ lost: of('lost'), duplicates: of('duplicate'), loops: of('loop'), unexplainedCents: Number(multiply(this.unexplained, '100')) },
    };
  }
}

function addAll(to: Record<string, number>, from: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(from)) to[name] = (to[name] ?? 0) + count;
}

const sorted = (counts: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(counts).sort(([one], [two]) => (one < two ? -1 : 1)));

export function summaryLine(totals: Totals): string {
  const { seeds, changes, records, crashes, failed } = totals.line();
  const faults = Object.values(totals.faults).reduce((sum, count) => sum + count, 0);
  const run = `${seeds} histories, ${changes} changes, ${records} records, ${faults} faults, ${crashes} crashes`;
  const left = Object.entries(totals.left).map(([name, count]) => `${count} ${name}`);
  const rest = left.length === 0 ? '' : `\nleft to people: ${left.join(', ')}`;
  if (failed.length === 0) return `${run}: nothing lost, nothing twice, no loop, no unexplained cent.${rest}`;
  const kinds = Object.entries(totals.kinds).map(([kind, count]) => `${count} ${kind}`);
  const money = isZero(totals.unexplained) ? '' : `, ${totals.unexplained} unexplained`;
  return `${run}: ${failed.length} FAILED (${kinds.join(', ')}${money}). Seeds: ${failed.slice(0, 20).join(', ')}${rest}`;
}

const linesPerRecord = 25;

/** What a person needs to look into it: the findings, the command, and of the history what names the records concerned. */
export function reportOf(result: StormResult, command: string): string {
  const lines = [`\nseed ${result.seed} failed; once more with: ${command}`];
  for (const { kind, what, records } of result.findings.slice(0, 6)) {
    lines.push(`  ${kind}: ${what}`);
    const own = result.history.filter((line) => records.some((record) => line.includes(record)));
    lines.push(...own.slice(-linesPerRecord).map((line) => `      ${line}`));
  }
  if (result.findings.length > 6) lines.push(`  … and ${result.findings.length - 6} more`);
  return `${lines.join('\n')}\n`;
}
