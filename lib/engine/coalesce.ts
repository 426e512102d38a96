import { type Cause, type Change, type ChangeMessage, changeMessageSchema } from '../contracts/change.ts';
import { Failure } from '../failures.ts';
import { refText } from '../values/record-ref.ts';
import type { ReceivedMessage } from './running.ts';
import type { Task } from './shift.ts';

export interface Parsed {
  readonly id: string;
  readonly receiveCount: number;
  readonly body: ChangeMessage;
}

/** What a person or another record asked for counts more than what a list happened to show. */
const weight: Readonly<Record<Cause, number>> = {
  replay: 6,
  webhook: 5,
  dependency: 4,
  sweep: 3,
  reconcile: 2,
  poll: 1,
  backfill: 0,
};

/** A message of this integration, or why it is none. */
export function parseMessage(message: ReceivedMessage, integration: string): Parsed | Failure {
  let content: unknown;
  try {
    content = JSON.parse(message.body);
  } catch {
    return poison('It is not JSON.');
  }
  const parsed = changeMessageSchema.safeParse(content);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return poison(`Its member ${issue?.path.join('.') || '(whole)'} is wrong: ${issue?.message ?? 'unreadable'}.`);
  }
  if (parsed.data.integration !== integration) return poison(`It belongs to the integration ${parsed.data.integration}.`);
  if (parsed.data.changes.some((change) => !change.flow.startsWith(`${integration}.`))) {
    return poison('It names a flow of another integration.');
  }
  return { id: message.id, receiveCount: message.receiveCount, body: parsed.data };
}

function poison(why: string): Failure {
  return new Failure('ConfigurationInvalid', {
    cause: 'unreadable-message',
    actor: 'us',
    sentence: `A message on the queue of changes cannot be used. ${why}`,
    fix: 'Find what put it there. Nothing of ours is lost: the next poll lists every record that changed.',
  });
}

/** Changes of one record become one task: the strongest cause, the youngest snapshot, the attempts of the most tried. */
export function coalesce(messages: readonly Parsed[]): {
  readonly tasks: readonly Task[];
  readonly messagesOf: ReadonlyMap<string, readonly string[]>;
} {
  const tasks = new Map<string, Task>();
  const messagesOf = new Map<string, string[]>();
  for (const { id, body } of messages) {
    for (const change of body.changes) {
      const ref = { flow: change.flow, side: change.side, key: change.key };
      const name = refText(ref);
      const before = tasks.get(name);
      messagesOf.set(name, [...(messagesOf.get(name) ?? []), id]);
      tasks.set(name, {
        ref,
        change: before === undefined ? change : mergeChanges(before.change, change),
        queue: before?.queue === 'live' ? 'live' : body.queue,
        attempt: Math.max(before?.attempt ?? 0, body.attempt),
      });
    }
  }
  return { tasks: [...tasks.values()], messagesOf };
}

function mergeChanges(one: Change, two: Change): Change {
  const [strong, weak] = weight[two.cause] > weight[one.cause] ? [two, one] : [one, two];
  const snapshot = [one.snapshot, two.snapshot]
    .filter((candidate) => candidate !== undefined)
    .sort((left, right) => (left.readAt < right.readAt ? 1 : -1))[0];
  const { snapshot: _either, ...told } = strong;
  const rest: Change = weak.redriven === true ? { ...told, redriven: true } : told;
  // A notice says that something happened after the list was read: only a snapshot at least as young as the latest news is used.
  const latestNews = one.at > two.at ? one.at : two.at;
  const usable = snapshot !== undefined && (snapshot.readAt >= latestNews || weak.cause === strong.cause);
  return usable ? { ...rest, snapshot } : rest;
}
