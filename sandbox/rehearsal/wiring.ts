import type { Place } from '../cloud/access.ts';
import { isRecord } from '../cloud/aws-json.ts';
import type { LocalIam, PolicyDocument } from '../cloud/iam.ts';
import type { EventSource } from './event-source.ts';
import { longestWaitMs, type Route } from './http-api.ts';
import type { LocalFunction } from './lambda.ts';
import type { Names } from './names.ts';
import type { Resource } from './resources.ts';
import { listOf } from './roles.ts';
import type { FunctionSchedule } from './schedules.ts';

/** What the connecting resources of a template are read with. */
export interface Wiring {
  readonly resources: readonly Resource[];
  readonly names: Names;
  readonly place: Place;
  readonly functions: readonly LocalFunction[];
  readonly iam: LocalIam;
  readonly policies: ReadonlyMap<string, readonly PolicyDocument[]>;
}

const ofType = ({ resources }: Wiring, type: string): readonly Resource[] => resources.filter((resource) => resource.type === type);

/** By ARN or name, as templates refer to functions. */
function functionOf(wiring: Wiring, reference: unknown, who: string): LocalFunction {
  const text = String(reference);
  // The long form of API Gateway carries the ARN inside: …:lambda:path/2015-03-31/functions/<arn>/invocations
  const plain = /functions\/(arn:.+)\/invocations$/.exec(text)?.[1] ?? text;
  const found = wiring.functions.find(({ definition }) => definition.arn === plain || definition.name === plain);
  if (found === undefined) throw new Error(`${who}: ${text} is no function of this template`);
  return found;
}

function refuse(resource: Resource, what: string): never {
  throw new Error(`${resource.logicalId}: ${what} is not supported`);
}

/** The HTTP API and its routes; undefined when the template has none. */
export function routesOf(
  wiring: Wiring,
): { readonly id: string; readonly routes: readonly Route[]; readonly stageVariables?: Readonly<Record<string, string>> } | undefined {
  const apis = ofType(wiring, 'AWS::ApiGatewayV2::Api');
  const [api] = apis;
  if (api === undefined) return undefined;
  if (apis.length > 1) refuse(apis[1] ?? api, 'a second HTTP API');
  if (api.properties['ProtocolType'] !== 'HTTP') refuse(api, `ProtocolType ${String(api.properties['ProtocolType'])}`);
  const stage = ofType(wiring, 'AWS::ApiGatewayV2::Stage').find((one) => one.properties['StageName'] === '$default');
  if (stage === undefined) refuse(api, 'an HTTP API without the stage $default');
  const variables = stage.properties['StageVariables'];
  return {
    id: wiring.names.physicalName(api),
    routes: ofType(wiring, 'AWS::ApiGatewayV2::Route').map((route) => routeOf(wiring, route)),
    ...(isRecord(variables)
      ? { stageVariables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, String(value)])) }
      : {}),
  };
}

