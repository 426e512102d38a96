import type { Change } from '../contracts/change.ts';
import type { Reference, Resolved } from '../contracts/flow.ts';
import type { Link, LinkState } from '../contracts/link.ts';
import { Failure } from '../failures.ts';
import type { QueueName } from '../ports/change-queue.ts';
import type { LinkPage } from '../ports/link-store.ts';
import { otherSide, parseRef, type RecordRef, refText } from '../values/record-ref.ts';
import { present } from './audit-entry.ts';
import { sendChanges } from './pack.ts';
import { changeOf, type Shift, type Task } from './shift.ts';

const refOf = (shift: Shift, reference: Reference): RecordRef => ({
  flow: `${shift.name}.${reference.flow}`,
  side: reference.side,
  key: reference.key,
});

/** Is this link what the reference needs: there, and settled for exactly that state of the record when one is named. */
function arrived(link: Link | undefined, { side, header, linked, askedPast }: Omit<Reference, 'name' | 'label' | 'flow' | 'key'>): boolean {
  if (link === undefined) return false;
  if (linked && link.keys[otherSide(side)] !== undefined) return true;
  if (link.state !== 'synced' && link.state !== 'filtered') return false;
  if (link.state === 'filtered' && askedPast?.includes(link.note ?? '')) return false;
  return header === undefined || link.headers?.[side] === header;
}

/**
 * The links behind the references of many records, with one read. Per record: all of them by name, or the Failure DependencyMissing that names
 * the first one missing.
 */
export async function resolveReferences(
  shift: Shift,
  asks: ReadonlyMap<string, readonly Reference[]>,
): Promise<ReadonlyMap<string, Resolved | Failure>> {
  const wanted = new Map<string, RecordRef>();
  for (const references of asks.values()) {
    for (const reference of references) {
      const ref = refOf(shift, reference);
      wanted.set(refText(ref), ref);
    }
  }
  const links = wanted.size === 0 ? new Map<string, Link>() : await shift.desk.links.findMany([...wanted.values()]);
  const resolved = new Map<string, Resolved | Failure>();
  for (const [record, references] of asks) resolved.set(record, resolveOne(shift, references, links));
  return resolved;
}

function resolveOne(shift: Shift, references: readonly Reference[], links: ReadonlyMap<string, Link>): Resolved | Failure {
  const resolved = new Map<string, Link>();
  for (const reference of references) {
    const dependency = refText(refOf(shift, reference));
    const link = links.get(dependency);
    if (link === undefined || !arrived(link, reference)) {
      const leftOut = link?.state === 'filtered' ? link.note : undefined;
      return new Failure('DependencyMissing', {
        cause: `missing:${reference.label}`,
        sentence: `Waits for ${reference.label}, which is not ${link === undefined ? 'here' : 'settled'} yet.`,
        dependency,
        ...(reference.header === undefined && leftOut === undefined ? {} : { details: present({ header: reference.header, leftOut }) }),
      });
    }
    resolved.set(reference.name, link);
  }
  return resolved;
}

/** A record that was parked, and what it waits for. */
export interface Parked {
  readonly task: Task;
  readonly missing: { readonly dependency: string; readonly header?: string; readonly leftOut?: string };
}

/** A record that came to rest: others may have waited for it. */
export interface Settled {
  readonly link: Link;
  /** The key it was known by in this batch. */
  readonly by: RecordRef;
}

/** Whoever is in one of these states is settled by somebody or something else, and wakes those that wait for it then. */
const underway: ReadonlySet<LinkState> = new Set(['waiting', 'working', 'held']);

/**
 * Asks for the records that others wait for, then looks whether they have come meanwhile. Answers the names of those whose record has: they were
 * stored after that one looked for whom to wake.
 */
export async function demandMissing(shift: Shift, parked: readonly Parked[]): Promise<ReadonlySet<string>> {
  const arrivedFor = new Set<string>();
  if (parked.length === 0) return arrivedFor;
  const { desk } = shift;
  const wanted = new Map(parked.map(({ missing }) => [missing.dependency, parseRef(missing.dependency)]));
  const links = await desk.links.findMany([...wanted.values()]);
  const demands: Record<QueueName, Map<string, Change>> = { live: new Map(), bulk: new Map() };
  for (const { task, missing } of parked) {
    const { dependency, header, leftOut } = missing;
    const ref = wanted.get(dependency) ?? parseRef(dependency);
    const present = links.get(dependency);
    const need = {
      side: ref.side,
      ...(header === undefined ? {} : { header }),
      ...(leftOut === undefined ? {} : { askedPast: [leftOut] }),
    };
    if (arrived(present, need)) arrivedFor.add(refText(task.ref));
    else if (present === undefined || !underway.has(present.state))
      demands[task.queue].set(dependency, changeOf(desk, ref, 'dependency', task.change.correlation));
  }
  for (const queue of ['live', 'bulk'] as const) await sendChanges(desk, shift.name, { queue, changes: [...demands[queue].values()] });
  return arrivedFor;
}

/** Wakes the records that wait for these, whichever side's key they know them by. */
export async function wakeWaiting(shift: Shift, settled: readonly Settled[]): Promise<void> {
  const { desk } = shift;
  const names = new Set<string>();
  for (const { link, by } of settled) {
    names.add(refText(by));
    names.add(refText(link.origin));
    for (const side of ['a', 'b'] as const) {
      const key = link.keys[side];
      if (key !== undefined) names.add(refText({ flow: link.origin.flow, side, key }));
    }
  }
  const changes: Change[] = [];
  for (const dependency of names) {
    let after: string | undefined;
    do {
      const page: LinkPage = await desk.links.listWaiting(shift.name, {
        dependency,
        limit: 100,
        ...(after === undefined ? {} : { after }),
      });
      changes.push(...page.links.map((waiting) => changeOf(desk, waiting.origin, 'dependency')));
      after = page.next;
    } while (after !== undefined);
  }
  await sendChanges(desk, shift.name, { queue: 'live', changes });
}
