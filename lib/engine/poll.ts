import type { Change } from '../contracts/change.ts';
import type { Feed, Flow, FlowContext, Found, SourceReader } from '../contracts/flow.ts';
import type { Link } from '../contracts/link.ts';
import { asFailure } from '../failures.ts';
import { type RecordRef, refText, type Side } from '../values/record-ref.ts';
import { isDue } from './cadence.ts';
import { breakCircuit, pausedSides } from './circuit.ts';
import { type Kept, moved, readStands, sinceOf, writeStand } from './cursors.ts';
import { PortTrouble } from './guarded-ports.ts';
import { sourceSideOf } from './lens.ts';
import { sendChanges } from './pack.ts';
import type { FlowCounts, PollOptions, PollReport } from './running.ts';
import { flowKeyOf, type Shift } from './shift.ts';
import { silentCadenceMinutes, watchSilence } from './silence.ts';
import { headerOf } from './work.ts';

/** Pages of one poll that go to the live queue; what is larger is bulk and must not slow what is urgent. */
const livePages = 2;

interface Counts {
  listed: number;
  unchanged: number;
  queued: number;
  /** Queued and changed since the last poll: what the overlap lists again was told, or missed, before. */
  fresh: number;
}

interface FeedRun {
  readonly side: Side;
  readonly feed: Feed<unknown, FlowContext>;
  readonly reader: SourceReader<unknown, FlowContext>;
  /** Name of its cursor. */
  readonly name: string;
}

/** Polls the flows that are due. A flow that fails is reported and does not keep the others from being polled. */
export async function pollFlows(shift: Shift, options: PollOptions): Promise<PollReport> {
  const { definition, desk, open, name } = shift;
  const asked = definition.flows.filter((flow) => options.flows === undefined || options.flows.includes(flow.id));
  const stands = await readStands(
    desk.state,
    name,
    asked.map(({ id }) => id),
  );
  const paused = await pausedSides(shift);
  const resting = new Set<Side>(paused.keys());
  const flows: FlowCounts[] = [];
  const skipped: Record<string, string> = {};
  for (const flow of asked) {
    const kept = stands.get(flow.id) ?? { stand: { cursors: {}, missed: [] }, version: undefined };
    const setting = open.flow(flow.id);
    if (setting.mode === 'off' || setting.mode === 'paused') skipped[flow.id] = setting.reason ?? setting.mode;
    else if (!options.force && !options.backfill && !isDue(cadenceOf(setting.poll, kept), kept.stand.polledAt, desk.clock.now())) {
      skipped[flow.id] = 'not due';
    } else if (isOver(shift, options)) skipped[flow.id] = 'no time left';
    else {
      const counts: Counts = { listed: 0, unchanged: 0, queued: 0, fresh: 0 };
      const why = await pollFlow(shift, flow, { kept, options, counts, resting, listed: new Set() });
      const { fresh: _fresh, ...told } = counts;
      if (why === undefined || counts.listed > 0) flows.push({ flow: flow.id, ...told });
      if (why !== undefined) skipped[flow.id] = why;
    }
  }
  return { integration: name, flows, skipped };
}

function cadenceOf(poll: number | string, { stand }: Kept): number | string {
  if (stand.silentSince === undefined) return poll;
  return typeof poll === 'number' ? Math.min(poll, silentCadenceMinutes) : silentCadenceMinutes;
}

const isOver = (shift: Shift, { deadline }: PollOptions): boolean =>
  deadline !== undefined && shift.desk.clock.now().getTime() >= deadline.getTime();

/** Feeds of a flow; a one-way mirror listens to its source only. */
function feedsOf(flow: Flow, context: FlowContext): readonly FeedRun[] {
  if (flow.kind === 'post') {
    return flow.source.feeds(context).map((feed) => ({ side: flow.from, feed, reader: flow.source, name: feed.name }));
  }
  const only = sourceSideOf(flow);
  return (['a', 'b'] as const)
    .filter((side) => only === undefined || side === only)
    .flatMap((side) => {
      const reader = flow.sides[side].source;
      return reader.feeds(context).map((feed) => ({ side, feed, reader, name: `${side}.${feed.name}` }));
    });
}

interface FlowPoll {
  kept: Kept;
  readonly options: PollOptions;
  readonly counts: Counts;
  /** Sides not to be talked to: paused, or telling us to wait. */
  readonly resting: Set<Side>;
  /** Records whose row this poll has listed. */
  readonly listed: Set<string>;
}

