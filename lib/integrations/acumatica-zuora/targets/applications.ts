import * as z from 'zod';
import type { Confirmed, Located, PostTarget, Prepared, Step } from '../../../contracts/flow.ts';
import { asFailure, Failure } from '../../../failures.ts';
import { add, type Decimal, equal, isZero, readable, subtract, sum } from '../../../values/decimal.ts';
import type { PaymentRow } from '../../../vendors/acumatica/wire.ts';
import { type AppliedThere, deltasOf, nextStep, rowsPerWrite, takesBack } from '../applied.ts';
import { parseTarget } from '../ar-draft.ts';
import type { PairContext } from '../context.ts';
import { hold, unapplyNeeded } from '../holds.ts';
import { sameText } from '../markers.ts';
import { asJson } from '../money-draft.ts';
import { looksAfterMs } from './ar-document.ts';
import { moneyForm, applications as writableRows } from './receipt.ts';
import { isReleased, isWithdrawn, pendingStatus, refusedWrite, runAction } from './release.ts';

/**
 * Applications of a booked payment or credit memo. There is no marker: what the document shows is the proof. Only amounts that grow can be
 * written; nothing is written for a source of which anything was taken back, so that no money is ever half moved.
 */
export const applicationsDraftSchema = z.object({
  marker: z.string(),
  number: z.string(),
  /** `Payment/001523`, `Credit Memo/CM000017`; absent when the source is not in the books any more. */
  target: z.string().optional(),
  currency: z.string(),
  applications: z.array(z.object({ docType: z.string(), ref: z.string(), number: z.string(), amount: z.string(), date: z.string() })),
  /** The source's own posting brought exactly these already. */
  agreed: z.boolean(),
  /** The source was canceled or refunded in full: its void takes the applications back. */
  leftToVoid: z.boolean(),
  content: z.string(),
});
export type ApplicationsDraft = z.infer<typeof applicationsDraftSchema>;

type ApplicationsState = {
  readonly date: string;
  readonly rows: readonly { readonly docType: string; readonly ref: string; readonly amount: string }[];
  readonly pending: boolean;
};

const minute = 60_000;

export function applicationsTarget(): PostTarget<ApplicationsDraft, PairContext> {
  return {
    marker: (draft) => draft.marker,
    money: (draft) => ({ amount: sum(draft.applications.map((row) => row.amount)), currency: draft.currency }),
    sentence: (draft) =>
      draft.applications.length === 0
        ? `${draft.number} applied to nothing`
        : `${draft.number} applied to ${draft.applications.map((row) => `${row.number} ${readable(row.amount)}`).join(', ')}`,
    data: asJson,
    async locate(context, asks) {
      const located = new Map<string, Located | Failure>();
      for (const { draft } of asks) located.set(draft.marker, await locateApplications(context, draft).catch(asFailure));
      return located;
    },
    prepare,
    verify: (_draft, prepared) => {
      const { row, meant } = prepared.echo as Echo;
      return meant.flatMap(({ docType, ref, amount }) => {
        const pending = pendingOf(row, docType, ref);
        return equal(pending, amount) ? [] : [{ field: 'AmountPaid', sent: `${docType} ${ref} ${amount}`, got: pending }];
      });
    },
    async commit(context, _draft, target, step) {
      const { type, ref } = parseTarget(target);
      if (context.settings.release === 'manual') {
        const echo = step.prepared?.echo as Echo | undefined;
        throw pendingStatus(context, moneyForm, target, echo?.row.Status ?? 'not released');
      }
      await runAction(context, 'Payment', 'ReleasePayment', { Type: type, ReferenceNbr: ref }, step, target);
    },
    async confirm(context, asks) {
      const results = new Map<string, Confirmed | Failure>();
      for (const { draft, target } of asks) results.set(target, await confirmApplications(context, draft).catch(asFailure));
      return results;
    },
    looksAfterMs,
  };
}

async function locateApplications(context: PairContext, draft: ApplicationsDraft): Promise<Located> {
  const { target } = draft;
  if (draft.agreed || target === undefined) return { is: 'posted', target: target ?? draft.number, outcome: 'unchanged' };
  const row = await readSource(context, target);
  if (row === undefined || isWithdrawn(row.Status)) return { is: 'posted', target, outcome: 'unchanged', note: 'voided' };
  const there = appliedIn(row);
  const deltas = deltasOf(draft.applications, there);
  const pending = there.filter((each) => !isZero(each.pending));
  if (deltas.length === 0 && pending.length === 0) return { is: 'posted', target, outcome: 'unchanged' };
  if (draft.leftToVoid)
    throw new Failure('ConditionPending', {
      cause: 'void',
      actor: 'nobody',
      sentence: `${draft.number} was taken back in Zuora; its applications go when ${target} is voided.`,
      at: new Date(context.now.getTime() + 30 * minute),
    });
  const back = takesBack(deltas);
  if (back.length > 0)
    throw unapplyNeeded({
      sourceNumber: draft.number,
      sourceType: row.Type,
      sourceRef: row.ReferenceNbr,
      rows: back.map((each) => ({ number: numberOfDocument(row, each), ref: each.ref, amount: subtract('0', each.delta) })),
    });
  checkReadable(draft, row, there);
  if (!isReleased(row.Status)) throw pendingStatus(context, moneyForm, target, row.Status ?? 'without status');
  if (pending.length > 0)
    return {
      is: 'draft',
      target,
      state: {
        date: row.ApplicationDate ?? '',
        pending: true,
        rows: pending.map((each) => ({ docType: each.docType, ref: each.ref, amount: each.pending })),
      } satisfies ApplicationsState,
    };
  const step = nextStep(deltas);
  if (step === undefined) return { is: 'posted', target, outcome: 'unchanged' };
  return {
    is: 'none',
    part: true,
    state: {
      date: step.date,
      pending: false,
      rows: step.rows.slice(0, rowsPerWrite).map((each) => ({ docType: each.docType, ref: each.ref, amount: each.delta })),
    } satisfies ApplicationsState,
  };
}

