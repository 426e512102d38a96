import type { Io } from '../../contracts/io.ts';
import type { CheckResult } from '../../contracts/vendor.ts';
import { Failure, type FailureKind } from '../../failures.ts';
import type { RegistrationAsk } from './callout-template.ts';
import { changedPages } from './changed-pages.ts';
import { runDataQuery } from './data-query.ts';
import { fetchAll, fetchPage, fetchWhereIn } from './query.ts';
import { inspectCallouts, registerCallouts } from './registration.ts';
import { type Ask, createZuoraSender } from './sender.ts';
import { baseUrlOf, type EnvironmentKind, kindOf, type ZuoraConnection } from './settings.ts';
import { fetchV1Pages, zonedText } from './v1-pages.ts';
import type { ChangingNoun, Noun, RowOf, TaxationItemRow } from './wire.ts';
import {
  type AccountDetail,
  type AccountingCode,
  type ApplicationPart,
  accountDetailSchema,
  accountingCodesAnswer,
  type CalloutAttempt,
  calloutHistoriesAnswer,
  type JournalEntry,
  journalEntriesAnswer,
  memoTaxationItemsAnswer,
  partsAnswer,
  type TextRow,
  zoqlAnswer,
} from './wire-answers.ts';

export interface ListChanged {
  /** Rows changed at or after this instant; absent: all rows. */
  readonly since?: Date;
  /** More conditions, all of which must hold: `status.EQ:Posted`. */
  readonly filters?: readonly string[];
  /** Relations to bring along: `paymentapplications`. An expanded list stops at 99 without a sign. */
  readonly expand?: readonly string[];
}

export interface Features {
  /** Credit and debit memos, unapplied payments, payment parts. */
  readonly invoiceSettlement: boolean;
  /** Accounting codes and journal runs. */
  readonly finance: boolean;
}

export type Transferable = 'invoices' | 'credit-memos' | 'debit-memos' | 'journal-entries';

/**
 * Everything flows ask of Zuora. At most eight requests are in the air at once; each waits for the connection's rate budget.
 * Fails (every verb): RateLimited with `at`, CredentialRefused after a second refusal with a new token, PermissionMissing, VendorUnavailable,
 * Unreachable, ShapeUnexpected naming the field; writes WriteUncertain when their answer is lost.
 */
export interface ZuoraClient {
  readonly about: {
    readonly connection: string;
    readonly host: string;
    readonly kind: EnvironmentKind;
    readonly timezone: string;
    readonly entityId?: string;
  };

  /**
   * Rows changed at or after `since`, oldest change first, a page at a time. Many rows of a bill run share one second: list again with an overlap.
   * Source: https://developer.zuora.com/docs/guides/query-operations/ (read 2026-01-20; its ERP guide filters with GT, which loses such ties)
   */
  listChanged<Name extends ChangingNoun>(noun: Name, ask: ListChanged): AsyncIterable<readonly RowOf[Name][]>;
  /** Rows of these ids, 40 per request; an id that is missing from the answer does not exist. */
  fetchByIds<Name extends Noun>(
    noun: Name,
    ids: readonly string[],
    options?: { readonly expand?: readonly string[] },
  ): Promise<readonly RowOf[Name][]>;
  /** Children of many parents, `chunk` (20) parents per request, all pages, by id: `fetchWhereIn('invoice-items', 'invoiceid', ids)`. */
  fetchWhereIn<Name extends Noun>(
    noun: Name,
    field: string,
    values: readonly string[],
    options?: { readonly chunk?: number; readonly expand?: readonly string[]; readonly sort?: string },
  ): Promise<readonly RowOf[Name][]>;
  /** All rows for which every condition holds: `findWhere('accounts', ['accountnumber.EQ:KR-10023'])`. Texts compare without case. */
  findWhere<Name extends Noun>(
    noun: Name,
    filters: readonly string[],
    options?: { readonly expand?: readonly string[] },
  ): Promise<readonly RowOf[Name][]>;

  /** What a payment settles now; a part without document is the unapplied rest. Needs Invoice Settlement. Amounts in the payment's currency. */
  fetchPaymentParts(paymentId: string): Promise<readonly ApplicationPart[]>;
  /** What a credit memo settles now. */
  fetchCreditMemoParts(memoId: string): Promise<readonly ApplicationPart[]>;
  /** All taxes of one memo item, past the 99 that an expansion brings. `accountingCode` is the name of the tax account. */
  fetchMemoItemTaxes(ask: {
    readonly kind: 'credit' | 'debit';
    readonly memoId: string;
    readonly itemId: string;
  }): Promise<readonly TaxationItemRow[]>;
  listAccountingCodes(): Promise<readonly AccountingCode[]>;
  /** The v1 account by id or number, for what object query lacks (tax id); undefined when there is none. */
  fetchAccount(idOrNumber: string): Promise<AccountDetail | undefined>;
  listJournalEntries(runNumber: string): Promise<readonly JournalEntry[]>;

