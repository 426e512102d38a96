import type { Memory, Move, PostFlow, Reference, Screen } from '../../../contracts/flow.ts';
import { asFailure, type Failure } from '../../../failures.ts';
import { isZero } from '../../../values/decimal.ts';
import { fingerprint, type Json } from '../../../values/json.ts';
import {
  applicationsOf,
  checkOwners,
  documentReferences,
  fetchWanted,
  findOldDocuments,
  isBeforeCutover,
  otherOwners,
  type Wanted,
} from '../applied-documents.ts';
import { targetKey } from '../ar-draft.ts';
import { type DesiredRow, type MoneySource, moneySourceSchema } from '../canonical.ts';
import type { PairContext } from '../context.ts';
import { hold } from '../holds.ts';
import { desiredPrint, isFullyRefunded } from '../maps/zuora-money-to-ar-payment.ts';
import { numberOf, sameText } from '../markers.ts';
import { asJson, receiptDraftSchema } from '../money-draft.ts';
import { named } from '../sources/by-number.ts';
import { type AccountFacts, accountMissing, fetchAccounts, isExcluded } from '../sources/documents.ts';
import { applicationFeed, fetchDesired, fetchPaymentsAndMemos, memoFeed, paymentFeed } from '../sources/money.ts';
import { bookedTarget, standingOf } from '../standing.ts';
import { type ApplicationsDraft, applicationsTarget } from '../targets/applications.ts';
import { cardsByKey } from './payments.ts';
import { type CardAsk, customerIdOf, customerReference, fetchCards, flowKeys, found, memberOf } from './shared.ts';

/** A payment or credit memo with everything Zuora wants it applied to now. */
export interface ApplicationsRecord {
  readonly source: MoneySource;
  readonly account: AccountFacts;
  readonly excluded: boolean;
  readonly wanted: readonly Wanted[];
}

type ApplicationsFlow = PostFlow<MoneySource, ApplicationsRecord, ApplicationsDraft, PairContext>;

export const applications: ApplicationsFlow = {
  id: 'applications',
  kind: 'post',
  summary: 'Money of payments and credit memos is applied in Acumatica to the documents it is applied to in Zuora, also later.',
  from: 'b',
  wakes: { webhooks: ['PaymentProcessed', 'CreditMemoPosted'], pollNow: ['PaymentRunCompletion'], poll: 15 },
  source: {
    feeds: () => [paymentFeed, memoFeed, applicationFeed('payment-applications'), applicationFeed('credit-memo-applications')],
    rows: fetchPaymentsAndMemos,
    named: named('payments', 'credit-memos'),
    row: moneySourceSchema,
    describe: (source) => ({ key: source.id, label: source.number, header: headerPrint(source) }),
  },
  screen,
  gather,
  decide,
  references,
  lookUp,
  map,
  remember: (record) => asJson({ number: record.source.number, rows: record.wanted.map(({ docId, amount }) => ({ docId, amount })) }),
  target: applicationsTarget(),
};

const counts = (source: MoneySource): boolean => source.status === (source.object === 'payment' ? 'Processed' : 'Posted');

/** Two histories of one document make two texts; which of them is the present state is found out in `gather`. */
function headerPrint(source: MoneySource): string {
  const rows = source.rows.map((row) => JSON.stringify([row.docId, row.amount, row.date])).sort();
  return fingerprint({
    counts: counts(source),
    account: source.accountId,
    applied: source.applied,
    refunded: isFullyRefunded(source),
    rows,
  });
}

function screen(row: MoneySource | undefined, memory: Memory | undefined, _context: PairContext): Screen {
  const seen = (memory?.postings ?? []).length > 0;
  if (row === undefined || seen) return { is: 'go' };
  if (row.standalone) return { is: 'filtered', rule: 'standalone' };
  if (!counts(row)) return { is: 'filtered', rule: `status:${row.status}` };
  // Without Invoice Settlement there is no applied amount: then only the InvoicePayment rows tell.
  if (row.rows.length === 0 && row.applied !== undefined && isZero(row.applied)) return { is: 'settled', outcome: 'unchanged' };
  return { is: 'go' };
}

async function gather(context: PairContext, rows: readonly MoneySource[]): Promise<ReadonlyMap<string, ApplicationsRecord | Failure>> {
  await context.loadBooks(rows.flatMap((row) => [row.date, ...row.rows.flatMap((each) => each.date ?? [])]));
  const accounts = await fetchAccounts(
    context,
    rows.map((row) => row.accountId),
  );
  const results = new Map<string, ApplicationsRecord | Failure>();
  const desired = new Map<string, readonly DesiredRow[]>();
  for (const row of rows) {
    try {
      desired.set(row.id, counts(row) ? await fetchDesired(context, row) : []);
    } catch (thrown) {
      results.set(row.id, asFailure(thrown));
    }
  }
  const wanted = await fetchWanted(context, desired);
  for (const source of rows) {
    const account = accounts.get(source.accountId);
    if (results.has(source.id)) continue;
    results.set(
      source.id,
      account === undefined
        ? accountMissing(source.number, source.accountId)
        : { source, account, excluded: isExcluded(context, account), wanted: wanted.get(source.id) ?? [] },
    );
  }
  return results;
}

/** What is to be applied, and whether it is left to a void. */
function contentOf({ source, wanted }: ApplicationsRecord, context: PairContext): string {
  return fingerprint({ rows: desiredPrint(wanted), counts: counts(source), void: leftToVoid(source, context) });
}

function leftToVoid(source: MoneySource, context: PairContext): boolean {
  if (source.object !== 'payment') return false;
  return !counts(source) || (isFullyRefunded(source) && context.settings.refundOfApplied === 'void');
}

