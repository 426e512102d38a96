import type { Memory, Move, PostFlow, PostTarget, Reference, Reversal, Screen } from '../../../contracts/flow.ts';
import { asFailure, Failure } from '../../../failures.ts';
import { latest as latestOf } from '../../../values/calendar-date.ts';
import type { Json } from '../../../values/json.ts';
import { countsFrom, isBeforeCutover } from '../applied-documents.ts';
import { parseTarget, postedDraft } from '../ar-draft.ts';
import { type MoneySource, type RefundHeader, refundHeaderSchema } from '../canonical.ts';
import type { PairContext } from '../context.ts';
import type { CustomerCard } from '../customer-card.ts';
import { hold, unknownValue } from '../holds.ts';
import {
  mapRefund,
  mapRefundByVoid,
  mapVoid,
  type RefundedSource,
  refundContent,
  refundPrint,
  wayOfRefund,
} from '../maps/zuora-money-to-ar-payment.ts';
import { markerOf, numberOf, sameText } from '../markers.ts';
import { asJson, type MoneyDraft, receiptDraftSchema, type VoidDraft } from '../money-draft.ts';
import { named } from '../sources/by-number.ts';
import { type AccountFacts, accountMissing, fetchAccounts, isExcluded } from '../sources/documents.ts';
import { fetchMemoSources, fetchPayments, fetchRefunds, refundFeed } from '../sources/money.ts';
import { bookedTarget, standingOf } from '../standing.ts';
import { refundTarget } from '../targets/refund.ts';
import { voidTarget } from '../targets/void.ts';
import { customerIdOf, customerReference, decideByContent, fetchCards, flowKeys, found, memberOf, readPayers, vanished } from './shared.ts';

/** A refund with the payment or memo it gives money back of. */
export interface RefundRecord {
  readonly refund: RefundHeader;
  readonly account: AccountFacts;
  readonly excluded: boolean;
  readonly source: MoneySource | undefined;
  /** Sources beyond the first: one refund of several payments cannot be one document. */
  readonly sources: number;
  /** Other refunds of the same payment. */
  readonly otherRefunds: number;
}

type RefundFlow = PostFlow<RefundHeader, RefundRecord, MoneyDraft, PairContext>;

export const refunds: RefundFlow = {
  id: 'refunds',
  kind: 'post',
  summary: 'A processed Zuora refund becomes an AR refund, or the void of the payment it returns in full.',
  from: 'b',
  wakes: { webhooks: ['PaymentRefundProcessed', 'CreditMemoRefundProcessed'], poll: 15 },
  source: {
    feeds: () => [refundFeed],
    rows: fetchRefunds,
    named: named('refunds'),
    row: refundHeaderSchema,
    describe: (refund) => ({
      key: refund.id,
      label: refund.number,
      header: refundPrint(refund),
      ...(refund.currency === undefined ? {} : { money: { amount: refund.amount, currency: refund.currency } }),
    }),
  },
  screen,
  gather,
  decide,
  references,
  lookUp,
  map,
  remember: ({ refund, source }) => asJson({ ...refund, source: source?.number }),
  target: refundTarget(),
  reversal: refundReversal(),
};

const withdrawn = ['Canceled', 'Error'];

function screen(row: RefundHeader | undefined, memory: Memory | undefined, context: PairContext): Screen {
  const { latest } = standingOf(memory ?? {});
  if (row === undefined) {
    if (latest !== undefined && memory?.decision !== 'ignore') throw vanished(latest.marker);
    return { is: 'go' };
  }
  if (latest !== undefined) return { is: 'go' };
  if (row.date < context.settings.startFrom) return { is: 'filtered', rule: 'before-start' };
  if (row.status !== 'Processed') return { is: 'filtered', rule: `status:${row.status}` };
  return { is: 'go' };
}

