import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { AwsError } from './aws-json.ts';
import { chosenAttributes, MessageAttributes, md5, md5OfAttributes, messageBytes } from './sqs-attributes.ts';
import type { SqsDesk } from './sqs-desk.ts';
import { batchError, invalidParameter, messageNotInflight, missingParameter, outOfRange, receiptHandleIsInvalid } from './sqs-errors.ts';
import { type Entry, type Message, nextVisibleAt, type Queue, receiveFrom } from './sqs-queue.ts';

const mostMessages = 10;
const mostDelaySeconds = 900;
const mostVisibilitySeconds = 43_200;
const mostWaitSeconds = 20;

type Input = Readonly<Record<string, unknown>>;

const Outgoing = z.looseObject({
  MessageBody: z.string().optional(),
  DelaySeconds: z.number().optional(),
  MessageAttributes: MessageAttributes.nullish(),
  MessageSystemAttributes: MessageAttributes.nullish(),
});
const Batch = z.looseObject({ Entries: z.array(z.looseObject({ Id: z.string() })).nullish() });
const Asked = z.looseObject({
  MaxNumberOfMessages: z.number().nullish(),
  WaitTimeSeconds: z.number().nullish(),
  VisibilityTimeout: z.number().nullish(),
  AttributeNames: z.array(z.string()).nullish(),
  MessageSystemAttributeNames: z.array(z.string()).nullish(),
  MessageAttributeNames: z.array(z.string()).nullish(),
});

/** An input of a wrong type is answered as SQS answers it, with the member in the text. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalidParameter(`Value for parameter ${issue?.path.join('.') ?? ''} is invalid. Reason: ${issue?.message ?? ''}.`);
}

function outgoingMessage(desk: SqsDesk, queue: Queue, input: Input, senderId: string): Message {
  if (input['MessageGroupId'] !== undefined || input['MessageDeduplicationId'] !== undefined) {
    throw invalidParameter('MessageGroupId and MessageDeduplicationId are not valid here: this local SQS has standard queues only.');
  }
  const {
    MessageBody: body,
    DelaySeconds: delay,
    MessageAttributes: attributes,
    MessageSystemAttributes: system,
  } = parseInput(Outgoing, input);
  if (!body) throw missingParameter('MessageBody');
  if (!isPlainText(body)) {
    throw new AwsError('InvalidMessageContents', 'Message contains characters outside of the set SQS accepts.', {
      queryCode: 'InvalidMessageContents',
    });
  }
  const delaySeconds = delay ?? Number(queue.attributes['DelaySeconds']);
  if (!Number.isInteger(delaySeconds) || delaySeconds < 0 || delaySeconds > mostDelaySeconds) {
    throw outOfRange('DelaySeconds', delaySeconds, `>= 0 and <= ${mostDelaySeconds}`);
  }
  const limit = Number(queue.attributes['MaximumMessageSize']);
  if (messageBytes(body, attributes ?? {}) > limit) {
    throw invalidParameter(`One or more parameters are invalid. Reason: Message must be shorter than ${limit} bytes.`);
  }
  const now = desk.now();
  return {
    id: randomUUID(),
    body,
    attributes: attributes ?? {},
    systemAttributes: system ?? {},
    senderId,
    sentAt: now,
    visibleAt: now + delaySeconds * 1000,
    receiveCount: 0,
  };
}

/** Tab, line feed, carriage return and everything printable. */
function isPlainText(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 ? code !== 0x9 && code !== 0xa && code !== 0xd : code === 0xfffe || code === 0xffff) return false;
    if (code >= 0xd800 && code <= 0xdfff) return false;
  }
  return true;
}

function sent(message: Message): Input {
  return {
    MessageId: message.id,
    MD5OfMessageBody: md5(message.body),
    MD5OfMessageAttributes: md5OfAttributes(message.attributes),
    MD5OfMessageSystemAttributes: md5OfAttributes(message.systemAttributes),
  };
}

