import { isCalendarDate } from '../../../lib/values/calendar-date.ts';
import { decimal } from '../../../lib/values/decimal.ts';
import { parseJson } from '../../../lib/values/json.ts';
import { type Entity, entityOf, type ScalarField } from './contract.ts';
import { badRequest } from './refusals.ts';
import type { Cell } from './rows.ts';

/** What a request body says about one record, row or linked object. Unknown members are gone: the vendor ignores them silently. */
export interface Input {
  id?: string;
  delete: boolean;
  note?: string;
  readonly fields: Map<string, Cell>;
  readonly custom: Map<string, Cell>;
  readonly details: Map<string, Input[]>;
  readonly linked: Map<string, Input>;
}

function emptyInput(): Input {
  return { delete: false, fields: new Map(), custom: new Map(), details: new Map(), linked: new Map() };
}

/** Parses a body; malformed JSON and an empty body are HTTP 400. */
export function readJson(body: string): unknown {
  if (body.trim() === '') throw badRequest('The request body should not be empty.');
  try {
    return parseJson(body);
  } catch (error) {
    throw badRequest(`The request body is not valid JSON. ${error instanceof Error ? error.message : ''}`.trim());
  }
}

export function readRecord(entity: Entity, body: unknown, version: number, path = ''): Input {
  if (!isObject(body)) throw badRequest(`Error reading the ${entity.name} entity: an object was expected.`, path);
  const input = emptyInput();
  for (const [member, value] of Object.entries(body)) {
    const place = path === '' ? member : `${path}.${member}`;
    if (member === 'id') readId(input, value, place);
    else if (member === 'delete') input.delete = readBoolean(value, place);
    else if (member === 'note') input.note = readNote(value, place);
    else if (member === 'custom') readCustom(input, value, place);
    else readMember(entity, member, value, { input, version, place });
  }
  return input;
}

function readMember(
  entity: Entity,
  member: string,
  value: unknown,
  at: { readonly input: Input; readonly version: number; readonly place: string },
): void {
  const scalar = entity.scalars.get(member);
  if (scalar && scalar.since <= at.version) {
    if (!isObject(value))
      throw badRequest(`Error converting value ${JSON.stringify(value)}: the field must be an object with a value.`, at.place);
    // `{}` says nothing; `{"value":null}` clears.
    if ('value' in value) at.input.fields.set(member, readScalar(scalar, value['value'], at.place));
    return;
  }
  const nested = entity.nested.get(member);
  if (!nested || nested.since > at.version) return;
  const of = entityOf(nested.of);
  if (nested.many) {
    if (!Array.isArray(value)) throw badRequest('An array of detail rows was expected.', at.place);
    at.input.details.set(
      member,
      value.map((row, index) => readRecord(of, row, at.version, `${at.place}[${index}]`)),
    );
    return;
  }
  if (isObject(value) && 'value' in value && !of.scalars.has('value')) throw badRequest('A linked object must not be wrapped.', at.place);
  at.input.linked.set(member, readRecord(of, value, at.version, at.place));
}

function readScalar(field: ScalarField, value: unknown, place: string): Cell {
  if (value === null || value === '') return null;
  if (typeof value === 'object') throw badRequest(`The value of ${field.name} must be a scalar.`, place);
  const written = String(value);
  switch (field.kind) {
    case 'string':
    case 'guid':
      return written.trim() === '' ? null : written.trimEnd();
    case 'boolean':
      return readBoolean(value, place);
    case 'decimal':
    case 'integer':
      return readNumber(field, written, place);
    case 'date':
      return readDate(written, place);
  }
}

function readNumber(field: ScalarField, written: string, place: string): Cell {
  try {
    const number = decimal(written);
    if (field.kind === 'decimal') return number;
    if (/^-?\d+$/.test(number)) return Number(number);
  } catch {
    // Falls through to the refusal.
  }
  throw badRequest(`Could not convert ${JSON.stringify(written)} to ${field.kind === 'decimal' ? 'Decimal' : 'Int32'}.`, place);
}

function readBoolean(value: unknown, place: string): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  throw badRequest(`Could not convert ${JSON.stringify(value)} to Boolean.`, place);
}

/** Business dates are days of the server (UTC): an offset other than zero may move the day. */
function readDate(written: string, place: string): string {
  const plain = /^(\d{4}-\d{2}-\d{2})(T[\d:.]+)?$/.exec(written.trim());
  const day = plain?.[1];
  if (day && isCalendarDate(day)) return day;
  const instant = Date.parse(written);
  if (Number.isNaN(instant)) throw badRequest(`Could not convert ${JSON.stringify(written)} to DateTime.`, place);
  return new Date(instant).toISOString().slice(0, 10);
}

function readId(input: Input, value: unknown, place: string): void {
  if (value === null || value === undefined) return;
  if (typeof value !== 'string') throw badRequest('The id must be a GUID.', place);
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value))
    throw badRequest(`Error converting value ${JSON.stringify(value)} to Guid.`, place);
  input.id = value.toLowerCase();
}

function readNote(value: unknown, place: string): string {
  if (value === null) return '';
  if (!isObject(value)) throw badRequest('A note must be an object with a value.', place);
  return typeof value['value'] === 'string' ? value['value'] : '';
}

function readCustom(input: Input, value: unknown, place: string): void {
  if (value === null) return;
  if (!isObject(value)) throw badRequest('The custom member must be an object of views.', place);
  for (const [view, fields] of Object.entries(value)) {
    if (!isObject(fields)) throw badRequest('A view must be an object of fields.', `${place}.${view}`);
    for (const [field, wrapped] of Object.entries(fields)) {
      if (!isObject(wrapped)) throw badRequest('A custom field must be an object with a value.', `${place}.${view}.${field}`);
      if (!('value' in wrapped)) continue;
      const cell = wrapped['value'];
      if (cell !== null && typeof cell === 'object')
        throw badRequest('The value of a custom field must be a scalar.', `${place}.${view}.${field}`);
      input.custom.set(`${view}.${field}`, customCell(cell, wrapped['type'], `${place}.${view}.${field}`));
    }
  }
}

function customCell(value: unknown, type: unknown, place: string): Cell {
  if (value === null || value === undefined || value === '') return null;
  if (type === 'CustomBooleanField') return readBoolean(value, place);
  if (type === 'CustomDateTimeField') return readDate(String(value), place);
  if (typeof value === 'boolean') return value;
  return String(value);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
