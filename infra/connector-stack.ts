import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnStage, HttpApi, HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription, UrlSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { type Environment, environmentRecord } from '../lib/aws/environment.ts';
import type { Configuration } from '../lib/configuration/schema.ts';
import { ConnectorFunction } from './parts/connector-function.ts';
import { IntegrationPart } from './parts/integration.ts';
import { ConnectorTables } from './parts/tables.ts';

export interface ConnectorStackProps extends StackProps {
  readonly configuration: Configuration;
  /** The bundled functions, with the same configuration beside them. */
  readonly codeFolder: string;
  /** Vendors that send webhooks: only they get an address. */
  readonly webhookVendors: readonly string[];
}

/** The whole deployment of one connector.yaml; the only place that wires parts. */
export class ConnectorStack extends Stack {
  constructor(scope: Construct, id: string, props: ConnectorStackProps) {
    super(scope, id, props);
    const { codeFolder, configuration } = props;

    const key = new Key(this, 'Key', {
      description: `ml-connector ${configuration.stack}: tables, queues, secrets`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const tables = new ConnectorTables(this, 'Tables', { prefix: configuration.stack, key });
    const topic = new Topic(this, 'Alerts', { topicName: `${configuration.stack}-alerts`, masterKey: key, enforceSSL: true });
    for (const address of configuration.alerts.email) topic.addSubscription(new EmailSubscription(address));
    for (const url of configuration.alerts.https) topic.addSubscription(new UrlSubscription(url));

    // A person puts the credentials in after the deployment. They outlive the stack: losing a refresh token means a new consent.
    const secrets = Object.fromEntries(
      Object.entries(configuration.connections).map(([name, connection]) => [
        name,
        new Secret(this, `Secret-${name}`, {
          secretName: connection.secret,
          description: `Credentials of connection ${name} (${connection.vendor})`,
          encryptionKey: key,
          removalPolicy: RemovalPolicy.RETAIN,
        }),
      ]),
    );

    const api = new HttpApi(this, 'Api', {
      apiName: configuration.stack,
      description: 'Webhooks and operations of ml-connector',
      createDefaultStage: true,
    });
    const stage = api.defaultStage?.node.defaultChild;
    // Far above any vendor's burst, far below what an attacker would like: what is throttled here is answered 429 and sent again.
    if (stage instanceof CfnStage)
      stage.defaultRouteSettings = { throttlingBurstLimit: 500, throttlingRateLimit: 200, detailedMetricsEnabled: true };

    const queueNames = (integration: string) => {
      const name = (kind: string): string => `${configuration.stack}-${integration}-${kind}`;
      return { live: name('live'), bulk: name('bulk'), dead: name('dead') };
    };
    const environment = (integrations: readonly string[]): Environment => ({
      stack: configuration.stack,
      linksTable: tables.links.tableName,
      auditTable: tables.audit.tableName,
      stateTable: tables.state.tableName,
      alertTopic: topic.topicArn,
      configurationPath: 'connector.json',
      auditYears: configuration.auditYears,
      queues: Object.fromEntries(
        integrations.map((integration) => {
          const names = queueNames(integration);
          const url = (name: string): string => `https://sqs.${this.region}.${this.urlSuffix}/${this.account}/${name}`;
          return [integration, { live: url(names.live), bulk: url(names.bulk), dead: url(names.dead) }];
        }),
      ),
    });

    const parts = Object.entries(configuration.integrations).map(
      ([name, integration]) =>
        new IntegrationPart(this, `Integration-${name}`, {
          name,
          queueNames: queueNames(name),
          environment: environmentRecord(environment([name])),
          codeFolder,
          tables,
          key,
          topic,
          api,
          secrets: [secrets[integration.a], secrets[integration.b]].filter((secret) => secret !== undefined),
          systems: [integration.a, integration.b]
            .map((connection) => configuration.connections[connection]?.vendor ?? '')
            .filter((vendor) => props.webhookVendors.includes(vendor)),
        }),
    );

    const operations = new ConnectorFunction(this, 'Operations', {
      entry: 'operations',
      description: 'What operators ask: status, explain, holds, replay, dead letters, settings',
      environment: environmentRecord(environment(Object.keys(configuration.integrations))),
      timeout: Duration.seconds(29), // HTTP API cuts at 30
      memoryMb: 512,
      codeFolder,
    });
    tables.grantWork(operations);
    for (const secret of Object.values(secrets)) secret.grantRead(operations);
    for (const part of parts) part.grantOperations(operations);
    topic.grantPublish(operations);
    api.addRoutes({
      path: '/operations/{operation}',
      methods: [HttpMethod.POST],
      integration: new HttpLambdaIntegration('OperationsRoute', operations),
      authorizer: new HttpIamAuthorizer(),
    });
    key.grantEncryptDecrypt(operations);
    operations.addToRolePolicy(new PolicyStatement({ actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], resources: ['*'] }));

    new CfnOutput(this, 'OperationsUrl', { value: `${api.apiEndpoint}/operations`, description: 'For the CLI: ml-connector --url' });
    for (const part of parts) {
      for (const [system, url] of Object.entries(part.webhookUrls)) {
        new CfnOutput(this, `Webhook-${part.name}-${system}`.replaceAll(/[^A-Za-z0-9]/g, ''), {
          value: url,
          description: `Register this at ${system} for ${part.name}`,
        });
      }
    }
  }
}
