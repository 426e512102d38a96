import { describe, expect, test } from 'vitest';
import { localPlace } from '../../../sandbox/cloud/access.ts';
import { createIam, type PolicyStatement } from '../../../sandbox/cloud/iam.ts';
import { startSns } from '../../../sandbox/cloud/sns.ts';

const roleArn = 'arn:aws:iam::000000000000:role/worker';
const table = 'arn:aws:dynamodb:us-east-1:000000000000:table/links';
const allow = (more: Omit<PolicyStatement, 'Effect'>): PolicyStatement => ({ Effect: 'Allow', ...more });
const deny = (more: Omit<PolicyStatement, 'Effect'>): PolicyStatement => ({ Effect: 'Deny', ...more });

function asked(statements: readonly PolicyStatement[], action: string, resource: string, context?: Record<string, string>): string {
  const iam = createIam(localPlace);
  const { accessKeyId } = iam.admit({ name: 'worker', roleArn, policies: [{ Statement: statements }] });
  const denial = iam.authorize({ accessKeyId, action, resource, ...(context ? { context } : {}) });
  return denial === undefined ? 'allowed' : denial.because.startsWith('of an explicit') ? 'denied' : 'not allowed';
}

describe('identity policies', () => {
  test.each<[string, readonly PolicyStatement[], string, string, string]>([
    ['nothing allows nothing', [], 'dynamodb:GetItem', table, 'not allowed'],
    ['an action in any case', [allow({ Action: 'dynamodb:getitem', Resource: table })], 'dynamodb:GetItem', table, 'allowed'],
    ['one of several', [allow({ Action: ['a:B', 'dynamodb:Get*'], Resource: ['x', table] })], 'dynamodb:GetItem', table, 'allowed'],
    ['the table is not its index', [allow({ Action: '*', Resource: table })], 'dynamodb:Query', `${table}/index/byState`, 'not allowed'],
    ['its indexes', [allow({ Action: '*', Resource: `${table}/index/*` })], 'dynamodb:Query', `${table}/index/byState`, 'allowed'],
    ['a question mark is one character', [allow({ Action: 'dynamodb:?etItem', Resource: '*' })], 'dynamodb:GetItem', table, 'allowed'],
    ['a dot is a dot', [allow({ Action: '*', Resource: 'a.b' })], 's3:GetObject', 'axb', 'not allowed'],
    [
      'a deny wins',
      [allow({ Action: '*', Resource: '*' }), deny({ Action: 'dynamodb:DeleteItem', Resource: '*' })],
      'dynamodb:DeleteItem',
      table,
      'denied',
    ],
    ['NotAction', [allow({ NotAction: 'iam:*', Resource: '*' })], 'iam:CreateRole', '*', 'not allowed'],
    ['NotResource', [allow({ Action: '*', NotResource: table })], 'dynamodb:GetItem', table, 'not allowed'],
  ])('%s', (_, statements, action, resource, answer) => {
    expect(asked(statements, action, resource)).toBe(answer);
  });

  test.each<[string, PolicyStatement['Condition'], string]>([
    ['the service in between', { StringEquals: { 'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com' } }, 'allowed'],
    ['another service', { StringEquals: { 'kms:ViaService': ['s3.us-east-1.amazonaws.com'] } }, 'not allowed'],
    ['a pattern', { StringLike: { 'kms:ViaService': 'secretsmanager.*' } }, 'allowed'],
    ['a key the request does not have', { StringEquals: { 'aws:SourceVpce': 'x' } }, 'not allowed'],
    ['if it exists', { StringEqualsIfExists: { 'aws:SourceVpce': 'x' } }, 'allowed'],
    ['negated', { StringNotEquals: { 'kms:ViaService': 'x' } }, 'allowed'],
    ['null', { Null: { 'aws:SourceVpce': 'true' } }, 'allowed'],
    ['transport', { Bool: { 'aws:SecureTransport': 'false' } }, 'not allowed'],
  ])('a condition: %s', (_, Condition, answer) => {
    const context = { 'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com' };
    expect(
      asked([allow({ Action: 'kms:Decrypt', Resource: '*', ...(Condition ? { Condition } : {}) })], 'kms:Decrypt', 'key', context),
    ).toBe(answer);
  });

  test('a condition that is not evaluated here is refused when the role is admitted', () => {
    expect(() =>
      asked([allow({ Action: '*', Resource: '*', Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } })], 'a:B', '*'),
    ).toThrow('IpAddress');
  });
});

