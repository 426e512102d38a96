import { Failure } from '../failures.ts';
import type { SecretStore } from '../ports/secret-store.ts';
import { Secret } from '../values/secret.ts';

type Fields = Readonly<Record<string, Secret>>;

/** Secrets in memory, by name; each keeps its present version and the one before. */
export function createMemorySecretStore(initial: Readonly<Record<string, Readonly<Record<string, string>>>> = {}): SecretStore {
  const secrets = new Map<string, { readonly current: Fields; readonly previous: Fields | undefined }>();
  for (const [name, texts] of Object.entries(initial)) {
    const current = Object.fromEntries(Object.entries(texts).map(([field, text]) => [field, new Secret(text)]));
    secrets.set(name, { current, previous: undefined });
  }
  return {
    async fetch(name) {
      const secret = secrets.get(name);
      if (!secret) {
        throw new Failure('ConfigurationInvalid', {
          cause: `secret:${name}`,
          sentence: `The secret ${name} does not exist.`,
          fix: `Store the credentials of the connection under the name ${name}, as a flat JSON object of texts.`,
        });
      }
      return { ...secret.current };
    },
    async findPrevious(name) {
      return secrets.get(name)?.previous;
    },
    async put(name, fields) {
      secrets.set(name, { current: { ...fields }, previous: secrets.get(name)?.current });
    },
  };
}
