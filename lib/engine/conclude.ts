import type { Outcome } from '../contracts/audit.ts';
import type { Cause } from '../contracts/change.ts';
import type { Link, LinkState } from '../contracts/link.ts';
import type { Failure, FailureRecord } from '../failures.ts';
import type { Json } from '../values/json.ts';
import type { Money } from '../values/money.ts';
import { refText } from '../values/record-ref.ts';
import { auditEntry, present } from './audit-entry.ts';
import { breakCircuit, examineConnections } from './circuit.ts';
import { afterFailure } from './dispositions.ts';
import type { Ending } from './shift.ts';
import { type Batch, recordFailure, type Work } from './work.ts';

/** Causes by which nobody asked about this very record: finding nothing new is then worth no line. */
const quietCauses: ReadonlySet<Cause> = new Set(['poll', 'backfill', 'reconcile', 'sweep', 'dependency']);
export const isQuiet = (cause: Cause): boolean => quietCauses.has(cause);

function end(batch: Batch, work: Work, ending: Ending, told: { readonly outcome: string; readonly failure?: FailureRecord }): void {
  const { desk, name } = batch.shift;
  const record = refText(work.task.ref);
  batch.endings.set(record, ending);
  batch.open.delete(record);
  desk.log.info('record.attempted', {
    integration: name,
    flow: batch.flowKey,
    record,
    cause: work.task.change.cause,
    outcome: told.outcome,
    attempt: work.task.attempt,
    fence: work.leased.fence,
    ...present({
      correlation: work.task.change.correlation,
      failure: told.failure?.kind,
      reason: told.failure?.cause,
      code: told.failure?.code,
      delayMs: ending.is === 'again' ? ending.delayMs : undefined,
    }),
  });
  desk.log.count('records', 1, { integration: name, flow: batch.flowKey, outcome: told.outcome });
}

/** Puts the record back for another try; its lease ends with the batch. */
export function putBack(batch: Batch, work: Work, again: { delayMs: number; spends: boolean }, failure?: FailureRecord): void {
  batch.toRelease.push(work.leased);
  end(batch, work, { is: 'again', ...again }, { outcome: 'retried', ...(failure === undefined ? {} : { failure }) });
}

/** What the link keeps in every ending; trouble, intent and decision belong to the attempt and go unless given again. */
function concluded(batch: Batch, work: Work, state: LinkState, more: Partial<Link>): Link {
  const { trouble: _t, troubleSince: _s, troubleHeader: _h, intent: _i, decision: _d, note: _n, ...kept } = work.leased.link;
  const { described } = work;
  return {
    ...kept,
    ...(described === undefined ? {} : { label: described.label }),
    ...present({ money: described?.money }),
    ...more,
    state,
    updatedAt: batch.shift.desk.clock.now().toISOString(),
  };
}

const settledHeader = (work: Work): Pick<Link, 'headers'> =>
  work.described === undefined ? {} : { headers: { ...work.leased.link.headers, [work.from]: work.described.header } };

export interface Settlement {
  readonly state: Extract<LinkState, 'synced' | 'filtered' | 'gone'>;
  readonly outcome: Outcome;
  readonly sentence: string;
  readonly reason?: string | undefined;
  readonly note?: string | undefined;
  readonly link?: Partial<Link>;
  readonly target?: string | undefined;
  readonly money?: Money | undefined;
  readonly before?: Json | undefined;
  readonly after?: Json | undefined;
}

/**
 * Ends an attempt well: link, pointers and audit entry in one transaction, then those that waited for this record come back. When nothing
 * differs from what the store has and nobody asked, nothing is written.
 */
