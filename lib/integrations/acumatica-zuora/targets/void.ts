import type { Confirmed, Located, Mismatch, PostTarget, Prepared, Step } from '../../../contracts/flow.ts';
import { asFailure, Failure } from '../../../failures.ts';
import { absolute, equal } from '../../../values/decimal.ts';
import { readableMoney } from '../../../values/money.ts';
import type { PaymentRow } from '../../../vendors/acumatica/wire.ts';
import { parseTarget, targetKey } from '../ar-draft.ts';
import type { PairContext } from '../context.ts';
import { hold } from '../holds.ts';
import { sameText } from '../markers.ts';
import { asJson, type VoidDraft } from '../money-draft.ts';
import { looksAfterMs } from './ar-document.ts';
import { moneyForm } from './receipt.ts';
import { isReleased, isWithdrawn, readyToRelease, refusedWrite, runAction } from './release.ts';

/**
 * Voids a payment or a refund: an unreleased one is deleted; a released one gets a Voided Payment (same number), which is dated by the event and
 * released. The ERP takes its applications back with it.
 */
export function voidTarget(): PostTarget<VoidDraft, PairContext> {
  return {
    marker: (draft) => draft.marker,
    money: (draft) => ({ amount: draft.amount, currency: draft.currency }),
    sentence: (draft) =>
      `Void of ${draft.target ?? draft.originalMarker}, ${readableMoney({ amount: draft.amount, currency: draft.currency })}`,
    data: asJson,
    async locate(context, asks) {
      const located = new Map<string, Located | Failure>();
      for (const ask of asks) located.set(ask.draft.marker, await locateVoid(context, ask.draft).catch(asFailure));
      return located;
    },
    prepare,
    verify,
    commit,
    async confirm(context, asks) {
      const results = new Map<string, Confirmed | Failure>();
      for (const ask of asks) results.set(ask.target, await confirmVoid(context, ask.draft).catch(asFailure));
      return results;
    },
    looksAfterMs,
  };
}

type VoidState = { readonly step: 'delete' | 'void' | 'release'; readonly type: string; readonly ref: string };

const voidedType = (type: string): string => `Voided ${type}`;
const select = ['Type', 'ReferenceNbr', 'CustomerID', 'PaymentRef', 'PaymentAmount', 'ApplicationDate', 'Status'] as const;

/** What the finished void is called in the audit: `posted(void)` when it is the refund itself. */
const done = (draft: VoidDraft, note: string) => ({ outcome: draft.isRefund ? ('posted' as const) : ('reversed' as const), note });

async function locateVoid(context: PairContext, draft: VoidDraft): Promise<Located> {
  const original = await originalOf(context, draft);
  if (original === undefined)
    return {
      is: 'posted',
      target: draft.target ?? draft.originalMarker,
      ...done(draft, draft.target === undefined ? 'nothing-to-void' : 'deleted'),
    };
  const { Type: type, ReferenceNbr: ref } = original;
  const target = targetKey(voidedType(type), ref);
  if (isWithdrawn(original.Status)) return { is: 'posted', target, ...done(draft, 'void') };
  if (!isReleased(original.Status)) return { is: 'none', state: { step: 'delete', type, ref } satisfies VoidState };
  const deposit = original.custom?.['CurrentDocument']?.['DepositNbr'];
  if (typeof deposit === 'string' && deposit !== '')
    throw hold(
      'payment-deposited',
      `${targetKey(type, ref)} is in bank deposit ${deposit}; Acumatica asks a question before it voids it, which only a person can answer.`,
      `Void it by hand (${moneyForm}) dated ${draft.date}, then replay.`,
    );
  const voided = await context.acumatica.findByKey('Payment', [voidedType(type), ref], { select });
  return voided === undefined
    ? { is: 'none', state: { step: 'void', type, ref } satisfies VoidState }
    : { is: 'draft', target, state: { step: 'release', type, ref } satisfies VoidState };
}

async function originalOf(context: PairContext, draft: VoidDraft): Promise<PaymentRow | undefined> {
  let { target } = draft;
  if (target === undefined) {
    const rows = await context.acumatica.findMany('Payment', 'PaymentRef', [draft.originalMarker], draft.type, { select });
    const row = rows.find((each) => sameText(each.PaymentRef, draft.originalMarker));
    if (row === undefined) return undefined;
    target = targetKey(row.Type, row.ReferenceNbr);
  }
  const { type, ref } = parseTarget(target);
  return context.acumatica.findByKey('Payment', [type, ref], { custom: ['CurrentDocument.DepositNbr'] });
}