export function sendMessage(desk: SqsDesk, input: Input, senderId: string): unknown {
  const queue = desk.queueAt(input['QueueUrl']);
  const message = outgoingMessage(desk, queue, input, senderId);
  desk.write([{ is: 'message', queue: queue.name, message }]);
  return sent(message);
}

export function sendMessageBatch(desk: SqsDesk, input: Input, senderId: string): unknown {
  const queue = desk.queueAt(input['QueueUrl']);
  const entries = batchEntries(input);
  const bytes = entries.reduce((sum, entry) => {
    const { MessageBody: body, MessageAttributes: attributes } = parseInput(Outgoing, entry);
    return sum + messageBytes(body ?? '', attributes ?? {});
  }, 0);
  const limit = 1_048_576;
  if (bytes > limit) {
    throw batchError('BatchRequestTooLong', `Batch requests cannot be longer than ${limit} bytes. You have sent ${bytes} bytes.`);
  }
  const writes: Entry[] = [];
  const result = forEach(entries, (entry) => {
    const message = outgoingMessage(desk, queue, entry, senderId);
    writes.push({ is: 'message', queue: queue.name, message });
    return sent(message);
  });
  desk.write(writes);
  return result;
}

type BatchEntry = Input & { readonly Id: string };

function batchEntries(input: Input): readonly BatchEntry[] {
  const { Entries: entries } = parseInput(Batch, input);
  if (!entries || entries.length === 0) throw batchError('EmptyBatchRequest', 'There should be at least one entry in the request.');
  if (entries.length > mostMessages) {
    throw batchError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${mostMessages}. You have sent ${entries.length}.`,
    );
  }
  const twice = entries.find((entry, index) => entries.findIndex((other) => other.Id === entry.Id) !== index);
  if (twice) throw batchError('BatchEntryIdsNotDistinct', `Id ${twice.Id} repeated.`);
  const invalid = entries.find((entry) => !/^[A-Za-z0-9_-]{1,80}$/.test(entry.Id));
  if (invalid)
    throw batchError('InvalidBatchEntryId', 'A batch entry id can only contain alphanumeric characters, hyphens and underscores.');
  return entries;
}

/** One entry's failure is reported beside the others' success. */
function forEach(entries: readonly BatchEntry[], work: (entry: BatchEntry) => Input): unknown {
  const successful: Input[] = [];
  const failed: Input[] = [];
  for (const entry of entries) {
    try {
      successful.push({ Id: entry.Id, ...work(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      failed.push({ Id: entry.Id, SenderFault: true, Code: error.queryCode ?? error.type, Message: error.message });
    }
  }
  return { Successful: successful, Failed: failed };
}

/** Waits up to `WaitTimeSeconds` of the clock for a message; a send, an expired visibility or delay ends the wait. */
export async function receiveMessage(desk: SqsDesk, input: Input, gone: AbortSignal): Promise<unknown> {
  const asked = parseInput(Asked, input);
  const name = desk.queueAt(input['QueueUrl']).name;
  const limit = asked.MaxNumberOfMessages ?? 1;
  if (!Number.isInteger(limit) || limit < 1 || limit > mostMessages) {
    throw outOfRange('MaxNumberOfMessages', limit, `between 1 and ${mostMessages}, if provided`);
  }
  const { attributes } = desk.queueAt(input['QueueUrl']);
  const waitSeconds = asked.WaitTimeSeconds ?? Number(attributes['ReceiveMessageWaitTimeSeconds']);
  if (waitSeconds < 0 || waitSeconds > mostWaitSeconds) {
    throw outOfRange('WaitTimeSeconds', waitSeconds, `>= 0 and <= ${mostWaitSeconds}, if provided`);
  }
  const visibilitySeconds = visibilityOf(asked.VisibilityTimeout ?? Number(attributes['VisibilityTimeout']));
  const deadline = desk.now() + waitSeconds * 1000;
  for (;;) {
    const queue = desk.queueAt(input['QueueUrl']);
    const now = desk.now();
    if (gone.aborted) return {};
    const { taken, entries } = receiveFrom(queue, {
      limit,
      visibilityMs: visibilitySeconds * 1000,
      now,
      arn: desk.arnOf(name),
      exists: (other) => desk.findQueue(other) !== undefined,
    });
    desk.write(entries);
    if (taken.length > 0) return { Messages: taken.map((message) => shown(desk, message, asked)) };
    if (now >= deadline) return {};
    const again = Math.min(deadline, nextVisibleAt(queue, now) ?? deadline);
    const enough = new AbortController();
    const stop = () => enough.abort();
    gone.addEventListener('abort', stop, { once: true });
    await Promise.race([desk.changed(name, enough.signal), desk.clock.sleep(again - now, enough.signal)]);
    gone.removeEventListener('abort', stop);
    stop();
  }
}

function shown(desk: SqsDesk, message: Message, asked: z.infer<typeof Asked>): Input {
  const attributes = chosenAttributes(message.attributes, asked.MessageAttributeNames ?? []);
  const names = [...(asked.AttributeNames ?? []), ...(asked.MessageSystemAttributeNames ?? [])];
  const system: Record<string, string | undefined> = {
    SenderId: message.senderId,
    SentTimestamp: String(message.sentAt),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    DeadLetterQueueSourceArn: message.givenUpBy,
    AWSTraceHeader: message.systemAttributes['AWSTraceHeader']?.StringValue,
  };
  const chosen = Object.entries(system).filter(([name, value]) => value !== undefined && (names.includes('All') || names.includes(name)));
  return {
    MessageId: message.id,
    ReceiptHandle: Buffer.from(`${message.id}#${message.receiveCount}#${desk.now()}`).toString('base64'),
    MD5OfBody: md5(message.body),
    Body: message.body,
    ...(chosen.length === 0 ? {} : { Attributes: Object.fromEntries(chosen) }),
    ...(Object.keys(attributes).length === 0 ? {} : { MessageAttributes: attributes, MD5OfMessageAttributes: md5OfAttributes(attributes) }),
  };
}

