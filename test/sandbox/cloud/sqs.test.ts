import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  ListQueuesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, test } from 'vitest';
import { type LocalSqs, type SqsOptions, startSqs } from '../../../sandbox/cloud/sqs.ts';
import { HandTurnedClock } from './hand-turned-clock.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const arn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;

function connect(url: string): SQSClient {
  const client = new SQSClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'LOCALKEY', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  closers.push(() => client.destroy());
  return client;
}

async function start(options: SqsOptions = {}) {
  const clock = new HandTurnedClock();
  const server = await startSqs({ clock, ...options });
  closers.push(() => server.close());
  const sqs = connect(server.url);
  return { clock, server, ...(await createQueues(sqs, server)) };
}

/** A queue `live` that gives messages up to `dead` after two receives. */
async function createQueues(sqs: SQSClient, server: LocalSqs) {
  await sqs.send(new CreateQueueCommand({ QueueName: 'dead' }));
  await sqs.send(
    new CreateQueueCommand({
      QueueName: 'live',
      Attributes: { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn('dead'), maxReceiveCount: 2 }) },
    }),
  );
  const urls = { live: server.queueUrl('live'), dead: server.queueUrl('dead') };
  const say = (MessageBody: string, more: object = {}) => sqs.send(new SendMessageCommand({ QueueUrl: urls.live, MessageBody, ...more }));
  const take = async (queue: keyof typeof urls = 'live', more: object = {}): Promise<readonly Message[]> =>
    (
      await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: urls[queue], MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'], ...more }),
      )
    ).Messages ?? [];
  return { sqs, urls, say, take };
}

const bodies = (messages: readonly Message[]) => messages.map((message) => message.Body).sort();

async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('messages', () => {
  test('carry their attributes, checksums, and count their receives', async () => {
    const { say, take, clock } = await start();
    const sentAt = String(clock.now().getTime());
    await say('Grüße', {
      MessageAttributes: { reason: { DataType: 'String', StringValue: 'held' }, n: { DataType: 'Number', StringValue: '3' } },
    });
    const [message] = await take('live', { MessageAttributeNames: ['reason'] });
    expect(message).toMatchObject({
      Body: 'Grüße',
      MessageAttributes: { reason: { StringValue: 'held' } },
      Attributes: { ApproximateReceiveCount: '1', SentTimestamp: sentAt },
    });
    expect(message?.MessageAttributes).not.toHaveProperty('n');
    await clock.turn(30_000);
    expect((await take())[0]?.Attributes?.ApproximateReceiveCount).toBe('2');
  });

  test('are invisible while in flight, gone when deleted, and an old handle deletes nothing', async () => {
    const { sqs, urls, say, take, clock } = await start();
    await say('a');
    const [first] = await take();
    expect(await take()).toEqual([]);
    await clock.turn(30_000);
    const [second] = await take();
    await sqs.send(new DeleteMessageCommand({ QueueUrl: urls.live, ReceiptHandle: first?.ReceiptHandle }));
    expect((await depth(sqs, urls.live)).ApproximateNumberOfMessagesNotVisible).toBe('1');
    await sqs.send(new DeleteMessageCommand({ QueueUrl: urls.live, ReceiptHandle: second?.ReceiptHandle }));
    expect((await depth(sqs, urls.live)).ApproximateNumberOfMessagesNotVisible).toBe('0');
  });

  test('wait out their delay', async () => {
    const { sqs, urls, say, take, clock } = await start();
    await say('later', { DelaySeconds: 900 });
    expect(await take()).toEqual([]);
    expect(await depth(sqs, urls.live)).toMatchObject({ ApproximateNumberOfMessagesDelayed: '1', ApproximateNumberOfMessages: '0' });
    await clock.turn(900_000);
    expect(bodies(await take())).toEqual(['later']);
  });

  test('are visible again at once or later when their receiver says so', async () => {
    const { sqs, urls, say, take, clock } = await start();
    await say('a');
    const [first] = await take();
    const change = (VisibilityTimeout: number, handle = first?.ReceiptHandle) =>
      sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: urls.live, ReceiptHandle: handle, VisibilityTimeout }));
    await change(600);
    await clock.turn(599_000);
    expect(await take()).toEqual([]);
    await change(0);
    const [second] = await take();
    expect(second?.Body).toBe('a');
    expect(await thrownBy(change(5))).toMatchObject({ name: 'InvalidParameterValue' });
    expect(await thrownBy(change(5, 'nonsense'))).toMatchObject({ name: 'ReceiptHandleIsInvalid' });
    expect(await thrownBy(change(43_201, second?.ReceiptHandle))).toMatchObject({ name: 'InvalidParameterValue' });
  });

  test('end after the retention period', async () => {
    const { say, take, clock } = await start();
    await say('a');
    await clock.turn(345_600_000);
    expect(await take()).toEqual([]);
  });
});

