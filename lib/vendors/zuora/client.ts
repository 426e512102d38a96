import type { Connection } from '../../contracts/vendor.ts';
import type { Io } from '../../contracts/io.ts';
import type { AccountDetail, AccountingCode, ApplicationPart, CalloutAttempt, JournalEntry, ZoqlRow } from './wire-answers.ts';
import type { Noun, RowOf, TaxationItemRow } from './wire.ts';
export type Placeholder = { connection: Connection; io: Io };

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

/** Everything flows ask of Zuora. Opened without I/O; the first request fetches the token. At most eight requests are in the air at once. */
export interface ZuoraClient {
  listChanged<Name extends Noun>(noun: Name, ask: ListChanged): AsyncIterable<readonly RowOf[Name][]>;
  fetchByIds<Name extends Noun>(noun: Name, ids: readonly string[], options?: { readonly expand?: readonly string[] }): Promise<readonly RowOf[Name][]>;
  fetchWhereIn<Name extends Noun>(
    noun: Name,
    field: string,
    values: readonly string[],
    options?: { readonly chunk?: number; readonly expand?: readonly string[]; readonly sort?: string },
  ): Promise<readonly RowOf[Name][]>;
  findWhere<Name extends Noun>(noun: Name, filters: readonly string[], options?: { readonly expand?: readonly string[] }): Promise<readonly RowOf[Name][]>;
  fetchMemoItemTaxes(memo: { readonly kind: 'credit' | 'debit'; readonly memoId: string; readonly itemId: string }): Promise<readonly TaxationItemRow[]>;
  fetchPaymentParts(paymentId: string): Promise<readonly ApplicationPart[]>;
  fetchCreditMemoParts(memoId: string): Promise<readonly ApplicationPart[]>;
  listAccountingCodes(): Promise<readonly AccountingCode[]>;
  fetchAccount(idOrNumber: string): Promise<AccountDetail | undefined>;
  listJournalEntries(runNumber: string): Promise<readonly JournalEntry[]>;
  runDataQuery(sql: string): Promise<readonly Readonly<Record<string, string>>[]>;
  queryZoql(text: string): Promise<readonly ZoqlRow[]>;
  listCalloutHistory(ask: {
    readonly from: Date;
    readonly to: Date;
    /** `1110`, or `user.notification:MlcAccountChanged`. */
    readonly eventCategory?: string;
    readonly failedOnly?: boolean;
  }): Promise<readonly CalloutAttempt[]>;
  markTransferred(noun: Transferable, id: string, state: 'Yes' | 'No'): Promise<void>;
  probeFeatures(): Promise<Features>;
}
