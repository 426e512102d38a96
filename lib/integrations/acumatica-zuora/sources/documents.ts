import type { Feed, Found } from '../../../contracts/flow.ts';
import { asFailure, Failure } from '../../../failures.ts';
import { subtract } from '../../../values/decimal.ts';
import type {
  CreditMemoItemRow,
  CreditMemoRow,
  DebitMemoItemRow,
  DebitMemoRow,
  InvoiceItemRow,
  InvoiceRow,
  TaxationItemRow,
} from '../../../vendors/zuora/wire.ts';
import { instantOf } from '../../../vendors/zuora/wire.ts';
import { type Books, codeWithId } from '../books.ts';
import type { ArDocument, DocumentHeader, DocumentLine, DocumentTax } from '../canonical.ts';
import type { PairContext } from '../context.ts';

/** Reads invoices and memos of Zuora with their items and taxes, and brings the three objects into one form. */

export function invoiceHeader(row: InvoiceRow): DocumentHeader {
  return {
    object: 'invoice',
    id: row.id,
    number: row.invoiceNumber,
    accountId: row.accountId,
    status: row.status,
    reversed: row.reversed ?? false,
    date: row.invoiceDate,
    total: row.amount,
    balance: row.balance,
    updatedAt: row.updatedDate,
    ...(row.dueDate === undefined ? {} : { dueDate: row.dueDate }),
    ...(row.paymentTerm === undefined ? {} : { terms: row.paymentTerm }),
    ...(row.currency === undefined ? {} : { currency: row.currency }),
    ...(row.taxAmount === undefined ? {} : { tax: row.taxAmount }),
    ...(row.postedDate === undefined ? {} : { postedAt: row.postedDate }),
  };
}

export function memoHeader(object: 'debit-memo' | 'credit-memo', row: DebitMemoRow | CreditMemoRow): DocumentHeader {
  const due = 'dueDate' in row ? row.dueDate : undefined;
  const terms = 'paymentTerm' in row ? row.paymentTerm : undefined;
  return {
    object,
    id: row.id,
    number: row.memoNumber,
    accountId: row.accountId,
    status: row.status,
    reversed: row.reversed ?? false,
    date: row.memoDate,
    total: row.totalAmount,
    updatedAt: row.updatedDate,
    ...(due === undefined ? {} : { dueDate: due }),
    ...(terms === undefined ? {} : { terms }),
    ...(row.balance === undefined ? {} : { balance: row.balance }),
    ...(row.currency === undefined ? {} : { currency: row.currency }),
    ...(row.taxAmount === undefined ? {} : { tax: row.taxAmount }),
    ...(row.reasonCode === undefined ? {} : { reason: row.reasonCode }),
    ...(row.postedOn === undefined ? {} : { postedAt: row.postedOn }),
  };
}

type DocumentNoun = 'invoices' | 'debit-memos' | 'credit-memos';

const dateField = { invoices: 'invoicedate', 'debit-memos': 'memodate', 'credit-memos': 'memodate' } as const;

/** Lists without a status filter, so that a document that left Posted is seen; the first load takes only what is posted since the cut-over. */
export function documentFeed(noun: DocumentNoun): Feed<DocumentHeader, PairContext> {
  return {
    name: noun,
    async *list(context, since) {
      if (noun !== 'invoices' && !(await context.hasInvoiceSettlement())) return;
      const ask =
        since === undefined ? { filters: [`${dateField[noun]}.GE:${context.settings.startFrom}`, 'status.EQ:Posted'] } : { since };
      for await (const page of headerPages(context, noun, ask)) yield page.map(found);
    },
  };
}

async function* headerPages(
  context: PairContext,
  noun: DocumentNoun,
  ask: { readonly since?: Date; readonly filters?: readonly string[] },
): AsyncIterable<readonly DocumentHeader[]> {
  if (noun === 'invoices') for await (const page of context.zuora.listChanged('invoices', ask)) yield page.map(invoiceHeader);
  else if (noun === 'debit-memos')
    for await (const page of context.zuora.listChanged('debit-memos', ask)) yield page.map((row) => memoHeader('debit-memo', row));
  else for await (const page of context.zuora.listChanged('credit-memos', ask)) yield page.map((row) => memoHeader('credit-memo', row));
}

const found = (header: DocumentHeader): Found<DocumentHeader> => ({ key: header.id, at: instantOf(header.updatedAt), row: header });