describe('a long poll', () => {
  test('wakes on a send', async () => {
    const { say, take, clock } = await start();
    const polling = take('live', { WaitTimeSeconds: 20 });
    await clock.sleeping();
    await say('a');
    expect(bodies(await polling)).toEqual(['a']);
  });

  test('wakes when a message becomes visible again, and ends empty at its time', async () => {
    const { say, take, clock } = await start();
    await say('a');
    await take('live', { VisibilityTimeout: 5 });
    const polling = take('live', { WaitTimeSeconds: 20 });
    await clock.sleeping();
    await clock.turn(5_000);
    expect(bodies(await polling)).toEqual(['a']);
    const empty = take('live', { WaitTimeSeconds: 20 });
    await clock.sleeping();
    await clock.turn(20_000);
    expect(await empty).toEqual([]);
  });

  test('of a caller who hung up takes nothing', async () => {
    const { sqs, urls, say, take, clock } = await start();
    const hangUp = new AbortController();
    const polling = sqs.send(new ReceiveMessageCommand({ QueueUrl: urls.live, WaitTimeSeconds: 20 }), { abortSignal: hangUp.signal });
    await clock.sleeping();
    hangUp.abort();
    await thrownBy(polling);
    await say('a');
    expect(bodies(await take('live', { WaitTimeSeconds: 1 }))).toEqual(['a']);
  });
});

describe('batches', () => {
  test('report each entry, and the good ones go through', async () => {
    const { sqs, urls, take } = await start();
    const { Successful, Failed } = await sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: urls.live,
        Entries: [
          { Id: 'good', MessageBody: 'a' },
          { Id: 'late', MessageBody: 'b', DelaySeconds: 901 },
          { Id: 'odd', MessageBody: 'c\u0000' },
        ],
      }),
    );
    expect(Successful?.map((entry) => entry.Id)).toEqual(['good']);
    expect(Failed?.map((entry) => [entry.Id, entry.Code])).toEqual([
      ['late', 'InvalidParameterValue'],
      ['odd', 'InvalidMessageContents'],
    ]);
    const [message] = await take();
    const changed = await sqs.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: urls.live,
        Entries: [{ Id: '1', ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout: 0 }],
      }),
    );
    expect(changed.Successful).toHaveLength(1);
    const [again] = await take();
    const deleted = await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl: urls.live,
        Entries: [
          { Id: '1', ReceiptHandle: again?.ReceiptHandle },
          { Id: '2', ReceiptHandle: 'nonsense' },
        ],
      }),
    );
    expect(deleted).toMatchObject({ Successful: [{ Id: '1' }], Failed: [{ Id: '2', Code: 'ReceiptHandleIsInvalid' }] });
  });

  test.each([
    ['eleven entries', Array.from({ length: 11 }, (_, n) => ({ Id: `${n}`, MessageBody: 'x' })), 'TooManyEntriesInBatchRequest'],
    ['no entry', [], 'EmptyBatchRequest'],
    ['an id twice', [1, 2].map(() => ({ Id: 'same', MessageBody: 'x' })), 'BatchEntryIdsNotDistinct'],
    ['more than 1 MiB together', [1, 2].map((n) => ({ Id: `${n}`, MessageBody: 'x'.repeat(600_000) })), 'BatchRequestTooLong'],
  ])('%s: refused as a whole', async (_, Entries, name) => {
    const { sqs, urls, take } = await start();
    expect(await thrownBy(sqs.send(new SendMessageBatchCommand({ QueueUrl: urls.live, Entries })))).toMatchObject({ name });
    expect(await take()).toEqual([]);
  });

  test('a message may have 1 MiB and not a byte more', async () => {
    const { say, take } = await start();
    await say('x'.repeat(1_048_576));
    expect(await thrownBy(say('x'.repeat(1_048_577)))).toMatchObject({ name: 'InvalidParameterValue' });
    expect((await take())[0]?.Body).toHaveLength(1_048_576);
  });
});

describe('dead letters', () => {
  test('a message received as often as allowed goes to the dead-letter queue with its source, and back by a move task', async () => {
    const { sqs, urls, say, take, clock } = await start();
    await say('poison');
    for (let round = 0; round < 2; round += 1) {
      expect(bodies(await take())).toEqual(['poison']);
      await clock.turn(30_000);
    }
    expect(await take()).toEqual([]);
    const [dead] = await take('dead', { VisibilityTimeout: 0 });
    expect(dead?.Attributes).toMatchObject({ DeadLetterQueueSourceArn: arn('live') });
    expect((await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: urls.dead }))).queueUrls).toEqual([urls.live]);
    await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arn('dead') }));
    const [back] = await take();
    expect(back).toMatchObject({ Body: 'poison', Attributes: { ApproximateReceiveCount: '1' } });
    expect(back?.MessageId).not.toBe(dead?.MessageId);
    expect((await sqs.send(new ListMessageMoveTasksCommand({ SourceArn: arn('dead') }))).Results).toMatchObject([
      { Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 1 },
    ]);
  });

  test('a letter that was sent there directly moves only to a named destination', async () => {
    const { sqs, urls, take } = await start();
    await sqs.send(new SendMessageCommand({ QueueUrl: urls.dead, MessageBody: 'buried' }));
    const move = (more: object = {}) => sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arn('dead'), ...more }));
    await move();
    expect((await sqs.send(new ListMessageMoveTasksCommand({ SourceArn: arn('dead') }))).Results).toMatchObject([
      { Status: 'FAILED', FailureReason: 'CouldNotDetermineMessageSource' },
    ]);
    await move({ DestinationArn: arn('live') });
    expect(bodies(await take())).toEqual(['buried']);
    expect(await thrownBy(sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arn('live') })))).toMatchObject({
      message: expect.stringContaining('Dead Letter Queue'),
    });
  });
});

