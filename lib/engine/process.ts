import { wholeFlow } from '../contracts/change.ts';
import type { Flow } from '../contracts/flow.ts';
import { Failure } from '../failures.ts';
import { refText } from '../values/record-ref.ts';
import { leaseEnd } from './approach.ts';
import { auditEntry } from './audit-entry.ts';
import { breakCircuit, examineConnections, pausedSides } from './circuit.ts';
import { coalesce, type Parsed, parseMessage } from './coalesce.ts';
import { concludeFailure, pausedDelayMs, putBack } from './conclude.ts';
import { afterFailure } from './dispositions.ts';
import { PortTrouble } from './guarded-ports.ts';
import { runMirror } from './mirror.ts';
import { packChanges, sendChanges } from './pack.ts';
import { runPost } from './post.ts';
import { demandMissing, type Settled, wakeWaiting } from './references.ts';
import type { ReceivedMessage } from './running.ts';
import { type Ending, flowKeyOf, type Shift, type Task, timeIsUp } from './shift.ts';
import { type Batch, BatchStop, startBatch } from './work.ts';

const usualBatch = 20;
/** A message that came back so often may hold a record that kills its worker: its records go on one by one. */
const splitAfterReceives = 3;

/** Polls one flow now; given by the engine. */
export type PollNow = (flowId: string) => Promise<void>;

/**
 * Works through messages. Answers the ids to be delivered again: those whose records met trouble of our own ports. Everything else is done,
 * put back on the queue as a new message, or buried, before this resolves.
 */
export async function processMessages(shift: Shift, messages: readonly ReceivedMessage[], pollNow: PollNow): Promise<readonly string[]> {
  const { desk } = shift;
  const failed = new Set<string>();
  const parsed: Parsed[] = [];
  for (const message of messages) {
    const one = parseMessage(message, shift.name);
    try {
      if (one instanceof Failure) {
        desk.log.error('message.unreadable', { integration: shift.name, message: message.id, sentence: one.message });
        await desk.queue.bury([{ body: message.body.slice(0, 200_000), reason: one.record }]);
      } else if (one.receiveCount >= splitAfterReceives && one.body.changes.length > 1) {
        const { queue, changes, attempt } = one.body;
        const alone = changes.flatMap((change) => packChanges(shift.name, { queue, changes: [change], attempt }));
        await desk.queue.send(queue, alone);
      } else parsed.push(one);
    } catch (error) {
      redeliver(shift, failed, [message.id], error);
    }
  }
  const { tasks, messagesOf } = coalesce(parsed);
  const endings = await runTasks(shift, tasks, pollNow);
  await sendBack(shift, tasks, endings, (names, error) =>
    redeliver(
      shift,
      failed,
      names.flatMap((name) => messagesOf.get(name) ?? []),
      error,
    ),
  );
  for (const task of tasks) {
    const name = refText(task.ref);
    if ((endings.get(name) ?? { is: 'redeliver' }).is !== 'redeliver') continue;
    for (const id of messagesOf.get(name) ?? []) failed.add(id);
  }
  return [...failed];
}

function redeliver(shift: Shift, failed: Set<string>, ids: readonly string[], error: unknown): void {
  for (const id of ids) failed.add(id);
  shift.desk.log.error('message.redelivered', { integration: shift.name, messages: ids.length, error: String(error) });
}

/** Runs the tasks flow by flow, in the order the integration lists its flows: what others refer to comes first. */
async function runTasks(shift: Shift, tasks: readonly Task[], pollNow: PollNow): Promise<ReadonlyMap<string, Ending>> {
  const endings = new Map<string, Ending>();
  try {
    const paused = await pausedSides(shift);
    if (paused.size > 0) {
      for (const task of tasks) endings.set(refText(task.ref), { is: 'again', delayMs: pausedDelayMs, spends: false });
      return endings;
    }
    const flows = new Map(shift.definition.flows.map((flow) => [flowKeyOf(shift.name, flow), flow]));
    for (const task of tasks.filter(({ ref }) => !flows.has(ref.flow))) await buryStranger(shift, task, endings);
    let stopped: Batch['stopped'];
    for (const [flowKey, flow] of flows) {
      const own = tasks.filter((task) => task.ref.flow === flowKey);
      if (own.length > 0) stopped = await runFlow(shift, { flow, flowKey, tasks: own, endings, pollNow, stopped });
    }
  } catch (error) {
    shift.desk.log.error('batch.interrupted', { integration: shift.name, error: String(error) });
  }
  return endings;
}

