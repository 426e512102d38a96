import type { Secret } from '../values/secret.ts';

/** Credentials by name, each a flat set of fields. */
export interface SecretStore {
  /** The current version. Fails with ConfigurationInvalid naming the secret when it does not exist or is not a flat JSON object of texts. */
  fetch(name: string): Promise<Readonly<Record<string, Secret>>>;
  /** The version before the current one, while a rotation lasts; undefined when there is none, or none that holds credentials. */
  findPrevious(name: string): Promise<Readonly<Record<string, Secret>> | undefined>;
  /** Replaces the whole set and makes it current. */
  put(name: string, fields: Readonly<Record<string, Secret>>): Promise<void>;
}
