import * as z from 'zod';
import { ControlError } from '../kit.ts';
import { createAccount, createContact, profileId } from './accounts.ts';
import { calloutActions } from './callout-actions.ts';
import { countryName } from './countries.ts';
import { cancelInvoice, createInvoice, editInvoiceItems, postInvoice, unpostInvoice } from './invoices.ts';
import { deleteItems } from './items.ts';
import { cancelJournalEntry, createJournalRun } from './journals.ts';
import {
  applyMemo,
  cancelMemo,
  createCreditMemo,
  createDebitMemo,
  debitOver,
  postMemo,
  reverseInvoice,
  unpostMemo,
  writeOffInvoice,
} from './memos.ts';
import {
  applyPayment,
  cancelPayment,
  cancelRefund,
  chargeback,
  createPayment,
  createRefund,
  failPayment,
  processPayment,
  transferPayment,
  unapplyPayment,
} from './payments.ts';
import { friendlyTables } from './records.ts';
import { read } from './seeding.ts';
import { owedOf, unapply } from './settlement.ts';
import * as shapes from './shapes.ts';
import type { Stage } from './stage.ts';
import { changeContact } from './v1-accounts.ts';

type Action = (stage: Stage, input: unknown) => unknown;

const { key, amount, date } = shapes;
const keyed = z.strictObject({ number: key });
const overMemo = z.strictObject({
  number: key,
  memoNumber: z.string().optional(),
  date: date.optional(),
  reasonCode: z.string().optional(),
});
const applied = z
  .strictObject({ number: key, invoice: key.optional(), debitMemo: key.optional(), amount, date: date.optional() })
  .refine((row) => (row.invoice === undefined) !== (row.debitMemo === undefined), 'name either invoice or debitMemo');

function action<T>(schema: z.ZodType<T>, run: (stage: Stage, input: T) => unknown): Action {
  return (stage, input) => run(stage, read(schema, input, 'action'));
}

/**
 * Everything a person, a gateway or the vendor itself does. `number` is always an id or number of the thing acted on.
 * Callout actions (register-callouts, lose-callouts, …) are in callout-actions.ts.
 */
