import { randomBytes } from 'node:crypto';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  ResourceNotFoundException,
  type TableDescription,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  ResourceNotFoundException as SecretNotFound,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, QueueDoesNotExist, SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Place } from '../cloud/access.ts';
import { isRecord } from '../cloud/aws-json.ts';
import type { Credentials } from '../cloud/iam.ts';
import { keyArn, type Names } from './names.ts';
import type { TemplateResource } from './template.ts';

/** A resource whose properties are resolved. */
export type Resource = TemplateResource;

export interface ServiceUrls {
  readonly dynamodb: string;
  readonly sqs: string;
  readonly secretsManager: string;
  readonly sns: string;
}

/** Creates tables, queues and secrets that are not there yet; what is there keeps its contents. */
export async function createResources(options: {
  readonly resources: readonly Resource[];
  readonly names: Names;
  readonly urls: ServiceUrls;
  readonly place: Place;
  readonly administrator: Credentials;
}): Promise<void> {
  const { resources, names, urls, place, administrator } = options;
  const connection = { region: place.region, credentials: administrator, maxAttempts: 1 };
  const dynamodb = new DynamoDBClient({ ...connection, endpoint: urls.dynamodb });
  const sqs = new SQSClient({ ...connection, endpoint: urls.sqs });
  const secrets = new SecretsManagerClient({ ...connection, endpoint: urls.secretsManager });
  const ofType = (...types: readonly string[]) => resources.filter((resource) => types.includes(resource.type));
  try {
    for (const table of ofType('AWS::DynamoDB::GlobalTable', 'AWS::DynamoDB::Table')) {
      await createTable(dynamodb, table, names.physicalName(table));
    }
    // Twice: a redrive policy names a queue that has to exist.
    const queues = ofType('AWS::SQS::Queue');
    for (const queue of queues) await createQueue(sqs, names.physicalName(queue));
    for (const queue of queues) {
      await sqs.send(new SetQueueAttributesCommand({ QueueUrl: names.ref(queue.logicalId), Attributes: queueAttributes(queue, place) }));
    }
    for (const secret of ofType('AWS::SecretsManager::Secret')) {
      await createSecret(secrets, secret, { name: names.physicalName(secret), key: keyArn(secret.properties['KmsKeyId'], place) });
    }
  } finally {
    dynamodb.destroy();
    sqs.destroy();
    secrets.destroy();
  }
}

type TableInput = Pick<CreateTableCommandInput, 'AttributeDefinitions' | 'KeySchema' | 'GlobalSecondaryIndexes' | 'LocalSecondaryIndexes'>;

async function createTable(client: DynamoDBClient, resource: Resource, TableName: string): Promise<void> {
  const { properties } = resource;
  const replicas: readonly unknown[] = Array.isArray(properties['Replicas']) ? properties['Replicas'] : [];
  if (replicas.length > 1) throw new Error(`${resource.logicalId}: a global table with several replicas is not supported`);
  const wanted: TableInput = {
    AttributeDefinitions: properties['AttributeDefinitions'] as TableInput['AttributeDefinitions'],
    KeySchema: properties['KeySchema'] as TableInput['KeySchema'],
    GlobalSecondaryIndexes: indexesOf(properties['GlobalSecondaryIndexes']) as TableInput['GlobalSecondaryIndexes'],
    LocalSecondaryIndexes: properties['LocalSecondaryIndexes'] as TableInput['LocalSecondaryIndexes'],
  };
  const existing = await findTable(client, TableName);
  if (existing === undefined) await client.send(new CreateTableCommand({ TableName, BillingMode: 'PAY_PER_REQUEST', ...wanted }));
  else if (shapeOf(existing) !== shapeOf(wanted)) {
    throw new Error(
      `${resource.logicalId}: the table ${TableName} is kept with other keys or indexes than the template now has; remove the state folder to start anew`,
    );
  }
  const expiry = properties['TimeToLiveSpecification'];
  const attribute = isRecord(expiry) && expiry['Enabled'] === true ? String(expiry['AttributeName']) : undefined;
  const { TimeToLiveDescription: current } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
  if (current?.AttributeName === attribute) return;
  const set = (AttributeName: string, Enabled: boolean) =>
    client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { AttributeName, Enabled } }));
  if (current?.AttributeName !== undefined) await set(current.AttributeName, false);
  if (attribute !== undefined) await set(attribute, true);
}

