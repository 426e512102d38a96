import { type CallLimits, callLimitsOf, type Region } from './regions.ts';

/** What is licensed or configured; switched by `{"action":"set-feature"}`. */
export interface Features {
  /** Credit memos, debit memos, unapplied payments, parts. Off: negative invoices, InvoicePayment rows. */
  readonly invoiceSettlement: boolean;
  /** G/L fields of accounting codes, accounting codes on items, journal runs. */
  readonly finance: boolean;
  readonly customerHierarchy: boolean;
  /** A posted invoice can be put back to draft. */
  readonly cancelPostedBillingDocument: boolean;
  /** What an unapply leaves in the application rows; the vendor does not document it. */
  readonly unapplyRows: 'negative' | 'removed';
  /** Whether a later application moves the payment's `updatedDate`; not documented either. */
  readonly paymentMovesOnApplication: boolean;
  readonly accountMovesOnContactEdit: boolean;
  /** Two vendor pages disagree: a completed repeat answers as it did, or with 409 and the first body. */
  readonly idempotentRepeat: 'original' | 'conflict';
}

export interface Limits extends CallLimits {
  readonly tokensPerMinute: number;
  readonly tokensPerMinutePerAddress: number;
  readonly tokensPerHour: number;
  readonly tokensPerDay: number;
  readonly concurrentDefault: number;
  readonly concurrentHighVolume: number;
  readonly concurrentObjectQuery: number;
  /** Characters of path and query. */
  readonly addressLength: number;
  /** How long a call is worked on, on the clock of the world. Lets calls overlap. */
  readonly answerTakesMs: number;
  readonly calloutAttempts: number;
  readonly calloutSpacingMinutes: number;
  /** "Confirm success by parsing response content". */
  readonly calloutConfirmedByBody: boolean;
}

export interface TenantSettings {
  readonly region: Region;
  readonly zone: string;
  readonly tenantId: string;
  readonly entityIds: readonly string[];
  readonly clientId: string;
  readonly clientSecret: string;
  readonly homeCurrency: string;
  /** Account numbers that begin with it are the tenant's own. */
  readonly accountNumberPrefix: string;
}

export const usualFeatures: Features = {
  invoiceSettlement: true,
  finance: true,
  customerHierarchy: true,
  cancelPostedBillingDocument: true,
  unapplyRows: 'negative',
  paymentMovesOnApplication: true,
  accountMovesOnContactEdit: false,
  idempotentRepeat: 'original',
};

export function usualLimits(region: Region): Limits {
  return {
    ...callLimitsOf(region),
    tokensPerMinute: 2_000,
    tokensPerMinutePerAddress: 100,
    tokensPerHour: 67_500,
    tokensPerDay: 810_000,
    concurrentDefault: 40,
    concurrentHighVolume: 200,
    concurrentObjectQuery: 80,
    addressLength: 8_000,
    answerTakesMs: 0,
    calloutAttempts: 3,
    calloutSpacingMinutes: 30,
    calloutConfirmedByBody: false,
  };
}
