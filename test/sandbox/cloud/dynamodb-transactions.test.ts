import { IdempotentParameterMismatchException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, QueryCommand, ScanCommand, TransactGetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import { put, start, thrownBy } from './dynamodb-under-test.ts';
import { HandTurnedClock } from './hand-turned-clock.ts';

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
