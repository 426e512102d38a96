import type { Memory, Move, PostFlow, Reference, Reversal, Screen } from '../../../contracts/flow.ts';
import { asFailure, Failure } from '../../../failures.ts';
import { isPositive } from '../../../values/decimal.ts';
import type { Json } from '../../../values/json.ts';
import {
  applicationsOf,
  checkOwners,
  documentReferences,
  fetchWanted,
  findOldDocuments,
  type OldDocument,
  otherOwners,
  type Wanted,
} from '../applied-documents.ts';
import { parseTarget, postedDraft } from '../ar-draft.ts';
import { type DesiredRow, type MoneySource, moneySourceSchema } from '../canonical.ts';
import type { PairContext } from '../context.ts';
import type { CustomerCard } from '../customer-card.ts';
import { unknownValue } from '../holds.ts';
import { mapPayment, mapVoid, paymentContent, paymentPrint } from '../maps/zuora-money-to-ar-payment.ts';
import { sameText } from '../markers.ts';
import { asJson, type ReceiptDraft, receiptDraftSchema, type VoidDraft } from '../money-draft.ts';
import { named } from '../sources/by-number.ts';
import { type AccountFacts, accountMissing, fetchAccounts, isExcluded } from '../sources/documents.ts';
import { fetchDesired, fetchPayments, paymentFeed } from '../sources/money.ts';
import { standingOf } from '../standing.ts';
import { receiptTarget } from '../targets/receipt.ts';
import { isWithdrawn } from '../targets/release.ts';
import { voidTarget } from '../targets/void.ts';
import {
  type CardAsk,
  customerIdOf,
  customerReference,
  decideByContent,
  fetchCards,
  found,
  memberOf,
  readPayers,
  vanished,
} from './shared.ts';

/** A payment with what it pays. */
export interface PaymentRecord {
  readonly source: MoneySource;
  readonly account: AccountFacts;
  readonly excluded: boolean;
  readonly wanted: readonly Wanted[];
  /** The document it was posted as, when somebody, or a refund that was canceled since, voided that. */
  readonly voided: string | undefined;
}

type PaymentFlow = PostFlow<MoneySource, PaymentRecord, ReceiptDraft, PairContext>;

const withdrawn = ['Canceled', 'Error'];
const notYet = ['Draft', 'Processing', 'Posted'];

export const payments: PaymentFlow = {
  id: 'payments',
  kind: 'post',
  summary: 'A processed Zuora payment becomes a released AR payment of Acumatica, applied to the same documents.',
  from: 'b',
  wakes: { webhooks: ['PaymentProcessed'], pollNow: ['PaymentRunCompletion'], poll: 15 },
  source: {
    feeds: () => [paymentFeed],
    rows: fetchPayments,
    named: named('payments'),
    row: moneySourceSchema,
    describe: (source) => ({
      key: source.id,
      label: source.number,
      header: paymentPrint(source),
      ...(source.currency === undefined ? {} : { money: { amount: source.amount, currency: source.currency } }),
    }),
  },
  screen,
  gather,
  decide,
  references,
  lookUp,
  map,
  remember: ({ source, account }) => asJson({ ...source, rows: [], accountNumber: account.number }),
  target: receiptTarget(),
  reversal: paymentReversal(),
};

function screen(row: MoneySource | undefined, memory: Memory | undefined, context: PairContext): Screen {
  const { latest } = standingOf(memory ?? {});
  if (row === undefined) {
    if (latest !== undefined && memory?.decision !== 'ignore') throw vanished(latest.marker);
    return { is: 'go' };
  }
  if (latest !== undefined) return { is: 'go' };
  if (row.standalone) return { is: 'filtered', rule: 'standalone' };
  if (row.date < context.settings.startFrom) return { is: 'filtered', rule: 'before-start' };
  if (row.status === 'Canceled') return { is: 'filtered', rule: 'canceled-before-transfer' };
  if (row.status !== 'Processed') return { is: 'filtered', rule: `status:${row.status}` };
  if (!isPositive(row.amount)) return { is: 'filtered', rule: 'no-amount' };
  return { is: 'go' };
}

async function gather(
  context: PairContext,
  rows: readonly MoneySource[],
  memories: ReadonlyMap<string, Memory>,
): Promise<ReadonlyMap<string, PaymentRecord | Failure>> {
  await context.loadBooks(rows.flatMap((row) => [row.date, row.updatedAt.slice(0, 10), ...row.rows.flatMap((each) => each.date ?? [])]));
  const accounts = await fetchAccounts(
    context,
    rows.map((row) => row.accountId),
  );
  const results = new Map<string, PaymentRecord | Failure>();
  const desired = new Map<string, readonly DesiredRow[]>();
  for (const row of rows) {
    try {
      desired.set(row.id, row.status === 'Processed' ? await fetchDesired(context, row) : []);
    } catch (thrown) {
      results.set(row.id, asFailure(thrown));
    }
  }
  const wanted = await fetchWanted(context, desired);
  const voided = await fetchVoided(context, rows, memories);
  for (const source of rows) {
    const account = accounts.get(source.accountId);
    if (results.has(source.id)) continue;
    results.set(
      source.id,
      account === undefined
        ? accountMissing(source.number, source.accountId)
        : {
            source,
            account,
            excluded: isExcluded(context, account),
            wanted: wanted.get(source.id) ?? [],
            voided: voided.get(source.id),
          },
    );
  }
  return results;
}