function visibilityOf(seconds: number): number {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > mostVisibilitySeconds) {
    throw outOfRange('VisibilityTimeout', seconds, `>= 0 and <= ${mostVisibilitySeconds}, if provided`);
  }
  return seconds;
}

/** The message a handle names, if it is still the newest delivery of it. */
function deliveredBy(queue: Queue, handle: unknown): Message | undefined {
  const parts = typeof handle === 'string' ? /^([0-9a-f-]{36})#(\d+)#\d+$/.exec(Buffer.from(handle, 'base64').toString()) : null;
  if (!parts) throw receiptHandleIsInvalid();
  const message = queue.messages.get(parts[1] ?? '');
  return message?.receiveCount === Number(parts[2]) ? message : undefined;
}

/** An old handle is accepted and deletes nothing, as with AWS. */
export function deleteMessage(desk: SqsDesk, queueUrl: unknown, input: Input): Input {
  const queue = desk.queueAt(queueUrl);
  const message = deliveredBy(queue, input['ReceiptHandle']);
  if (message) desk.write([{ is: 'deleted', queue: queue.name, id: message.id }]);
  return {};
}

export function changeVisibility(desk: SqsDesk, queueUrl: unknown, input: Input): Input {
  const queue = desk.queueAt(queueUrl);
  const message = deliveredBy(queue, input['ReceiptHandle']);
  const seconds = visibilityOf(Number(input['VisibilityTimeout']));
  if (message === undefined) {
    throw invalidParameter(
      'Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.',
    );
  }
  const now = desk.now();
  if (message.visibleAt <= now) throw messageNotInflight();
  desk.write([{ is: 'message', queue: queue.name, message: { ...message, visibleAt: now + seconds * 1000 } }]);
  return {};
}

export function eachEntry(desk: SqsDesk, input: Input, work: (desk: SqsDesk, queueUrl: unknown, input: Input) => Input): unknown {
  desk.queueAt(input['QueueUrl']);
  return forEach(batchEntries(input), (entry) => work(desk, input['QueueUrl'], entry));
}
