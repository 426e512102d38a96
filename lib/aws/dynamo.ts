import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { Failure } from '../failures.ts';
import type { Clock, Random } from '../ports/clock.ts';

/** What the stores share: the client, and time and chance for pauses between tries. */
export interface Dynamo {
  readonly client: DynamoDBDocumentClient;
  readonly clock: Clock;
  readonly random: Random;
}

export type Item = Readonly<Record<string, unknown>>;

/** Our own tries after the SDK's three. */
const tries = 6;
const firstPauseMs = 40;
const longestPauseMs = 2000;
const keysPerBatch = 100;
/** Requests of one call that are under way at once. */
const atOnce = 16;
/** DynamoDB refuses items over 400 KB; keys and bookkeeping need some of it. */
const largestItemBytes = 390 * 1024;

export function createDynamo(parts: { readonly clock: Clock; readonly random: Random; readonly config?: DynamoDBClientConfig }): Dynamo {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(parts.config ?? {}), { marshallOptions: { removeUndefinedValues: true } });
  return { client, clock: parts.clock, random: parts.random };
}

/** Errors after which the same request may well succeed. The SDK repeats most of them a few times; contention of transactions it does not. */
const passing = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'InternalServerError',
  'ServiceUnavailable',
  'TransactionConflictException',
  'TransactionInProgressException',
  'TimeoutError',
  'NetworkingError',
]);
/** Reasons of a cancelled transaction that pass by themselves. */
const passingReasons = new Set(['TransactionConflict', 'ProvisionedThroughputExceeded', 'ThrottlingError']);

/**
 * Sends until it works or fails for good. What keeps being busy becomes a failure that puts the record back on the queue; other errors of the
 * SDK come through for the caller to judge.
 */
export async function persistently<Result>(dynamo: Dynamo, doing: string, send: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send();
    } catch (error) {
      if (!isPassing(error)) throw judged(error, doing);
      if (attempt >= tries) throw busy(doing, error);
      await pause(dynamo, attempt);
    }
  }
}

async function pause(dynamo: Dynamo, attempt: number): Promise<void> {
  await dynamo.clock.sleep(Math.min(longestPauseMs, firstPauseMs * 2 ** attempt) * (0.5 + dynamo.random.next() / 2));
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'TransactionCanceledException') {
    const reasons = cancellationCodes(error).filter((code) => code !== 'None');
    return reasons.length > 0 && reasons.every((code) => passingReasons.has(code));
  }
  return passing.has(error.name);
}

/** Codes of a cancelled transaction, in the order of its items. */
export function cancellationCodes(error: Error): readonly string[] {
  const reasons: unknown = Reflect.get(error, 'CancellationReasons');
  if (!Array.isArray(reasons)) return [];
  return reasons.map((reason: unknown) => {
    const code: unknown = reason !== null && typeof reason === 'object' ? Reflect.get(reason, 'Code') : undefined;
    return typeof code === 'string' ? code : 'None';
  });
}

function judged(error: unknown, doing: string): unknown {
  if (!(error instanceof Error) || !/item size|exceeded the maximum allowed size/i.test(error.message)) return error;
  return tooLarge(doing, error);
}

/** Throws when a text would not fit into an item. */
export function checkSize(text: string, doing: string, limitBytes = largestItemBytes): void {
  if (Buffer.byteLength(text) > limitBytes) throw tooLarge(doing);
}

function tooLarge(doing: string, error?: unknown): Failure {
  return new Failure('NeedsPerson', {
    cause: 'record-too-large',
    sentence: `${doing}: it holds more than the 400 KB that ml-connector can remember of one record; nothing was stored.`,
    fix: 'Split the document at its source, or send the audit entry to the maintainers.',
    actor: 'us',
    ...(error === undefined ? {} : { error }),
  });
}

function busy(doing: string, error: unknown): Failure {
  return new Failure('VendorUnavailable', {
    cause: 'store-busy',
    sentence: `${doing}: DynamoDB is busy. It is tried again.`,
    said: error instanceof Error ? error.name : '',
    error,
  });
}

/** Items by key in the fewest requests, strongly consistent; what DynamoDB left out is asked again. No particular order. */
export async function batchGet(dynamo: Dynamo, table: string, keys: readonly Item[]): Promise<readonly Item[]> {
  const distinct = [...new Map(keys.map((key) => [JSON.stringify(Object.values(key)), key])).values()];
  const pages = await inParallel(chunks(distinct, keysPerBatch), (chunk) => batchGetPage(dynamo, table, chunk));
  return pages.flat();
}

async function batchGetPage(dynamo: Dynamo, table: string, keys: readonly Item[]): Promise<readonly Item[]> {
  const found: Item[] = [];
  let rest: Record<string, unknown>[] = keys.map((key) => ({ ...key }));
  // A page of 100 large items takes several rounds by design (16 MB each): only rounds that bring nothing count as tries.
  for (let empty = 0; rest.length > 0; ) {
    const wanted = rest;
    const answer = await persistently(dynamo, `Reading ${table}`, () =>
      dynamo.client.send(new BatchGetCommand({ RequestItems: { [table]: { Keys: wanted, ConsistentRead: true } } })),
    );
    const items = answer.Responses?.[table] ?? [];
    found.push(...items);
    rest = answer.UnprocessedKeys?.[table]?.Keys ?? [];
    if (rest.length === 0) break;
    empty = items.length === 0 ? empty + 1 : 0;
    if (empty >= tries) throw busy(`Reading ${table}`, new Error('UnprocessedKeys'));
    await pause(dynamo, empty + 1);
  }
  return found;
}

export function chunks<Value>(values: readonly Value[], size: number): readonly (readonly Value[])[] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) => values.slice(index * size, (index + 1) * size));
}

/** Runs the work for all values, a bounded number at once; answers in their order. All are ended before the first failure is thrown. */
export async function inParallel<Value, Result>(
  values: readonly Value[],
  work: (value: Value) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let failed: { readonly error: unknown } | undefined;
  for (const group of chunks(values, atOnce)) {
    for (const settled of await Promise.allSettled(group.map(work))) {
      if (settled.status === 'fulfilled') results.push(settled.value);
      else failed ??= { error: settled.reason };
    }
    if (failed) throw failed.error;
  }
  return results;
}

/**
 * The item that made a condition fail (empty when there was none), or undefined for any other error. The document client leaves it as it came:
 * texts and numbers are read here, which is all the stores ask of it.
 */
export function conditionFailed(error: unknown): Item | undefined {
  if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException') return undefined;
  const item: unknown = Reflect.get(error, 'Item');
  if (item === null || typeof item !== 'object') return {};
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plain(value)]));
}

function plain(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  const text: unknown = Reflect.get(value, 'S');
  if (typeof text === 'string') return text;
  const number: unknown = Reflect.get(value, 'N');
  return typeof number === 'string' ? Number(number) : value;
}
