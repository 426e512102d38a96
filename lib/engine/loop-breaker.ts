import { Failure } from '../failures.ts';

const windowMs = 3_600_000;
const most = 5;

/** Notes one more write of a stage. Fails: NeedsPerson `loop` when the stage was written five times within the hour already. */
export function noteWrite(writes: readonly string[] | undefined, stage: string, now: Date): readonly string[] {
  const recent = (writes ?? []).filter((write) => now.getTime() - Date.parse(write.slice(write.lastIndexOf('@') + 1)) < windowMs);
  const same = recent.filter((write) => write.startsWith(`${stage}@`)).length;
  if (same >= most) {
    throw new Failure('NeedsPerson', {
      cause: 'loop',
      sentence: `The stage "${stage}" of this record was written ${same} times within an hour; it was stopped before the next one.`,
      fix: 'Find what changes the record after each write (a script, a second integration), stop that, then replay the record.',
      details: { stage, writes: String(same) },
    });
  }
  return [...recent, `${stage}@${now.toISOString()}`];
}
