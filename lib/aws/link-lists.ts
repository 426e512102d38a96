import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Link, LinkState } from '../contracts/link.ts';
import type { LinkPage } from '../ports/link-store.ts';
import { batchGet, type Dynamo, type Item, persistently } from './dynamo.ts';
import { byPlace, keyOf, readLink, troublePlace } from './link-items.ts';
import { tables } from './tables.ts';

const defaultLimit = 100;

/** The lists of the link store: by state, by label, by flow. */
export class LinkLists {
  readonly #dynamo: Dynamo;
  readonly #table: string;

  constructor(parts: { readonly dynamo: Dynamo; readonly table: string }) {
    this.#dynamo = parts.dynamo;
    this.#table = parts.table;
  }

  async held(
    integration: string,
    options: { readonly cause?: string; readonly after?: string; readonly limit?: number } = {},
  ): Promise<LinkPage> {
    const { cause, ...page } = options;
    return this.#inState(integration, 'held', cause, (link) => cause === undefined || link.trouble?.cause === cause, page);
  }

  async waiting(
    integration: string,
    options: { readonly dependency?: string; readonly after?: string; readonly limit?: number } = {},
  ): Promise<LinkPage> {
    const { dependency, ...page } = options;
    const matches = (link: Link) => dependency === undefined || link.trouble?.dependency === dependency;
    return this.#inState(integration, 'waiting', dependency, matches, page);
  }

  async working(integration: string, options: { readonly after?: string; readonly limit?: number } = {}): Promise<LinkPage> {
    return this.#inState(integration, 'working', undefined, () => true, options);
  }

  async #inState(
    integration: string,
    state: LinkState,
    about: string | undefined,
    matches: (link: Link) => boolean,
    options: { readonly after?: string; readonly limit?: number },
  ): Promise<LinkPage> {
    const [attention] = tables.links.indexes;
    const { after, limit = defaultLimit } = options;
    const wanted = { partition: `${integration}|${state}`, ...(about === undefined ? {} : { prefix: troublePlace(about) }) };
    const found = await this.#byIndex(attention, wanted, limit, after);
    return { ...found, links: found.links.filter((link) => link.state === state && matches(link)) };
  }

  async byLabel(integration: string, label: string): Promise<readonly Link[]> {
    const [, labels] = tables.links.indexes;
    const wanted = label.toLowerCase();
    const links: Link[] = [];
    let after: string | undefined;
    do {
      const found = await this.#byIndex(labels, { partition: integration, prefix: wanted }, defaultLimit, after);
      links.push(...found.links);
      after = found.next;
    } while (after !== undefined);
    return links.filter((link) => {
      const text = link.label?.toLowerCase();
      return text === wanted || text?.startsWith(`${wanted} `) === true;
    });
  }

  /** Links found in an index, as the table has them now, in the order of the index. */
  async #byIndex(
    index: (typeof tables.links.indexes)[number],
    wanted: { readonly partition: string; readonly prefix?: string },
    limit: number,
    after: string | undefined,
  ): Promise<LinkPage> {
    const { partition, prefix } = wanted;
    const answer = await persistently(this.#dynamo, `Listing ${partition}`, () =>
      this.#dynamo.client.send(
        new QueryCommand({
          TableName: this.#table,
          IndexName: index.name,
          KeyConditionExpression:
            prefix === undefined ? '#partition = :partition' : '#partition = :partition AND begins_with(#place, :prefix)',
          ExpressionAttributeNames: { '#partition': index.partitionKey, ...(prefix === undefined ? {} : { '#place': index.sortKey }) },
          ExpressionAttributeValues: { ':partition': partition, ...(prefix === undefined ? {} : { ':prefix': prefix }) },
          Limit: limit,
          ...(after === undefined ? {} : { ExclusiveStartKey: JSON.parse(Buffer.from(after, 'base64url').toString()) }),
        }),
      ),
    );
    const keys = (answer.Items ?? []).map((item) => keyOf(String(item[tables.links.partitionKey]), String(item[tables.links.sortKey])));
    const items = byPlace(await batchGet(this.#dynamo, this.#table, keys));
    const links = keys.flatMap((key) => {
      const link = readLink(items.get(`${key[tables.links.partitionKey]}|${key[tables.links.sortKey]}`) ?? {});
      return link ? [link] : [];
    });
    const last = answer.LastEvaluatedKey;
    return { links, ...(last === undefined ? {} : { next: Buffer.from(JSON.stringify(last)).toString('base64url') }) };
  }

  async ofFlow(flow: string, options: { readonly after?: string; readonly limit?: number } = {}): Promise<LinkPage> {
    const { after, limit = defaultLimit } = options;
    const items: Item[] = [];
    let from: Record<string, unknown> | undefined = after === undefined ? undefined : keyOf(flow, after);
    do {
      const answer = await persistently(this.#dynamo, `Listing ${flow}`, () =>
        this.#dynamo.client.send(
          new QueryCommand({
            TableName: this.#table,
            ConsistentRead: true,
            KeyConditionExpression: '#flow = :flow',
            FilterExpression: 'attribute_not_exists(#to)',
            ExpressionAttributeNames: { '#flow': tables.links.partitionKey, '#to': 'to' },
            ExpressionAttributeValues: { ':flow': flow },
            Limit: limit + 1,
            ...(from === undefined ? {} : { ExclusiveStartKey: from }),
          }),
        ),
      );
      items.push(...(answer.Items ?? []));
      from = answer.LastEvaluatedKey;
    } while (from !== undefined && items.length <= limit);
    const page = items.slice(0, limit);
    const last = page.at(-1);
    const links = page.flatMap((item) => readLink(item) ?? []);
    return { links, ...(items.length > limit && last ? { next: String(last[tables.links.sortKey]) } : {}) };
  }
}