async function gather(context: PairContext, rows: readonly RefundHeader[]): Promise<ReadonlyMap<string, RefundRecord | Failure>> {
  await context.loadBooks(rows.flatMap((row) => [row.date, row.updatedAt.slice(0, 10)]));
  const ids = rows.map((row) => row.id);
  const accounts = await fetchAccounts(
    context,
    rows.map((row) => row.accountId),
  );
  const parts = await context.zuora.fetchWhereIn('refund-applications', 'refundid', ids);
  const paymentIds = unique(parts.flatMap((part) => part.paymentId ?? []));
  const memoIds = unique(parts.flatMap((part) => part.creditMemoId ?? []));
  const sources = new Map<string, MoneySource>([
    ...(paymentIds.length === 0 ? [] : await fetchPayments(context, paymentIds)),
    ...(memoIds.length === 0 ? [] : await fetchMemoSources(context, memoIds)),
  ]);
  const ofPayments = paymentIds.length === 0 ? [] : await context.zuora.fetchWhereIn('refund-applications', 'paymentid', paymentIds);
  const results = new Map<string, RefundRecord | Failure>();
  for (const refund of rows) {
    const own = unique(parts.filter((part) => part.refundId === refund.id).flatMap((part) => part.paymentId ?? part.creditMemoId ?? []));
    const [first] = own;
    const account = accounts.get(refund.accountId);
    results.set(
      refund.id,
      account === undefined
        ? accountMissing(refund.number, refund.accountId)
        : {
            refund,
            account,
            excluded: isExcluded(context, account),
            source: first === undefined ? undefined : sources.get(first),
            sources: own.length,
            otherRefunds: unique(
              ofPayments.flatMap((part) => (part.paymentId === first && part.refundId !== refund.id ? (part.refundId ?? []) : [])),
            ).length,
          },
    );
  }
  return results;
}

const unique = (ids: readonly string[]): readonly string[] => [...new Set(ids)];
const currencyOf = ({ refund, account }: Pick<RefundRecord, 'refund' | 'account'>): string => refund.currency ?? account.currency;

function decide(record: RefundRecord, memory: Memory, context: PairContext): Move {
  const { refund } = record;
  const { latest, undone } = standingOf(memory);
  if (record.excluded && latest === undefined) return { do: 'filter', rule: 'excluded-batch' };
  const counts = refund.status === 'Processed';
  if (latest !== undefined && !counts && !withdrawn.includes(refund.status)) throw unknownValue('status', refund.status, refund.number);
  // The payment was voided for it: the flow `payments` posts the payment again, as its next generation.
  if (!counts && latest?.stage === 'posted' && !undone && memberOf(latest.draft, 'way') === 'void')
    return { do: 'settle', outcome: 'noted', note: 'payment-posted-again' };
  return decideByContent({
    label: refund.number,
    memory,
    corrections: context.settings.corrections,
    counts,
    status: refund.status,
    content: refundContent(refund, currencyOf(record)),
    changedOn: refund.updatedAt.slice(0, 10),
    never: `status:${refund.status}`,
    settled: () => ({ do: 'settle', outcome: 'unchanged' }),
    contentOf: (draft) => memberOf(draft, 'content'),
  });
}

function references(record: RefundRecord, move: Move, context: PairContext): readonly Reference[] {
  if (move.do !== 'post') return [];
  const { refund, account, source } = record;
  return [
    customerReference(refund.accountId, account.number),
    ...(source === undefined || isBeforeCutover(source.date, context)
      ? []
      : [
          {
            name: 'source',
            flow: source.object === 'payment' ? flowKeys.payments : flowKeys.creditMemos,
            side: 'b' as const,
            key: source.id,
            label: `${source.object} ${source.number}`,
          },
        ]),
  ];
}

type Found = { readonly card: CustomerCard; readonly source: RefundedSource; readonly free: string; readonly begun: boolean };

async function lookUp(
  context: PairContext,
  asks: Parameters<NonNullable<RefundFlow['lookUp']>>[1],
): Promise<ReadonlyMap<string, Json | Failure>> {
  const results = new Map<string, Json | Failure>();
  await readPayers(
    context,
    asks.map(({ source, links }) => ({ customer: links.get('customer'), accountNumber: source.account.number })),
  );
  for (const { source: record, move, links } of asks) {
    const { refund, account } = record;
    try {
      if (move.do !== 'post') {
        results.set(refund.id, {});
        continue;
      }
      const customerId = customerIdOf(links.get('customer'), refund.number, account.number);
      const card = (await fetchCards(context, [{ key: refund.id, customerId, accountNumber: account.number }])).get(refund.id);
      if (card === undefined || card instanceof Failure)
        throw card ?? new Failure('Defect', { sentence: 'A customer was asked for without an answer.' });
      const found = await findSource(context, record, bookedTarget(links.get('source') ?? {}));
      const source = { ...found, date: latestOf(found.date, ...countsFrom(links.get('source'), context)) };
      const marker = markerOf(numberOf(context.settings.markerPrefix, refund.number), move.generation);
      const begun = await context.acumatica.findMany('Payment', 'PaymentRef', [marker], 'Refund');
      results.set(refund.id, asJson({ card, source, free: await freeBalance(context, source), begun: begun.length > 0 } satisfies Found));
    } catch (thrown) {
      results.set(refund.id, asFailure(thrown));
    }
  }
  return results;
}