/** Rows that only Acumatica has are named by the customer order in their history. */
function numberOfDocument(row: PaymentRow, delta: { readonly ref: string; readonly number: string }): string {
  if (delta.number !== delta.ref) return delta.number;
  return row.ApplicationHistory?.find((each) => sameText(each.DisplayRefNbr, delta.ref))?.CustomerOrder ?? delta.ref;
}

/** History and pending rows are read by key only: the list cannot bring them. */
const readSource = (context: PairContext, target: string): Promise<PaymentRow | undefined> =>
  context.acumatica.findByKey('Payment', [parseTarget(target).type, parseTarget(target).ref], {
    expand: ['DocumentsToApply', 'ApplicationHistory'],
  });

const isDocument = (type: string | undefined): boolean => sameText(type, 'Invoice') || sameText(type, 'Debit Memo');

export function appliedIn(row: PaymentRow): readonly AppliedThere[] {
  const there = new Map<string, AppliedThere>();
  const put = (docType: string | undefined, ref: string | undefined, booked: Decimal, pending: Decimal) => {
    if (docType === undefined || ref === undefined || !isDocument(docType)) return;
    const key = `${docType.toLowerCase()}|${ref}`;
    const before = there.get(key) ?? { docType, ref, booked: '0', pending: '0' };
    there.set(key, { ...before, booked: add(before.booked, booked), pending: add(before.pending, pending) });
  };
  for (const each of row.ApplicationHistory ?? []) put(each.DisplayDocType, each.DisplayRefNbr, each.AmountPaid ?? '0', '0');
  for (const each of row.DocumentsToApply ?? []) put(each.DocType, each.ReferenceNbr, '0', each.AmountPaid ?? '0');
  return [...there.values()];
}

function pendingOf(row: PaymentRow, docType: string, ref: string): Decimal {
  return sum(
    (row.DocumentsToApply ?? [])
      .filter((each) => sameText(each.DocType, docType) && sameText(each.ReferenceNbr, ref))
      .map((each) => each.AmountPaid ?? '0'),
  );
}

/** What the rows say must be what the totals say; else the rows are not understood and nothing is written on their word. */
function checkReadable(draft: ApplicationsDraft, row: PaymentRow, there: readonly AppliedThere[]): void {
  if (row.PaymentAmount === undefined || row.AvailableBalance === undefined) return;
  const refunds = sum(
    (row.ApplicationHistory ?? []).filter((each) => !isDocument(each.DisplayDocType)).map((each) => each.AmountPaid ?? '0'),
  );
  const booked = add(sum(there.map((each) => each.booked)), refunds);
  const used = subtract(row.PaymentAmount, row.AvailableBalance);
  if (equal(used, booked) || equal(used, add(booked, sum(there.map((each) => each.pending))))) return;
  throw hold(
    'applications-unreadable',
    `${draft.target ?? draft.number} shows ${readable(used)} as used, and its application rows sum to ${readable(booked)}. Nothing was written.`,
    `Compare the applications of ${draft.number} in Zuora and Acumatica (${moneyForm}) by hand, then replay.`,
  );
}

interface Echo {
  readonly row: PaymentRow;
  readonly meant: ApplicationsState['rows'];
}

async function prepare(context: PairContext, draft: ApplicationsDraft, step: Step): Promise<Prepared> {
  const state = (step.located.is === 'posted' ? undefined : step.located.state) as ApplicationsState;
  const target = draft.target ?? '';
  const { type, ref } = parseTarget(target);
  if (state.pending) {
    const row = await readSource(context, target);
    if (row === undefined) throw new Failure('LockContention', { sentence: `${target} vanished from Acumatica between two looks.` });
    return { target, echo: { row, meant: state.rows } satisfies Echo };
  }
  try {
    const row = await context.acumatica.put(
      'Payment',
      { Type: type, ReferenceNbr: ref, ApplicationDate: state.date, DocumentsToApply: writableRows(state.rows) },
      { expand: ['DocumentsToApply'] },
    );
    return { target, echo: { row, meant: state.rows } satisfies Echo };
  } catch (thrown) {
    throw await refusedWrite(context, thrown, { currency: draft.currency, date: state.date, customer: '' });
  }
}

async function confirmApplications(context: PairContext, draft: ApplicationsDraft): Promise<Confirmed> {
  const now = await locateApplications(context, draft);
  if (now.is === 'posted') return { is: 'posted', outcome: 'applied', ...(now.note === undefined ? {} : { note: now.note }) };
  return now.is === 'none' ? { is: 'more' } : { is: 'uncommitted' };
}
