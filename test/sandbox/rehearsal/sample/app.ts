import { join } from 'node:path';
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { HttpApi, HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { AttributeType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Runtime } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';

// A small stack with one of everything the rehearsal runs.
const root = join(import.meta.dirname, '..', '..', '..', '..');
// A table under a key of one's own can only be synthesized for a known region.
const stack = new Stack(new App(), 'sample', { env: { region: 'eu-central-1' } });

const key = new Key(stack, 'Key');
const table = new TableV2(stack, 'Table', {
  partitionKey: { name: 'pk', type: AttributeType.STRING },
  timeToLiveAttribute: 'expiresAt',
  encryption: TableEncryptionV2.customerManagedKey(key),
});
const dead = new Queue(stack, 'Dead', { encryption: QueueEncryption.KMS, encryptionMasterKey: key, enforceSSL: true });
const live = new Queue(stack, 'Live', {
  queueName: 'sample-live',
  encryption: QueueEncryption.KMS,
  encryptionMasterKey: key,
  enforceSSL: true,
  visibilityTimeout: Duration.seconds(60),
  deadLetterQueue: { queue: dead, maxReceiveCount: 2 },
});
const parked = new Queue(stack, 'Parked');
const secret = new Secret(stack, 'Credentials', { secretName: 'sample/credentials', encryptionKey: key });
const topic = new Topic(stack, 'Alerts', { masterKey: key });

const make = (name: string): NodejsFunction =>
  new NodejsFunction(stack, name, {
    entry: join(import.meta.dirname, `${name.toLowerCase()}.ts`),
    projectRoot: root,
    depsLockFilePath: join(root, 'package-lock.json'),
    runtime: Runtime.NODEJS_24_X,
    timeout: Duration.seconds(name === 'Worker' ? 10 : 2),
    memorySize: 256,
    ...(name === 'Intake' ? { reservedConcurrentExecutions: 2 } : {}),
    environment: {
      TABLE: table.tableName,
      LIVE: `https://sqs.${stack.region}.${stack.urlSuffix}/${stack.account}/sample-live`,
      PARKED: parked.queueUrl,
      SECRET: secret.secretArn,
      TOPIC: topic.topicArn,
    },
    bundling: {
      format: OutputFormat.ESM,
      target: 'node20',
      mainFields: ['module', 'main'],
      externalModules: [],
      banner: "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);",
    },
  });

const intake = make('Intake');
table.grantWriteData(intake);
live.grantSendMessages(intake);
parked.grantSendMessages(intake);
secret.grantRead(intake);

const worker = make('Worker');
table.grantReadWriteData(worker);
worker.addEventSource(new SqsEventSource(live, { batchSize: 10, maxConcurrency: 2, reportBatchItemFailures: true }));

new Schedule(stack, 'Tick', {
  schedule: ScheduleExpression.rate(Duration.minutes(5)),
  target: new LambdaInvoke(worker, { input: ScheduleTargetInput.fromObject({ tick: 'from the schedule' }) }),
});

const api = new HttpApi(stack, 'Api');
const integration = new HttpLambdaIntegration('IntakeRoute', intake);
api.addRoutes({ path: '/webhooks/{system}', methods: [HttpMethod.POST], integration });
api.addRoutes({ path: '/operations/{operation}', methods: [HttpMethod.POST], integration, authorizer: new HttpIamAuthorizer() });
new CfnOutput(stack, 'Url', { value: `${api.apiEndpoint}/webhooks` });
for (const [name, value] of Object.entries({ Table: table.tableName, Dead: dead.queueName, Parked: parked.queueName })) {
  new CfnOutput(stack, `${name}Name`, { value });
}
