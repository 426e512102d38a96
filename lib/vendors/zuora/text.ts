import * as z from 'zod';
import { calendarDate } from '../../values/calendar-date.ts';
import { decimal } from '../../values/decimal.ts';

/** Text; a number (an event code, a term that is all digits) is taken as its text. */
export const text = z.union([z.string(), z.number().transform(String)], { error: 'is missing or not a text' });

/** An amount as decimal text, whether it came as JSON number or as text. `parseJson` keeps every digit of a number that is not whole. */
export const decimalText = z.union([z.string(), z.number()], { error: 'is missing or not a number' }).transform((value, context) => {
  try {
    return decimal(value);
  } catch {
    context.addIssue({ code: 'custom', message: 'is not a decimal number' });
    return z.NEVER;
  }
});

/** A business date: the first ten characters, whatever follows. Some date members arrive as date-times; the day is what the text says. */
export const dateText = z.string({ error: 'is missing or not a date' }).transform((value, context) => {
  try {
    return calendarDate(value);
  } catch {
    context.addIssue({ code: 'custom', message: 'is not a date' });
    return z.NEVER;
  }
});

/** Custom templates and old resources send flags as text. */
export const flag = z.preprocess((value) => (value === 'true' ? true : value === 'false' ? false : value), z.boolean());

/**
 * The instant of an object-query date-time: `2026-03-02T04:15:09-08:00`. The text must carry an offset or Z, because a time without one
 * means the tenant's zone and would be hours off; offsets without colon (`-0800`) are read too. Throws RangeError.
 */
export function instantOf(value: string): Date {
  const parts = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})$/.exec(value.trim());
  const zone = parts?.[3]?.replace(/^([+-]\d{2}):?(\d{2})$/, '$1:$2');
  const instant = parts ? new Date(`${parts[1]}T${parts[2]}${zone}`) : undefined;
  if (!instant || Number.isNaN(instant.getTime())) throw new RangeError(`not an instant with its offset: ${JSON.stringify(value)}`);
  return instant;
}

/** A date-time with its offset, kept as text because its first ten characters are the day in the tenant's zone. */
export const instantText = z
  .string({ error: 'is missing or not a date-time' })
  .refine(isInstant, { message: 'is not a date-time with its offset' });

function isInstant(value: string): boolean {
  try {
    instantOf(value);
    return true;
  } catch {
    return false;
  }
}

/** Known members only, read only: what flows see of a loose object. Custom fields are reached with `customField`. */
export type Known<Value> = { readonly [Member in keyof Value as string extends Member ? never : Member]: Value[Member] };

/**
 * An object of Zuora's: null, "" and missing all mean that there is no value, so such members are removed before the schema looks;
 * members the schema does not name pass through.
 */
export function record<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess(withoutAbsent, z.looseObject(shape));
}

function withoutAbsent(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null && member !== '' && member !== undefined));
}

/** The key under which a relation arrives is not spelled the same everywhere (`creditTaxationItems`, `credittaxationitems`). */
export function renamed(value: unknown, names: Readonly<Record<string, string>>): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([member, inner]) => [names[member.toLowerCase()] ?? member, inner]));
}
