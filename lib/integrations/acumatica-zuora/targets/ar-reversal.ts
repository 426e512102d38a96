import * as z from 'zod';
import type { Confirmed, Located, Memory, PostTarget, Prepared, Step } from '../../../contracts/flow.ts';
import type { Posting } from '../../../contracts/link.ts';
import { asFailure, Failure } from '../../../failures.ts';
import { equal, isZero } from '../../../values/decimal.ts';
import type { InvoiceRow, PaymentRow } from '../../../vendors/acumatica/wire.ts';
import { amount } from '../../../vendors/acumatica/wrapping.ts';
import { type ArDraft, arDraftSchema, draftData, parseTarget, targetKey } from '../ar-draft.ts';
import type { PairContext } from '../context.ts';
import { duplicateInAcumatica, hold } from '../holds.ts';
import { sameText } from '../markers.ts';
import { arForm, looksAfterMs, parkArDocument, prepareArDocument } from './ar-document.ts';
import { verifyArDocument } from './ar-echo.ts';
import type { ArState } from './ar-locate.ts';
import { isReleased, isWithdrawn, readyToRelease, refusedWrite, runAction } from './release.ts';

/**
 * Takes a posted invoice or memo back: an unreleased one is deleted; a released one gets the opposite document, and the memo of the two is
 * applied in full to the other. Two releases at most, each found again by looking.
 */
export const arReversalSchema = z.object({
  original: z.object({ target: z.string().optional(), type: z.string(), marker: z.string(), number: z.string(), total: z.string() }),
  document: arDraftSchema,
  /** Not before either document. */
  applicationDate: z.string(),
});
export type ArReversal = z.infer<typeof arReversalSchema>;

type ReversalStep =
  | { readonly step: 'delete' }
  | { readonly step: 'create' }
  | ({ readonly step: 'release' } & ArState)
  | { readonly step: 'apply'; readonly memo: string; readonly to: string; readonly pending: boolean };

interface Ask {
  readonly draft: ArReversal;
  readonly posting?: Posting;
  readonly memory?: Memory;
}

const select = ['Type', 'ReferenceNbr', 'Customer', 'CustomerOrder', 'Amount', 'Balance', 'Date', 'Status', 'Description'] as const;

export function arReversalTarget(): PostTarget<ArReversal, PairContext> {
  return {
    marker: (draft) => draft.document.marker,
    money: (draft) => ({ amount: draft.document.total, currency: draft.document.currency }),
    sentence: (draft) => `Reversal of ${draft.original.target ?? draft.original.marker} by a ${draft.document.type}`,
    data: (draft) => ({ ...draft, document: draftData(draft.document) }),
    async locate(context, asks) {
      const located = new Map<string, Located | Failure>();
      for (const ask of asks) located.set(ask.draft.document.marker, await locateReversal(context, ask).catch(asFailure));
      return located;
    },
    prepare,
    verify: (draft, prepared) => {
      const echo = prepared.echo as Echo;
      if (echo.did === 'deleted') return [];
      if (echo.did === 'written') return verifyArDocument(draft.document, echo.row);
      const row = echo.row.DocumentsToApply?.find((each) => sameText(each.ReferenceNbr, parseTarget(echo.to).ref));
      return row?.AmountPaid !== undefined && equal(row.AmountPaid, draft.document.total)
        ? []
        : [{ field: 'AmountPaid', sent: draft.document.total, got: row?.AmountPaid ?? '(empty)' }];
    },
    async park(context, prepared) {
      if ((prepared.echo as Echo).did === 'written') await parkArDocument(context, prepared);
    },
    commit,
    async confirm(context, asks) {
      const results = new Map<string, Confirmed | Failure>();
      for (const ask of asks) results.set(ask.target, await confirmReversal(context, ask.draft).catch(asFailure));
      return results;
    },
    looksAfterMs,
  };
}

async function locateReversal(context: PairContext, { draft, posting }: Ask): Promise<Located> {
  const original = await originalOf(context, draft);
  if (original === undefined)
    return {
      is: 'posted',
      target: draft.original.target ?? draft.original.marker,
      outcome: 'reversed',
      note: draft.original.target === undefined ? 'nothing-to-reverse' : 'deleted',
    };
  const target = targetKey(original.Type, original.ReferenceNbr);
  if (isWithdrawn(original.Status)) return { is: 'posted', target, outcome: 'reversed', note: `already ${original.Status}` };
  if (!isReleased(original.Status)) return { is: 'none', state: { step: 'delete' } satisfies ReversalStep };
  const { document } = draft;
  const rows = await context.acumatica.findMany('Invoice', 'CustomerOrder', [document.marker], document.type, { select });
  const hits = rows.filter((row) => sameText(row.CustomerOrder, document.marker));
  const [own] = hits;
  if (hits.length > 1)
    throw duplicateInAcumatica(
      document.marker,
      hits.map((row) => targetKey(row.Type, row.ReferenceNbr)),
    );
  if (own === undefined) {
    if (!equal(original.Balance ?? '0', original.Amount ?? '0'))
      throw hold(
        'changed-after-settlement',
        `${draft.original.number} changed in Zuora after posting, and ${target} has something applied to it in Acumatica.`,
        `Reverse its applications (AR302000, Application History), then replay; or correct ${target} by hand and release this hold with ignore.`,
      );
    return { is: 'none', state: { step: 'create' } satisfies ReversalStep };
  }
  const ownTarget = targetKey(own.Type, own.ReferenceNbr);
  if (!isReleased(own.Status))
    return {
      is: 'draft',
      target: ownTarget,
      state: { step: 'release', ours: posting?.target === ownTarget, status: own.Status ?? '' } satisfies ReversalStep,
    };
  if (isZero(own.Balance ?? '0') && isZero(original.Balance ?? '0')) return { is: 'posted', target: ownTarget, outcome: 'reversed' };
  const [memo, to] = document.type === 'Credit Memo' ? [ownTarget, target] : [target, ownTarget];
  const pending = (await readMoney(context, memo))?.DocumentsToApply?.some((row) => !isZero(row.AmountPaid ?? '0')) ?? false;
  return { is: 'draft', target: ownTarget, state: { step: 'apply', memo, to, pending } satisfies ReversalStep };
}

