import type { Step } from '../../../contracts/flow.ts';
import { asFailure, Failure } from '../../../failures.ts';
import type { Json } from '../../../values/json.ts';
import type { RunningAction } from '../../../vendors/acumatica/client.ts';
import type { ActionEntity, ActionOf } from '../../../vendors/acumatica/entities.ts';
import type { PairContext } from '../context.ts';
import { hold, statusPending } from '../holds.ts';
import { sameText } from '../markers.ts';

/** What the three kinds of document share: statuses, releasing, and refusals that mean something of their own. */

const releasedStatuses = ['Open', 'Closed', 'Reserved', 'Unposted', 'Posted'];
const withdrawnStatuses = ['Voided', 'Canceled', 'Void'];

export const isReleased = (status: string | undefined): boolean => releasedStatuses.some((each) => sameText(each, status));
export const isWithdrawn = (status: string | undefined): boolean => withdrawnStatuses.some((each) => sameText(each, status));

const minutes = (context: PairContext, count: number) => new Date(context.now.getTime() + count * 60_000);

/** How long until a document that waits for a person in Acumatica is looked at again. */
const personMinutes = 30;

export const pendingStatus = (context: PairContext, form: string, target: string, status: string): Failure =>
  statusPending(form, target, status, minutes(context, personMinutes));

/**
 * Makes sure that a document may be released: answers `released` when it is already. A document on hold is taken off hold once.
 * Fails with ConditionPending when a person or a schedule must act, and holds a rejected one.
 */
export async function readyToRelease(
  context: PairContext,
  ask: { readonly target: string; readonly form: string; readonly status: string; takeOffHold(): Promise<string | undefined> },
): Promise<'ready' | 'released'> {
  const { target, form } = ask;
  if (isReleased(ask.status)) return 'released';
  if (sameText(ask.status, 'Rejected'))
    throw hold('rejected-in-acumatica', `${target} was rejected in Acumatica.`, `Correct or delete ${target} on ${form}, then replay.`);
  const status = sameText(ask.status, 'On Hold') ? ((await ask.takeOffHold()) ?? 'On Hold') : ask.status;
  if (isReleased(status)) return 'released';
  if (!sameText(status, 'Balanced') || context.settings.release === 'manual') throw pendingStatus(context, form, target, status);
  return 'ready';
}

type Progress = { readonly running?: RunningAction };

/** Starts an action or goes on waiting for it. When it still runs at the deadline, its status URL is kept and the record comes back in 30 s. */
export async function runAction<E extends ActionEntity>(
  context: PairContext,
  entity: E,
  action: ActionOf<E>,
  keys: Readonly<Record<string, string>>,
  step: Pick<Step, 'progress' | 'save' | 'deadline'>,
  target?: string,
): Promise<void> {
  const { running } = (step.progress ?? {}) as Progress;
  const result = await context.acumatica.act(entity, action, keys, {
    ...(running === undefined ? {} : { resume: running }),
    deadline: step.deadline,
  });
  if (result === 'done') return;
  await step.save({ running: result } satisfies Json, target);
  throw new Failure('ConditionPending', {
    cause: 'acumatica-release-running',
    actor: 'nobody',
    sentence: `${action} of ${Object.values(keys).join(' ')} is still running in Acumatica.`,
    at: new Date(context.now.getTime() + 30_000),
  });
}

/** Refusals of a write that have a cause of their own: a missing rate, a renumbered customer. Everything else stays what the vendor said. */
export async function refusedWrite(
  context: PairContext,
  thrown: unknown,
  given: { readonly currency: string; readonly date: string; readonly customer: string },
): Promise<Failure> {
  const failure = asFailure(thrown);
  if (failure.kind !== 'RequestRejected') return failure;
  const said = `${failure.record.said ?? ''} ${failure.record.sentence}`;
  if (/\brate\b[^.]*(not|missing|no )|no [^.]*\brate\b/i.test(said) && /curr|rate/i.test(said) && !/tax rate/i.test(said))
    return hold(
      `rate:${given.currency}:${given.date}`,
      `No ${given.currency} rate for ${given.date} in Acumatica.`,
      'Add the rate (CM301000). It is looked at again every hour.',
      { said },
    );
  const fields = Object.keys(failure.record.details ?? {});
  if (fields.length === 1 && /^Customer(ID)?$/.test(fields[0] ?? '') && /cannot be found/i.test(said)) {
    await context.forget(`customer:${given.customer}`);
    return new Failure('LockContention', {
      cause: 'customer-renumbered',
      sentence: `Acumatica no longer has customer ${given.customer}; it is looked for by its AccountRef.`,
      said,
    });
  }
  return failure;
}

export const isOutOfBalance = (thrown: unknown): boolean => {
  const failure = asFailure(thrown);
  return failure.kind === 'RequestRejected' && /out of (the )?balance/i.test(`${failure.record.said ?? ''} ${failure.record.sentence}`);
};
