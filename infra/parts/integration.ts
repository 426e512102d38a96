import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { type HttpApi, HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { IntegrationAlarms } from '../alarms.ts';
import { ConnectorFunction } from './connector-function.ts';
import type { FunctionEntry } from './function-code.ts';
import type { ConnectorTables } from './tables.ts';

export interface IntegrationPartProps {
  readonly name: string;
  readonly queueNames: { readonly live: string; readonly bulk: string; readonly dead: string };
  readonly environment: Readonly<Record<string, string>>;
  readonly codeFolder: string;
  readonly tables: ConnectorTables;
  readonly key: IKey;
  readonly topic: ITopic;
  readonly api: HttpApi;
  readonly secrets: readonly Secret[];
  /** Vendor keys of side a and b: the last part of the webhook addresses. */
  readonly systems: readonly string[];
}

const workerTimeout = Duration.minutes(5);

/** Everything that belongs to one integration and to no other: queues, functions with their own roles, schedules, webhook routes, alarms. */
export class IntegrationPart extends Construct {
  readonly name: string;
  readonly webhookUrls: Readonly<Record<string, string>>;
  readonly #live: IQueue;
  readonly #bulk: IQueue;
  readonly #dead: IQueue;

  constructor(scope: Construct, id: string, props: IntegrationPartProps) {
    super(scope, id);
    this.name = props.name;
    const queue = (kind: 'Live' | 'Bulk', queueName: string): Queue =>
      new Queue(this, kind, {
        queueName,
        encryption: QueueEncryption.KMS,
        encryptionMasterKey: props.key,
        enforceSSL: true,
        retentionPeriod: Duration.days(14),
        visibilityTimeout: Duration.seconds(6 * workerTimeout.toSeconds()),
        deadLetterQueue: { queue: this.#dead, maxReceiveCount: 5 },
        removalPolicy: RemovalPolicy.RETAIN,
      });
    this.#dead = new Queue(this, 'Dead', {
      queueName: props.queueNames.dead,
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: props.key,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.#live = queue('Live', props.queueNames.live);
    this.#bulk = queue('Bulk', props.queueNames.bulk);

    const make = (name: string, entry: FunctionEntry, description: string, timeout: Duration, memoryMb: number): ConnectorFunction => {
      const fn = new ConnectorFunction(this, name, {
        entry,
        description: `${props.name}: ${description}`,
        environment: props.environment,
        timeout,
        memoryMb,
        codeFolder: props.codeFolder,
      });
      for (const secret of props.secrets) secret.grantRead(fn);
      props.key.grantEncryptDecrypt(fn);
      return fn;
    };
    const receive = make('ReceiveWebhook', 'receive-webhook', 'verifies webhooks and queues them', Duration.seconds(9), 256);
    const poll = make('Poll', 'poll', 'lists what changed and queues it', workerTimeout, 512);
    const worker = make('ProcessChanges', 'process-changes', 'maps and writes', workerTimeout, 1024);
    const keeper = make('RenewChannels', 'renew-channels', 'renewals, due holds, waiting records, reports', workerTimeout, 512);

    props.tables.grantIntake(receive);
    for (const fn of [poll, worker, keeper]) props.tables.grantWork(fn);
    for (const fn of [receive, poll, worker, keeper]) {
      this.#live.grantSendMessages(fn);
      props.topic.grantPublish(fn);
    }
    for (const fn of [poll, worker, keeper]) this.#bulk.grantSendMessages(fn);
    this.#dead.grantSendMessages(worker);
    this.#dead.grantConsumeMessages(keeper);

    // Two at a time is the least AWS allows; a vendor with a single session makes the second one wait for its lane.
    worker.addEventSource(new SqsEventSource(this.#live, { batchSize: 10, maxConcurrency: 4, reportBatchItemFailures: true }));
    // A message of a large poll holds twenty records: three of them are what a worker can write in its time, the rest would only be put back.
    worker.addEventSource(new SqsEventSource(this.#bulk, { batchSize: 3, maxConcurrency: 2, reportBatchItemFailures: true }));

    this.#every('PollSchedule', Duration.minutes(5), poll, 'asks which flows are due');
    this.#every('KeepSchedule', Duration.minutes(30), keeper, 'housekeeping');

    const path = (system: string): string => `/webhooks/${props.name}/${system}`;
    const target = new HttpLambdaIntegration('WebhookRoute', receive);
    // Every method: what a wrong one is answered is the vendor's temper, decided in the function and not by the gateway's 404.
    for (const system of props.systems) props.api.addRoutes({ path: path(system), methods: [HttpMethod.ANY], integration: target });
    this.webhookUrls = Object.fromEntries(props.systems.map((system) => [system, `${props.api.apiEndpoint}${path(system)}`]));

    new IntegrationAlarms(this, 'Alarms', {
      integration: props.name,
      topic: props.topic,
      deadLetters: this.#dead,
      live: this.#live,
      functions: { ReceiveWebhook: receive, Poll: poll, ProcessChanges: worker, RenewChannels: keeper },
    });
  }

  /** What the operations function may do with these queues: send, look, and take dead letters. */
  grantOperations(grantee: IGrantable): void {
    this.#live.grantSendMessages(grantee);
    this.#live.grant(grantee, 'sqs:GetQueueAttributes');
    this.#bulk.grantSendMessages(grantee);
    this.#bulk.grant(grantee, 'sqs:GetQueueAttributes');
    this.#dead.grantConsumeMessages(grantee);
  }

  #every(id: string, interval: Duration, fn: IFunction, what: string): void {
    new Schedule(this, id, {
      schedule: ScheduleExpression.rate(interval),
      description: `${this.name}: ${what}`,
      target: new LambdaInvoke(fn, {
        input: ScheduleTargetInput.fromObject({ integration: this.name }),
        // The next tick comes soon and the cursor has not moved: a late tick is worth nothing.
        retryAttempts: 1,
        maxEventAge: interval,
      }),
    });
  }
}
