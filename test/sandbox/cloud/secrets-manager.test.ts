import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  UpdateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, expect, test } from 'vitest';
import { type SecretsManagerOptions, startSecretsManager } from '../../../sandbox/cloud/secrets-manager.ts';
import { HandTurnedClock } from './hand-turned-clock.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options: SecretsManagerOptions = {}) {
  const clock = new HandTurnedClock();
  const server = await startSecretsManager({ clock, ...options });
  closers.push(() => server.close());
  const secrets = new SecretsManagerClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'LOCALKEY', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  closers.push(() => secrets.destroy());
  const read = async (more: object = {}) => (await secrets.send(new GetSecretValueCommand({ SecretId: 'ml/zuora', ...more }))).SecretString;
  const put = (SecretString: string, more: object = {}) =>
    secrets.send(new PutSecretValueCommand({ SecretId: 'ml/zuora', SecretString, ...more }));
  const create = (SecretString?: string) =>
    secrets.send(new CreateSecretCommand({ Name: 'ml/zuora', ...(SecretString ? { SecretString } : {}) }));
  return { clock, server, secrets, read, put, create };
}

async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test('a new value becomes current and the one before it previous; values are found by stage, version and ARN', async () => {
  const { read, put, create, server } = await start();
  const first = await create('one');
  await put('two');
  const third = await put('three');
  expect(await read()).toBe('three');
  expect(await read({ VersionStage: 'AWSPREVIOUS' })).toBe('two');
  expect(await read({ VersionId: third.VersionId })).toBe('three');
  expect(await read({ SecretId: server.arnOf('ml/zuora') })).toBe('three');
  expect(await read({ SecretId: server.arnOf('ml/zuora').slice(0, -7) })).toBe('three');
  expect(await thrownBy(read({ VersionId: first.VersionId }))).toMatchObject({ name: 'ResourceNotFoundException' });
});

test('a repeated request token puts nothing; with another value it is refused', async () => {
  const { read, put, create, secrets } = await start();
  await create('one');
  const token = { ClientRequestToken: '11111111-2222-3333-4444-555555555555' };
  await put('two', token);
  await put('two', token);
  expect(await read({ VersionStage: 'AWSPREVIOUS' })).toBe('one');
  expect(await thrownBy(put('three', token))).toMatchObject({ name: 'ResourceExistsException' });
  const described = await secrets.send(new DescribeSecretCommand({ SecretId: 'ml/zuora' }));
  expect(Object.values(described.VersionIdsToStages ?? {}).sort()).toEqual([['AWSCURRENT'], ['AWSPREVIOUS']]);
});

test('a secret without a value, or of an unknown name, is not found', async () => {
  const { read, create } = await start();
  expect(await thrownBy(read())).toMatchObject({ name: 'ResourceNotFoundException' });
  await create();
  expect(await thrownBy(read())).toMatchObject({ name: 'ResourceNotFoundException', message: expect.stringContaining('AWSCURRENT') });
  expect(await thrownBy(create('again'))).toMatchObject({ name: 'ResourceExistsException' });
});

test('a deleted secret is refused until it is restored, and gone after its window', async () => {
  const { read, create, secrets, clock } = await start();
  await create('one');
  const remove = () => secrets.send(new DeleteSecretCommand({ SecretId: 'ml/zuora', RecoveryWindowInDays: 7 }));
  await remove();
  expect(await thrownBy(read())).toMatchObject({ name: 'InvalidRequestException' });
  expect((await secrets.send(new ListSecretsCommand({}))).SecretList).toEqual([]);
  await secrets.send(new RestoreSecretCommand({ SecretId: 'ml/zuora' }));
  expect(await read()).toBe('one');
  await remove();
  await clock.turn(7 * 86_400_000);
  expect(await thrownBy(secrets.send(new RestoreSecretCommand({ SecretId: 'ml/zuora' })))).toMatchObject({
    name: 'ResourceNotFoundException',
  });
  await create('anew');
  await secrets.send(new DeleteSecretCommand({ SecretId: 'ml/zuora', ForceDeleteWithoutRecovery: true }));
  expect(await thrownBy(read())).toMatchObject({ name: 'ResourceNotFoundException' });
});

test('secrets are listed by name prefix and updated with or without a value', async () => {
  const { read, create, secrets } = await start();
  await create('one');
  await secrets.send(new CreateSecretCommand({ Name: 'other', SecretString: 'x' }));
  await secrets.send(new UpdateSecretCommand({ SecretId: 'ml/zuora', Description: 'Zuora' }));
  await secrets.send(new UpdateSecretCommand({ SecretId: 'ml/zuora', SecretString: 'two' }));
  expect(await read()).toBe('two');
  const { SecretList } = await secrets.send(new ListSecretsCommand({ Filters: [{ Key: 'name', Values: ['ml/'] }] }));
  expect(SecretList?.map((secret) => [secret.Name, secret.Description])).toEqual([['ml/zuora', 'Zuora']]);
});

test('a role without the permission is refused by ARN, before it learns whether the secret exists', async () => {
  const { read, server } = await start({ authorize: () => ({ principal: 'arn:aws:sts::1:assumed-role/poll', because: 'of the test' }) });
  expect(await thrownBy(read())).toMatchObject({
    name: 'AccessDeniedException',
    message: expect.stringContaining(`secretsmanager:GetSecretValue on resource: ${server.arnOf('ml/zuora')}`),
  });
});

test('secrets are there after a restart, in a file only its owner can read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'local-secrets-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const before = await start({ folder });
  await before.create('one');
  await before.put('two');
  await before.server.close();
  const after = await start({ folder });
  expect(await after.read()).toBe('two');
  expect(await after.read({ VersionStage: 'AWSPREVIOUS' })).toBe('one');
  expect((await stat(join(folder, 'secrets.json'))).mode & 0o077).toBe(0);
  expect(await readFile(join(folder, 'secrets.json'), 'utf8')).toContain('two');
});