  /**
   * Runs SQL over the whole tenant and reads the result. A query that takes longer than 20 s fails with ConditionPending (`at` names when to
   * come back); the same text then goes on with the same job. Timestamps are in the tenant's zone; amounts are not rounded to the currency.
   * Source: https://developer.zuora.com/v1-api-reference/api/tag/Data-Queries/ (read 2023-12-15)
   */
  runDataQuery(sql: string): Promise<readonly TextRow[]>;
  /** ZOQL with its follow-up pages; knows no orders and nothing of Invoice Settlement. */
  queryZoql(text: string): Promise<readonly TextRow[]>;
  /** Callouts that Zuora sent or tried to send. `eventCategory`: `1110`, or `user.notification:MlcAccountChanged`. */
  listCalloutHistory(ask: {
    readonly from: Date;
    readonly to: Date;
    readonly eventCategory?: string;
    /** Default false: all of them. */
    readonly failedOnly?: boolean;
  }): Promise<readonly CalloutAttempt[]>;

  /** Sets the flag that shows people in Zuora that a document is in the books. Moves the document's `updatedDate`. Journal entries by number. */
  markTransferred(noun: Transferable, id: string, state: 'Yes' | 'No'): Promise<void>;

  /** What this tenant can do; a refusal means "off", a fault of the vendor is thrown. */
  probeFeatures(): Promise<Features>;
  /** Reads one row: proves access. */
  probe(noun: Noun): Promise<void>;
  /** Entities the token covers; undefined when its scope names none. */
  tokenEntities(): Promise<readonly string[] | undefined>;

  /** Creates or repairs our callouts and event triggers, found by name; answers what was done, one sentence each. */
  registerCallouts(ask: RegistrationAsk): Promise<readonly string[]>;
  /** Compares what is registered with what should be: check Z6. */
  inspectCallouts(ask: RegistrationAsk): Promise<readonly CheckResult[]>;
}

/** Refusals that mean "this tenant does not have it", as opposed to "not now". */
const offKinds: readonly FailureKind[] = ['FeatureOff', 'PermissionMissing', 'RequestRejected', 'RequestMalformed', 'RecordGone'];

const noSuchParent = '0'.repeat(32);

