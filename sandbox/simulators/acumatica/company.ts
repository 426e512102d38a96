import { type Decimal, round } from '../../../lib/values/decimal.ts';
import type { SimulatedWorld } from '../kit.ts';
import { codeOf } from './document-types.ts';
import {
  type AcumaticaOptions,
  defaultLicence,
  defaultPreferences,
  type Installation,
  installationOf,
  Licence,
  Numbering,
  Preferences,
} from './options.ts';
import { type Document, type Row, text } from './rows.ts';
import { Store } from './store.ts';

export interface Terms {
  id: string;
  dueDays: number;
  discountPercent: Decimal;
  discountDays: number;
}

interface Rate {
  currency: string;
  effectiveDate: string;
  /** Base currency per unit. */
  rate: Decimal;
}

export interface Period {
  /** `MMYYYY` */
  id: string;
  startDate: string;
  endDate: string;
  status: 'Open' | 'Closed' | 'Inactive' | 'Locked';
  closedInAR: boolean;
}

export interface Branch {
  id: string;
  name: string;
  active: boolean;
}

interface Sequence {
  prefix: string;
  digits: number;
  next: number;
}

export type ReferenceEntity =
  | 'Account'
  | 'Subaccount'
  | 'Ledger'
  | 'Currency'
  | 'PaymentMethod'
  | 'CustomerClass'
  | 'TaxCategory'
  | 'TaxZone'
  | 'Tax';

/** The key field of every reference entity. */
export const referenceKeys: Readonly<Record<ReferenceEntity, string>> = {
  Account: 'AccountCD',
  Subaccount: 'SubaccountCD',
  Ledger: 'LedgerID',
  Currency: 'CurrencyID',
  PaymentMethod: 'PaymentMethodID',
  CustomerClass: 'ClassID',
  TaxCategory: 'TaxCategoryID',
  TaxZone: 'TaxZoneID',
  Tax: 'TaxID',
};

const defaultSequences: Readonly<Record<string, Sequence>> = {
  Customer: { prefix: 'C', digits: 7, next: 1001 },
  Invoice: { prefix: 'AR', digits: 6, next: 4701 },
  'Debit Memo': { prefix: 'DM', digits: 6, next: 1 },
  'Credit Memo': { prefix: 'CM', digits: 6, next: 11 },
  Payment: { prefix: '', digits: 6, next: 1501 },
  'Batch GL': { prefix: '', digits: 8, next: 4501 },
  'Batch AR': { prefix: '', digits: 8, next: 9001 },
};

/** Everything a tenant holds. All of it is plain data, so that a snapshot is its JSON. */
export interface CompanyState {
  companyId: string;
  companyName: string;
  baseCurrency: string;
  branches: Branch[];
  terms: Terms[];
  rates: Rate[];
  periods: Period[];
  sequences: Record<string, Sequence>;
  manual: string[];
  nextAccountId: number;
  preferences: Preferences;
  licence: Licence;
  /** Accounts that releases use when a document does not name one. */
  accounts: { receivable: string; sales: string; cashDiscount: string; writeOff: string; exchangeGain: string };
}

/** One tenant: its records, its setup, and the few questions every form asks of them. */
export class Company {
  readonly world: SimulatedWorld;
  installation: Installation;
  state: CompanyState;
  readonly customers = new Store<Row>({ keyOf: (row) => text(row, 'CustomerID'), indexed: ['AccountRef', 'CustomerName'] });
  readonly invoices = new Store<Document>({
    keyOf: (row) => `${codeOf(text(row, 'Type'))}|${text(row, 'ReferenceNbr')}`,
    indexed: ['CustomerOrder', 'ReferenceNbr', 'Customer'],
  });
  readonly payments = new Store<Document>({
    keyOf: (row) => `${codeOf(text(row, 'Type'))}|${text(row, 'ReferenceNbr')}`,
    indexed: ['PaymentRef', 'ReferenceNbr', 'CustomerID'],
  });
  readonly batches = new Store<Document>({
    keyOf: (row) => `${text(row, 'Module')}|${text(row, 'BatchNbr')}`,
    indexed: ['BatchNbr'],
  });
  readonly references: Readonly<Record<ReferenceEntity, Store<Row>>>;

  constructor(world: SimulatedWorld, options: AcumaticaOptions) {
    this.world = world;
    this.installation = installationOf(options);
    this.references = Object.fromEntries(
      Object.entries(referenceKeys).map(([entity, key]) => [entity, new Store<Row>({ keyOf: (row) => text(row, key) })]),
    ) as Record<ReferenceEntity, Store<Row>>;
    this.state = {
      companyId: this.installation.tenant,
      companyName: this.installation.tenant,
      baseCurrency: 'USD',
      branches: [{ id: 'MAIN', name: 'Main Branch', active: true }],
      terms: [],
      rates: [],
      periods: [],
      sequences: structuredClone(defaultSequences),
      manual: [],
      nextAccountId: 7001,
      preferences: Preferences.parse({ ...defaultPreferences, ...options.preferences }),
      licence: Licence.parse({ ...defaultLicence, ...options.licence }),
      accounts: { receivable: '11000', sales: '40000', cashDiscount: '41000', writeOff: '66100', exchangeGain: '71000' },
    };
    this.setNumbering(Numbering.parse(options.numbering ?? {}));
  }

