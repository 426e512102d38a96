import type { Confirmed, Located, Mismatch, PostTarget, Prepared, Step } from '../../../contracts/flow.ts';
import type { Posting } from '../../../contracts/link.ts';
import { asFailure, Failure } from '../../../failures.ts';
import { add, equal, sum } from '../../../values/decimal.ts';
import { readableMoney } from '../../../values/money.ts';
import { and, eq, startsWith } from '../../../vendors/acumatica/filter.ts';
import type { JournalTransactionRow } from '../../../vendors/acumatica/wire.ts';
import { amount } from '../../../vendors/acumatica/wrapping.ts';
import { subaccountKey } from '../accounts.ts';
import { parseTarget, targetKey } from '../ar-draft.ts';
import type { PairContext } from '../context.ts';
import { deletedInAcumatica, duplicateInAcumatica, markerCollision, voidedInAcumatica } from '../holds.ts';
import { type BatchDraft, lineReference } from '../maps/zuora-journal-to-gl-batch.ts';
import { sameText } from '../markers.ts';
import { asJson } from '../money-draft.ts';
import { looksAfterMs } from './ar-document.ts';
import { isReleased, isWithdrawn, pendingStatus, readyToRelease, refusedWrite, runAction } from './release.ts';

/** Batches of form GL301000, found by the beginning of their description. Posted, and unposted where the tenant posts later, both count. */

const form = 'Journal Transactions (GL301000)';
const module = 'GL';

export function glBatchTarget(): PostTarget<BatchDraft, PairContext> {
  return {
    marker: (draft) => draft.marker,
    money: (draft) => ({ amount: sum(draft.lines.map((line) => line.debit)), currency: draft.currency }),
    sentence: (draft) =>
      `GL batch of ${readableMoney({ amount: sum(draft.lines.map((line) => line.debit)), currency: draft.currency })}, ${draft.lines.length} lines`,
    data: asJson,
    async locate(context, asks) {
      const located = new Map<string, Located | Failure>();
      for (const ask of asks) located.set(ask.draft.marker, await locateBatch(context, ask).catch(asFailure));
      return located;
    },
    prepare,
    verify,
    async park(context, prepared) {
      await context.acumatica.put('JournalTransaction', { Module: module, BatchNbr: parseTarget(prepared.target).ref, Hold: true });
    },
    commit,
    confirm,
    looksAfterMs,
  };
}

async function locateBatch(
  context: PairContext,
  {
    draft,
    posting,
    memory,
  }: { readonly draft: BatchDraft; readonly posting?: Posting; readonly memory: { readonly decision?: string | undefined } },
): Promise<Located> {
  const hits: JournalTransactionRow[] = [];
  const filter = and(eq('JournalTransaction', 'Module', module), startsWith('JournalTransaction', 'Description', draft.marker));
  for await (const page of context.acumatica.list('JournalTransaction', {
    filter,
    select: ['Module', 'BatchNbr', 'Status', 'Description'],
  }))
    hits.push(...page);
  const [hit] = hits;
  if (hits.length > 1)
    throw duplicateInAcumatica(
      draft.marker,
      hits.map((row) => targetKey(row.Module, row.BatchNbr)),
    );
  if (hit === undefined) {
    if (posting?.target !== undefined && memory.decision !== 'recreate') throw deletedInAcumatica(draft.number, posting.target);
    return { is: 'none' };
  }
  const target = targetKey(hit.Module, hit.BatchNbr);
  if (isWithdrawn(hit.Status)) throw voidedInAcumatica(draft.number, target, hit.Status ?? '');
  const whole = await context.acumatica.findByKey('JournalTransaction', [module, hit.BatchNbr], { expand: ['Details'] });
  const differences = whole === undefined ? [] : mismatches(draft, whole);
  const ours = posting?.target === target;
  if (differences.length > 0 && !ours)
    throw markerCollision(
      draft.marker,
      target,
      differences.map(({ field, sent, got }) => `${field} ${got} instead of ${sent}`),
    );
  if (isReleased(hit.Status)) return { is: 'posted', target, ...(posting === undefined ? { outcome: 'adopted' as const } : {}) };
  return { is: 'draft', target, state: { status: hit.Status ?? '' } };
}

async function prepare(context: PairContext, draft: BatchDraft, step: Step): Promise<Prepared> {
  const { located } = step;
  if (located.is === 'draft') {
    const row = await context.acumatica.findByKey('JournalTransaction', [module, parseTarget(located.target).ref], { expand: ['Details'] });
    if (row === undefined)
      throw new Failure('LockContention', { sentence: `${located.target} vanished from Acumatica between two looks.` });
    return { target: located.target, echo: row };
  }
  try {
    const row = await context.acumatica.put(
      'JournalTransaction',
      {
        Module: module,
        LedgerID: draft.ledger,
        BranchID: draft.branch,
        TransactionDate: draft.date,
        PostPeriod: draft.postPeriod,
        CurrencyID: draft.currency,
        Description: draft.description,
        Hold: false,
        Details: draft.lines.map((line) => ({
          BranchID: draft.branch,
          Account: line.account,
          Subaccount: line.subaccount,
          DebitAmount: amount(line.debit),
          CreditAmount: amount(line.credit),
          ReferenceNbr: lineReference(draft.number),
          TransactionDescription: line.text,
        })),
      },
      { expand: ['Details'] },
    );
    return { target: targetKey(row.Module, row.BatchNbr), echo: row };
  } catch (thrown) {
    throw await refusedWrite(context, thrown, { currency: draft.currency, date: draft.date, customer: '' });
  }
}

