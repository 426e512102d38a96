import type { Failure } from '../failures.ts';
import { concernsAll } from './dispositions.ts';
import { type Batch, BatchStop, recordFailure } from './work.ts';

/** A vendor that fails for this many single records in a row is down, not allergic to one of them. */
const failuresInARow = 3;

/**
 * Loads for many records at once. If that fails for a reason that may lie in one of them, each is tried alone, so that the bad one fails alone.
 * Fails: BatchStop when the connection, not a record, is the trouble.
 */
export async function inBulk<Ask, Value>(
  batch: Batch,
  asks: readonly Ask[],
  load: (asks: readonly Ask[]) => Promise<ReadonlyMap<string, Value | Failure>>,
  nameOf: (ask: Ask) => string,
): Promise<Map<string, Value | Failure>> {
  if (asks.length === 0) return new Map();
  try {
    return new Map(await load(asks));
  } catch (thrown) {
    const failure = recordFailure(thrown);
    if (concernsAll(failure.record)) throw new BatchStop(failure);
    const only = asks[0];
    if (asks.length === 1 && only !== undefined) return new Map([[nameOf(only), failure]]);
  }
  const found = new Map<string, Value | Failure>();
  let inARow = 0;
  for (const ask of asks) {
    try {
      for (const [name, value] of await load([ask])) found.set(name, value);
      inARow = 0;
    } catch (thrown) {
      const failure = recordFailure(thrown);
      inARow = failure.kind === 'VendorUnavailable' ? inARow + 1 : 0;
      if (concernsAll(failure.record) || inARow >= failuresInARow) throw new BatchStop(failure);
      found.set(nameOf(ask), failure);
    }
  }
  batch.shift.desk.log.warn('batch.split', { integration: batch.shift.name, flow: batch.flowKey, records: asks.length });
  return found;
}