export function openZuora(connection: ZuoraConnection, io: Io): ZuoraClient {
  const { settings } = connection;
  const sender = createZuoraSender(connection, io);
  const pages = { sender, settings };

  const client: ZuoraClient = {
    about: {
      connection: connection.name,
      host: new URL(baseUrlOf(settings)).host,
      kind: kindOf(settings),
      timezone: settings.timezone,
      ...(settings.entityId === undefined ? {} : { entityId: settings.entityId }),
    },

    listChanged: (noun, ask) => changedPages(sender, noun, ask),
    fetchByIds: (noun, ids, options = {}) => fetchWhereIn(sender, noun, 'id', ids, options),
    fetchWhereIn: (noun, field, values, options = {}) => fetchWhereIn(sender, noun, field, values, { chunk: 20, ...options }),
    findWhere: (noun, filters, options = {}) => fetchAll(sender, noun, { sort: 'id.ASC', filters, ...options }),

    async fetchPaymentParts(paymentId) {
      const ask = {
        operation: 'GET /v1/payments/{id}/parts',
        path: `/v1/payments/${key(paymentId)}/parts`,
        doing: `read the parts of payment ${paymentId}`,
      };
      return fetchV1Pages(pages, { ...ask, pageSize: 40, answer: partsAnswer }, (answer) => answer.parts);
    },
    async fetchCreditMemoParts(memoId) {
      const ask = {
        operation: 'GET /v1/credit-memos/{id}/parts',
        path: `/v1/credit-memos/${key(memoId)}/parts`,
        doing: `read the parts of credit memo ${memoId}`,
      };
      return fetchV1Pages(pages, { ...ask, pageSize: 40, answer: partsAnswer }, (answer) => answer.parts);
    },
    async fetchMemoItemTaxes({ kind, memoId, itemId }) {
      const family = `${kind}-memos`;
      const ask = {
        operation: `GET /v1/${family}/{id}/items/{id}/taxation-items`,
        path: `/v1/${family}/${key(memoId)}/items/${key(itemId)}/taxation-items`,
        doing: `read the taxes of ${kind} memo item ${itemId}`,
      };
      const found = await fetchV1Pages(pages, { ...ask, pageSize: 40, answer: memoTaxationItemsAnswer }, (answer) => answer.data);
      return found.map(({ financeInformation, ...tax }) => {
        const code = financeInformation?.salesTaxPayableAccountingCode;
        const parent = kind === 'credit' ? { creditMemoItemId: itemId } : { debitMemoItemId: itemId };
        return { ...tax, ...parent, ...(code === undefined ? {} : { accountingCode: code }) };
      });
    },
    async listAccountingCodes() {
      const ask = { operation: 'GET /v1/accounting-codes', path: '/v1/accounting-codes', doing: 'read accounting codes' };
      return fetchV1Pages(pages, { ...ask, pageSize: 300, answer: accountingCodesAnswer }, (answer) => answer.accountingCodes);
    },
    async fetchAccount(idOrNumber) {
      const ask: Ask<AccountDetail> = {
        operation: 'GET /v1/accounts/{id}',
        path: `/v1/accounts/${key(idOrNumber)}`,
        doing: `read account ${idOrNumber}`,
        effect: 'read',
        answer: accountDetailSchema,
      };
      return sender.send(ask).catch(goneIsUndefined);
    },
    async listJournalEntries(runNumber) {
      const ask = {
        operation: 'GET /v1/journal-entries/journal-runs/{number}',
        path: `/v1/journal-entries/journal-runs/${key(runNumber)}`,
        doing: `read the entries of journal run ${runNumber}`,
      };
      return fetchV1Pages(pages, { ...ask, pageSize: 40, answer: journalEntriesAnswer }, (answer) => answer.journalEntries);
    },

    runDataQuery: (sql) => runDataQuery(sender, io, sql),
    async queryZoql(queryString) {
      const rows: TextRow[] = [];
      const ask = { doing: 'run a ZOQL query', effect: 'read', answer: zoqlAnswer } as const;
      let answer = await sender.send({
        ...ask,
        operation: 'POST /v1/action/query',
        path: '/v1/action/query',
        body: { queryString, conf: { batchSize: 2000 } },
      });
      const seen = new Set<string>();
      for (;;) {
        rows.push(...answer.records);
        const queryLocator = answer.queryLocator;
        if (answer.done || queryLocator === undefined || seen.has(queryLocator)) return rows;
        seen.add(queryLocator);
        answer = await sender.send({
          ...ask,
          operation: 'POST /v1/action/queryMore',
          path: '/v1/action/queryMore',
          body: { queryLocator },
        });
      }
    },
    async listCalloutHistory({ from, to, eventCategory, failedOnly }) {
      const ask = {
        operation: 'GET /v1/notification-history/callout',
        path: '/v1/notification-history/callout',
        doing: 'read the history of callouts',
        query: [
          ['startTime', zonedText(from, settings.timezone)],
          ['endTime', zonedText(to, settings.timezone)],
          ['failedOnly', String(failedOnly ?? false)],
          ...(eventCategory === undefined ? [] : [['eventCategory', eventCategory] as const]),
        ] as const,
      };
      return fetchV1Pages(pages, { ...ask, pageSize: 40, answer: calloutHistoriesAnswer }, (answer) => answer.calloutHistories);
    },

    async markTransferred(noun, id, state) {
      const tail = noun === 'journal-entries' ? '/basic-information' : '';
      await sender.send({
        operation: `PUT /v1/${noun}/{id}${tail}`,
        path: `/v1/${noun}/${key(id)}${tail}`,
        body: { transferredToAccounting: state },
        doing: `mark ${noun.replaceAll('-', ' ').replace(/ies$/, 'y').replace(/s$/, '')} ${id} as transferred`,
        effect: 'write',
      });
    },

    async probeFeatures() {
      const [invoiceSettlement, finance] = await Promise.all([
        isOn(client.probe('credit-memos')),
        isOn(
          sender.send({
            operation: 'GET /v1/accounting-codes',
            path: '/v1/accounting-codes',
            query: [['pageSize', '1']],
            doing: 'read accounting codes',
            effect: 'read',
          }),
        ),
      ]);
      return { invoiceSettlement, finance };
    },
    async probe(noun) {
      // Items cannot be listed without a filter; nothing has this parent, and the permission is checked all the same.
      const filters = noun === 'invoice-items' ? [`invoiceid.EQ:${noSuchParent}`] : [];
      await fetchPage(sender, noun, { sort: 'updateddate.DESC', filters }, { pageSize: 1 });
    },
    tokenEntities: () => sender.auth.entities(),

    registerCallouts: (ask) => registerCallouts({ sender, connection, io }, ask),
    inspectCallouts: (ask) => inspectCallouts({ sender, connection, io }, ask),
  };
  return client;
}

/** A number with `/` in it cannot be fetched by path, even encoded: Zuora answers that it does not exist. */
const key = (idOrNumber: string): string => encodeURIComponent(idOrNumber);

function goneIsUndefined(error: unknown): undefined {
  if (error instanceof Failure && error.kind === 'RecordGone') return undefined;
  throw error;
}

async function isOn(probe: Promise<unknown>): Promise<boolean> {
  try {
    await probe;
    return true;
  } catch (error) {
    if (error instanceof Failure && offKinds.includes(error.kind)) return false;
    throw error;
  }
}

export type { RegistrationAsk } from './callout-template.ts';
export type { AccountDetail, AccountingCode, ApplicationPart, CalloutAttempt, JournalEntry, TextRow } from './wire-answers.ts';