const verify = (draft: BatchDraft, prepared: Prepared): readonly Mismatch[] => mismatches(draft, prepared.echo as JournalTransactionRow);

/** Totals per account, because Acumatica may order lines anew. */
function mismatches(draft: BatchDraft, row: JournalTransactionRow): readonly Mismatch[] {
  const found: Mismatch[] = [];
  const check = (same: boolean, field: string, sent: string, got: string | undefined) => {
    if (!same) found.push({ field, sent, got: got ?? '(empty)' });
  };
  check(draft.date === row.TransactionDate, 'TransactionDate', draft.date, row.TransactionDate);
  check(sameText(draft.currency, row.CurrencyID), 'CurrencyID', draft.currency, row.CurrencyID);
  check(sameText(draft.description, row.Description), 'Description', draft.description, row.Description);
  const lines = row.Details ?? [];
  check(lines.length === draft.lines.length, 'Details', `${draft.lines.length} lines`, `${lines.length} lines`);
  const meant = totals(draft.lines.map((line) => ({ key: keyOf(line.account, line.subaccount), debit: line.debit, credit: line.credit })));
  const withSubaccounts = draft.lines.some((line) => line.subaccount !== undefined);
  const there = totals(
    lines.map((line) => ({
      key: keyOf(line.Account ?? '', withSubaccounts ? line.Subaccount : undefined),
      debit: line.DebitAmount ?? '0',
      credit: line.CreditAmount ?? '0',
    })),
  );
  for (const [key, total] of meant) {
    const got = there.get(key) ?? { debit: '0', credit: '0' };
    check(
      equal(total.debit, got.debit) && equal(total.credit, got.credit),
      'Details',
      `${key} ${total.debit}/${total.credit}`,
      `${got.debit}/${got.credit}`,
    );
  }
  return found;
}

const keyOf = (account: string, subaccount: string | undefined): string =>
  subaccount === undefined ? account.trim().toUpperCase() : `${account.trim().toUpperCase()}-${subaccountKey(subaccount)}`;

function totals(
  lines: readonly { readonly key: string; readonly debit: string; readonly credit: string }[],
): Map<string, { debit: string; credit: string }> {
  const sums = new Map<string, { debit: string; credit: string }>();
  for (const line of lines) {
    const before = sums.get(line.key) ?? { debit: '0', credit: '0' };
    sums.set(line.key, { debit: add(before.debit, line.debit), credit: add(before.credit, line.credit) });
  }
  return sums;
}

async function commit(context: PairContext, _draft: BatchDraft, target: string, step: Step): Promise<void> {
  const { ref } = parseTarget(target);
  const echo = step.prepared?.echo as JournalTransactionRow | undefined;
  const status = echo?.Status ?? (await context.acumatica.readStatus('JournalTransaction', module, [ref]))[0]?.Status ?? '';
  const ready = await readyToRelease(context, {
    target,
    form,
    status,
    takeOffHold: async () => (await context.acumatica.put('JournalTransaction', { Module: module, BatchNbr: ref, Hold: false })).Status,
  });
  if (ready === 'ready')
    await runAction(context, 'JournalTransaction', 'ReleaseJournalTransaction', { Module: module, BatchNbr: ref }, step, target);
}

async function confirm(
  context: PairContext,
  asks: readonly { readonly draft: BatchDraft; readonly target: string }[],
): Promise<ReadonlyMap<string, Confirmed | Failure>> {
  const rows = await context.acumatica.readStatus(
    'JournalTransaction',
    module,
    asks.map((ask) => parseTarget(ask.target).ref),
  );
  const results = new Map<string, Confirmed | Failure>();
  for (const { draft, target } of asks) {
    const row = rows.find((each) => sameText(each.BatchNbr, parseTarget(target).ref));
    if (row === undefined) results.set(target, deletedInAcumatica(draft.number, target));
    else if (isReleased(row.Status)) results.set(target, await marked(context, draft));
    else if (sameText(row.Status, 'Balanced') || sameText(row.Status, 'On Hold')) results.set(target, { is: 'uncommitted' });
    else results.set(target, pendingStatus(context, form, target, row.Status ?? 'without status'));
  }
  return results;
}

/** The flag in Zuora is for people; the batch is posted whether or not it could be set. */
async function marked(context: PairContext, draft: BatchDraft): Promise<Confirmed> {
  if (!context.settings.markTransferred || draft.marker.includes('~R')) return { is: 'posted' };
  const number = context.settings.markerPrefix === '' ? draft.number : draft.number.slice(context.settings.markerPrefix.length);
  return context.zuora.markTransferred('journal-entries', number, 'Yes').then(
    (): Confirmed => ({ is: 'posted' }),
    (): Confirmed => ({ is: 'posted', note: 'not-marked' }),
  );
}
