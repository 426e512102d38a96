import type { Located, Memory } from '../../../contracts/flow.ts';
import type { Posting } from '../../../contracts/link.ts';
import { asFailure, type Failure } from '../../../failures.ts';
import { equal } from '../../../values/decimal.ts';
import { and, eq, startsWith } from '../../../vendors/acumatica/filter.ts';
import type { InvoiceRow } from '../../../vendors/acumatica/wire.ts';
import { type ArDraft, parseTarget, targetKey } from '../ar-draft.ts';
import type { PairContext } from '../context.ts';
import { deletedInAcumatica, duplicateInAcumatica, markerCollision, voidedInAcumatica } from '../holds.ts';
import { generationOf, sameText } from '../markers.ts';
import { checkReleased, differencesOf, echoOf } from './ar-echo.ts';
import { isReleased, isWithdrawn } from './release.ts';

/** Where a document of AR301000 stands before a write: the look-up by marker, and what each kind of hit means. */

/** `ours`: the link knows this very document. */
export type ArState = { readonly ours: boolean; readonly status: string };

export interface ArAsk {
  readonly draft: ArDraft;
  readonly posting?: Posting;
  readonly memory: Memory;
}

const select = ['Type', 'ReferenceNbr', 'Customer', 'CustomerOrder', 'Amount', 'Date', 'Status', 'Description'] as const;

export async function locateArDocuments(context: PairContext, asks: readonly ArAsk[]): Promise<ReadonlyMap<string, Located | Failure>> {
  const located = new Map<string, Located | Failure>();
  for (const type of new Set(asks.map((ask) => ask.draft.type))) {
    const own = asks.filter((ask) => ask.draft.type === type);
    const rows = await context.acumatica.findMany(
      'Invoice',
      'CustomerOrder',
      own.map((ask) => ask.draft.marker),
      type,
      { select },
    );
    for (const ask of own) {
      const hits = rows.filter((row) => sameText(row.CustomerOrder, ask.draft.marker));
      located.set(ask.draft.marker, await judge(context, ask, hits).catch(asFailure));
    }
  }
  return located;
}

async function judge(context: PairContext, ask: ArAsk, hits: readonly InvoiceRow[]): Promise<Located> {
  const { draft, posting, memory } = ask;
  const [hit, second] = hits;
  if (hit !== undefined && second !== undefined)
    throw duplicateInAcumatica(
      draft.marker,
      hits.map((row) => targetKey(row.Type, row.ReferenceNbr)),
    );
  const row = hit ?? (await knownOne(context, posting));
  if (row === undefined) {
    if (posting?.target !== undefined && memory.decision !== 'recreate') throw deletedInAcumatica(draft.number, posting.target);
    return { is: 'none' };
  }
  const target = targetKey(row.Type, row.ReferenceNbr);
  if (isWithdrawn(row.Status) || sameText(row.Status, 'Rejected')) throw voidedInAcumatica(draft.number, target, row.Status ?? '');
  const ours = posting?.target === target;
  if (ours) {
    if (!isReleased(row.Status)) return { is: 'draft', target, state: { ours, status: row.Status ?? '' } satisfies ArState };
    checkReleased(draft, target, row);
    return { is: 'posted', target, ...(sameText(row.CustomerOrder, draft.marker) ? {} : { note: 'marker-changed' }) };
  }
  return foreignLooking(context, ask, row, target);
}

/** The document the link remembers, whose marker somebody changed. */
async function knownOne(context: PairContext, posting: Posting | undefined): Promise<InvoiceRow | undefined> {
  if (posting?.target === undefined) return undefined;
  const { type, ref } = parseTarget(posting.target);
  return context.acumatica.findByKey('Invoice', [type, ref], { select });
}

/** One hit the link does not know: adopted when it is equal, resumed when it is a half-written one of ours, else never touched. */
async function foreignLooking(context: PairContext, ask: ArAsk, row: InvoiceRow, target: string): Promise<Located> {
  const { draft, posting } = ask;
  const differences = [
    ...(sameText(row.Customer, draft.customer) ? [] : [`customer ${row.Customer ?? '(empty)'} instead of ${draft.customer}`]),
    ...(row.Date === draft.date ? [] : [`date ${row.Date ?? '(empty)'} instead of ${draft.date}`]),
    ...(row.Amount !== undefined && equal(row.Amount, draft.total) ? [] : [`amount ${row.Amount ?? '(empty)'} instead of ${draft.total}`]),
  ];
  const status = row.Status ?? '';
  const closedEarly = sameText(status, 'Closed') && draft.openInSource;
  if (differences.length > 0 || closedEarly) {
    const later = await laterGeneration(context, draft);
    if (later !== undefined) return later;
  }
  const halfWritten = !isReleased(status) && sameText(row.Description, draft.description);
  if (differences.length > 0 && !halfWritten) throw markerCollision(draft.marker, target, differences);
  if (!isReleased(status)) return { is: 'draft', target, state: { ours: false, status } satisfies ArState };
  const { type, ref } = parseTarget(target);
  const whole = await context.acumatica.findByKey('Invoice', [type, ref], {
    expand: ['Details', 'TaxDetails'],
    custom: ['Document.CuryID'],
  });
  const unlike = whole === undefined ? [] : differencesOf(draft, echoOf(context, whole));
  const currency = unlike.filter((text) => text.startsWith('CuryID'));
  if (currency.length > 0) throw markerCollision(draft.marker, target, currency);
  return {
    is: 'posted',
    target,
    ...(posting === undefined ? { outcome: 'adopted' as const } : {}),
    ...(unlike.some((text) => /^(Details|Account|Subaccount|Amount) /.test(text)) ? { note: 'lines-differ' } : {}),
  };
}

/** The link was lost: the highest generation of this number that is in the books. */
async function laterGeneration(context: PairContext, draft: ArDraft): Promise<Located | undefined> {
  let best: { generation: number; row: InvoiceRow } | undefined;
  const filter = and(eq('Invoice', 'Type', draft.type), startsWith('Invoice', 'CustomerOrder', `${draft.number}~`));
  for await (const page of context.acumatica.list('Invoice', { filter, select })) {
    for (const row of page) {
      const generation = generationOf(draft.number, row.CustomerOrder ?? '');
      if (generation !== undefined && generation > (best?.generation ?? 1) && isReleased(row.Status)) best = { generation, row };
    }
  }
  if (best === undefined) return undefined;
  return {
    is: 'posted',
    target: targetKey(best.row.Type, best.row.ReferenceNbr),
    generation: best.generation,
    outcome: 'adopted',
    note: `generation ${best.generation}`,
  };
}
