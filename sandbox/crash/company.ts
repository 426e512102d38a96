import * as z from 'zod';
import { addDays, type CalendarDate } from '../../lib/values/calendar-date.ts';
import { kestrel } from '../companies/kestrel.ts';
import { monthAccounts } from '../companies/kestrel-accounts.ts';
import { type Bill, usageBill } from '../companies/kestrel-bills.ts';
import { kestrelMonth } from '../companies/kestrel-month.ts';
import type { Company } from '../company.ts';

/** Few accounts in three currencies; two of them are in the books already, the others are made on the way. */
const accounts = monthAccounts.filter(({ number }) =>
  ['KR-10023', 'KR-10031', 'KR-10052', 'KR-20007', 'KR-20011', 'KR-30004'].includes(number),
);

const listed = z.object({ accounts: z.array(z.looseObject({ number: z.string() })) });

/** Kestrel with nothing but accounts, and invoices that are yet to be billed. Only their posting is announced by webhooks. */
export interface DrillCompany extends Company {
  readonly bills: readonly Bill[];
}

export function drillCompany(today: CalendarDate, invoices: number): DrillCompany {
  const company = kestrelMonth(today);
  const { acumatica, zuora } = company.systems;
  if (!acumatica || !zuora) throw new Error('Kestrel lost a system');
  const { accounts: seeded } = listed.parse(zuora.seed);
  const lastMonth = addDays(`${today.slice(0, 8)}01`, -10);
  return {
    ...company,
    bills: Array.from({ length: invoices }, (_, index) => {
      const account = accounts[index % accounts.length];
      if (!account) throw new Error('there are no accounts');
      const number = `INV${String(700_001 + index).padStart(8, '0')}`;
      return usageBill(account, number, lastMonth, { calls: 10 + index, gigabytes: 25 + 3 * index, code: 'Usage Revenue' });
    }),
    systems: {
      acumatica,
      zuora: {
        ...zuora,
        seed: {
          ...(zuora.seed as object),
          accounts: seeded.filter(({ number }) => accounts.some((account) => account.number === number)),
          ...{ invoices: [], creditMemos: [], payments: [], refunds: [] },
        },
        acts: (kestrel.systems['zuora']?.acts ?? []).map((act) =>
          act['action'] === 'register-callouts' ? { ...act, events: ['InvoicePosted'] } : act,
        ),
      },
    },
  };
}
