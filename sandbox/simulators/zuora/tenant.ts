import { ControlError, type SimulatedWorld } from '../kit.ts';
import type { EventSubject, StandardEvent } from './events.ts';
import type {
  Account,
  AccountingCode,
  Application,
  CommunicationProfile,
  Contact,
  CreditMemo,
  DebitMemo,
  Invoice,
  Item,
  JournalEntry,
  JournalRun,
  Part,
  Payment,
  PaymentMethod,
  Refund,
  RefundApplication,
  Row,
  TaxItem,
} from './rows.ts';
import { Table } from './table.ts';
import { type Features, type Limits, type TenantSettings, usualFeatures, usualLimits } from './tenant-settings.ts';
import { instantText, localDate } from './tenant-time.ts';

export type Counter =
  | 'account'
  | 'invoice'
  | 'creditMemo'
  | 'debitMemo'
  | 'payment'
  | 'refund'
  | 'journalRun'
  | 'journalEntry'
  | 'billRun'
  | 'paymentRun'
  | 'profile';

const prefixes: Readonly<Record<Counter, string>> = {
  account: 'A',
  invoice: 'INV',
  creditMemo: 'CM',
  debitMemo: 'DM',
  payment: 'P-',
  refund: 'R-',
  journalRun: 'JR-',
  journalEntry: 'JE-',
  billRun: 'BR-',
  paymentRun: 'PR-',
  profile: 'CP-',
};

export type Watcher = (object: string, before: Row | undefined, after: Row) => void;

/** One tenant: its rows, numbers, switches. Rows are never changed in place. */
export class Tenant {
  readonly world: SimulatedWorld;
  readonly settings: TenantSettings;
  features: Features;
  limits: Limits;

  readonly accounts = new Table<Account>('Account', ['number', 'parentId']);
  readonly contacts = new Table<Contact>('Contact', ['accountId']);
  readonly profiles = new Table<CommunicationProfile>('CommunicationProfile', ['number', 'name']);
  readonly accountingCodes = new Table<AccountingCode>('AccountingCode', ['name']);
  readonly paymentMethods = new Table<PaymentMethod>('PaymentMethod', ['type']);
  readonly invoices = new Table<Invoice>('Invoice', ['number', 'accountId']);
  readonly invoiceItems = new Table<Item>('InvoiceItem', ['documentId']);
  readonly taxationItems = new Table<TaxItem>('TaxationItem', ['itemId']);
  readonly creditMemos = new Table<CreditMemo>('CreditMemo', ['number', 'accountId', 'invoiceId']);
  readonly creditMemoItems = new Table<Item>('CreditMemoItem', ['documentId']);
  readonly creditTaxationItems = new Table<TaxItem>('CreditTaxationItem', ['itemId']);
  readonly debitMemos = new Table<DebitMemo>('DebitMemo', ['number', 'accountId', 'invoiceId']);
  readonly debitMemoItems = new Table<Item>('DebitMemoItem', ['documentId']);
  readonly debitTaxationItems = new Table<TaxItem>('DebitTaxationItem', ['itemId']);
  readonly payments = new Table<Payment>('Payment', ['number', 'accountId']);
  readonly paymentApplications = new Table<Application>('PaymentApplication', ['sourceId', 'accountId', 'invoiceId', 'debitMemoId']);
  readonly creditMemoApplications = new Table<Application>('CreditMemoApplication', ['sourceId', 'accountId', 'invoiceId', 'debitMemoId']);
  readonly parts = new Table<Part>('Part', ['sourceId', 'invoiceId', 'debitMemoId']);
  readonly refunds = new Table<Refund>('Refund', ['number', 'accountId']);
  readonly refundApplications = new Table<RefundApplication>('RefundApplication', ['refundId', 'paymentId', 'creditMemoId', 'accountId']);
  readonly journalRuns = new Table<JournalRun>('JournalRun', ['number']);
  readonly journalEntries = new Table<JournalEntry>('JournalEntry', ['number', 'journalRunId']);

  /** Told of every change of a row, for custom event triggers. */
  watcher: Watcher | undefined;
  /** Told of every standard event. */
  announcer: ((event: StandardEvent, subject: EventSubject) => void) | undefined;
  /** While initial records are loaded nobody is called out. */
  quiet = false;
  /** Operations the API user's role may not use; `*` for any run of characters. */
  denied: readonly string[] = [];
  #nextId = 1;
  #lastNow = { atMs: -1, text: '' };
  #numbers: Partial<Record<Counter, number>> = {};

  constructor(world: SimulatedWorld, settings: TenantSettings) {
    this.world = world;
    this.settings = settings;
    this.features = usualFeatures;
    this.limits = usualLimits(settings.region);
    this.addProfile('Default Profile');
  }