/** The payment or memo in Acumatica: by its link, or for one older than the cut-over by its number. */
async function findSource(context: PairContext, record: RefundRecord, target: string | undefined): Promise<RefundedSource> {
  const { refund, source } = record;
  if (source === undefined || record.sources !== 1)
    throw hold(
      'refund-source',
      `${refund.number} refunds ${record.sources === 0 ? 'nothing Zuora names' : 'several payments or memos'}; one AR refund needs one source.`,
      'Enter the refund by hand in Acumatica (AR302000), then release this hold with ignore.',
    );
  const docType = source.object === 'payment' ? ('Payment' as const) : ('Credit Memo' as const);
  if (target !== undefined) return { docType, ref: parseTarget(target).ref, number: source.number, date: source.date };
  if (isBeforeCutover(source.date, context)) {
    const number = numberOf(context.settings.markerPrefix, source.number);
    const hits =
      source.object === 'payment'
        ? await context.acumatica.findMany('Payment', 'PaymentRef', [number], 'Payment')
        : await context.acumatica.findMany('Invoice', 'CustomerOrder', [number], 'Credit Memo');
    const [only] = hits;
    if (only !== undefined && hits.length === 1) return { docType, ref: only.ReferenceNbr, number: source.number, date: source.date };
    throw hold(
      'pre-cutover-source',
      `${refund.number} refunds ${source.number} of ${source.date}, older than startFrom, which Acumatica does not have.`,
      `Put ${source.number} into the reference of its opening balance in Acumatica, then replay.`,
    );
  }
  throw hold(
    `source-left-out:${source.number}`,
    `${refund.number} refunds ${source.number}, which is not in Acumatica.`,
    `Let ${source.number} move, or enter the refund by hand and release this hold with ignore.`,
  );
}

async function freeBalance(context: PairContext, source: RefundedSource): Promise<string> {
  if (source.docType === 'Payment') return (await context.acumatica.findByKey('Payment', ['Payment', source.ref]))?.AvailableBalance ?? '0';
  const [memo] = await context.acumatica.readStatus('Invoice', 'Credit Memo', [source.ref]);
  return memo !== undefined && sameText(memo.Status, 'Voided') ? '0' : (memo?.Balance ?? '0');
}

function map(record: RefundRecord, move: Extract<Move, { do: 'post' }>, given: Parameters<RefundFlow['map']>[2]): MoneyDraft {
  const { refund, source } = record;
  const { context, memory } = given;
  const brought = {
    card: found<CustomerCard>(given.found, 'card'),
    source: found<RefundedSource>(given.found, 'source'),
    free: found<string>(given.found, 'free'),
  };
  const mapping = {
    generation: move.generation,
    customer: brought.card,
    currency: currencyOf(record),
    settings: context.settings,
    books: context.books(),
  };
  const way = wayOfRefund({
    amount: refund.amount,
    free: brought.free,
    sourceAmount: source?.amount ?? '0',
    isPayment: source?.object === 'payment',
    otherRefunds: record.otherRefunds,
    refundOfApplied: context.settings.refundOfApplied,
    begun: found<boolean>(given.found, 'begun') ? 'refund' : begunWay(memory, move.generation),
  });
  if (way === 'refund') return mapRefund(refund, brought.source, mapping);
  if (way === 'void') return mapRefundByVoid(refund, brought.source, mapping);
  throw hold(
    `refund-needs-unapply:${brought.source.number}/${refund.number}`,
    `${refund.number} refunds ${refund.amount} of ${brought.source.number}; in Acumatica only ${brought.free} of it is not applied. Nothing was written.`,
    `AR302000, ${brought.source.docType} ${brought.source.ref}, Application History: Reverse Application for ${refund.amount}, Release; then Replay.`,
  );
}

/** How this refund was begun, when a write of it was announced before. */
function begunWay(memory: Memory, generation: number): 'refund' | 'void' | undefined {
  const { latest } = standingOf(memory);
  if (latest?.generation !== generation || latest.target === undefined) return undefined;
  return memberOf(latest.draft, 'way') === 'void' ? 'void' : 'refund';
}

function refundReversal(): Reversal<RefundRecord, PairContext, VoidDraft> {
  const target: PostTarget<VoidDraft, PairContext> = voidTarget();
  return {
    map: (_record, move, { posting, context }) =>
      mapVoid(postedDraft(receiptDraftSchema, posting), {
        generation: move.generation,
        target: posting.target,
        marker: posting.marker,
        on: move.on,
        settings: context.settings,
        books: context.books(),
      }),
    target,
  };
}
