import { createHash } from 'node:crypto';
import { isInteger, isSafeNumber, LosslessNumber, parse, stringify } from 'lossless-json';

/** What may be stored in a table or put on a queue. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [member: string]: Json | undefined };

/**
 * Parses a vendor's JSON without losing a digit: whole numbers that fit stay numbers, every other number becomes its own text.
 * `1334.88` therefore arrives as `'1334.88'`; wire schemas read amounts with `decimalText`.
 * Throws SyntaxError; duplicate members with different values are refused.
 */
export function parseJson(text: string): unknown {
  return parse(text, undefined, (number) => (isInteger(number) && isSafeNumber(number) ? Number(number) : number));
}

/** A decimal text to be written as a JSON number, digit for digit. */
export function jsonNumber(decimal: string): LosslessNumber {
  return new LosslessNumber(decimal);
}

/** Writes JSON; `jsonNumber` values come out as bare numbers, members that are undefined are left out. */
export function writeJson(value: unknown): string {
  const text = stringify(value);
  if (text === undefined) throw new TypeError('nothing to write as JSON');
  return text;
}

/** JSON with members in one order, so that equal contents are equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_member, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(
          Object.entries(part)
            .filter(([, inner]) => inner !== undefined)
            .sort(([left], [right]) => (left < right ? -1 : 1)),
        )
      : part,
  );
}

/** A short stable fingerprint of any JSON content (128 bits, base64url). */
export function fingerprint(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64url').slice(0, 22);
}
