import { add, negate } from '../../../lib/values/decimal.ts';
import { ControlError } from '../kit.ts';
import { moveBalance } from './accounts.ts';
import { dueDateOf, headOf } from './document-head.ts';
import { deleteItems, writeItems } from './items.ts';
import type { Invoice } from './rows.ts';
import { isUnsettled } from './settlement.ts';
import type { InvoiceInput, ItemInput } from './shapes.ts';
import type { Tenant } from './tenant.ts';

export function createInvoice(tenant: Tenant, input: InvoiceInput): Invoice {
  const account = tenant.need(tenant.accounts, input.account);
  const stamp = tenant.stamp(input.id);
  const number = tenant.numberFor('invoice', tenant.invoices, input.number);
  const written = writeItems(tenant, { kind: 'invoice', documentId: stamp.id, accountId: account.id, date: input.date }, input.items);
  const term = input.paymentTerm ?? account.paymentTerm;
  const invoice = tenant.save(tenant.invoices, {
    ...stamp,
    number,
    ...headOf(tenant, account, { sourceType: 'Subscription', source: 'BillRun', ...input }, written),
    paymentTerm: term,
    dueDate: input.dueDate ?? dueDateOf(input.date, term),
    targetDate: input.date,
    paymentAmount: '0',
    creditMemoAmount: '0',
    refundAmount: '0',
    reversed: input.reversed ?? false,
    autoPay: account.autoPay,
  });
  if (invoice.status === 'Posted') goOut(tenant, invoice);
  return invoice;
}

function goOut(tenant: Tenant, invoice: Invoice): void {
  moveBalance(tenant, invoice.accountId, { invoices: invoice.balance, lastInvoiceDate: invoice.date });
  tenant.announce('InvoicePosted', { object: 'Invoice', id: invoice.id, number: invoice.number, accountId: invoice.accountId });
}

/** A draft goes out: for the first time, or again under the same id and number after it was unposted. */
export function postInvoice(tenant: Tenant, key: string): Invoice {
  const invoice = tenant.need(tenant.invoices, key);
  if (invoice.status !== 'Draft') throw new ControlError(`invoice ${invoice.number} is ${invoice.status}, only a draft can be posted`);
  const posted = tenant.change(tenant.invoices, invoice, { status: 'Posted', postedAt: tenant.now(), balance: invoice.amount });
  goOut(tenant, posted);
  return posted;
}

/** Only with the feature, only the account's latest invoice, only when nothing settled it. */
export function unpostInvoice(tenant: Tenant, key: string): Invoice {
  const invoice = tenant.need(tenant.invoices, key);
  if (!tenant.features.cancelPostedBillingDocument)
    throw new ControlError('the feature Cancel Posted Billing Document is off: a posted invoice stays posted');
  if (invoice.status !== 'Posted')
    throw new ControlError(`invoice ${invoice.number} is ${invoice.status}, only a posted one can be unposted`);
  if (!isUnsettled({ kind: 'invoice', row: invoice })) throw new ControlError(`invoice ${invoice.number} is settled: unapply first`);
  const later = tenant.invoices.by('accountId', invoice.accountId).find((other) => other.status === 'Posted' && other.date > invoice.date);
  if (later) throw new ControlError(`invoice ${later.number} is later: only the latest invoice of an account can be unposted`);
  moveBalance(tenant, invoice.accountId, { invoices: negate(invoice.balance) });
  return tenant.change(tenant.invoices, invoice, { status: 'Draft', postedAt: null });
}

export function cancelInvoice(tenant: Tenant, key: string): Invoice {
  const invoice = tenant.need(tenant.invoices, key);
  const draft = invoice.status === 'Posted' ? unpostInvoice(tenant, invoice.id) : invoice;
  if (draft.status !== 'Draft') throw new ControlError(`invoice ${invoice.number} is ${invoice.status}`);
  return tenant.change(tenant.invoices, draft, { status: 'Canceled', balance: '0' });
}

export function editInvoiceItems(tenant: Tenant, key: string, items: readonly ItemInput[]): Invoice {
  const invoice = tenant.need(tenant.invoices, key);
  if (invoice.status !== 'Draft')
    throw new ControlError(`invoice ${invoice.number} is ${invoice.status}: only items of drafts can be edited`);
  deleteItems(tenant, 'invoice', invoice.id);
  const written = writeItems(tenant, { kind: 'invoice', documentId: invoice.id, accountId: invoice.accountId, date: invoice.date }, items);
  const amount = add(written.amountWithoutTax, written.taxAmount);
  return tenant.change(tenant.invoices, invoice, { amount, taxAmount: written.taxAmount, balance: amount });
}
