/** A day without time or zone, `YYYY-MM-DD`. It is copied as text and never shifted by a time zone. */
export type CalendarDate = string;

const dateText = /^(\d{4})-(\d{2})-(\d{2})$/;

export function isCalendarDate(text: string): boolean {
  const parts = dateText.exec(text);
  if (!parts) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** The date a vendor wrote, taken from its text: `2026-03-02T04:15:09-08:00` → `2026-03-02`, whatever the offset. */
export function calendarDate(text: string): CalendarDate {
  const date = text.trim().slice(0, 10);
  if (!isCalendarDate(date)) throw new RangeError(`not a calendar date: ${JSON.stringify(text)}`);
  return date;
}

/** The day an instant falls on in UTC. */
export function utcDate(instant: Date): CalendarDate {
  return instant.toISOString().slice(0, 10);
}

export function addDays(date: CalendarDate, days: number): CalendarDate {
  return utcDate(new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000));
}

/** The later of the dates. Calendar dates order as text. */
export function latest(...dates: readonly CalendarDate[]): CalendarDate {
  return dates.reduce((late, date) => (date > late ? date : late));
}
