import type { Change } from '../contracts/change.ts';
import type { Described, Flow, FlowContext, SourceReader } from '../contracts/flow.ts';
import type { Link } from '../contracts/link.ts';
import { Failure } from '../failures.ts';
import { refText, type Side } from '../values/record-ref.ts';
import { auditEntry } from './audit-entry.ts';
import { isQuiet } from './conclude.ts';
import { inBulk } from './in-bulk.ts';
import { sourceSideOf } from './lens.ts';
import type { Task } from './shift.ts';
import { type Batch, BatchStop, headerOf, recordFailure, type Work } from './work.ts';

/** A row as read: when, and what it says. */
interface Seen {
  readonly row: unknown;
  readonly readAt: Date;
  readonly described?: Described;
  readonly trouble?: Failure;
}

export type Readers = Readonly<Record<Side, SourceReader<unknown, FlowContext>>>;

/** A snapshot older than this is read again. */
const youngMs = 300_000;

/**
 * Looks at the records of a batch: one read of links, one read of rows, and only those with something new are leased. A row that was read before
 * the link was last written is read again under the lease: it may be older than what the link already knows.
 */
export async function approach(batch: Batch, tasks: readonly Task[], readers: Readers): Promise<readonly Work[]> {
  const { desk } = batch.shift;
  const links = await desk.links.findMany(tasks.map((task) => task.ref));
  const asked: Task[] = [];
  for (const task of tasks) {
    const link = links.get(refText(task.ref));
    // Settled for exactly what the list showed: whatever changed later is listed again, so an old snapshot is as good as a young one.
    if (isKnownByList(task, link, readers)) await endKnown(batch, task, link);
    else asked.push(task);
  }
  if (asked.length > 0 && !batch.preview) await makeReady(batch);
  const seen = await see(batch, asked, readers);
  const left: Task[] = [];
  for (const task of asked) {
    const name = refText(task.ref);
    const row = seen.get(name);
    if (row !== undefined && isKnown(task, links.get(name), row)) {
      await endKnown(batch, task, links.get(name));
    } else {
      left.push(task);
    }
  }
  return take(batch, onePerLink(batch, left, links), { seen, readers });
}

/** A worker that may not write now finds out here, before it leases and reads what it would have to put back. */
async function makeReady(batch: Batch): Promise<void> {
  const { flow } = batch;
  const source = flow.kind === 'post' ? flow.from : sourceSideOf(flow);
  for (const side of ['a', 'b'] as const) {
    if (side === source) continue;
    batch.talkingTo = side;
    try {
      await batch.shift.open.connection(side).ready?.();
    } catch (thrown) {
      throw new BatchStop(recordFailure(thrown));
    }
  }
}

/** Nothing new: settled for exactly this row, or in trouble over exactly this row and nobody asked to try again. */
function isKnown(task: Task, link: Link | undefined, { described }: Seen): boolean {
  if (link === undefined || described === undefined) return false;
  const { cause } = task.change;
  const found = cause === 'poll' || cause === 'backfill' || cause === 'reconcile';
  if (cause !== 'replay' && link.state === 'synced') return headerOf(link, task.ref.side) === described.header;
  if (cause === 'poll' && link.state === 'filtered') return headerOf(link, task.ref.side) === described.header;
  if (found && (link.state === 'held' || link.state === 'waiting')) return link.troubleHeader === described.header;
  return false;
}

function isKnownByList(task: Task, link: Link | undefined, readers: Readers): boolean {
  const { cause, snapshot } = task.change;
  if (link === undefined || snapshot === undefined || (cause !== 'poll' && cause !== 'backfill')) return false;
  const reader = readers[task.ref.side];
  const row = reader.row.safeParse(snapshot.row);
  return row.success && isKnown(task, link, describeRow(reader, row.data, new Date(snapshot.readAt)));
}

async function endKnown(batch: Batch, task: Task, link: Link | undefined): Promise<void> {
  const { desk, name } = batch.shift;
  const record = refText(task.ref);
  const outcome = link?.state === 'held' || link?.state === 'waiting' ? link.state : 'unchanged';
  if (task.change.cause === 'webhook') {
    const sentence = `${link?.label ?? task.ref.key} is as it was when it was last settled.`;
    await desk.audit.append([auditEntry(desk, task.ref, task.change, { outcome: 'unchanged', sentence, label: link?.label })]);
  }
  if (task.change.cause === 'dependency' && link !== undefined) batch.settled.push({ link, by: task.ref });
  if (!isQuiet(task.change.cause)) desk.log.info('record.attempted', { integration: name, record, cause: task.change.cause, outcome });
  desk.log.count('records', 1, { integration: name, flow: batch.flowKey, outcome });
  batch.endings.set(record, { is: 'done' });
}

