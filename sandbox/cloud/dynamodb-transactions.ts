import { createHash } from 'node:crypto';
import { AwsError, isRecord } from './aws-json.ts';
import { itemBytes, readUnits, refusedWriteUnits, writeUnitsOf } from './dynamodb-capacity.ts';
import { type DynamoEngine, type Item, isEngineError, type Operation, type TableDescription, validationError } from './dynamodb-engine.ts';

/** Units per table that a request consumed. */
export type Consumed = ReadonlyMap<string, number>;

export interface Answer {
  readonly output: Readonly<Record<string, unknown>>;
  readonly consumed: Consumed;
}

interface Reason {
  readonly Code: string;
  readonly Message?: string;
  readonly Item?: Item;
}

/** A refused transaction still costs: the caller counts `consumed` and answers the error. */
export class TransactionCanceled extends AwsError {
  readonly consumed: Consumed;

  constructor(reasons: readonly Reason[], consumed: Consumed) {
    const codes = reasons.map((reason) => reason.Code).join(', ');
    super('TransactionCanceledException', `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`, {
      members: {
        Message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
        CancellationReasons: reasons,
      },
    });
    this.consumed = consumed;
  }
}

/** Operation of dynalite that checks and carries out an element; a condition check has the members of a delete. */
const operations: Readonly<Record<string, string>> = {
  Put: 'putItem',
  Update: 'updateItem',
  Delete: 'deleteItem',
  ConditionCheck: 'deleteItem',
};

interface Element {
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly table: TableDescription;
  readonly key: Item;
  readonly wantsOld: boolean;
}

const mostItems = 100;
const mostBytes = 4 * 1024 * 1024;
const tokenLifeMs = 10 * 60 * 1000;

/** Carries out TransactWriteItems. The caller holds the write mutex. */
export async function transactWrite(engine: DynamoEngine, input: Readonly<Record<string, unknown>>, now: Date): Promise<Answer> {
  const { ClientRequestToken: token, ReturnConsumedCapacity: _capacity, ...rest } = input;
  const elements = await parseElements(engine, input['TransactItems']);
  const tokenKey = `token~${String(token)}`;
  const contents = createHash('sha256').update(JSON.stringify(rest)).digest('hex');
  if (token !== undefined) {
    const known = await engine.get(tokenKey);
    if (isRecord(known) && now.getTime() - Number(known['at']) < tokenLifeMs) {
      if (known['contents'] === contents) return { output: {}, consumed: new Map() };
      throw new AwsError('IdempotentParameterMismatchException', 'the ClientRequestToken was used with other parameters');
    }
  }

  const { value: reasons, operations: writes } = await engine.collect(async () => {
    const found: Reason[] = [];
    for (const element of elements) found.push(await carryOut(engine, element));
    return found;
  });
  if (reasons.some((reason) => reason.Code !== 'None')) {
    const consumed = new Map<string, number>();
    for (const element of elements) {
      const units = refusedWriteUnits(await present(engine, element)) * 2;
      consumed.set(element.table.TableName, (consumed.get(element.table.TableName) ?? 0) + units);
    }
    throw new TransactionCanceled(reasons, consumed);
  }
  const consumed = new Map(await writeUnitsOf(engine, writes, 2));
  for (const check of elements.filter((element) => element.kind === 'ConditionCheck')) {
    const units = refusedWriteUnits(await present(engine, check)) * 2;
    consumed.set(check.table.TableName, (consumed.get(check.table.TableName) ?? 0) + units);
  }
  const remembered: readonly Operation[] =
    token === undefined ? [] : [{ type: 'put', key: tokenKey, value: { at: now.getTime(), contents } }];
  await engine.commit([...writes, ...remembered]);
  return { output: {}, consumed };
}

/** Forgets request tokens that are older than DynamoDB keeps them. */
export async function forgetTokens(engine: DynamoEngine, now: Date): Promise<void> {
  const old: Operation[] = [];
  for await (const [key, known] of engine.entries('token~')) {
    if (isRecord(known) && now.getTime() - Number(known['at']) >= tokenLifeMs) old.push({ type: 'del', key });
  }
  await engine.commit(old);
}