async function buryStranger(shift: Shift, task: Task, endings: Map<string, Ending>): Promise<void> {
  const reason = new Failure('ConfigurationInvalid', {
    cause: `unknown-flow:${task.ref.flow}`,
    sentence: `There is no flow ${task.ref.flow} in this version.`,
    fix: 'Replay the record after the version that has the flow is deployed.',
  });
  const { snapshot: _row, ...change } = task.change;
  await shift.desk.queue.bury([
    { body: { version: 1, integration: shift.name, queue: task.queue, changes: [change], attempt: task.attempt }, reason: reason.record },
  ]);
  endings.set(refText(task.ref), { is: 'done' });
}

interface FlowWork {
  readonly flow: Flow;
  readonly flowKey: string;
  readonly tasks: readonly Task[];
  readonly endings: Map<string, Ending>;
  readonly pollNow: PollNow;
  /** Set when a flow before this one was told to wait. */
  readonly stopped: Batch['stopped'];
}

/** Answers why no further flow should begin: whoever may not talk to a vendor now may not do so for the next flow either. */
async function runFlow(shift: Shift, { flow, flowKey, tasks, endings, pollNow, stopped: given }: FlowWork): Promise<Batch['stopped']> {
  const { mode, reason } = shift.open.flow(flow.id);
  const records = tasks.filter((task) => task.ref.key !== wholeFlow);
  for (const task of tasks) {
    if (task.ref.key !== wholeFlow) continue;
    if (mode === 'live' || mode === 'preview') await pollNow(flow.id);
    endings.set(refText(task.ref), { is: 'done' });
  }
  if (mode === 'paused') {
    for (const task of records) endings.set(refText(task.ref), { is: 'again', delayMs: 900_000, spends: false });
    return given;
  }
  const size = flow.batchSize ?? usualBatch;
  const nowMs = (): number => shift.desk.clock.now().getTime();
  let stopped = given;
  let longestMs = 0;
  for (let start = 0; start < records.length; start += size) {
    const some = records.slice(start, start + size);
    // A batch that would be cut off in the middle has read and looked for everything in vain.
    const late = timeIsUp(shift) || nowMs() + longestMs > shift.deadline.getTime();
    const putOff = stopped ?? (late ? { delayMs: 0, spends: false } : undefined);
    const begunMs = nowMs();
    if (putOff !== undefined) {
      for (const task of some) endings.set(refText(task.ref), { is: 'again', ...putOff });
    } else if (mode === 'off') {
      await endAsOff(shift, some, { endings, reason: reason ?? 'flow-off' });
    } else {
      const options = { flowKey, preview: mode === 'preview', endings };
      stopped =
        flow.kind === 'post'
          ? await runBatch(startBatch(shift, flow, options), some, runPost)
          : await runBatch(startBatch(shift, flow, options), some, runMirror);
    }
    longestMs = Math.max(longestMs, nowMs() - begunMs);
  }
  return stopped;
}

/** Runs one batch to its end; answers why the flow should not begin another, if so. */
async function runBatch<OneFlow extends Flow>(
  batch: Batch<OneFlow>,
  tasks: readonly Task[],
  run: (batch: Batch<OneFlow>, tasks: readonly Task[]) => Promise<void>,
): Promise<Batch['stopped']> {
  const { shift } = batch;
  try {
    try {
      await run(batch, tasks);
    } catch (thrown) {
      if (!(thrown instanceof BatchStop)) throw thrown;
      await stopBatch(batch, tasks, thrown.failure);
    }
  } catch (thrown) {
    const event = thrown instanceof PortTrouble ? 'batch.interrupted' : 'engine.defect';
    shift.desk.log.error(event, { integration: shift.name, flow: batch.flowKey, error: String(thrown) });
  } finally {
    for (const work of batch.open.values()) batch.toRelease.push(work.leased);
    await endLeases(batch);
    await tellOthers(batch);
  }
  return batch.stopped;
}

/** The connection, not a record, is the trouble: everything that did not end is put back. */
async function stopBatch(batch: Batch, tasks: readonly Task[], failure: Failure): Promise<void> {
  const { shift } = batch;
  const { clock, random } = shift.desk;
  for (const work of [...batch.open.values()]) {
    if (batch.stopped === undefined) await concludeFailure(batch, work, failure);
    else putBack(batch, work, batch.stopped, failure.record);
  }
  for (const task of tasks) {
    const name = refText(task.ref);
    if (batch.endings.has(name)) continue;
    if (batch.stopped === undefined) {
      const next = afterFailure(failure.record, { attempt: task.attempt, now: clock.now(), random });
      if (next.do === 'pause') await breakCircuit(shift, batch.talkingTo, failure.record);
      if (next.do === 'examine') await examineConnections(shift);
      batch.stopped = next.do === 'again' ? { delayMs: next.delayMs, spends: next.spends } : { delayMs: pausedDelayMs, spends: false };
    }
    batch.endings.set(name, { is: 'again', ...batch.stopped });
  }
}

