import { type Access, type Authorize, allowEverything, localPlace, type Place } from './access.ts';
import { type AwsCall, AwsError, demandAccess, startAwsJson } from './aws-json.ts';
import { type CloudClock, machineClock } from './clock.ts';
import { nameOfUrl, SqsDesk } from './sqs-desk.ts';
import { Journal } from './sqs-journal.ts';
import { changeVisibility, deleteMessage, eachEntry, receiveMessage, sendMessage, sendMessageBatch } from './sqs-messages.ts';
import { MoveTasks } from './sqs-move-tasks.ts';
import { depthOf } from './sqs-queue.ts';
import {
  createQueue,
  deleteQueue,
  getQueueAttributes,
  getQueueUrl,
  listDeadLetterSourceQueues,
  listQueues,
  purgeQueue,
  setQueueAttributes,
  sourcesOf,
} from './sqs-queue-operations.ts';

export interface SqsOptions {
  readonly port?: number;
  /** Where the journal is kept; absent: in memory. What was accepted survives a killed process. */
  readonly folder?: string;
  readonly clock?: CloudClock;
  readonly authorize?: Authorize;
  readonly place?: Place;
}

export interface LocalSqs {
  readonly url: string;
  /** URL of a queue, existing or not: `http://127.0.0.1:PORT/ACCOUNT/name`. */
  queueUrl(name: string): string;
  /** Messages of a queue by state, without a request; undefined when there is no such queue. */
  depth(name: string): { readonly waiting: number; readonly inFlight: number; readonly delayed: number } | undefined;
  /** Makes visible what somebody received and never deleted: for a receiver that is known to be gone. Answers how many messages that were. */
  returnInFlight(name: string): number;
  /** Requests by operation since the start or the last reset, refused ones included. */
  requests(): Readonly<Record<string, number>>;
  resetRequests(): void;
  close(): Promise<void>;
}

/** SQS on loopback: standard queues with delays, visibility, long polls, redrive and its tasks, on an injected clock. */
export async function startSqs(options: SqsOptions = {}): Promise<LocalSqs> {
  const place = options.place ?? localPlace;
  const authorize = options.authorize ?? allowEverything;
  const journal = new Journal(options.folder);
  const desk = new SqsDesk(journal, options.clock ?? machineClock, place);
  const tasks = new MoveTasks(desk);
  const purgedAt = new Map<string, number>();
  let counts: Record<string, number> = {};

  const operations: Readonly<Record<string, (call: AwsCall) => unknown>> = {
    SendMessage: ({ input, accessKeyId }) => sendMessage(desk, input, accessKeyId),
    SendMessageBatch: ({ input, accessKeyId }) => sendMessageBatch(desk, input, accessKeyId),
    ReceiveMessage: ({ input, gone }) => receiveMessage(desk, input, gone),
    DeleteMessage: ({ input }) => deleteMessage(desk, input['QueueUrl'], input),
    DeleteMessageBatch: ({ input }) => eachEntry(desk, input, deleteMessage),
    ChangeMessageVisibility: ({ input }) => changeVisibility(desk, input['QueueUrl'], input),
    ChangeMessageVisibilityBatch: ({ input }) => eachEntry(desk, input, changeVisibility),
    CreateQueue: ({ input }) => createQueue(desk, input),
    DeleteQueue: ({ input }) => deleteQueue(desk, input),
    SetQueueAttributes: ({ input }) => setQueueAttributes(desk, input),
    GetQueueAttributes: ({ input }) => getQueueAttributes(desk, input),
    GetQueueUrl: ({ input }) => getQueueUrl(desk, input),
    ListQueues: ({ input }) => listQueues(desk, input),
    ListDeadLetterSourceQueues: ({ input }) => listDeadLetterSourceQueues(desk, input),
    PurgeQueue: ({ input }) => purgeQueue(desk, purgedAt, input),
    StartMessageMoveTask: ({ input }) => tasks.start(input),
    ListMessageMoveTasks: ({ input }) => tasks.list(input),
    CancelMessageMoveTask: ({ input }) => tasks.cancel(input),
  };

  const server = await startAwsJson({
    port: options.port,
    target: 'AmazonSQS',
    version: '1.0',
    errorPrefix: 'com.amazonaws.sqs#',
    limitBytes: 4 * 1024 * 1024,
    async handle(call) {
      counts[call.operation] = (counts[call.operation] ?? 0) + 1;
      const operation = operations[call.operation];
      if (operation === undefined) {
        throw new AwsError('com.amazon.coral.service#UnknownOperationException', `${call.operation} is not part of the local SQS`);
      }
      try {
        demandAccess(authorize, 'com.amazon.coral.service#AccessDeniedException', accessesOf(call, desk, tasks), 403);
      } catch (error) {
        if (!(error instanceof AwsError) || error.status !== 403) throw error;
        throw new AwsError(error.type, error.message, { status: 403, queryCode: 'AccessDenied' });
      }
      return operation(call);
    },
  });
  desk.url = server.url;
  return {
    url: server.url,
    queueUrl: (name) => desk.urlOf(name),
    depth(name) {
      const queue = desk.findQueue(name);
      return queue && depthOf(queue, desk.now());
    },
    returnInFlight(name) {
      const now = desk.now();
      const held = [...(desk.findQueue(name)?.messages.values() ?? [])].filter(
        (message) => message.visibleAt > now && message.receiveCount > 0,
      );
      desk.write(held.map((message) => ({ is: 'message', queue: name, message: { ...message, visibleAt: now } })));
      return held.length;
    },
    requests: () => ({ ...counts }),
    resetRequests() {
      counts = {};
    },
    async close() {
      await server.close();
      journal.close();
    },
  };
}

