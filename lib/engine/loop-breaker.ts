import { Failure } from '../failures.ts';

const windowMs = 3_600_000;
const most = 5;

const within = (writes: readonly string[] | undefined, now: Date): readonly string[] =>
  (writes ?? []).filter((write) => now.getTime() - Date.parse(write.slice(write.lastIndexOf('@') + 1)) < windowMs);

/**
 * Before a write: fails with NeedsPerson `loop` when this stage of the record was written five times within the hour already. Only writes that
 * happened count, so that an outage with its retries is not taken for a loop.
 */
export function refuseLoop(writes: readonly string[] | undefined, stage: string, now: Date): void {
  const same = within(writes, now).filter((write) => write.startsWith(`${stage}@`)).length;
  if (same < most) return;
  throw new Failure('NeedsPerson', {
    cause: 'loop',
    sentence: `The stage "${stage}" of this record was written ${same} times within an hour; it was stopped before the next one.`,
    fix: 'Find what changes the record after each write (a script, a second integration), stop that, then replay the record.',
    details: { stage, writes: String(same) },
  });
}

/** After a write that happened. */
export function noteWrite(writes: readonly string[] | undefined, stage: string, now: Date): readonly string[] {
  return [...within(writes, now), `${stage}@${now.toISOString()}`];
}
