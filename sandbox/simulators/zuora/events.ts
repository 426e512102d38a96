/** Standard events by code. */
export const eventCodes = {
  InvoicePosted: 1110,
  BillRunCompletion: 1410,
  PaymentDeclined: 2110,
  PaymentProcessed: 2120,
  PaymentRunCompletion: 2140,
  PaymentRefundProcessed: 2410,
  CreditMemoRefundProcessed: 2430,
  CreditMemoCreated: 2710,
  CreditMemoPosted: 2720,
  DebitMemoCreated: 2810,
  DebitMemoPosted: 2820,
  JournalRunCompletion: 3110,
} as const;

export type StandardEvent = keyof typeof eventCodes;

export interface EventSubject {
  /** The vendor's name of the object: `CreditMemo`. */
  readonly object: string;
  readonly id: string;
  readonly number: string;
  /** Decides the communication profile; runs have none. */
  readonly accountId?: string;
}
