import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { type Access, type Authorize, allowEverything, localPlace, type Place } from './access.ts';
import { type AwsCall, AwsError, demandAccess, startAwsJson } from './aws-json.ts';
import { type CloudClock, machineClock } from './clock.ts';
import { readJsonFile, writeJsonFile } from './file-store.ts';
import { findVersion, putVersion, type SecretValue, type StoredSecret } from './secrets.ts';

export interface SecretsManagerOptions {
  readonly port?: number;
  /** Where the secrets are kept, readable by the owner only; absent: in memory. */
  readonly folder?: string;
  readonly clock?: CloudClock;
  readonly authorize?: Authorize;
  readonly place?: Place;
}

export interface LocalSecretsManager {
  readonly url: string;
  /** ARN a secret of this name has, existing or not. */
  arnOf(name: string): string;
  close(): Promise<void>;
}

const Input = z.looseObject({
  Name: z.string().max(512).nullish(),
  SecretId: z.string().min(1).nullish(),
  Description: z.string().nullish(),
  KmsKeyId: z.string().nullish(),
  SecretString: z.string().max(65_536).nullish(),
  SecretBinary: z.string().nullish(),
  ClientRequestToken: z.string().min(32).max(64).nullish(),
  VersionId: z.string().nullish(),
  VersionStage: z.string().nullish(),
  VersionStages: z.array(z.string()).min(1).nullish(),
  ForceDeleteWithoutRecovery: z.boolean().nullish(),
  RecoveryWindowInDays: z.number().int().min(7).max(30).nullish(),
  MaxResults: z.number().int().min(1).max(100).nullish(),
  NextToken: z.string().nullish(),
  IncludePlannedDeletion: z.boolean().nullish(),
  Filters: z.array(z.looseObject({ Key: z.string(), Values: z.array(z.string()) })).nullish(),
});
type Input = z.infer<typeof Input>;

const seconds = (at: number): number => at / 1000;
const dayMs = 86_400_000;
const keyActions: Readonly<Record<string, readonly string[]>> = {
  GetSecretValue: ['kms:Decrypt'],
  CreateSecret: ['kms:GenerateDataKey', 'kms:Decrypt'],
  PutSecretValue: ['kms:GenerateDataKey', 'kms:Decrypt'],
  UpdateSecret: ['kms:GenerateDataKey', 'kms:Decrypt'],
};