describe('queues', () => {
  test('are found by name and listed by prefix; an unknown one is refused', async () => {
    const { sqs, urls } = await start();
    expect((await sqs.send(new GetQueueUrlCommand({ QueueName: 'live' }))).QueueUrl).toBe(urls.live);
    expect((await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'l' }))).QueueUrls).toEqual([urls.live]);
    expect(await thrownBy(sqs.send(new GetQueueUrlCommand({ QueueName: 'nobody' })))).toMatchObject({ name: 'QueueDoesNotExist' });
    expect(await thrownBy(sqs.send(new CreateQueueCommand({ QueueName: 'x.fifo' })))).toMatchObject({ name: 'UnsupportedOperation' });
    expect(await thrownBy(sqs.send(new CreateQueueCommand({ QueueName: 'live', Attributes: { VisibilityTimeout: '7' } })))).toMatchObject({
      name: 'QueueNameExists',
    });
  });

  test('are emptied by a purge, once a minute', async () => {
    const { sqs, urls, say, take } = await start();
    await say('a');
    await sqs.send(new PurgeQueueCommand({ QueueUrl: urls.live }));
    expect(await take()).toEqual([]);
    expect(await thrownBy(sqs.send(new PurgeQueueCommand({ QueueUrl: urls.live })))).toMatchObject({ name: 'PurgeQueueInProgress' });
  });

  test('requests are counted by operation', async () => {
    const { server, say, take } = await start();
    server.resetRequests();
    await say('a');
    await take();
    await take();
    expect(server.requests()).toEqual({ SendMessage: 1, ReceiveMessage: 2 });
  });

  test('a batch needs the permission of its single operation', async () => {
    const { sqs, urls } = await start({
      authorize: ({ action }) =>
        action === 'sqs:SendMessage' ? { principal: 'arn:aws:sts::1:assumed-role/poll', because: 'of the test' } : undefined,
    });
    const error = await thrownBy(sqs.send(new SendMessageBatchCommand({ QueueUrl: urls.live, Entries: [{ Id: '1', MessageBody: 'x' }] })));
    expect(error).toMatchObject({ message: expect.stringContaining(`sqs:SendMessage on resource: ${arn('live')}`) });
  });
});

describe('on disk', () => {
  test('after kill -9 every accepted message is there, and what was deleted stays deleted', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'local-sqs-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const script = `import { startSqs } from ${JSON.stringify(join(import.meta.dirname, '../../../sandbox/cloud/sqs.ts'))};
      console.log((await startSqs({ folder: ${JSON.stringify(folder)} })).url);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const [line] = await once(child.stdout, 'data');
    const url = String(line).trim();
    const before = connect(url);
    await before.send(new CreateQueueCommand({ QueueName: 'live' }));
    const QueueUrl = `${url}/000000000000/live`;
    await before.send(new SendMessageCommand({ QueueUrl, MessageBody: 'done' }));
    const done = await before.send(new ReceiveMessageCommand({ QueueUrl }));
    await before.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: done.Messages?.[0]?.ReceiptHandle }));
    await before.send(new SendMessageCommand({ QueueUrl, MessageBody: 'in flight' }));
    await before.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 3600 }));
    const accepted: string[] = [];
    try {
      for (let n = 0; ; n += 1) {
        await before.send(new SendMessageCommand({ QueueUrl, MessageBody: String(n) }));
        accepted.push(String(n));
        if (n === 30) child.kill('SIGKILL');
      }
    } catch {
      await exited;
    }
    const server = await startSqs({ folder });
    closers.push(() => server.close());
    const after = connect(server.url);
    const found: string[] = [];
    for (;;) {
      const { Messages } = await after.send(new ReceiveMessageCommand({ QueueUrl: server.queueUrl('live'), MaxNumberOfMessages: 10 }));
      if (!Messages) break;
      found.push(...Messages.map((message) => message.Body ?? ''));
    }
    expect(accepted.length).toBeGreaterThan(30);
    expect(accepted.filter((body) => !found.includes(body))).toEqual([]);
    expect(found).not.toContain('done');
    expect(found).not.toContain('in flight');
    expect(server.depth('live')?.inFlight).toBe(found.length + 1);
    expect(server.returnInFlight('live')).toBe(found.length + 1);
    expect(server.depth('live')).toEqual({ waiting: found.length + 1, inFlight: 0, delayed: 0 });
  });
});

async function depth(sqs: SQSClient, QueueUrl: string): Promise<Record<string, string>> {
  return (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {};
}
