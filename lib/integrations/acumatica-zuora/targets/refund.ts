import type { Located, PostTarget } from '../../../contracts/flow.ts';
import type { Failure } from '../../../failures.ts';
import type { PairContext } from '../context.ts';
import type { MoneyDraft } from '../money-draft.ts';
import { receiptTarget } from './receipt.ts';
import { voidTarget } from './void.ts';

/** A refund is a document of its own, or the void of the payment it returns in full: each draft goes to the target of its way. */
export function refundTarget(): PostTarget<MoneyDraft, PairContext> {
  const receipt = receiptTarget();
  const voiding = voidTarget();
  return {
    marker: (draft) => draft.marker,
    money: (draft) => ({ amount: draft.amount, currency: draft.currency }),
    sentence: (draft) => (draft.way === 'void' ? voiding.sentence(draft) : receipt.sentence(draft)),
    data: (draft) => (draft.way === 'void' ? voiding.data(draft) : receipt.data(draft)),
    async locate(context, asks) {
      const receipts = asks.flatMap(({ draft, ...ask }) => (draft.way === 'receipt' ? [{ ...ask, draft }] : []));
      const voids = asks.flatMap(({ draft, ...ask }) => (draft.way === 'void' ? [{ ...ask, draft }] : []));
      return new Map<string, Located | Failure>([
        ...(receipts.length === 0 ? [] : await receipt.locate(context, receipts)),
        ...(voids.length === 0 ? [] : await voiding.locate(context, voids)),
      ]);
    },
    prepare: (context, draft, step) =>
      draft.way === 'void' ? voiding.prepare(context, draft, step) : receipt.prepare(context, draft, step),
    verify: (draft, prepared) => (draft.way === 'void' ? voiding.verify(draft, prepared) : receipt.verify(draft, prepared)),
    async park(context, prepared) {
      if (prepared.target.startsWith('Refund/')) await receipt.park?.(context, prepared);
    },
    commit: (context, draft, target, step) =>
      draft.way === 'void' ? voiding.commit(context, draft, target, step) : receipt.commit(context, draft, target, step),
    async confirm(context, asks) {
      const receipts = asks.flatMap(({ draft, target }) => (draft.way === 'receipt' ? [{ draft, target }] : []));
      const voids = asks.flatMap(({ draft, target }) => (draft.way === 'void' ? [{ draft, target }] : []));
      return new Map([
        ...(receipts.length === 0 ? [] : await receipt.confirm(context, receipts)),
        ...(voids.length === 0 ? [] : await voiding.confirm(context, voids)),
      ]);
    },
    looksAfterMs: receipt.looksAfterMs,
  };
}
