import { isDecimal } from '../../values/decimal.ts';
import { jsonNumber } from '../../values/json.ts';

/**
 * Between plain records and Acumatica's JSON, where every field travels as `{"value": …}`, an empty one as `{}`, and linked objects and
 * detail rows are bare. Wrapping those two levels, or leaving a field unwrapped, is answered with 400 or silently ignored.
 * Source: Integration Development Guide, "Representation of a Record in JSON Format" and "Custom Fields" (2026 R1, read 2026-11-20).
 */

/** A number to be sent digit for digit. */
export interface Amount {
  readonly decimal: string;
}

export function amount(decimal: string): Amount {
  if (!isDecimal(decimal)) throw new RangeError(`not a decimal number: ${JSON.stringify(decimal)}`);
  return { decimal };
}

export type WritableValue = string | boolean | Amount | null;

/** `{ Document: { CuryID: 'EUR' } }`: form fields outside the contract, by view. */
export type WritableCustom = Readonly<Record<string, Readonly<Record<string, WritableValue | undefined>>>>;

/**
 * A record to write. `null` clears a field, `undefined` leaves it out. `id` names an existing record or detail row (a detail row without it is
 * appended), `delete: true` removes a detail row. Business dates are written `YYYY-MM-DD`.
 */
export interface WritableRecord {
  readonly id?: string | undefined;
  readonly delete?: boolean | undefined;
  readonly custom?: WritableCustom | undefined;
  readonly [field: string]: WritableValue | WritableRecord | readonly WritableRecord[] | WritableCustom | undefined;
}

/** Custom fields whose type does not show in the value. Others are typed by what is written. */
const customTypes: Readonly<Record<string, string>> = {
  DRTermStartDate: 'CustomDateTimeField',
  DRTermEndDate: 'CustomDateTimeField',
  DiscDate: 'CustomDateTimeField',
  DocDate: 'CustomDateTimeField',
  CuryEffDate: 'CustomDateTimeField',
  SampleCuryRate: 'CustomDecimalField',
  SampleRecipRate: 'CustomDecimalField',
  CuryControlTotal: 'CustomDecimalField',
  DontPrint: 'CustomBooleanField',
  DontEmail: 'CustomBooleanField',
};

/** Fields of type DateTimeValue that we write. A date is sent as midnight without offset: an offset may move the day. */
const dateFields: ReadonlySet<string> = new Set([
  'Date',
  'DueDate',
  'ApplicationDate',
  'TransactionDate',
  'PaymentDate',
  ...Object.keys(customTypes).filter((name) => customTypes[name] === 'CustomDateTimeField'),
]);

const isAmount = (part: object): part is Amount => 'decimal' in part && typeof part.decimal === 'string' && Object.keys(part).length === 1;

/** The JSON body of a record. Values come first and detail rows last, because header fields give rows their defaults. */
export function wrap(record: WritableRecord): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  const linked: Record<string, unknown> = {};
  const details: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(record)) {
    if (part === undefined) continue;
    if (name === 'id' || name === 'delete') values[name] = part;
    else if (name === 'custom') linked[name] = wrapCustom(part as WritableCustom);
    else if (Array.isArray(part)) details[name] = part.map((row: WritableRecord) => wrap(row));
    else if (part === null || typeof part !== 'object' || isAmount(part)) values[name] = { value: bare(name, part as WritableValue) };
    else linked[name] = wrap(part as WritableRecord);
  }
  return { ...values, ...linked, ...details };
}

function wrapCustom(custom: WritableCustom): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(custom).map(([view, fields]) => [
      view,
      Object.fromEntries(
        Object.entries(fields).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, { type: customType(name, value), value: bare(name, value) }]],
        ),
      ),
    ]),
  );
}

function customType(name: string, value: WritableValue): string {
  const known = customTypes[name];
  if (known) return known;
  if (typeof value === 'boolean') return 'CustomBooleanField';
  return value !== null && typeof value === 'object' ? 'CustomDecimalField' : 'CustomStringField';
}

function bare(name: string, value: WritableValue): unknown {
  if (value !== null && typeof value === 'object') return jsonNumber(amount(value.decimal).decimal);
  if (typeof value === 'string' && dateFields.has(name) && /^\d{4}-\d{2}-\d{2}$/.test(value)) return `${value}T00:00:00`;
  return value;
}

/** An unwrapped record: numbers as their own text, empty fields absent. */
export interface Unwrapped {
  readonly [member: string]: string | boolean | Unwrapped | readonly Unwrapped[];
}

/** System members we have no use for. `note` is wrapped like a field and read by nobody. */
const dropped: ReadonlySet<string> = new Set(['rowNumber', '_links', 'files', 'note', 'error', 'delete']);

/** The plain record in an answer; members that are neither field, linked object nor detail rows are left out. */
export function unwrap(answer: unknown): Unwrapped {
  const record: Record<string, string | boolean | Unwrapped | readonly Unwrapped[]> = {};
  for (const [name, part] of members(answer)) {
    if (dropped.has(name)) continue;
    if (name === 'id') {
      if (typeof part === 'string') record[name] = part;
    } else if (name === 'custom') {
      const custom = unwrapCustom(part);
      if (Object.keys(custom).length > 0) record[name] = custom;
    } else if (Array.isArray(part)) {
      record[name] = part.map(unwrap);
    } else if (isField(part)) {
      const value = plain(part['value']);
      if (value !== undefined) record[name] = value;
    } else if (part !== null && typeof part === 'object') {
      record[name] = unwrap(part);
    }
  }
  return record;
}

function unwrapCustom(custom: unknown): Unwrapped {
  const views = members(custom).map(([view, fields]) => {
    const values = members(fields).flatMap(([name, field]) => {
      const value = isField(field) ? plain(field['value']) : undefined;
      return value === undefined ? [] : [[name, value] as const];
    });
    return [view, Object.fromEntries(values)] as const;
  });
  return Object.fromEntries(views.filter(([, values]) => Object.keys(values).length > 0));
}

/** `{}`, `{"value": …}`, `{"value": …, "error": …}`, `{"type": …, "value": …}`: a field. Anything else is a linked object. */
function isField(part: unknown): part is Readonly<Record<string, unknown>> {
  return (
    part !== null && typeof part === 'object' && Object.keys(part).every((name) => name === 'value' || name === 'error' || name === 'type')
  );
}

function plain(value: unknown): string | boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function members(part: unknown): [string, unknown][] {
  return part !== null && typeof part === 'object' && !Array.isArray(part) ? Object.entries(part) : [];
}