async function originalOf(context: PairContext, { original }: ArReversal): Promise<InvoiceRow | undefined> {
  if (original.target !== undefined) {
    const { type, ref } = parseTarget(original.target);
    return context.acumatica.findByKey('Invoice', [type, ref], { select });
  }
  const rows = await context.acumatica.findMany('Invoice', 'CustomerOrder', [original.marker], original.type, { select });
  return rows.find((row) => sameText(row.CustomerOrder, original.marker));
}

const readMoney = (context: PairContext, target: string): Promise<PaymentRow | undefined> =>
  context.acumatica.findByKey('Payment', [parseTarget(target).type, parseTarget(target).ref], { expand: ['DocumentsToApply'] });

type Echo =
  | { readonly did: 'deleted' }
  | { readonly did: 'written'; readonly row: InvoiceRow }
  | { readonly did: 'applied'; readonly row: PaymentRow; readonly to: string };

/** A commit that is asked a second time comes without the look's state: it looks again. */
async function stepOf(context: PairContext, draft: ArReversal, step: Pick<Step, 'located'>): Promise<ReversalStep> {
  const state = step.located.is === 'posted' ? undefined : (step.located.state as ReversalStep | undefined);
  if (state !== undefined) return state;
  const now = await locateReversal(context, { draft });
  return (now.is === 'posted' ? undefined : (now.state as ReversalStep | undefined)) ?? { step: 'create' };
}

async function prepare(context: PairContext, draft: ArReversal, step: Step): Promise<Prepared> {
  const state = await stepOf(context, draft, step);
  if (state.step === 'delete') {
    const original = await originalOf(context, draft);
    if (original !== undefined) await context.acumatica.remove('Invoice', [original.Type, original.ReferenceNbr]);
    return { target: draft.original.target ?? draft.original.marker, echo: { did: 'deleted' } satisfies Echo };
  }
  if (state.step !== 'apply') {
    const prepared = await prepareArDocument(context, draft.document, step);
    return { target: prepared.target, echo: { did: 'written', row: prepared.echo as InvoiceRow } satisfies Echo };
  }
  const { type, ref } = parseTarget(state.memo);
  const own = step.located.is === 'none' ? state.memo : step.located.target;
  if (state.pending) {
    const row = await readMoney(context, state.memo);
    if (row === undefined) throw new Failure('LockContention', { sentence: `${state.memo} vanished from Acumatica between two looks.` });
    return { target: own, echo: { did: 'applied', row, to: state.to } satisfies Echo };
  }
  const to = parseTarget(state.to);
  try {
    const row = await context.acumatica.put(
      'Payment',
      {
        Type: type,
        ReferenceNbr: ref,
        ApplicationDate: draft.applicationDate,
        DocumentsToApply: [
          { DocType: to.type, ReferenceNbr: to.ref, AmountPaid: amount(draft.document.total), CashDiscountTaken: amount('0') },
        ],
      },
      { expand: ['DocumentsToApply'] },
    );
    return { target: own, echo: { did: 'applied', row, to: state.to } satisfies Echo };
  } catch (thrown) {
    throw await refusedWrite(context, thrown, draft.document);
  }
}

async function commit(context: PairContext, draft: ArReversal, target: string, step: Step): Promise<void> {
  const state = await stepOf(context, draft, step);
  if (state.step === 'delete') return;
  if (state.step === 'apply') {
    const { type, ref } = parseTarget(state.memo);
    await runAction(context, 'Payment', 'ReleasePayment', { Type: type, ReferenceNbr: ref }, step, target);
    return;
  }
  const { type, ref } = parseTarget(target);
  const echo = step.prepared?.echo as Echo | undefined;
  const status = echo?.did === 'written' ? echo.row.Status : (await context.acumatica.readStatus('Invoice', type, [ref]))[0]?.Status;
  const ready = await readyToRelease(context, {
    target,
    form: arForm,
    status: status ?? '',
    takeOffHold: async () => (await context.acumatica.put('Invoice', { Type: type, ReferenceNbr: ref, Hold: false })).Status,
  });
  if (ready === 'ready') await runAction(context, 'Invoice', 'ReleaseInvoice', { Type: type, ReferenceNbr: ref }, step, target);
}

async function confirmReversal(context: PairContext, draft: ArReversal): Promise<Confirmed> {
  const now = await locateReversal(context, { draft });
  if (now.is === 'posted') return { is: 'posted', outcome: 'reversed', ...(now.note === undefined ? {} : { note: now.note }) };
  const state = now.state as ReversalStep;
  return state.step === 'apply' && !state.pending ? { is: 'more' } : { is: 'uncommitted' };
}

/** The reversal draft of a posted document. */
export function reversalOf(posting: Posting, posted: ArDraft, document: ArDraft, applicationDate: string): ArReversal {
  return {
    original: {
      ...(posting.target === undefined ? {} : { target: posting.target }),
      type: posted.type,
      marker: posting.marker,
      number: posted.number,
      total: posted.total,
    },
    document,
    applicationDate,
  };
}
