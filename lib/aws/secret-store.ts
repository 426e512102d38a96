import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { Failure } from '../failures.ts';
import type { Ids } from '../ports/clock.ts';
import type { SecretStore } from '../ports/secret-store.ts';
import { Secret } from '../values/secret.ts';

const fieldsSchema = z.record(z.string(), z.string());

/** Secrets Manager: the present version is AWSCURRENT, the one before it AWSPREVIOUS. */
export function createAwsSecretStore(parts: { readonly client: SecretsManagerClient; readonly ids: Ids }): SecretStore {
  const { client, ids } = parts;

  async function read(name: string, stage: 'AWSCURRENT' | 'AWSPREVIOUS'): Promise<string | undefined> {
    try {
      const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: name, VersionStage: stage }));
      return SecretString;
    } catch (error) {
      // Also the answer for a secret that was created and never filled, and for a version stage nobody has.
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  return {
    async fetch(name) {
      const text = await read(name, 'AWSCURRENT');
      if (text === undefined) throw unusable(name, 'does not exist or has no value yet');
      return parse(name, text);
    },
    async findPrevious(name) {
      const text = await read(name, 'AWSPREVIOUS');
      // CloudFormation fills a new secret with random text, which becomes the previous version when the first credentials are stored.
      return text === undefined ? undefined : fieldsOf(text);
    },
    async put(name, fields) {
      const SecretString = JSON.stringify(Object.fromEntries(Object.entries(fields).map(([field, secret]) => [field, secret.reveal()])));
      // One token for all tries of the SDK: a repeated request makes no second version, which would push out the previous one.
      const ClientRequestToken = ids.next().padEnd(32, '0');
      try {
        await client.send(new PutSecretValueCommand({ SecretId: name, SecretString, ClientRequestToken }));
      } catch (error) {
        if (!(error instanceof ResourceNotFoundException)) throw error;
        await client.send(new CreateSecretCommand({ Name: name, SecretString, ClientRequestToken }));
      }
    },
  };
}

/** What the secret holds is never part of the failure, and neither is the parser's error, which quotes it. */
function parse(name: string, text: string): Readonly<Record<string, Secret>> {
  const fields = fieldsOf(text);
  if (fields === undefined) throw unusable(name, 'is not a flat JSON object whose members are all texts');
  return fields;
}

function fieldsOf(text: string): Readonly<Record<string, Secret>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = fieldsSchema.safeParse(value);
  return parsed.success
    ? Object.fromEntries(Object.entries(parsed.data).map(([field, content]) => [field, new Secret(content)]))
    : undefined;
}

function unusable(name: string, what: string): Failure {
  return new Failure('ConfigurationInvalid', {
    cause: `secret:${name}`,
    sentence: `The secret ${name} ${what}.`,
    fix: `Store the credentials of the connection under the name ${name} in Secrets Manager, as a flat JSON object of texts.`,
  });
}
