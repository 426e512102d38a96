import Big from 'big.js';

/**
 * A decimal number as plain text: `-1334.88`, `0`, `49.125`. Never exponent notation, never a float.
 * Amounts, prices and quantities travel through the product in this form; two equal numbers may differ in trailing zeros,
 * so compare with `equal`, not with `===`, unless both come out of `normal`.
 */
export type Decimal = string;

const decimalText = /^-?\d+(\.\d+)?$/;

export function isDecimal(text: string): boolean {
  return decimalText.test(text);
}

/** Reads a vendor's number, which may arrive as JSON number or text (`"1,334.88"` is refused: grouping is locale). */
export function decimal(value: string | number): Decimal {
  const text = typeof value === 'number' ? new Big(value).toFixed() : value.trim();
  if (!decimalText.test(text)) {
    if (/^-?\d+(\.\d+)?[eE][+-]?\d+$/.test(text)) return normal(new Big(text).toFixed());
    throw new RangeError(`not a decimal number: ${JSON.stringify(value)}`);
  }
  return normal(text);
}

/** The one spelling of a number: no trailing zeros after the point, no minus zero. */
export function normal(text: Decimal): Decimal {
  const fixed = new Big(text).toFixed();
  const trimmed = fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
  return trimmed === '-0' ? '0' : trimmed;
}

export const add = (left: Decimal, right: Decimal): Decimal => normal(new Big(left).plus(right).toFixed());
export const subtract = (left: Decimal, right: Decimal): Decimal => normal(new Big(left).minus(right).toFixed());
export const multiply = (left: Decimal, right: Decimal): Decimal => normal(new Big(left).times(right).toFixed());
export const negate = (value: Decimal): Decimal => normal(new Big(value).times(-1).toFixed());
export const absolute = (value: Decimal): Decimal => normal(new Big(value).abs().toFixed());
export const sum = (values: Iterable<Decimal>): Decimal => {
  let total = new Big(0);
  for (const value of values) total = total.plus(value);
  return normal(total.toFixed());
};

/** -1, 0 or 1. */
export const compare = (left: Decimal, right: Decimal): -1 | 0 | 1 => new Big(left).cmp(right);
export const equal = (left: Decimal, right: Decimal): boolean => compare(left, right) === 0;
export const isZero = (value: Decimal): boolean => compare(value, '0') === 0;
export const isNegative = (value: Decimal): boolean => compare(value, '0') < 0;
export const isPositive = (value: Decimal): boolean => compare(value, '0') > 0;

/** Number of digits after the point that carry value: `1.50` → 1. */
export function decimalsOf(value: Decimal): number {
  return normal(value).split('.')[1]?.length ?? 0;
}

/** Rounds half up (away from zero on a tie), the way invoices do. */
export function round(value: Decimal, decimals: number): Decimal {
  return normal(new Big(value).round(decimals, Big.roundHalfUp).toFixed());
}

/** For people: two or more decimals and thousands separators, `1,334.88`. */
export function readable(value: Decimal, minimumDecimals = 2): string {
  const [whole = '0', fraction = ''] = normal(value).replace('-', '').split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const padded = fraction.padEnd(minimumDecimals, '0');
  return `${isNegative(value) ? '-' : ''}${grouped}${padded === '' ? '' : `.${padded}`}`;
}
