import type { Link } from '../contracts/link.ts';
import type { LinkPage } from '../ports/link-store.ts';
import { parseRef, type RecordRef, refText } from '../values/record-ref.ts';
import { isDue } from './cadence.ts';
import { resumeConnections } from './circuit.ts';
import { sweepDeadLetters } from './dead-letters.ts';
import { PortTrouble } from './guarded-ports.ts';
import { sendChanges } from './pack.ts';
import { readReference } from './reference-data.ts';
import { runReports } from './reports.ts';
import { changeOf, type Shift, timeIsUp } from './shift.ts';
import { scheduleKey } from './state-keys.ts';
import { recordFailure } from './work.ts';

/** A write announced this long ago and not concluded has no worker any more. */
const abandonedAfterMs = 30 * 60_000;
/** Everything that waits is looked at again this often, whatever it waits for. */
const waitingEveryMinutes = 360;
const conditionsEveryMinutes = 30;

/** The housekeeping of one integration. Each piece stands alone: one that fails is logged and the others go on. */
export async function keepHouse(shift: Shift): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  const pieces: Readonly<Record<string, () => Promise<number>>> = {
    resumed: () => resumeConnections(shift),
    reference: () => refreshDue(shift),
    released: () => releaseDue(shift),
    woken: () => wakeWaiting(shift),
    abandoned: () => takeUpAbandoned(shift),
    buried: () => sweepDeadLetters(shift),
    reports: () => runReports(shift),
  };
  let trouble: unknown;
  for (const [name, piece] of Object.entries(pieces)) {
    if (timeIsUp(shift)) break;
    try {
      counts[name] = await piece();
    } catch (thrown) {
      if (thrown instanceof PortTrouble) trouble ??= thrown;
      const reason = thrown instanceof PortTrouble ? thrown.message : recordFailure(thrown).record.cause;
      shift.desk.log.error('keeping.failed', { integration: shift.name, piece: name, reason });
    }
  }
  if (trouble !== undefined) throw trouble;
  return counts;
}

/** Notes that a piece runs now, when it is due; two keepers at once do not both run it. */
export async function takeTurn(shift: Shift, task: string, cadence: number | string): Promise<boolean> {
  const { state, clock } = shift.desk;
  const key = scheduleKey(shift.name, task);
  const before = await state.get<{ ranAt: string }>(key);
  const now = clock.now();
  if (!isDue(cadence, before?.value.ranAt, now)) return false;
  return (await state.put(key, { ranAt: now.toISOString() }, { expect: before?.version ?? 'absent' })) !== 'conflict';
}

async function refreshDue(shift: Shift): Promise<number> {
  const { reference } = shift.definition;
  if (reference === undefined) return 0;
  const last = await shift.desk.state.get<{ ranAt: string }>(scheduleKey(shift.name, 'reference'));
  if (!isDue(reference.everyMinutes, last?.value.ranAt, shift.desk.clock.now())) return 0;
  await readReference(shift);
  return 1;
}

/** Holds that may resolve by themselves are looked at again. */
async function releaseDue(shift: Shift): Promise<number> {
  const due: string[] = [];
  for (const { causePrefix, everyMinutes } of shift.definition.autoRelease) {
    if (await takeTurn(shift, `release|${causePrefix}`, everyMinutes)) due.push(causePrefix);
  }
  if (due.length === 0) return 0;
  return lookAgain(
    shift,
    (after) => shift.desk.links.listHeld(shift.name, after),
    (link) => due.some((prefix) => link.trouble?.cause.startsWith(prefix)),
  );
}

/**
 * Waiting records whose missing record has come, or whose instant has passed. Wake-ups are sent when a link is committed; this finds those that
 * were lost to a crash or to a list that lagged behind.
 */
async function wakeWaiting(shift: Shift): Promise<number> {
  const { desk } = shift;
  const everything = await takeTurn(shift, 'waiting', waitingEveryMinutes);
  const conditions = await takeTurn(shift, 'conditions', conditionsEveryMinutes);
  const now = desk.clock.now().toISOString();
  let woken = 0;
  await eachPage(
    (after) => desk.links.listWaiting(shift.name, after),
    async (links) => {
      const wanted = new Map<string, RecordRef>();
      for (const { trouble } of links) if (trouble?.dependency !== undefined) wanted.set(trouble.dependency, parseRef(trouble.dependency));
      const there = wanted.size === 0 ? new Map<string, Link>() : await desk.links.findMany([...wanted.values()]);
      const due = links.filter(({ trouble }) => {
        if (everything || trouble === undefined) return true;
        if (trouble.dependency === undefined) return trouble.at === undefined ? conditions : trouble.at <= now;
        const link = there.get(trouble.dependency);
        // Left out by the very rule that the waiting record asks past: still not here.
        if (link?.state === 'filtered') return link.note === undefined || link.note !== trouble.details?.['leftOut'];
        return link?.state === 'synced';
      });
      woken += await queueSweep(shift, due);
    },
  );
  return woken;
}

async function takeUpAbandoned(shift: Shift): Promise<number> {
  const before = shift.desk.clock.now().getTime() - abandonedAfterMs;
  return lookAgain(
    shift,
    (after) => shift.desk.links.listWorking(shift.name, after),
    (link) => Date.parse(link.updatedAt) <= before,
  );
}

type Lister = (options: { readonly after?: string; readonly limit: number }) => Promise<LinkPage>;

async function lookAgain(shift: Shift, list: Lister, which: (link: Link) => boolean): Promise<number> {
  let queued = 0;
  await eachPage(list, async (links) => {
    queued += await queueSweep(shift, links.filter(which));
  });
  return queued;
}

async function eachPage(list: Lister, use: (links: readonly Link[]) => Promise<void>): Promise<void> {
  let after: string | undefined;
  do {
    const page = await list({ limit: 100, ...(after === undefined ? {} : { after }) });
    await use(page.links);
    after = page.next;
  } while (after !== undefined);
}

async function queueSweep(shift: Shift, links: readonly Link[]): Promise<number> {
  const { desk, name } = shift;
  const refs = new Map(links.map(({ origin }) => [refText(origin), origin]));
  await sendChanges(desk, name, { queue: 'bulk', changes: [...refs.values()].map((ref) => changeOf(desk, ref, 'sweep')) });
  return refs.size;
}