async function parseElements(engine: DynamoEngine, items: unknown): Promise<readonly Element[]> {
  const list = elementList(items);
  const elements: Element[] = [];
  const seen = new Set<string>();
  let bytes = 0;
  for (const item of list) {
    const [kind, body] = onlyMember(item, Object.keys(operations));
    if (kind === 'ConditionCheck' && typeof body['ConditionExpression'] !== 'string') {
      throw validationError(
        "1 validation error detected: Value null at 'transactItems.1.member.conditionCheck.conditionExpression' failed to satisfy constraint: Member must not be null",
      );
    }
    const data = engine.parse(operations[kind] ?? '', body);
    const table = await engine.findTable(String(data['TableName']));
    if (table === undefined) throw new AwsError('ResourceNotFoundException', 'Requested resource not found');
    // A copy: dynalite builds the new item of an update in its Key.
    const key: Item = kind === 'Put' ? keyOf(table, data['Item'] as Item) : { ...(data['Key'] as Item) };
    // An element with an impossible key gets its own reason later; it cannot collide with another one.
    if (engine.checkKey(table, key) === undefined) {
      const text = engine.itemKey(table, key);
      if (seen.has(text)) throw validationError('Transaction request cannot include multiple operations on one item');
      seen.add(text);
    }
    if (kind === 'Put') bytes += itemBytes(data['Item'] as Item);
    elements.push({ kind, data, table, key, wantsOld: body['ReturnValuesOnConditionCheckFailure'] === 'ALL_OLD' });
  }
  if (bytes > mostBytes) throw validationError('Transaction request size exceeded the 4 MB limit');
  return elements;
}

function elementList(items: unknown): readonly unknown[] {
  if (!Array.isArray(items) || items.length === 0 || items.length > mostItems) {
    throw validationError(
      `1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length between 1 and ${mostItems}`,
    );
  }
  return items;
}

function onlyMember(item: unknown, allowed: readonly string[]): readonly [string, Readonly<Record<string, unknown>>] {
  const members = isRecord(item) ? Object.entries(item).filter(([, value]) => value !== undefined && value !== null) : [];
  const [first] = members;
  if (members.length !== 1 || first === undefined || !allowed.includes(first[0]) || !isRecord(first[1])) {
    throw validationError(`TransactItems can only contain one of ${allowed.join(', ')}`);
  }
  return [first[0], first[1]];
}

function keyOf(table: TableDescription, item: Item): Item {
  const names = table.KeySchema.map((part) => part.AttributeName);
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));
}

async function present(engine: DynamoEngine, element: Element): Promise<Item | undefined> {
  if (engine.checkKey(element.table, element.key) !== undefined) return undefined;
  return (await engine.get(engine.itemKey(element.table, element.key))) as Item | undefined;
}

async function carryOut(engine: DynamoEngine, element: Element): Promise<Reason> {
  const item = await present(engine, element);
  try {
    if (element.kind === 'ConditionCheck') {
      const refused = engine.checkKey(element.table, element.key) ?? engine.checkCondition(element.data, item);
      if (refused) throw refused;
    } else {
      await engine.run(operations[element.kind] ?? '', element.data);
    }
    return { Code: 'None' };
  } catch (error) {
    if (!isEngineError(error)) throw error;
    const message = error.body.message ?? error.body.Message ?? '';
    if (!error.body.__type.endsWith('ConditionalCheckFailedException')) return { Code: 'ValidationError', Message: message };
    return {
      Code: 'ConditionalCheckFailed',
      Message: 'The conditional request failed',
      ...(element.wantsOld && item !== undefined ? { Item: item } : {}),
    };
  }
}

/** Carries out TransactGetItems. The caller holds the write mutex, so that the items are of one moment. */
export async function transactGet(engine: DynamoEngine, input: Readonly<Record<string, unknown>>): Promise<Answer> {
  const consumed = new Map<string, number>();
  const responses: Readonly<Record<string, unknown>>[] = [];
  const seen = new Set<string>();
  const gets = elementList(input['TransactItems']).map((item) => engine.parse('getItem', onlyMember(item, ['Get'])[1]));
  for (const data of gets) {
    const name = String(data['TableName']);
    const table = await engine.findTable(name);
    if (table === undefined) throw new AwsError('ResourceNotFoundException', 'Requested resource not found');
    const key = data['Key'] as Item;
    const wrong = engine.checkKey(table, key);
    if (wrong)
      throw new TransactionCanceled(
        gets.map((get) => reasonFor(get === data, wrong.body.message)),
        consumed,
      );
    const text = engine.itemKey(table, key);
    if (seen.has(text)) throw validationError('Transaction request cannot include multiple operations on one item');
    seen.add(text);
    const item = (await engine.get(text)) as Item | undefined;
    const { Item: shown } = await engine.run('getItem', data);
    responses.push(shown === undefined ? {} : { Item: shown });
    consumed.set(name, (consumed.get(name) ?? 0) + readUnits(item === undefined ? 0 : itemBytes(item), true) * 2);
  }
  return { output: { Responses: responses }, consumed };
}

const reasonFor = (wrong: boolean, message: string | undefined): Reason =>
  wrong ? { Code: 'ValidationError', Message: message ?? '' } : { Code: 'None' };
