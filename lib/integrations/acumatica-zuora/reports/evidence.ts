import type { Link, LinkState, Posting } from '../../../contracts/link.ts';
import type { CalendarDate } from '../../../values/calendar-date.ts';
import { type Decimal, negate } from '../../../values/decimal.ts';
import type { Currency } from '../../../values/money.ts';
import { type ArDraft, arDraftSchema, parseTarget } from '../ar-draft.ts';
import { memberOf } from '../flows/shared.ts';
import { moneyDraftSchema } from '../money-draft.ts';
import { standingOf } from '../standing.ts';
import { arReversalSchema } from '../targets/ar-reversal.ts';

/** What both systems and the links say about one document, in the form the sections of the report compare. Pure. */

export const kinds = ['invoice', 'debit memo', 'credit memo', 'payment', 'refund'] as const;
export type Kind = (typeof kinds)[number];

/** A posted or processed document of Zuora. Amounts as Zuora writes them. */
export interface ZuoraDocument {
  readonly key: string;
  readonly kind: Kind;
  readonly number: string;
  readonly accountId: string;
  readonly batch: string | undefined;
  readonly date: CalendarDate;
  readonly currency: Currency;
  readonly amount: Decimal;
  /** What is still open: a balance, or unapplied money. */
  readonly open: Decimal;
  readonly updatedAt: Date;
  readonly gateway: string | undefined;
  readonly methodType: string | undefined;
}

/** One document we wrote, as it was meant. */
export interface Booking {
  readonly target: string;
  readonly type: string;
  readonly ref: string;
  readonly marker: string;
  readonly amount: Decimal;
  readonly currency: Currency;
  readonly date: CalendarDate;
  /** `YYYYMM`, when it was sent into another period than that of its date. */
  readonly period: string | undefined;
  /** Lines as meant, for documents of form AR301000. */
  readonly document: ArDraft | undefined;
  readonly cashAccount: string | undefined;
}

/** A link as the report sees it. */
export interface Entry {
  readonly key: string;
  readonly flow: string;
  readonly label: string;
  readonly state: LinkState;
  readonly note: string | undefined;
  readonly trouble: string | undefined;
  /** Zuora id of the account, as far as the link knows it. */
  readonly accountId: string | undefined;
  /** The document that stands in the books for it now. */
  readonly booked: Booking | undefined;
  /** Reversed generations and their reversals: they cancel each other out. */
  readonly pairs: readonly (readonly [Booking, Booking | undefined])[];
}

export function entryOf(link: Link): Entry {
  const flow = link.origin.flow.slice(link.origin.flow.indexOf('.') + 1);
  const postings = link.postings ?? [];
  const { latest, undone } = standingOf(link);
  const posts = postings.filter((posting) => posting.kind === 'post');
  const undoneOnes = posts.filter((posting) => posting !== latest || undone);
  return {
    key: link.origin.key,
    flow,
    label: link.label ?? link.origin.key,
    state: link.state,
    note: link.note,
    trouble: link.trouble?.cause,
    accountId: memberOf(link.base, 'accountId') ?? memberOf(latest?.draft, 'accountId'),
    booked: latest !== undefined && !undone && latest.stage === 'posted' ? bookingOf(latest) : undefined,
    pairs: undoneOnes.flatMap((posting): readonly (readonly [Booking, Booking | undefined])[] => {
      const booking = bookingOf(posting);
      const reversal = postings.find((other) => other.kind === 'reversal' && other.generation === posting.generation);
      return booking === undefined ? [] : [[booking, reversal === undefined ? undefined : bookingOf(reversal)]];
    }),
  };
}

function bookingOf(posting: Posting): Booking | undefined {
  const { target, draft, marker } = posting;
  if (target === undefined) return undefined;
  const key = { target, ...parseTarget(target), marker };
  const reversal = arReversalSchema.safeParse(draft);
  const document = arDraftSchema.safeParse(reversal.success ? reversal.data.document : draft);
  if (document.success) {
    const { total, currency, date, postPeriod } = document.data;
    const period = postPeriod === undefined ? undefined : `${postPeriod.slice(2)}${postPeriod.slice(0, 2)}`;
    return { ...key, amount: total, currency, date, period, document: document.data, cashAccount: undefined };
  }
  const money = moneyDraftSchema.safeParse(draft);
  if (!money.success) return undefined;
  const { amount, currency, date } = money.data;
  const cashAccount = money.data.way === 'receipt' ? money.data.cashAccount : undefined;
  return { ...key, amount, currency, date, period: undefined, document: undefined, cashAccount };
}

/** Every document that is ours, whichever generation. */
export function ourTargets(entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  const ours = new Map<string, Entry>();
  for (const entry of entries) {
    for (const booking of [entry.booked, ...entry.pairs.flat()]) if (booking !== undefined) ours.set(booking.target, entry);
  }
  return ours;
}

/** Documents that we voided to book a refund: they are Voided there and count here, the refund stands beside them. */
export function voidedForRefunds(entries: Iterable<Entry>): ReadonlySet<string> {
  const voided = new Set<string>();
  for (const { booked } of entries) if (booked?.type.startsWith('Voided ')) voided.add(booked.target.slice('Voided '.length));
  return voided;
}

/** How a document moves what a customer owes: invoices up, money down. */
export function owed(kind: Kind, amount: Decimal): Decimal {
  return kind === 'credit memo' || kind === 'payment' ? negate(amount) : amount;
}

export interface Rules {
  readonly now: Date;
  readonly startFrom: CalendarDate;
  readonly excludeBatches: readonly string[];
}

/** A document that changed this recently may simply be on its way. */
const onItsWayMs = 60 * 60_000;

/** Why a document of Zuora does not stand in the books: exactly one cause, or undefined when nothing explains it. */
export function whyNotBooked(
  document: Pick<ZuoraDocument, 'date' | 'batch' | 'updatedAt'>,
  entry: Entry | undefined,
  rules: Rules,
): string | undefined {
  switch (entry?.state) {
    case 'held':
      return `held: ${entry.trouble ?? 'unknown'}`;
    case 'waiting':
      return `waiting: ${entry.trouble ?? 'unknown'}`;
    case 'filtered':
      return entry.note === 'before-start' ? 'before startFrom' : `filtered: ${entry.note ?? 'unknown'}`;
    case 'new':
    case 'working':
      return 'in flight';
    case 'gone':
      return 'source-vanished';
    case 'synced':
    case undefined:
      if (document.date < rules.startFrom) return 'before startFrom';
      if (document.batch !== undefined && rules.excludeBatches.includes(document.batch)) return 'filtered: excluded-batch';
      return rules.now.getTime() - document.updatedAt.getTime() < onItsWayMs ? 'in flight' : undefined;
  }
}

/** What a hold or wait says about a record that is booked and still differs. */
export function openTrouble(entry: Entry): string | undefined {
  if (entry.state === 'held') return `held: ${entry.trouble ?? 'unknown'}`;
  if (entry.state === 'waiting') return `waiting: ${entry.trouble ?? 'unknown'}`;
  return entry.state === 'working' || entry.state === 'new' ? 'in flight' : undefined;
}
