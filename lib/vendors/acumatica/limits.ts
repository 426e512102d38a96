import * as z from 'zod';
import type { HttpAnswer, Io } from '../../contracts/io.ts';
import { Failure } from '../../failures.ts';

/** Acumatica names no time to wait: 5 s, doubled with every refusal up to 5 minutes, until 10 minutes pass without one. */
const firstWaitMs = 5_000;
const longestWaitMs = 300_000;
const calmMs = 600_000;
const refusalsNote = 'refusals';

/** After `API Login Limit` nothing is tried for a minute; sessions of dead tokens end within an hour. */
const loginWaitMs = 60_000;
const loginAlertMs = 15 * 60_000;
const loginNote = 'login-limit';
const loginNoteSchema = z.object({ since: z.iso.datetime(), until: z.iso.datetime() });

/** Tells the budget that the licence limit was hit; answers the failure to throw. */
export async function throttle(io: Io, answer: HttpAnswer): Promise<Failure> {
  const before = z.number().safeParse(await io.notes.get(refusalsNote));
  const refusals = (before.success ? before.data : 0) + 1;
  await io.notes.put(refusalsNote, refusals, { forMs: calmMs });
  const backOffMs = Math.min(firstWaitMs * 2 ** Math.min(refusals - 1, 10), longestWaitMs) * (0.8 + 0.4 * io.random.next());
  const until = new Date(io.clock.now().getTime() + Math.max(Math.round(backOffMs), retryAfterMs(answer)));
  await io.budget.throttled(until);
  return new Failure('RateLimited', {
    cause: 'acumatica:rate',
    code: String(answer.status),
    sentence: 'Acumatica refused the request because the licence limits are reached.',
    fix: 'Nothing to do now. If it happens often, set requestsPerMinute to half of what License Monitoring Console (SM604000) shows.',
    at: until,
  });
}

function retryAfterMs(answer: HttpAnswer): number {
  const seconds = /^\d{1,4}$/.exec(answer.header('retry-after')?.trim() ?? '');
  return seconds ? Number(seconds[0]) * 1000 : 0;
}

/** Notes that all sessions are in use; answers the failure to throw. */
export async function loginLimited(io: Io): Promise<Failure> {
  const now = io.clock.now();
  const before = loginNoteSchema.safeParse(await io.notes.get(loginNote));
  const since = before.success ? new Date(before.data.since) : now;
  const until = new Date(now.getTime() + loginWaitMs);
  await io.notes.put(loginNote, { since: since.toISOString(), until: until.toISOString() }, { forMs: 5 * loginWaitMs });
  if (now.getTime() - since.getTime() >= loginAlertMs) io.log.error('acumatica.sessions-in-use', { since: since.toISOString() });
  return sessionsInUse(since, until);
}

/** Fails with RateLimited while the minute after the last refusal is not over. */
export async function refuseWhileLoginLimited(io: Io): Promise<void> {
  const note = loginNoteSchema.safeParse(await io.notes.get(loginNote));
  if (note.success && new Date(note.data.until) > io.clock.now()) throw sessionsInUse(new Date(note.data.since), new Date(note.data.until));
}

function sessionsInUse(since: Date, until: Date): Failure {
  return new Failure('RateLimited', {
    cause: 'acumatica:login-limit',
    code: 'ApiLoginLimit',
    sentence: `All Acumatica API sessions are in use (SM604000) since ${since.toISOString()}.`,
    fix: 'Sign out unused API sessions in Acumatica, or use another API user. It is tried again every minute.',
    at: until,
  });
}
