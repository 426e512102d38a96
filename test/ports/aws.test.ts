import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, describe, expect, test } from 'vitest';
import { createAwsAuditStore } from '../../lib/aws/audit-store.ts';
import { createAwsDeadLetters, createAwsQueue } from '../../lib/aws/change-queue.ts';
import { createDynamo } from '../../lib/aws/dynamo.ts';
import { createAwsLinkStore } from '../../lib/aws/link-store.ts';
import { createAwsSecretStore } from '../../lib/aws/secret-store.ts';
import { createAwsStateStore } from '../../lib/aws/state-store.ts';
import { createHandTurnedClock } from '../../lib/memory/hand-turned-clock.ts';
import { createOrderedIds } from '../../lib/memory/ordered-ids.ts';
import { createSeededRandom } from '../../lib/memory/seeded-random.ts';
import type { QueueName } from '../../lib/ports/change-queue.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { refText } from '../../lib/values/record-ref.ts';
import { Secret } from '../../lib/values/secret.ts';
import { startSecretsManager } from '../../sandbox/cloud/secrets-manager.ts';
import { startSqs } from '../../sandbox/cloud/sqs.ts';
import { describeAuditStore } from '../conformance/audit-store-port.ts';
import { describeChangeQueue } from '../conformance/change-queue-port.ts';
import { describeLinkStore, entryOf } from '../conformance/link-store-port.ts';
import { describeSecretStore } from '../conformance/secret-store-port.ts';
import { describeStateStore } from '../conformance/state-store-port.ts';
import { localConfig, startTables } from './local-aws.ts';

const turned = createHandTurnedClock(new Date('2026-03-02T08:00:00.000Z'));
/** Instants are turned by hand; the short pauses between tries are not waited for. */
const clock: Clock = { now: () => turned.now(), sleep: async () => undefined };
const random = createSeededRandom(11);
const ids = createOrderedIds({ clock, random });

const tables = await startTables(turned);
const sqsServer = await startSqs({ clock: turned });
const dynamo = createDynamo({ clock, random, config: localConfig(tables.url) });
const sqs = new SQSClient(localConfig(sqsServer.url));
let count = 0;
const closers: (() => Promise<void>)[] = [];

afterAll(async () => {
  dynamo.client.destroy();
  sqs.destroy();
  await Promise.all([tables.close(), sqsServer.close(), ...closers.map((close) => close())]);
});

async function openTables() {
  const names = await tables.create();
  const audit = createAwsAuditStore({ dynamo, table: names.audit, years: 10 });
  return {
    names,
    audit,
    links: createAwsLinkStore({ dynamo, table: names.links, audit, ids }),
    store: createAwsStateStore({ dynamo, table: names.state, ids }),
    clock: turned,
  };
}

describeStateStore('DynamoDB', openTables);
describeLinkStore('DynamoDB', openTables);
describeAuditStore('DynamoDB', openTables);
async function openSecrets() {
  const server = await startSecretsManager({ clock: turned });
  const client = new SecretsManagerClient(localConfig(server.url));
  closers.push(async () => {
    client.destroy();
    await server.close();
  });
  return { client, store: createAwsSecretStore({ client, ids }) };
}
describeSecretStore('Secrets Manager', openSecrets);

test('the random text a deployment fills a new secret with is no previous version', async () => {
  const { client, store } = await openSecrets();
  await client.send(new CreateSecretCommand({ Name: 'heron/zuora', SecretString: 'k2J!x9' }));
  await expect(store.fetch('heron/zuora')).rejects.toMatchObject({ kind: 'ConfigurationInvalid' });
  await store.put('heron/zuora', { key: new Secret('one') });
  expect(await store.findPrevious('heron/zuora')).toBeUndefined();
});

describeChangeQueue('SQS', async () => {
  count += 1;
  const create = async (name: string, attributes: Record<string, string> = {}) => {
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
    return QueueUrl;
  };
  const dead = await create(`dead-${count}`);
  const redrive = JSON.stringify({
    deadLetterTargetArn: `arn:aws:sqs:eu-central-1:${new URL(dead).pathname.split('/')[1]}:dead-${count}`,
    maxReceiveCount: 5,
  });
  const urls = {
    live: await create(`live-${count}`, { RedrivePolicy: redrive }),
    bulk: await create(`bulk-${count}`, { RedrivePolicy: redrive }),
    dead,
  };
  return {
    clock: turned,
    queue: createAwsQueue({ client: sqs, clock, random, urls }),
    letters: createAwsDeadLetters({ client: sqs, url: dead }),
    async receive(queue: QueueName, visibilitySeconds: number) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: urls[queue],
          MaxNumberOfMessages: 10,
          VisibilityTimeout: visibilitySeconds,
          MessageSystemAttributeNames: ['ApproximateReceiveCount'],
        }),
      );
      return Messages.map((message) => ({
        handle: message.ReceiptHandle ?? '',
        body: message.Body ?? '',
        receiveCount: Number(message.Attributes?.ApproximateReceiveCount),
      }));
    },
    async remove(queue: QueueName, handle: string) {
      await sqs.send(new DeleteMessageCommand({ QueueUrl: urls[queue], ReceiptHandle: handle }));
    },
  };
});

describe('links on DynamoDB cost little', () => {
  test('a lease is one write, a save is one write, and a second look writes no pointer again', async () => {
    const { links, names } = await openTables();
    const ref = { flow: 'acumatica-zuora.invoices', side: 'b', key: '8ad0' } as const;
    const lease = async () => {
      const answer = (
        await links.lease([ref], { owner: 'worker', now: turned.now(), until: new Date(turned.now().getTime() + 60_000) })
      ).get(refText(ref));
      if (!answer || 'busy' in answer) throw new Error('busy');
      return answer;
    };
    const units = () => tables.server.units()[names.links];
    tables.server.resetUnits();
    const leased = await lease();
    expect(units()).toMatchObject({ write: 1 });
    await links.save({ ...leased, link: { ...leased.link, label: 'INV1' } });
    const linked = { ...leased, link: { ...leased.link, state: 'synced' as const, keys: { a: 'AR1', b: '8ad0' } } };
    await links.commit(linked, [entryOf(refText(ref))]);
    const again = await lease();
    tables.server.resetUnits();
    await links.commit(again, [entryOf(refText(ref))]);
    // One item in a transaction: two units.
    expect(units()).toMatchObject({ write: 2 });
  });
});
