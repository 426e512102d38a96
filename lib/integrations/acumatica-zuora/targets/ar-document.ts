import type { Confirmed, PostTarget, Prepared, Step } from '../../../contracts/flow.ts';
import { asFailure, Failure } from '../../../failures.ts';
import { readableMoney } from '../../../values/money.ts';
import type { InvoiceRow } from '../../../vendors/acumatica/wire.ts';
import { amount, type WritableRecord } from '../../../vendors/acumatica/wrapping.ts';
import { type ArDraft, draftData, parseTarget, targetKey } from '../ar-draft.ts';
import type { PairContext } from '../context.ts';
import { hold, markerCollision } from '../holds.ts';
import { chunksOf } from '../lines.ts';
import { sameText } from '../markers.ts';
import { checkReleased, differencesOf, echoOf, isPrefix, verifyArDocument } from './ar-echo.ts';
import { type ArState, locateArDocuments } from './ar-locate.ts';
import { isOutOfBalance, isReleased, pendingStatus, readyToRelease, refusedWrite, runAction } from './release.ts';

/** Documents of form AR301000: written, compared, released. */

export const arForm = 'Invoices and Memos (AR301000)';
const parts = { expand: ['Details', 'TaxDetails'], custom: ['Document.CuryID'] } as const;
const deferralFields = ['Transactions.DeferredCode', 'Transactions.DRTermStartDate', 'Transactions.DRTermEndDate'];
const asked = (draft: ArDraft) => ({
  expand: [...parts.expand],
  custom: [...parts.custom, ...(draft.lines.some((line) => line.deferral !== undefined) ? deferralFields : [])],
});

export function arDocumentTarget(): PostTarget<ArDraft, PairContext> {
  return {
    marker: (draft) => draft.marker,
    money: (draft) => ({ amount: draft.total, currency: draft.currency }),
    sentence: (draft) =>
      `${draft.type} for ${draft.customer}, ${readableMoney({ amount: draft.total, currency: draft.currency })}, ${draft.lines.length} line${draft.lines.length === 1 ? '' : 's'}`,
    data: draftData,
    locate: locateArDocuments,
    prepare: prepareArDocument,
    verify: (draft, prepared) => verifyArDocument(draft, prepared.echo as InvoiceRow),
    park: parkArDocument,
    commit: commitArDocument,
    confirm: confirmArDocuments,
    looksAfterMs,
  };
}

/** After an unknown outcome: the ERP may hold a request for ten minutes. */
export const looksAfterMs: readonly number[] = [60_000, 300_000, 660_000];

export async function prepareArDocument(context: PairContext, draft: ArDraft, step: Step): Promise<Prepared> {
  const { located } = step;
  if (located.is !== 'draft') return preparedFrom(context, await create(context, draft, step));
  const { type, ref } = parseTarget(located.target);
  const row = await context.acumatica.findByKey('Invoice', [type, ref], asked(draft));
  if (row === undefined) throw new Failure('LockContention', { sentence: `${located.target} vanished from Acumatica between two looks.` });
  const state = located.state as ArState;
  if (differencesOf(draft, echoOf(context, row)).length === 0) return preparedFrom(context, row);
  const written = row.Details?.length ?? 0;
  if (isPrefix(draft, row) && written < draft.lines.length) return preparedFrom(context, await append(context, draft, row, step));
  if (!state.ours) throw markerCollision(draft.marker, located.target, differencesOf(draft, echoOf(context, row)));
  return preparedFrom(context, row);
}

function preparedFrom(context: PairContext, row: InvoiceRow): Prepared {
  return { target: targetKey(row.Type, row.ReferenceNbr), echo: echoOf(context, row) };
}

async function create(context: PairContext, draft: ArDraft, step: Step): Promise<InvoiceRow> {
  const chunked = chunksOf(draft.lines.length).length > 1;
  const [first = 0] = chunksOf(draft.lines.length);
  const withAmount = !chunked && (await context.validatesTotals());
  const record = (total: boolean) => ({
    ...header(draft, chunked),
    ...(total ? { Amount: amount(draft.total) } : {}),
    Details: draft.lines.slice(0, first).map((line) => detail(draft, line)),
    ...taxes(draft),
  });
  let row: InvoiceRow;
  try {
    row = await context.acumatica.put('Invoice', record(withAmount), asked(draft));
  } catch (thrown) {
    if (!isOutOfBalance(thrown) || withAmount) throw await refusedWrite(context, thrown, draft);
    await context.rememberValidatesTotals();
    row = await context.acumatica.put('Invoice', record(true), asked(draft));
  }
  if (row.LinkARAccount !== undefined) await context.rememberArAccount(row.LinkARAccount);
  return chunked ? append(context, draft, row, step) : row;
}

/** Writes the lines that are not there yet and takes the document off hold. */
async function append(context: PairContext, draft: ArDraft, start: InvoiceRow, step: Step): Promise<InvoiceRow> {
  const keys = { Type: start.Type, ReferenceNbr: start.ReferenceNbr };
  const target = targetKey(start.Type, start.ReferenceNbr);
  let row = start;
  await step.save({ lines: row.Details?.length ?? 0 }, target);
  for (let written = row.Details?.length ?? 0; written < draft.lines.length; ) {
    if (context.now >= step.deadline) break;
    const next = draft.lines.slice(written, written + 250);
    row = await context.acumatica.put('Invoice', { ...keys, Details: next.map((line) => detail(draft, line)) }, asked(draft));
    written += next.length;
    await step.save({ lines: written }, target);
  }
  const total = (await context.validatesTotals()) ? { Amount: amount(draft.total) } : {};
  try {
    return await context.acumatica.put('Invoice', { ...keys, Hold: false, ...total }, asked(draft));
  } catch (thrown) {
    if (!isOutOfBalance(thrown) || 'Amount' in total) throw await refusedWrite(context, thrown, draft);
    await context.rememberValidatesTotals();
    return context.acumatica.put('Invoice', { ...keys, Hold: false, Amount: amount(draft.total) }, asked(draft));
  }
}

