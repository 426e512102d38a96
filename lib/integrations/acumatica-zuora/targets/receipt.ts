import type { Confirmed, Located, Memory, Mismatch, PostTarget, Prepared, Step } from '../../../contracts/flow.ts';
import type { Posting } from '../../../contracts/link.ts';
import { asFailure, Failure } from '../../../failures.ts';
import { equal, readable, subtract, sum } from '../../../values/decimal.ts';
import { readableMoney } from '../../../values/money.ts';
import { and, eq, startsWith } from '../../../vendors/acumatica/filter.ts';
import type { PaymentRow } from '../../../vendors/acumatica/wire.ts';
import { amount, type WritableRecord } from '../../../vendors/acumatica/wrapping.ts';
import { rowsPerWrite } from '../applied.ts';
import { parseTarget, targetKey } from '../ar-draft.ts';
import type { PairContext } from '../context.ts';
import { deletedInAcumatica, duplicateInAcumatica, hold, markerCollision, voidedInAcumatica } from '../holds.ts';
import { generationOf, sameText } from '../markers.ts';
import { asJson, type ReceiptDraft } from '../money-draft.ts';
import { looksAfterMs } from './ar-document.ts';
import { isReleased, isWithdrawn, pendingStatus, readyToRelease, refusedWrite, runAction } from './release.ts';

/** Payments and refunds of form AR302000, with the applications that are booked with them. */

export const moneyForm = 'Payments and Applications (AR302000)';

export function receiptTarget(): PostTarget<ReceiptDraft, PairContext> {
  return {
    marker: (draft) => draft.marker,
    money: (draft) => ({ amount: draft.amount, currency: draft.currency }),
    sentence: (draft) =>
      `${draft.type} of ${draft.customer}, ${readableMoney({ amount: draft.amount, currency: draft.currency })} by ${draft.paymentMethod}/${draft.cashAccount}, ${draft.rows.length} applied`,
    data: asJson,
    locate,
    prepare,
    verify: verifyReceipt,
    async park(context, prepared) {
      const { type, ref } = parseTarget(prepared.target);
      await context.acumatica.put('Payment', { Type: type, ReferenceNbr: ref, Hold: true });
    },
    commit,
    confirm,
    looksAfterMs,
  };
}

const select = [
  'Type',
  'ReferenceNbr',
  'CustomerID',
  'PaymentRef',
  'PaymentAmount',
  'ApplicationDate',
  'CurrencyID',
  'Status',
  'Description',
] as const;

interface Ask {
  readonly draft: ReceiptDraft;
  readonly posting?: Posting;
  readonly memory: Memory;
}

async function locate(context: PairContext, asks: readonly Ask[]): Promise<ReadonlyMap<string, Located | Failure>> {
  const located = new Map<string, Located | Failure>();
  for (const type of new Set(asks.map((ask) => ask.draft.type))) {
    const own = asks.filter((ask) => ask.draft.type === type);
    const markers = own.map((ask) => ask.draft.marker);
    const rows = await context.acumatica.findMany('Payment', 'PaymentRef', markers, type, { select });
    for (const ask of own) {
      const hits = rows.filter((row) => sameText(row.PaymentRef, ask.draft.marker));
      located.set(ask.draft.marker, await judge(context, ask, hits).catch(asFailure));
    }
  }
  return located;
}