  get preferences(): Preferences {
    return this.state.preferences;
  }

  now(): string {
    return this.world.clock.now().toISOString();
  }

  /** The business date of a request without `PX-CbApiBusinessDate`. */
  today(): string {
    return this.now().slice(0, 10);
  }

  newId(): string {
    const hex = (digits: number) =>
      Math.floor(this.world.random.next() * 16 ** digits)
        .toString(16)
        .padStart(digits, '0');
    return `${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(8)}${hex(4)}`;
  }

  setNumbering(numbering: Numbering): void {
    for (const [name, rule] of Object.entries(numbering)) {
      if (!rule) continue;
      const names = name === 'JournalTransaction' ? ['Batch GL'] : [name];
      for (const sequenceName of names) {
        const sequence = this.state.sequences[sequenceName];
        if (!sequence) continue;
        if (rule.prefix !== undefined) sequence.prefix = rule.prefix;
        if (rule.digits !== undefined) sequence.digits = rule.digits;
        if (rule.next !== undefined) sequence.next = rule.next;
      }
      this.state.manual = this.state.manual.filter((other) => other !== name);
      if (rule.mode === 'manual') this.state.manual.push(name);
    }
  }

  isManual(sequence: string): boolean {
    return this.state.manual.includes(sequence);
  }

  /** The next number that `taken` does not know yet. */
  nextNumber(sequenceName: string, taken: (number: string) => boolean): string {
    const sequence = this.state.sequences[sequenceName];
    if (!sequence) throw new RangeError(`no numbering sequence ${sequenceName}`);
    for (;;) {
      const number = `${sequence.prefix}${String(sequence.next).padStart(sequence.digits, '0')}`;
      sequence.next += 1;
      if (!taken(number)) return number;
    }
  }

  /** A record of reference data by its human key. */
  find(entity: ReferenceEntity, key: string): Row | undefined {
    return key === '' ? undefined : this.references[entity].get(key.trim());
  }

  precisionOf(currency: string): number {
    const places = this.find('Currency', currency)?.fields['DecimalPrecision'];
    return typeof places === 'number' ? places : 2;
  }

  inCurrency(value: Decimal, currency: string): Decimal {
    return round(value, this.precisionOf(currency));
  }

  /** The rate in force on a day; undefined when none is effective yet. */
  rateOn(currency: string, date: string): Decimal | undefined {
    if (currency === this.state.baseCurrency) return '1';
    let best: Rate | undefined;
    for (const rate of this.state.rates)
      if (rate.currency === currency && rate.effectiveDate <= date && (!best || rate.effectiveDate > best.effectiveDate)) best = rate;
    return best?.rate;
  }

  periodOf(date: string): Period | undefined {
    return this.state.periods.find((period) => period.startDate <= date && date <= period.endDate);
  }

  period(id: string): Period | undefined {
    return this.state.periods.find((period) => period.id === id);
  }

  termsOf(id: string): Terms | undefined {
    return this.state.terms.find((terms) => terms.id.toUpperCase() === id.trim().toUpperCase());
  }

  branch(id: string): Branch | undefined {
    return this.state.branches.find((branch) => branch.id.toUpperCase() === id.trim().toUpperCase());
  }

  defaultBranch(): string {
    return this.state.branches[0]?.id ?? 'MAIN';
  }

  actualLedger(): string {
    return text(this.references.Ledger.all().find((ledger) => text(ledger, 'Type') === 'Actual') ?? { id: '', fields: {} }, 'LedgerID');
  }

  snapshot(): unknown {
    return {
      state: this.state,
      customers: this.customers.snapshot(),
      invoices: this.invoices.snapshot(),
      payments: this.payments.snapshot(),
      batches: this.batches.snapshot(),
      references: Object.fromEntries(Object.entries(this.references).map(([entity, store]) => [entity, store.snapshot()])),
    };
  }

  /** Takes back what `snapshot` gave, before or after a trip through JSON. */
  restore(snapshot: unknown): void {
    const copy = structuredClone(snapshot) as {
      state: CompanyState;
      customers: Row[];
      invoices: Document[];
      payments: Document[];
      batches: Document[];
      references: Record<ReferenceEntity, Row[]>;
    };
    this.state = copy.state;
    this.customers.restore(copy.customers);
    this.invoices.restore(copy.invoices);
    this.payments.restore(copy.payments);
    this.batches.restore(copy.batches);
    for (const [entity, store] of Object.entries(this.references)) store.restore(copy.references[entity as ReferenceEntity]);
  }
}

/** `MMYYYY` as it sorts. */
export function periodOrder(id: string): string {
  return id.slice(2) + id.slice(0, 2);
}

/** `012026` as error texts show it. */
export function shownPeriod(id: string): string {
  return `${id.slice(0, 2)}-${id.slice(2)}`;
}

/** `01-2026`, `012026` or `2026-01`... only digits count; undefined when it is no period. */
export function parsePeriod(written: string): string | undefined {
  const digits = written.replace(/\D/g, '');
  return digits.length === 6 ? digits : undefined;
}
