import { AwsError } from './aws-json.ts';

/** `AWSCURRENT`, `AWSPREVIOUS` or a label of the caller's own. */
type Stage = string;

export interface SecretVersion {
  readonly id: string;
  readonly text?: string;
  readonly binary?: string;
  readonly createdAt: number;
  readonly stages: readonly Stage[];
}

export interface StoredSecret {
  readonly name: string;
  readonly arn: string;
  readonly description?: string;
  readonly kmsKeyId?: string;
  readonly createdAt: number;
  readonly changedAt: number;
  /** When the deletion was asked for; the secret goes for good at `goesAt`. */
  readonly deletedAt?: number;
  readonly goesAt?: number;
  readonly versions: readonly SecretVersion[];
}

export type SecretValue = { readonly text?: string; readonly binary?: string };

/**
 * A new version becomes AWSCURRENT, the version before it AWSPREVIOUS. A repeated token with the same value changes nothing; with another
 * value it is refused. Versions that lost their last label are dropped, as AWS may.
 */
export function putVersion(
  secret: StoredSecret,
  version: { readonly id: string; readonly value: SecretValue; readonly stages: readonly Stage[]; readonly now: number },
): StoredSecret {
  const { id, value, stages, now } = version;
  const known = secret.versions.find((other) => other.id === id);
  if (known) {
    if (known.text === value.text && known.binary === value.binary) return secret;
    throw new AwsError('ResourceExistsException', `A resource with the ID you requested already exists: version ${id} has another value.`);
  }
  const current = secret.versions.find((other) => other.stages.includes('AWSCURRENT'));
  const becomesCurrent = stages.includes('AWSCURRENT');
  const older = secret.versions.map((other): SecretVersion => {
    const kept = other.stages.filter((stage) => !stages.includes(stage) && !(becomesCurrent && stage === 'AWSPREVIOUS'));
    return { ...other, stages: becomesCurrent && other === current ? [...kept, 'AWSPREVIOUS'] : kept };
  });
  const fresh: SecretVersion = { id, ...value, createdAt: now, stages };
  return { ...secret, changedAt: now, versions: [...older.filter((other) => other.stages.length > 0), fresh] };
}

export function findVersion(
  secret: StoredSecret,
  asked: { readonly id: string | undefined; readonly stage: string | undefined },
): SecretVersion {
  const stage = asked.stage ?? (asked.id === undefined ? 'AWSCURRENT' : undefined);
  const version = secret.versions.find(
    (other) => (asked.id === undefined || other.id === asked.id) && (stage === undefined || other.stages.includes(stage)),
  );
  if (version === undefined) {
    const what = asked.id === undefined ? `staging label: ${stage}` : `VersionId: ${asked.id}`;
    throw new AwsError('ResourceNotFoundException', `Secrets Manager can't find the specified secret value for ${what}`);
  }
  return version;
}