function decide(record: ApplicationsRecord, memory: Memory, context: PairContext): Move {
  const { source, wanted } = record;
  const { latest } = standingOf(memory);
  if (memory.decision === 'ignore') return { do: 'settle', outcome: 'noted', note: 'ignored' };
  if (record.excluded && latest === undefined) return { do: 'filter', rule: 'excluded-batch' };
  if (source.object === 'credit-memo' && !counts(source)) return { do: 'settle', outcome: 'noted', note: source.status.toLowerCase() };
  const allOld = wanted.every((row) => row.document !== undefined && isBeforeCutover(row.document.date, context));
  if (latest === undefined && isBeforeCutover(source.date, context) && allOld) return { do: 'filter', rule: 'before-start' };
  if (latest?.stage === 'posted') {
    if (memberOf(latest.draft, 'content') === contentOf(record, context)) return { do: 'settle', outcome: 'unchanged' };
    return { do: 'post', generation: latest.generation + 1 };
  }
  return { do: 'post', generation: latest?.generation ?? 1 };
}

function references(record: ApplicationsRecord, _move: Move, context: PairContext): readonly Reference[] {
  const { source, account, wanted } = record;
  const flow = source.object === 'payment' ? flowKeys.payments : flowKeys.creditMemos;
  // What comes last is named first: one wait instead of three.
  return [
    ...(isBeforeCutover(source.date, context)
      ? []
      : [{ name: 'source', flow, side: 'b' as const, key: source.id, label: `${source.object} ${source.number}` }]),
    customerReference(source.accountId, account.number),
    ...otherOwners(wanted, source.accountId).map((owner) => customerReference(owner, undefined, `owner:${owner}`)),
    ...documentReferences(wanted, context),
  ];
}

async function lookUp(
  context: PairContext,
  asks: Parameters<NonNullable<ApplicationsFlow['lookUp']>>[1],
): Promise<ReadonlyMap<string, Json | Failure>> {
  const results = new Map<string, Json | Failure>();
  for (const { source: record, links } of asks) {
    const { source, account, wanted } = record;
    try {
      const customerId = customerIdOf(links.get('customer'), source.number, account.number);
      const owners: CardAsk[] = otherOwners(wanted, source.accountId).map((owner) => ({
        key: owner,
        customerId: customerIdOf(links.get(`owner:${owner}`), source.number, owner),
        accountNumber: owner,
      }));
      const oldSource = isBeforeCutover(source.date, context) ? await findOldSource(context, source, customerId) : undefined;
      results.set(
        source.id,
        asJson({
          customerId,
          owners: cardsByKey(await fetchCards(context, owners)),
          old: await findOldDocuments(context, wanted, customerId),
          ...(oldSource === undefined ? {} : { oldSource }),
        }),
      );
    } catch (thrown) {
      results.set(source.id, asFailure(thrown));
    }
  }
  return results;
}

/** A payment or memo older than the cut-over, carried into Acumatica with its Zuora number. */
async function findOldSource(context: PairContext, source: MoneySource, customer: string): Promise<string> {
  const number = numberOf(context.settings.markerPrefix, source.number);
  const hits =
    source.object === 'payment'
      ? (await context.acumatica.findMany('Payment', 'PaymentRef', [number], 'Payment')).filter((row) => sameText(row.CustomerID, customer))
      : (await context.acumatica.findMany('Invoice', 'CustomerOrder', [number], 'Credit Memo')).filter((row) =>
          sameText(row.Customer, customer),
        );
  const [only] = hits;
  if (only !== undefined && hits.length === 1) return targetKey(only.Type, only.ReferenceNbr);
  throw hold(
    'pre-cutover-source',
    `${source.number} of ${source.date} is older than startFrom and is applied to newer documents; Acumatica has ${hits.length === 0 ? 'no' : 'several'} ${source.object === 'payment' ? 'payment' : 'credit memo'} with that number.`,
    `Put ${source.number} into the reference of its opening balance in Acumatica, then replay.`,
  );
}

function map(
  record: ApplicationsRecord,
  move: Extract<Move, { do: 'post' }>,
  given: Parameters<ApplicationsFlow['map']>[2],
): ApplicationsDraft {
  const { source, account, wanted } = record;
  const { links, context } = given;
  const customerId = found<string>(given.found, 'customerId');
  checkOwners({
    number: source.number,
    payerAccount: source.accountId,
    payer: customerId,
    rows: wanted,
    owners: found(given.found, 'owners'),
  });
  const link = links.get('source');
  const target = link === undefined ? memberOf(given.found, 'oldSource') : bookedTarget(link);
  const number = numberOf(context.settings.markerPrefix, source.number);
  if (link?.state === 'filtered' && counts(source) && wanted.length > 0)
    throw hold(
      `source-left-out:${source.number}`,
      `${source.number} is applied in Zuora and is not in Acumatica (${link.note ?? 'left out'}).`,
      `Let ${source.number} move, or release this hold with ignore.`,
    );
  const posted = link === undefined ? undefined : receiptDraftSchema.safeParse(standingOf(link).latest?.draft).data;
  return {
    marker: `${number}#${move.generation}`,
    number: source.number,
    ...(target === undefined ? {} : { target }),
    currency: source.currency ?? account.currency,
    applications: [
      ...applicationsOf(wanted, { sourceNumber: source.number, sourceDate: source.date, links, old: found(given.found, 'old'), context }),
    ],
    agreed: move.generation === 1 && posted?.complete === true && posted.desired === desiredPrint(wanted),
    leftToVoid: leftToVoid(source, context),
    content: contentOf(record, context),
  };
}