export async function settle(batch: Batch, work: Work, settlement: Settlement): Promise<void> {
  const { desk } = batch.shift;
  const { state, outcome, sentence, note } = settlement;
  const link = concluded(batch, work, state, { ...settledHeader(work), ...settlement.link, ...present({ note }) });
  const nothingNew = outcome === 'unchanged' && sameSettlement(work.stored, link);
  const wordless = outcome === 'unchanged' && isQuiet(work.task.change.cause);
  const entry = auditEntry(desk, work.task.ref, work.task.change, {
    outcome,
    sentence,
    reason: settlement.reason ?? note,
    label: link.label,
    target: settlement.target,
    money: settlement.money,
    before: settlement.before,
    after: settlement.after,
    fence: work.leased.fence,
  });
  if (nothingNew) {
    batch.toRelease.push(work.leased);
    if (!wordless) await desk.audit.append([entry]);
  } else {
    await desk.links.commit({ ...work.leased, link }, wordless ? [] : [entry]);
    if (state !== 'gone') batch.settled.push({ link, by: work.task.ref });
  }
  end(batch, work, { is: 'done' }, { outcome });
}

function sameSettlement(stored: Link, link: Link): boolean {
  return (
    stored.state === link.state &&
    stored.intent === undefined &&
    stored.decision === undefined &&
    stored.note === link.note &&
    stored.base === link.base &&
    stored.echo === link.echo &&
    stored.postings === link.postings &&
    stored.headers?.a === link.headers?.a &&
    stored.headers?.b === link.headers?.b &&
    stored.keys.a === link.keys.a &&
    stored.keys.b === link.keys.b
  );
}

/** The record was never there, or is gone: an existing link becomes a tombstone, a new one leaves no trace but the line. */
export async function settleGone(batch: Batch, work: Work, sentence: string): Promise<void> {
  const known = work.stored.state !== 'new';
  if (known) {
    await settle(batch, work, { state: 'gone', outcome: work.stored.state === 'gone' ? 'unchanged' : 'noted', sentence, reason: 'gone' });
    return;
  }
  const { desk } = batch.shift;
  await desk.audit.append([auditEntry(desk, work.task.ref, work.task.change, { outcome: 'noted', reason: 'not-readable', sentence })]);
  batch.toRelease.push(work.leased);
  end(batch, work, { is: 'done' }, { outcome: 'noted' });
}

/** Stored plan in preview: nothing else is written. */
export function endPlanned(batch: Batch, work: Work): void {
  batch.toRelease.push(work.leased);
  end(batch, work, { is: 'done' }, { outcome: 'planned' });
}

const sameTrouble = (stored: Link, state: LinkState, failure: FailureRecord): boolean =>
  stored.state === state && stored.trouble?.cause === failure.cause && stored.trouble?.dependency === failure.dependency;

/** Fields of the link that keep the trouble, with what is still unknown about a write (`intent`) and a person's answer left in place. */
function troubled(batch: Batch, work: Work, state: 'held' | 'waiting', failure: FailureRecord): Link {
  const { intent, decision, note } = work.leased.link;
  const since = sameTrouble(work.stored, state, failure) ? work.stored.troubleSince : undefined;
  return concluded(batch, work, state, {
    ...present({ intent, note, decision: state === 'waiting' ? decision : undefined, troubleHeader: work.described?.header }),
    trouble: failure,
    troubleSince: since ?? batch.shift.desk.clock.now().toISOString(),
  });
}

/** Holds the record for a person: dead letter first, so that a held record always has one, then link and audit together. */
async function holdRecord(batch: Batch, work: Work, failure: FailureRecord): Promise<void> {
  const { desk, name } = batch.shift;
  const { task } = work;
  const known = sameTrouble(work.stored, 'held', failure);
  if (known && isQuiet(task.change.cause) && work.leased.link === work.stored && work.stored.troubleHeader === work.described?.header) {
    batch.toRelease.push(work.leased);
    end(batch, work, { is: 'done' }, { outcome: 'held', failure });
    return;
  }
  if (!known || task.change.redriven === true) {
    const { snapshot: _snapshot, redriven: _again, ...change } = task.change;
    const body = { version: 1 as const, integration: name, queue: task.queue, changes: [change], attempt: task.attempt };
    await desk.queue.bury([{ body, reason: failure }]);
  }
  const link = troubled(batch, work, 'held', failure);
  const entry = auditEntry(desk, task.ref, task.change, {
    outcome: 'held',
    reason: failure.cause,
    sentence: failure.sentence,
    label: link.label,
    money: link.money,
    failure,
    fence: work.leased.fence,
  });
  await desk.links.commit({ ...work.leased, link }, [entry]);
  end(batch, work, { is: 'done' }, { outcome: 'held', failure });
}