/** Answers why the flow was not, or not wholly, looked at. */
async function pollFlow(shift: Shift, flow: Flow, poll: FlowPoll): Promise<string | undefined> {
  const { desk, open, name } = shift;
  let side: Side = flow.kind === 'post' ? flow.from : 'a';
  const swept = poll.kept.stand.polledAt === undefined || poll.options.backfill === true;
  try {
    let left: string | undefined;
    for (const run of feedsOf(flow, open.context)) {
      side = run.side;
      if (poll.resting.has(side)) {
        left ??= `connection ${open.connection(side).name} is paused or told us to wait`;
        continue;
      }
      const more = poll.kept.stand.backfill?.[run.name];
      // A first backfill on its way is the sweep: a second one from the start would only list the same.
      const sweeping = more !== undefined && poll.kept.stand.cursors[run.name] === undefined;
      if (poll.options.backfill !== true && !sweeping) left ??= await pollFeed(shift, flow, run, poll, 'poll');
      if (left === undefined && (poll.options.backfill === true || more !== undefined))
        left = await pollFeed(shift, flow, run, poll, 'backfill');
    }
    const stand = await watchSilence(desk, name, { flow, stand: poll.kept.stand, found: swept ? 0 : poll.counts.fresh });
    const polledAt = left === undefined ? { polledAt: desk.clock.now().toISOString() } : {};
    if ((await writeStand(desk.state, name, flow.id, { ...poll.kept, stand: { ...stand, ...polledAt } })) === undefined)
      return 'another poll is running';
    return left;
  } catch (thrown) {
    if (thrown instanceof PortTrouble) throw thrown;
    const failure = asFailure(thrown);
    desk.log.warn('poll.failed', { integration: name, flow: flow.id, failure: failure.kind, reason: failure.record.cause });
    if (failure.disposition === 'broken') await breakCircuit(shift, side, failure.record);
    if (failure.disposition === 'broken' || failure.kind === 'RateLimited' || failure.kind === 'LaneBusy') poll.resting.add(side);
    return failure.message;
  }
}

/** Lists one feed page by page. The cursor is written after each page is on the queue, so a crash lists that page again and loses nothing. */
async function pollFeed(shift: Shift, flow: Flow, run: FeedRun, poll: FlowPoll, cause: 'poll' | 'backfill'): Promise<string | undefined> {
  const { desk, open, name } = shift;
  const startedAt = desk.clock.now();
  const { cursors, backfill } = poll.kept.stand;
  const cursor = cause === 'poll' ? cursors[run.name] : backfill?.[run.name];
  const since = sinceOf(cursor, run.feed.overlapMs, startedAt);
  // What lies in the future was not written by a healthy poll: the sweep that follows starts a new cursor.
  let position = since === undefined ? undefined : cursor;
  let pages = 0;
  for await (const page of run.feed.list(open.context, since)) {
    if (isOver(shift, poll.options)) {
      if (cause === 'backfill') return 'no time left: the backfill goes on at the next poll';
      return 'no time left: the next poll goes on';
    }
    const queue = cause === 'backfill' || pages >= livePages ? 'bulk' : 'live';
    pages++;
    const changes = await newsOf(shift, flow, run, { page, cause, poll, cursor });
    await sendChanges(desk, name, { queue, changes });
    const next = moved(position, page, startedAt);
    if (next === undefined || next === position) continue;
    position = next;
    if (!(await keepPosition(shift, flow, run, poll, { cause, position }))) return 'another poll is running';
  }
  finishFeed(run, poll, { cause, position, startedAt });
  return undefined;
}

async function keepPosition(
  shift: Shift,
  flow: Flow,
  run: FeedRun,
  poll: FlowPoll,
  { cause, position }: { readonly cause: 'poll' | 'backfill'; readonly position: string },
): Promise<boolean> {
  const { stand } = poll.kept;
  const changed =
    cause === 'poll'
      ? { ...stand, cursors: { ...stand.cursors, [run.name]: position } }
      : { ...stand, backfill: { ...stand.backfill, [run.name]: position } };
  const kept = await writeStand(shift.desk.state, shift.name, flow.id, { ...poll.kept, stand: changed });
  if (kept === undefined) return false;
  poll.kept = kept;
  return true;
}

