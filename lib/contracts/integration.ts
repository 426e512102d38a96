import type * as z from 'zod';
import type { Json } from '../values/json.ts';
import type { Money } from '../values/money.ts';
import type { Side } from '../values/record-ref.ts';
import type { Flow, FlowContext } from './flow.ts';
import type { Link } from './link.ts';
import type { CheckResult, Vendor, VendorKey } from './vendor.ts';

/** A table of the settings that operators edit in place: a change takes effect at once and releases the holds it fixes. */
export interface MappingTable {
  /** Path of the setting: `accountMap`, `methods`, `terms`. */
  readonly name: string;
  /** `rows`: a list whose rows are replaced by key; `entries`: an object of texts. */
  readonly shape: 'rows' | 'entries';
  /** Members that together name a row. */
  readonly key: readonly string[];
  /** Holds whose cause starts with one of these are released when the table changes. */
  readonly releases: readonly string[];
}

/** A hold that may resolve by itself: it is looked at again this often. */
export interface AutoRelease {
  readonly causePrefix: string;
  readonly everyMinutes: number;
}

/** One line of a report: two numbers that should agree, and everything that explains why they do not. */
export interface ReportLine {
  /** `R1`, `R2`. */
  readonly section: string;
  readonly label: string;
  readonly a: Money | number;
  readonly b: Money | number;
  readonly difference: string;
  readonly causes: readonly { readonly cause: string; readonly amount: string; readonly records: readonly string[] }[];
  readonly result: 'tied' | 'explained' | 'open';
}

export interface ReportResult {
  readonly key: string;
  readonly title: string;
  readonly period?: string;
  readonly result: 'tied' | 'explained' | 'open';
  readonly lines: readonly ReportLine[];
  readonly notes: readonly string[];
}

/** A report reads both systems and the links and writes nothing. */
export interface Report<Context> {
  readonly id: string;
  readonly summary: string;
  /** Five-field cron in UTC. */
  readonly schedule: string;
  run(context: Context, input: { readonly period?: string; links(flow: string): AsyncIterable<Link> }): Promise<ReportResult>;
}

/** What an integration is given to build its context. */
export interface IntegrationDeps<Settings, A, B> {
  readonly base: FlowContext;
  readonly settings: Settings;
  readonly a: A;
  readonly b: B;
}

/** Two vendors, introduced. Everything the engine, the CLI and the documents know about a pair is printed from this object. */
export interface Integration<Settings = unknown, A = unknown, B = unknown, Context extends FlowContext = FlowContext> {
  /** `acumatica-zuora` */
  readonly key: string;
  readonly title: string;
  readonly sides: { readonly a: Vendor<unknown, A>; readonly b: Vendor<unknown, B> };
  readonly settings: z.ZodType<Settings>;
  readonly tables: readonly MappingTable[];
  readonly autoRelease: readonly AutoRelease[];
  readonly flows: readonly Flow<Context>[];
  readonly reports: readonly Report<Context>[];
  context(deps: IntegrationDeps<Settings, A, B>): Context;
  /** Flow ids switched off by these settings, with the reason shown. */
  flowsOff(settings: Settings): Readonly<Record<string, string>>;
  /** Settings that fit the schema and still cannot work together; each with path, reason and fix. */
  contradictions(settings: Settings): readonly { readonly path: string; readonly reason: string; readonly fix: string }[];
  /** Prerequisites of the pair beyond each vendor's own `check`. `environment`: the kind of tenants the configuration says these are. */
  check(context: Context, about: { readonly environment: 'production' | 'sandbox' }): Promise<readonly CheckResult[]>;
  /** Reads reference data afresh; the returned alignment report is kept for `status`. Runs daily and before mapping holds are decided. */
  readonly reference?: { readonly everyMinutes: number; refresh(context: Context): Promise<Json> };
  /** Registers webhooks at the vendor where its API allows it; else answers the instructions a person follows. */
  register?(context: Context, side: Side, url: string): Promise<readonly string[]>;
}

export type VendorCatalog = Readonly<Partial<Record<VendorKey, Vendor>>>;
export interface Catalog {
  readonly vendors: VendorCatalog;
  readonly integrations: readonly Integration[];
}
