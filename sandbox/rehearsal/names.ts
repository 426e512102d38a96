import { createHash } from 'node:crypto';
import type { Place } from '../cloud/access.ts';
import type { TemplateResource } from './template.ts';

/** Where and how a resource that exists locally is known. Names follow from the template alone, so that a restart finds the same things. */
export interface Names {
  /** What CloudFormation would have named it, or the name the template gives. */
  physicalName(resource: TemplateResource): string;
  ref(logicalId: string): string;
  attribute(logicalId: string, name: string): string;
}

const longestName: Readonly<Record<string, number>> = { 'AWS::Lambda::Function': 64, 'AWS::IAM::Role': 64, 'AWS::SQS::Queue': 80 };
const nameProperty: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::GlobalTable': 'TableName',
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::Events::Rule': 'Name',
  'AWS::IAM::Role': 'RoleName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::SNS::Topic': 'TopicName',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::Scheduler::Schedule': 'Name',
  'AWS::Scheduler::ScheduleGroup': 'Name',
  'AWS::SecretsManager::Secret': 'Name',
};

export function createNames(options: {
  readonly resources: readonly TemplateResource[];
  readonly stackName: string;
  readonly place: Place;
  /** Resolves a name property, which may be an expression. */
  readonly resolve: (value: unknown) => unknown;
  readonly urls: { queue(name: string): string; secretArn(name: string): string; api(): string };
}): Names {
  const { place, urls } = options;
  const byId = new Map(options.resources.map((resource) => [resource.logicalId, resource]));
  const arn = (service: string, rest: string): string => `arn:aws:${service}:${place.region}:${place.accountId}:${rest}`;

  function physicalName(resource: TemplateResource): string {
    const property = nameProperty[resource.type];
    const given = property === undefined ? undefined : resource.properties[property];
    if (given !== undefined) return String(options.resolve(given));
    const name = `${options.stackName}-${resource.logicalId}`;
    const limit = longestName[resource.type] ?? 255;
    if (name.length <= limit) return name;
    const digest = createHash('sha256').update(name).digest('hex').slice(0, 12);
    return `${name.slice(0, limit - 13)}-${digest}`;
  }
  function found(logicalId: string): TemplateResource {
    const resource = byId.get(logicalId);
    if (resource === undefined) throw new Error(`the template refers to ${logicalId}, which it does not create`);
    return resource;
  }

  /** ARNs by type; a type without one here has none that a template may use. */
  function arnOf(resource: TemplateResource): string | undefined {
    const name = physicalName(resource);
    switch (resource.type) {
      case 'AWS::DynamoDB::GlobalTable':
      case 'AWS::DynamoDB::Table':
        return arn('dynamodb', `table/${name}`);
      case 'AWS::Events::Rule':
        return arn('events', `rule/${name}`);
      case 'AWS::IAM::Role':
        return `arn:aws:iam::${place.accountId}:role/${name}`;
      case 'AWS::KMS::Key':
        return arn('kms', `key/${keyId(name)}`);
      case 'AWS::Lambda::Function':
        return arn('lambda', `function:${name}`);
      case 'AWS::Logs::LogGroup':
        return arn('logs', `log-group:${name}:*`);
      case 'AWS::SNS::Topic':
        return arn('sns', name);
      case 'AWS::SQS::Queue':
        return arn('sqs', name);
      case 'AWS::Scheduler::Schedule':
        return arn('scheduler', `schedule/default/${name}`);
      case 'AWS::Scheduler::ScheduleGroup':
        return arn('scheduler', `schedule-group/${name}`);
      case 'AWS::SecretsManager::Secret':
        return urls.secretArn(name);
      default:
        return undefined;
    }
  }

  return {
    physicalName,
    ref(logicalId) {
      const resource = found(logicalId);
      const name = physicalName(resource);
      switch (resource.type) {
        case 'AWS::SQS::Queue':
          return urls.queue(name);
        case 'AWS::SNS::Topic':
        case 'AWS::SecretsManager::Secret':
        case 'AWS::IAM::ManagedPolicy':
          return arnOf(resource) ?? name;
        case 'AWS::KMS::Key':
          return keyId(name);
        default:
          return name;
      }
    },
    attribute(logicalId, name) {
      const resource = found(logicalId);
      const value = attributeOf(resource, name, { arn: arnOf(resource), name: physicalName(resource), urls });
      if (value === undefined) throw new Error(`${logicalId}: the attribute ${name} of ${resource.type} is not known to the rehearsal`);
      return value;
    },
  };
}

function attributeOf(
  resource: TemplateResource,
  attribute: string,
  known: { readonly arn: string | undefined; readonly name: string; readonly urls: { queue(name: string): string; api(): string } },
): string | undefined {
  switch (`${resource.type} ${attribute}`) {
    case 'AWS::SQS::Queue QueueName':
    case 'AWS::SNS::Topic TopicName':
      return known.name;
    case 'AWS::SQS::Queue QueueUrl':
      return known.urls.queue(known.name);
    case 'AWS::SNS::Topic TopicArn':
    case 'AWS::SecretsManager::Secret Id':
      return known.arn;
    case 'AWS::KMS::Key KeyId':
      return keyId(known.name);
    case 'AWS::ApiGatewayV2::Api ApiEndpoint':
      return known.urls.api();
    case 'AWS::ApiGatewayV2::Api ApiId':
      return known.name;
    default:
      return attribute === 'Arn' ? known.arn : undefined;
  }
}

/** Key ids are UUIDs; this one follows from the name. */
function keyId(name: string): string {
  const digest = createHash('sha256').update(name).digest('hex');
  return [digest.slice(0, 8), digest.slice(8, 12), digest.slice(12, 16), digest.slice(16, 20), digest.slice(20, 32)].join('-');
}

/** A key as templates name it, by ARN or id, as its ARN; undefined for none and for AWS's own keys. */
export function keyArn(key: unknown, place: Place): string | undefined {
  if (typeof key !== 'string' || key === '' || key.startsWith('alias/aws/')) return undefined;
  return key.startsWith('arn:') ? key : `arn:aws:kms:${place.region}:${place.accountId}:key/${key}`;
}
