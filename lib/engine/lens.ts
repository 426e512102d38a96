import type { FlowContext, Lens, MirrorFlow, Resolved } from '../contracts/flow.ts';
import type { Failure } from '../failures.ts';
import type { Side } from '../values/record-ref.ts';
import type { Batch, Work } from './work.ts';

export type MirrorBatch = Batch<MirrorFlow>;
export type AnyLens = Lens<Readonly<Record<string, unknown>>, unknown, FlowContext>;

/** A record whose fields could be read. */
export interface Read {
  readonly work: Work;
  readonly fields: Readonly<Record<string, unknown>>;
  /** References of the record, or why one of them is not here: it matters only when something is written. */
  links: Resolved | Failure;
}

/** A flow's fields are an object; the engine handles them by name. */
export function lensOf(flow: MirrorFlow, side: Side): AnyLens {
  return flow.sides[side] as AnyLens;
}

/** The name under which people know a side. */
export const systemOf = (batch: MirrorBatch, side: Side): string => batch.shift.definition.sides[side].title;

export const sourceSideOf = (flow: MirrorFlow): Side | undefined =>
  flow.direction === 'both' ? undefined : flow.direction === 'a-to-b' ? 'a' : 'b';
