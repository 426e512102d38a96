import { type Decimal, normal, round } from '../../../lib/values/decimal.ts';
import { jsonNumber } from '../../../lib/values/json.ts';
import { type Entity, entityOf, type ScalarField } from './contract.ts';
import { customFieldType, ownsCustomField } from './custom-fields.ts';
import type { Names, Query } from './query.ts';
import type { Problems } from './refusals.ts';
import { type Cell, detailsOf, type Row } from './rows.ts';

/** Where a record is shown: decides its links and which fields exist. */
export interface Place {
  /** `/kestrel/entity/Default/24.200.001` */
  readonly endpoint: string;
  readonly version: number;
}

const graphs: Readonly<Record<string, string>> = {
  Customer: 'PX.Objects.AR.CustomerMaint/BAccount',
  Invoice: 'PX.Objects.AR.ARInvoiceEntry/Document',
  Payment: 'PX.Objects.AR.ARPaymentEntry/Document',
  JournalTransaction: 'PX.Objects.GL.JournalEntry/BatchModule',
};

/** Quantities, prices and rates are shown with six digits, amounts with four. */
const sixDigits = new Set(['Qty', 'UnitPrice', 'TaxRate']);

export function writeRecord(entity: Entity, row: Row, query: Query, place: Place, rowNumber = 1): Record<string, unknown> {
  return {
    ...writeRow(entity, row, { select: query.select, expand: query.expand, custom: query.custom, place, rowNumber, top: true }),
    _links: linksOf(entity, row, place),
  };
}

interface Shown {
  readonly select: Names | undefined;
  readonly expand: Names;
  readonly custom: readonly string[];
  readonly place: Place;
  readonly rowNumber: number;
  readonly top: boolean;
}

function writeRow(entity: Entity, row: Row, shown: Shown): Record<string, unknown> {
  const written: Record<string, unknown> = { id: row.id, rowNumber: shown.rowNumber, note: shown.top ? { value: row.note ?? '' } : null };
  for (const field of entity.scalars.values()) {
    if (field.since > shown.place.version || (shown.select && !shown.select[field.name])) continue;
    written[field.name] = writeCell(field, row.fields[field.name] ?? null);
  }
  for (const nested of entity.nested.values()) {
    const expand = shown.expand[nested.name];
    if (nested.since > shown.place.version || !expand) {
      // Unless expanded, details are an empty list and linked objects are missing.
      if (nested.many && nested.since <= shown.place.version && !shown.select) written[nested.name] = [];
      continue;
    }
    if (shown.select && !shown.select[nested.name]) continue;
    const selected = shown.select?.[nested.name];
    const inner: Shown = {
      ...shown,
      expand,
      select: selected && Object.keys(selected).length > 0 ? selected : undefined,
      rowNumber: 1,
      top: false,
    };
    const of = entityOf(nested.of);
    written[nested.name] = nested.many
      ? detailsOf(row, nested.name).map((detail, index) => writeRow(of, detail, { ...inner, rowNumber: index + 1 }))
      : writeRow(of, row.linked?.[nested.name] ?? { id: row.id, fields: {} }, inner);
  }
  written['custom'] = writeCustom(entity, row, shown.custom);
  return written;
}

function writeCustom(entity: Entity, row: Row, paths: readonly string[]): Record<string, Record<string, unknown>> {
  const written: Record<string, Record<string, unknown>> = {};
  for (const path of paths) {
    if (!ownsCustomField(entity.name, path)) continue;
    const [view = '', field = ''] = path.split('.');
    const value = row.custom?.[path] ?? null;
    const type = customFieldType(path, value);
    const shown =
      type === 'CustomDecimalField' && value !== null
        ? jsonNumber(fixed(String(value), 6))
        : type === 'CustomDateTimeField'
          ? dateText(value)
          : value;
    written[view] = { ...written[view], [field]: { type, ...(shown === null ? {} : { value: shown }) } };
  }
  return written;
}

function writeCell(field: ScalarField, value: Cell): Record<string, unknown> {
  if (value === null || value === '') return {};
  if (field.kind === 'decimal') return { value: jsonNumber(fixed(String(value), sixDigits.has(field.name) ? 6 : 4)) };
  if (field.kind === 'date') return { value: dateText(value) };
  return { value };
}

/** Business dates are midnight `+00:00`; instants show up to three digits without trailing zeros. */
function dateText(value: Cell): string | null {
  if (typeof value !== 'string' || value === '') return null;
  if (value.length === 10) return `${value}T00:00:00+00:00`;
  return value
    .replace(/Z$/, '')
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '')
    .concat('+00:00');
}

/** A decimal with exactly so many digits: `1071` → `1071.0000`. */
function fixed(value: Decimal, digits: number): Decimal {
  const [whole = '0', fraction = ''] = normal(round(value, digits)).split('.');
  return `${whole}.${fraction.padEnd(digits, '0')}`;
}

/** The copy of a refused record in which every complaint stands beside its value. */
export function writeRefusedRecord(entity: Entity, row: Row, problems: Problems, inserting: boolean): Record<string, unknown> {
  return {
    ...writeRefusedRow(entity, row, problems, 1),
    error: `${inserting ? 'Inserting ' : 'Updating '} '${entity.name}' record raised at least one error. Please review the errors.`,
    _links: {},
  };
}

function writeRefusedRow(entity: Entity, row: Row, problems: Problems, rowNumber: number): Record<string, unknown> {
  const complaints = problems.of(row);
  const written: Record<string, unknown> = { id: row.id, rowNumber };
  for (const field of entity.scalars.values()) {
    const error = complaints?.get(field.name);
    const cell = writeCell(field, row.fields[field.name] ?? null);
    if (error !== undefined) written[field.name] = { ...cell, error };
    else if ('value' in cell) written[field.name] = cell;
  }
  for (const [path, error] of complaints ?? []) {
    const [view = '', field] = path.split('.');
    if (field !== undefined) written['custom'] = { [view]: { [field]: { value: row.custom?.[path] ?? null, error } } };
  }
  for (const nested of entity.nested.values()) {
    const of = entityOf(nested.of);
    if (nested.many) {
      const rows = detailsOf(row, nested.name);
      if (rows.some((detail) => hasProblem(detail, problems)))
        written[nested.name] = rows.map((detail, index) => ({ ...writeRefusedRow(of, detail, problems, index + 1), _links: {} }));
    } else {
      const linked = row.linked?.[nested.name];
      if (linked && hasProblem(linked, problems)) written[nested.name] = writeRefusedRow(of, linked, problems, 1);
    }
  }
  return written;
}

function hasProblem(row: Row, problems: Problems): boolean {
  return problems.of(row) !== undefined || Object.values(row.linked ?? {}).some((linked) => hasProblem(linked, problems));
}

function linksOf(entity: Entity, row: Row, place: Place): Record<string, string> {
  const graph = graphs[entity.name];
  return {
    self: `${place.endpoint}/${entity.name}/${row.id}`,
    ...(graph ? { 'files:put': `${place.endpoint}/files/${graph}/${row.id}/{filename}` } : {}),
  };
}
