/** What a tenant stores. Amounts are decimal text, dates `YYYY-MM-DD`, instants ISO text in UTC with second precision. */
export interface Row {
  readonly id: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

interface Numbered extends Row {
  readonly number: string;
}

export interface Account extends Numbered {
  readonly name: string;
  readonly status: string;
  readonly currency: string;
  readonly paymentTerm: string;
  readonly batch: string;
  readonly billCycleDay: number;
  readonly autoPay: boolean;
  readonly invoiceDeliveryPrefsEmail: boolean;
  readonly parentId: string | null;
  readonly billToId: string | null;
  readonly soldToId: string | null;
  readonly crmId: string | null;
  readonly salesRep: string | null;
  readonly notes: string;
  readonly purchaseOrderNumber: string | null;
  readonly communicationProfileId: string;
  readonly taxExemptStatus: string;
  readonly vatId: string | null;
  readonly lastInvoiceDate: string | null;
  readonly totalInvoiceBalance: string;
  readonly totalDebitMemoBalance: string;
  readonly unappliedPaymentAmount: string;
  readonly unappliedCreditMemoAmount: string;
  /** Custom fields as a person named them: `NAVCustomerNo__c`. */
  readonly custom: Readonly<Record<string, string | null>>;
}

export interface Contact extends Row {
  readonly accountId: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly address1: string;
  readonly address2: string;
  readonly city: string;
  readonly state: string;
  readonly county: string | null;
  readonly country: string | null;
  readonly postalCode: string;
  readonly workEmail: string;
  readonly personalEmail: string;
  readonly workPhone: string;
  readonly mobilePhone: string;
  readonly taxRegion: string | null;
}

export interface CommunicationProfile extends Numbered {
  readonly name: string;
}

export interface AccountingCode extends Row {
  readonly name: string;
  readonly type: string;
  readonly category: string;
  readonly status: string;
  readonly glAccountName: string | null;
  readonly glAccountNumber: string | null;
  readonly notes: string | null;
}

export interface PaymentMethod extends Row {
  readonly type: string;
  readonly accountId: string | null;
  readonly isSystem: boolean;
}

/** What invoices, credit memos and debit memos have in common. `amount` contains tax. */
export interface BillingDocument extends Numbered {
  readonly accountId: string;
  readonly currency: string;
  readonly date: string;
  readonly status: string;
  readonly amount: string;
  readonly taxAmount: string;
  /** Open rest; of a credit memo what is not applied yet. */
  readonly balance: string;
  readonly source: string;
  readonly sourceType: string;
  readonly sourceId: string | null;
  readonly postedAt: string | null;
  readonly comments: string;
  readonly transferredToAccounting: string;
  readonly paymentTerm: string;
  readonly billToContactId: string | null;
}

/** An invoice or a debit memo: something that is owed. */
export interface Receivable extends BillingDocument {
  readonly dueDate: string;
  readonly paymentAmount: string;
  readonly creditMemoAmount: string;
  readonly refundAmount: string;
}

export interface Invoice extends Receivable {
  readonly targetDate: string;
  readonly reversed: boolean;
  readonly autoPay: boolean;
}

export interface DebitMemo extends Receivable {
  readonly reasonCode: string | null;
  readonly invoiceId: string | null;
  readonly creditMemoId: string | null;
}

export interface CreditMemo extends BillingDocument {
  readonly reasonCode: string | null;
  readonly invoiceId: string | null;
  readonly appliedAmount: string;
  readonly refundAmount: string;
  readonly reversed: boolean;
  readonly autoApplyUponPosting: boolean;
}

/** A line of any billing document. */
export interface Item extends Row {
  readonly documentId: string;
  readonly accountId: string;
  readonly chargeName: string;
  readonly chargeNumber: string | null;
  readonly amountWithoutTax: string;
  readonly taxAmount: string;
  readonly taxMode: string;
  readonly quantity: string;
  readonly unitPrice: string;
  readonly sku: string | null;
  readonly unitOfMeasure: string;
  /** `0` charge, `1` discount, `2` prepayment, `3` tax, `4` rounding. */
  readonly processingType: string;
  readonly serviceStartDate: string | null;
  readonly serviceEndDate: string | null;
  readonly description: string;
  readonly subscriptionNumber: string | null;
  readonly accountingCode: string | null;
  readonly recognizedRevenueAccountingCodeId: string | null;
  readonly deferredRevenueAccountingCodeId: string | null;
  readonly accountReceivableAccountingCodeId: string | null;
  /** The discounted line of the same document. */
  readonly appliedToItemId: string | null;
  /** The invoice line a memo line was made from. */
  readonly sourceItemId: string | null;
}

export interface TaxItem extends Row {
  readonly itemId: string;
  readonly name: string;
  readonly jurisdiction: string;
  readonly taxCode: string;
  readonly taxRate: string;
  readonly taxRateType: string;
  readonly taxMode: string;
  readonly taxDate: string;
  readonly taxAmount: string;
  readonly taxableAmount: string;
  readonly accountingCode: string | null;
  readonly salesTaxPayableAccountingCodeId: string | null;
}

export interface Payment extends Numbered {
  readonly accountId: string;
  readonly currency: string;
  readonly amount: string;
  readonly appliedAmount: string;
  readonly unappliedAmount: string;
  readonly refundAmount: string;
  readonly effectiveDate: string;
  readonly status: string;
  readonly type: string;
  readonly gateway: string | null;
  readonly gatewayState: string;
  readonly gatewayResponse: string | null;
  readonly paymentMethodId: string;
  readonly referenceId: string | null;
  readonly source: string;
  readonly comment: string;
  readonly isStandalone: boolean;
  readonly transferredToAccounting: string;
}

/** One movement of money between a payment or credit memo and a document; `amount` is negative when money was freed again. */
export interface Application extends Row {
  readonly sourceId: string;
  readonly invoiceId: string | null;
  readonly debitMemoId: string | null;
  readonly amount: string;
  readonly effectiveDate: string;
  readonly accountId: string;
  readonly billingDocumentOwnerId: string;
  readonly applicationGroupId: string;
  /** Only without Invoice Settlement: what of this row was paid back. */
  readonly refundAmount: string;
}

/** What is applied right now: one per source and document, and one without document for the free rest. */
export interface Part extends Row {
  readonly sourceId: string;
  readonly invoiceId: string | null;
  readonly debitMemoId: string | null;
  readonly amount: string;
}

export interface Refund extends Numbered {
  readonly accountId: string;
  readonly currency: string;
  readonly amount: string;
  readonly refundDate: string;
  readonly status: string;
  readonly type: string;
  readonly methodType: string;
  readonly gateway: string | null;
  readonly gatewayState: string;
  readonly sourceType: string;
  readonly reasonCode: string | null;
  readonly referenceId: string | null;
  readonly paymentMethodId: string;
  readonly comment: string;
}

export interface RefundApplication extends Row {
  readonly refundId: string;
  readonly paymentId: string | null;
  readonly creditMemoId: string | null;
  readonly amount: string;
  readonly accountId: string;
  readonly effectiveDate: string;
  readonly applicationGroupId: string;
}

export interface JournalRun extends Numbered {
  readonly journalEntryDate: string;
  readonly targetStartDate: string;
  readonly targetEndDate: string;
  readonly accountingPeriodName: string | null;
  readonly transactionTypes: readonly string[];
  readonly status: string;
  readonly aggregateCurrency: boolean;
  /** When a pending run completes. */
  readonly completesAt: string;
  readonly executedAt: string | null;
}

export interface JournalLine {
  readonly type: string;
  readonly accountingCode: string;
  readonly amount: string;
  readonly homeCurrencyAmount: string;
}

export interface JournalEntry extends Numbered {
  readonly journalRunId: string;
  readonly status: string;
  readonly journalEntryDate: string;
  readonly currency: string;
  readonly homeCurrency: string;
  readonly aggregateCurrency: boolean;
  readonly transactionType: string;
  readonly accountingPeriodName: string | null;
  readonly timePeriodStart: string;
  readonly timePeriodEnd: string;
  readonly transferredToAccounting: string;
  readonly notes: string;
  readonly segments: readonly { readonly segmentName: string; readonly segmentValue: string }[];
  readonly lines: readonly JournalLine[];
}
