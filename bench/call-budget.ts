import type { RunSize } from './billing-run-company.ts';

/** What one endpoint may cost in a billing run, and why. */
export interface CallBudget {
  readonly system: 'acumatica' | 'zuora';
  /** Names of the calls that count, as the simulators name them; `*` at the end for any rest. */
  readonly operations: readonly string[];
  /** Calls a run of this size may make. */
  calls(size: RunSize): number;
  readonly about: string;
}

/** Batches of look-ups and status reads at Acumatica. */
const perLook = 20;
/** Rows of a page at Zuora. */
const perPage = 99;
/** Records whose rows, items and accounts are read together. */
const perRead = 20;
/** A batch is rarely full: what is woken one by one is looked for in smaller ones. */
const unfilled = 1.25;

/** How often the state of a release is asked for, on average. */
const looksPerRelease = 1.3;

const documents = ({ invoices, creditMemos }: RunSize): number => invoices + creditMemos;
const pages = (rows: number): number => Math.ceil(rows / perPage);
const readsBy20 = (records: number): number => Math.ceil(records / perRead);

/**
 * The budget of the pair. Writes and releases are one call each because Acumatica has no bulk endpoint; everything else goes in batches.
 * A credit memo has one application, which is a payment-side release of its own.
 */
export const callBudgets: readonly CallBudget[] = [
  {
    system: 'acumatica',
    operations: ['PUT /Customer'],
    calls: (size) => size.accounts,
    about: 'One call creates a customer; nothing is read back, because the answer to the call is the customer.',
  },
  {
    system: 'acumatica',
    operations: ['GET /Customer', 'GET /Customer/{key}'],
    calls: (size) => 10 + unfilled * (Math.ceil(size.accounts / perLook) + Math.ceil((documents(size) + size.payments) / perLook)),
    about:
      'Twenty references are looked for per call before customers are created, and twenty customers are read per call before documents are.',
  },
  {
    system: 'acumatica',
    operations: ['PUT /Invoice'],
    calls: documents,
    about: 'An invoice or memo is one call with all its lines.',
  },
  {
    system: 'acumatica',
    operations: ['POST /Invoice/ReleaseInvoice'],
    calls: documents,
    about: 'Releasing is one call per document: the vendor has no bulk release.',
  },
  {
    system: 'acumatica',
    operations: ['GET /Invoice/ReleaseInvoice/status'],
    calls: (size) => looksPerRelease * documents(size),
    about: 'A release runs on its own; its state is asked for 1.3 times on average.',
  },
  {
    system: 'acumatica',
    operations: ['GET /Invoice', 'GET /Invoice/{key}'],
    calls: (size) => unfilled * 2 * Math.ceil(documents(size) / perLook),
    about: 'Twenty markers are looked for per call before writing, and twenty states are read per call after releasing.',
  },
  {
    system: 'acumatica',
    operations: ['PUT /Payment'],
    calls: (size) => size.payments + size.creditMemos,
    about: 'A payment is one call with its applications; the application of a memo is one more.',
  },
  {
    system: 'acumatica',
    operations: ['POST /Payment/ReleasePayment'],
    calls: (size) => size.payments + size.creditMemos,
    about: 'A payment, and an application, is released once.',
  },
  {
    system: 'acumatica',
    operations: ['GET /Payment/ReleasePayment/status'],
    calls: (size) => looksPerRelease * (size.payments + size.creditMemos),
    about: 'As for invoices: 1.3 looks per release.',
  },
  {
    system: 'acumatica',
    operations: ['GET /Payment'],
    calls: (size) => unfilled * (2 * Math.ceil(size.payments / perLook) + 2 * Math.ceil(size.creditMemos / perLook)),
    about: 'Twenty markers per look before writing, twenty states per look after.',
  },
  {
    system: 'acumatica',
    operations: ['GET /Payment/{key}'],
    calls: (size) => 2 * size.creditMemos * 1.1,
    about:
      'What a memo is applied to can only be read document by document: once before its application and once after; one in ten is looked at again.',
  },
];

/** Polls every 15 minutes, nine lists each; what is listed in the minutes after a bill run is listed three times, as long as clocks leave doubt. */
const listsPerPoll = 9;
const listings = 3;

/**
 * Zuora by record and not by endpoint, because several flows read the same lists. Beside lists and items (⌈N/99⌉ + ⌈N/20⌉ for documents,
 * ⌈N/99⌉ + ⌈N/40⌉ for payments) it counts what a run that takes hours reads again because its snapshots have become old: row, account and items of
 * 20 documents; row, account and paid documents of 20 payments, and the same for their applications, both twice: once too early, and once when
 * what they wait for is booked.
 */
export const zuoraBudget = {
  calls: (size: RunSize, hours: number): number =>
    4 * hours * listsPerPoll +
    listings * (pages(size.accounts) + pages(size.invoices) + 2 * pages(size.creditMemos) + 3 * pages(size.payments)) +
    unfilled * (3 * readsBy20(documents(size)) + 2 * 3 * readsBy20(size.payments) + 2 * 3 * readsBy20(size.payments + size.creditMemos)),
  about: 'The limit is 50,000 calls a minute: this is a matter of waste, not of speed.',
};

/** All Acumatica calls of a run: 3,400 per 1,000 invoices or payments, 6,700 per 1,000 memos with an application, 1,010 per 1,000 customers. */
export const acumaticaTotal = (size: RunSize): number =>
  3.4 * (size.invoices + size.payments) + 6.7 * size.creditMemos + 1.01 * size.accounts + size.accounts / 500;
