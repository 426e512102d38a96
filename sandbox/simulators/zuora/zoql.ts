import type { Hono } from 'hono';
import * as z from 'zod';
import { compare, isDecimal } from '../../../lib/values/decimal.ts';
import { jsonNumber } from '../../../lib/values/json.ts';
import { json } from './gateway.ts';
import { accountBalance } from './query-objects/accounts.ts';
import type { Tenant } from './tenant.ts';
import { parseInstant, zoqlTime } from './tenant-time.ts';
import { readJson } from './v1-documents.ts';

const locatorMs = 15 * 60_000;

interface Cell {
  readonly kind: 'text' | 'amount' | 'instant';
  readonly value: string | null;
}
type Cells = Readonly<Record<string, Cell>>;

const text = (value: string | null): Cell => ({ kind: 'text', value });
const amount = (value: string): Cell => ({ kind: 'amount', value });
const instant = (value: string): Cell => ({ kind: 'instant', value });

class Fault extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Objects of the old query language, PascalCase. It knows nothing of Invoice Settlement, and InvoicePayment only without it. */
function recordsOf(tenant: Tenant, object: string): Cells[] {
  if (object === 'Account')
    return tenant.accounts.all().map((row) => ({
      Id: text(row.id),
      AccountNumber: text(row.number),
      Name: text(row.name),
      Status: text(row.status),
      Currency: text(row.currency),
      Batch: text(row.batch),
      PaymentTerm: text(row.paymentTerm),
      ParentId: text(row.parentId),
      BillToId: text(row.billToId),
      SoldToId: text(row.soldToId),
      CommunicationProfileId: text(row.communicationProfileId),
      Balance: amount(accountBalance(row)),
      CreatedDate: instant(row.createdAt),
      UpdatedDate: instant(row.updatedAt),
      ...Object.fromEntries(Object.entries(row.custom).map(([name, value]) => [name, text(value)])),
    }));
  if (object === 'InvoicePayment' && !tenant.features.invoiceSettlement)
    return tenant.paymentApplications.all().map((row) => ({
      Id: text(row.id),
      PaymentId: text(row.sourceId),
      InvoiceId: text(row.invoiceId),
      Amount: amount(row.amount),
      RefundAmount: amount(row.refundAmount),
      CreatedDate: instant(row.createdAt),
      UpdatedDate: instant(row.updatedAt),
    }));
  if (object === 'Invoice')
    return tenant.invoices.all().map((row) => ({
      Id: text(row.id),
      AccountId: text(row.accountId),
      InvoiceNumber: text(row.number),
      Status: text(row.status),
      Amount: amount(row.amount),
      Balance: amount(row.balance),
      InvoiceDate: text(row.date),
      DueDate: text(row.dueDate),
      CreatedDate: instant(row.createdAt),
      UpdatedDate: instant(row.updatedAt),
    }));
  if (object === 'Payment')
    return tenant.payments.all().map((row) => ({
      Id: text(row.id),
      AccountId: text(row.accountId),
      PaymentNumber: text(row.number),
      Status: text(row.status),
      Type: text(row.type),
      Amount: amount(row.amount),
      EffectiveDate: text(row.effectiveDate),
      Gateway: text(row.gateway),
      CreatedDate: instant(row.createdAt),
      UpdatedDate: instant(row.updatedAt),
    }));
  throw new Fault('INVALID_TYPE', `invalid type: ${object}`);
}

const fieldsWhenEmpty: Readonly<Record<string, readonly string[]>> = {
  InvoicePayment: ['Id', 'PaymentId', 'InvoiceId', 'Amount', 'RefundAmount', 'CreatedDate', 'UpdatedDate'],
};

const queryBody = z.looseObject({
  queryString: z.string(),
  conf: z.looseObject({ batchSize: z.number().int().min(1).max(2000).optional() }).optional(),
});
const moreBody = z.looseObject({ queryLocator: z.string() });

interface Locator {
  readonly records: readonly Record<string, unknown>[];
  readonly size: number;
  readonly at: number;
  readonly expiresMs: number;
}

export function zoqlRoutes(app: Hono, tenant: Tenant): void {
  const locators = new Map<string, Locator>();

  function batch(records: readonly Record<string, unknown>[], size: number, at: number): Response {
    const rows = records.slice(at, at + size);
    const next = at + size;
    if (next >= records.length) return json({ records: rows, size: records.length, done: true });
    const locator = `${tenant.randomHex(32)}-${next}`;
    const expiresMs = tenant.world.clock.now().getTime() + locatorMs;
    locators.set(locator, { records, size, at: next, expiresMs });
    return json({ records: rows, size: records.length, queryLocator: locator, done: false });
  }

  const answered = async (work: () => Promise<Response>): Promise<Response> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Fault) return json({ FaultCode: error.code, FaultMessage: error.message }, 400);
      throw error;
    }
  };

  app.post('/v1/action/query', (context) =>
    answered(async () => {
      const body = queryBody.safeParse(readJson(await context.req.text()));
      if (!body.success) throw new Fault('MALFORMED_QUERY', z.prettifyError(body.error));
      return batch(runQuery(tenant, body.data.queryString), body.data.conf?.batchSize ?? 2000, 0);
    }),
  );
  app.post('/v1/action/queryMore', (context) =>
    answered(async () => {
      const body = moreBody.safeParse(readJson(await context.req.text()));
      const locator = body.success ? locators.get(body.data.queryLocator) : undefined;
      if (!locator || tenant.world.clock.now().getTime() > locator.expiresMs)
        throw new Fault('INVALID_QUERY_LOCATOR', 'invalid query locator');
      return batch(locator.records, locator.size, locator.at);
    }),
  );
}

