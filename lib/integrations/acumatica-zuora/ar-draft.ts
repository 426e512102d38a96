import * as z from 'zod';
import type { Posting } from '../../contracts/link.ts';
import { Failure } from '../../failures.ts';
import { isZero, sum } from '../../values/decimal.ts';
import type { Json } from '../../values/json.ts';

/** A document of form AR301000 as it is meant to be booked. Kept on the link, so that its reversal is built from what was posted. */

export const arTypes = ['Invoice', 'Debit Memo', 'Credit Memo'] as const;

const lineSchema = z.object({
  text: z.string(),
  qty: z.string(),
  price: z.string(),
  amount: z.string(),
  account: z.string(),
  subaccount: z.string().optional(),
  taxCategory: z.string().optional(),
  deferral: z.object({ code: z.string(), from: z.string().optional(), to: z.string().optional() }).optional(),
});

export const arDraftSchema = z.object({
  type: z.enum(arTypes),
  marker: z.string(),
  /** Zuora number with prefix: marker without generation. */
  number: z.string(),
  description: z.string(),
  customer: z.string(),
  accountNumber: z.string(),
  accountId: z.string(),
  date: z.string(),
  dueDate: z.string().optional(),
  terms: z.string().optional(),
  postPeriod: z.string().optional(),
  branch: z.string(),
  currency: z.string(),
  /** Sent only where a document may differ from its customer; always compared. */
  sendCurrency: z.boolean(),
  total: z.string(),
  taxTotal: z.string(),
  lines: z.array(lineSchema),
  taxDetails: z.array(z.object({ taxId: z.string(), taxable: z.string(), amount: z.string() })),
  taxZone: z.string().optional(),
  /** Zuora still shows a balance: a Closed document with our marker is then not the one we look for. */
  openInSource: z.boolean(),
  /** Fingerprint of the ledger content of the source: another one means it changed after posting. */
  content: z.string(),
  /** Zuora object and id, for the transferred flag. */
  source: z.object({ object: z.string(), id: z.string() }),
  /** Items without amount that were left out. */
  dropped: z.number(),
});
export type ArDraft = z.infer<typeof arDraftSchema>;

/** Lines a link keeps one by one; a longer document is kept summed per account, which is what its reversal needs. */
const linesKept = 200;

export function draftData(draft: ArDraft): Json {
  return JSON.parse(JSON.stringify({ ...draft, lines: draft.lines.length > linesKept ? summed(draft.lines) : draft.lines })) as Json;
}

function summed(lines: ArDraft['lines']): ArDraft['lines'] {
  const groups = new Map<string, ArDraft['lines']>();
  for (const line of lines) {
    const key = JSON.stringify([line.account, line.subaccount ?? '', line.taxCategory ?? '']);
    groups.set(key, [...(groups.get(key) ?? []), line]);
  }
  return [...groups.values()].flatMap(([first, ...rest]) => {
    if (first === undefined) return [];
    const amount = sum([first, ...rest].map((line) => line.amount));
    return isZero(amount)
      ? []
      : [{ ...first, text: rest.length === 0 ? first.text : `${rest.length + 1} lines`, qty: '1', price: amount, amount }];
  });
}

/** The draft a posting was made from. */
export function postedDraft<Draft>(schema: z.ZodType<Draft>, posting: Pick<Posting, 'draft' | 'marker'>): Draft {
  const parsed = schema.safeParse(posting.draft);
  if (parsed.success) return parsed.data;
  throw new Failure('Defect', {
    sentence: `The link no longer tells what was posted as ${posting.marker}.`,
    fix: 'Reverse the document by hand in Acumatica, then release this hold with ignore.',
  });
}

/** Durable key of a target: `Invoice/AR004711`. */
export const targetKey = (type: string, ref: string): string => `${type}/${ref}`;

export function parseTarget(target: string): { readonly type: string; readonly ref: string } {
  const slash = target.indexOf('/');
  return { type: target.slice(0, slash), ref: target.slice(slash + 1) };
}
