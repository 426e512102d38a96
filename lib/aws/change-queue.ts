import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { ChangeMessage } from '../contracts/change.ts';
import { Failure, type FailureRecord } from '../failures.ts';
import type { ChangeQueue, DeadLetter, DeadLetters, QueueGauge } from '../ports/change-queue.ts';
import type { Clock, Random } from '../ports/clock.ts';

const messagesPerBatch = 10;
/** SQS takes 1 MiB per request and per message; a little is left for attributes. */
const largestBatchBytes = 1024 * 1024 - 4096;
const tries = 5;
const longestDelaySeconds = 900;
/** Empty answers in a row after which the dead letters are taken to be at an end: SQS asks only some of its servers. */
const emptyAnswers = 2;

export interface AwsQueueParts {
  readonly client: SQSClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly urls: { readonly live: string; readonly bulk: string; readonly dead: string };
}

type Entry = SendMessageBatchRequestEntry & { readonly bytes: number };

/** The queues of one integration on SQS. */
export function createAwsQueue(parts: AwsQueueParts): ChangeQueue & QueueGauge {
  const { client, urls } = parts;
  return {
    async send(queue, messages) {
      for (const { delaySeconds = 0 } of messages) {
        if (delaySeconds < 0 || delaySeconds > longestDelaySeconds)
          throw new RangeError(`a delay is 0 to 900 seconds, not ${delaySeconds}`);
      }
      const entries = messages.map(({ body, delaySeconds }) => {
        const text = fitting(body);
        const bytes = Buffer.byteLength(text);
        return { Id: '', MessageBody: text, bytes, ...(delaySeconds === undefined ? {} : { DelaySeconds: Math.round(delaySeconds) }) };
      });
      await sendAll(parts, urls[queue], entries);
    },
    async bury(messages) {
      const entries = messages.map(({ body, reason }) => {
        const why = attributeText(JSON.stringify(reason));
        const text = typeof body === 'string' ? body : fitting(body);
        return {
          Id: '',
          MessageBody: text,
          bytes: Buffer.byteLength(text) + Buffer.byteLength(why) + 20,
          MessageAttributes: { reason: { DataType: 'String', StringValue: why } },
        };
      });
      await sendAll(parts, urls.dead, entries);
    },
    async depth(queue) {
      const { Attributes = {} } = await client.send(
        new GetQueueAttributesCommand({
          QueueUrl: urls[queue],
          AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'],
        }),
      );
      return {
        waiting: Number(Attributes['ApproximateNumberOfMessages'] ?? 0),
        inFlight: Number(Attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0),
        delayed: Number(Attributes['ApproximateNumberOfMessagesDelayed'] ?? 0),
      };
    },
  };
}

/** The dead-letter queue of one integration on SQS. */
export function createAwsDeadLetters(parts: { readonly client: SQSClient; readonly url: string }): DeadLetters {
  const { client, url } = parts;
  const inBatches = async (
    handles: readonly string[],
    send: (batch: readonly { Id: string; ReceiptHandle: string }[]) => Promise<unknown>,
  ) => {
    for (let index = 0; index < handles.length; index += messagesPerBatch) {
      const batch = handles.slice(index, index + messagesPerBatch);
      await send(batch.map((handle, place) => ({ Id: String(place), ReceiptHandle: handle })));
    }
  };
  return {
    async count() {
      const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'] as const;
      const { Attributes = {} } = await client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...names] }));
      return names.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
    },
    async receive({ limit, visibilitySeconds }) {
      const letters: DeadLetter[] = [];
      for (let empty = 0; letters.length < limit && empty < emptyAnswers; ) {
        const { Messages = [] } = await client.send(
          new ReceiveMessageCommand({
            QueueUrl: url,
            MaxNumberOfMessages: Math.min(messagesPerBatch, limit - letters.length),
            VisibilityTimeout: visibilitySeconds,
            WaitTimeSeconds: 0,
            MessageAttributeNames: ['reason'],
            MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
          }),
        );
        letters.push(...Messages.map(asLetter));
        empty = Messages.length === 0 ? empty + 1 : 0;
      }
      return letters;
    },
    remove: (handles) =>
      inBatches(handles, (Entries) => client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries: [...Entries] }))),
    release: (handles) =>
      inBatches(handles, (batch) => {
        const Entries = batch.map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
        return client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }));
      }),
  };
}

/** Sends in the fewest requests; what SQS refused for a reason that passes is sent again. */
async function sendAll(parts: AwsQueueParts, url: string, entries: readonly Entry[]): Promise<void> {
  for (const batch of packed(entries)) {
    let rest = batch;
    for (let attempt = 1; ; attempt += 1) {
      const Entries = rest.map(({ bytes: _bytes, ...entry }, index) => ({ ...entry, Id: String(index) }));
      const { Failed = [] } = await parts.client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
      if (Failed.length === 0) break;
      const lasting = Failed.find((failed) => failed.SenderFault === true);
      if (lasting) throw notTaken(`${lasting.Code ?? ''} ${lasting.Message ?? ''}`.trim(), 'Defect');
      if (attempt >= tries) throw notTaken(Failed[0]?.Code ?? '', 'VendorUnavailable');
      const again = new Set(Failed.map((failed) => Number(failed.Id)));
      rest = rest.filter((_entry, index) => again.has(index));
      await parts.clock.sleep(100 * 2 ** attempt * (0.5 + parts.random.next() / 2));
    }
  }
}

function packed(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const batches: Entry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const last = batches.at(-1);
    if (last && last.length < messagesPerBatch && bytes + entry.bytes <= largestBatchBytes) {
      last.push(entry);
      bytes += entry.bytes;
    } else {
      batches.push([entry]);
      bytes = entry.bytes;
    }
  }
  return batches;
}

/** Snapshots only spare a read: a message that would be too large travels without them. */
function fitting(message: ChangeMessage): string {
  const text = JSON.stringify(message);
  if (Buffer.byteLength(text) <= largestBatchBytes) return text;
  const bare = JSON.stringify({ ...message, changes: message.changes.map(({ snapshot: _snapshot, ...change }) => change) });
  if (Buffer.byteLength(bare) > largestBatchBytes) throw notTaken('larger than 1 MiB', 'Defect');
  return bare;
}

/** SQS refuses a few characters in attributes; JSON has escaped the others already. */
function attributeText(text: string): string {
  return text.replace(/[\uFFFE\uFFFF]/g, '\uFFFD');
}

function asLetter(message: Message): DeadLetter {
  const reason = message.MessageAttributes?.['reason']?.StringValue;
  const { ApproximateReceiveCount = '1', SentTimestamp = '0' } = message.Attributes ?? {};
  return {
    id: message.MessageId ?? '',
    handle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    sentAt: new Date(Number(SentTimestamp)),
    receiveCount: Number(ApproximateReceiveCount),
    ...reasonOf(reason),
  };
}

/** Written by us; anything else with that name is left out. */
function reasonOf(text: string | undefined): { readonly reason?: FailureRecord } {
  if (text === undefined) return {};
  try {
    const reason: unknown = JSON.parse(text);
    return reason !== null && typeof reason === 'object' && 'kind' in reason && 'sentence' in reason
      ? { reason: reason as FailureRecord }
      : {};
  } catch {
    return {};
  }
}

function notTaken(said: string, kind: 'Defect' | 'VendorUnavailable'): Failure {
  return new Failure(kind, {
    cause: 'queue-refused',
    sentence: 'The queue did not take a message; nothing that depends on it was noted as done.',
    ...(kind === 'Defect' ? { fix: 'Send the log of this moment to the maintainers.' } : {}),
    said,
  });
}