/** Payments that are posted here and voided there. Asked only for those whose row changed since, which is rare. */
async function fetchVoided(
  context: PairContext,
  rows: readonly MoneySource[],
  memories: ReadonlyMap<string, Memory>,
): Promise<ReadonlyMap<string, string>> {
  const asks = rows.flatMap((row) => {
    const memory = memories.get(row.id);
    const { latest, undone } = standingOf(memory ?? {});
    const changed = memory?.header !== undefined && memory.header !== paymentPrint(row);
    return changed && row.status === 'Processed' && latest?.stage === 'posted' && latest.target !== undefined && !undone
      ? [{ id: row.id, target: latest.target, ref: parseTarget(latest.target).ref }]
      : [];
  });
  if (asks.length === 0) return new Map();
  const states = await context.acumatica.readStatus(
    'Payment',
    'Payment',
    asks.map((ask) => ask.ref),
  );
  const isVoided = (ref: string) => isWithdrawn(states.find((state) => sameText(state.ReferenceNbr, ref))?.Status);
  return new Map(asks.filter((ask) => isVoided(ask.ref)).map((ask) => [ask.id, ask.target]));
}

const currencyOf = ({ source, account }: Pick<PaymentRecord, 'source' | 'account'>): string => source.currency ?? account.currency;

function decide(record: PaymentRecord, memory: Memory, context: PairContext): Move {
  const { source } = record;
  const { latest, undone } = standingOf(memory);
  if (record.excluded && latest === undefined) return { do: 'filter', rule: 'excluded-batch' };
  const counts = source.status === 'Processed';
  if (!counts && !withdrawn.includes(source.status) && !notYet.includes(source.status))
    throw unknownValue('status', source.status, source.number);
  const content = paymentContent(source, currencyOf(record));
  // A refund voided it and was itself canceled: the payment counts again. While it is refunded in full the void stands.
  const revived = counts && !isPositive(source.refunded) && latest?.stage === 'posted' && !undone && record.voided === latest.target;
  if (revived && memberOf(latest.draft, 'content') === content) return { do: 'post', generation: latest.generation + 1 };
  if (latest !== undefined && !undone && notYet.includes(source.status)) throw unknownValue('status', source.status, source.number);
  return decideByContent({
    label: source.number,
    memory,
    corrections: context.settings.corrections,
    counts,
    status: source.status,
    content,
    changedOn: source.updatedAt.slice(0, 10),
    never: source.status === 'Canceled' ? 'canceled-before-transfer' : `status:${source.status}`,
    settled: () => ({ do: 'settle', outcome: 'unchanged' }),
    contentOf: (draft) => memberOf(draft, 'content'),
  });
}

function references(record: PaymentRecord, move: Move, context: PairContext): readonly Reference[] {
  if (move.do !== 'post') return [];
  const { source, account, wanted } = record;
  // What comes last is named first: one wait instead of two.
  return [
    ...documentReferences(wanted, context),
    customerReference(source.accountId, account.number),
    ...otherOwners(wanted, source.accountId).map((owner) => customerReference(owner, undefined, `owner:${owner}`)),
  ];
}

async function lookUp(
  context: PairContext,
  asks: Parameters<NonNullable<PaymentFlow['lookUp']>>[1],
): Promise<ReadonlyMap<string, Json | Failure>> {
  const results = new Map<string, Json | Failure>();
  await readPayers(
    context,
    asks.map(({ source, links }) => ({ customer: links.get('customer'), accountNumber: source.account.number })),
  );
  for (const { source: record, move, links } of asks) {
    const { source, account, wanted } = record;
    try {
      if (move.do !== 'post') {
        results.set(source.id, {});
        continue;
      }
      const customerId = customerIdOf(links.get('customer'), source.number, account.number);
      const cards: CardAsk[] = [{ key: 'payer', customerId, accountNumber: account.number }];
      for (const owner of otherOwners(wanted, source.accountId)) {
        const link = links.get(`owner:${owner}`);
        cards.push({ key: owner, customerId: customerIdOf(link, source.number, owner), accountNumber: owner });
      }
      const { payer, ...owners } = cardsByKey(await fetchCards(context, cards));
      const old: Readonly<Record<string, OldDocument>> = await findOldDocuments(context, wanted, customerId);
      results.set(source.id, asJson({ card: payer, owners, old }));
    } catch (thrown) {
      results.set(source.id, asFailure(thrown));
    }
  }
  return results;
}

/** Cards by key; a missing one is thrown. */
export function cardsByKey(cards: ReadonlyMap<string, CustomerCard | Failure>): Readonly<Record<string, CustomerCard>> {
  const plain: Record<string, CustomerCard> = {};
  for (const [key, card] of cards) {
    if (card instanceof Failure) throw card;
    plain[key] = card;
  }
  return plain;
}

function map(record: PaymentRecord, move: Extract<Move, { do: 'post' }>, given: Parameters<PaymentFlow['map']>[2]): ReceiptDraft {
  const { source, account, wanted } = record;
  const { context, links } = given;
  const customer = found<CustomerCard>(given.found, 'card');
  checkOwners({
    number: source.number,
    payerAccount: source.accountId,
    payer: customer.id,
    rows: wanted,
    owners: found(given.found, 'owners'),
  });
  const applications = applicationsOf(wanted, {
    sourceNumber: source.number,
    sourceDate: source.date,
    links,
    old: found(given.found, 'old'),
    context,
  });
  return mapPayment(source, {
    generation: move.generation,
    customer,
    currency: source.currency ?? account.currency,
    settings: context.settings,
    books: context.books(),
    desired: wanted,
    applications,
  });
}

function paymentReversal(): Reversal<PaymentRecord, PairContext, VoidDraft> {
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
    target: voidTarget(),
  };
}
