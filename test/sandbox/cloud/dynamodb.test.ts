import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  IdempotentParameterMismatchException,
  TransactionCanceledException,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactGetCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterEach, describe, expect, test } from 'vitest';
import { type DynamoDbOptions, type LocalDynamoDb, startDynamoDb } from '../../../sandbox/cloud/dynamodb.ts';
import { HandTurnedClock } from './hand-turned-clock.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function connect(url: string, accessKeyId = 'LOCALKEY'): DynamoDBDocumentClient {
  const client = new DynamoDBClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  closers.push(() => client.destroy());
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

async function createLinks(db: DynamoDBDocumentClient): Promise<void> {
  await db.send(
    new CreateTableCommand({
      TableName: 'links',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
        { AttributeName: 'state', AttributeType: 'S' },
        { AttributeName: 'at', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byState',
          KeySchema: [
            { AttributeName: 'state', KeyType: 'HASH' },
            { AttributeName: 'at', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    }),
  );
}

async function start(options: DynamoDbOptions = {}): Promise<{ server: LocalDynamoDb; db: DynamoDBDocumentClient }> {
  const server = await startDynamoDb(options);
  closers.push(() => server.close());
  const db = connect(server.url);
  await createLinks(db);
  return { server, db };
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'local-dynamodb-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const put = (key: string, more: Record<string, unknown> = {}) => ({ TableName: 'links', Item: { pk: 'A', sk: key, ...more } });

describe('items and indexes', () => {
  test('a query on an index answers in order, forwards and backwards, page by page', async () => {
    const { db } = await start();
    await db.send(
      new BatchWriteCommand({
        RequestItems: {
          links: ['1', '2', '3', '4', '5'].map((n) => ({ PutRequest: { Item: { pk: 'A', sk: n, state: 'held', at: `2026-0${n}` } } })),
        },
      }),
    );
    const query = { TableName: 'links', IndexName: 'byState', KeyConditionExpression: '#s = :s AND #at BETWEEN :from AND :to' };
    const names = { ExpressionAttributeNames: { '#s': 'state', '#at': 'at' } };
    const values = { ExpressionAttributeValues: { ':s': 'held', ':from': '2026-02', ':to': '2026-05' } };
    const first = await db.send(new QueryCommand({ ...query, ...names, ...values, ScanIndexForward: false, Limit: 3 }));
    expect(first.Items?.map((item) => item['sk'])).toEqual(['5', '4', '3']);
    const rest = await db.send(
      new QueryCommand({ ...query, ...names, ...values, ScanIndexForward: false, ExclusiveStartKey: first.LastEvaluatedKey }),
    );
    expect(rest.Items?.map((item) => item['sk'])).toEqual(['2']);
  });

  test('of twenty conditional writes at once exactly one wins', async () => {
    const { db } = await start();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        db.send(new PutCommand({ ...put('x', { n }), ConditionExpression: 'attribute_not_exists(pk)' })),
      ),
    );
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });

  test('an update with SET, ADD, REMOVE and if_not_exists answers the new item', async () => {
    const { db } = await start();
    await db.send(new PutCommand(put('x', { n: 1, gone: true, kept: 'a' })));
    const { Attributes } = await db.send(
      new UpdateCommand({
        TableName: 'links',
        Key: { pk: 'A', sk: 'x' },
        UpdateExpression: 'SET kept = if_not_exists(kept, :new), fresh = if_not_exists(fresh, :new) ADD n :one REMOVE gone',
        ExpressionAttributeValues: { ':new': 'b', ':one': 1 },
        ReturnValues: 'ALL_NEW',
      }),
    );
    expect(Attributes).toEqual({ pk: 'A', sk: 'x', n: 2, kept: 'a', fresh: 'b' });
  });

  test('a failed condition hands back the item that stood in the way when asked', async () => {
    const { db } = await start();
    await db.send(new PutCommand(put('x', { fence: 7 })));
    const failed = { ...put('x'), ConditionExpression: 'attribute_not_exists(pk)' } as const;
    const error = await thrownBy(db.send(new PutCommand({ ...failed, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' })));
    expect(error).toBeInstanceOf(ConditionalCheckFailedException);
    expect(error).toMatchObject({ Item: { fence: { N: '7' } } });
    expect(await thrownBy(db.send(new PutCommand(failed)))).not.toHaveProperty('Item.fence');
  });

  test('an item above 400 KB counted in UTF-8 is refused', async () => {
    const { db } = await start();
    const error = await thrownBy(db.send(new PutCommand(put('x', { text: 'é'.repeat(210_000) }))));
    expect(error).toMatchObject({ name: 'ValidationException', message: expect.stringContaining('maximum allowed size') });
    expect((await db.send(new GetCommand({ TableName: 'links', Key: { pk: 'A', sk: 'x' } }))).Item).toBeUndefined();
  });

  test('a table that does not exist is a ResourceNotFoundException', async () => {
    const { db } = await start();
    const error = await thrownBy(db.send(new GetCommand({ TableName: 'nobody', Key: { pk: 'A', sk: 'x' } })));
    expect(error).toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('transactions', () => {
  test('all elements are written, or none with a reason for each', async () => {
    const { db } = await start();
    await db.send(new PutCommand(put('taken', { fence: 3 })));
    const error = await thrownBy(
      db.send(
        new TransactWriteCommand({
          TransactItems: [
            { Put: put('new') },
            { Put: { ...put('taken'), ConditionExpression: 'attribute_not_exists(pk)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } },
            { ConditionCheck: { TableName: 'links', Key: { pk: 'A', sk: 'other' }, ConditionExpression: 'attribute_not_exists(pk)' } },
          ],
        }),
      ),
    );
    expect(error).toBeInstanceOf(TransactionCanceledException);
    expect(error).toMatchObject({
      message: 'Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed, None]',
      CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed', Item: { fence: { N: '3' } } }, { Code: 'None' }],
    });
    expect((await db.send(new ScanCommand({ TableName: 'links' }))).Count).toBe(1);
  });

  test('put, update, delete and condition check go through together, indexes included', async () => {
    const { db } = await start();
    await db.send(new PutCommand(put('old', { state: 'held', at: '1' })));
    await db.send(new PutCommand(put('kept', { n: 1, state: 'held', at: '2' })));
    await db.send(
      new TransactWriteCommand({
        TransactItems: [
          { Put: put('new', { state: 'held', at: '3' }) },
          { Delete: { TableName: 'links', Key: { pk: 'A', sk: 'old' } } },
          {
            Update: {
              TableName: 'links',
              Key: { pk: 'A', sk: 'kept' },
              UpdateExpression: 'SET #s = :done ADD n :one',
              ConditionExpression: 'n = :one',
              ExpressionAttributeNames: { '#s': 'state' },
              ExpressionAttributeValues: { ':one': 1, ':done': 'done' },
            },
          },
          { ConditionCheck: { TableName: 'links', Key: { pk: 'A', sk: 'nobody' }, ConditionExpression: 'attribute_not_exists(pk)' } },
        ],
      }),
    );
    const held = await db.send(
      new QueryCommand({
        TableName: 'links',
        IndexName: 'byState',
        KeyConditionExpression: '#s = :s',
        ExpressionAttributeNames: { '#s': 'state' },
        ExpressionAttributeValues: { ':s': 'held' },
      }),
    );
    expect(held.Items?.map((item) => item['sk'])).toEqual(['new']);
    const { Responses } = await db.send(
      new TransactGetCommand({
        TransactItems: ['kept', 'old'].map((sk) => ({ Get: { TableName: 'links', Key: { pk: 'A', sk } } })),
      }),
    );
    expect(Responses?.map((row) => row.Item)).toEqual([{ pk: 'A', sk: 'kept', n: 2, state: 'done', at: '2' }, undefined]);
  });

  test('a repeated request token is applied once, with other contents it is refused, after ten minutes it is forgotten', async () => {
    const clock = new HandTurnedClock();
    const { db } = await start({ clock });
    const add = (amount: number) =>
      new TransactWriteCommand({
        ClientRequestToken: 'one',
        TransactItems: [
          {
            Update: {
              TableName: 'links',
              Key: { pk: 'A', sk: 'n' },
              UpdateExpression: 'ADD n :n',
              ExpressionAttributeValues: { ':n': amount },
            },
          },
        ],
      });
    const read = async () => (await db.send(new GetCommand({ TableName: 'links', Key: { pk: 'A', sk: 'n' } }))).Item?.['n'];
    await db.send(add(1));
    await db.send(add(1));
    expect(await read()).toBe(1);
    expect(await thrownBy(db.send(add(2)))).toBeInstanceOf(IdempotentParameterMismatchException);
    await clock.turn(10 * 60_000);
    await db.send(add(2));
    expect(await read()).toBe(3);
  });

  test.each([
    ['two elements on one item', [{ Put: put('x') }, { Delete: { TableName: 'links', Key: { pk: 'A', sk: 'x' } } }], 'multiple operations'],
    ['no element', [], 'between 1 and 100'],
    ['more than a hundred', Array.from({ length: 101 }, (_, n) => ({ Put: put(String(n)) })), 'between 1 and 100'],
  ])('%s is refused', async (_, TransactItems, words) => {
    const { db } = await start();
    const error = await thrownBy(db.send(new TransactWriteCommand({ TransactItems })));
    expect(error).toMatchObject({ name: 'ValidationException', message: expect.stringContaining(words) });
  });

  test('an element with a wrong key cancels the transaction with a ValidationError', async () => {
    const { db } = await start();
    const error = await thrownBy(
      db.send(new TransactWriteCommand({ TransactItems: [{ Put: put('x') }, { Delete: { TableName: 'links', Key: { pk: 'A' } } }] })),
    );
    expect(error).toMatchObject({ CancellationReasons: [{ Code: 'None' }, { Code: 'ValidationError' }] });
    expect((await db.send(new ScanCommand({ TableName: 'links' }))).Count).toBe(0);
  });
});

describe('expiry', () => {
  test('expired items go with the sweep of the clock, from the index too; others stay', async () => {
    const clock = new HandTurnedClock();
    const { db, server } = await start({ clock });
    await db.send(
      new UpdateTimeToLiveCommand({ TableName: 'links', TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true } }),
    );
    expect((await db.send(new DescribeTimeToLiveCommand({ TableName: 'links' }))).TimeToLiveDescription).toEqual({
      TimeToLiveStatus: 'ENABLED',
      AttributeName: 'expiresAt',
    });
    const inSeconds = (seconds: number) => Math.floor(clock.now().getTime() / 1000) + seconds;
    await db.send(new PutCommand(put('soon', { expiresAt: inSeconds(30), state: 'held', at: '1' })));
    await db.send(new PutCommand(put('later', { expiresAt: inSeconds(300) })));
    await db.send(new PutCommand(put('never', { expiresAt: 'no number' })));
    await db.send(new PutCommand(put('mistake', { expiresAt: 5 })));
    expect(await server.sweep()).toBe(0);
    await clock.turn(31_000);
    expect(await server.sweep()).toBe(1);
    const left = await db.send(new ScanCommand({ TableName: 'links' }));
    expect(left.Items?.map((item) => item['sk']).sort()).toEqual(['later', 'mistake', 'never']);
    expect((await db.send(new ScanCommand({ TableName: 'links', IndexName: 'byState' }))).Count).toBe(0);
  });
});

describe('consumed capacity', () => {
  test('is counted per table as AWS counts it', async () => {
    const { db, server } = await start();
    const counted = async (work: () => Promise<unknown>) => {
      server.resetUnits();
      await work().catch(() => undefined);
      return server.units()['links'] ?? { read: 0, write: 0 };
    };
    const get = (ConsistentRead: boolean) => db.send(new GetCommand({ TableName: 'links', Key: { pk: 'A', sk: 'x' }, ConsistentRead }));
    const indexed = { state: 'held', at: '1' };
    expect(await counted(() => db.send(new PutCommand(put('x'))))).toEqual({ read: 0, write: 1 });
    expect(await counted(() => db.send(new PutCommand(put('x', { ...indexed }))))).toEqual({ read: 0, write: 2 });
    expect(await counted(() => db.send(new PutCommand(put('x', { ...indexed }))))).toEqual({ read: 0, write: 1 });
    expect(await counted(() => db.send(new PutCommand(put('x', { ...indexed, at: '2' }))))).toEqual({ read: 0, write: 3 });
    expect(await counted(() => db.send(new PutCommand(put('big', { text: 'x'.repeat(2000) }))))).toEqual({ read: 0, write: 2 });
    expect(await counted(() => get(false))).toEqual({ read: 0.5, write: 0 });
    expect(await counted(() => get(true))).toEqual({ read: 1, write: 0 });
    expect(await counted(() => db.send(new PutCommand({ ...put('x'), ConditionExpression: 'attribute_not_exists(pk)' })))).toEqual({
      read: 0,
      write: 1,
    });
    expect(await counted(() => db.send(new TransactWriteCommand({ TransactItems: [{ Put: put('t') }] })))).toEqual({ read: 0, write: 2 });
    expect(
      await counted(() => db.send(new TransactGetCommand({ TransactItems: [{ Get: { TableName: 'links', Key: { pk: 'A', sk: 't' } } }] }))),
    ).toEqual({ read: 2, write: 0 });
    expect(
      await counted(() =>
        db.send(
          new BatchGetCommand({ RequestItems: { links: { Keys: ['x', 't'].map((sk) => ({ pk: 'A', sk })), ConsistentRead: true } } }),
        ),
      ),
    ).toEqual({ read: 2, write: 0 });
    expect(await counted(() => db.send(new DeleteCommand({ TableName: 'links', Key: { pk: 'A', sk: 'x' } })))).toEqual({
      read: 0,
      write: 2,
    });
  });

  test('is answered when asked for', async () => {
    const { db } = await start();
    const { ConsumedCapacity } = await db.send(new PutCommand({ ...put('x'), ReturnConsumedCapacity: 'TOTAL' }));
    expect(ConsumedCapacity).toMatchObject({ TableName: 'links', CapacityUnits: 1 });
  });
});

describe('permissions', () => {
  test('every element of a transaction needs its own action, and a query on an index needs the index', async () => {
    const asked: string[] = [];
    const { db } = await start({
      authorize: ({ action, resource, accessKeyId }) => {
        asked.push(`${accessKeyId} ${action} ${resource.split(':').at(-1)}`);
        return action === 'dynamodb:DeleteItem'
          ? { principal: 'arn:aws:sts::000000000000:assumed-role/worker', because: 'of the test' }
          : undefined;
      },
    });
    asked.length = 0;
    const error = await thrownBy(
      db.send(
        new TransactWriteCommand({ TransactItems: [{ Put: put('x') }, { Delete: { TableName: 'links', Key: { pk: 'A', sk: 'y' } } }] }),
      ),
    );
    expect(error).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('dynamodb:DeleteItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/links'),
    });
    await db.send(new ScanCommand({ TableName: 'links', IndexName: 'byState' }));
    expect(asked).toEqual([
      'LOCALKEY dynamodb:PutItem table/links',
      'LOCALKEY dynamodb:DeleteItem table/links',
      'LOCALKEY dynamodb:Scan table/links/index/byState',
    ]);
  });
});

describe('on disk', () => {
  test('tables, items and expiry are there again after a restart', async () => {
    const folder = await temporaryFolder();
    const first = await startDynamoDb({ folder });
    const before = connect(first.url);
    await createLinks(before);
    await before.send(
      new UpdateTimeToLiveCommand({ TableName: 'links', TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true } }),
    );
    await before.send(new PutCommand(put('x', { state: 'held', at: '1' })));
    await first.close();
    const second = await startDynamoDb({ folder });
    closers.push(() => second.close());
    const after = connect(second.url);
    expect((await after.send(new ScanCommand({ TableName: 'links', IndexName: 'byState' }))).Count).toBe(1);
    expect((await after.send(new DescribeTimeToLiveCommand({ TableName: 'links' }))).TimeToLiveDescription?.AttributeName).toBe(
      'expiresAt',
    );
  });

  test('after kill -9 every acknowledged transaction is there and none is there by half', async () => {
    const folder = await temporaryFolder();
    const script = `import { startDynamoDb } from ${JSON.stringify(join(import.meta.dirname, '../../../sandbox/cloud/dynamodb.ts'))};
      console.log((await startDynamoDb({ folder: ${JSON.stringify(folder)} })).url);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(child.stdout, 'data');
    const db = connect(String(line).trim());
    await createLinks(db);
    const acknowledged: number[] = [];
    const writing = (async () => {
      for (let n = 0; ; n += 1) {
        await db.send(
          new TransactWriteCommand({
            TransactItems: ['a', 'b'].map((side) => ({ Put: put(`${n}${side}`, { n, state: 's', at: `${n}` }) })),
          }),
        );
        acknowledged.push(n);
        if (n === 40) child.kill('SIGKILL');
      }
    })();
    await writing.catch(() => undefined);
    expect(child.exitCode ?? child.signalCode ?? (await once(child, 'exit'))).toBeTruthy();
    const server = await startDynamoDb({ folder });
    closers.push(() => server.close());
    const again = connect(server.url);
    const items = (await again.send(new ScanCommand({ TableName: 'links', ConsistentRead: true }))).Items ?? [];
    const byNumber = new Map<number, number>();
    for (const item of items) byNumber.set(Number(item['n']), (byNumber.get(Number(item['n'])) ?? 0) + 1);
    expect([...byNumber.values()].every((halves) => halves === 2)).toBe(true);
    expect(acknowledged.length).toBeGreaterThan(40);
    expect(acknowledged.filter((n) => byNumber.get(n) !== 2)).toEqual([]);
    expect((await again.send(new ScanCommand({ TableName: 'links', IndexName: 'byState' }))).Count).toBe(items.length);
  });
});
