import type { ConflictPolicy } from '../contracts/flow.ts';
import { add, decimal, equal, isDecimal, isZero, normal, subtract } from '../values/decimal.ts';
import { canonicalJson } from '../values/json.ts';
import { otherSide, type Side } from '../values/record-ref.ts';

export type Fields = Readonly<Record<string, unknown>>;

export interface MergeInput {
  /** Fields when both sides last agreed; undefined for a pair that never did. */
  readonly base: Fields | undefined;
  /** Present fields of each side; a field a side does not have is left out. */
  readonly sides: Readonly<Record<Side, Fields>>;
  /** What each side showed when it held the base: equal to it is not a change. */
  readonly echo: Readonly<Partial<Record<Side, Fields>>>;
  readonly direction: 'both' | 'a-to-b' | 'b-to-a';
  readonly policy: ConflictPolicy;
  readonly changedAt: Readonly<Partial<Record<Side, Date>>>;
  readonly additive: ReadonlySet<string>;
  /** May this field be changed on this side? */
  readonly writable: (side: Side, field: string) => boolean;
  /** How a pair without base comes together. */
  readonly onAdopt: 'fill-empty' | 'overwrite';
  /** The side whose change brought us here: it leads where a pair has no base and no direction. */
  readonly from: Side;
  /** Sums announced before a write whose answer is unknown. */
  readonly sums?: Readonly<Record<string, { readonly sum: string; readonly a: string; readonly b: string }>> | undefined;
}

export interface Conflict {
  readonly field: string;
  readonly a: unknown;
  readonly b: unknown;
  /** Undefined when a person decides. */
  readonly winner: Side | undefined;
}

export interface Merged {
  /** What to write to each side; undefined as a value clears the field. */
  readonly writes: Readonly<Record<Side, Readonly<Record<string, unknown>>>>;
  /** Agreed fields after the writes. */
  readonly base: Readonly<Record<string, unknown>>;
  /** Differences that are accepted as they are, per side. */
  readonly echo: Readonly<Record<Side, Readonly<Record<string, unknown>>>>;
  readonly conflicts: readonly Conflict[];
  /** Fields that differ on adoption and were left alone. */
  readonly left: readonly string[];
  readonly sums: Readonly<Record<string, { readonly sum: string; readonly a: string; readonly b: string }>>;
}

/** Absent, null and the empty text are one value. */
const plain = (value: unknown): unknown => (value === '' || value === null ? undefined : value);
export const sameValue = (left: unknown, right: unknown): boolean => {
  const one = plain(left);
  const two = plain(right);
  if (one === undefined || two === undefined) return one === two;
  return canonicalJson(one) === canonicalJson(two);
};

/**
 * Three-way merge, field by field: changed on one side goes to the other, changed alike is agreed, changed differently is a conflict decided by
 * policy. A one-way mirror never writes its source, and leaves what people changed in the target until the source changes the same field. Pure.
 */
export function merge(input: MergeInput): Merged {
  const writes: Record<Side, Record<string, unknown>> = { a: {}, b: {} };
  const echo: Record<Side, Record<string, unknown>> = { a: { ...input.echo.a }, b: { ...input.echo.b } };
  const base: Record<string, unknown> = { ...input.base };
  const conflicts: Conflict[] = [];
  const left: string[] = [];
  const sums: Record<string, { sum: string; a: string; b: string }> = {};
  const lead: Side = input.direction === 'both' ? input.from : input.direction === 'a-to-b' ? 'a' : 'b';

  /** The value is agreed: sides that show something else are written, or accepted as they are where they cannot be. */
  const agree = (field: string, value: unknown): void => {
    base[field] = plain(value);
    for (const side of ['a', 'b'] as const) {
      const shown = input.sides[side];
      if (sameValue(shown[field], value) && field in shown) delete echo[side][field];
      else if (mayWrite(input, side, field)) writes[side][field] = plain(value);
      else if (field in shown) echo[side][field] = plain(shown[field]);
    }
  };

  const fields = new Set([...Object.keys(input.sides.a), ...Object.keys(input.sides.b)]);
  for (const field of [...fields].sort()) {
    const { a, b } = { a: input.sides.a[field], b: input.sides.b[field] };
    const has = { a: field in input.sides.a, b: field in input.sides.b };
    if (input.base === undefined) {
      adopt(input, { field, lead, base, echo, writes, left });
      continue;
    }
    if (input.additive.has(field) && input.direction === 'both') {
      const total = addUp(input, field);
      if (total !== undefined) {
        if (!sameValue(input.base[field], total.sum) || input.sums?.[field] !== undefined) agree(field, total.sum);
        if (field in writes.a || field in writes.b) sums[field] = total;
        continue;
      }
    }
    const changed = { a: has.a && isChanged(input, 'a', field), b: has.b && isChanged(input, 'b', field) };
    const leadChanged = changed[lead];
    if (input.direction !== 'both' && !leadChanged) continue;
    if (!changed.a && !changed.b) continue;
    if (changed.a && changed.b && !sameValue(a, b)) {
      const winner = winnerOf(input);
      conflicts.push({ field, a, b, winner });
      if (winner === undefined) continue;
      if (input.direction === 'both' || winner === lead) agree(field, input.sides[winner][field]);
      else {
        base[field] = plain(input.sides[lead][field]);
        echo[otherSide(lead)][field] = plain(input.sides[otherSide(lead)][field]);
      }
    } else agree(field, changed.a ? a : b);
  }
  return { writes, base, echo, conflicts, left, sums };
}

