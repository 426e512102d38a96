import * as z from 'zod';
import type { HttpAnswer, Io, Token } from '../../contracts/io.ts';
import { Failure } from '../../failures.ts';
import { type ActionEntity, forms } from './entities.ts';
import type { Exchange } from './exchange.ts';
import { conditionFailed, noEntity } from './failures.ts';
import { isSuccess, type Session } from './session.ts';
import type { ActOptions, RunningAction } from './surface.ts';
import { wrap } from './wrapping.ts';

/**
 * Actions such as a release run in the background of the session that started them: 202 with a `Location` to ask, 204 when they ended. While
 * one runs, its form refuses other requests of that session, so the lane is kept until the end, or for 60 s; then the form is noted as
 * closed for all workers and the running action is handed back.
 *
 * Source: Integration Development Guide, "Execute an Action That Is Present in an Endpoint" (2026 R1, read 2026-11-20).
 */
const patienceMs = 60_000;
/** Seconds between looks: most releases end within the first. */
const waitsMs = [2_000, 3_000, 5_000, 10_000] as const;
/** A form stays closed for at most as long as Acumatica keeps a request in its queue, should nobody come back for the action. */
const longestClosedMs = 600_000;
const lookAgainMs = 30_000;
/** Whoever needs a closed form asks for the action himself when nobody did for so long. */
const staleLookMs = 20_000;

const closedNoteSchema = z.object({
  action: z.string(),
  running: z.object({ statusUrl: z.string(), generation: z.number(), startedAt: z.string() }),
  lookedAt: z.iso.datetime(),
});
const closedNote = (entity: string): string => `closed-form:${entity}`;

export interface Actions {
  act(entity: ActionEntity, action: string, keys: Readonly<Record<string, string>>, options?: ActOptions): Promise<'done' | RunningAction>;
  /** Fails with LaneBusy while an action keeps the entity's form closed. For callers who are in the lane. */
  refuseClosed(entity: string): Promise<void>;
}

const formsWithActions: ReadonlySet<string> = new Set<ActionEntity>(['Invoice', 'Payment', 'JournalTransaction']);
const isActionEntity = (entity: string): entity is ActionEntity => formsWithActions.has(entity);

