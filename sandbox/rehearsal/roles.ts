import { isRecord } from '../cloud/aws-json.ts';
import type { LocalIam, PolicyDocument, PolicyStatement } from '../cloud/iam.ts';
import type { Names } from './names.ts';
import type { Resource } from './resources.ts';

const lambdaLogs: PolicyStatement = {
  Effect: 'Allow',
  Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
  Resource: '*',
};
/** Policies of AWS that templates name, by the end of their ARN. */
const managed: Readonly<Record<string, readonly PolicyStatement[]>> = {
  'service-role/AWSLambdaBasicExecutionRole': [lambdaLogs],
  AWSXRayDaemonWriteAccess: [{ Effect: 'Allow', Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], Resource: '*' }],
};

/** Everything the template lets a role do, by the role's ARN. Throws for a policy of AWS that is not known here. */
export function policiesByRole(resources: readonly Resource[], names: Names): ReadonlyMap<string, readonly PolicyDocument[]> {
  const byName = new Map<string, { readonly arn: string; readonly policies: PolicyDocument[] }>();
  for (const role of resources.filter((resource) => resource.type === 'AWS::IAM::Role')) {
    const inline = listOf(role.properties['Policies']).map((policy) => documentOf(isRecord(policy) ? policy['PolicyDocument'] : undefined));
    const named = listOf(role.properties['ManagedPolicyArns']).map(String);
    const theirs = named
      .filter((arn) => arn.startsWith('arn:aws:iam::aws:policy/'))
      .map((arn) => {
        const statements = managed[arn.slice('arn:aws:iam::aws:policy/'.length)];
        if (statements === undefined) throw new Error(`${role.logicalId}: the managed policy ${arn} is not known to the rehearsal`);
        return { Statement: statements };
      });
    byName.set(names.physicalName(role), { arn: names.attribute(role.logicalId, 'Arn'), policies: [...inline, ...theirs] });
  }
  for (const policy of resources.filter(({ type }) => type === 'AWS::IAM::Policy' || type === 'AWS::IAM::ManagedPolicy')) {
    for (const name of listOf(policy.properties['Roles']).map(String)) {
      const role = byName.get(name);
      if (role === undefined) throw new Error(`${policy.logicalId} is attached to the role ${name}, which the template does not create`);
      role.policies.push(documentOf(policy.properties['PolicyDocument']));
    }
  }
  return new Map([...byName.values()].map(({ arn, policies }) => [arn, policies]));
}

/** Policies attached to keys and queues. */
export function attachResourcePolicies(iam: LocalIam, resources: readonly Resource[], names: Names): void {
  for (const resource of resources) {
    if (resource.type === 'AWS::KMS::Key')
      iam.attach(names.attribute(resource.logicalId, 'Arn'), documentOf(resource.properties['KeyPolicy']));
    if (resource.type !== 'AWS::SQS::QueuePolicy') continue;
    for (const url of listOf(resource.properties['Queues']).map(String)) {
      const queue = resources.find((other) => other.type === 'AWS::SQS::Queue' && names.ref(other.logicalId) === url);
      if (queue === undefined) throw new Error(`${resource.logicalId} is about ${url}, which the template does not create`);
      iam.attach(names.attribute(queue.logicalId, 'Arn'), documentOf(resource.properties['PolicyDocument']));
    }
  }
}

function documentOf(value: unknown): PolicyDocument {
  if (!isRecord(value)) throw new Error(`not a policy document: ${JSON.stringify(value)}`);
  const statements = Array.isArray(value['Statement']) ? value['Statement'] : [value['Statement']];
  return { Statement: statements as readonly PolicyStatement[] };
}

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);
