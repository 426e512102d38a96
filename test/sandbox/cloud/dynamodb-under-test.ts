import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterEach } from 'vitest';
import { type DynamoDbOptions, type LocalDynamoDb, startDynamoDb } from '../../../sandbox/cloud/dynamodb.ts';

export const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export function connect(url: string, accessKeyId = 'LOCALKEY'): DynamoDBDocumentClient {
  const client = new DynamoDBClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  closers.push(() => client.destroy());
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

export async function createLinks(db: DynamoDBDocumentClient): Promise<void> {
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

export async function start(options: DynamoDbOptions = {}): Promise<{ server: LocalDynamoDb; db: DynamoDBDocumentClient }> {
  const server = await startDynamoDb(options);
  closers.push(() => server.close());
  const db = connect(server.url);
  await createLinks(db);
  return { server, db };
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'local-dynamodb-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

export const put = (key: string, more: Record<string, unknown> = {}) => ({ TableName: 'links', Item: { pk: 'A', sk: key, ...more } });
