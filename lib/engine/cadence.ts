/** When something that runs by the clock is due. */

/** Fields of a five-field cron in UTC: minute, hour, day of month, month, day of week (0 and 7 are Sunday). */
const ranges = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;

interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** With both days given a date counts when either matches, the way cron has always read it. */
  readonly eitherDay: boolean;
}

/** Reads `0 6 * * 1-5`. Throws RangeError that names the field. */
export function parseCron(text: string): Cron {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5) throw new RangeError(`a cron has five fields, this one has ${fields.length}: ${JSON.stringify(text)}`);
  const [minutes, hours, days, months, weekdays] = ranges.map(([low, high], index) => parseField(fields[index] ?? '', low, high));
  if (!minutes || !hours || !days || !months || !weekdays) throw new RangeError(`not a cron: ${JSON.stringify(text)}`);
  if (weekdays.has(7)) weekdays.add(0);
  return { minutes, hours, days, months, weekdays, eitherDay: !fields[2]?.startsWith('*') && !fields[4]?.startsWith('*') };
}

function parseField(text: string, low: number, high: number): Set<number> {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part);
    if (!match) throw new RangeError(`not a cron field: ${JSON.stringify(text)}`);
    const [, first, last, every] = match;
    const from = first === undefined ? low : Number(first);
    const to = last !== undefined ? Number(last) : first === undefined || every !== undefined ? high : from;
    const step = every === undefined ? 1 : Number(every);
    if (from < low || to > high || from > to || step < 1) throw new RangeError(`out of range ${low}-${high}: ${JSON.stringify(text)}`);
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return values;
}

const dayMs = 86_400_000;

/** The first instant after `instant` that the cron names, or undefined when there is none within five years (30 February). */
export function nextByCron(text: string, instant: Date): Date | undefined {
  const cron = parseCron(text);
  const start = new Date(Math.floor(instant.getTime() / 60_000) * 60_000 + 60_000);
  const midnight = Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate());
  for (let day = 0; day < 5 * 366; day++) {
    const date = new Date(midnight + day * dayMs);
    if (!isDay(cron, date)) continue;
    for (const hour of [...cron.hours].sort((left, right) => left - right)) {
      for (const minute of [...cron.minutes].sort((left, right) => left - right)) {
        const at = date.getTime() + hour * 3_600_000 + minute * 60_000;
        if (at >= start.getTime()) return new Date(at);
      }
    }
  }
  return undefined;
}

function isDay(cron: Cron, date: Date): boolean {
  if (!cron.months.has(date.getUTCMonth() + 1)) return false;
  const day = cron.days.has(date.getUTCDate());
  const weekday = cron.weekdays.has(date.getUTCDay());
  return cron.eitherDay ? day || weekday : day && weekday;
}

/** Due when it never ran, or when its next turn after the last one has come. `cadence`: minutes or a cron. */
export function isDue(cadence: number | string, lastRanAt: string | undefined, now: Date): boolean {
  if (lastRanAt === undefined) return true;
  const last = new Date(lastRanAt);
  // A schedule fires a moment early or late: half a minute does not make a flow wait a whole period.
  if (typeof cadence === 'number') return now.getTime() - last.getTime() >= cadence * 60_000 - 30_000;
  const next = nextByCron(cadence, last);
  return next !== undefined && next.getTime() <= now.getTime();
}
