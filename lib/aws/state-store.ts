import { DeleteCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Ids } from '../ports/clock.ts';
import type { StateItem, StateKey, StateStore } from '../ports/state-store.ts';
import type { Json } from '../values/json.ts';
import { batchGet, checkSize, conditionFailed, type Dynamo, type Item, persistently } from './dynamo.ts';
import { tables } from './tables.ts';

const largestValueBytes = 300 * 1024;
const defaultLimit = 100;
/**
 * Items are swept a day after their end. Until then the version goes on when the key is used again, so that whoever slept with an old version
 * cannot take the new item for his own.
 */
const sweptAfterSeconds = 86_400;

/** The state store on DynamoDB: one read or one write unit per call for small values. */
export function createAwsStateStore(parts: { readonly dynamo: Dynamo; readonly table: string; readonly ids: Ids }): StateStore {
  const { dynamo, ids, table } = parts;
  const nowMs = () => dynamo.clock.now().getTime();
  const keyOf = (key: StateKey) => ({ [tables.state.partitionKey]: key.partition, [tables.state.sortKey]: key.name });
  const isOver = (item: Item) => typeof item['expiresAt'] === 'number' && item['expiresAt'] <= nowMs();

  function asItems<Value extends Json>(items: readonly Item[]): readonly StateItem<Value>[] {
    return items
      .filter((item) => !isOver(item))
      .map((item) => ({
        key: { partition: String(item[tables.state.partitionKey]), name: String(item[tables.state.sortKey]) },
        value: JSON.parse(String(item['value'])) as Value,
        version: Number(item['version']),
      }));
  }

  return {
    async get<Value extends Json>(key: StateKey) {
      return asItems<Value>(await batchGet(dynamo, table, [keyOf(key)]))[0];
    },
    async getMany<Value extends Json>(keys: readonly StateKey[]) {
      return asItems<Value>(await batchGet(dynamo, table, keys.map(keyOf)));
    },
    async put(key, value, options = {}) {
      const { expect, expiresAt } = options;
      const text = JSON.stringify(value);
      checkSize(text, `State ${key.partition}/${key.name}`, largestValueBytes);
      // The SDK repeats a request whose answer got lost. The write that was done is then recognised by its own id.
      const writeId = ids.next();
      try {
        const answer = await persistently(dynamo, `Storing ${key.name}`, () =>
          dynamo.client.send(
            new UpdateCommand({
              TableName: table,
              Key: keyOf(key),
              UpdateExpression: `SET #value = :value, writeId = :writeId, version = if_not_exists(version, :zero) + :one${
                expiresAt === undefined ? ' REMOVE expiresAt, #ttl' : ', expiresAt = :expiresAt, #ttl = :ttl'
              }`,
              ...conditionOf(expect),
              ExpressionAttributeNames: { '#value': 'value', '#ttl': tables.state.timeToLive },
              ExpressionAttributeValues: {
                ':value': text,
                ':writeId': writeId,
                ':zero': 0,
                ':one': 1,
                ...(expiresAt === undefined
                  ? {}
                  : { ':expiresAt': expiresAt.getTime(), ':ttl': Math.ceil(expiresAt.getTime() / 1000) + sweptAfterSeconds }),
                ...(expect === undefined ? {} : { ':now': nowMs() }),
                ...(typeof expect === 'number' ? { ':expect': expect } : {}),
              },
              ReturnValues: 'UPDATED_NEW',
              ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
            }),
          ),
        );
        return { version: Number(answer.Attributes?.['version']) };
      } catch (error) {
        const present = conditionFailed(error);
        if (present === undefined) throw error;
        return present['writeId'] === writeId ? { version: Number(present['version']) } : 'conflict';
      }
    },
    async remove(key, options = {}) {
      const { expect } = options;
      try {
        await persistently(dynamo, `Removing ${key.name}`, () =>
          dynamo.client.send(
            new DeleteCommand({
              TableName: table,
              Key: keyOf(key),
              ...conditionOf(expect),
              ...(expect === undefined ? {} : { ExpressionAttributeValues: { ':expect': expect, ':now': nowMs() } }),
            }),
          ),
        );
        return 'removed';
      } catch (error) {
        if (conditionFailed(error) === undefined) throw error;
        return 'conflict';
      }
    },
    async list<Value extends Json>(
      partition: string,
      options: { readonly prefix?: string; readonly after?: string; readonly limit?: number } = {},
    ) {
      const { after, limit = defaultLimit, prefix = '' } = options;
      const items: StateItem<Value>[] = [];
      let from: Record<string, unknown> | undefined = after === undefined ? undefined : keyOf({ partition, name: after });
      do {
        const answer = await persistently(dynamo, `Listing ${partition}`, () =>
          dynamo.client.send(
            new QueryCommand({
              TableName: table,
              ConsistentRead: true,
              KeyConditionExpression: prefix === '' ? '#partition = :partition' : '#partition = :partition AND begins_with(#name, :prefix)',
              ExpressionAttributeNames: {
                '#partition': tables.state.partitionKey,
                ...(prefix === '' ? {} : { '#name': tables.state.sortKey }),
              },
              ExpressionAttributeValues: { ':partition': partition, ...(prefix === '' ? {} : { ':prefix': prefix }) },
              // One more than wanted tells whether there is a next page.
              Limit: limit + 1 - items.length,
              ...(from === undefined ? {} : { ExclusiveStartKey: from }),
            }),
          ),
        );
        items.push(...asItems<Value>(answer.Items ?? []));
        from = answer.LastEvaluatedKey;
      } while (from !== undefined && items.length <= limit);
      const page = items.slice(0, limit);
      const last = page.at(-1);
      return items.length > limit && last ? { items: page, next: last.key.name } : { items: page };
    },
  };
}

function conditionOf(expect: 'absent' | number | undefined): { readonly ConditionExpression?: string } {
  if (expect === undefined) return {};
  return expect === 'absent'
    ? { ConditionExpression: 'attribute_not_exists(version) OR expiresAt <= :now' }
    : { ConditionExpression: 'version = :expect AND (attribute_not_exists(expiresAt) OR expiresAt > :now)' };
}
