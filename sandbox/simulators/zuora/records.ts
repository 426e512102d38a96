import { ControlError } from '../kit.ts';
import { type DocumentKind, itemTables } from './items.ts';
import type { CalloutDesk } from './notifications/callouts.ts';
import { accountBalance } from './query-objects/accounts.ts';
import type { Account, Row } from './rows.ts';
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

const documentKinds: Readonly<Record<string, DocumentKind>> = { invoices: 'invoice', creditMemos: 'credit-memo', debitMemos: 'debit-memo' };

function extras(tenant: Tenant, noun: string, row: Row): Friendly {
  if (noun === 'accounts') return { balance: accountBalance(row as Account) };
  const kind = documentKinds[noun];
  const applications = noun === 'payments' || noun === 'creditMemos' ? { applications: applied(tenant, row.id) } : {};
  if (kind) return { items: itemsOf(tenant, kind, row.id), ...applications };
  if (noun === 'refunds') return { applications: tenant.refundApplications.by('refundId', row.id).map((part) => resolved(tenant, part)) };
  return applications;
}

function itemsOf(tenant: Tenant, kind: DocumentKind, documentId: string): Friendly[] {
  const { items, taxes } = itemTables(tenant, kind);
  const nameOf = (id: string | null): string | null => (id === null ? null : (tenant.accountingCodes.get(id)?.name ?? null));
  return items.by('documentId', documentId).map((item) => ({
    ...item,
    recognizedRevenueAccountingCode: nameOf(item.recognizedRevenueAccountingCodeId),
    deferredRevenueAccountingCode: nameOf(item.deferredRevenueAccountingCodeId),
    taxes: taxes
      .by('itemId', item.id)
      .map(({ name, taxAmount, taxableAmount, accountingCode }) => ({ name, taxAmount, taxableAmount, accountingCode })),
  }));
}

function applied(tenant: Tenant, sourceId: string): Friendly[] {
  const parts = tenant.parts.by('sourceId', sourceId).filter((part) => part.invoiceId !== null || part.debitMemoId !== null);
  return parts.map((part) => ({ ...resolved(tenant, part), amount: part.amount }));
}