/** Invoices and debit memos have one key space: what is no invoice is looked for among the debit memos. */
export async function fetchInvoicesAndDebitMemos(
  context: PairContext,
  ids: readonly string[],
): Promise<ReadonlyMap<string, DocumentHeader>> {
  const headers = (await context.zuora.fetchByIds('invoices', ids)).map(invoiceHeader);
  const known = new Set(headers.map((header) => header.id));
  const rest = ids.filter((id) => !known.has(id));
  if (rest.length > 0 && (await context.hasInvoiceSettlement()))
    headers.push(...(await context.zuora.fetchByIds('debit-memos', rest)).map((row) => memoHeader('debit-memo', row)));
  return new Map(headers.map((header) => [header.id, header]));
}

export async function fetchCreditMemos(context: PairContext, ids: readonly string[]): Promise<ReadonlyMap<string, DocumentHeader>> {
  if (!(await context.hasInvoiceSettlement())) return new Map();
  const rows = await context.zuora.fetchByIds('credit-memos', ids);
  return new Map(rows.map((row) => [row.id, memoHeader('credit-memo', row)]));
}

export interface AccountFacts {
  readonly number: string;
  readonly currency: string;
  readonly batch: string | undefined;
}

/** What was read of accounts in one piece of work: the documents of one account lie in several batches of it. */
const readAccounts = new WeakMap<PairContext, Map<string, AccountFacts>>();

export async function fetchAccounts(context: PairContext, ids: readonly string[]): Promise<ReadonlyMap<string, AccountFacts>> {
  const known = readAccounts.get(context) ?? new Map<string, AccountFacts>();
  readAccounts.set(context, known);
  const missing = [...new Set(ids)].filter((id) => id !== '' && !known.has(id));
  const rows = missing.length === 0 ? [] : await context.zuora.fetchByIds('accounts', missing);
  for (const row of rows) known.set(row.id, { number: row.accountNumber, currency: row.currency, batch: row.batch });
  return known;
}

export const isExcluded = (context: PairContext, account: Pick<AccountFacts, 'batch'>): boolean =>
  account.batch !== undefined && context.settings.customers.excludeBatches.includes(account.batch);

export function accountMissing(number: string, accountId: string): Failure {
  return new Failure('VendorUnavailable', {
    cause: 'zuora:account-missing',
    sentence: `${number} belongs to account ${accountId}, which Zuora does not show yet.`,
  });
}

/** A document as the flow sees it: its row, its account, and its items when it is posted. */
export interface DocumentSource {
  readonly header: DocumentHeader;
  readonly account: AccountFacts;
  readonly excluded: boolean;
  readonly document: ArDocument | undefined;
}

/** Expanded lists end at 99 without a sign. */
const expandedAtMost = 99;

export async function gatherDocuments(
  context: PairContext,
  headers: readonly DocumentHeader[],
): Promise<ReadonlyMap<string, DocumentSource | Failure>> {
  await context.loadBooks(headers.flatMap((header) => [header.date, header.updatedAt.slice(0, 10)]));
  const accounts = await fetchAccounts(
    context,
    headers.map((header) => header.accountId),
  );
  const posted = headers.filter((header) => header.status === 'Posted');
  const ids = (object: DocumentHeader['object']) => posted.filter((header) => header.object === object).map((header) => header.id);
  const items = [
    ...(await itemsOf(context, 'invoice-items', 'invoiceid', 'taxationitems', ids('invoice'))),
    ...(await itemsOf(context, 'debit-memo-items', 'debitmemoid', 'debittaxationitems', ids('debit-memo'))),
    ...(await itemsOf(context, 'credit-memo-items', 'creditmemoid', 'credittaxationitems', ids('credit-memo'))),
  ];
  const books = await context.booksWithCodes(items.flatMap(codeIdsOf));
  const gathered = new Map<string, DocumentSource | Failure>();
  for (const header of headers) {
    const account = accounts.get(header.accountId);
    if (account === undefined) {
      gathered.set(header.id, accountMissing(header.number, header.accountId));
      continue;
    }
    try {
      const own = items.filter((item) => parentOf(item) === header.id);
      const document = header.status === 'Posted' ? await documentOf(context, header, account, own, books) : undefined;
      gathered.set(header.id, { header, account, excluded: isExcluded(context, account), document });
    } catch (thrown) {
      gathered.set(header.id, asFailure(thrown));
    }
  }
  return gathered;
}

type ItemRow = InvoiceItemRow | DebitMemoItemRow | CreditMemoItemRow;