function routeOf(wiring: Wiring, route: Resource): Route {
  const integrationId = String(route.properties['Target']).replace(/^integrations\//, '');
  const integration = ofType(wiring, 'AWS::ApiGatewayV2::Integration').find((one) => wiring.names.ref(one.logicalId) === integrationId);
  if (integration === undefined) refuse(route, `the target ${String(route.properties['Target'])}`);
  const { IntegrationType: type, PayloadFormatVersion: format, IntegrationUri: uri, TimeoutInMillis: timeoutMs } = integration.properties;
  if (type !== 'AWS_PROXY' || format !== '2.0') refuse(integration, `${String(type)} with payload format ${String(format)}`);
  const authorization = route.properties['AuthorizationType'] ?? 'NONE';
  if (authorization !== 'NONE' && authorization !== 'AWS_IAM') refuse(route, `AuthorizationType ${String(authorization)}`);
  const target = functionOf(wiring, uri, integration.logicalId);
  demandPermission(wiring, target, 'apigateway.amazonaws.com', route.logicalId);
  return {
    routeKey: String(route.properties['RouteKey']),
    function: target,
    signed: authorization === 'AWS_IAM',
    timeoutMs: Number(timeoutMs ?? longestWaitMs),
  };
}

/** Without it AWS would deploy the route and answer every call with 500. */
function demandPermission(wiring: Wiring, target: LocalFunction, principal: string, who: string): void {
  const given = ofType(wiring, 'AWS::Lambda::Permission').some(
    ({ properties }) =>
      properties['Principal'] === principal &&
      [target.definition.arn, target.definition.name].includes(String(properties['FunctionName'])) &&
      ['lambda:InvokeFunction', 'lambda:*'].includes(String(properties['Action'])),
  );
  if (!given) throw new Error(`${who}: ${principal} has no AWS::Lambda::Permission to invoke ${target.definition.logicalId}`);
}

/** The queues that feed functions. Refuses what AWS refuses when it creates the mapping. */
export function eventSourcesOf(wiring: Wiring): readonly EventSource[] {
  return ofType(wiring, 'AWS::Lambda::EventSourceMapping')
    .filter(({ properties }) => properties['Enabled'] !== false)
    .map((mapping) => {
      const { properties } = mapping;
      const target = functionOf(wiring, properties['FunctionName'], mapping.logicalId);
      const queueArn = String(properties['EventSourceArn']);
      const queue = ofType(wiring, 'AWS::SQS::Queue').find((one) => wiring.names.attribute(one.logicalId, 'Arn') === queueArn);
      if (queue === undefined) refuse(mapping, `the event source ${queueArn}`);
      const visibilitySeconds = Number(queue.properties['VisibilityTimeout'] ?? 30);
      if (visibilitySeconds < target.definition.timeoutSeconds) {
        throw new Error(
          `${mapping.logicalId}: Queue visibility timeout: ${visibilitySeconds} seconds is less than Function timeout: ${target.definition.timeoutSeconds} seconds`,
        );
      }
      for (const action of ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']) {
        if (wiring.iam.authorize({ accessKeyId: target.definition.credentials.accessKeyId, action, resource: queueArn })) {
          throw new Error(`${mapping.logicalId}: The provided execution role does not have permissions to call ${action.slice(4)} on SQS`);
        }
      }
      const scaling = properties['ScalingConfig'];
      const maximum = isRecord(scaling) ? Number(scaling['MaximumConcurrency']) : undefined;
      if (maximum !== undefined && !(maximum >= 2 && maximum <= 1000)) refuse(mapping, `MaximumConcurrency ${maximum} (2 to 1000)`);
      const batchSize = Number(properties['BatchSize'] ?? 10);
      const batchingWindowSeconds = Number(properties['MaximumBatchingWindowInSeconds'] ?? 0);
      if (batchSize > 10 && batchingWindowSeconds < 1) refuse(mapping, `BatchSize ${batchSize} without MaximumBatchingWindowInSeconds`);
      return {
        function: target,
        queueUrl: wiring.names.ref(queue.logicalId),
        queueArn,
        batchSize,
        batchingWindowSeconds,
        maximumConcurrency: maximum,
        reportsItemFailures: listOf(properties['FunctionResponseTypes']).includes('ReportBatchItemFailures'),
      };
    });
}

/** Schedules of EventBridge Scheduler and rules with a schedule, those that are enabled. */
export function schedulesOf(wiring: Wiring): readonly FunctionSchedule[] {
  const enabled = (resource: Resource): boolean => resource.properties['State'] !== 'DISABLED';
  const scheduler = ofType(wiring, 'AWS::Scheduler::Schedule')
    .filter(enabled)
    .map((schedule) => {
      const { Target: target, ScheduleExpressionTimezone: zone } = schedule.properties;
      if (!isRecord(target)) refuse(schedule, 'a schedule without target');
      const unknown = Object.keys(target).filter((name) => !['Arn', 'Input', 'RoleArn', 'RetryPolicy', 'DeadLetterConfig'].includes(name));
      if (unknown.length > 0) refuse(schedule, `Target.${unknown[0]}`);
      if (zone !== undefined && !['UTC', 'Etc/UTC'].includes(String(zone))) refuse(schedule, `the time zone ${String(zone)}`);
      const invoked = functionOf(wiring, target['Arn'], schedule.logicalId);
      const roleArn = String(target['RoleArn']);
      const role = { name: roleArn, roleArn, policies: wiring.policies.get(roleArn) ?? [] };
      const denial = wiring.iam.check(role, { action: 'lambda:InvokeFunction', resource: invoked.definition.arn });
      if (denial) throw new Error(`${schedule.logicalId}: the role of the schedule may not invoke the function because ${denial.because}`);
      return scheduleOf(wiring, schedule, invoked, target['Input']);
    });
  const rules = ofType(wiring, 'AWS::Events::Rule')
    .filter(enabled)
    .flatMap((rule) =>
      listOf(rule.properties['Targets']).map((target) => {
        if (!isRecord(target) || rule.properties['ScheduleExpression'] === undefined) refuse(rule, 'a rule without schedule or target');
        const unknown = Object.keys(target).filter((name) => !['Arn', 'Id', 'Input', 'RetryPolicy'].includes(name));
        if (unknown.length > 0) refuse(rule, `Targets.${unknown[0]}`);
        const invoked = functionOf(wiring, target['Arn'], rule.logicalId);
        demandPermission(wiring, invoked, 'events.amazonaws.com', rule.logicalId);
        return scheduleOf(wiring, rule, invoked, target['Input']);
      }),
    );
  return [...scheduler, ...rules];
}

const usualRetries = 2;

function scheduleOf(wiring: Wiring, resource: Resource, invoked: LocalFunction, input: unknown): FunctionSchedule {
  const settings = ofType(wiring, 'AWS::Lambda::EventInvokeConfig').find((one) =>
    [invoked.definition.arn, invoked.definition.name].includes(String(one.properties['FunctionName'])),
  );
  return {
    name: wiring.names.physicalName(resource),
    arn: wiring.names.attribute(resource.logicalId, 'Arn'),
    expression: String(resource.properties['ScheduleExpression']),
    function: invoked,
    input: typeof input === 'string' ? input : undefined,
    retries: Number(settings?.properties['MaximumRetryAttempts'] ?? usualRetries),
  };
}