/** Only what defines an index; throughput has no meaning here. */
function indexesOf(indexes: unknown): unknown {
  if (!Array.isArray(indexes)) return undefined;
  return indexes.map((index: unknown) =>
    isRecord(index) ? { IndexName: index['IndexName'], KeySchema: index['KeySchema'], Projection: index['Projection'] } : index,
  );
}

async function findTable(client: DynamoDBClient, TableName: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

function shapeOf(table: TableDescription | TableInput): string {
  const keys = (schema: TableInput['KeySchema']) => (schema ?? []).map((part) => `${part.KeyType} ${part.AttributeName}`).sort();
  const types = (table.AttributeDefinitions ?? []).map((attribute) => `${attribute.AttributeName} ${attribute.AttributeType}`).sort();
  const indexes = [...(table.GlobalSecondaryIndexes ?? []), ...(table.LocalSecondaryIndexes ?? [])]
    .map((index) => [
      index.IndexName,
      keys(index.KeySchema),
      index.Projection?.ProjectionType,
      [...(index.Projection?.NonKeyAttributes ?? [])].sort(),
    ])
    .sort((left, right) => (String(left[0]) < String(right[0]) ? -1 : 1));
  return JSON.stringify([keys(table.KeySchema), types, indexes]);
}

async function createQueue(client: SQSClient, QueueName: string): Promise<void> {
  try {
    // Without attributes, so that an existing queue is no conflict.
    await client.send(new CreateQueueCommand({ QueueName }));
  } catch (error) {
    if (!(error instanceof QueueDoesNotExist)) throw error;
  }
}

/** All of them, with AWS's defaults for those the template leaves out: an attribute that was taken out of the template is reset. */
function queueAttributes({ properties }: Resource, place: Place): Record<string, string> {
  const text = (name: string, fallback: string): string => String(properties[name] ?? fallback);
  return {
    VisibilityTimeout: text('VisibilityTimeout', '30'),
    DelaySeconds: text('DelaySeconds', '0'),
    MaximumMessageSize: text('MaximumMessageSize', '1048576'),
    MessageRetentionPeriod: text('MessageRetentionPeriod', '345600'),
    ReceiveMessageWaitTimeSeconds: text('ReceiveMessageWaitTimeSeconds', '0'),
    KmsMasterKeyId: keyArn(properties['KmsMasterKeyId'], place) ?? '',
    RedrivePolicy: properties['RedrivePolicy'] === undefined ? '' : JSON.stringify(properties['RedrivePolicy']),
  };
}

async function createSecret(
  client: SecretsManagerClient,
  { properties }: Resource,
  { name: Name, key }: { readonly name: string; readonly key: string | undefined },
): Promise<void> {
  try {
    await client.send(new DescribeSecretCommand({ SecretId: Name }));
    return;
  } catch (error) {
    if (!(error instanceof SecretNotFound)) throw error;
  }
  await client.send(
    new CreateSecretCommand({
      Name,
      SecretString:
        typeof properties['SecretString'] === 'string' ? properties['SecretString'] : generated(properties['GenerateSecretString']),
      ...(key === undefined ? {} : { KmsKeyId: key }),
    }),
  );
}

/** CloudFormation fills a secret without a value with a random text, or puts one into a template. */
function generated(specification: unknown): string {
  const wanted = isRecord(specification) ? specification : {};
  const text = randomBytes(64)
    .toString('base64url')
    .slice(0, Number(wanted['PasswordLength'] ?? 32));
  if (wanted['SecretStringTemplate'] === undefined) return text;
  return JSON.stringify({ ...JSON.parse(String(wanted['SecretStringTemplate'])), [String(wanted['GenerateStringKey'])]: text });
}
