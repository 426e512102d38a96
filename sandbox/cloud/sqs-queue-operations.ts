import * as z from 'zod';
import { AwsError } from './aws-json.ts';
import type { SqsDesk } from './sqs-desk.ts';
import { invalidParameter, queueDoesNotExist, unsupported } from './sqs-errors.ts';
import { parseInput } from './sqs-messages.ts';
import { depthOf, nameOfArn, type Queue, redrivePolicyOf } from './sqs-queue.ts';

type Input = Readonly<Record<string, unknown>>;
type Attributes = Readonly<Record<string, string>>;

const defaults: Attributes = {
  VisibilityTimeout: '30',
  DelaySeconds: '0',
  MaximumMessageSize: '1048576',
  MessageRetentionPeriod: '345600',
  ReceiveMessageWaitTimeSeconds: '0',
};
const ranges: Readonly<Record<string, readonly [number, number]>> = {
  VisibilityTimeout: [0, 43_200],
  DelaySeconds: [0, 900],
  MaximumMessageSize: [1024, 1_048_576],
  MessageRetentionPeriod: [60, 1_209_600],
  ReceiveMessageWaitTimeSeconds: [0, 20],
};
/** Kept and shown, without a local effect: policies of other accounts, encryption. */
const keptOnly = new Set(['Policy', 'RedriveAllowPolicy', 'SqsManagedSseEnabled', 'KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds']);

const QueueInput = z.looseObject({ QueueName: z.string().optional(), Attributes: z.record(z.string(), z.string()).nullish() });
const RedrivePolicy = z.object({
  deadLetterTargetArn: z.string().startsWith('arn:'),
  maxReceiveCount: z.union([z.number(), z.string().regex(/^\d+$/)]),
});

