import * as z from 'zod';
import { equal } from '../../lib/values/decimal.ts';
import type { Ready } from './runner-orders.ts';
import type { Booked, Callout, Invoice } from './vendors.ts';

/** What an auditor finds who knows both systems, the answers the webhooks got, and the audit. All but the first two read zero when all is well. */
export interface Verdict {
  readonly webhooks: number;
  /** Answered 200. */
  readonly accepted: number;
  /** Invoices that are not in the books. */
  readonly lost: number;
  /** Documents beyond the first for one invoice. */
  readonly duplicates: number;
  /** Booked with another amount, or not released. */
  readonly wrong: number;
  /** Accepted webhooks of which the audit does not tell how they ended. */
  readonly unaudited: number;
  /** The first of each, for whoever looks into it. */
  readonly examples: readonly string[];
}

export interface AuditLine {
  readonly record: string;
  readonly outcome: string;
  readonly correlation?: string | undefined;
}

const unfinished = new Set(['waiting', 'retried', 'planned', 'operator']);

export function judge(given: {
  readonly webhooks: number;
  readonly invoices: readonly Invoice[];
  readonly callouts: readonly Callout[];
  readonly booked: readonly Booked[];
  readonly audit: readonly AuditLine[];
}): Verdict {
  const examples: string[] = [];
  const count = { lost: 0, duplicates: 0, wrong: 0, unaudited: 0 };
  const note = (kind: keyof typeof count, what: string, many = 1): void => {
    if (count[kind] === 0) examples.push(`${kind}: ${what}`);
    count[kind] += many;
  };
  for (const { number, amount } of given.invoices) {
    // A later generation (`~2`) would be a second booking as well: nothing was corrected here.
    const own = given.booked.filter(({ customerOrder }) => customerOrder === number || customerOrder?.startsWith(`${number}~`) === true);
    const [first] = own;
    if (first === undefined) note('lost', number);
    else if (first.released !== true || first.type !== 'Invoice' || !equal(first.amount, amount))
      note(
        'wrong',
        `${number}: ${first.type} ${first.ref} ${first.amount}${first.released === true ? '' : ', not released'}, billed ${amount}`,
      );
    if (own.length > 1) note('duplicates', `${number}: ${own.map(({ ref }) => ref).join(', ')}`, own.length - 1);
  }
  const accepted = new Map(given.callouts.filter(({ state }) => state === 'delivered').map((one) => [one.notificationId, one.objectId]));
  const heardOf = new Set(given.audit.map(({ correlation }) => correlation));
  const ended = new Set(given.audit.filter(({ outcome }) => !unfinished.has(outcome)).map(({ record }) => record));
  for (const [notificationId, objectId] of accepted)
    if (!heardOf.has(notificationId) || !ended.has(`acumatica-zuora.invoices|b|${objectId}`))
      note('unaudited', `${notificationId} of ${objectId}`);
  return { webhooks: given.webhooks, accepted: accepted.size, ...count, examples };
}

const page = z.object({
  entries: z.array(z.object({ record: z.string(), outcome: z.string(), correlation: z.string().optional() })),
  before: z.string().optional(),
});

/** All of the audit of invoices, page by page, from the operation that people ask. The local gateway knows callers by their key. */
export async function fetchAudit({ apiUrl, region, operator }: Ready): Promise<readonly AuditLine[]> {
  const authorization = `AWS4-HMAC-SHA256 Credential=${operator.accessKeyId}/20260101/${region}/execute-api/aws4_request, SignedHeaders=host, Signature=x`;
  const lines: AuditLine[] = [];
  let before: string | undefined;
  do {
    const response = await fetch(`${apiUrl}/operations/audit`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({ flow: 'invoices', limit: 2000, before }),
    });
    if (!response.ok) throw new Error(`the audit could not be read: ${response.status} ${await response.text()}`);
    const answer = page.parse(await response.json());
    lines.push(...answer.entries);
    before = answer.before;
  } while (before !== undefined);
  return lines;
}
