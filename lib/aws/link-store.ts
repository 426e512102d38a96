import { DeleteCommand, TransactWriteCommand, type TransactWriteCommandInput, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { AuditEntry } from '../contracts/audit.ts';
import type { Leased, Link } from '../contracts/link.ts';
import { Failure } from '../failures.ts';
import type { Ids } from '../ports/clock.ts';
import type { LinkPage, LinkStore } from '../ports/link-store.ts';
import { parseRef, type RecordRef, refText } from '../values/record-ref.ts';
import type { AwsAuditStore } from './audit-store.ts';
import { batchGet, cancellationCodes, conditionFailed, type Dynamo, type Item, inParallel, persistently } from './dynamo.ts';
import { byPlace, itemKeyOf, keyOf, pointerPlaces, readLink, recordPlace, writeLink } from './link-items.ts';
import { LinkLists } from './link-lists.ts';
import { tables } from './tables.ts';

/** Who holds the lease writes; the fence says that nobody took it over, the lease's presence that it was not ended. */
const held = 'fence = :fence AND attribute_exists(leaseId)';
const endOfLease = ['leaseOwner', 'leaseUntil', 'leaseId'];

type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

export interface AwsLinkStoreParts {
  readonly dynamo: Dynamo;
  readonly table: string;
  readonly audit: AwsAuditStore;
  readonly ids: Ids;
}

export function createAwsLinkStore(parts: AwsLinkStoreParts): LinkStore {
  return new AwsLinks(parts);
}

class AwsLinks implements LinkStore {
  readonly #dynamo: Dynamo;
  readonly #table: string;
  readonly #audit: AwsAuditStore;
  readonly #ids: Ids;
  readonly #lists: LinkLists;
  /** Pointers a link already had when it was leased here, so that a commit need not write them again. */
  readonly #pointed = new Map<string, ReadonlySet<string>>();

  constructor(parts: AwsLinkStoreParts) {
    this.#dynamo = parts.dynamo;
    this.#table = parts.table;
    this.#audit = parts.audit;
    this.#ids = parts.ids;
    this.#lists = new LinkLists(parts);
  }

  async findMany(records: readonly RecordRef[]): Promise<ReadonlyMap<string, Link>> {
    const items = byPlace(await batchGet(this.#dynamo, this.#table, records.map(itemKeyOf)));
    const targets = records.flatMap((record) => {
      const to = items.get(refText(record))?.['to'];
      return typeof to === 'string' ? [keyOf(record.flow, to)] : [];
    });
    const pointed = byPlace(targets.length === 0 ? [] : await batchGet(this.#dynamo, this.#table, targets));
    const found = new Map<string, Link>();
    for (const record of records) {
      const item = items.get(refText(record));
      const to = item?.['to'];
      const link = typeof to === 'string' ? readLink(pointed.get(`${record.flow}|${to}`) ?? {}) : item && readLink(item);
      if (link) found.set(refText(record), link);
    }
    return found;
  }

  async lease(
    records: readonly RecordRef[],
    lease: { readonly owner: string; readonly until: Date; readonly now: Date },
  ): Promise<ReadonlyMap<string, Leased | { readonly busy: Date }>> {
    const distinct = [...new Map(records.map((record) => [refText(record), record])).values()];
    const taken: Leased[] = [];
    try {
      const answers = await inParallel(distinct, async (record) => {
        const answer = await this.#leaseOne(record, lease);
        if ('link' in answer) taken.push(answer);
        return [refText(record), answer] as const;
      });
      return new Map(answers);
    } catch (error) {
      // Nobody will ever use them; if they cannot be given back either, they end by themselves.
      await this.release(taken).catch(() => undefined);
      throw error;
    }
  }

  async #leaseOne(
    record: RecordRef,
    lease: { readonly owner: string; readonly until: Date; readonly now: Date },
  ): Promise<Leased | { readonly busy: Date }> {
    const fresh: Link = {
      origin: { flow: record.flow, side: record.side, key: record.key },
      keys: { [record.side]: record.key },
      state: 'new',
      updatedAt: lease.now.toISOString(),
    };
    const leaseId = this.#ids.next();
    try {
      const answer = await this.#send(`Leasing ${record.key}`, () =>
        this.#dynamo.client.send(
          new UpdateCommand({
            TableName: this.#table,
            Key: itemKeyOf(record),
            UpdateExpression:
              'SET fence = if_not_exists(fence, :base) + :one, leaseOwner = :owner, leaseUntil = :until, leaseId = :leaseId, ' +
              'body = if_not_exists(body, :body), #state = if_not_exists(#state, :state)',
            ConditionExpression: 'attribute_not_exists(#to) AND (attribute_not_exists(leaseUntil) OR leaseUntil <= :now)',
            ExpressionAttributeNames: { '#state': 'state', '#to': 'to' },
            ExpressionAttributeValues: {
              // A link that was removed and made anew goes on with higher fences than it ever had: they begin with the time.
              ':base': lease.now.getTime() * 1000 + Math.floor(this.#dynamo.random.next() * 1000),
              ':one': 1,
              ':owner': lease.owner,
              ':until': lease.until.getTime(),
              ':leaseId': leaseId,
              ':now': lease.now.getTime(),
              ':body': JSON.stringify(fresh),
              ':state': 'new',
            },
            ReturnValues: 'ALL_NEW',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        ),
      );
      return this.#leased(record, answer.Attributes ?? {}) ?? { link: fresh, fence: Number(answer.Attributes?.['fence']) };
    } catch (error) {
      const present = conditionFailed(error);
      if (present === undefined) throw error;
      if (typeof present['to'] === 'string') return this.#leaseOne(parseRef(`${record.flow}|${present['to']}`), lease);
      // Our own lease: the answer to it was lost, and the SDK asked once more.
      const own = present['leaseId'] === leaseId ? this.#leased(record, present) : undefined;
      return own ?? { busy: new Date(Number(present['leaseUntil'] ?? lease.until.getTime())) };
    }
  }

  #leased(record: RecordRef, item: Item): Leased | undefined {
    const link = readLink(item);
    if (!link) return undefined;
    const fence = Number(item['fence']);
    const pointers = item['pointers'];
    this.#pointed.set(`${refText(record)}|${fence}`, pointers instanceof Set ? new Set([...pointers].map(String)) : new Set());
    return { link, fence };
  }

  async save(leased: Leased, options: { readonly until?: Date } = {}): Promise<void> {
    const { until } = options;
    const write = writeLink(leased.link);
    await this.#underLease(leased, () =>
      this.#dynamo.client.send(
        new UpdateCommand({
          ...this.#place(leased),
          UpdateExpression: expression({
            set: [...write.set, ...(until === undefined ? [] : ['leaseUntil = :until'])],
            remove: write.remove,
          }),
          ConditionExpression: held,
          ExpressionAttributeNames: write.names,
          ExpressionAttributeValues: {
            ...write.values,
            ':fence': leased.fence,
            ...(until === undefined ? {} : { ':until': until.getTime() }),
          },
        }),
      ),
    );
  }

  async commit(leased: Leased, audit: readonly AuditEntry[]): Promise<void> {
    const known = this.#pointed.get(leaseName(leased)) ?? new Set();
    const pointers = pointerPlaces(leased.link).filter((place) => !known.has(place));
    const write = writeLink(leased.link);
    const update = {
      ...this.#place(leased),
      UpdateExpression: expression({
        set: write.set,
        remove: [...write.remove, ...endOfLease],
        add: pointers.length === 0 ? [] : ['pointers :pointers'],
      }),
      ConditionExpression: held,
      ExpressionAttributeNames: write.names,
      ExpressionAttributeValues: {
        ...write.values,
        ':fence': leased.fence,
        ...(pointers.length === 0 ? {} : { ':pointers': new Set(pointers) }),
      },
    };
    const origin = recordPlace(leased.link.origin);
    await this.#transact(
      leased,
      [{ Update: update }, ...pointers.map((place) => this.#pointer(leased.link.origin.flow, place, origin))],
      audit,
      (index) => alreadyLinked(leased.link, pointers[index - 1]),
    );
    this.#pointed.delete(leaseName(leased));
  }

  /** A key belongs to nobody, to this link already, or to a link nobody decided anything about: that one gives way. */
  #pointer(flow: string, place: string, to: string): TransactItem {
    return {
      Put: {
        TableName: this.#table,
        Item: { ...keyOf(flow, place), to },
        ConditionExpression: `attribute_not_exists(#flow) OR #to = :to OR #state = :new`,
        ExpressionAttributeNames: { '#flow': tables.links.partitionKey, '#to': 'to', '#state': 'state' },
        ExpressionAttributeValues: { ':to': to, ':new': 'new' },
      },
    };
  }

  async release(leased: readonly Leased[]): Promise<void> {
    await inParallel(leased, async (one) => {
      const mayGo = one.link.state === 'new' && (await this.#removeIfNew(one));
      if (!mayGo) {
        await this.#underLease(one, () =>
          this.#dynamo.client.send(
            new UpdateCommand({
              ...this.#place(one),
              UpdateExpression: expression({ set: [], remove: endOfLease }),
              ConditionExpression: held,
              ExpressionAttributeValues: { ':fence': one.fence },
            }),
          ),
        );
      }
      this.#pointed.delete(leaseName(one));
    });
  }

  async #removeIfNew(leased: Leased): Promise<boolean> {
    try {
      await this.#send(`Releasing ${leased.link.origin.key}`, () =>
        this.#dynamo.client.send(
          new DeleteCommand({
            ...this.#place(leased),
            ConditionExpression: `${held} AND #state = :new`,
            ExpressionAttributeNames: { '#state': 'state' },
            ExpressionAttributeValues: { ':fence': leased.fence, ':new': 'new' },
          }),
        ),
      );
      return true;
    } catch (error) {
      if (conditionFailed(error) === undefined) throw error;
      return false;
    }
  }

  async remove(leased: Leased, audit: readonly AuditEntry[]): Promise<void> {
    const { flow } = leased.link.origin;
    const [item] = await batchGet(this.#dynamo, this.#table, [itemKeyOf(leased.link.origin)]);
    const pointers = item?.['pointers'] instanceof Set ? [...item['pointers']].map(String) : [];
    await this.#transact(
      leased,
      [
        { Delete: { ...this.#place(leased), ConditionExpression: held, ExpressionAttributeValues: { ':fence': leased.fence } } },
        ...pointers.map((place) => ({ Delete: { TableName: this.#table, Key: keyOf(flow, place) } })),
      ],
      audit,
      () => leaseLost(leased),
    );
    this.#pointed.delete(leaseName(leased));
  }

  /** All or nothing: the link's own item first, then `others`, then the audit. */
  async #transact(
    leased: Leased,
    items: readonly TransactItem[],
    audit: readonly AuditEntry[],
    refused: (index: number) => Failure,
  ): Promise<void> {
    const entries = await this.#audit.prepare(audit);
    const all = [...items, ...entries.map((entry) => ({ Put: { TableName: this.#audit.table, Item: entry } }))];
    // The same token recognises a transaction that went through although its answer was lost; a cancelled one is a new transaction.
    let token = this.#ids.next();
    try {
      await this.#send(`Storing ${leased.link.label ?? leased.link.origin.key}`, async () => {
        try {
          return await this.#dynamo.client.send(new TransactWriteCommand({ TransactItems: all, ClientRequestToken: token }));
        } catch (error) {
          if (error instanceof Error && error.name === 'TransactionCanceledException') token = this.#ids.next();
          throw error;
        }
      });
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'TransactionCanceledException') throw error;
      const index = cancellationCodes(error).indexOf('ConditionalCheckFailed');
      if (index === -1) throw error;
      throw index === 0 ? leaseLost(leased) : refused(index);
    }
  }

  listHeld(
    integration: string,
    options?: { readonly cause?: string; readonly after?: string; readonly limit?: number },
  ): Promise<LinkPage> {
    return this.#lists.held(integration, options);
  }

  listWaiting(
    integration: string,
    options?: { readonly dependency?: string; readonly after?: string; readonly limit?: number },
  ): Promise<LinkPage> {
    return this.#lists.waiting(integration, options);
  }

  listWorking(integration: string, options?: { readonly after?: string; readonly limit?: number }): Promise<LinkPage> {
    return this.#lists.working(integration, options);
  }

  findByLabel(integration: string, label: string): Promise<readonly Link[]> {
    return this.#lists.byLabel(integration, label);
  }

  list(flow: string, options?: { readonly after?: string; readonly limit?: number }): Promise<LinkPage> {
    return this.#lists.ofFlow(flow, options);
  }

  async #underLease(leased: Leased, send: () => Promise<unknown>): Promise<void> {
    try {
      await this.#send(`Storing ${leased.link.label ?? leased.link.origin.key}`, send);
    } catch (error) {
      if (conditionFailed(error) === undefined) throw error;
      throw leaseLost(leased);
    }
  }

  #place(leased: Leased): { readonly TableName: string; readonly Key: Record<string, string> } {
    return { TableName: this.#table, Key: itemKeyOf(leased.link.origin) };
  }

  #send<Result>(doing: string, send: () => Promise<Result>): Promise<Result> {
    return persistently(this.#dynamo, doing, send);
  }
}

const leaseName = (leased: Leased): string => `${refText(leased.link.origin)}|${leased.fence}`;

function expression(parts: {
  readonly set: readonly string[];
  readonly remove: readonly string[];
  readonly add?: readonly string[];
}): string {
  const part = (word: string, list: readonly string[]) => (list.length === 0 ? [] : [`${word} ${list.join(', ')}`]);
  return [...part('SET', parts.set), ...part('REMOVE', parts.remove), ...part('ADD', parts.add ?? [])].join(' ');
}

function leaseLost(leased: Leased): Failure {
  return new Failure('LeaseLost', {
    sentence: `Another worker took over ${leased.link.label ?? leased.link.origin.key}; this one stopped before writing.`,
  });
}

function alreadyLinked(link: Link, place: string | undefined): Failure {
  const key = `${link.origin.flow}|${place ?? ''}`;
  return new Failure('NeedsPerson', {
    cause: 'already-linked',
    sentence: `${key} already belongs to another link, so ${refText(link.origin)} cannot be linked to it as well.`,
    fix: 'Decide which of the two records is the right one, unlink the other, then replay this one.',
    details: { key, wanted: refText(link.origin) },
  });
}
