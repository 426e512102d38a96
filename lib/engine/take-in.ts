import { type Change, wholeFlow } from '../contracts/change.ts';
import type { Connection, HttpReply, Signal, WebhookReceiver, WebhookRequest } from '../contracts/vendor.ts';
import { asFailure } from '../failures.ts';
import type { Side } from '../values/record-ref.ts';
import { alertOnce } from './alerts-once.ts';
import { auditEntry } from './audit-entry.ts';
import { sendChanges } from './pack.ts';
import type { RunningIntegration } from './running.ts';
import { changeOf, type Desk, flowKeyOf } from './shift.ts';
import { noteHeard } from './silence.ts';
import { noticeKey } from './state-keys.ts';

type Notice = {
  readonly state: 'pending' | 'done';
  readonly event: string;
  readonly object: string;
  readonly at: string;
};

const keptForMs = 14 * 86_400_000;
const abandonedAfterMs = 30_000;

/** What became of one signal. */
type Taken = 'queued' | 'repeat' | 'quarantined' | 'unknown' | 'busy';

interface Intake {
  readonly desk: Desk;
  readonly running: RunningIntegration;
  readonly side: Side;
}

/**
 * Takes a webhook in: size, proof, durable acceptance, answer, in this order. The content is used for nothing but naming a record; an unproven
 * request writes nothing anywhere. When our own side is in trouble the vendor is told to send it again.
 */
export async function takeIn(intake: Intake, request: WebhookRequest): Promise<HttpReply> {
  const { desk, running, side } = intake;
  const receiver = running.definition.sides[side].webhooks;
  if (receiver === undefined) return { status: 404 };
  let connection: Connection;
  try {
    connection = (await running.open()).connection(side).connection;
  } catch (error) {
    desk.log.error('webhook.received', { integration: running.name, side, result: 'unavailable', error: asFailure(error).kind });
    return { status: 503 };
  }
  const answer = (result: Parameters<WebhookReceiver<unknown>['answer']>[0]): HttpReply => {
    desk.log.info('webhook.received', { integration: running.name, side, result, bytes: request.body.byteLength });
    desk.log.count('webhooks', 1, { integration: running.name, outcome: result });
    return receiver.answer(result, connection);
  };
  if (request.body.byteLength > receiver.maxBytes) return answer('oversized');
  try {
    const received = await receiver.receive(request, connection);
    if ('reply' in received) return received.reply;
    const taken: Taken[] = [];
    for (const signal of received.signals) taken.push(await takeSignal(intake, signal));
    if (taken.includes('busy')) return answer('unavailable');
    return answer(taken.length > 0 && taken.every((one) => one === 'unknown') ? 'unknown' : 'accepted');
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.kind === 'SignatureRejected') return answer('rejected');
    if (failure.kind === 'WebhookUnknown') return answer('unknown');
    desk.log.error('webhook.failed', { integration: running.name, side, failure: failure.kind, said: failure.record.said });
    return answer('unavailable');
  }
}

/**
 * One notice, at most once. It is noted as pending, put on the queue, noted as done. A repeat that finds it pending for long is queued again,
 * because the first taker may have died in between; a younger one is sent back to the vendor, so that neither of the two can lose it.
 */
async function takeSignal(intake: Intake, signal: Signal): Promise<Taken> {
  const { desk, running, side } = intake;
  const changes = route(intake, signal);
  if (changes.length === 0) return 'unknown';
  const key = noticeKey(running.name, side, signal.dedupeKey);
  const now = desk.clock.now();
  const pending: Notice = { state: 'pending', event: signal.event, object: signal.objectId ?? '', at: now.toISOString() };
  const expiresAt = new Date(now.getTime() + keptForMs);
  const first = await desk.state.put(key, { ...pending }, { expect: 'absent', expiresAt });
  if (first === 'conflict') {
    const before = (await desk.state.get<Notice>(key))?.value;
    if (before !== undefined && (before.event !== pending.event || before.object !== pending.object)) {
      await quarantine(intake, signal, before);
      return 'quarantined';
    }
    if (before?.state === 'done') {
      desk.log.count('webhook-repeats', 1, { integration: running.name });
      return 'repeat';
    }
    if (before !== undefined && now.getTime() - Date.parse(before.at) < abandonedAfterMs) return 'busy';
  }
  await sendChanges(desk, running.name, { queue: 'live', changes });
  await noteDone(intake, key, { ...pending, state: 'done' }, { expiresAt, changes });
  return 'queued';
}

/** The notice is safe on the queue already: trouble from here on must not make the vendor send it again. */
async function noteDone(
  intake: Intake,
  key: ReturnType<typeof noticeKey>,
  notice: Notice,
  { expiresAt, changes }: { readonly expiresAt: Date; readonly changes: readonly Change[] },
): Promise<void> {
  const { desk, running } = intake;
  try {
    await desk.state.put(key, { ...notice }, { expiresAt });
    for (const flow of new Set(changes.map((change) => change.flow)))
      await noteHeard(desk, running.name, flow.slice(running.name.length + 1));
  } catch (error) {
    desk.log.warn('webhook.not-noted', { integration: running.name, error: String(error) });
  }
}

/** The flows that listen to an event: as a change of its object, or as "look now" where the notice names none. */
function route({ desk, running, side }: Intake, signal: Signal): readonly Change[] {
  const changes: Change[] = [];
  for (const flow of running.definition.flows) {
    if (flow.kind === 'post' && flow.from !== side) continue;
    const key = flow.wakes.webhooks.includes(signal.event)
      ? (signal.objectId ?? wholeFlow)
      : flow.wakes.pollNow?.includes(signal.event)
        ? wholeFlow
        : undefined;
    if (key === undefined) continue;
    const correlation = signal.dedupeKey.length <= 80 ? signal.dedupeKey : desk.ids.next();
    changes.push(changeOf(desk, { flow: flowKeyOf(running.name, flow), side, key }, 'webhook', correlation));
  }
  return changes;
}

/** One id, two contents: neither a repeat nor a new notice. It changes nothing, and a person is told. */
async function quarantine({ desk, running, side }: Intake, signal: Signal, before: Notice): Promise<void> {
  const connection = running.definition.sides[side].title;
  const sentence = `${connection} sent the notice ${signal.dedupeKey.slice(0, 80)} twice with different contents (${before.event}, then ${signal.event}); the second was not used.`;
  await desk.audit.append([
    auditEntry(
      desk,
      { flow: `${running.name}.*`, side, key: '*' },
      { cause: 'webhook-intake' },
      { outcome: 'noted', reason: 'notice-changed', sentence },
    ),
  ]);
  await alertOnce(desk, {
    key: `notice-changed|${side}`,
    integration: running.name,
    sentence,
    fix: 'Somebody may be replaying notices with changed contents: check who can reach the address, and rotate the signing secret.',
  });
}