function mayWrite(input: MergeInput, side: Side, field: string): boolean {
  const source = input.direction === 'a-to-b' ? 'a' : input.direction === 'b-to-a' ? 'b' : undefined;
  return side !== source && input.writable(side, field);
}

/** A side changed a field when it shows neither the agreed value nor what it made of that value. */
function isChanged(input: MergeInput, side: Side, field: string): boolean {
  const shown = input.sides[side][field];
  const echo = input.echo[side];
  if (echo !== undefined && field in echo && sameValue(shown, echo[field])) return false;
  return !sameValue(shown, input.base?.[field]);
}

/** A pair without base: the leading side's values are agreed, what is empty is filled, and the rest written or left by `onAdopt`. */
function adopt(
  input: MergeInput,
  given: {
    readonly field: string;
    readonly lead: Side;
    readonly base: Record<string, unknown>;
    readonly echo: Record<Side, Record<string, unknown>>;
    readonly writes: Record<Side, Record<string, unknown>>;
    readonly left: string[];
  },
): void {
  const { field, lead, base, echo, writes, left } = given;
  const other = otherSide(lead);
  const mine = plain(input.sides[lead][field]);
  const theirs = plain(input.sides[other][field]);
  const agreed = mine === undefined && input.direction === 'both' ? theirs : mine;
  base[field] = agreed;
  if (sameValue(mine, theirs)) return;
  const overwrite = input.onAdopt === 'overwrite' && mine !== undefined;
  if (field in input.sides[other] && (theirs === undefined || overwrite) && mine !== undefined && mayWrite(input, other, field)) {
    writes[other][field] = mine;
  } else if (mine === undefined && field in input.sides[lead] && mayWrite(input, lead, field)) {
    writes[lead][field] = theirs;
  } else {
    if (field in input.sides[other]) echo[other][field] = theirs;
    if (field in input.sides[lead] && !sameValue(mine, agreed)) echo[lead][field] = mine;
    if (field in input.sides[other] && field in input.sides[lead]) left.push(field);
  }
}

function winnerOf(input: MergeInput): Side | undefined {
  switch (input.policy) {
    case 'a-wins':
      return 'a';
    case 'b-wins':
      return 'b';
    case 'hold':
      return undefined;
    case 'newest': {
      const { a, b } = input.changedAt;
      if (a === undefined || b === undefined || a.getTime() === b.getTime()) return undefined;
      return a.getTime() > b.getTime() ? 'a' : 'b';
    }
  }
}

/**
 * The agreed level plus the change of each side. After a write of a sum whose answer was lost the sum counts as agreed: a side that shows it
 * has it, and one that does not has its own change on top of what it showed then.
 */
function addUp(input: MergeInput, field: string): { sum: string; a: string; b: string } | undefined {
  const base = decimalOf(input.base?.[field]) ?? '0';
  const a = decimalOf(input.sides.a[field]);
  const b = decimalOf(input.sides.b[field]);
  if (a === undefined || b === undefined) return undefined;
  const announced = input.sums?.[field];
  const change = (side: Side, shown: string): string => {
    if (announced !== undefined) return equal(shown, announced.sum) ? '0' : subtract(shown, announced[side]);
    return subtract(shown, decimalOf(input.echo[side]?.[field]) ?? base);
  };
  const changes = { a: change('a', a), b: change('b', b) };
  if (announced === undefined && isZero(changes.a) && isZero(changes.b)) return { sum: base, a, b };
  return { sum: add(announced?.sum ?? base, add(changes.a, changes.b)), a, b };
}

function decimalOf(value: unknown): string | undefined {
  if (typeof value === 'number') return decimal(value);
  return typeof value === 'string' && isDecimal(value) ? normal(value) : undefined;
}