/** IAM knows no batch operations, and a move needs what it does: receiving and deleting here, sending there. */
function accessesOf(call: AwsCall, desk: SqsDesk, tasks: MoveTasks): readonly Access[] {
  const { operation, input, accessKeyId } = call;
  const access = (action: string, resource: string): Access => ({ accessKeyId, action: `sqs:${action}`, resource });
  switch (operation) {
    case 'ListQueues':
      return [access(operation, desk.arnOf('*'))];
    case 'CreateQueue':
    case 'GetQueueUrl':
      return [access(operation, desk.arnOf(String(input['QueueName'])))];
    case 'ListMessageMoveTasks':
      return [access(operation, String(input['SourceArn']))];
    case 'CancelMessageMoveTask':
      return [access(operation, tasks.sourceArnOf(input['TaskHandle']))];
    case 'StartMessageMoveTask': {
      const source = String(input['SourceArn']);
      const queue = desk.queueOfArn(source);
      const back = queue === undefined ? [] : sourcesOf(desk, queue).map((other) => desk.arnOf(other.name));
      const destinations = input['DestinationArn'] ? [String(input['DestinationArn'])] : back;
      return [
        ...['StartMessageMoveTask', 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((action) => access(action, source)),
        ...destinations.map((destination) => access('SendMessage', destination)),
      ];
    }
    default:
      return [
        access(operation.replace(/Batch$/, ''), desk.arnOf(nameOfUrl(input['QueueUrl']))),
        ...keyAccesses(call, desk.findQueue(nameOfUrl(input['QueueUrl']))?.attributes['KmsMasterKeyId']),
      ];
  }
}

/** A queue under a customer's own key: senders make data keys with it, receivers decrypt. */
function keyAccesses({ operation, accessKeyId }: AwsCall, key: string | undefined): readonly Access[] {
  if (!key || key.startsWith('alias/aws/')) return [];
  const sends = operation.startsWith('SendMessage') ? ['kms:GenerateDataKey', 'kms:Decrypt'] : [];
  const actions = operation === 'ReceiveMessage' ? ['kms:Decrypt'] : sends;
  return actions.map((action) => ({ accessKeyId, action, resource: key }));
}
