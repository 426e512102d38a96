import { gzipSync } from 'node:zlib';
import type { Hono } from 'hono';
import * as z from 'zod';
import { compare, isDecimal } from '../../../lib/values/decimal.ts';
import { jsonNumber, writeJson } from '../../../lib/values/json.ts';
import { notFound, Refused } from './failures.ts';
import { json } from './gateway.ts';
import type { CalloutDesk } from './notifications/callouts.ts';
import { apiUserId } from './query-objects/define.ts';
import type { Row } from './rows.ts';
import { Table } from './table.ts';
import type { Tenant } from './tenant.ts';
import { offsetTime, parseInstant, parseWallTime } from './tenant-time.ts';
import { readJson } from './v1-documents.ts';

/** A query is accepted at once, worked on after a second and done after five, on the clock of the world. */
const startsMs = 1_000;
const takesMs = 5_000;
const jobsAtOnce = 5;

interface QueryJob extends Row {
  readonly query: string;
  readonly compression: string;
  readonly queryStatus: string;
  readonly startedMs: number;
  readonly outputRows: number;
  readonly lines: string;
  readonly failure: string | null;
}

const jobBody = z.strictObject({
  query: z.string().min(1),
  outputFormat: z.literal('JSON').default('JSON'),
  compression: z.enum(['NONE', 'GZIP']),
  output: z.strictObject({ target: z.literal('S3') }),
  sourceData: z.enum(['LIVE', 'WAREHOUSE']).default('LIVE'),
  readDeleted: z.boolean().optional(),
  useIndexJoin: z.boolean().optional(),
  warehouseSize: z.string().optional(),
});

export class DataQueryDesk {
  readonly jobs = new Table<QueryJob>('QueryJob');
  readonly #tenant: Tenant;
  readonly #callouts: CalloutDesk;

  constructor(tenant: Tenant, callouts: CalloutDesk) {
    this.#tenant = tenant;
    this.#callouts = callouts;
  }