type Echo = { readonly did: 'deleted' } | { readonly did: 'voided'; readonly row: PaymentRow };

async function prepare(context: PairContext, draft: VoidDraft, step: Step): Promise<Prepared> {
  const state = (step.located.is === 'posted' ? undefined : step.located.state) as VoidState;
  const { type, ref } = state;
  if (state.step === 'delete') {
    await context.acumatica.remove('Payment', [type, ref]);
    return { target: targetKey(type, ref), echo: { did: 'deleted' } satisfies Echo };
  }
  const target = targetKey(voidedType(type), ref);
  if (state.step === 'void') await makeVoid(context, { type, ref, target }, step);
  try {
    const row = await context.acumatica.put('Payment', {
      Type: voidedType(type),
      ReferenceNbr: ref,
      ApplicationDate: draft.date,
      Description: draft.description,
      Hold: false,
    });
    return { target, echo: { did: 'voided', row } satisfies Echo };
  } catch (thrown) {
    throw await refusedWrite(context, thrown, { currency: draft.currency, date: draft.date, customer: '' });
  }
}

/** Whether the action saves the new document by itself is not documented: it is looked for, asked once more, then held. */
async function makeVoid(
  context: PairContext,
  ask: { readonly type: string; readonly ref: string; readonly target: string },
  step: Step,
): Promise<void> {
  const { type, ref, target } = ask;
  for (let tries = 0; tries < 2; tries += 1) {
    await runAction(
      context,
      'Payment',
      'VoidPayment',
      { Type: type, ReferenceNbr: ref },
      tries === 0 ? step : { ...step, progress: undefined },
      target,
    );
    if (await context.acumatica.findByKey('Payment', [voidedType(type), ref], { select })) return;
  }
  throw hold(
    'void-not-saved',
    `Acumatica was asked twice to void ${targetKey(type, ref)} and shows no ${voidedType(type)} ${ref}.`,
    `Void it by hand (${moneyForm}), then replay.`,
  );
}

function verify(draft: VoidDraft, prepared: Prepared): readonly Mismatch[] {
  const echo = prepared.echo as Echo;
  if (echo.did === 'deleted') return [];
  const { row } = echo;
  const found: Mismatch[] = [];
  // A voided payment shows the amount with either sign.
  if (row.PaymentAmount === undefined || !equal(absolute(row.PaymentAmount), draft.amount))
    found.push({ field: 'PaymentAmount', sent: draft.amount, got: row.PaymentAmount ?? '(empty)' });
  if (row.ApplicationDate !== draft.date) found.push({ field: 'ApplicationDate', sent: draft.date, got: row.ApplicationDate ?? '(empty)' });
  return found;
}

async function commit(context: PairContext, _draft: VoidDraft, target: string, step: Step): Promise<void> {
  const echo = step.prepared?.echo as Echo | undefined;
  if (echo?.did === 'deleted') return;
  const { type, ref } = parseTarget(target);
  if (!type.startsWith('Voided ')) return;
  const status = echo?.row.Status ?? (await context.acumatica.readStatus('Payment', type, [ref]))[0]?.Status ?? '';
  const ready = await readyToRelease(context, {
    target,
    form: moneyForm,
    status,
    takeOffHold: async () => (await context.acumatica.put('Payment', { Type: type, ReferenceNbr: ref, Hold: false })).Status,
  });
  if (ready === 'ready') await runAction(context, 'Payment', 'ReleasePayment', { Type: type, ReferenceNbr: ref }, step, target);
}

async function confirmVoid(context: PairContext, draft: VoidDraft): Promise<Confirmed> {
  const now = await locateVoid(context, draft);
  if (now.is === 'posted')
    return {
      is: 'posted',
      ...(now.outcome === undefined ? {} : { outcome: now.outcome }),
      ...(now.note === undefined ? {} : { note: now.note }),
    };
  if (now.is === 'none' && (now.state as VoidState).step === 'void')
    throw new Failure('LockContention', { sentence: `The void of ${draft.target ?? draft.originalMarker} is not visible yet.` });
  return { is: 'uncommitted' };
}
