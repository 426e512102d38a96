import { randomUUID } from 'node:crypto';
import type { Place } from '../cloud/access.ts';
import type { CloudClock } from '../cloud/clock.ts';
import { type LocalScheduler, startScheduler } from '../cloud/scheduler.ts';
import type { LocalFunction } from './lambda.ts';

/** A schedule of the template and the function it invokes. */
export interface FunctionSchedule {
  readonly name: string;
  readonly arn: string;
  readonly expression: string;
  readonly function: LocalFunction;
  /** JSON text, with `<aws.scheduler.…>` words in it; absent: AWS's own event. */
  readonly input: string | undefined;
  /** Further attempts after the function failed. */
  readonly retries: number;
}

/** Lambda waits so long before it tries an asynchronous invocation again. */
const retryDelaysMs = [60_000, 120_000];

export function startSchedules(options: {
  readonly schedules: readonly FunctionSchedule[];
  readonly clock: CloudClock;
  readonly place: Place;
  readonly onError: (name: string, text: string) => void;
}): LocalScheduler {
  const { clock, place } = options;
  return startScheduler({
    clock,
    onError: (name, error) => options.onError(name, error instanceof Error ? error.message : String(error)),
    schedules: options.schedules.map((schedule) => ({
      name: schedule.name,
      expression: schedule.expression,
      async fire(due) {
        const payload = payloadOf(schedule, due, place);
        for (let attempt = 0; ; attempt += 1) {
          const result = await schedule.function.invoke(payload, { whenFull: 'wait' });
          if (result.ok) return;
          options.onError(schedule.name, `${result.failure.errorType}: ${result.failure.errorMessage}`);
          if (attempt >= schedule.retries) return;
          await clock.sleep(retryDelaysMs[attempt] ?? 120_000);
        }
      },
    })),
  });
}

function payloadOf(schedule: FunctionSchedule, due: Date, place: Place): unknown {
  const time = due.toISOString().replace(/\.\d{3}Z$/, 'Z');
  if (schedule.input === undefined) {
    return {
      version: '0',
      id: randomUUID(),
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: place.accountId,
      time,
      region: place.region,
      resources: [schedule.arn],
      detail: '{}',
    };
  }
  const words: Readonly<Record<string, string>> = {
    '<aws.scheduler.schedule-arn>': schedule.arn,
    '<aws.scheduler.scheduled-time>': time,
    '<aws.scheduler.execution-id>': randomUUID(),
    '<aws.scheduler.attempt-number>': '1',
  };
  return JSON.parse(Object.entries(words).reduce((text, [word, value]) => text.replaceAll(word, value), schedule.input));
}
