import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { supportedResources } from '../../../sandbox/rehearsal/supported.ts';
import { assetFolder, readAssembly, TemplateResolver } from '../../../sandbox/rehearsal/template.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function assemblyOf(template: object, stacks: Record<string, string> = { one: 'aws://unknown-account/unknown-region' }) {
  const folder = await mkdtemp(join(tmpdir(), 'assembly-'));
  folders.push(folder);
  const artifacts = Object.fromEntries(
    Object.entries(stacks).map(([name, environment]) => [
      name,
      { type: 'aws:cloudformation:stack', environment, properties: { templateFile: 'template.json' } },
    ]),
  );
  await writeFile(join(folder, 'manifest.json'), JSON.stringify({ artifacts }));
  await writeFile(join(folder, 'template.json'), JSON.stringify({ Resources: {}, ...template }));
  return folder;
}

async function resolverOf(template: object, parameters?: Record<string, string>): Promise<TemplateResolver> {
  const assembly = readAssembly(await assemblyOf(template));
  return new TemplateResolver(assembly, {
    ...assembly.place,
    ref: (logicalId) => `ref ${logicalId}`,
    attribute: (logicalId, name) => `${name} of ${logicalId}`,
    ...(parameters ? { parameters } : {}),
  });
}

/** A place in a Fn::Sub. */
const hole = (name: string): string => `\${${name}}`;

describe('intrinsic functions', () => {
  test.each<[string, unknown, unknown]>([
    ['Ref', { Ref: 'Queue' }, 'ref Queue'],
    ['Ref to a pseudo parameter', { Ref: 'AWS::Region' }, 'us-east-1'],
    ['Ref to a parameter', { Ref: 'Size' }, '7'],
    ['GetAtt', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'Arn of Queue'],
    ['GetAtt as text', { 'Fn::GetAtt': 'Table.Stream.Arn' }, 'Stream.Arn of Table'],
    ['Join', { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':', { Ref: 'Queue' }]] }, 'arn:aws:ref Queue'],
    ['Select and Split', { 'Fn::Select': [2, { 'Fn::Split': [':', 'a:b:c'] }] }, 'c'],
    [
      'Sub',
      { 'Fn::Sub': `${hole('Queue')}/${hole('Queue.Arn')}/${hole('AWS::AccountId')}/${hole('!kept')}` },
      `ref Queue/Arn of Queue/000000000000/${hole('kept')}`,
    ],
    ['Sub with variables', { 'Fn::Sub': [hole('x'), { x: { Ref: 'Queue' } }] }, 'ref Queue'],
    ['If', { 'Fn::If': ['Large', 'yes', 'no'] }, 'yes'],
    ['If and NoValue', { a: { 'Fn::If': ['Small', 1, { Ref: 'AWS::NoValue' }] }, b: [{ Ref: 'AWS::NoValue' }, 2] }, { b: [2] }],
    ['FindInMap', { 'Fn::FindInMap': ['Zones', { Ref: 'AWS::Region' }, 'code'] }, 'use1'],
    ['Base64', { 'Fn::Base64': 'text' }, 'dGV4dA=='],
    ['what only looks like one', { Ref: 'a', more: 1 }, { Ref: 'a', more: 1 }],
  ])('%s', async (_, value, resolved) => {
    const resolver = await resolverOf({
      Parameters: { Size: { Type: 'String', Default: '7' } },
      Conditions: {
        Large: { 'Fn::And': [{ 'Fn::Equals': [{ Ref: 'Size' }, '7'] }, { 'Fn::Not': [{ Condition: 'Small' }] }] },
        Small: { 'Fn::Or': [{ 'Fn::Equals': [{ Ref: 'Size' }, '1'] }, { 'Fn::Equals': [{ Ref: 'Size' }, '2'] }] },
      },
      Mappings: { Zones: { 'us-east-1': { code: 'use1' } } },
    });
    expect(resolver.resolve(value)).toEqual(resolved);
  });

  test.each<[string, unknown, string]>([
    ['an unknown function', { 'Fn::GetAZs': '' }, 'Fn::GetAZs'],
    ['an import', { 'Fn::ImportValue': 'x' }, 'Fn::ImportValue'],
    ['a condition that does not exist', { 'Fn::If': ['Nothing', 1, 2] }, 'Nothing'],
    ['an element that does not exist', { 'Fn::Select': [3, ['a']] }, 'element 3'],
    ['a parameter without value', { Ref: 'Needed' }, 'Needed'],
  ])('%s is refused by name', async (_, value, words) => {
    const resolver = await resolverOf({ Parameters: { Needed: { Type: 'String' } } });
    expect(() => resolver.resolve(value)).toThrow(words);
  });

  test('a given parameter replaces its default, and resources of a false condition are left out', async () => {
    const template = {
      Parameters: { Size: { Type: 'String', Default: '7' } },
      Conditions: { Large: { 'Fn::Equals': [{ Ref: 'Size' }, '7'] } },
      Resources: { Queue: { Type: 'AWS::SQS::Queue', Condition: 'Large' }, Other: { Type: 'AWS::SQS::Queue' } },
      Outputs: { Url: { Value: { Ref: 'Other' } }, Large: { Value: 1, Condition: 'Large' } },
    };
    const small = await resolverOf(template, { Size: '1' });
    expect(small.resources().map(({ logicalId }) => logicalId)).toEqual(['Other']);
    expect(small.outputs()).toEqual({ Url: 'ref Other' });
    expect((await resolverOf(template)).resources()).toHaveLength(2);
  });
});

describe('an assembly', () => {
  test('with several stacks needs a name, and keeps the account and region a stack is for', async () => {
    const folder = await assemblyOf({}, { one: 'aws://unknown-account/unknown-region', two: 'aws://123456789012/eu-west-1' });
    expect(() => readAssembly(folder)).toThrow('exactly one stack; it has: one, two');
    expect(() => readAssembly(folder, 'three')).toThrow('called three');
    expect(readAssembly(folder, 'two')).toMatchObject({ stackName: 'two', place: { accountId: '123456789012', region: 'eu-west-1' } });
  });

  test('has the code of a function under the hash of its key', async () => {
    const assembly = readAssembly(await assemblyOf({}));
    const hash = 'a'.repeat(64);
    expect(() => assetFolder(assembly, `${hash}.zip`)).toThrow('is no asset');
    await mkdir(join(assembly.folder, `asset.${hash}`));
    expect(assetFolder(assembly, `${hash}.zip`)).toBe(join(assembly.folder, `asset.${hash}`));
    expect(() => assetFolder(assembly, { ZipFile: 'x' })).toThrow('is no asset');
  });
});

test('what would have to be ignored is refused, everything at once and by logical id', () => {
  const resource = (logicalId: string, type: string, properties: Record<string, unknown> = {}) => ({ logicalId, type, properties });
  expect(() =>
    supportedResources([
      resource('Machine', 'AWS::StepFunctions::StateMachine'),
      resource('Queue', 'AWS::SQS::Queue', { FifoQueue: true, QueueName: 'x' }),
      resource('Table', 'AWS::DynamoDB::GlobalTable', { StreamSpecification: {} }),
      resource('Alarm', 'AWS::CloudWatch::Alarm', { anything: 1 }),
    ]),
  ).toThrow(
    [
      'The rehearsal cannot run this template as AWS would:',
      '- Machine: the resource type AWS::StepFunctions::StateMachine is not supported',
      '- Queue: the property FifoQueue of AWS::SQS::Queue is not supported',
      '- Table: the property StreamSpecification of AWS::DynamoDB::GlobalTable is not supported',
    ].join('\n'),
  );
});
