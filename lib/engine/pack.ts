import type { Change, ChangeMessage } from '../contracts/change.ts';
import type { OutgoingMessage, QueueName } from '../ports/change-queue.ts';
import type { Desk } from './shift.ts';

const changesInAMessage = 20;
const charactersInAMessage = 200_000;
const charactersOfASnapshot = 20_000;
const longestDelaySeconds = 900;

/** Changes of one flow per message, few and small enough that one slow message does not hold up many records. */
export function packChanges(
  integration: string,
  given: { readonly queue: QueueName; readonly changes: readonly Change[]; readonly attempt?: number; readonly delayMs?: number },
): readonly OutgoingMessage[] {
  const messages: OutgoingMessage[] = [];
  const delaySeconds = Math.min(longestDelaySeconds, Math.ceil((given.delayMs ?? 0) / 1000));
  const byFlow = new Map<string, Change[]>();
  for (const change of given.changes) byFlow.set(change.flow, [...(byFlow.get(change.flow) ?? []), withoutHeavySnapshot(change)]);
  for (const changes of byFlow.values()) {
    let packed: Change[] = [];
    let characters = 0;
    const close = (): void => {
      if (packed.length === 0) return;
      const body: ChangeMessage = { version: 1, integration, queue: given.queue, changes: packed, attempt: given.attempt ?? 0 };
      messages.push(delaySeconds > 0 ? { body, delaySeconds } : { body });
      packed = [];
      characters = 0;
    };
    for (const change of changes) {
      const size = JSON.stringify(change).length;
      if (packed.length >= changesInAMessage || characters + size > charactersInAMessage) close();
      packed.push(change);
      characters += size;
    }
    close();
  }
  return messages;
}

function withoutHeavySnapshot(change: Change): Change {
  if (change.snapshot === undefined || JSON.stringify(change.snapshot).length <= charactersOfASnapshot) return change;
  const { snapshot: _heavy, ...light } = change;
  return light;
}

export async function sendChanges(desk: Desk, integration: string, given: Parameters<typeof packChanges>[1]): Promise<void> {
  if (given.changes.length === 0) return;
  await desk.queue.send(given.queue, packChanges(integration, given));
}
