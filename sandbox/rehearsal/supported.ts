import type { TemplateResource } from './template.ts';

/** Types without a meaning on one machine: nothing that runs here would behave differently without them. */
const withoutMeaning: ReadonlySet<string> = new Set([
  'AWS::CDK::Metadata',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::KMS::Alias',
  'AWS::Logs::LogGroup',
  'AWS::Logs::MetricFilter',
  'AWS::Logs::QueryDefinition',
  'AWS::SNS::Subscription', // what is published is kept and shown; nobody is notified
  'AWS::SNS::TopicPolicy', // lets services of AWS publish: alarms, which do not exist here
  'AWS::Scheduler::ScheduleGroup',
]);

/**
 * Properties of the types that are run. The first list is carried out, the second has no meaning on one machine; anything else would make the
 * rehearsal differ from the deployment and is refused.
 */
const properties: Readonly<Record<string, { readonly used: readonly string[]; readonly without: readonly string[] }>> = {
  'AWS::ApiGatewayV2::Api': {
    used: ['Name', 'ProtocolType'],
    without: ['Description', 'Tags', 'DisableExecuteApiEndpoint', 'IpAddressType'],
  },
  'AWS::ApiGatewayV2::Integration': {
    used: ['ApiId', 'IntegrationType', 'IntegrationUri', 'PayloadFormatVersion', 'TimeoutInMillis'],
    without: ['Description', 'IntegrationMethod', 'CredentialsArn'],
  },
  'AWS::ApiGatewayV2::Route': {
    used: ['ApiId', 'RouteKey', 'Target', 'AuthorizationType'],
    without: ['OperationName', 'ApiKeyRequired'],
  },
  'AWS::ApiGatewayV2::Stage': {
    used: ['ApiId', 'StageName', 'AutoDeploy', 'StageVariables'],
    without: ['Description', 'DefaultRouteSettings', 'RouteSettings', 'AccessLogSettings', 'Tags'],
  },
  'AWS::DynamoDB::GlobalTable': {
    used: [
      'TableName',
      'AttributeDefinitions',
      'KeySchema',
      'GlobalSecondaryIndexes',
      'LocalSecondaryIndexes',
      'TimeToLiveSpecification',
      'Replicas',
      'BillingMode',
      'SSESpecification',
    ],
    without: ['WriteOnDemandThroughputSettings', 'WarmThroughput'],
  },
  'AWS::DynamoDB::Table': {
    used: [
      'TableName',
      'AttributeDefinitions',
      'KeySchema',
      'GlobalSecondaryIndexes',
      'LocalSecondaryIndexes',
      'TimeToLiveSpecification',
      'BillingMode',
      'SSESpecification',
    ],
    without: ['PointInTimeRecoverySpecification', 'DeletionProtectionEnabled', 'Tags', 'ContributorInsightsSpecification', 'TableClass'],
  },
  'AWS::Events::Rule': { used: ['Name', 'ScheduleExpression', 'State', 'Targets'], without: ['Description', 'Tags'] },
  'AWS::IAM::ManagedPolicy': { used: ['PolicyDocument', 'Roles'], without: ['ManagedPolicyName', 'Description', 'Path'] },
  'AWS::IAM::Policy': { used: ['PolicyDocument', 'Roles'], without: ['PolicyName'] },
  'AWS::IAM::Role': {
    used: ['RoleName', 'Policies', 'ManagedPolicyArns'],
    without: ['AssumeRolePolicyDocument', 'Description', 'Tags', 'Path', 'MaxSessionDuration'],
  },
  'AWS::KMS::Key': {
    used: ['KeyPolicy'],
    without: ['Description', 'EnableKeyRotation', 'RotationPeriodInDays', 'PendingWindowInDays', 'Tags', 'KeySpec', 'KeyUsage', 'Enabled'],
  },
  'AWS::Lambda::EventInvokeConfig': { used: ['FunctionName', 'MaximumRetryAttempts', 'Qualifier'], without: ['MaximumEventAgeInSeconds'] },
  'AWS::Lambda::EventSourceMapping': {
    used: [
      'BatchSize',
      'Enabled',
      'EventSourceArn',
      'FunctionName',
      'FunctionResponseTypes',
      'MaximumBatchingWindowInSeconds',
      'ScalingConfig',
    ],
    without: ['Tags', 'MetricsConfig', 'LoggingConfig'],
  },
  'AWS::Lambda::Function': {
    used: [
      'Code',
      'Environment',
      'FunctionName',
      'Handler',
      'MemorySize',
      'ReservedConcurrentExecutions',
      'Role',
      'Runtime',
      'Timeout',
      'LoggingConfig',
    ],
    without: ['Architectures', 'Description', 'KmsKeyArn', 'Tags', 'TracingConfig', 'RuntimeManagementConfig', 'RecursiveLoop'],
  },
  'AWS::Lambda::Permission': { used: ['Action', 'FunctionName', 'Principal', 'SourceArn'], without: ['SourceAccount'] },
  'AWS::SNS::Topic': {
    used: ['TopicName', 'KmsMasterKeyId'],
    without: ['DisplayName', 'Tags', 'TracingConfig', 'SignatureVersion', 'Subscription'],
  },
  'AWS::SQS::Queue': {
    used: [
      'DelaySeconds',
      'KmsMasterKeyId',
      'MaximumMessageSize',
      'MessageRetentionPeriod',
      'QueueName',
      'ReceiveMessageWaitTimeSeconds',
      'RedrivePolicy',
      'VisibilityTimeout',
    ],
    without: ['KmsDataKeyReusePeriodSeconds', 'SqsManagedSseEnabled', 'RedriveAllowPolicy', 'Tags'],
  },
  'AWS::SQS::QueuePolicy': { used: ['PolicyDocument', 'Queues'], without: [] },
  'AWS::Scheduler::Schedule': {
    used: ['Name', 'ScheduleExpression', 'ScheduleExpressionTimezone', 'State', 'Target'],
    without: ['Description', 'FlexibleTimeWindow', 'GroupName', 'KmsKeyArn'],
  },
  'AWS::SecretsManager::Secret': {
    used: ['GenerateSecretString', 'KmsKeyId', 'Name', 'SecretString', 'Description'],
    without: ['Tags'],
  },
};

/** The resources the rehearsal carries out. Throws with every logical id that has something it would have to ignore. */
export function supportedResources(resources: readonly TemplateResource[]): readonly TemplateResource[] {
  const problems: string[] = [];
  const carriedOut = resources.filter((resource) => !withoutMeaning.has(resource.type));
  for (const { logicalId, type, properties: given } of carriedOut) {
    const known = properties[type];
    if (known === undefined) {
      problems.push(`${logicalId}: the resource type ${type} is not supported`);
      continue;
    }
    const unknown = Object.keys(given).filter((name) => !known.used.includes(name) && !known.without.includes(name));
    for (const name of unknown) problems.push(`${logicalId}: the property ${name} of ${type} is not supported`);
  }
  if (problems.length > 0)
    throw new Error(`The rehearsal cannot run this template as AWS would:\n${problems.map((one) => `- ${one}`).join('\n')}`);
  return carriedOut;
}
