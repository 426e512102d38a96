import type { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Log } from '../ports/log.ts';

/** Every other dimension would be a metric of its own at CloudWatch, with a price; the log lines have the details. */
const dimensionsKept = new Set(['integration', 'flow', 'outcome', 'connection', 'queue', 'kind', 'report']);
/** CloudWatch takes a hundred values in one line. */
const metricsPerLine = 100;

/** A log whose counts are added up and written at the end of an invocation. */
export interface AwsLog extends Log {
  flush(): void;
}

/** JSON lines by Powertools; metrics in the embedded format, one line per set of dimensions. */
export function createAwsLog(parts: { readonly logger: Logger; readonly namespace: string; readonly stack: string }): AwsLog {
  const { logger, namespace, stack } = parts;
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
      for (const { dimensions, metrics } of sums.values()) {
        const all = [...metrics];
        for (let index = 0; index < all.length; index += metricsPerLine) {
          const line = new Metrics({ namespace, serviceName: stack });
          line.addDimensions(dimensions);
          for (const [name, sum] of all.slice(index, index + metricsPerLine)) line.addMetric(name, 'Count', sum);
          line.publishStoredMetrics();
        }
      }
      sums.clear();
    },
  };
}
