import type { FailureRecord } from '../failures.ts';
import { dispositionOf } from '../failures.ts';
import type { Random } from '../ports/clock.ts';

/** What the engine does with a record after a failure. */
export type Next =
  /** Put back. `spends`: it counts as an attempt, the next delay is longer. `stopsBatch`: its neighbours would fare the same now. */
  | { readonly do: 'again'; readonly delayMs: number; readonly spends: boolean; readonly stopsBatch: boolean }
  /** Parked as waiting; looked at again after `delayMs` when that is soon, else by the sweeps. */
  | { readonly do: 'wait'; readonly delayMs?: number }
  | { readonly do: 'hold' }
  /** Pause the connection. */
  | { readonly do: 'pause' }
  /** Failing for hours: ask the connection whether it is well before deciding. */
  | { readonly do: 'examine' }
  | { readonly do: 'end' };

const longestMs = 900_000;
const firstMs = 5_000;
/** With doubling from 5 s and the 15 min bound this is reached after about an hour and a half. */
const attemptsUntilExamined = 12;
const attemptsAgainstLocks = 5;
const attemptsWithNewTokens = 2;

/** Doubling from five seconds to fifteen minutes, of which the upper half is chance, so that records that failed together come back apart. */
export function backoffMs(attempt: number, random: Random): number {
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 20));
  return Math.round(full / 2 + (full / 2) * random.next());
}

/** The time until `at`, at least a second (some vendors name the past) and at most what a queue can delay (some name a day in the next month). */
function until(at: string | undefined, now: Date): number | undefined {
  if (at === undefined) return undefined;
  const ms = Date.parse(at) - now.getTime();
  return Number.isNaN(ms) ? undefined : Math.min(longestMs, Math.max(1_000, ms));
}

/** Pure: the one table of what happens after a failure. `attempt` counts the attempts already spent. */
export function afterFailure(
  failure: FailureRecord,
  given: { readonly attempt: number; readonly now: Date; readonly random: Random },
): Next {
  const { attempt, now, random } = given;
  const named = until(failure.at, now);
  switch (failure.kind) {
    case 'RateLimited':
    case 'LaneBusy':
      return { do: 'again', delayMs: named ?? backoffMs(attempt, random), spends: false, stopsBatch: true };
    case 'Unreachable':
      if (attempt >= attemptsUntilExamined) return { do: 'examine' };
      return { do: 'again', delayMs: named ?? backoffMs(attempt, random), spends: true, stopsBatch: true };
    case 'VendorUnavailable':
      if (attempt >= attemptsUntilExamined) return { do: 'examine' };
      return { do: 'again', delayMs: named ?? backoffMs(attempt, random), spends: true, stopsBatch: false };
    case 'TokenExpired':
      if (attempt >= attemptsWithNewTokens) return { do: 'pause' };
      return { do: 'again', delayMs: 1_000, spends: true, stopsBatch: false };
    case 'LockContention':
      if (attempt >= attemptsAgainstLocks) return { do: 'hold' };
      return { do: 'again', delayMs: backoffMs(attempt, random), spends: true, stopsBatch: false };
    case 'WriteUncertain':
      return { do: 'again', delayMs: named ?? 60_000, spends: false, stopsBatch: false };
    case 'LeaseLost':
      return { do: 'again', delayMs: 30_000, spends: false, stopsBatch: false };
    default:
  }
  switch (dispositionOf(failure)) {
    case 'broken':
      return { do: 'pause' };
    case 'held':
      return { do: 'hold' };
    case 'waiting':
      return named === undefined || Date.parse(failure.at ?? '') - now.getTime() > longestMs
        ? { do: 'wait' }
        : { do: 'wait', delayMs: named };
    case 'ends':
      return { do: 'end' };
    case 'retryable':
      return { do: 'again', delayMs: backoffMs(attempt, random), spends: true, stopsBatch: false };
  }
}

/** Failures of a read of many records at once that are not the fault of one of them. */
export function concernsAll(failure: FailureRecord): boolean {
  return dispositionOf(failure) === 'broken' || ['RateLimited', 'LaneBusy', 'Unreachable', 'TokenExpired'].includes(failure.kind);
}
