import type * as z from 'zod';
import { Failure } from '../../failures.ts';
import { type Entity, type RowOf, rowSchemas } from './wire.ts';
import { type Inquiry, type InquiryRow, inquirySchemas } from './wire-reference.ts';
import { unwrap } from './wrapping.ts';

/** One record of an answer as a row; a field that does not fit is named. */
export function parseRow<E extends Entity>(entity: E, record: unknown, what: string): RowOf<E> {
  return parsed(rowSchemas[entity], entity, record, what) as RowOf<E>;
}

export function parseInquiryRow<I extends Inquiry>(inquiry: I, record: unknown, what: string): InquiryRow<I> {
  return parsed(inquirySchemas[inquiry], inquiry, record, what) as InquiryRow<I>;
}

function parsed(schema: z.ZodType, name: string, record: unknown, what: string): unknown {
  const result = schema.safeParse(unwrap(record));
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`).slice(0, 5);
  throw new Failure('ShapeUnexpected', {
    cause: `acumatica:shape:${name}`,
    sentence: `Acumatica's answer does not have the shape its contract says (${what}): ${issues.join('; ')}.`,
    fix: 'Send the audit entry to the maintainers: the vendor may have changed the endpoint.',
  });
}
