import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createAwsAuditStore } from '../lib/aws/audit-store.ts';
import { createDynamo } from '../lib/aws/dynamo.ts';
import { createAwsLinkStore } from '../lib/aws/link-store.ts';
import { createAwsStateStore } from '../lib/aws/state-store.ts';
import { type TableDefinition, tables } from '../lib/aws/tables.ts';
import type { Ports } from '../lib/connector.ts';
import { type LocalDynamoDb, startDynamoDb } from '../sandbox/cloud/dynamodb.ts';
import type { VirtualTime } from '../sandbox/virtual-time.ts';

/** The product's stores on a DynamoDB of this machine that counts units as AWS bills them. */
export interface DynamoStores {
  /** Puts the stores in place of the ones in memory. Their requests count as progress, so that virtual time waits for them. */
  ports(memory: Ports, time: () => VirtualTime): Ports;
  units(): { readonly read: number; readonly write: number };
  close(): Promise<void>;
}

export async function startDynamoStores(): Promise<DynamoStores> {
  const server = await startDynamoDb();
  const config = { endpoint: server.url, region: 'eu-central-1', credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' } };
  const client = new DynamoDBClient(config);
  for (const [name, definition] of Object.entries(tables)) await createTable(client, name, definition);
  client.destroy();
  const closers: (() => void)[] = [];
  return {
    ports(memory, time) {
      const { clock, ids, random } = memory;
      const dynamo = createDynamo({ clock, random, config });
      closers.push(() => dynamo.client.destroy());
      const audit = createAwsAuditStore({ dynamo, table: 'audit', years: 10 });
      const links = createAwsLinkStore({ dynamo, table: 'links', audit, ids });
      const state = createAwsStateStore({ dynamo, table: 'state', ids });
      return { ...memory, audit: awaited(audit, time), links: awaited(links, time), state: awaited(state, time) };
    },
    units: () => sumOf(server),
    async close() {
      for (const close of closers) close();
      await server.close();
    },
  };
}

function sumOf(server: LocalDynamoDb): { readonly read: number; readonly write: number } {
  const all = Object.values(server.units());
  return { read: all.reduce((sum, { read }) => sum + read, 0), write: all.reduce((sum, { write }) => sum + write, 0) };
}

function awaited<Port extends object>(port: Port, time: () => VirtualTime): Port {
  return new Proxy(port, {
    get(target, member) {
      const value: unknown = Reflect.get(target, member);
      if (typeof value !== 'function' || typeof member === 'symbol') return value;
      return (...args: unknown[]) => time().during(async () => Reflect.apply(value, target, args));
    },
  });
}

async function createTable(client: DynamoDBClient, name: string, table: TableDefinition): Promise<void> {
  const keysOf = (one: { readonly partitionKey: string; readonly sortKey: string }) => [
    { AttributeName: one.partitionKey, KeyType: 'HASH' as const },
    { AttributeName: one.sortKey, KeyType: 'RANGE' as const },
  ];
  const attributes = new Set([table, ...table.indexes].flatMap((one) => [one.partitionKey, one.sortKey]));
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keysOf(table),
      AttributeDefinitions: [...attributes].map((attribute) => ({ AttributeName: attribute, AttributeType: 'S' as const })),
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