  tables(): readonly Table<Row>[] {
    return [
      this.accounts,
      this.contacts,
      this.profiles,
      this.accountingCodes,
      this.paymentMethods,
      this.invoices,
      this.invoiceItems,
      this.taxationItems,
      this.creditMemos,
      this.creditMemoItems,
      this.creditTaxationItems,
      this.debitMemos,
      this.debitMemoItems,
      this.debitTaxationItems,
      this.payments,
      this.paymentApplications,
      this.creditMemoApplications,
      this.parts,
      this.refunds,
      this.refundApplications,
      this.journalRuns,
      this.journalEntries,
    ];
  }

  /** 32 hex characters: a running part, so that no two are equal whatever the random source, and a random part. */
  newId(): string {
    const running = this.#nextId.toString(16).padStart(8, '0');
    this.#nextId += 1;
    return `8ad0${running}${this.randomHex(20)}`;
  }

  randomHex(length: number): string {
    let text = '';
    while (text.length < length) {
      text += Math.floor(this.world.random.next() * 0x1_0000_0000)
        .toString(16)
        .padStart(8, '0');
    }
    return text.slice(0, length);
  }

  now(): string {
    const now = this.world.clock.now();
    const atMs = now.getTime();
    // Thousands of rows share an instant while records are loaded.
    if (atMs !== this.#lastNow.atMs) this.#lastNow = { atMs, text: instantText(now) };
    return this.#lastNow.text;
  }

  today(): string {
    return localDate(this.now(), this.settings.zone);
  }

  stamp(id?: string): Row {
    const now = this.now();
    return { id: id ?? this.newId(), createdAt: now, updatedAt: now };
  }

  save<T extends Row>(table: Table<T>, row: T): T {
    const before = table.get(row.id);
    table.put(row);
    if (!this.quiet) this.watcher?.(table.object, before, row);
    return row;
  }

  change<T extends Row>(table: Table<T>, row: T, changes: Partial<T>): T {
    return this.save(table, { ...row, ...changes, updatedAt: this.now() });
  }

  announce(event: StandardEvent, subject: EventSubject): void {
    if (!this.quiet) this.announcer?.(event, subject);
  }

  nextNumber(counter: Counter): string {
    const next = (this.#numbers[counter] ?? 0) + 1;
    this.#numbers[counter] = next;
    return prefixes[counter] + String(next).padStart(8, '0');
  }

  /** The number that was asked for, or the next free one. */
  numberFor(counter: Counter, table: Table<Row>, wanted: string | undefined): string {
    if (wanted !== undefined) {
      if (table.by('number', wanted).length > 0) throw new ControlError(`${table.object} ${wanted} exists already`);
      return wanted;
    }
    for (;;) {
      const number = this.nextNumber(counter);
      if (table.by('number', number).length === 0) return number;
    }
  }

  find<T extends Row>(table: Table<T>, key: string): T | undefined {
    return table.get(key) ?? (table.isIndexed('number') ? table.by('number', key)[0] : undefined);
  }

  /** For control actions: by id or number, or a refusal that names what is missing. */
  need<T extends Row>(table: Table<T>, key: string): T {
    const row = this.find(table, key);
    if (!row) throw new ControlError(`no ${table.object} ${key}`);
    return row;
  }

  addProfile(name: string, number?: string, id?: string): CommunicationProfile {
    return this.profiles.put({ ...this.stamp(id), name, number: number ?? this.nextNumber('profile') });
  }

  defaultProfile(): CommunicationProfile {
    return this.profiles.by('name', 'Default Profile')[0] ?? this.addProfile('Default Profile');
  }

  snapshot(): TenantSnapshot {
    return {
      nextId: this.#nextId,
      numbers: this.#numbers,
      features: this.features,
      limits: this.limits,
      denied: this.denied,
      tables: Object.fromEntries(this.tables().map((table) => [table.object, table.all()])),
    };
  }

  restore(snapshot: TenantSnapshot): void {
    this.#nextId = snapshot.nextId;
    this.#numbers = { ...snapshot.numbers };
    this.features = { ...snapshot.features };
    this.limits = { ...snapshot.limits };
    this.denied = [...snapshot.denied];
    for (const table of this.tables()) table.replaceAll(snapshot.tables[table.object] ?? []);
  }
}

export interface TenantSnapshot {
  readonly nextId: number;
  readonly numbers: Partial<Record<Counter, number>>;
  readonly features: Features;
  readonly limits: Limits;
  readonly denied: readonly string[];
  readonly tables: Readonly<Record<string, readonly Row[]>>;
}
