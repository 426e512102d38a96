import { equal, isDecimal } from '../../lib/values/decimal.ts';
import { type ExpectedList, type ExpectedNumber, expectedListSchema } from './schema.ts';

/** One field that is not as expected. */
export interface Difference {
  /** `lines[0].account` */
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

/** How far a record is from what is expected. */
export interface Comparison {
  readonly differences: readonly Difference[];
  /** Fields that are as expected. */
  readonly agreeing: number;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => value !== null && typeof value === 'object' && !Array.isArray(value);
const isNothing = (value: unknown): boolean => value === undefined || value === null || value === '';

/**
 * Compares what is there with what is expected of it. Members that are not mentioned may be anything. A list inside a record is whole: as many
 * elements as expected, in any order. Numbers are compared as decimals, digit for digit and never as floats: `1334.88` equals `"1334.880"`.
 * `null` means absent or empty; `{ $like: 'CM*' }` a text with wildcards; `{ $present: true }` anything that is there.
 */
export function compare(expected: unknown, found: unknown, path = ''): Comparison {
  if (isNothing(expected)) return isNothing(found) ? agreed : differs(path, 'nothing', found);
  if (Array.isArray(expected)) return Array.isArray(found) ? compareWhole(expected, found, path) : differs(path, 'a list', found);
  if (isFields(expected)) {
    if ('$like' in expected)
      return isLike(String(expected['$like']), textOf(found)) ? agreed : differs(path, String(expected['$like']), found);
    if ('$present' in expected) return isNothing(found) ? differs(path, 'something', found) : agreed;
    if (Array.isArray(found)) return compareList(expected, found, path);
    if (!isFields(found)) return differs(path, shown(expected), found);
    return together(Object.entries(expected).map(([name, value]) => compare(value, found[name], path === '' ? name : `${path}.${name}`)));
  }
  return sameValue(expected, found) ? agreed : differs(path, shown(expected), found);
}

const agreed: Comparison = { differences: [], agreeing: 1 };
const differs = (path: string, expected: string, found: unknown): Comparison => ({
  differences: [{ path, expected, found: shown(found) }],
  agreeing: 0,
});

function together(parts: readonly Comparison[]): Comparison {
  return {
    differences: parts.flatMap((part) => part.differences),
    agreeing: parts.reduce((sum, part) => sum + part.agreeing, 0),
  };
}

function compareWhole(expected: readonly unknown[], found: readonly unknown[], path: string): Comparison {
  const count =
    expected.length === found.length ? agreed : differs(path, `${expected.length} in the list`, `${found.length}: ${shown(found)}`);
  return together([count, ...pairUp(expected, found, path)]);
}

function compareList(expected: Fields, found: readonly unknown[], path: string): Comparison {
  const list = expectedListSchema.safeParse(expected);
  if (!list.success) return differs(path, shown(expected), found);
  return together(checkList(list.data, found, path));
}

/** A list against `{ count, where, include, none }`. */
export function checkList(list: ExpectedList, all: readonly unknown[], path: string): Comparison[] {
  const { where } = list;
  const found = where === undefined ? all : all.filter((one) => compare(where, one).differences.length === 0);
  const parts: Comparison[] = [];
  if (list.count !== undefined)
    parts.push(found.length === list.count ? agreed : differs(path, `${list.count} in the list`, `${found.length}`));
  parts.push(...pairUp(list.include ?? [], found, path));
  for (const unwanted of list.none ?? []) {
    const hit = found.find((one) => compare(unwanted, one).differences.length === 0);
    parts.push(hit === undefined ? agreed : differs(path, `none with ${shown(unwanted)}`, hit));
  }
  return parts;
}

/** Gives every expected element an element of its own: those that fit first, the nearest of the rest to those that fit none. */
function pairUp(expected: readonly unknown[], found: readonly unknown[], path: string): Comparison[] {
  const free = new Set(found.keys());
  const fitting = new Map<number, number>();
  for (const [index, wanted] of expected.entries()) {
    for (const candidate of free) {
      if (compare(wanted, found[candidate]).differences.length > 0) continue;
      fitting.set(index, candidate);
      free.delete(candidate);
      break;
    }
  }
  return expected.map((wanted, index) => {
    const at = `${path}[${index}]`;
    const own = fitting.get(index);
    if (own !== undefined) return compare(wanted, found[own], at);
    const left = [...free];
    const nearest = nearestOf(
      wanted,
      left.map((candidate) => ({ candidate, one: found[candidate] })),
      ({ one }) => one,
    );
    const candidate = nearest?.candidate ?? left[0];
    if (candidate === undefined) return differs(at, shown(wanted), undefined);
    free.delete(candidate);
    return compare(wanted, found[candidate], at);
  });
}

/** The one that agrees in most fields; of equal ones the one that differs in fewest. */
export function nearestOf<One>(expected: unknown, candidates: readonly One[], read: (one: One) => unknown = (one) => one): One | undefined {
  let best: { readonly one: One; readonly score: number } | undefined;
  for (const one of candidates) {
    const { agreeing, differences } = compare(expected, read(one));
    const score = agreeing - differences.length / 1000;
    if (agreeing > 0 && (best === undefined || score > best.score)) best = { one, score };
  }
  return best?.one;
}

function sameValue(expected: unknown, found: unknown): boolean {
  if (typeof expected === 'boolean' || typeof found === 'boolean') return expected === found;
  const [left, right] = [textOf(expected), textOf(found)];
  if (left === right) return true;
  return isAmount(left) && isAmount(right) && equal(left, right);
}

/** Codes such as `00012` are text: their zeros count. */
const isAmount = (text: string): boolean => isDecimal(text) && !/^-?0\d/.test(text);

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : shown(value);
}

/** A value on one line, as a person would write it. */
export function shown(value: unknown): string {
  if (isNothing(value)) return 'nothing';
  if (typeof value === 'string') return value;
  const text = JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** `*` stands for any characters. */
export function isLike(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[\\s\\S]*')}$`).test(text);
}

export function numberFits(expected: ExpectedNumber, found: number): boolean {
  if (typeof expected === 'number') return found === expected;
  const bound = Number(expected.replace(/[<>= ]/g, ''));
  if (expected.startsWith('<=')) return found <= bound;
  if (expected.startsWith('>=')) return found >= bound;
  return expected.startsWith('<') ? found < bound : found > bound;
}
