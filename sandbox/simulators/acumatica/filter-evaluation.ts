import { compare as compareDecimals } from '../../../lib/values/decimal.ts';
import { documentType } from './document-types.ts';
import type { FieldRef, Filter } from './filter.ts';
import type { Cell, Row } from './rows.ts';
import type { Store } from './store.ts';

/** Records of a store that satisfy a filter, in key order. Equality on an indexed field narrows the search before anything is scanned. */
export function select<R extends Row>(store: Store<R>, filter: Filter | undefined): readonly R[] {
  if (!filter) return store.all();
  const candidates = narrowed(store, filter);
  const matches = predicateOf(filter);
  if (!candidates) return store.all().filter(matches);
  return [...candidates].filter(matches).sort((left, right) => (store.keyOf(left) < store.keyOf(right) ? -1 : 1));
}

/** A superset of the matches found through indexes, or undefined when only a scan will do. */
function narrowed<R extends Row>(store: Store<R>, filter: Filter): Set<R> | undefined {
  if (filter.kind === 'compare') {
    const field = filter.field.path.length === 1 && !filter.field.custom ? filter.field.path[0] : undefined;
    if (filter.operator !== 'eq' || typeof filter.value !== 'string' || field === undefined || !store.isIndexed(field)) return undefined;
    return new Set(store.withText(field, filter.value));
  }
  if (filter.kind === 'and') {
    let best: Set<R> | undefined;
    for (const part of filter.parts) {
      const found = narrowed(store, part);
      if (found && (!best || found.size < best.size)) best = found;
    }
    return best;
  }
  if (filter.kind === 'or') {
    const all = new Set<R>();
    for (const part of filter.parts) {
      const found = narrowed(store, part);
      if (!found) return undefined;
      for (const row of found) all.add(row);
    }
    return all;
  }
  return undefined;
}

export function predicateOf(filter: Filter): (row: Row) => boolean {
  switch (filter.kind) {
    case 'and': {
      // Predicates of different form views joined by `and` find nothing, although each alone matches.
      if (viewsOf(filter).size > 1) return () => false;
      const parts = filter.parts.map(predicateOf);
      return (row) => parts.every((part) => part(row));
    }
    case 'or': {
      const parts = filter.parts.map(predicateOf);
      return (row) => parts.some((part) => part(row));
    }
    case 'not': {
      const part = predicateOf(filter.part);
      return (row) => !part(row);
    }
    case 'text': {
      const sought = filter.value.toLowerCase();
      return (row) => {
        const value = cellAt(row, filter.field);
        if (typeof value !== 'string') return false;
        const text = value.toLowerCase();
        if (filter.function === 'startswith') return text.startsWith(sought);
        return filter.function === 'endswith' ? text.endsWith(sought) : text.includes(sought);
      };
    }
    case 'compare':
      return comparison(filter);
  }
}

function comparison(filter: Extract<Filter, { kind: 'compare' }>): (row: Row) => boolean {
  const { field, operator } = filter;
  const isType = field.path.at(-1) === 'Type' || field.path.at(-1) === 'DocType';
  const value = isType && typeof filter.value === 'string' ? (documentType(filter.value) ?? filter.value) : filter.value;
  // Filtering on detail rows is documented as unsupported and unpredictable: here it finds nothing.
  if (field.detail) return () => false;
  return (row) => {
    const order = orderOf(cellAt(row, field), value, field);
    if (order === undefined) return operator === 'ne';
    switch (operator) {
      case 'eq':
        return order === 0;
      case 'ne':
        return order !== 0;
      case 'gt':
        return order > 0;
      case 'ge':
        return order >= 0;
      case 'lt':
        return order < 0;
      case 'le':
        return order <= 0;
    }
  };
}

/** How two values compare; undefined when one of them is missing and the other is not. */
function orderOf(cell: Cell, value: string | boolean | null, field: FieldRef): number | undefined {
  if (value === null || cell === null) return value === null && cell === null ? 0 : undefined;
  switch (field.kind) {
    case 'decimal':
    case 'integer':
      return compareDecimals(String(cell), String(value));
    case 'boolean':
      return cell === value ? 0 : 1;
    case 'date':
      return Date.parse(String(cell)) - Date.parse(String(value));
    default: {
      const left = String(cell).trim().toLowerCase();
      const right = String(value).trim().toLowerCase();
      return left < right ? -1 : left > right ? 1 : 0;
    }
  }
}

function cellAt(row: Row, field: FieldRef): Cell {
  const [first = '', ...rest] = field.path;
  if (field.custom) return row.custom?.[first] ?? null;
  let place: Row | undefined = row;
  let name = first;
  for (const next of rest) {
    place = place?.linked?.[name];
    name = next;
  }
  return place?.fields[name] ?? null;
}

function viewsOf(filter: Filter): Set<string> {
  if (filter.kind === 'compare' || filter.kind === 'text') return new Set([filter.field.view]);
  const parts = filter.kind === 'not' ? [filter.part] : filter.parts;
  return new Set(parts.flatMap((part) => [...viewsOf(part)]));
}
