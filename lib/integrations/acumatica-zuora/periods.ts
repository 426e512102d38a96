import type { CalendarDate } from '../../values/calendar-date.ts';
import { periodClosed } from './holds.ts';

/** Financial periods and the dates documents get. Business dates are copied as text and never shifted. */

export interface FinancialPeriod {
  /** `YYYYMM`: orders as text. Acumatica writes `MMYYYY`. */
  readonly id: string;
  readonly start: CalendarDate;
  readonly end: CalendarDate;
  readonly openForAr: boolean;
  readonly openForGl: boolean;
}

export interface PeriodRules {
  readonly periods: readonly FinancialPeriod[];
  readonly closedPeriod: 'hold' | 'next-open';
}

export interface Dated {
  readonly date: CalendarDate;
  /** `MMYYYY`, only under `next-open` when the period of the date is closed. */
  readonly postPeriod?: string;
  /** First day of the period it is posted into, when that is not the period of its date. */
  readonly movedTo?: CalendarDate;
}

/** Period of a date that a document may be posted on. Throws `period:{YYYYMM}`. */
export function datedIn(date: CalendarDate, ledger: 'ar' | 'gl', rules: PeriodRules, what: string): Dated {
  const isOpen = (period: FinancialPeriod) => (ledger === 'ar' ? period.openForAr : period.openForGl);
  const own = rules.periods.find((period) => period.start <= date && date <= period.end);
  if (own && isOpen(own)) return { date };
  const id = own?.id ?? `${date.slice(0, 4)}${date.slice(5, 7)}`;
  if (rules.closedPeriod === 'hold') throw periodClosed(id, date, what);
  const next = rules.periods
    .filter((period) => period.start > date && isOpen(period))
    .sort((left, right) => (left.start < right.start ? -1 : 1))[0];
  if (!next) throw periodClosed(id, date, what);
  return { date, postPeriod: periodCode(next.id), movedTo: next.start };
}

/** `202603` → `032026`. */
export const periodCode = (id: string): string => `${id.slice(4)}${id.slice(0, 4)}`;

/** Periods are compared by their digits: `03-2026` and `032026` are one. */
export const samePeriod = (left: string, right: string): boolean => left.replace(/\D/g, '') === right.replace(/\D/g, '');

/** Years whose calendar must be known to date something between these days, with one year to move into. */
export function yearsFor(dates: readonly CalendarDate[]): readonly number[] {
  const years = new Set<number>();
  for (const date of dates) {
    const year = Number(date.slice(0, 4));
    years.add(year);
  }
  return [...years].sort((left, right) => left - right);
}
