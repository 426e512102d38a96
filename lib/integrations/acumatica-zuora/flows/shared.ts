import type { Memory, Move, Reference } from '../../../contracts/flow.ts';
import type { Link } from '../../../contracts/link.ts';
import { Failure } from '../../../failures.ts';
import type { CalendarDate } from '../../../values/calendar-date.ts';
import type { PairContext } from '../context.ts';
import type { CustomerCard } from '../customer-card.ts';
import { hold } from '../holds.ts';
import { standingOf } from '../standing.ts';

/** Decisions and look-ups that all document flows of this pair share. */

export const flowKeys = { customers: 'customers', invoices: 'invoices', creditMemos: 'credit-memos', payments: 'payments' } as const;

export function customerReference(accountId: string, accountNumber: string | undefined, name = 'customer'): Reference {
  return {
    name,
    flow: flowKeys.customers,
    side: 'b',
    key: accountId,
    label: `customer ${accountNumber ?? accountId}`,
    // A customer whose address is in dispute takes documents all the same; one that nobody needed so far is made now.
    linked: true,
    askedPast: leftOutUntilAsked,
  };
}

/** Rules by which `customers` leaves an account out until a document of it comes. */
export const leftOutUntilAsked: readonly string[] = ['on-demand', 'status:Draft', 'status:Canceled'];

/** CustomerID of a customer link; a link that was left out has none. */
export function customerIdOf(link: Link | undefined, number: string, accountNumber: string): string {
  const id = link?.keys.a;
  if (id !== undefined) return id;
  throw hold(
    `no-customer:${accountNumber}`,
    `${number} belongs to ${accountNumber}, which has no customer in Acumatica${link?.note === undefined ? '' : ` (${link.note})`}.`,
    `Link ${accountNumber} to a customer, or let customers.create make one; then replay.`,
  );
}

export interface CardAsk {
  /** Record key the card is for. */
  readonly key: string;
  readonly customerId: string;
  readonly accountNumber: string;
  /** A look at the card that throws when it is not good enough to go on: then it is read afresh once. */
  readonly check?: (card: CustomerCard) => void;
}

/** Customers as Acumatica shows them, from memory where young; a card that would lead to a hold is read again before it is believed. */
export async function fetchCards(context: PairContext, asks: readonly CardAsk[]): Promise<ReadonlyMap<string, CustomerCard | Failure>> {
  const cards = await context.customers(asks);
  const doubtful = asks.filter((ask) => {
    const card = cards.get(ask.customerId);
    return card === undefined || !passes(ask, card);
  });
  const again = doubtful.length === 0 ? new Map<string, CustomerCard>() : await context.customers(doubtful, { fresh: true });
  return new Map(
    asks.map((ask): [string, CustomerCard | Failure] => {
      const card = again.get(ask.customerId) ?? cards.get(ask.customerId);
      return [
        ask.key,
        card ??
          hold(
            'deleted-in-acumatica',
            `Customer ${ask.customerId} of ${ask.accountNumber} no longer exists in Acumatica, and no other has ${ask.accountNumber} as AccountRef.`,
            `Restore it, or link ${ask.accountNumber} to another customer; then replay.`,
          ),
      ];
    }),
  );
}

/** The cards of a whole batch in the fewest calls, so that the look at each record finds its own at hand. */
export async function readPayers(
  context: PairContext,
  payers: readonly { readonly customer: Link | undefined; readonly accountNumber: string }[],
): Promise<void> {
  await context.customers(
    payers.flatMap(({ customer, accountNumber }) => {
      const customerId = customer?.keys.a;
      return customerId === undefined ? [] : [{ customerId, accountNumber }];
    }),
  );
}

function passes(ask: CardAsk, card: CustomerCard): boolean {
  try {
    ask.check?.(card);
    return true;
  } catch {
    return false;
  }
}

export function vanished(label: string): Failure {
  return hold(
    'source-vanished',
    `${label} was posted to Acumatica and Zuora no longer shows it. Nothing was reversed.`,
    'Find out who deleted it in Zuora. Correct Acumatica by hand if needed, then release this hold with ignore.',
  );
}

/** What is to be done about a source whose state and content are known. The same rules serve documents, payments and refunds. */
export function decideByContent(ask: {
  readonly label: string;
  readonly memory: Memory;
  readonly corrections: 'auto' | 'hold';
  /** The source counts: Posted, Processed. Else `status` says what it is now. */
  readonly counts: boolean;
  readonly status: string;
  readonly content: string | undefined;
  /** Calendar date of the event, taken from the source's text. */
  readonly changedOn: CalendarDate;
  /** Rule of the filter for a source that never counted. */
  readonly never: string;
  settled(): Extract<Move, { do: 'settle' }>;
  contentOf(draft: unknown): string | undefined;
}): Move {
  const { memory, counts } = ask;
  const { latest, undone } = standingOf(memory);
  // An answer counts for the hold it was given to, not for what was booked after it.
  const answer = memory.trouble === undefined ? undefined : memory.decision;
  if (memory.decision === 'ignore') return { do: 'settle', outcome: 'noted', note: 'ignored' };
  if (latest === undefined || undone || (latest.stage === 'announced' && latest.target === undefined)) {
    if (!counts) return undone ? { do: 'settle', outcome: 'reversed', note: ask.status.toLowerCase() } : { do: 'filter', rule: ask.never };
    // A generation whose write was announced keeps its number: its document may still appear.
    const generation = (latest?.generation ?? 1) + (undone || answer === 'next-generation' ? 1 : 0);
    return { do: 'post', generation };
  }
  if (counts && answer === 'next-generation') return { do: 'post', generation: latest.generation + 1 };
  if (counts && ask.contentOf(latest.draft) === ask.content) {
    return latest.stage === 'posted' && answer !== 'recreate' ? ask.settled() : { do: 'post', generation: latest.generation };
  }
  const because = counts ? 'changed in Zuora' : `${ask.status} in Zuora`;
  if (ask.corrections === 'hold')
    throw hold(
      'correction',
      `${ask.label} is in Acumatica as ${latest.target ?? latest.marker} and was ${because}.`,
      'Correct Acumatica by hand and release this hold with ignore, or set corrections: auto.',
    );
  return { do: 'reverse', generation: latest.generation, on: ask.changedOn, because };
}

export function memberOf(draft: unknown, name: string): string | undefined {
  if (draft === null || typeof draft !== 'object') return undefined;
  const value: unknown = (draft as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : undefined;
}

/** The card of a record as `lookUp` brought it. */
export function found<Value>(value: unknown, name: string): Value {
  const part = value !== null && typeof value === 'object' ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  if (part === undefined) throw new Failure('Defect', { sentence: `The look-up of ${name} brought nothing.` });
  return part as Value;
}
