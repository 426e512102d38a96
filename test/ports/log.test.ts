import { Logger } from '@aws-lambda-powertools/logger';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createAwsLog } from '../../lib/aws/log.ts';
import { createHandTurnedClock } from '../../lib/memory/hand-turned-clock.ts';
import { Secret } from '../../lib/values/secret.ts';

/** What reaches standard output, as CloudWatch would read it. */
function capture() {
  const lines: Record<string, unknown>[] = [];
  const keep = (text: unknown) => void lines.push(JSON.parse(String(text)) as Record<string, unknown>);
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) vi.spyOn(console, name).mockImplementation(keep);
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  const log = createAwsLog({
    logger: new Logger({ serviceName: 'test', logLevel: 'INFO' }),
    clock: createHandTurnedClock(new Date('2026-03-02T08:00:00Z')),
    namespace: 'ml-connector',
    stack: 'kestrel',
    write: keep,
  });
  return { lines, log };
}

describe('log on AWS', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  test('an event is one line with its fields, and a secret refuses to be in it', () => {
    const { lines, log } = capture();
    log.warn('record.attempted', { flow: 'acumatica-zuora.invoices', attempt: 2, token: new Secret('s3cret') });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 'WARN', message: 'record.attempted', flow: 'acumatica-zuora.invoices', attempt: 2 });
    expect(JSON.stringify(lines)).not.toContain('s3cret');
  });

  test('counts are added up per set of dimensions and written once, without the dimensions that would cost a metric each', () => {
    const { lines, log } = capture();
    log.count('vendor.calls', 1, { connection: 'heron', operation: 'GET /a' });
    log.count('vendor.calls', 2, { operation: 'GET /b', connection: 'heron' });
    log.count('records', 1, { connection: 'heron' });
    log.count('vendor.calls', 5, { connection: 'owl' });
    expect(lines).toEqual([]);
    log.flush();
    expect(lines).toHaveLength(2);
    expect(lines.find((line) => line['connection'] === 'heron')).toMatchObject({ 'vendor.calls': 3, records: 1 });
    expect(lines.find((line) => line['connection'] === 'owl')).toEqual({
      _aws: {
        Timestamp: Date.parse('2026-03-02T08:00:00Z'),
        CloudWatchMetrics: [
          { Namespace: 'ml-connector', Dimensions: [['connection', 'service']], Metrics: [{ Name: 'vendor.calls', Unit: 'Count' }] },
        ],
      },
      connection: 'owl',
      service: 'kestrel',
      'vendor.calls': 5,
    });
    expect(JSON.stringify(lines)).not.toContain('GET /');
    log.flush();
    expect(lines).toHaveLength(2);
  });
});
