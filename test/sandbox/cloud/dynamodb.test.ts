import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ConditionalCheckFailedException, DescribeTimeToLiveCommand, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactGetCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import { startDynamoDb } from '../../../sandbox/cloud/dynamodb.ts';
import { closers, connect, createLinks, put, start, temporaryFolder, thrownBy } from './dynamodb-under-test.ts';
import { HandTurnedClock } from './hand-turned-clock.ts';

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
