import * as z from 'zod';
import { isCalendarDate } from '../../values/calendar-date.ts';
import { decimal } from '../../values/decimal.ts';

/** Fields as they stand in an unwrapped record, where every number has become its own text. Empty fields are absent. */

export const text = z.union([z.string(), z.boolean().transform(String)]);

export const flag = z.union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })]);

/** Amounts, prices, quantities: `1071.0000` reads as `1071`. */
export const amount = z.string().transform((written, context) => {
  try {
    return decimal(written);
  } catch {
    context.addIssue({ code: 'custom', message: 'expected a number' });
    return z.NEVER;
  }
});

/** A business date, sent by Acumatica as midnight with an offset; the date is taken from its text and never shifted. */
export const day = z.string().transform((written, context) => {
  const date = written.slice(0, 10);
  if (isCalendarDate(date)) return date;
  context.addIssue({ code: 'custom', message: 'expected a date' });
  return z.NEVER;
});

/** A moment, ISO in UTC. Acumatica writes zero to seven fractional digits, and UTC where it writes no offset. */
export const instant = z.string().transform((written, context) => {
  const milliseconds = Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(written) ? written : `${written}Z`);
  if (!Number.isNaN(milliseconds)) return new Date(milliseconds).toISOString();
  context.addIssue({ code: 'custom', message: 'expected a date with time' });
  return z.NEVER;
});

/** Form fields outside the contract, asked for with `custom`: `{ Document: { CuryID: 'EUR' } }`. */
const custom = z.record(z.string(), z.record(z.string(), z.union([z.string(), z.boolean()])));

/** What every record and detail row carries. `id` is a hint: the durable key of a document is Type and ReferenceNbr. */
export const system = { id: z.string().optional(), custom: custom.optional() };
