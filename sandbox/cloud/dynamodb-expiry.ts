import { AwsError, isRecord } from './aws-json.ts';
import { type DynamoEngine, type Item, type TableDescription, validationError } from './dynamodb-engine.ts';

/** DynamoDB leaves items alone whose time is more than five years past: such a number is rather a mistake than a time. */
const oldestExpirySeconds = 5 * 365 * 86_400;

async function expiryAttribute(engine: DynamoEngine, table: string): Promise<string | undefined> {
  const stored = await engine.get(`ttl~${table}`);
  return isRecord(stored) ? String(stored['attribute']) : undefined;
}

export async function updateTimeToLive(engine: DynamoEngine, input: Readonly<Record<string, unknown>>): Promise<unknown> {
  const table = await wantedTable(engine, input);
  const wanted = input['TimeToLiveSpecification'];
  if (!isRecord(wanted) || typeof wanted['AttributeName'] !== 'string' || typeof wanted['Enabled'] !== 'boolean') {
    throw validationError('TimeToLiveSpecification needs AttributeName and Enabled');
  }
  const current = await expiryAttribute(engine, table.TableName);
  if (wanted['Enabled'] && current !== undefined) throw validationError('TimeToLive is already enabled');
  if (!wanted['Enabled'] && current === undefined) throw validationError('TimeToLive is already disabled');
  const key = `ttl~${table.TableName}`;
  await engine.commit([wanted['Enabled'] ? { type: 'put', key, value: { attribute: wanted['AttributeName'] } } : { type: 'del', key }]);
  return { TimeToLiveSpecification: wanted };
}

export async function describeTimeToLive(engine: DynamoEngine, input: Readonly<Record<string, unknown>>): Promise<unknown> {
  const table = await wantedTable(engine, input);
  const attribute = await expiryAttribute(engine, table.TableName);
  return {
    TimeToLiveDescription:
      attribute === undefined ? { TimeToLiveStatus: 'DISABLED' } : { TimeToLiveStatus: 'ENABLED', AttributeName: attribute },
  };
}

async function wantedTable(engine: DynamoEngine, input: Readonly<Record<string, unknown>>): Promise<TableDescription> {
  const name = String(input['TableName']);
  const table = await engine.findTable(name);
  if (table === undefined) throw new AwsError('ResourceNotFoundException', `Requested resource not found: Table: ${name} not found`);
  return table;
}

/** Deletes what has expired, index entries included, and answers how many items. The caller holds the write mutex. */
export async function deleteExpired(engine: DynamoEngine, now: Date): Promise<number> {
  const nowSeconds = Math.floor(now.getTime() / 1000);
  let deleted = 0;
  for (const table of await engine.tables()) {
    const attribute = await expiryAttribute(engine, table.TableName);
    if (attribute === undefined) continue;
    const expired: Item[] = [];
    for await (const [, item] of engine.entries(`item-${table.TableName}~`)) {
      const at = isRecord(item) && isRecord(item[attribute]) ? Number(item[attribute]['N']) : Number.NaN;
      if (at <= nowSeconds && at > nowSeconds - oldestExpirySeconds) expired.push(item as Item);
    }
    for (const item of expired) {
      const Key = Object.fromEntries(table.KeySchema.map(({ AttributeName: name }) => [name, item[name]]));
      const { operations } = await engine.collect(() => engine.run('deleteItem', { TableName: table.TableName, Key }));
      await engine.commit(operations);
      deleted += 1;
    }
  }
  return deleted;
}
