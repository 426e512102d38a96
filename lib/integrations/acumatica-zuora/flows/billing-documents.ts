import type { Memory, Move, PostFlow, Reference, Reversal, Screen } from '../../../contracts/flow.ts';
import { asFailure, Failure } from '../../../failures.ts';
import { latest } from '../../../values/calendar-date.ts';
import { isZero } from '../../../values/decimal.ts';
import type { Json } from '../../../values/json.ts';
import { countsFrom } from '../applied-documents.ts';
import { type ArDraft, arDraftSchema, postedDraft } from '../ar-draft.ts';
import { type DocumentHeader, documentHeaderSchema } from '../canonical.ts';
import type { PairContext } from '../context.ts';
import type { CustomerCard } from '../customer-card.ts';
import { unknownValue } from '../holds.ts';
import {
  checkCurrency,
  checkCustomer,
  contentPrint,
  documentHeaderPrint,
  mapDocument,
  mapReversal,
} from '../maps/zuora-document-to-ar-document.ts';
import { type DocumentSource, gatherDocuments } from '../sources/documents.ts';
import { standingOf } from '../standing.ts';
import { arDocumentTarget } from '../targets/ar-document.ts';
import { type ArReversal, arReversalTarget, reversalOf } from '../targets/ar-reversal.ts';
import { customerIdOf, customerReference, decideByContent, fetchCards, found, memberOf, vanished } from './shared.ts';

/** Invoices, debit memos and credit memos take one way; their flows differ in what they read and listen to. */

export type DocumentFlow = PostFlow<DocumentHeader, DocumentSource, ArDraft, PairContext>;

const known = { posted: 'Posted', withdrawn: ['Draft', 'Canceled'] };

export const describeDocument: DocumentFlow['source']['describe'] = (header) => ({
  key: header.id,
  label: header.number,
  header: documentHeaderPrint(header),
  ...(header.currency === undefined ? {} : { money: { amount: header.total, currency: header.currency } }),
});

export const documentRow = documentHeaderSchema;

export function screenDocument(row: DocumentHeader | undefined, memory: Memory | undefined, context: PairContext): Screen {
  const { latest: posted } = standingOf(memory ?? {});
  if (row === undefined) {
    if (posted !== undefined && memory?.decision !== 'ignore') throw vanished(memory?.postings?.[0]?.marker ?? 'A document');
    return { is: 'go' };
  }
  if (posted !== undefined) return { is: 'go' };
  if (row.date < context.settings.startFrom) return { is: 'filtered', rule: 'before-start' };
  if (row.status !== known.posted) return { is: 'filtered', rule: `status:${row.status}` };
  return { is: 'go' };
}

export const gatherAll: DocumentFlow['gather'] = (context, rows) => gatherDocuments(context, rows);

export function decideDocument(source: DocumentSource, memory: Memory, context: PairContext): Move {
  const { header, document } = source;
  const { latest: posted } = standingOf(memory);
  if (source.excluded && posted === undefined) return { do: 'filter', rule: 'excluded-batch' };
  if (document !== undefined && posted === undefined && isNothing(source)) return { do: 'filter', rule: 'zero' };
  if (header.status !== known.posted && !known.withdrawn.includes(header.status))
    throw unknownValue('status', header.status, header.number);
  return decideByContent({
    label: header.number,
    memory,
    corrections: context.settings.corrections,
    counts: header.status === known.posted,
    status: header.status,
    content: document === undefined ? undefined : contentPrint(document),
    changedOn: header.updatedAt.slice(0, 10),
    never: `status:${header.status}`,
    settled: () => settledAs(header, memory),
    contentOf: (draft) => memberOf(draft, 'content'),
  });
}

function isNothing({ document }: DocumentSource): boolean {
  return (
    document !== undefined &&
    isZero(document.total) &&
    document.lines.every((line) => isZero(line.net)) &&
    document.taxes.every((tax) => isZero(tax.amount))
  );
}

/** What moved although the ledger content is the same. */
function settledAs(header: DocumentHeader, memory: Memory): Extract<Move, { do: 'settle' }> {
  const base = memory.base as { readonly reversed?: boolean; readonly postedAt?: string } | undefined;
  if (header.reversed && base?.reversed !== true) return { do: 'settle', outcome: 'noted', note: 'reversed' };
  if (base !== undefined && base.postedAt !== header.postedAt) return { do: 'settle', outcome: 'noted', note: 'reposted' };
  return { do: 'settle', outcome: 'unchanged' };
}

export function documentReferences(source: DocumentSource, move: Move): readonly Reference[] {
  return move.do === 'post' ? [customerReference(source.header.accountId, source.account.number)] : [];
}

export const lookUpDocuments: NonNullable<DocumentFlow['lookUp']> = async (context, asks) => {
  const results = new Map<string, Json | Failure>();
  const cards = [];
  for (const { source, move, links } of asks) {
    if (move.do !== 'post') {
      results.set(source.header.id, {});
      continue;
    }
    const { header, account } = source;
    try {
      cards.push({
        key: header.id,
        customerId: customerIdOf(links.get('customer'), header.number, account.number),
        accountNumber: account.number,
        check: (card: CustomerCard) => {
          checkCustomer(header.number, card);
          checkCurrency(header.number, header.currency ?? account.currency, card, context.settings, context.books());
        },
      });
    } catch (thrown) {
      results.set(header.id, asFailure(thrown));
    }
  }
  for (const [key, card] of await fetchCards(context, cards)) results.set(key, card instanceof Failure ? card : { card });
  return results;
};

export const mapOne: DocumentFlow['map'] = (source, move, { found: brought, context }) => {
  if (source.document === undefined) throw unknownValue('status', source.header.status, source.header.number);
  return mapDocument(source.document, {
    generation: move.generation,
    customer: found<CustomerCard>(brought, 'card'),
    settings: context.settings,
    books: context.books(),
  });
};

/** The link's base: what tells a later change from an echo. */
export const rememberDocument: DocumentFlow['remember'] = ({ header, document }) => ({
  ...header,
  content: document === undefined ? null : contentPrint(document),
});

export const documentTarget = arDocumentTarget();

export const documentReversal: Reversal<DocumentSource, PairContext, ArReversal> = {
  map: (_source, move, { posting, context }) => {
    const posted = postedDraft(arDraftSchema, posting);
    const document = mapReversal(posted, {
      generation: move.generation,
      on: latest(move.on, posted.date, ...countsFrom({ postings: [posting] }, context)),
      settings: context.settings,
      books: context.books(),
    });
    return reversalOf(posting, posted, document, document.date);
  },
  target: arReversalTarget(),
};