test('a resource policy adds what it grants to the role, and the root of the account grants nothing', () => {
  const iam = createIam(localPlace);
  const { accessKeyId } = iam.admit({ name: 'worker', roleArn, policies: [] });
  const asks = (resource: string) => iam.authorize({ accessKeyId, action: 'kms:Decrypt', resource });
  iam.attach('mine', { Statement: [allow({ Action: 'kms:Decrypt', Resource: '*', Principal: { AWS: roleArn } })] });
  iam.attach('root', { Statement: [allow({ Action: 'kms:*', Resource: '*', Principal: { AWS: 'arn:aws:iam::000000000000:root' } })] });
  expect(asks('mine')).toBeUndefined();
  expect(asks('root')).toBeDefined();
});

test('an unknown key is refused, and every access is remembered with how often it was made', () => {
  const iam = createIam(localPlace);
  const worker = iam.admit({
    name: 'worker',
    roleArn,
    policies: [{ Statement: [allow({ Action: 'dynamodb:GetItem', Resource: table })] }],
  });
  const ask = (accessKeyId: string, action: string) => iam.authorize({ accessKeyId, action, resource: table });
  expect(ask('NOBODY', 'dynamodb:GetItem')?.because).toContain('access key');
  ask(worker.accessKeyId, 'dynamodb:GetItem');
  ask(worker.accessKeyId, 'dynamodb:GetItem');
  ask(worker.accessKeyId, 'dynamodb:PutItem');
  expect(iam.made()).toEqual([
    { caller: 'NOBODY', action: 'dynamodb:GetItem', resource: table, allowed: false, times: 1 },
    { caller: 'worker', action: 'dynamodb:GetItem', resource: table, allowed: true, times: 2 },
    { caller: 'worker', action: 'dynamodb:PutItem', resource: table, allowed: false, times: 1 },
  ]);
});

test('SNS keeps what is published to a known topic, by those who may, with the right to use its key', async () => {
  const topic = 'arn:aws:sns:us-east-1:000000000000:alerts';
  const allowed = new Set(['sns:Publish']);
  const sns = await startSns({
    topics: [{ name: 'alerts', key: 'key' }],
    authorize: ({ action }) => (allowed.has(action) ? undefined : { principal: 'x', because: 'of the test' }),
  });
  const publish = async (form: Record<string, string>) => {
    const response = await fetch(sns.url, {
      method: 'POST',
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=KEY/20260302/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=x' },
      body: new URLSearchParams({ Action: 'Publish', Version: '2010-03-31', ...form }),
    });
    return `${response.status} ${/<Code>(.*)<\/Code>/.exec(await response.text())?.[1] ?? ''}`.trim();
  };
  expect(await publish({ TopicArn: topic, Message: 'x' })).toBe('403 AuthorizationError');
  for (const action of ['kms:GenerateDataKey', 'kms:Decrypt']) allowed.add(action);
  expect(await publish({ TopicArn: topic, Message: 'Zuora is paused', Subject: 'Paused' })).toBe('200');
  expect(await publish({ TopicArn: `${topic}2`, Message: 'x' })).toBe('404 NotFound');
  expect(await publish({ TopicArn: topic, Message: '' })).toBe('400 InvalidParameter');
  expect(sns.published()).toMatchObject([{ topicArn: topic, subject: 'Paused', message: 'Zuora is paused' }]);
  await sns.close();
});