async function judge(context: PairContext, { draft, posting, memory }: Ask, hits: readonly PaymentRow[]): Promise<Located> {
  if (hits.length > 1)
    throw duplicateInAcumatica(
      draft.marker,
      hits.map((row) => targetKey(row.Type, row.ReferenceNbr)),
    );
  const known = posting?.target === undefined ? undefined : parseTarget(posting.target);
  const row = hits[0] ?? (known && (await context.acumatica.findByKey('Payment', [known.type, known.ref], { select })));
  if (row === undefined) {
    if (posting?.target !== undefined && memory.decision !== 'recreate') throw deletedInAcumatica(draft.number, posting.target);
    return { is: 'none' };
  }
  const target = targetKey(row.Type, row.ReferenceNbr);
  const ours = posting?.target === target;
  const differences = [
    ...(sameText(row.CustomerID, draft.customer) ? [] : [`customer ${row.CustomerID ?? '(empty)'} instead of ${draft.customer}`]),
    ...(row.PaymentAmount !== undefined && equal(row.PaymentAmount, draft.amount)
      ? []
      : [`amount ${row.PaymentAmount ?? '(empty)'} instead of ${draft.amount}`]),
    ...(row.CurrencyID === undefined || sameText(row.CurrencyID, draft.currency)
      ? []
      : [`currency ${row.CurrencyID} instead of ${draft.currency}`]),
    // After its release the date is the one of the latest application.
    ...(isReleased(row.Status) || row.ApplicationDate === draft.date
      ? []
      : [`date ${row.ApplicationDate ?? '(empty)'} instead of ${draft.date}`]),
  ];
  if (!ours && (differences.length > 0 || isWithdrawn(row.Status))) {
    const later = await laterGeneration(context, draft);
    if (later !== undefined) return later;
  }
  if (isWithdrawn(row.Status) || sameText(row.Status, 'Rejected')) throw voidedInAcumatica(draft.number, target, row.Status ?? '');
  if (!isReleased(row.Status)) {
    if (differences.length > 0 && !ours) throw markerCollision(draft.marker, target, differences);
    return { is: 'draft', target, state: { status: row.Status ?? '' } };
  }
  if (differences.length > 0) {
    if (!ours) throw markerCollision(draft.marker, target, differences);
    throw hold(
      'verify:PaymentAmount',
      `${target} was released with ${differences.join('; ')}.`,
      `Correct it in Acumatica by hand (${moneyForm}).`,
    );
  }
  return { is: 'posted', target, ...(posting === undefined ? { outcome: 'adopted' as const } : {}) };
}

async function laterGeneration(context: PairContext, draft: ReceiptDraft): Promise<Located | undefined> {
  let best: { generation: number; row: PaymentRow } | undefined;
  const filter = and(eq('Payment', 'Type', draft.type), startsWith('Payment', 'PaymentRef', `${draft.number}~`));
  for await (const page of context.acumatica.list('Payment', { filter, select })) {
    for (const row of page) {
      const generation = generationOf(draft.number, row.PaymentRef ?? '');
      if (generation !== undefined && generation > (best?.generation ?? 1) && isReleased(row.Status)) best = { generation, row };
    }
  }
  if (best === undefined) return undefined;
  const target = targetKey(best.row.Type, best.row.ReferenceNbr);
  return { is: 'posted', target, generation: best.generation, outcome: 'adopted', note: `generation ${best.generation}` };
}

const expand = ['DocumentsToApply'] as const;

async function prepare(context: PairContext, draft: ReceiptDraft, step: Step): Promise<Prepared> {
  try {
    const { located } = step;
    let row: PaymentRow;
    if (located.is === 'draft') {
      const { type, ref } = parseTarget(located.target);
      const there = await context.acumatica.findByKey('Payment', [type, ref], { expand });
      if (there === undefined)
        throw new Failure('LockContention', { sentence: `${located.target} vanished from Acumatica between two looks.` });
      row = there;
    } else {
      row = await context.acumatica.put(
        'Payment',
        { ...header(draft), DocumentsToApply: applications(draft.rows.slice(0, rowsPerWrite)) },
        { expand },
      );
    }
    return { target: targetKey(row.Type, row.ReferenceNbr), echo: await withAllRows(context, draft, row) };
  } catch (thrown) {
    throw await refusedWrite(context, thrown, draft);
  }
}

/** Rows that are not there, whether they were left for later or dropped, are written once more. */
async function withAllRows(context: PairContext, draft: ReceiptDraft, start: PaymentRow): Promise<PaymentRow> {
  let row = start;
  let missing = missingRows(draft, row);
  for (let round = Math.ceil(missing.length / rowsPerWrite); round > 0 && missing.length > 0; round -= 1) {
    const keys = { Type: row.Type, ReferenceNbr: row.ReferenceNbr };
    row = await context.acumatica.put('Payment', { ...keys, DocumentsToApply: applications(missing.slice(0, rowsPerWrite)) }, { expand });
    missing = missingRows(draft, row);
  }
  return row;
}

const missingRows = (draft: ReceiptDraft, row: PaymentRow): ReceiptDraft['rows'] =>
  draft.rows.filter(
    (meant) => !row.DocumentsToApply?.some((there) => sameText(there.DocType, meant.docType) && sameText(there.ReferenceNbr, meant.ref)),
  );

function header(draft: ReceiptDraft): WritableRecord {
  return {
    Type: draft.type,
    CustomerID: draft.customer,
    PaymentMethod: draft.paymentMethod,
    CashAccount: draft.cashAccount,
    CurrencyID: draft.currency,
    Branch: draft.branch,
    ApplicationDate: draft.date,
    PaymentRef: draft.marker,
    PaymentAmount: amount(draft.amount),
    Description: draft.description,
    Hold: false,
  };
}

