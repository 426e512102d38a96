import { BatchWriteCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { AuditEntry } from '../contracts/audit.ts';
import { Failure } from '../failures.ts';
import type { AuditQuery, AuditStore } from '../ports/link-store.ts';
import { checkSize, chunks, type Dynamo, type Item, persistently } from './dynamo.ts';
import { tables } from './tables.ts';

const defaultLimit = 100;
const putsPerBatch = 25;
const rounds = 8;
const secondsPerYear = 366 * 86_400;

/** The audit store, and what the link store needs to write entries in its own transactions. */
export interface AwsAuditStore extends AuditStore {
  readonly table: string;
  /** Items for a transaction. Makes sure before that their days can be found. */
  prepare(entries: readonly AuditEntry[]): Promise<readonly Item[]>;
}

export function createAwsAuditStore(parts: { readonly dynamo: Dynamo; readonly table: string; readonly years: number }): AwsAuditStore {
  const { dynamo, table, years } = parts;
  /** Days this process has already noted: one write per day and process. */
  const noted = new Set<string>();

  async function prepare(entries: readonly AuditEntry[]): Promise<readonly Item[]> {
    for (const { at, integration } of entries) {
      const day = at.slice(0, 10);
      if (noted.has(`${integration}|${day}`)) continue;
      const item = { record: daysOf(integration), place: day, ttl: expiry(at) };
      await persistently(dynamo, 'Writing the audit', () => dynamo.client.send(new PutCommand({ TableName: table, Item: item })));
      noted.add(`${integration}|${day}`);
    }
    return entries.map((entry) => {
      const body = JSON.stringify(entry);
      checkSize(body, `Audit of ${entry.label ?? entry.record}`);
      return {
        [tables.audit.partitionKey]: entry.record,
        [tables.audit.sortKey]: placeOf(entry),
        day: `${entry.integration}|${entry.at.slice(0, 10)}`,
        body,
        [tables.audit.timeToLive]: expiry(entry.at),
      };
    });
  }

  const expiry = (at: string): number => Math.floor(Date.parse(at) / 1000) + years * secondsPerYear;

  /** One partition of the table or of the index, oldest first, until `limit` are found. */
  async function entriesOf(
    partition: { readonly name: string; readonly value: string; readonly index?: string },
    range: Range,
    limit: number,
  ): Promise<readonly AuditEntry[]> {
    const entries: AuditEntry[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const answer = await persistently(dynamo, 'Reading the audit', () =>
        dynamo.client.send(
          new QueryCommand({
            TableName: table,
            ...(partition.index === undefined ? { ConsistentRead: true } : { IndexName: partition.index }),
            KeyConditionExpression: '#partition = :partition AND #place BETWEEN :from AND :to',
            ExpressionAttributeNames: { '#partition': partition.name, '#place': tables.audit.sortKey },
            ExpressionAttributeValues: { ':partition': partition.value, ':from': range.from, ':to': range.to },
            Limit: limit - entries.length,
            ...(from === undefined ? {} : { ExclusiveStartKey: from }),
          }),
        ),
      );
      for (const item of answer.Items ?? []) entries.push(JSON.parse(String(item['body'])) as AuditEntry);
      from = answer.LastEvaluatedKey;
    } while (from !== undefined && entries.length < limit);
    return entries;
  }

  async function daysWithEntries(integration: string, range: Range): Promise<readonly string[]> {
    const days: string[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const answer = await persistently(dynamo, 'Reading the audit', () =>
        dynamo.client.send(
          new QueryCommand({
            TableName: table,
            ConsistentRead: true,
            KeyConditionExpression: '#record = :record AND #place BETWEEN :from AND :to',
            ExpressionAttributeNames: { '#record': tables.audit.partitionKey, '#place': tables.audit.sortKey },
            ExpressionAttributeValues: { ':record': daysOf(integration), ':from': range.from.slice(0, 10), ':to': range.to.slice(0, 10) },
            ...(from === undefined ? {} : { ExclusiveStartKey: from }),
          }),
        ),
      );
      days.push(...(answer.Items ?? []).map((item) => String(item['place'])));
      from = answer.LastEvaluatedKey;
    } while (from !== undefined);
    return days;
  }

  return {
    table,
    prepare,
    async append(entries) {
      const items = await prepare(entries);
      for (const chunk of chunks(items, putsPerBatch)) {
        let rest: Record<string, unknown>[] = chunk.map((item) => ({ PutRequest: { Item: item } }));
        for (let round = 1; rest.length > 0; round += 1) {
          if (round > rounds) throw unfinished();
          const wanted = rest;
          const answer = await persistently(dynamo, 'Writing the audit', () =>
            dynamo.client.send(new BatchWriteCommand({ RequestItems: { [table]: wanted } })),
          );
          rest = answer.UnprocessedItems?.[table] ?? [];
          if (rest.length > 0) await dynamo.clock.sleep(50 * 2 ** round * (0.5 + dynamo.random.next() / 2));
        }
      }
    },
    async query(query: AuditQuery) {
      const limit = query.limit ?? defaultLimit;
      const range = rangeOf(query);
      const entries: AuditEntry[] = [];
      if (query.record !== undefined) {
        entries.push(...(await entriesOf({ name: tables.audit.partitionKey, value: query.record }, range, limit + 1)));
      } else {
        const [byDay] = tables.audit.indexes;
        for (const day of await daysWithEntries(query.integration, range)) {
          const value = `${query.integration}|${day}`;
          entries.push(...(await entriesOf({ name: byDay.partitionKey, value, index: byDay.name }, range, limit + 1 - entries.length)));
          if (entries.length > limit) break;
        }
      }
      const page = entries.slice(0, limit);
      const last = page.at(-1);
      return { entries: page, ...(entries.length > limit && last ? { next: placeOf(last) } : {}) };
    },
  };
}

interface Range {
  readonly from: string;
  readonly to: string;
}

/** Sort keys begin with an ISO instant, so texts order as instants. `!` and `~` lie before and after everything an id holds. */
function rangeOf(query: AuditQuery): Range {
  const from = query.from?.toISOString() ?? '0';
  return {
    // Just behind the last entry of the page before.
    from: query.after !== undefined && `${query.after}!` > from ? `${query.after}!` : from,
    to: query.to === undefined ? '9999-12-31~' : `${query.to.toISOString()}|~`,
  };
}

function placeOf(entry: AuditEntry): string {
  return `${entry.at}|${entry.id}`;
}

function daysOf(integration: string): string {
  return `|days|${integration}`;
}

function unfinished(): Failure {
  return new Failure('VendorUnavailable', { cause: 'store-busy', sentence: 'DynamoDB did not take all audit entries. It is tried again.' });
}
