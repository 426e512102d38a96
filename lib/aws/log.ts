import type { Logger } from '@aws-lambda-powertools/logger';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';

/** Every other dimension would be a metric of its own at CloudWatch, with a price; the log lines have the details. */
const dimensionsKept = new Set(['integration', 'flow', 'outcome', 'connection', 'queue', 'kind', 'report']);
/** CloudWatch takes a hundred values in one line. */
const metricsPerLine = 100;

/** A log whose counts are added up and written at the end of an invocation. */
export interface AwsLog extends Log {
  flush(): void;
}

export interface AwsLogParts {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly namespace: string;
  readonly stack: string;
  /** Where a line goes; absent: straight to standard output, because the console of Lambda would wrap it. */
  readonly write?: (line: string) => void;
}

/**
 * JSON lines by Powertools; metrics in the embedded format, one line per set of dimensions.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html (read 2026-11-21)
 */
export function createAwsLog(parts: AwsLogParts): AwsLog {
  const { clock, logger, namespace, stack } = parts;
  const write = parts.write ?? ((line: string) => void process.stdout.write(`${line}\n`));
  const sums = new Map<string, { readonly dimensions: Record<string, string>; readonly metrics: Map<string, number> }>();

  return {
    info: (event, fields = {}) => logger.info(event, { ...fields }),
    warn: (event, fields = {}) => logger.warn(event, { ...fields }),
    error: (event, fields = {}) => logger.error(event, { ...fields }),
    count(metric, value, dimensions = {}) {
      const kept = Object.fromEntries(
        Object.entries(dimensions)
          .filter(([name, text]) => dimensionsKept.has(name) && text !== '')
          .sort(([left], [right]) => (left < right ? -1 : 1)),
      );
      const key = JSON.stringify(kept);
      const set = sums.get(key) ?? { dimensions: kept, metrics: new Map<string, number>() };
      sums.set(key, set);
      set.metrics.set(metric, (set.metrics.get(metric) ?? 0) + value);
    },
    flush() {
      const timestamp = clock.now().getTime();
      for (const { dimensions, metrics } of sums.values()) {
        const named = { ...dimensions, service: stack };
        const all = [...metrics];
        for (let index = 0; index < all.length; index += metricsPerLine) {
          const some = all.slice(index, index + metricsPerLine);
          const definition = {
            Namespace: namespace,
            Dimensions: [Object.keys(named)],
            Metrics: some.map(([metric]) => ({ Name: metric, Unit: 'Count' })),
          };
          write(JSON.stringify({ _aws: { Timestamp: timestamp, CloudWatchMetrics: [definition] }, ...named, ...Object.fromEntries(some) }));
        }
      }
      sums.clear();
    },
  };
}
