import type { ReportLine } from '../../../contracts/integration.ts';
import { add, type Decimal, isZero, readable, subtract, sum } from '../../../values/decimal.ts';
import type { Currency } from '../../../values/money.ts';

/** One thing that was compared, and why it differs. `cause` undefined: nothing explains it. */
export interface Compared {
  /** Acumatica's amount. */
  readonly a: Decimal;
  /** Zuora's amount. */
  readonly b: Decimal;
  readonly record: string;
  readonly cause: string | undefined;
}

const recordsShown = 50;
const unexplained = 'unexplained';

/** A line of amounts. A cause counts only where something differs; a difference without cause leaves the line open. */
export function moneyLine(section: string, label: string, currency: Currency, compared: readonly Compared[]): ReportLine {
  const a = sum(compared.map((one) => one.a));
  const b = sum(compared.map((one) => one.b));
  return {
    section,
    label,
    a: { amount: a, currency },
    b: { amount: b, currency },
    difference: readable(subtract(a, b)),
    ...judged(compared, readable),
  };
}

/** A line of counts: whatever is compared counts as one where it is not zero. */
export function countLine(section: string, label: string, compared: readonly Compared[]): ReportLine {
  const counted = compared.map((one) => ({ ...one, a: isZero(one.a) ? '0' : '1', b: isZero(one.b) ? '0' : '1' }));
  const a = counted.filter((one) => one.a === '1').length;
  const b = counted.filter((one) => one.b === '1').length;
  return { section, label, a, b, difference: String(a - b), ...judged(counted, (count) => count) };
}

function judged(compared: readonly Compared[], show: (amount: Decimal) => string): Pick<ReportLine, 'causes' | 'result'> {
  const groups = new Map<string, { amount: Decimal; readonly records: string[] }>();
  for (const { a, b, record, cause } of compared) {
    const difference = subtract(a, b);
    if (isZero(difference)) continue;
    const group = groups.get(cause ?? unexplained) ?? { amount: '0', records: [] };
    group.amount = add(group.amount, difference);
    if (group.records.length < recordsShown) group.records.push(record);
    groups.set(cause ?? unexplained, group);
  }
  return {
    causes: [...groups].map(([cause, { amount, records }]) => ({ cause, amount: show(amount), records })),
    result: groups.size === 0 ? 'tied' : groups.has(unexplained) ? 'open' : 'explained',
  };
}

/** Groups by a text, in order of the text. */
export function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): readonly (readonly [string, readonly Item[]])[] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups].sort(([left], [right]) => (left < right ? -1 : 1));
}

export function worst(results: readonly ReportLine['result'][]): ReportLine['result'] {
  return results.includes('open') ? 'open' : results.includes('explained') ? 'explained' : 'tied';
}