  routes(app: Hono): void {
    app.post('/query/jobs', async (context) => {
      const body = jobBody.safeParse(readJson(await context.req.text()));
      if (!body.success) throw new Refused('20', z.prettifyError(body.error), { status: 400 });
      const running = this.jobs.all().filter((job) => this.#status(job) !== 'completed' && this.#status(job) !== 'failed');
      if (running.length >= jobsAtOnce) throw new Refused('70', 'There are 5 data queries running already', { status: 400 });
      const job = this.jobs.put({
        ...this.#tenant.stamp(),
        query: body.data.query,
        compression: body.data.compression,
        queryStatus: 'accepted',
        startedMs: this.#tenant.world.clock.now().getTime(),
        outputRows: 0,
        lines: '',
        failure: null,
      });
      return json({ data: this.#shown(job, new URL(context.req.url).origin) });
    });
    app.get('/query/jobs/:key', (context) => {
      const job = this.jobs.get(context.req.param('key'));
      if (!job) throw notFound(context.req.param('key'));
      return json({ data: this.#shown(this.#finished(job), new URL(context.req.url).origin) });
    });
  }

  restore(rows: readonly Row[]): void {
    const jobs: Table<Row> = this.jobs;
    jobs.replaceAll(rows);
  }

  /** The pre-signed file: the signature is in the address, a bearer header would be a second one and is refused. */
  download(request: Request): Response {
    const url = new URL(request.url);
    if (request.headers.has('authorization'))
      return new Response('<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>', { status: 400 });
    const id = url.pathname.split('/').at(-1)?.split('.')[0] ?? '';
    const job = this.jobs.get(id);
    if (job?.queryStatus !== 'completed' || url.searchParams.get('X-Amz-Signature') !== id.slice(-16))
      return new Response('<Error><Code>AccessDenied</Code></Error>', { status: 403 });
    if (job.compression === 'NONE') return new Response(job.lines, { headers: { 'content-type': 'application/json' } });
    return new Response(gzipSync(job.lines), { headers: { 'content-type': 'binary/octet-stream' } });
  }

  #status(job: QueryJob): string {
    if (job.queryStatus === 'completed' || job.queryStatus === 'failed') return job.queryStatus;
    const passedMs = this.#tenant.world.clock.now().getTime() - job.startedMs;
    return passedMs >= takesMs ? 'ready' : passedMs >= startsMs ? 'in_progress' : 'accepted';
  }

  #finished(job: QueryJob): QueryJob {
    const status = this.#status(job);
    if (status !== 'ready') return status === job.queryStatus ? job : this.jobs.put({ ...job, queryStatus: status });
    try {
      const rows = runSelect(job.query, (table) => this.#rows(table), this.#tenant.settings.zone);
      const lines = rows.map((row) => `${writeJson(row)}\n`).join('');
      return this.jobs.put({ ...job, queryStatus: 'completed', lines, outputRows: rows.length, updatedAt: this.#tenant.now() });
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      return this.jobs.put({ ...job, queryStatus: 'failed', failure, updatedAt: this.#tenant.now() });
    }
  }

  #shown(job: QueryJob, origin: string) {
    const suffix = job.compression === 'GZIP' ? '.json.gz' : '.json';
    return {
      id: job.id,
      query: job.query,
      useIndexJoin: false,
      sourceData: 'LIVE',
      queryStatus: job.queryStatus,
      ...(job.queryStatus === 'completed'
        ? {
            dataFile: `${origin}/query-results/${job.id}${suffix}?X-Amz-Signature=${job.id.slice(-16)}`,
            outputRows: job.outputRows,
            processingTime: takesMs,
          }
        : {}),
      ...(job.failure === null ? {} : { errorMessage: job.failure }),
      remainingRetries: 3,
      updatedOn: this.#tenant.world.clock.now().toISOString(),
      createdBy: apiUserId,
    };
  }

  /** Tables by their lower-case query name. */
  #rows(table: string): readonly Readonly<Record<string, unknown>>[] | undefined {
    const named = [...this.#tenant.tables(), this.#callouts.history].find((one) => one.object.toLowerCase() === (aliases[table] ?? table));
    return named?.all().map((row) => columnsOf(named.object, row));
  }
}

const aliases: Readonly<Record<string, string>> = { notificationhistorycallout: 'callouthistory' };
const numberColumns: Readonly<Record<string, string>> = {
  Account: 'accountnumber',
  Invoice: 'invoicenumber',
  Payment: 'paymentnumber',
  Refund: 'refundnumber',
  CreditMemo: 'memonumber',
  DebitMemo: 'memonumber',
};

function columnsOf(object: string, row: Row): Readonly<Record<string, unknown>> {
  const columns: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    const column =
      name === 'createdAt'
        ? 'createddate'
        : name === 'updatedAt'
          ? 'updateddate'
          : name === 'number'
            ? (numberColumns[object] ?? 'number')
            : name.toLowerCase();
    if (value !== null && typeof value === 'object') continue;
    columns[column] = value;
  }
  return columns;
}

const shape =
  /^\s*select\s+([\s\S]+?)\s+from\s+([a-z_]+)(?:\s+where\s+([\s\S]+?))?(?:\s+order\s+by\s+([a-z_.]+)(?:\s+(asc|desc))?)?(?:\s+limit\s+(\d+))?\s*;?\s*$/i;
const condition = /^\s*([a-z_.]+)\s*(=|!=|<>|>=|<=|>|<|\bin\b|\blike\b)\s*([\s\S]+?)\s*$/i;

/** One table, AND only: what is needed to list runs, entries and histories. */
function runSelect(
  query: string,
  rowsOf: (table: string) => readonly Readonly<Record<string, unknown>>[] | undefined,
  zone: string,
): Record<string, unknown>[] {
  const parts = shape.exec(query);
  if (!parts) throw new SyntaxError(`line 1:1: mismatched input '${query.slice(0, 20)}'`);
  const [, columnText = '', table = '', where, orderBy, direction, limit] = parts;
  const rows = rowsOf(table.toLowerCase());
  if (!rows) throw new SyntaxError(`Table 'zuora.live.${table.toLowerCase()}' does not exist`);
  const tests = where === undefined ? [] : where.split(/\s+and\s+/i).map((text) => readTest(text, zone));
  let found = rows.filter((row) => tests.every((test) => test(row)));
  if (orderBy !== undefined) {
    const column = plainName(orderBy);
    const sign = direction?.toLowerCase() === 'desc' ? -1 : 1;
    found = found.toSorted((left, right) => sign * compareCells(left[column], right[column]));
  }
  if (limit !== undefined) found = found.slice(0, Number(limit));
  if (/^count\s*\(\s*(\*|1)\s*\)$/i.test(columnText.trim())) return [{ _col0: found.length }];
  if (columnText.trim() === '*')
    return found.map((row) =>
      shownCells(
        row,
        Object.keys(row).map((name) => [name, name]),
        zone,
      ),
    );
  const columns = columnText.split(',').map((text): [string, string] => {
    const [column = '', name] = text.trim().split(/\s+as\s+|\s+/i);
    return [plainName(column), name ?? plainName(column)];
  });
  const first = rows[0];
  const unknown = columns.find(([column]) => first !== undefined && !(column in first));
  if (unknown) throw new SyntaxError(`line 1:8: Column '${unknown[0]}' cannot be resolved`);
  return found.map((row) => shownCells(row, columns, zone));
}

const plainName = (name: string): string => name.toLowerCase().split('.').at(-1) ?? '';

function shownCells(
  row: Readonly<Record<string, unknown>>,
  columns: readonly (readonly [string, string])[],
  zone: string,
): Record<string, unknown> {
  return Object.fromEntries(
    columns.map(([column, name]) => {
      const value = row[column];
      if (typeof value !== 'string') return [name, value ?? null];
      // LIVE data shows times in the tenant's zone.
      if (/^\d{4}-\d{2}-\d{2}T/.test(value)) return [name, offsetTime(value, zone).replace('T', ' ')];
      return [name, isDecimal(value) && /amount|balance/.test(column) ? jsonNumber(value) : value];
    }),
  );
}

function readTest(text: string, zone: string): (row: Readonly<Record<string, unknown>>) => boolean {
  const parts = condition.exec(text);
  if (!parts) throw new SyntaxError(`cannot read condition '${text}'`);
  const [, name = '', operator = '', right = ''] = parts;
  const column = plainName(name);
  if (operator.toLowerCase() === 'in') {
    const values = right
      .replace(/^\(|\)$/g, '')
      .split(',')
      .map((value) => literal(value, zone));
    return (row) => values.some((value) => compareCells(row[column], value) === 0);
  }
  const value = literal(right, zone);
  if (operator.toLowerCase() === 'like') {
    const pattern = String(value)
      .split('%')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*');
    return (row) => new RegExp(`^${pattern}$`).test(String(row[column] ?? ''));
  }
  return (row) => {
    const order = compareCells(row[column], value);
    if (operator === '=') return order === 0;
    if (operator === '!=' || operator === '<>') return order !== 0;
    if (operator === '>') return order > 0;
    if (operator === '<') return order < 0;
    return operator === '>=' ? order >= 0 : order <= 0;
  };
}

/** `'text'`, `12.5`, `true`, `timestamp '2026-03-01 00:00:00'` (tenant zone unless it names one), `date '2026-03-01'`. */
function literal(text: string, zone: string): string {
  const parts = /^\s*(timestamp|date)?\s*(?:'((?:[^']|'')*)'|([\w.+-]+))\s*$/i.exec(text);
  if (!parts) throw new SyntaxError(`cannot read literal '${text}'`);
  const value = parts[2]?.replaceAll("''", "'") ?? parts[3] ?? '';
  if (parts[1]?.toLowerCase() !== 'timestamp') return value;
  const cut = value.replace(/\.\d+/, '');
  const instant = parseInstant(cut.replace(/ UTC$/, 'Z').replace(' ', 'T')) ?? parseWallTime(cut, zone);
  if (instant === undefined) throw new SyntaxError(`'${value}' is not a valid timestamp literal`);
  return instant;
}

function compareCells(left: unknown, right: unknown): number {
  const [one, two] = [String(left ?? ''), String(right ?? '')];
  if (isDecimal(one) && isDecimal(two)) return compare(one, two);
  if (/^\d{4}-\d{2}-\d{2}T/.test(one) && /^\d{4}-\d{2}-\d{2}T/.test(two)) return Date.parse(one) - Date.parse(two);
  return one < two ? -1 : one > two ? 1 : 0;
}