function checkedAttributes(desk: SqsDesk, attributes: Attributes): Attributes {
  for (const [name, value] of Object.entries(attributes)) {
    const range = ranges[name];
    if (range !== undefined) {
      const number = Number(value);
      if (!Number.isInteger(number) || number < range[0] || number > range[1]) {
        throw new AwsError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`, { queryCode: 'InvalidAttributeValue' });
      }
    } else if (name === 'RedrivePolicy') {
      if (value !== '') checkRedrive(desk, value);
    } else if (name.startsWith('Fifo') || name === 'ContentBasedDeduplication' || name === 'DeduplicationScope') {
      throw unsupported(`${name}: this local SQS has standard queues only.`);
    } else if (!keptOnly.has(name)) {
      throw new AwsError('InvalidAttributeName', `Unknown Attribute ${name}.`, { queryCode: 'InvalidAttributeName' });
    }
  }
  return attributes;
}

function checkRedrive(desk: SqsDesk, text: string): void {
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    throw invalidParameter('Value for parameter RedrivePolicy is invalid. Reason: Redrive policy is not a valid JSON map.');
  }
  const { deadLetterTargetArn: arn, maxReceiveCount } = parseInput(RedrivePolicy, policy);
  if (Number(maxReceiveCount) < 1 || Number(maxReceiveCount) > 1000) {
    throw invalidParameter('Value for parameter RedrivePolicy is invalid. Reason: maxReceiveCount must be between 1 and 1000.');
  }
  if (desk.queueOfArn(arn) === undefined) {
    throw invalidParameter('Value for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.');
  }
}

export function createQueue(desk: SqsDesk, input: Input): unknown {
  const { QueueName: name, Attributes: wanted } = parseInput(QueueInput, input);
  if (name?.endsWith('.fifo')) throw unsupported(`${name}: this local SQS has standard queues only.`);
  if (!/^[A-Za-z0-9_-]{1,80}$/.test(name ?? '')) {
    throw invalidParameter('Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length');
  }
  const queueName = name ?? '';
  const attributes = checkedAttributes(desk, wanted ?? {});
  const existing = desk.findQueue(queueName);
  const differs = existing && Object.entries(attributes).find(([key, value]) => existing.attributes[key] !== value);
  if (differs) {
    throw new AwsError('QueueNameExists', `A queue already exists with the same name and a different value for attribute ${differs[0]}`, {
      queryCode: 'QueueAlreadyExists',
    });
  }
  if (!existing) desk.write([{ is: 'queue', queue: queueName, attributes: { ...defaults, ...attributes }, createdAt: desk.now() }]);
  return { QueueUrl: desk.urlOf(queueName) };
}

export function setQueueAttributes(desk: SqsDesk, input: Input): unknown {
  const queue = desk.queueAt(input['QueueUrl']);
  const attributes = checkedAttributes(desk, parseInput(QueueInput, input).Attributes ?? {});
  desk.write([{ is: 'queue', queue: queue.name, attributes: { ...queue.attributes, ...attributes }, createdAt: queue.createdAt }]);
  return {};
}

export function getQueueAttributes(desk: SqsDesk, input: Input): unknown {
  const queue = desk.queueAt(input['QueueUrl']);
  const depth = depthOf(queue, desk.now());
  const seconds = String(Math.floor(queue.createdAt / 1000));
  const all: Attributes = {
    ...Object.fromEntries(Object.entries(queue.attributes).filter(([, value]) => value !== '')),
    QueueArn: desk.arnOf(queue.name),
    ApproximateNumberOfMessages: String(depth.waiting),
    ApproximateNumberOfMessagesNotVisible: String(depth.inFlight),
    ApproximateNumberOfMessagesDelayed: String(depth.delayed),
    CreatedTimestamp: seconds,
    LastModifiedTimestamp: seconds,
  };
  const names: readonly unknown[] = Array.isArray(input['AttributeNames']) ? input['AttributeNames'] : [];
  return { Attributes: Object.fromEntries(Object.entries(all).filter(([name]) => names.includes('All') || names.includes(name))) };
}

export function getQueueUrl(desk: SqsDesk, input: Input): unknown {
  const name = String(input['QueueName']);
  if (desk.findQueue(name) === undefined) throw queueDoesNotExist();
  return { QueueUrl: desk.urlOf(name) };
}

export function listQueues(desk: SqsDesk, input: Input): unknown {
  const names = desk.queues().map((queue) => queue.name);
  const matching = names.filter((name) => name.startsWith(String(input['QueueNamePrefix'] ?? ''))).sort();
  return page(desk, input, matching, 'QueueUrls');
}

/** Queues that give their messages up to this one. */
export function sourcesOf(desk: SqsDesk, deadLetters: Queue): readonly Queue[] {
  return desk.queues().filter((queue) => nameOfArn(redrivePolicyOf(queue)?.deadLetterTargetArn ?? '') === deadLetters.name);
}

export function listDeadLetterSourceQueues(desk: SqsDesk, input: Input): unknown {
  const sources = sourcesOf(desk, desk.queueAt(input['QueueUrl']));
  return page(desk, input, sources.map((queue) => queue.name).sort(), 'queueUrls');
}

function page(desk: SqsDesk, input: Input, names: readonly string[], member: string): unknown {
  const limit = Number(input['MaxResults'] ?? 1000);
  const rest = input['NextToken'] === undefined ? names : names.filter((name) => name > String(input['NextToken']));
  const shown = rest.slice(0, limit);
  const more = rest.length > limit && input['MaxResults'] !== undefined ? { NextToken: shown.at(-1) } : {};
  return { [member]: shown.map((name) => desk.urlOf(name)), ...more };
}

const purgePauseMs = 60_000;

/** Empties a queue; again only after a minute, as with AWS. */
export function purgeQueue(desk: SqsDesk, purgedAt: Map<string, number>, input: Input): unknown {
  const queue = desk.queueAt(input['QueueUrl']);
  if (desk.now() - (purgedAt.get(queue.name) ?? Number.NEGATIVE_INFINITY) < purgePauseMs) {
    throw new AwsError('PurgeQueueInProgress', `Only one PurgeQueue operation on ${queue.name} is allowed every 60 seconds.`, {
      status: 403,
      queryCode: 'AWS.SimpleQueueService.PurgeQueueInProgress',
    });
  }
  purgedAt.set(queue.name, desk.now());
  desk.write([{ is: 'purged', queue: queue.name }]);
  return {};
}

export function deleteQueue(desk: SqsDesk, input: Input): unknown {
  desk.write([{ is: 'queue-deleted', queue: desk.queueAt(input['QueueUrl']).name }]);
  return {};
}