const businessActions: Readonly<Record<string, Action>> = {
  /** Fields as in `seed.accounts`. */
  'create-account': action(shapes.account, ({ tenant }, input) => createAccount(tenant, input)),
  /** `{number, name?, status?, paymentTerm?, batch?, accountNumber?, parent?, communicationProfile?, custom?}` */
  'update-account': action(accountChanges(), ({ tenant }, { number, accountNumber, parent, communicationProfile, custom, ...fields }) => {
    const account = tenant.need(tenant.accounts, number);
    const changes = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    return tenant.change(tenant.accounts, account, {
      ...changes,
      ...(accountNumber === undefined ? {} : { number: tenant.numberFor('account', tenant.accounts, accountNumber) }),
      ...(parent === undefined ? {} : { parentId: parent === null ? null : tenant.need(tenant.accounts, parent).id }),
      ...(communicationProfile === undefined ? {} : { communicationProfileId: profileId(tenant, communicationProfile) }),
      ...(custom === undefined ? {} : { custom: { ...account.custom, ...custom } }),
    });
  }),
  /** `{account, as?: 'billTo' | 'soldTo', …contact fields}` */
  'create-contact': action(
    shapes.contact.safeExtend({ account: key, as: z.enum(['billTo', 'soldTo']).optional() }),
    ({ tenant }, { account, as: role, ...fields }) => {
      const owner = tenant.need(tenant.accounts, account);
      const contact = createContact(tenant, owner.id, fields, owner.name);
      if (role) tenant.change(tenant.accounts, owner, role === 'billTo' ? { billToId: contact.id } : { soldToId: contact.id });
      return contact;
    },
  ),
  /** `{account, which?: 'billTo' | 'soldTo', …contact fields}`; does not move the account unless the tenant is set so. */
  'update-contact': action(
    shapes.contact.safeExtend({ account: key, which: z.enum(['billTo', 'soldTo']).default('billTo') }),
    ({ tenant }, { account, which, id: _id, ...fields }) => {
      const owner = tenant.need(tenant.accounts, account);
      if (fields.country != null && countryName(fields.country) === undefined)
        throw new ControlError(`${fields.country} is no country Zuora knows`);
      return changeContact(tenant, tenant.need(tenant.contacts, (which === 'billTo' ? owner.billToId : owner.soldToId) ?? ''), fields);
    },
  ),

  /** Fields as in `seed.invoices`. */
  'create-invoice': action(shapes.invoice, ({ tenant }, input) => createInvoice(tenant, input)),
  'post-invoice': action(keyed, ({ tenant }, { number }) => postInvoice(tenant, number)),
  /** An invoice or a memo back to draft; `cancel` ends it. */
  unpost: action(keyed, ({ tenant }, { number }) =>
    tenant.find(tenant.invoices, number) ? unpostInvoice(tenant, number) : unpostMemo(tenant, number),
  ),
  cancel: action(keyed, ({ tenant }, { number }) =>
    tenant.find(tenant.invoices, number) ? cancelInvoice(tenant, number) : cancelMemo(tenant, number),
  ),
  /** `{number, items}`: only a draft. */
  'edit-invoice-items': action(z.strictObject({ number: key, items: z.array(shapes.item) }), ({ tenant }, { number, items }) =>
    editInvoiceItems(tenant, number, items),
  ),
  /** `{number, memoNumber?, date?, reasonCode?}` */
  'reverse-invoice': action(overMemo, ({ tenant }, { number, memoNumber, date: day, reasonCode }) =>
    reverseInvoice(tenant, number, { number: memoNumber, date: day ?? tenant.today(), reasonCode: reasonCode ?? 'Invoice Reversal' }),
  ),
  'write-off': action(overMemo, ({ tenant }, { number, memoNumber, date: day, reasonCode }) =>
    writeOffInvoice(tenant, number, { number: memoNumber, date: day ?? tenant.today(), reasonCode: reasonCode ?? 'Write-off' }),
  ),
  /** `{invoices}`: all posted within one second, then the run's completion. */
  'bill-run': action(
    z.strictObject({ number: z.string().optional(), invoices: z.array(shapes.invoice) }),
    ({ tenant }, { number, invoices }) => {
      const run = number ?? tenant.nextNumber('billRun');
      const made = invoices.map((input) => createInvoice(tenant, { ...input, status: 'Posted' }));
      for (const invoice of made) tenant.invoices.put({ ...tenant.need(tenant.invoices, invoice.id), sourceId: run });
      tenant.announce('BillRunCompletion', { object: 'BillRun', id: tenant.newId(), number: run });
      return { number: run, invoices: made.length };
    },
  ),

  /** Fields as in `seed.payments`. */
  'create-payment': action(shapes.payment, ({ tenant }, input) => createPayment(tenant, input)),
  'process-payment': action(keyed, ({ tenant }, { number }) => processPayment(tenant, number)),
  /** `{payments}`: electronic, then the run's completion. */
  'payment-run': action(z.strictObject({ payments: z.array(shapes.payment) }), ({ tenant }, { payments }) => {
    const run = tenant.nextNumber('paymentRun');
    const made = payments.map((input) => createPayment(tenant, { ...input, type: 'Electronic' }));
    tenant.announce('PaymentRunCompletion', { object: 'PaymentRun', id: tenant.newId(), number: run });
    return { number: run, payments: made.length };
  }),
  /** `{number, invoice | debitMemo, amount, date?}` */
  'apply-payment': action(applied, ({ tenant }, input) =>
    applyPayment(tenant, input.number, owedOf(tenant, input), { amount: input.amount, date: input.date ?? tenant.today() }),
  ),
  'unapply-payment': action(applied, ({ tenant }, input) =>
    unapplyPayment(tenant, input.number, owedOf(tenant, input), { amount: input.amount, date: input.date ?? tenant.today() }),
  ),
  /** `{number, account}` */
  'transfer-payment': action(keyed.extend({ account: key }), ({ tenant }, { number, account }) => transferPayment(tenant, number, account)),
  'cancel-payment': action(keyed, ({ tenant }, { number }) => cancelPayment(tenant, number)),
  'fail-payment': action(keyed, ({ tenant }, { number }) => failPayment(tenant, number)),
  /** Fields as in `seed.refunds`: `{payment | creditMemo, amount, unapply?, …}` */
  'refund-payment': action(shapes.refund, ({ tenant }, input) => createRefund(tenant, input)),
  'cancel-refund': action(keyed, ({ tenant }, { number }) => cancelRefund(tenant, number)),
  /** `{payment, amount?, number?, date?, reasonCode?}`: the payment stays Processed. */
  chargeback: action(
    z.strictObject({
      payment: key,
      amount: amount.optional(),
      number: z.string().optional(),
      date: date.optional(),
      reasonCode: z.string().default('Payment Reversal'),
    }),
    ({ tenant }, input) => chargeback(tenant, input),
  ),

  /** Fields as in `seed.creditMemos` and `seed.debitMemos`. */
  'create-credit-memo': action(shapes.creditMemo, ({ tenant }, input) => createCreditMemo(tenant, input)),
  'create-debit-memo': action(shapes.debitMemo, ({ tenant }, input) => createDebitMemo(tenant, input)),
  'post-memo': action(keyed, ({ tenant }, { number }) => postMemo(tenant, number)),
  'unpost-memo': action(keyed, ({ tenant }, { number }) => unpostMemo(tenant, number)),
  'cancel-memo': action(keyed, ({ tenant }, { number }) => cancelMemo(tenant, number)),
  'apply-memo': action(applied, ({ tenant }, input) =>
    applyMemo(tenant, input.number, owedOf(tenant, input), { amount: input.amount, date: input.date ?? tenant.today() }),
  ),
  'unapply-memo': action(applied, ({ tenant }, input) =>
    unapply(tenant, { kind: 'credit-memo', row: tenant.need(tenant.creditMemos, input.number) }, owedOf(tenant, input), {
      amount: input.amount,
      date: input.date ?? tenant.today(),
    }),
  ),
  /** `{number, memoNumber?, date?, reasonCode?}`: makes a debit memo to which the credit memo is applied. */
  'reverse-memo': action(overMemo, ({ tenant }, { number, memoNumber, date: day, reasonCode }) =>
    debitOver(tenant, number, {
      number: memoNumber,
      date: day ?? tenant.today(),
      reasonCode: reasonCode ?? 'Credit memo reversal',
      reverse: true,
    }),
  ),
  'write-off-memo': action(overMemo, ({ tenant }, { number, memoNumber, date: day, reasonCode }) =>
    debitOver(tenant, number, { number: memoNumber, date: day ?? tenant.today(), reasonCode: reasonCode ?? 'Write-off', reverse: false }),
  ),

  /** Fields as in `seed.journalRuns`; completes at once. */
  'create-journal-run': action(shapes.journalRun, ({ tenant }, input) => createJournalRun(tenant, input, false)),
  'cancel-journal-entry': action(keyed, ({ tenant }, { number }) => cancelJournalEntry(tenant, number)),

  /** `{noun, number}`: `updatedDate` moves, nothing else. */
  touch: action(z.strictObject({ noun: z.string(), number: key }), ({ tenant }, { noun, number }) => {
    const table = friendlyTables(tenant, noun);
    const row = tenant.need(table, number);
    table.put({ ...row, updatedAt: tenant.now() });
  }),
  /** `{noun, number}`: gone, with its lines. */
  'delete-record': action(z.strictObject({ noun: z.string(), number: key }), ({ tenant }, { noun, number }) => {
    const table = friendlyTables(tenant, noun);
    const row = tenant.need(table, number);
    if (noun === 'invoices') deleteItems(tenant, 'invoice', row.id);
    if (noun === 'creditMemos') deleteItems(tenant, 'credit-memo', row.id);
    if (noun === 'debitMemos') deleteItems(tenant, 'debit-memo', row.id);
    table.delete(row.id);
  }),
  'expire-tokens': action(z.strictObject({}), ({ tokens }) => ({ expired: tokens.expireAll() })),
  /** `{feature, value}`, see `Features`. */
  'set-feature': action(
    z.discriminatedUnion('feature', [
      z.strictObject({
        feature: z.enum([
          'invoiceSettlement',
          'finance',
          'customerHierarchy',
          'cancelPostedBillingDocument',
          'paymentMovesOnApplication',
          'accountMovesOnContactEdit',
        ]),
        value: z.boolean(),
      }),
      z.strictObject({ feature: z.literal('unapplyRows'), value: z.enum(['negative', 'removed']) }),
      z.strictObject({ feature: z.literal('idempotentRepeat'), value: z.enum(['original', 'conflict']) }),
    ]),
    ({ tenant }, { feature, value }) => {
      tenant.features = { ...tenant.features, [feature]: value };
      return tenant.features;
    },
  ),
  /** Any of `Limits`, in whole numbers; `calloutConfirmedByBody` true or false. */
  'set-limits': action(z.record(z.string(), z.union([z.number().int().min(0), z.boolean()])), ({ tenant }, changes) => {
    const present: Readonly<Record<string, unknown>> = { ...tenant.limits };
    const unknown = Object.entries(changes).find(([name, value]) => typeof present[name] !== typeof value);
    if (unknown) throw new ControlError(`limit ${unknown[0]} is unknown or of another type: ${Object.keys(tenant.limits).join(', ')}`);
    tenant.limits = { ...tenant.limits, ...changes };
    return tenant.limits;
  }),
  /** `{operations}`: what the API user's role may not do, `GET /object-query/refunds*`. */
  'deny-permissions': action(z.strictObject({ operations: z.array(z.string()) }), ({ tenant }, { operations }) => {
    tenant.denied = operations;
  }),
};

function accountChanges() {
  return z.strictObject({
    number: key,
    name: z.string().min(1).optional(),
    status: z.enum(['Draft', 'Active', 'Canceled']).optional(),
    paymentTerm: z.string().min(1).optional(),
    batch: z.string().min(1).optional(),
    notes: z.string().optional(),
    vatId: z.string().nullable().optional(),
    accountNumber: z.string().min(1).optional(),
    parent: key.nullable().optional(),
    communicationProfile: z.string().optional(),
    custom: z.record(z.string(), z.string().nullable()).optional(),
  });
}

const actions: Readonly<Record<string, Action>> = { ...businessActions, ...calloutActions(action) };

export async function act(stage: Stage, input: Readonly<Record<string, unknown>>): Promise<unknown> {
  const { action: name, ...rest } = input;
  const known = typeof name === 'string' ? actions[name] : undefined;
  if (!known) throw new ControlError(`unknown action ${JSON.stringify(name)}; known: ${Object.keys(actions).join(', ')}`);
  const result: unknown = await known(stage, rest);
  return result ?? null;
}