/** Ends the leases of what was put back or needed no write. One that was lost meanwhile belongs to another worker. */
async function endLeases(batch: Batch): Promise<void> {
  const { links, log } = batch.shift.desk;
  if (batch.toRelease.length === 0) return;
  try {
    await links.release(batch.toRelease);
  } catch (first) {
    for (const leased of batch.toRelease) {
      try {
        await links.release([leased]);
      } catch (error) {
        if (!(error instanceof Failure))
          log.warn('lease.not-ended', { record: refText(leased.link.origin), error: String(error ?? first) });
      }
    }
  }
}

/** Asks for what parked records wait for, and wakes those that waited for what came to rest: few messages for the whole batch. */
async function tellOthers({ shift, parked, settled, endings }: Batch): Promise<void> {
  try {
    for (const name of await demandMissing(shift, parked)) {
      // A poll's change of a parked record is known to be parked: it comes back because of what arrived.
      if (endings.get(name)?.is === 'done') endings.set(name, { is: 'again', delayMs: 1_000, spends: true, as: 'dependency' });
    }
    await wakeWaiting(shift, settled);
  } catch (error) {
    for (const { task } of parked) endings.delete(refText(task.ref));
    for (const { by } of settled) endings.delete(refText(by));
    shift.desk.log.error('batch.interrupted', { integration: shift.name, error: String(error) });
  }
}

/** A flow that is off: what it never moved is noted as left out, what it moved stays as it is. */
async function endAsOff(
  shift: Shift,
  tasks: readonly Task[],
  { endings, reason }: { readonly endings: Map<string, Ending>; readonly reason: string },
): Promise<void> {
  const { desk } = shift;
  const links = await desk.links.findMany(tasks.map((task) => task.ref));
  const unknown = tasks.filter((task) => {
    const known = links.has(refText(task.ref));
    if (known) endings.set(refText(task.ref), { is: 'done' });
    return !known;
  });
  if (unknown.length === 0) return;
  const now = desk.clock.now();
  const leases = await desk.links.lease(
    unknown.map((task) => task.ref),
    { owner: shift.owner, until: leaseEnd(now, shift.deadline), now },
  );
  const settled: Settled[] = [];
  for (const task of unknown) {
    const lease = leases.get(refText(task.ref));
    if (lease === undefined || 'busy' in lease) {
      endings.set(refText(task.ref), { is: 'again', delayMs: 10_000, spends: false });
      continue;
    }
    const link = { ...lease.link, state: 'filtered' as const, note: reason, updatedAt: now.toISOString() };
    const sentence = `${task.ref.key} is left out: the flow ${task.ref.flow} is off (${reason}).`;
    const entry = auditEntry(desk, task.ref, task.change, { outcome: 'filtered', reason, sentence, fence: lease.fence });
    await desk.links.commit({ ...lease, link }, [entry]);
    settled.push({ link, by: task.ref });
    desk.log.count('records', 1, { integration: shift.name, flow: task.ref.flow, outcome: 'filtered' });
    endings.set(refText(task.ref), { is: 'done' });
  }
  await wakeWaiting(shift, settled);
}

/** Puts back what is to be tried again, in few messages; rows that travelled along are left behind where they would be too old. */
async function sendBack(
  shift: Shift,
  tasks: readonly Task[],
  endings: ReadonlyMap<string, Ending>,
  onTrouble: (names: readonly string[], error: unknown) => void,
): Promise<void> {
  const groups = new Map<string, { readonly tasks: Task[]; readonly delayMs: number; readonly attempt: number }>();
  for (const task of tasks) {
    const ending = endings.get(refText(task.ref));
    if (ending?.is !== 'again') continue;
    const attempt = task.attempt + (ending.spends ? 1 : 0);
    // Delays are rounded up to seconds anyway: what comes back at the same second travels together.
    const delayMs = Math.ceil(ending.delayMs / 1000) * 1000;
    const group = `${task.queue}|${attempt}|${delayMs}`;
    const found = groups.get(group) ?? { tasks: [], delayMs, attempt };
    found.tasks.push(task);
    groups.set(group, found);
  }
  for (const { tasks: some, delayMs, attempt } of groups.values()) {
    try {
      const changes = some.map((task) => {
        const { snapshot, ...change } = task.change;
        const ending = endings.get(refText(task.ref));
        const cause = (ending?.is === 'again' ? ending.as : undefined) ?? change.cause;
        return { ...change, cause, ...(snapshot !== undefined && delayMs < 60_000 ? { snapshot } : {}) };
      });
      await sendChanges(shift.desk, shift.name, { queue: some[0]?.queue ?? 'live', changes, attempt, delayMs });
    } catch (error) {
      onTrouble(
        some.map((task) => refText(task.ref)),
        error,
      );
    }
  }
}
