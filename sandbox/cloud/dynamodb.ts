import { mkdirSync } from 'node:fs';
import { type Access, type Authorize, allowEverything, localPlace, type Place } from './access.ts';
import { type AwsCall, AwsError, demandAccess, isRecord, startAwsJson } from './aws-json.ts';
import { type CloudClock, machineClock } from './clock.ts';
import { CapacityCount, itemBytes, refusedWriteUnits, type TableUnits, writeUnitsOf } from './dynamodb-capacity.ts';
import { type DynamoEngine, type Item, isEngineError, openDynamoEngine, validationError } from './dynamodb-engine.ts';
import { deleteExpired, describeTimeToLive, updateTimeToLive } from './dynamodb-expiry.ts';
import { type Answer, type Consumed, forgetTokens, TransactionCanceled, transactGet, transactWrite } from './dynamodb-transactions.ts';
import { createMutex } from './mutex.ts';

export interface DynamoDbOptions {
  readonly port?: number;
  /** Where the tables are kept; absent: in memory. What was acknowledged survives a killed process. */
  readonly folder?: string;
  readonly clock?: CloudClock;
  readonly authorize?: Authorize;
  readonly place?: Place;
  /** ARN of the customer's key a table is encrypted under: its users need to decrypt with it. */
  readonly keyOf?: (table: string) => string | undefined;
  /** How often expired items are deleted. AWS takes minutes to days; readers must not rely on it either way. */
  readonly sweepEveryMs?: number;
}

export interface LocalDynamoDb {
  readonly url: string;
  /** Units consumed per table since the start or the last reset. */
  units(): Readonly<Record<string, TableUnits>>;
  resetUnits(): void;
  /** Deletes what has expired now, without waiting for the next sweep; answers how many items. */
  sweep(): Promise<number>;
  close(): Promise<void>;
}

const mostItemBytes = 400 * 1024;
const reads = new Set(['GetItem', 'BatchGetItem', 'Query', 'Scan']);
const writes = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']);
const administration = new Set(['CreateTable', 'DeleteTable', 'DescribeTable', 'ListTables', 'UpdateTable']);

/**
 * DynamoDB on loopback: dynalite for tables, indexes and expressions; here transactions, expiry, returned items of failed conditions,
 * counted capacity, and writes that survive kill -9 whole.
 */
export async function startDynamoDb(options: DynamoDbOptions = {}): Promise<LocalDynamoDb> {
  const place = options.place ?? localPlace;
  const clock = options.clock ?? machineClock;
  const authorize = options.authorize ?? allowEverything;
  if (options.folder !== undefined) mkdirSync(options.folder, { recursive: true });
  const engine = await openDynamoEngine({ folder: options.folder, ...place });
  const exclusively = createMutex();
  const count = new CapacityCount();
  let closed = false;

  const sweep = () =>
    exclusively(async () => {
      await forgetTokens(engine, clock.now());
      return deleteExpired(engine, clock.now());
    });
  async function sweepForever(): Promise<void> {
    while (!closed) {
      await clock.sleep(options.sweepEveryMs ?? 60_000);
      if (!closed) await sweep();
    }
  }

  async function answer(call: AwsCall): Promise<unknown> {
    demandAccess(authorize, 'com.amazon.coral.service#AccessDeniedException', accessesOf(call, place, options.keyOf));
    const { operation, input } = call;
    if (reads.has(operation)) return counted(await read(engine, operation, input), 'read', input);
    if (writes.has(operation)) {
      return counted(
        await exclusively(() => write(engine, operation, input, (table, units) => count.add(table, 'write', units))),
        'write',
        input,
      );
    }
    if (operation === 'TransactWriteItems') {
      try {
        return counted(await exclusively(() => transactWrite(engine, input, clock.now())), 'write', input);
      } catch (error) {
        if (error instanceof TransactionCanceled) addAll(error.consumed, 'write');
        throw error;
      }
    }
    if (operation === 'TransactGetItems') return counted(await exclusively(() => transactGet(engine, input)), 'read', input);
    if (operation === 'UpdateTimeToLive') return exclusively(() => updateTimeToLive(engine, input));
    if (operation === 'DescribeTimeToLive') return describeTimeToLive(engine, input);
    if (administration.has(operation)) return exclusively(() => administer(engine, operation, input));
    throw new AwsError('com.amazon.coral.service#UnknownOperationException', `${operation} is not part of the local DynamoDB`);
  }

  function addAll(consumed: Consumed, kind: 'read' | 'write'): void {
    for (const [table, units] of consumed) count.add(table, kind, units);
  }
  function counted({ output, consumed }: Answer, kind: 'read' | 'write', input: AwsCall['input']): unknown {
    addAll(consumed, kind);
    if (input['ReturnConsumedCapacity'] !== 'TOTAL' && input['ReturnConsumedCapacity'] !== 'INDEXES') return output;
    const rows = [...consumed].map(([TableName, CapacityUnits]) => ({ TableName, CapacityUnits }));
    return { ...output, ConsumedCapacity: 'TableName' in input ? rows[0] : rows };
  }

  const server = await startAwsJson({
    port: options.port,
    target: 'DynamoDB_20120810',
    version: '1.0',
    errorPrefix: 'com.amazonaws.dynamodb.v20120810#',
    limitBytes: 16 * 1024 * 1024,
    handle: (call) => answer(call).catch(rethrowAsAnswer),
  });
  sweepForever().catch((error: unknown) => process.stderr.write(`local DynamoDB: ${String(error)}\n`));
  return {
    url: server.url,
    units: () => count.units(),
    resetUnits: () => count.reset(),
    sweep,
    async close() {
      closed = true;
      await server.close();
      await exclusively(() => engine.close());
    },
  };
}