/** Two keys of one link in one batch are one piece of work. */
function onePerLink(batch: Batch, tasks: readonly Task[], links: ReadonlyMap<string, Link>): readonly Task[] {
  const byOrigin = new Map<string, Task>();
  const kept: Task[] = [];
  for (const task of tasks) {
    const link = links.get(refText(task.ref));
    const origin = link === undefined ? refText(task.ref) : refText(link.origin);
    if (byOrigin.has(origin)) {
      // The other side's change comes back after this one was dealt with: it then differs from the link, or costs one read.
      batch.endings.set(refText(task.ref), { is: 'again', delayMs: 1_000, spends: false });
    } else {
      byOrigin.set(origin, task);
      kept.push(task);
    }
  }
  return kept;
}

/** Present rows: young snapshots as they came, the rest from the vendor in its largest batches. */
async function see(batch: Batch, tasks: readonly Task[], readers: Readers): Promise<Map<string, Seen>> {
  const seen = new Map<string, Seen>();
  const unread: Task[] = [];
  const now = batch.shift.desk.clock.now();
  for (const task of tasks) {
    const reader = readers[task.ref.side];
    const row = snapshotOf(task.change, now, reader);
    if (row === undefined) unread.push(task);
    else seen.set(refText(task.ref), describeRow(reader, row.row, row.readAt));
  }
  for (const [name, row] of await readRows(batch, unread, readers)) seen.set(name, row);
  return seen;
}

function snapshotOf(change: Change, now: Date, reader: SourceReader<unknown, FlowContext>): { row: unknown; readAt: Date } | undefined {
  if (change.snapshot === undefined) return undefined;
  const readAt = new Date(change.snapshot.readAt);
  if (now.getTime() - readAt.getTime() > youngMs) return undefined;
  const parsed = reader.row.safeParse(change.snapshot.row);
  return parsed.success ? { row: parsed.data, readAt } : undefined;
}

function describeRow(reader: SourceReader<unknown, FlowContext>, row: unknown, readAt: Date): Seen {
  try {
    return { row, readAt, described: reader.describe(row) };
  } catch (thrown) {
    return { row, readAt, trouble: recordFailure(thrown) };
  }
}

async function readRows(batch: Batch, tasks: readonly Task[], readers: Readers): Promise<Map<string, Seen>> {
  const seen = new Map<string, Seen>();
  for (const side of ['a', 'b'] as const) {
    const asked = tasks.filter((task) => task.ref.side === side);
    if (asked.length === 0) continue;
    batch.talkingTo = side;
    const reader = readers[side];
    const { context } = batch.shift.open;
    const readAt = batch.shift.desk.clock.now();
    const keys = asked.map((task) => task.ref.key);
    const rows = await inBulk<string, unknown>(
      batch,
      keys,
      (some) => reader.rows(context, some),
      (key) => key,
    );
    for (const task of asked) {
      const row = rows.get(task.ref.key);
      const read: Seen =
        row instanceof Failure
          ? { row: undefined, readAt, trouble: row }
          : row === undefined
            ? { row, readAt }
            : describeRow(reader, row, readAt);
      seen.set(refText(task.ref), read);
    }
  }
  return seen;
}

/** Leases in bulk, and reads rows again that may be older than the link they met. */
async function take(
  batch: Batch<Flow>,
  tasks: readonly Task[],
  known: { readonly seen: Map<string, Seen>; readonly readers: Readers },
): Promise<readonly Work[]> {
  if (tasks.length === 0) return [];
  const { desk, owner, deadline } = batch.shift;
  const now = desk.clock.now();
  const until = leaseEnd(now, deadline);
  const leases = await desk.links.lease(
    tasks.map((task) => task.ref),
    { owner, until, now },
  );
  const works: Work[] = [];
  for (const task of tasks) {
    const name = refText(task.ref);
    const lease = leases.get(name);
    if (lease === undefined || 'busy' in lease) {
      const wait = lease === undefined ? 5_000 : Math.min(30_000, Math.max(2_000, lease.busy.getTime() - now.getTime()));
      batch.endings.set(name, { is: 'again', delayMs: Math.round(wait * (0.75 + desk.random.next() / 2)), spends: false });
      continue;
    }
    const work: Work = {
      task,
      from: task.ref.side,
      leased: lease,
      leasedUntil: until,
      stored: lease.link,
      row: undefined,
      described: undefined,
      trouble: undefined,
    };
    batch.open.set(name, work);
    works.push(work);
  }
  const stale = works.filter(({ task, stored }) => {
    const read = known.seen.get(refText(task.ref));
    return read === undefined || (stored.state !== 'new' && Date.parse(stored.updatedAt) >= read.readAt.getTime());
  });
  const fresh = await readRows(
    batch,
    stale.map((work) => work.task),
    known.readers,
  );
  for (const work of works) {
    const name = refText(work.task.ref);
    const read = fresh.get(name) ?? known.seen.get(name);
    work.row = read?.row;
    work.described = read?.described;
    work.trouble = read?.trouble;
  }
  return works;
}

/** A little longer than the worker may run, so that a lease never ends while its holder works by the rules. */
export function leaseEnd(now: Date, deadline: Date): Date {
  return new Date(Math.max(now.getTime() + 60_000, deadline.getTime() + 30_000));
}