function header(draft: ArDraft, onHold: boolean): WritableRecord {
  return {
    Type: draft.type,
    Customer: draft.customer,
    CustomerOrder: draft.marker,
    Date: draft.date,
    PostPeriod: draft.postPeriod,
    Terms: draft.terms,
    DueDate: draft.dueDate,
    Description: draft.description,
    LinkBranch: draft.branch,
    Hold: onHold,
    ...(draft.taxDetails.length === 0 ? {} : { IsTaxValid: true }),
    custom: {
      ...(draft.sendCurrency ? { Document: { CuryID: draft.currency } } : {}),
      CurrentDocument: { DontPrint: true, DontEmail: true, ...(draft.taxZone === undefined ? {} : { TaxZoneID: draft.taxZone }) },
    },
  };
}

function detail(draft: ArDraft, line: ArDraft['lines'][number]): WritableRecord {
  return {
    Branch: draft.branch,
    TransactionDescription: line.text,
    Qty: amount(line.qty),
    UnitPrice: amount(line.price),
    ExtendedPrice: amount(line.amount),
    Account: line.account,
    Subaccount: line.subaccount,
    TaxCategory: line.taxCategory,
    CalculateDiscountsOnImport: false,
    ...(line.deferral === undefined
      ? {}
      : {
          custom: {
            Transactions: { DeferredCode: line.deferral.code, DRTermStartDate: line.deferral.from, DRTermEndDate: line.deferral.to },
          },
        }),
  };
}

const taxes = (draft: ArDraft): WritableRecord =>
  draft.taxDetails.length === 0
    ? {}
    : {
        TaxDetails: draft.taxDetails.map((tax) => ({
          TaxID: tax.taxId,
          TaxableAmount: amount(tax.taxable),
          TaxAmount: amount(tax.amount),
        })),
      };

export async function parkArDocument(context: PairContext, prepared: Prepared): Promise<void> {
  const { type, ref } = parseTarget(prepared.target);
  await context.acumatica.put('Invoice', { Type: type, ReferenceNbr: ref, Hold: true });
}

export async function commitArDocument(context: PairContext, _draft: ArDraft, target: string, step: Step): Promise<void> {
  const { type, ref } = parseTarget(target);
  const status = await statusOf(context, type, ref, step);
  const ready = await readyToRelease(context, {
    target,
    form: arForm,
    status,
    takeOffHold: async () => (await context.acumatica.put('Invoice', { Type: type, ReferenceNbr: ref, Hold: false })).Status,
  });
  if (ready === 'ready') await runAction(context, 'Invoice', 'ReleaseInvoice', { Type: type, ReferenceNbr: ref }, step, target);
}

/** The status as this run knows it; a run that began later reads it. */
async function statusOf(context: PairContext, type: string, ref: string, step: Step): Promise<string> {
  const echo = step.prepared?.echo as InvoiceRow | undefined;
  if (echo?.Status !== undefined) return echo.Status;
  const [row] = await context.acumatica.readStatus('Invoice', type, [ref]);
  return row?.Status ?? '';
}

export async function confirmArDocuments(
  context: PairContext,
  asks: readonly { readonly draft: ArDraft; readonly target: string }[],
): Promise<ReadonlyMap<string, Confirmed | Failure>> {
  const results = new Map<string, Confirmed | Failure>();
  for (const type of new Set(asks.map((ask) => parseTarget(ask.target).type))) {
    const own = asks.filter((ask) => parseTarget(ask.target).type === type);
    const rows = await context.acumatica.readStatus(
      'Invoice',
      type,
      own.map((ask) => parseTarget(ask.target).ref),
    );
    for (const ask of own) {
      const row = rows.find((each) => sameText(each.ReferenceNbr, parseTarget(ask.target).ref));
      results.set(ask.target, await confirmed(context, ask.draft, ask.target, row).catch(asFailure));
    }
  }
  return results;
}

async function confirmed(context: PairContext, draft: ArDraft, target: string, row: InvoiceRow | undefined): Promise<Confirmed> {
  if (row === undefined)
    throw hold(
      'deleted-in-acumatica',
      `${target} vanished from Acumatica while it was released.`,
      'Release the hold with recreate to write it again.',
    );
  if (!isReleased(row.Status)) {
    if (sameText(row.Status, 'Balanced') || sameText(row.Status, 'On Hold')) return { is: 'uncommitted' };
    throw pendingStatus(context, arForm, target, row.Status ?? 'without status');
  }
  checkReleased(draft, target, row);
  const notes = [
    await markTransferred(context, draft),
    sameText(row.CustomerOrder, draft.marker) ? undefined : 'marker-changed',
    draft.dropped === 0 ? undefined : `${draft.dropped} items without amount left out`,
  ].filter((note) => note !== undefined);
  return { is: 'posted', ...(notes.length === 0 ? {} : { note: notes.join('; ') }) };
}

const transferable = { invoice: 'invoices', 'debit-memo': 'debit-memos', 'credit-memo': 'credit-memos' } as const;

/** A flag for people in Zuora; the document is posted whether or not it could be set. */
async function markTransferred(context: PairContext, draft: ArDraft): Promise<string | undefined> {
  const noun = transferable[draft.source.object as keyof typeof transferable];
  if (!context.settings.markTransferred || noun === undefined) return undefined;
  return context.zuora.markTransferred(noun, draft.source.id, 'Yes').then(
    () => undefined,
    () => 'not-marked',
  );
}
