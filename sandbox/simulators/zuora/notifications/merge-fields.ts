import type { EventSubject } from '../events.ts';
import type { Row } from '../rows.ts';
import type { Tenant } from '../tenant.ts';
import { eventTime } from '../tenant-time.ts';
import type { ConditionValue } from './condition.ts';

const numberNames: Readonly<Record<string, string>> = {
  Account: 'AccountNumber',
  Invoice: 'InvoiceNumber',
  CreditMemo: 'MemoNumber',
  DebitMemo: 'MemoNumber',
  Payment: 'PaymentNumber',
  Refund: 'RefundNumber',
};

const dateNames: Readonly<Record<string, string>> = { Invoice: 'InvoiceDate', CreditMemo: 'MemoDate', DebitMemo: 'MemoDate' };

/** Objects that can carry custom events. */
export const baseObjects: readonly string[] = ['Account', 'Contact', 'Invoice', 'Payment', 'CreditMemo', 'DebitMemo', 'Refund'];

/** Fields of a row in the vendor's PascalCase. */
export function eventFields(object: string, row: Row): Readonly<Record<string, ConditionValue>> {
  const fields: Record<string, ConditionValue> = {};
  for (const [name, value] of Object.entries(row)) {
    if (value !== null && typeof value === 'object') continue;
    const pascal = name.charAt(0).toUpperCase() + name.slice(1);
    const own = name === 'number' ? (numberNames[object] ?? pascal) : name === 'date' ? (dateNames[object] ?? pascal) : pascal;
    fields[own] = value as ConditionValue;
  }
  return fields;
}

/** Everything is text, dates as people in the US write them, a payment's amount with its currency: good for ids only. */
function localText(object: string, name: string, value: ConditionValue, currency: string): string {
  if (value === null) return '';
  const text = String(value);
  const date = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (date) return `${date[2]}/${date[3]}/${date[1]}`;
  if (object === 'Payment' && name === 'Amount') return currency === 'USD' ? `$${text}` : `${currency} ${text}`;
  return text;
}

const runAliases: Readonly<Record<string, readonly string[]>> = { BillRun: ['BillRun', 'BillingRun'] };

/** The values a template can merge, by field name without braces. */
export function contextOf(tenant: Tenant, event: string, subject: EventSubject, row: Row | undefined): Readonly<Record<string, string>> {
  const now = tenant.world.clock.now();
  const account = subject.accountId === undefined ? undefined : tenant.accounts.get(subject.accountId);
  const timestamp = eventTime(now, tenant.settings.zone);
  const context: Record<string, string> = {
    'Event.Category': event,
    'Event.Date': localText('', '', timestamp.slice(0, 10), ''),
    'Event.Timestamp': timestamp,
    'Tenant.ID': tenant.settings.tenantId,
    'Object.ID': subject.id,
    [`${subject.object}.ID`]: subject.id,
  };
  for (const object of runAliases[subject.object] ?? [subject.object]) {
    context[`DataSource.${object}.Id`] = subject.id;
    context[`DataSource.${object}.Number`] = subject.number;
    const number = numberNames[object];
    if (number !== undefined) context[`DataSource.${object}.${number}`] = subject.number;
  }
  if (row) {
    for (const [name, value] of Object.entries(eventFields(subject.object, row)))
      context[`DataSource.${subject.object}.${name}`] = localText(subject.object, name, value, account?.currency ?? 'USD');
  }
  if (account) {
    context['Account.ID'] = account.id;
    context['Account.Number'] = account.number;
    context['DataSource.Account.Id'] = account.id;
    context['DataSource.Account.AccountNumber'] = account.number;
    context['DataSource.Account.Name'] = account.name;
  }
  return context;
}

/** Replaces `{{Field}}` and `<Field>`; a field without value becomes empty text. */
export function merge(text: string, context: Readonly<Record<string, string>>): string {
  const field = /\{\{\s*([\w.-]+)\s*\}\}|<(\w+\.[\w.]+)>/g;
  return text.replace(
    field,
    (_whole, braced: string | undefined, bracketed: string | undefined) => context[braced ?? bracketed ?? ''] ?? '',
  );
}