export function createActions(session: Session, io: Io): Actions {
  const { origin } = new URL(session.settings.url);

  async function refuseClosed(entity: string): Promise<void> {
    if (!isActionEntity(entity)) return;
    const note = closedNoteSchema.safeParse(await io.notes.get(closedNote(entity)));
    if (!note.success) return;
    const { action, running, lookedAt } = note.data;
    const stale = io.clock.now().getTime() - Date.parse(lookedAt) >= staleLookMs;
    if (stale && !(await stillRuns(entity, action, running))) {
      await io.notes.remove(closedNote(entity));
      return;
    }
    throw new Failure('LaneBusy', {
      cause: `acumatica:closed-form:${entity}`,
      sentence: `${forms[entity]} is busy with an action that started at ${running.startedAt}.`,
      at: new Date(io.clock.now().getTime() + lookAgainMs),
    });
  }

  /** The one who started the action looks at the document first, too: without this look the form would stay closed for him as well. */
  async function stillRuns(entity: ActionEntity, action: string, running: RunningAction): Promise<boolean> {
    const token = await session.currentToken();
    if (token.generation !== running.generation) return false;
    const answer = await askStatus(entity, action, running, token);
    if (answer !== undefined && answer.status !== 202 && answer.status !== 429 && answer.status < 502) return false;
    await leaveRunning(entity, action, running);
    return true;
  }

  async function start(
    entity: ActionEntity,
    action: string,
    keys: Readonly<Record<string, string>>,
  ): Promise<'done' | { running: RunningAction; token: Token }> {
    const startedAt = io.clock.now().toISOString();
    const request: Exchange = {
      operation: `POST /${entity}/${action}`,
      method: 'POST',
      path: `/${entity}/${action}`,
      body: { entity: wrap(keys) },
      what: `${spoken(action)} ${Object.values(keys).join(' ')}`,
      effect: 'write',
      entity,
    };
    const { answer, token } = await session.exchange(request);
    const location = answer.header('location');
    // A 204 may carry an address that does not resolve: it is not followed.
    if (answer.status !== 202 || location === undefined) return 'done';
    return { running: { statusUrl: statusUrl(location), generation: token.generation, startedAt }, token };
  }

  /** The address is host-relative and includes the instance. Only its path is taken: the token never leaves for another host. */
  function statusUrl(location: string): string {
    const url = new URL(location, `${origin}/`);
    return `${origin}${url.pathname}${url.search}`;
  }

  async function finish(
    entity: ActionEntity,
    action: string,
    running: RunningAction,
    token: Token,
    until: Date,
    resumed: boolean,
  ): Promise<'done' | RunningAction> {
    for (let look = 0; ; look += 1) {
      const waitMs = resumed && look === 0 ? 0 : (waitsMs[look] ?? waitsMs.at(-1) ?? 0);
      if (io.clock.now().getTime() + waitMs > until.getTime() && !(resumed && look === 0)) return leaveRunning(entity, action, running);
      if (waitMs > 0) await io.clock.sleep(waitMs);
      const answer = await askStatus(entity, action, running, token);
      // No answer about the action is not an answer: it goes on, and is asked again later.
      if (answer === undefined) return leaveRunning(entity, action, running);
      if (answer.status === 202) continue;
      await io.notes.remove(closedNote(entity));
      if (isSuccess(answer) || answer.status === 404) return 'done';
      const failure = await session.failure(answer, statusRequest(entity, action, running));
      // The session that could tell is over. The document's Status will.
      if (failure.kind === 'TokenExpired' || failure.record.code === noEntity || failure.record.code === conditionFailed) return 'done';
      if (failure.kind === 'RateLimited' || failure.kind === 'VendorUnavailable') return leaveRunning(entity, action, running);
      throw failure;
    }
  }

  const statusRequest = (entity: ActionEntity, action: string, running: RunningAction): Exchange => ({
    operation: `GET /${entity}/${action}/status`,
    method: 'GET',
    path: running.statusUrl,
    what: spoken(action),
    effect: 'action-status',
    entity,
  });

  async function askStatus(entity: ActionEntity, action: string, running: RunningAction, token: Token): Promise<HttpAnswer | undefined> {
    try {
      return await session.sendOnce(statusRequest(entity, action, running), token);
    } catch (error) {
      if (error instanceof Failure && error.disposition === 'retryable') return undefined;
      throw error;
    }
  }

  async function leaveRunning(entity: ActionEntity, action: string, running: RunningAction): Promise<RunningAction> {
    const now = io.clock.now();
    const forMs = Math.max(longestClosedMs - (now.getTime() - Date.parse(running.startedAt)), lookAgainMs);
    await io.notes.put(closedNote(entity), { action, running, lookedAt: now.toISOString() }, { forMs });
    return running;
  }

  return {
    refuseClosed,
    act: (entity, action, keys, options = {}) =>
      session.inLane(async () => {
        const patience = new Date(io.clock.now().getTime() + patienceMs);
        const until = options.deadline && options.deadline < patience ? options.deadline : patience;
        const { resume } = options;
        if (resume) {
          const token = await session.currentToken();
          if (token.generation === resume.generation) return finish(entity, action, resume, token, until, true);
          await io.notes.remove(closedNote(entity));
          return 'done';
        }
        await refuseClosed(entity);
        const started = await start(entity, action, keys);
        return started === 'done' ? 'done' : finish(entity, action, started.running, started.token, until, false);
      }),
  };
}

const words: Readonly<Record<string, string>> = {
  ReleaseInvoice: 'release the document',
  ReleasePayment: 'release the payment',
  VoidPayment: 'void the payment',
  ReleaseJournalTransaction: 'release the journal transaction',
};
const spoken = (action: string): string => words[action] ?? `run ${action}`;
