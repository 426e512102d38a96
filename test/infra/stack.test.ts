import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectorStack } from '../../infra/connector-stack.ts';
import { writeConfigurationFile } from '../../infra/parts/function-code.ts';
import { catalog } from '../../lib/catalog.ts';
import { loadConfiguration } from '../../lib/configuration/load.ts';

/** The template of the example, without the bundled functions: what is deployed is told by the template, not by the code in it. */
const folder = mkdtempSync(join(tmpdir(), 'ml-connector-infra-'));
let template: Template;

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

function resources(type: string): (readonly [string, Resource])[] {
  const found: Readonly<Record<string, object>> = template.findResources(type);
  return Object.entries(found) as [string, Resource][];
}

beforeAll(() => {
  const configuration = loadConfiguration(readFileSync('docs/examples/acumatica-zuora.yaml', 'utf8'), catalog);
  const app = new App({
    outdir: join(folder, 'out'),
    context: JSON.parse(readFileSync('cdk.json', 'utf8')).context,
  });
  const codeFolder = join(folder, 'code');
  writeConfigurationFile(codeFolder, configuration);
  const stack = new ConnectorStack(app, configuration.stack, {
    configuration,
    codeFolder,
    webhookVendors: ['zuora'],
    env: { region: 'eu-central-1' },
  });
  template = Template.fromStack(stack);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the stack of a connector.yaml', () => {
  it('has a live and a bulk queue whose messages end in the dead-letter queue after five deliveries', () => {
    const queues = resources('AWS::SQS::Queue');
    expect(queues).toHaveLength(3);
    template.resourcePropertiesCountIs(
      'AWS::SQS::Queue',
      { RedrivePolicy: { maxReceiveCount: 5, deadLetterTargetArn: Match.anyValue() } },
      2,
    );
  });

  it('encrypts queues, tables and secrets with the key of the stack and refuses requests without TLS', () => {
    for (const [, queue] of resources('AWS::SQS::Queue')) expect(queue.Properties).toHaveProperty('KmsMasterKeyId');
    for (const [, secret] of resources('AWS::SecretsManager::Secret')) expect(secret.Properties).toHaveProperty('KmsKeyId');
    expect(resources('AWS::SQS::QueuePolicy')).toHaveLength(3);
    template.allResourcesProperties('AWS::DynamoDB::GlobalTable', { SSESpecification: { SSEEnabled: true, SSEType: 'KMS' } });
  });

  it('keeps what a ledger depends on when the stack is deleted', () => {
    for (const type of ['AWS::DynamoDB::GlobalTable', 'AWS::SQS::Queue', 'AWS::SecretsManager::Secret', 'AWS::KMS::Key']) {
      for (const [id, resource] of resources(type)) expect(resource.DeletionPolicy, id).toBe('Retain');
    }
    template.resourcePropertiesCountIs(
      'AWS::DynamoDB::GlobalTable',
      { Replicas: [Match.objectLike({ DeletionProtectionEnabled: true })] },
      2,
    );
    template.allResourcesProperties('AWS::DynamoDB::GlobalTable', {
      Replicas: [Match.objectLike({ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } })],
    });
  });

  it('gives every function a time limit below the visibility of its queue and the newest runtime', () => {
    const functions = resources('AWS::Lambda::Function');
    expect(functions).toHaveLength(5);
    for (const [id, fn] of functions) {
      expect(fn.Properties, id).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
      expect(fn.Properties['Timeout'], id).toBeLessThanOrEqual(300);
    }
    template.resourcePropertiesCountIs('AWS::SQS::Queue', { VisibilityTimeout: 1800 }, 2);
  });

  it('delivers only the failed messages of a batch again, and never more than a few batches at once', () => {
    template.allResourcesProperties('AWS::Lambda::EventSourceMapping', {
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: Match.anyValue() },
    });
  });

  it('opens only the webhook address of a vendor that sends webhooks, and guards the operations by IAM', () => {
    const routes = resources('AWS::ApiGatewayV2::Route').map(([, route]) => [
      route.Properties['RouteKey'],
      route.Properties['AuthorizationType'],
    ]);
    expect(routes.sort()).toEqual([
      ['ANY /webhooks/acumatica-zuora/zuora', 'NONE'],
      ['POST /operations/{operation}', 'AWS_IAM'],
    ]);
  });

  it('ticks polls every five minutes and housekeeping every thirty', () => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', { ScheduleExpression: 'rate(5 minutes)' });
    template.hasResourceProperties('AWS::Scheduler::Schedule', { ScheduleExpression: 'rate(30 minutes)' });
  });

  it('grants no action on everything, except what X-Ray and keys need', () => {
    const allowed = ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'];
    for (const [id, policy] of resources('AWS::IAM::Policy')) {
      const statements = (policy.Properties['PolicyDocument'] as { Statement: { Action: string | string[]; Resource: unknown }[] })
        .Statement;
      for (const statement of statements) {
        const actions = [statement.Action].flat();
        expect(
          actions.every((action) => !action.endsWith(':*')),
          `${id}: ${actions.join()}`,
        ).toBe(true);
        if (statement.Resource === '*')
          expect(
            actions.every((action) => allowed.includes(action)),
            `${id}: ${actions.join()}`,
          ).toBe(true);
      }
    }
  });

  it('the webhook function may not touch the dead letters, and no function but operations and housekeeping may take them', () => {
    const takers = resources('AWS::IAM::Policy').filter(
      ([, policy]) =>
        JSON.stringify(policy).match(/sqs:ReceiveMessage/) && JSON.stringify(policy).match(/Dead[A-F0-9]{8}/) && consumesDead(policy),
    );
    expect(takers.map(([id]) => id.replace(/.*?(Operations|RenewChannels|ProcessChanges|Poll|ReceiveWebhook).*/, '$1')).sort()).toEqual([
      'Operations',
      'RenewChannels',
    ]);
  });

  it('every alarm says what it does to a person and where the runbook helps', () => {
    const runbook = readFileSync('docs/runbook.md', 'utf8');
    const anchors = [...runbook.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-'));
    const used = new Set<string>();
    for (const [id, alarm] of resources('AWS::CloudWatch::Alarm')) {
      const [, impact = '', anchor = ''] =
        /^(.*\.) See docs\/runbook\.md#([a-z-]+)$/.exec(String(alarm.Properties['AlarmDescription'])) ?? [];
      expect(impact.length, id).toBeGreaterThan(30);
      expect(anchors, id).toContain(anchor);
      used.add(anchor);
    }
    expect(
      anchors.filter((anchor) => !used.has(anchor)),
      'headings of the runbook that no alarm names',
    ).toEqual([]);
  });
});

function consumesDead(policy: Resource): boolean {
  const statements = statementsOf(policy);
  return statements.some(
    (statement) => [statement.Action].flat().includes('sqs:ReceiveMessage') && /Dead[A-F0-9]{8}/.test(JSON.stringify(statement.Resource)),
  );
}

function statementsOf(policy: Resource): { Action: string | string[]; Resource: unknown }[] {
  return (policy.Properties['PolicyDocument'] as { Statement: { Action: string | string[]; Resource: unknown }[] }).Statement;
}