/** Secrets Manager on loopback: versions, stages, deletion with recovery. Rotation and replication are not part of it. */
export async function startSecretsManager(options: SecretsManagerOptions = {}): Promise<LocalSecretsManager> {
  const place = options.place ?? localPlace;
  const clock = options.clock ?? machineClock;
  const authorize = options.authorize ?? allowEverything;
  const path = options.folder === undefined ? undefined : join(options.folder, 'secrets.json');
  const stored = path === undefined ? undefined : readJsonFile(path);
  const secrets = new Map((Array.isArray(stored) ? (stored as StoredSecret[]) : []).map((secret) => [secret.name, secret]));
  const now = (): number => clock.now().getTime();

  function save(secret: StoredSecret | undefined, name = secret?.name ?? ''): void {
    if (secret === undefined) secrets.delete(name);
    else secrets.set(name, secret);
    if (path !== undefined) writeJsonFile(path, [...secrets.values()]);
  }
  function arnOf(name: string): string {
    // AWS appends six random characters; these follow from the name, so that templates resolve to the same ARN in every rehearsal.
    const suffix = createHash('sha256').update(name).digest('hex').slice(0, 6);
    return `arn:aws:secretsmanager:${place.region}:${place.accountId}:secret:${name}-${suffix}`;
  }
  /** By name, whole ARN, or ARN without its suffix. */
  function find(id: string | null | undefined): StoredSecret | undefined {
    const secret = [...secrets.values()].find((one) => one.name === id || one.arn === id || one.arn.slice(0, -7) === id);
    if (secret?.goesAt === undefined || secret.goesAt > now()) return secret;
    save(undefined, secret.name);
    return undefined;
  }
  function wanted(input: Input, more: { readonly deletedToo?: boolean } = {}): StoredSecret {
    const secret = find(input.SecretId);
    if (secret === undefined) throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    if (secret.deletedAt !== undefined && !more.deletedToo) {
      throw new AwsError('InvalidRequestException', "You can't perform this operation on the secret because it was marked for deletion.");
    }
    return secret;
  }
  function givenValue(input: Input): SecretValue | undefined {
    if (typeof input.SecretString === 'string' && typeof input.SecretBinary === 'string') {
      throw new AwsError('InvalidParameterException', "You can't specify both a binary secret value and a string secret value.");
    }
    if (typeof input.SecretString === 'string') return { text: input.SecretString };
    return typeof input.SecretBinary === 'string' ? { binary: input.SecretBinary } : undefined;
  }
  function withValue(secret: StoredSecret, input: Input, value: SecretValue): { readonly secret: StoredSecret; readonly id: string } {
    const id = input.ClientRequestToken ?? randomUUID();
    return { secret: putVersion(secret, { id, value, stages: input.VersionStages ?? ['AWSCURRENT'], now: now() }), id };
  }
  const named = (secret: StoredSecret): Readonly<Record<string, unknown>> => ({ ARN: secret.arn, Name: secret.name });

  const operations: Readonly<Record<string, (input: Input) => unknown>> = {
    CreateSecret(input) {
      const name = input.Name ?? '';
      if (!/^[\w/+=.@-]{1,512}$/.test(name)) throw new AwsError('ValidationException', 'Invalid name.');
      const existing = find(name);
      if (existing?.deletedAt !== undefined) {
        throw new AwsError(
          'InvalidRequestException',
          `You can't create this secret because a secret with this name is already scheduled for deletion.`,
        );
      }
      const value = givenValue(input);
      if (existing !== undefined) {
        const repeated = existing.versions.find((version) => version.id === input.ClientRequestToken);
        if (repeated && repeated.text === value?.text && repeated.binary === value?.binary)
          return { ...named(existing), VersionId: repeated.id };
        throw new AwsError('ResourceExistsException', `The operation failed because the secret ${name} already exists.`);
      }
      const empty: StoredSecret = {
        name,
        arn: arnOf(name),
        createdAt: now(),
        changedAt: now(),
        versions: [],
        ...(input.Description ? { description: input.Description } : {}),
        ...(input.KmsKeyId ? { kmsKeyId: input.KmsKeyId } : {}),
      };
      if (value === undefined) {
        save(empty);
        return named(empty);
      }
      const { secret, id } = withValue(empty, input, value);
      save(secret);
      return { ...named(secret), VersionId: id };
    },
    PutSecretValue(input) {
      const value = givenValue(input);
      if (value === undefined) throw new AwsError('InvalidRequestException', 'You must provide either SecretString or SecretBinary.');
      const { secret, id } = withValue(wanted(input), input, value);
      save(secret);
      return { ...named(secret), VersionId: id, VersionStages: secret.versions.find((version) => version.id === id)?.stages };
    },
    UpdateSecret(input) {
      const before: StoredSecret = {
        ...wanted(input),
        changedAt: now(),
        ...(input.Description ? { description: input.Description } : {}),
        ...(input.KmsKeyId ? { kmsKeyId: input.KmsKeyId } : {}),
      };
      const value = givenValue(input);
      if (value === undefined) {
        save(before);
        return named(before);
      }
      const { secret, id } = withValue(before, { ...input, VersionStages: null }, value);
      save(secret);
      return { ...named(secret), VersionId: id };
    },
    GetSecretValue(input) {
      const secret = wanted(input);
      const version = findVersion(secret, { id: input.VersionId ?? undefined, stage: input.VersionStage ?? undefined });
      return {
        ...named(secret),
        VersionId: version.id,
        VersionStages: version.stages,
        CreatedDate: seconds(version.createdAt),
        ...(version.text === undefined ? {} : { SecretString: version.text }),
        ...(version.binary === undefined ? {} : { SecretBinary: version.binary }),
      };
    },
    DescribeSecret: (input) => described(wanted(input, { deletedToo: true })),
    ListSecrets(input) {
      const all = [...secrets.keys()].map(find).filter((secret) => secret !== undefined);
      const shown = all.filter((secret) => (input.IncludePlannedDeletion || secret.deletedAt === undefined) && matches(secret, input));
      const from = Number(input.NextToken ?? 0);
      const limit = input.MaxResults ?? 100;
      const more = from + limit < shown.length ? { NextToken: String(from + limit) } : {};
      return { SecretList: shown.slice(from, from + limit).map(listed), ...more };
    },
    DeleteSecret(input) {
      const secret = wanted(input);
      if (input.ForceDeleteWithoutRecovery && input.RecoveryWindowInDays) {
        throw new AwsError(
          'InvalidParameterException',
          "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        );
      }
      const goesAt = now() + (input.ForceDeleteWithoutRecovery ? 0 : (input.RecoveryWindowInDays ?? 30) * dayMs);
      save(input.ForceDeleteWithoutRecovery ? undefined : { ...secret, deletedAt: now(), goesAt }, secret.name);
      return { ...named(secret), DeletionDate: seconds(goesAt) };
    },
    RestoreSecret(input) {
      const { deletedAt: _deletedAt, goesAt: _goesAt, ...secret } = wanted(input, { deletedToo: true });
      save(secret);
      return named(secret);
    },
  };

  function described(secret: StoredSecret): Readonly<Record<string, unknown>> {
    return {
      ...named(secret),
      ...(secret.description === undefined ? {} : { Description: secret.description }),
      ...(secret.kmsKeyId === undefined ? {} : { KmsKeyId: secret.kmsKeyId }),
      CreatedDate: seconds(secret.createdAt),
      LastChangedDate: seconds(secret.changedAt),
      ...(secret.deletedAt === undefined ? {} : { DeletedDate: seconds(secret.deletedAt) }),
      VersionIdsToStages: Object.fromEntries(secret.versions.map((version) => [version.id, version.stages])),
    };
  }
  function listed(secret: StoredSecret): Readonly<Record<string, unknown>> {
    const { VersionIdsToStages: stages, ...rest } = described(secret);
    return { ...rest, SecretVersionsToStages: stages };
  }

  const server = await startAwsJson({
    port: options.port,
    target: 'secretsmanager',
    version: '1.1',
    errorPrefix: '',
    limitBytes: 256 * 1024,
    async handle(call: AwsCall) {
      const operation = operations[call.operation];
      if (operation === undefined)
        throw new AwsError('UnknownOperationException', `${call.operation} is not part of the local Secrets Manager`);
      const parsed = Input.safeParse(call.input);
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        throw new AwsError('ValidationException', `Invalid parameter ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
      }
      const input = parsed.data;
      const resource = call.operation === 'ListSecrets' ? '*' : (find(input.SecretId)?.arn ?? arnFor(input));
      const { accessKeyId } = call;
      demandAccess(authorize, 'AccessDeniedException', [{ accessKeyId, action: `secretsmanager:${call.operation}`, resource }]);
      demandAccess(authorize, 'AccessDeniedException', keyAccesses(call, find(input.SecretId)?.kmsKeyId ?? input.KmsKeyId));
      return operation(input);
    },
  });
  /** Of a secret that does not exist: permissions are asked about before that is revealed. */
  function arnFor(input: Input): string {
    const id = input.SecretId ?? input.Name ?? '';
    return id.startsWith('arn:') ? id : arnOf(id);
  }
  /** A secret under a customer's own key is read and written with that key, in the name of the caller. */
  function keyAccesses({ operation, accessKeyId }: AwsCall, key: string | null | undefined): readonly Access[] {
    if (!key) return [];
    const actions = keyActions[operation] ?? [];
    const context = { 'kms:ViaService': `secretsmanager.${place.region}.amazonaws.com` };
    return actions.map((action) => ({ accessKeyId, action, resource: key, context }));
  }
  return { url: server.url, arnOf, close: () => server.close() };
}

function matches(secret: StoredSecret, input: Input): boolean {
  return (input.Filters ?? []).every(({ Key: key, Values: values }) => {
    if (key !== 'name' && key !== 'description')
      throw new AwsError('ValidationException', `the filter ${key} is not part of the local Secrets Manager`);
    const text = key === 'name' ? secret.name : (secret.description ?? '');
    return values.some((value) => (value.startsWith('!') ? !text.startsWith(value.slice(1)) : text.startsWith(value)));
  });
}