/** Without a cash discount of 0 the terms would take one. */
export const applications = (
  rows: readonly { readonly docType: string; readonly ref: string; readonly amount: string }[],
): readonly WritableRecord[] =>
  rows.map((row) => ({ DocType: row.docType, ReferenceNbr: row.ref, AmountPaid: amount(row.amount), CashDiscountTaken: amount('0') }));

export function verifyReceipt(draft: ReceiptDraft, prepared: Prepared): readonly Mismatch[] {
  const row = prepared.echo as PaymentRow;
  const applied = sum(draft.rows.map((each) => each.amount));
  const found: Mismatch[] = [];
  const check = (same: boolean, field: string, sent: string, got: string | undefined) => {
    if (!same) found.push({ field, sent, got: got ?? '(empty)' });
  };
  const sameAmount = (left: string, right: string | undefined) => equal(left, right ?? '0');
  check(sameText(draft.customer, row.CustomerID), 'CustomerID', draft.customer, row.CustomerID);
  check(sameText(draft.marker, row.PaymentRef), 'PaymentRef', draft.marker, row.PaymentRef);
  check(sameAmount(draft.amount, row.PaymentAmount), 'PaymentAmount', readable(draft.amount), row.PaymentAmount);
  check(sameText(draft.currency, row.CurrencyID), 'CurrencyID', draft.currency, row.CurrencyID);
  check(draft.date === row.ApplicationDate, 'ApplicationDate', draft.date, row.ApplicationDate);
  check(sameText(draft.cashAccount, row.CashAccount), 'CashAccount', draft.cashAccount, row.CashAccount);
  check(sameAmount(applied, row.AppliedToDocuments), 'AppliedToDocuments', readable(applied), row.AppliedToDocuments);
  if (draft.type === 'Payment')
    check(
      sameAmount(subtract(draft.amount, applied), row.AvailableBalance),
      'AvailableBalance',
      readable(subtract(draft.amount, applied)),
      row.AvailableBalance,
    );
  return found;
}

async function commit(context: PairContext, _draft: ReceiptDraft, target: string, step: Step): Promise<void> {
  const { type, ref } = parseTarget(target);
  const echo = step.prepared?.echo as PaymentRow | undefined;
  const status = echo?.Status ?? (await context.acumatica.readStatus('Payment', type, [ref]))[0]?.Status ?? '';
  const ready = await readyToRelease(context, {
    target,
    form: moneyForm,
    status,
    takeOffHold: async () => (await context.acumatica.put('Payment', { Type: type, ReferenceNbr: ref, Hold: false })).Status,
  });
  if (ready === 'ready') await runAction(context, 'Payment', 'ReleasePayment', { Type: type, ReferenceNbr: ref }, step, target);
}

async function confirm(
  context: PairContext,
  asks: readonly { readonly draft: ReceiptDraft; readonly target: string }[],
): Promise<ReadonlyMap<string, Confirmed | Failure>> {
  const results = new Map<string, Confirmed | Failure>();
  for (const type of new Set(asks.map((ask) => parseTarget(ask.target).type))) {
    const own = asks.filter((ask) => parseTarget(ask.target).type === type);
    const refs = own.map((ask) => parseTarget(ask.target).ref);
    const rows = await context.acumatica.readStatus('Payment', type, refs);
    for (const ask of own) {
      const row = rows.find((each) => sameText(each.ReferenceNbr, parseTarget(ask.target).ref));
      results.set(ask.target, confirmed(context, ask, row));
    }
  }
  return results;
}

function confirmed(
  context: PairContext,
  ask: { readonly draft: ReceiptDraft; readonly target: string },
  row: PaymentRow | undefined,
): Confirmed | Failure {
  if (row === undefined) return deletedInAcumatica(ask.draft.number, ask.target);
  if (isReleased(row.Status)) {
    if (row.PaymentAmount === undefined || equal(row.PaymentAmount, ask.draft.amount)) return { is: 'posted' };
    return hold(
      'verify:PaymentAmount',
      `${ask.target} was released with ${readable(row.PaymentAmount)} instead of ${readable(ask.draft.amount)}.`,
      `Correct it in Acumatica by hand (${moneyForm}).`,
    );
  }
  if (sameText(row.Status, 'Balanced') || sameText(row.Status, 'On Hold')) return { is: 'uncommitted' };
  return pendingStatus(context, moneyForm, ask.target, row.Status ?? 'without status');
}
