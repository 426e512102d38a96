import type { Shift } from './shift.ts';
import { alignmentKey, scheduleKey } from './state-keys.ts';
import type { Batch } from './work.ts';
import { recordFailure } from './work.ts';

const atMostEveryMs = 600_000;

/**
 * Reads the integration's reference data afresh before a missing mapping is believed, at most once per batch and every ten minutes.
 * Answers whether it was read, so that the map is worth another try.
 */
export async function refreshReference(batch: Batch): Promise<boolean> {
  const { shift } = batch;
  if (batch.refreshed || shift.definition.reference === undefined) return false;
  batch.refreshed = true;
  const last = await shift.desk.state.get<{ ranAt: string }>(scheduleKey(shift.name, 'reference'));
  const now = shift.desk.clock.now();
  if (last !== undefined && now.getTime() - Date.parse(last.value.ranAt) < atMostEveryMs) return false;
  try {
    await readReference(shift);
    return true;
  } catch (thrown) {
    const failure = recordFailure(thrown);
    shift.desk.log.warn('reference.not-read', { integration: shift.name, failure: failure.kind, reason: failure.record.cause });
    return false;
  }
}

/** Reads reference data and keeps what it says for `status`. */
export async function readReference(shift: Shift): Promise<void> {
  const { reference } = shift.definition;
  if (reference === undefined) return;
  const { state, clock } = shift.desk;
  const alignment = await reference.refresh(shift.open.context);
  await state.put(alignmentKey(shift.name), alignment);
  await state.put(scheduleKey(shift.name, 'reference'), { ranAt: clock.now().toISOString() });
}