/** So far may a vendor's clock be behind ours, and so late may a change appear in its lists. Before anything was listed, nothing is known of its clock. */
const listDoubtMs = 15 * 60_000;
const firstDoubtMs = 60 * 60_000;

/**
 * The feed was listed to its end: what is old enough to be beyond doubt is on the queue, so the cursor need not stay behind at the last change.
 * Else a bill run would be listed and compared again by every poll until something newer happens.
 */
function finishFeed(
  run: FeedRun,
  poll: FlowPoll,
  done: { readonly cause: 'poll' | 'backfill'; readonly position: string | undefined; readonly startedAt: Date },
): void {
  const { stand } = poll.kept;
  const complete = new Date(done.startedAt.getTime() - (done.position === undefined ? firstDoubtMs : listDoubtMs)).toISOString();
  const position = done.position === undefined || done.position < complete ? complete : done.position;
  if (done.cause === 'poll') {
    poll.kept = { ...poll.kept, stand: { ...stand, cursors: { ...stand.cursors, [run.name]: position } } };
    return;
  }
  const { [run.name]: _finished, ...unfinished } = stand.backfill ?? {};
  const { backfill: _backfill, ...rest } = stand;
  const cursors = { ...stand.cursors, [run.name]: stand.cursors[run.name] ?? position };
  poll.kept = {
    ...poll.kept,
    stand: { ...rest, cursors, ...(Object.keys(unfinished).length === 0 ? {} : { backfill: unfinished }) },
  };
}

/** The changes of a page that are news to their links, with the rows where they are at hand. One read of links per page. */
async function newsOf(
  shift: Shift,
  flow: Flow,
  run: FeedRun,
  given: {
    readonly page: readonly Found<unknown>[];
    readonly cause: 'poll' | 'backfill';
    readonly poll: FlowPoll;
    readonly cursor: string | undefined;
  },
): Promise<readonly Change[]> {
  const { desk } = shift;
  const { page, cause, poll, cursor } = given;
  const { counts, listed } = poll;
  const flowKey = flowKeyOf(shift.name, flow);
  const latest = new Map<string, Found<unknown>>();
  for (const found of page) {
    const place = `${run.side}|${found.key}`;
    if (found.row !== undefined) listed.add(place);
    // Another feed of this poll brought the whole row: its key alone is no further news.
    else if (listed.has(place)) continue;
    latest.set(found.key, found);
  }
  const refs = [...latest.keys()].map((key): RecordRef => ({ flow: flowKey, side: run.side, key }));
  const links = refs.length === 0 ? new Map() : await desk.links.findMany(refs);
  const at = desk.clock.now().toISOString();
  const changes: Change[] = [];
  for (const ref of refs) {
    const found = latest.get(ref.key);
    const link = links.get(refText(ref));
    counts.listed++;
    const header = headerOfRow(run.reader, found?.row);
    const settled = link?.state === 'synced' || (link?.state === 'filtered' && cause === 'poll');
    const stuck = link?.state === 'held' || link?.state === 'waiting';
    const known =
      link !== undefined &&
      (header === undefined
        ? settled && found !== undefined && found.row === undefined && isLongPast(found.at, link)
        : (settled && headerOf(link, run.side) === header) || (stuck && link.troubleHeader === header));
    if (known) {
      counts.unchanged++;
      continue;
    }
    counts.queued++;
    if (cursor === undefined || (found !== undefined && found.at.toISOString() > cursor)) counts.fresh++;
    changes.push({ ...ref, cause, at, ...(found?.row === undefined ? {} : { snapshot: { row: asJson(found.row), readAt: at } }) });
  }
  return changes;
}

/** A worker holds what it read for minutes, and clocks differ: only a change well before the link was last written was surely seen by then. */
const surelySeenMs = 15 * 60_000;

const isLongPast = (at: Date, link: Link): boolean => Date.parse(link.updatedAt) - at.getTime() >= surelySeenMs;

/** A row that cannot be described is queued: the worker says what is wrong with it, for that record alone. */
function headerOfRow(reader: SourceReader<unknown, FlowContext>, row: unknown): string | undefined {
  if (row === undefined) return undefined;
  try {
    return reader.describe(row).header;
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

const asJson = (row: unknown): NonNullable<Change['snapshot']>['row'] => JSON.parse(JSON.stringify(row));
