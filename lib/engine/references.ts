import type { Reference, Resolved } from '../contracts/flow.ts';
import type { Link } from '../contracts/link.ts';
import { Failure } from '../failures.ts';
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

/**
 * Asks for the record another one waits for, then looks whether it has come meanwhile. The answer is true when it has: the waiting record was
 * stored after that one looked for whom to wake.
 */
export async function demand(
  shift: Shift,
  missing: { readonly dependency: string; readonly header?: string; readonly leftOut?: string },
  waiting: Task,
): Promise<boolean> {
  const { desk } = shift;
  const ref = parseRef(missing.dependency);
  const present = (await desk.links.findMany([ref])).get(missing.dependency);
  const { header, leftOut } = missing;
  const need = {
    side: ref.side,
    ...(header === undefined ? {} : { header }),
    ...(leftOut === undefined ? {} : { askedPast: [leftOut] }),
  };
  if (arrived(present, need)) return true;
  await sendChanges(desk, shift.name, {
    queue: waiting.queue,
    changes: [changeOf(desk, ref, 'dependency', waiting.change.correlation)],
  });
  return false;
}

/** Wakes the records that wait for this one, whichever side's key they know it by. */
export async function releaseWaiting(shift: Shift, link: Link, by: RecordRef): Promise<number> {
  const { desk } = shift;
  const names = new Set<string>([refText(by), refText(link.origin)]);
  for (const side of ['a', 'b'] as const) {
    const key = link.keys[side];
    if (key !== undefined) names.add(refText({ flow: link.origin.flow, side, key }));
  }
  let released = 0;
  for (const dependency of names) {
    let after: string | undefined;
    do {
      const page: LinkPage = await desk.links.listWaiting(shift.name, {
        dependency,
        limit: 100,
        ...(after === undefined ? {} : { after }),
      });
      if (page.links.length > 0) {
        const changes = page.links.map((waiting) => changeOf(desk, waiting.origin, 'dependency'));
        await sendChanges(desk, shift.name, { queue: 'live', changes });
        released += changes.length;
      }
      after = page.next;
    } while (after !== undefined);
  }
  return released;
}
