import { type AttributeDefinition, CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type TableDefinition, tables } from '../../lib/aws/tables.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { startDynamoDb } from '../../sandbox/cloud/dynamodb.ts';

/** What every client is given: an address on loopback and credentials that are none. */
export function localConfig(endpoint: string) {
  return { endpoint, region: 'eu-central-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
}

/** Creates a table as the deployment does: from its definition. */
export async function createTable(client: DynamoDBClient, name: string, table: TableDefinition): Promise<void> {
  const keysOf = (one: { readonly partitionKey: string; readonly sortKey: string }) => [
    { AttributeName: one.partitionKey, KeyType: 'HASH' as const },
    { AttributeName: one.sortKey, KeyType: 'RANGE' as const },
  ];
  const names = new Set([table, ...table.indexes].flatMap((one) => [one.partitionKey, one.sortKey]));
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keysOf(table),
      AttributeDefinitions: [...names].map((attribute): AttributeDefinition => ({ AttributeName: attribute, AttributeType: 'S' })),
      ...(table.indexes.length === 0
        ? {}
        : {
            GlobalSecondaryIndexes: table.indexes.map((index) => ({
              IndexName: index.name,
              KeySchema: keysOf(index),
              Projection: { ProjectionType: index.projection },
            })),
          }),
    }),
  );
}

/** A DynamoDB whose tables are made anew, under new names, for every test. */
export async function startTables(clock: Clock) {
  const server = await startDynamoDb({ clock });
  const client = new DynamoDBClient(localConfig(server.url));
  let count = 0;
  return {
    server,
    url: server.url,
    async create() {
      count += 1;
      const names = { links: `links-${count}`, audit: `audit-${count}`, state: `state-${count}` };
      await Promise.all((['links', 'audit', 'state'] as const).map((kind) => createTable(client, names[kind], tables[kind])));
      return names;
    },
    async close() {
      client.destroy();
      await server.close();
    },
  };
}
