import { addDays } from '../../../lib/values/calendar-date.ts';
import { add } from '../../../lib/values/decimal.ts';
import { ControlError } from '../kit.ts';
import type { WrittenItems } from './items.ts';
import type { Account } from './rows.ts';
import type { InvoiceInput } from './shapes.ts';
import type { Tenant } from './tenant.ts';
import { instantText } from './tenant-time.ts';

/** `Net 30` → 30 days later; a term without number is due at once. */
export function dueDateOf(date: string, term: string): string {
  const days = /(\d+)/.exec(term)?.[1];
  return days === undefined ? date : addDays(date, Number(days));
}

export function requireSettlement(tenant: Tenant, what: string): void {
  if (!tenant.features.invoiceSettlement) throw new ControlError(`Invoice Settlement is off: there are no ${what}`);
}

type Head = Pick<InvoiceInput, 'currency' | 'source' | 'sourceType' | 'comments' | 'postedAt' | 'status' | 'date' | 'total'>;

/** What every billing document has, from what was asked for and from its lines. */
export function headOf(tenant: Tenant, account: Account, input: Head, written: WrittenItems) {
  const amount = input.total ?? add(written.amountWithoutTax, written.taxAmount);
  const postedAt = input.postedAt === undefined ? tenant.now() : instantText(new Date(input.postedAt));
  return {
    accountId: account.id,
    currency: input.currency ?? account.currency,
    date: input.date,
    status: input.status,
    amount,
    taxAmount: written.taxAmount,
    balance: input.status === 'Canceled' ? '0' : amount,
    source: input.source ?? 'API',
    sourceType: input.sourceType ?? 'Standalone',
    sourceId: null,
    postedAt: input.status === 'Posted' ? postedAt : null,
    comments: input.comments ?? '',
    transferredToAccounting: 'No',
    paymentTerm: account.paymentTerm,
    billToContactId: account.billToId,
  };
}
