import { Failure } from '../../../failures.ts';
import type { CalendarDate } from '../../../values/calendar-date.ts';
import type { FinancialPeriod } from '../periods.ts';

/** `202603`, `2026-03`, `2026-03-31`, `03-2026`, `032026`: a period as people write it, as `YYYYMM`. */
export function parsePeriod(text: string): string | undefined {
  const digits = text
    .trim()
    .replace(/^(\d{4}-\d{2})-\d{2}$/, '$1')
    .replace(/\D/g, '');
  if (!/^\d{6}$/.test(digits)) return undefined;
  const yearFirst = /^(19|20)\d\d(0[1-9]|1[0-3])$/.test(digits);
  const id = yearFirst ? digits : `${digits.slice(2)}${digits.slice(0, 2)}`;
  return /^(19|20)\d\d(0[1-9]|1[0-3])$/.test(id) ? id : undefined;
}

/** The period asked for, else the one of today. */
export function findPeriod(periods: readonly FinancialPeriod[], asked: string | undefined, today: CalendarDate): FinancialPeriod {
  const id = asked === undefined ? undefined : parsePeriod(asked);
  const found = periods.find((period) => (asked === undefined ? period.start <= today && today <= period.end : period.id === id));
  if (found !== undefined) return found;
  throw new Failure('ConfigurationInvalid', {
    sentence: `Acumatica has no financial period ${asked ?? `for ${today}`}.`,
    fix: 'Write it like 202603, or generate the calendar of the year in Acumatica (GL201100, or GL201000).',
  });
}

export const periodOf = (periods: readonly FinancialPeriod[], date: CalendarDate): string | undefined =>
  periods.find((period) => period.start <= date && date <= period.end)?.id;

export const shownPeriod = (id: string): string => `${id.slice(4)}-${id.slice(0, 4)}`;