function runQuery(tenant: Tenant, query: string): Record<string, unknown>[] {
  const parts = /^\s*select\s+([\w\s,]+?)\s+from\s+(\w+)(?:\s+where\s+([\s\S]+?))?\s*;?\s*$/i.exec(query);
  if (!parts) throw new Fault('MALFORMED_QUERY', 'You have an error in your ZOQL syntax');
  const [, columnText = '', object = '', where] = parts;
  if (/\border\s+by\b|\bin\s*\(|[()*]/i.test(where ?? ''))
    throw new Fault('MALFORMED_QUERY', 'ORDER BY, IN, parentheses and * are not supported');
  const rows = recordsOf(tenant, object);
  const first = rows[0];
  const known = first ? Object.keys(first) : fieldsWhenEmpty[object];
  const fieldOf = (name: string): string => {
    if (known === undefined) return name;
    const field = known.find((other) => other.toLowerCase() === name.toLowerCase());
    if (field === undefined) throw new Fault('INVALID_FIELD', `invalid field for query: ${object}.${name}`);
    return field;
  };
  const columns = columnText.split(',').map((name) => fieldOf(name.trim()));
  // OR of ANDs, as the language reads conditions from left to right without parentheses.
  const groups =
    where === undefined ? [] : where.split(/\s+or\s+/i).map((group) => group.split(/\s+and\s+/i).map((one) => readTest(one, fieldOf)));
  const found = rows.filter((row) => groups.length === 0 || groups.some((group) => group.every((test) => test(row))));
  return found.map((row) => {
    const record: Record<string, unknown> = {};
    for (const column of columns) {
      const cell = row[column];
      if (cell === undefined || cell.value === null) continue;
      record[column] =
        cell.kind === 'amount' ? jsonNumber(cell.value) : cell.kind === 'instant' ? zoqlTime(cell.value, tenant.settings.zone) : cell.value;
    }
    return record;
  });
}

function readTest(one: string, fieldOf: (name: string) => string): (row: Cells) => boolean {
  const parts = /^\s*(\w+)\s*(!=|<>|>=|<=|=|>|<|\blike\b)\s*(?:'((?:[^'\\]|\\.)*)'|([\w.+-]+))\s*$/i.exec(one);
  if (!parts) throw new Fault('MALFORMED_QUERY', `You have an error in your ZOQL syntax near '${one.trim()}'`);
  const [, name = '', operator = '', quoted, bare] = parts;
  const field = fieldOf(name);
  const wanted = quoted === undefined ? (bare?.toLowerCase() === 'null' ? null : (bare ?? '')) : quoted.replace(/\\(.)/g, '$1');
  if (operator.toLowerCase() === 'like') {
    const pattern = wanted ?? '';
    if (!/^%?[^%]*%?$/.test(pattern) || (pattern.startsWith('%') && pattern.endsWith('%')))
      throw new Fault('MALFORMED_QUERY', 'LIKE takes one % at the start or at the end');
    const plain = pattern.replaceAll('%', '');
    return (row) => {
      const value = row[field]?.value ?? '';
      return pattern.startsWith('%') ? value.endsWith(plain) : pattern.endsWith('%') ? value.startsWith(plain) : value === plain;
    };
  }
  return (row) => {
    const cell = row[field] ?? text(null);
    if (wanted === null || cell.value === null) {
      const same = cell.value === wanted;
      return operator === '=' ? same : operator === '!=' || operator === '<>' ? !same : false;
    }
    const order = compareCell(cell, wanted, field);
    if (operator === '=') return order === 0;
    if (operator === '!=' || operator === '<>') return order !== 0;
    if (operator === '>') return order > 0;
    if (operator === '<') return order < 0;
    return operator === '>=' ? order >= 0 : order <= 0;
  };
}

function compareCell(cell: Cell, wanted: string, field: string): number {
  const value = cell.value ?? '';
  if (cell.kind === 'amount') {
    if (!isDecimal(wanted)) throw new Fault('INVALID_VALUE', `${field}: '${wanted}' is not a number`);
    return compare(value, wanted);
  }
  if (cell.kind === 'instant') {
    const at = parseInstant(wanted);
    if (at === undefined) throw new Fault('INVALID_VALUE', `${field}: '${wanted}' is not a date-time`);
    return Date.parse(value) - Date.parse(at);
  }
  return value < wanted ? -1 : value > wanted ? 1 : 0;
}
