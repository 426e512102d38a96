import { ControlError } from '../kit.ts';
import type { CalloutDesk } from './notifications/callouts.ts';
import { accountBalance } from './query-objects/accounts.ts';
import type { Account, BillingDocument, Row } from './rows.ts';
import type { Table } from './table.ts';
import type { Tenant } from './tenant.ts';

type Friendly = Readonly<Record<string, unknown>>;

/** Tables by the noun under which they are seeded and read. */
function tablesByNoun(tenant: Tenant): Readonly<Record<string, Table<Row>>> {
  return {
    accounts: tenant.accounts,
    contacts: tenant.contacts,
    communicationProfiles: tenant.profiles,
    accountingCodes: tenant.accountingCodes,
    invoices: tenant.invoices,
    invoiceItems: tenant.invoiceItems,
    taxationItems: tenant.taxationItems,
    creditMemos: tenant.creditMemos,
    creditMemoItems: tenant.creditMemoItems,
    debitMemos: tenant.debitMemos,
    debitMemoItems: tenant.debitMemoItems,
    payments: tenant.payments,
    paymentApplications: tenant.paymentApplications,
    creditMemoApplications: tenant.creditMemoApplications,
    refunds: tenant.refunds,
    refundApplications: tenant.refundApplications,
    journalRuns: tenant.journalRuns,
    journalEntries: tenant.journalEntries,
  };
}

export function friendlyTables(tenant: Tenant, noun: string): Table<Row> {
  const table = tablesByNoun(tenant)[noun];
  if (!table) throw new ControlError(`unknown noun ${noun}; known: ${Object.keys(tablesByNoun(tenant)).join(', ')}`);
  return table;
}

/** Records as a person reads them: amounts as decimal text, ids resolved to numbers where there is one. */
export function friendlyRecords(tenant: Tenant, callouts: CalloutDesk, noun: string): Friendly[] {
  if (noun === 'callouts') return callouts.deliveries.all().map((row) => ({ ...row }));
  if (noun === 'calloutHistory') return callouts.history.all().map((row) => ({ ...row }));
  if (noun === 'calloutTemplates') return callouts.templates.all().map(({ hmacSecret: _secret, calloutAuth: _auth, ...row }) => row);
  if (noun === 'notificationDefinitions') return callouts.definitions.all().map((row) => ({ ...row }));
  if (noun === 'eventTriggers') return callouts.triggers.all().map((row) => ({ ...row }));
  return friendlyTables(tenant, noun)
    .all()
    .map((row) => ({ ...row, ...resolved(tenant, row), ...extras(tenant, noun, row) }));
}

function resolved(tenant: Tenant, row: Row): Friendly {
  const ids = row as Partial<
    Record<'accountId' | 'invoiceId' | 'debitMemoId' | 'documentId' | 'sourceId' | 'paymentId' | 'creditMemoId', string | null>
  >;
  const numberOf = (id: string | null | undefined): string | undefined =>
    id === null || id === undefined
      ? undefined
      : [tenant.accounts, tenant.invoices, tenant.creditMemos, tenant.debitMemos, tenant.payments]
          .map((table) => table.get(id)?.number)
          .find((number) => number !== undefined);
  const names = {
    account: numberOf(ids.accountId),
    invoice: numberOf(ids.invoiceId),
    debitMemo: numberOf(ids.debitMemoId),
    document: numberOf(ids.documentId),
    source: numberOf(ids.sourceId),
    payment: numberOf(ids.paymentId),
    creditMemo: numberOf(ids.creditMemoId),
  };
  return Object.fromEntries(Object.entries(names).filter(([, number]) => number !== undefined));
}

function extras(tenant: Tenant, noun: string, row: Row): Friendly {
  if (noun === 'accounts') return { balance: accountBalance(row as Account) };
  const items =
    noun === 'invoices'
      ? tenant.invoiceItems
      : noun === 'creditMemos'
        ? tenant.creditMemoItems
        : noun === 'debitMemos'
          ? tenant.debitMemoItems
          : undefined;
  if (items)
    return { items: items.by('documentId', row.id), accountNumber: tenant.accounts.get((row as BillingDocument).accountId)?.number };
  if (noun === 'payments') return { applications: applied(tenant, row.id) };
  if (noun === 'refunds') return { applications: tenant.refundApplications.by('refundId', row.id).map((part) => resolved(tenant, part)) };
  return {};
}

function applied(tenant: Tenant, sourceId: string): Friendly[] {
  const parts = tenant.parts.by('sourceId', sourceId).filter((part) => part.invoiceId !== null || part.debitMemoId !== null);
  return parts.map((part) => ({ ...resolved(tenant, part), amount: part.amount }));
}
