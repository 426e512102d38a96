import { changeMessageSchema } from '../contracts/change.ts';
import type { DeadLetter } from '../ports/change-queue.ts';
import { type RecordRef, refText } from '../values/record-ref.ts';
import { type Shift, timeIsUp } from './shift.ts';

const atOnce = 100;
const mostRounds = 20;
const visibilitySeconds = 120;

/** Removes letters whose records are no longer held: what was fixed needs nobody's attention. Unreadable letters stay for a person. */
export async function sweepDeadLetters(shift: Shift): Promise<number> {
  const { deadLetters, links } = shift.desk;
  const kept: string[] = [];
  let removed = 0;
  try {
    for (let round = 0; round < mostRounds && !timeIsUp(shift); round++) {
      const letters = await deadLetters.receive({ limit: atOnce, visibilitySeconds });
      if (letters.length === 0) break;
      const records = new Map(letters.map((letter) => [letter, recordsOf(letter, shift.name)]));
      const all = [...new Map([...records.values()].flat().map((ref) => [refText(ref), ref])).values()];
      const found = all.length === 0 ? new Map() : await links.findMany(all);
      const stale = letters.filter((letter) => {
        const refs = records.get(letter) ?? [];
        return refs.length > 0 && refs.every((ref) => found.get(refText(ref))?.state !== 'held');
      });
      for (const letter of letters) if (!stale.includes(letter)) kept.push(letter.handle);
      if (stale.length > 0) await deadLetters.remove(stale.map(({ handle }) => handle));
      removed += stale.length;
    }
  } finally {
    if (kept.length > 0) await deadLetters.release(kept);
  }
  return removed;
}

/** Records a letter of this integration is about; none when it says something else than changes, or names a flow we do not know. */
function recordsOf(letter: DeadLetter, integration: string): readonly RecordRef[] {
  if (letter.reason?.kind === 'ConfigurationInvalid') return [];
  let content: unknown;
  try {
    content = JSON.parse(letter.body);
  } catch {
    return [];
  }
  const parsed = changeMessageSchema.safeParse(content);
  if (!parsed.success || parsed.data.integration !== integration) return [];
  return parsed.data.changes.map(({ flow, side, key }) => ({ flow, side, key }));
}
