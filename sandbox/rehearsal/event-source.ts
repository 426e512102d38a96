import { DeleteMessageBatchCommand, type Message, type MessageAttributeValue, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Place } from '../cloud/access.ts';
import { isRecord } from '../cloud/aws-json.ts';
import type { CloudClock } from '../cloud/clock.ts';
import type { Credentials } from '../cloud/iam.ts';
import { type InvokeResult, type LocalFunction, mostPayloadBytes } from './lambda.ts';

/** A queue that feeds a function. */
export interface EventSource {
  readonly function: LocalFunction;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly batchSize: number;
  readonly batchingWindowSeconds: number;
  readonly maximumConcurrency: number | undefined;
  /** The function answers which messages failed; otherwise a batch succeeds or fails as a whole. */
  readonly reportsItemFailures: boolean;
}

export interface EventSourceOptions {
  readonly endpoint: string;
  readonly place: Place;
  readonly clock: CloudClock;
  /** Of the function: the mapping receives and deletes in its name, so that a missing permission shows. */
  readonly credentials: Credentials;
  readonly onError: (text: string) => void;
}

const usualConcurrency = 5;
const mostPerReceive = 10;
/** After an error of the queue itself. */
const pauseMs = 1000;

/** Polls until `stop`, with up to as many batches at a time as the mapping may have. */
export function startEventSource(source: EventSource, options: EventSourceOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const sqs = new SQSClient({
    endpoint: options.endpoint,
    region: options.place.region,
    credentials: options.credentials,
    maxAttempts: 1,
  });

  async function poll(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const messages = await collect();
        for (const batch of batchesOf(messages)) await deliver(batch);
      } catch (error) {
        if (stopping.signal.aborted) return;
        options.onError(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
        await options.clock.sleep(pauseMs, stopping.signal);
      }
    }
  }

  async function receive(limit: number, waitSeconds: number): Promise<readonly Message[]> {
    // A signal of its own per request: the client never takes its listener back.
    const request = new AbortController();
    const stop = () => request.abort();
    stopping.signal.addEventListener('abort', stop, { once: true });
    try {
      const { Messages } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: source.queueUrl,
          MaxNumberOfMessages: Math.min(limit, mostPerReceive),
          WaitTimeSeconds: waitSeconds,
          MessageSystemAttributeNames: ['All'],
          MessageAttributeNames: ['All'],
        }),
        { abortSignal: request.signal },
      );
      return Messages ?? [];
    } finally {
      stopping.signal.removeEventListener('abort', stop);
    }
  }

  /** One batch: what the first receive brings, and within the window as much more as fits. */
  async function collect(): Promise<readonly Message[]> {
    const messages = [...(await receive(source.batchSize, 20))];
    const until = options.clock.now().getTime() + source.batchingWindowSeconds * 1000;
    while (messages.length > 0 && messages.length < source.batchSize) {
      const leftSeconds = (until - options.clock.now().getTime()) / 1000;
      if (leftSeconds <= 0) break;
      messages.push(...(await receive(source.batchSize - messages.length, Math.min(20, Math.ceil(leftSeconds)))));
    }
    return messages;
  }

  async function deliver(batch: readonly Message[]): Promise<void> {
    const event = { Records: batch.map((message) => recordOf(message, source, options.place)) };
    const result = await source.function.invoke(event);
    const failed = failedOf(result, batch, source.reportsItemFailures);
    if (typeof failed === 'string') {
      options.onError(failed);
      return;
    }
    const done = batch.filter((message) => !failed.has(message.MessageId ?? ''));
    for (let from = 0; from < done.length; from += mostPerReceive) {
      await sqs.send(
        new DeleteMessageBatchCommand({
          QueueUrl: source.queueUrl,
          Entries: done
            .slice(from, from + mostPerReceive)
            .map((message, index) => ({ Id: String(index), ReceiptHandle: message.ReceiptHandle })),
        }),
      );
    }
  }

  const polls = Array.from({ length: source.maximumConcurrency ?? usualConcurrency }, poll);
  return {
    async stop() {
      stopping.abort();
      await Promise.all(polls);
      sqs.destroy();
    },
  };
}

/** Batches that fit into one invocation; a message alone always does. */
function batchesOf(messages: readonly Message[]): readonly (readonly Message[])[] {
  const batches: Message[][] = [];
  let bytes = 0;
  for (const message of messages) {
    // Escaping may make a body longer; what is around it takes about a kilobyte.
    const size = Buffer.byteLength(JSON.stringify(message)) + 1024;
    const last = batches.at(-1);
    if (last === undefined || bytes + size > mostPayloadBytes) {
      batches.push([message]);
      bytes = size;
    } else {
      last.push(message);
      bytes += size;
    }
  }
  return batches;
}

/**
 * Ids of messages that stay on the queue until they become visible again; a text when none may be deleted. An answer that names a message
 * nobody sent, or no message, fails the whole batch, as with AWS.
 */
export function failedOf(result: InvokeResult, batch: readonly Message[], reports: boolean): ReadonlySet<string> | string {
  if (!result.ok) return `${result.failure.errorType}: ${result.failure.errorMessage}`;
  if (!reports) return new Set();
  const answer: unknown = JSON.parse(result.payload);
  const listed = isRecord(answer) ? answer['batchItemFailures'] : undefined;
  if (listed === undefined || listed === null) return new Set();
  if (!Array.isArray(listed)) return 'the function answered batchItemFailures that is no list: the whole batch counts as failed';
  const known = new Set(batch.map((message) => message.MessageId));
  const ids = listed.map((item: unknown) => (isRecord(item) ? item['itemIdentifier'] : undefined));
  const wrong = ids.filter((id) => typeof id !== 'string' || !known.has(id));
  if (wrong.length > 0)
    return `the function named ${JSON.stringify(wrong[0] ?? null)} as failed, which was not in the batch: all of it counts as failed`;
  return new Set(ids.map(String));
}

function recordOf(message: Message, source: EventSource, place: Place): Readonly<Record<string, unknown>> {
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes ?? {},
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [name, attributeOf(value)]),
    ),
    md5OfBody: message.MD5OfBody,
    ...(message.MD5OfMessageAttributes === undefined ? {} : { md5OfMessageAttributes: message.MD5OfMessageAttributes }),
    eventSource: 'aws:sqs',
    eventSourceARN: source.queueArn,
    awsRegion: place.region,
  };
}

function attributeOf(value: MessageAttributeValue): Readonly<Record<string, unknown>> {
  return {
    ...(value.StringValue === undefined ? {} : { stringValue: value.StringValue }),
    ...(value.BinaryValue === undefined ? {} : { binaryValue: Buffer.from(value.BinaryValue).toString('base64') }),
    stringListValues: [],
    binaryListValues: [],
    dataType: value.DataType,
  };
}