async function itemsOf(
  context: PairContext,
  noun: 'invoice-items' | 'debit-memo-items' | 'credit-memo-items',
  field: string,
  taxes: string,
  ids: readonly string[],
): Promise<readonly ItemRow[]> {
  return ids.length === 0 ? [] : context.zuora.fetchWhereIn(noun, field, ids, { chunk: 20, expand: [taxes], sort: 'id.ASC' });
}

const parentOf = (item: ItemRow): string =>
  'invoiceId' in item && 'chargeAmount' in item
    ? item.invoiceId
    : 'debitMemoId' in item
      ? item.debitMemoId
      : 'creditMemoId' in item
        ? item.creditMemoId
        : '';

/** Accounting codes an item and its taxes name by id. */
const codeIdsOf = (item: ItemRow): readonly string[] =>
  [
    item.recognizedRevenueAccountingCodeId,
    item.deferredRevenueAccountingCodeId,
    ...(item.taxationItems ?? []).map((tax) => tax.salesTaxPayableAccountingCodeId),
  ].filter((id) => id !== undefined);

async function documentOf(
  context: PairContext,
  header: DocumentHeader,
  account: AccountFacts,
  items: readonly ItemRow[],
  books: Books,
): Promise<ArDocument> {
  const lines: DocumentLine[] = [];
  const taxes: DocumentTax[] = [];
  for (const item of items) {
    const net = netOf(item);
    if (item.processingType === '3') {
      const code = item.accountingCode ?? codeWithId(books, item.recognizedRevenueAccountingCodeId)?.name;
      taxes.push({ lineKey: item.id, name: item.chargeName ?? 'Tax', amount: net, ...(code === undefined ? {} : { code }) });
      continue;
    }
    lines.push(lineOf(item, net, books));
    for (const tax of await taxesOf(context, header, item)) taxes.push(taxOf(tax, item.id, books));
  }
  return { ...header, accountNumber: account.number, currency: header.currency ?? account.currency, lines, taxes };
}

/** Memo amounts contain the tax when the item is tax-inclusive. */
function netOf(item: ItemRow): string {
  if ('chargeAmount' in item) return item.chargeAmount;
  return item.amountWithoutTax ?? (item.taxMode === 'TaxInclusive' ? subtract(item.amount, item.taxAmount ?? '0') : item.amount);
}

function lineOf(item: ItemRow, net: string, books: Books): DocumentLine {
  const recognised = codeWithId(books, item.recognizedRevenueAccountingCodeId)?.name;
  const deferred = codeWithId(books, item.deferredRevenueAccountingCodeId)?.name;
  const uom = 'uOM' in item ? item.uOM : 'unitOfMeasure' in item ? item.unitOfMeasure : undefined;
  return {
    key: item.id,
    text: item.chargeName ?? item.description ?? 'Charge',
    net,
    tax: item.taxAmount ?? '0',
    ...(item.serviceStartDate === undefined ? {} : { from: item.serviceStartDate }),
    ...(item.serviceEndDate === undefined ? {} : { to: item.serviceEndDate }),
    ...(item.quantity === undefined ? {} : { qty: item.quantity }),
    ...(item.unitPrice === undefined ? {} : { price: item.unitPrice }),
    ...(uom === undefined ? {} : { uom }),
    ...(recognised === undefined ? {} : { recognisedCode: recognised }),
    ...(item.accountingCode === undefined ? {} : { ownCode: item.accountingCode }),
    ...(deferred === undefined ? {} : { deferredCode: deferred }),
  };
}

async function taxesOf(context: PairContext, header: DocumentHeader, item: ItemRow): Promise<readonly TaxationItemRow[]> {
  const taxes = item.taxationItems ?? [];
  if (taxes.length < expandedAtMost) return taxes;
  if (header.object === 'invoice') return context.zuora.findWhere('taxation-items', [`invoiceitemid.EQ:${item.id}`]);
  return context.zuora.fetchMemoItemTaxes({
    kind: header.object === 'credit-memo' ? 'credit' : 'debit',
    memoId: header.id,
    itemId: item.id,
  });
}

function taxOf(tax: TaxationItemRow, lineKey: string, books: Books): DocumentTax {
  const code = tax.accountingCode ?? codeWithId(books, tax.salesTaxPayableAccountingCodeId)?.name;
  return {
    lineKey,
    name: tax.name ?? tax.taxCode ?? 'Tax',
    amount: tax.taxAmount,
    ...(code === undefined ? {} : { code }),
    ...(tax.taxableAmount === undefined ? {} : { taxable: tax.taxableAmount }),
  };
}