function rethrowAsAnswer(error: unknown): never {
  if (!isEngineError(error)) throw error;
  const { __type, message, Message, ...members } = { message: undefined, Message: undefined, ...error.body };
  throw new AwsError(__type, message ?? Message ?? '', { status: error.statusCode, members });
}

const lowerFirst = (operation: string): string => operation.charAt(0).toLowerCase() + operation.slice(1);

async function read(engine: DynamoEngine, operation: string, input: AwsCall['input']): Promise<Answer> {
  const name = lowerFirst(operation);
  const data = { ...engine.parse(name, input), ReturnConsumedCapacity: 'TOTAL' };
  const { ConsumedCapacity: capacity, ...output } = await engine.run(name, data);
  const consumed = new Map<string, number>();
  for (const row of Array.isArray(capacity) ? capacity : [capacity]) {
    if (!isRecord(row)) continue;
    // dynalite charges nothing for an empty page; AWS charges the smallest read.
    consumed.set(String(row['TableName']), Number(row['CapacityUnits']) || (input['ConsistentRead'] === true ? 1 : 0.5));
  }
  return { output, consumed };
}

async function write(
  engine: DynamoEngine,
  operation: string,
  input: AwsCall['input'],
  refused: (table: string, units: number) => void,
): Promise<Answer> {
  const name = lowerFirst(operation);
  const data = engine.parse(name, input);
  try {
    const { value: output, operations } = await engine.collect(() => engine.run(name, data));
    for (const { key, ...put } of operations) {
      if (key.startsWith('item-') && put.type === 'put' && itemBytes(put.value as Item) > mostItemBytes) {
        throw validationError('Item size has exceeded the maximum allowed size');
      }
    }
    const consumed = await writeUnitsOf(engine, operations, 1);
    await engine.commit(operations);
    return { output, consumed };
  } catch (error) {
    if (!isEngineError(error) || !error.body.__type.endsWith('ConditionalCheckFailedException')) throw error;
    const table = await engine.findTable(String(data['TableName']));
    const item = table && ((await engine.get(engine.itemKey(table, (data['Key'] ?? data['Item']) as Item))) as Item | undefined);
    refused(String(data['TableName']), refusedWriteUnits(item));
    const shown = input['ReturnValuesOnConditionCheckFailure'] === 'ALL_OLD' && item !== undefined ? { Item: item } : {};
    throw new AwsError(error.body.__type, error.body.message ?? '', { members: shown });
  }
}

async function administer(engine: DynamoEngine, operation: string, input: AwsCall['input']): Promise<unknown> {
  const name = lowerFirst(operation);
  const output = await engine.run(name, engine.parse(name, input));
  const table = String(input['TableName']);
  // dynalite finishes these in a timer; waiting here means that no later request ever sees a half-made table.
  if (operation === 'CreateTable') await until(async () => (await engine.findTable(table)) !== undefined);
  if (operation === 'DeleteTable') {
    await until(async () => !(await engine.tables()).some((row) => row.TableName === table));
    await engine.commit([{ type: 'del', key: `ttl~${table}` }]);
  }
  return output;
}

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setImmediate(resolve));
}

const transactionActions: Readonly<Record<string, string>> = {
  Put: 'dynamodb:PutItem',
  Update: 'dynamodb:UpdateItem',
  Delete: 'dynamodb:DeleteItem',
  ConditionCheck: 'dynamodb:ConditionCheckItem',
  Get: 'dynamodb:GetItem',
};

function accessesOf(call: AwsCall, place: Place, keyOf: DynamoDbOptions['keyOf']): readonly Access[] {
  const accesses = tableAccesses(call, place);
  const tables = new Set(accesses.map(({ resource }) => resource.split('/')[1] ?? ''));
  const touchesData = !administration.has(call.operation) && !call.operation.endsWith('TimeToLive');
  const keys = touchesData ? [...tables].map((table) => keyOf?.(table)).filter((key) => key !== undefined) : [];
  const context = { 'kms:ViaService': `dynamodb.${place.region}.amazonaws.com` };
  return [...accesses, ...keys.map((resource) => ({ accessKeyId: call.accessKeyId, action: 'kms:Decrypt', resource, context }))];
}

function tableAccesses(call: AwsCall, place: Place): readonly Access[] {
  const { operation, input, accessKeyId } = call;
  const tableArn = (name: unknown): string =>
    String(name).startsWith('arn:') ? String(name) : `arn:aws:dynamodb:${place.region}:${place.accountId}:table/${String(name)}`;
  const access = (action: string, table: unknown, index?: unknown): Access => ({
    accessKeyId,
    action,
    resource: tableArn(table) + (index === undefined ? '' : `/index/${String(index)}`),
  });
  if (operation.startsWith('Transact')) {
    const items: readonly unknown[] = Array.isArray(input['TransactItems']) ? input['TransactItems'] : [];
    return items.flatMap((item) =>
      Object.entries(isRecord(item) ? item : {}).map(([kind, body]) =>
        access(transactionActions[kind] ?? `dynamodb:${kind}`, isRecord(body) ? body['TableName'] : ''),
      ),
    );
  }
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem') {
    return Object.keys(isRecord(input['RequestItems']) ? input['RequestItems'] : {}).map((table) => access(`dynamodb:${operation}`, table));
  }
  if (operation === 'ListTables') return [{ accessKeyId, action: 'dynamodb:ListTables', resource: '*' }];
  return [access(`dynamodb:${operation}`, input['TableName'], input['IndexName'])];
}
