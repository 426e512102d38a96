/*
 * What Zuora tells us of its own accord. The names travel in the body of our callouts and are what flows listen to.
 * Source: https://docs.zuora.com/en/zuora-platform/events-and-notifications/standard-event-category-code (read 2025-12-10)
 */

export interface CalloutEvent {
  /** Our stable name, a literal in the template: the text of Zuora's own `Event.Category` is not reliable. */
  readonly name: string;
  /** Code of a standard event; absent for a custom one. */
  readonly category?: number;
  /** Condition that raises a custom event: JEXL over the base object. */
  readonly trigger?: { readonly baseObject: string; readonly condition: string; readonly displayName: string };
  /** Merge field of the id in the body; absent where the notice only means "look now". */
  readonly idField?: string;
  /** Runs name no record of ours: the flows that listen are polled. `number`: the id is a run number, not a record id. */
  readonly names: 'record' | 'number' | 'nothing';
  /** Needs Invoice Settlement. */
  readonly settlement?: boolean;
}

/** Balance changes are updates of the account too: only what customers are made of counts. */
const accountFields = ['Name', 'AccountNumber', 'BillToId', 'ParentId', 'PaymentTerm', 'Status', 'Batch'];
const accountChanged = accountFields.map((field) => `Account.${field} != Account.${field}_old`).join(' || ');

export const calloutEvents: readonly CalloutEvent[] = [
  { name: 'InvoicePosted', category: 1110, idField: 'DataSource.Invoice.Id', names: 'record' },
  { name: 'BillRunCompletion', category: 1410, idField: 'DataSource.BillingRun.Id', names: 'nothing' },
  // Electronic payments only: external ones arrive by poll.
  { name: 'PaymentProcessed', category: 2120, idField: 'DataSource.Payment.Id', names: 'record' },
  { name: 'PaymentRunCompletion', category: 2140, names: 'nothing' },
  { name: 'PaymentRefundProcessed', category: 2410, idField: 'DataSource.Refund.Id', names: 'record' },
  { name: 'CreditMemoRefundProcessed', category: 2430, idField: 'DataSource.Refund.Id', names: 'record', settlement: true },
  // 2720 is "posted"; one of the vendor's ERP guides prints 2710, which the code table calls "created".
  { name: 'CreditMemoPosted', category: 2720, idField: 'DataSource.CreditMemo.Id', names: 'record', settlement: true },
  { name: 'DebitMemoPosted', category: 2820, idField: 'DataSource.DebitMemo.Id', names: 'record', settlement: true },
  { name: 'JournalRunCompletion', category: 3110, idField: 'DataSource.JournalRun.Number', names: 'number' },
  {
    name: 'MlcAccountChanged',
    trigger: {
      baseObject: 'Account',
      displayName: 'mlc account changed',
      condition: `changeType == 'INSERT' || (changeType == 'UPDATE' && (${accountChanged}))`,
    },
    idField: 'DataSource.Account.Id',
    names: 'record',
  },
  {
    name: 'MlcContactChanged',
    trigger: { baseObject: 'Contact', displayName: 'mlc contact changed', condition: "changeType == 'INSERT' || changeType == 'UPDATE'" },
    // The account it belongs to is what flows know.
    idField: 'DataSource.Contact.AccountId',
    names: 'record',
  },
];