/**
 * Parks the record until what it waits for is there. The missing record is demanded at the end of the batch, and looked for once more then,
 * after the parking is stored: if it came in between, nobody else would wake this one.
 */
async function parkRecord(batch: Batch, work: Work, failure: FailureRecord, delayMs: number | undefined): Promise<void> {
  const { desk } = batch.shift;
  const { task } = work;
  const known = sameTrouble(work.stored, 'waiting', failure);
  if (known && isQuiet(task.change.cause) && work.leased.link === work.stored && failure.at === work.stored.trouble?.at) {
    batch.toRelease.push(work.leased);
  } else {
    const link = troubled(batch, work, 'waiting', failure);
    const entry = auditEntry(desk, task.ref, task.change, {
      outcome: 'waiting',
      reason: failure.cause,
      sentence: failure.sentence,
      label: link.label,
      money: link.money,
      failure,
      fence: work.leased.fence,
    });
    await desk.links.commit({ ...work.leased, link }, known && isQuiet(task.change.cause) ? [] : [entry]);
  }
  const { dependency, details } = failure;
  if (dependency !== undefined)
    batch.parked.push({ task, missing: { dependency, ...present({ header: details?.['header'], leftOut: details?.['leftOut'] }) } });
  const ending: Ending = delayMs === undefined ? { is: 'done' } : { is: 'again', delayMs, spends: false, as: 'sweep' };
  end(batch, work, ending, { outcome: 'waiting', failure });
}

/** Ends an attempt that failed, by the table in `dispositions.ts`. Never throws for a record; troubles of our own ports go on up. */
export async function concludeFailure(batch: Batch, work: Work, failure: Failure): Promise<void> {
  const { shift } = batch;
  const { clock, random } = shift.desk;
  const next = afterFailure(failure.record, { attempt: work.task.attempt, now: clock.now(), random });
  try {
    switch (next.do) {
      case 'again':
        if (next.stopsBatch) batch.stopped ??= { delayMs: next.delayMs, spends: next.spends };
        putBack(batch, work, next, failure.record);
        return;
      case 'wait':
        await parkRecord(batch, work, failure.record, next.delayMs);
        return;
      case 'hold':
        await holdRecord(batch, work, failure.record);
        return;
      case 'pause':
        await breakCircuit(shift, batch.talkingTo, failure.record);
        batch.stopped ??= { delayMs: pausedDelayMs, spends: false };
        putBack(batch, work, batch.stopped, failure.record);
        return;
      case 'examine':
        if (await examineConnections(shift)) {
          batch.stopped ??= { delayMs: pausedDelayMs, spends: false };
          putBack(batch, work, batch.stopped, failure.record);
        } else if (failure.kind === 'VendorUnavailable') {
          await holdRecord(batch, work, failure.record);
        } else {
          putBack(batch, work, { delayMs: pausedDelayMs, spends: false }, failure.record);
        }
        return;
      case 'end':
        await settleGone(batch, work, failure.message);
        return;
    }
  } catch (thrown) {
    const lost = recordFailure(thrown);
    const again = afterFailure(lost.record, { attempt: work.task.attempt, now: clock.now(), random });
    putBack(batch, work, again.do === 'again' ? again : { delayMs: 30_000, spends: true }, lost.record);
  }
}

/** How long messages of a paused connection are put aside at a time; they spend no attempts. */
export const pausedDelayMs = 600_000;

/** Runs one step of one record; whatever it throws concerns that record only. Answers undefined when the record ended by it. */
export async function forRecord<Result>(batch: Batch, work: Work, step: () => Result | Promise<Result>): Promise<Result | undefined> {
  try {
    return await step();
  } catch (thrown) {
    await concludeFailure(batch, work, recordFailure(thrown));
    return undefined;
  }
}
