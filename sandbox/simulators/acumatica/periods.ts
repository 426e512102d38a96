import { type Company, periodOrder, shownPeriod } from './company.ts';
import type { Problems } from './refusals.ts';
import type { Row } from './rows.ts';

/**
 * Why nothing may be posted into a period, in the vendor's words; undefined when it may. A closed period is open to the role
 * Financial Supervisor, and to everybody when access to closed periods is not restricted; an inactive one to nobody.
 */
export function closedBecause(company: Company, periodId: string, ledger: 'AR' | 'GL'): string | undefined {
  const period = company.period(periodId);
  if (!period) return `The ${shownPeriod(periodId)} financial period does not exist for the ${company.state.companyId} company.`;
  if (period.status === 'Inactive') return `The ${shownPeriod(periodId)} financial period is inactive.`;
  if (company.preferences.financialSupervisor || !company.preferences.restrictClosedPeriods) return undefined;
  if (period.status !== 'Open') return `The ${shownPeriod(periodId)} financial period is closed in the ${company.state.companyId} company.`;
  if (ledger === 'AR' && period.closedInAR)
    return `The ${shownPeriod(periodId)} financial period of the ${company.state.companyId} company is closed in Accounts Receivable.`;
  return undefined;
}

/** The period of a date, complaining at `field` when the calendar has none or it takes no postings. */
export function periodFor(
  company: Company,
  date: string,
  ledger: 'AR' | 'GL',
  complaint: { readonly row: Row; readonly field: string; readonly problems: Problems },
): string {
  const period = company.periodOf(date);
  if (!period) {
    complaint.problems.add(complaint.row, complaint.field, `The financial period that corresponds to the ${date} date does not exist.`);
    return '';
  }
  const reason = closedBecause(company, period.id, ledger);
  if (reason) complaint.problems.add(complaint.row, complaint.field, reason);
  return period.id;
}

export const isEarlierPeriod = (left: string, right: string): boolean => periodOrder(left) < periodOrder(right);
