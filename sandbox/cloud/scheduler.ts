import cronParser from 'aws-cron-parser';
import { type CloudClock, machineClock } from './clock.ts';

/** A schedule of a template. It is no API: the product asks nobody for its schedules. */
export interface Schedule {
  readonly name: string;
  /** `rate(5 minutes)`, `cron(0 6 * * ? *)` or `at(2026-03-02T08:00:00)`, in UTC. */
  readonly expression: string;
  /** Called with the time it was due. What it throws is reported and the schedule goes on. */
  fire(due: Date): Promise<void>;
}

export interface LocalScheduler {
  /** When each schedule is due next; undefined when it never will be again. */
  next(): Readonly<Record<string, Date | undefined>>;
  close(): void;
}

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** The first time after `after` that an expression is due; `start` is where rates count from. Throws for an expression AWS would refuse. */
export function nextDue(expression: string, times: { readonly start: Date; readonly after: Date }): Date | undefined {
  const { start, after } = times;
  const rate = /^rate\((\d+) (minute|hour|day)(s?)\)$/.exec(expression);
  if (rate) {
    const [, count, unit, plural] = rate;
    const every = Number(count) * (unitMs[unit ?? ''] ?? Number.NaN);
    if (every === 0 || (Number(count) === 1) !== (plural === ''))
      throw new RangeError(`${expression} is not a rate: rate(1 hour), rate(2 hours)`);
    const rounds = Math.floor((after.getTime() - start.getTime()) / every) + 1;
    return new Date(start.getTime() + Math.max(1, rounds) * every);
  }
  const once = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/.exec(expression);
  if (once) {
    const at = new Date(`${once[1]}Z`);
    return at > after ? at : undefined;
  }
  const cron = /^cron\((.+)\)$/.exec(expression);
  if (!cron?.[1]) throw new RangeError(`${expression} is not a schedule: rate(…), cron(…) or at(…)`);
  return cronParser.next(cronParser.parse(cron[1]), after) ?? undefined;
}

/** Fires schedules as their time comes. A time that passed while nothing ran is not made up for. */
export function startScheduler(options: {
  readonly schedules: readonly Schedule[];
  readonly clock?: CloudClock;
  readonly onError?: (name: string, error: unknown) => void;
}): LocalScheduler {
  const clock = options.clock ?? machineClock;
  const start = clock.now();
  const closing = new AbortController();
  const due = new Map(options.schedules.map(({ name, expression }) => [name, nextDue(expression, { start, after: start })]));

  async function run(schedule: Schedule): Promise<void> {
    for (;;) {
      const at = due.get(schedule.name);
      if (at === undefined) return;
      while (!closing.signal.aborted && clock.now() < at) await clock.sleep(at.getTime() - clock.now().getTime(), closing.signal);
      if (closing.signal.aborted) return;
      due.set(schedule.name, nextDue(schedule.expression, { start, after: at }));
      schedule.fire(at).catch((error: unknown) => options.onError?.(schedule.name, error));
    }
  }
  for (const schedule of options.schedules) {
    run(schedule).catch((error: unknown) => options.onError?.(schedule.name, error));
  }
  return { next: () => Object.fromEntries(due), close: () => closing.abort() };
}
