import type { Log } from '../ports/log.ts';

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Counted {
  readonly metric: string;
  readonly value: number;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Keeps every line and count, for tests and for the end state of a scenario. */
export interface CollectingLog extends Log {
  readonly lines: readonly LogLine[];
  readonly counts: readonly Counted[];
  /** Sum of a metric over everything counted with at least these dimensions. */
  total(metric: string, dimensions?: Readonly<Record<string, string>>): number;
}

export function createCollectingLog(): CollectingLog {
  const lines: LogLine[] = [];
  const counts: Counted[] = [];
  const add =
    (level: LogLine['level']) =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      lines.push({ level, event, fields });
    };
  return {
    lines,
    counts,
    info: add('info'),
    warn: add('warn'),
    error: add('error'),
    count(metric, value, dimensions = {}) {
      counts.push({ metric, value, dimensions });
    },
    total(metric, dimensions = {}) {
      return counts
        .filter((one) => one.metric === metric && Object.entries(dimensions).every(([name, value]) => one.dimensions[name] === value))
        .reduce((sum, one) => sum + one.value, 0);
    },
  };
}
