import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { SecretStore } from '../../lib/ports/secret-store.ts';
import { Secret } from '../../lib/values/secret.ts';

const secrets = (fields: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, new Secret(text)]));
const revealed = (fields: Readonly<Record<string, Secret>> | undefined) =>
  fields && Object.fromEntries(Object.entries(fields).map(([name, secret]) => [name, secret.reveal()]));

/** The guarantees of `SecretStore`, for every implementation. `open` answers an empty store. */
export function describeSecretStore(name: string, open: () => Promise<{ readonly store: SecretStore }>): void {
  describe(`secret store: ${name}`, () => {
    test('a secret that does not exist is named in the failure', async () => {
      const { store } = await open();
      await expect(store.fetch('heron/zuora')).rejects.toMatchObject({
        kind: 'ConfigurationInvalid',
        message: expect.stringContaining('heron/zuora'),
      });
      expect(await store.findPrevious('heron/zuora')).toBeUndefined();
    });

    test('fields are kept letter by letter and refuse to print', async () => {
      const { store } = await open();
      const fields = { clientId: 'a-b', clientSecret: 'ü"\\ 😀\n', empty: '' };
      await store.put('heron/zuora', secrets(fields));
      const fetched = await store.fetch('heron/zuora');
      expect(revealed(fetched)).toEqual(fields);
      expect(JSON.stringify(fetched) + inspect(fetched)).not.toContain('a-b');
    });

    test('the version before the present one is there, and only that', async () => {
      const { store } = await open();
      await store.put('heron/zuora', secrets({ key: 'one' }));
      expect(await store.findPrevious('heron/zuora')).toBeUndefined();
      await store.put('heron/zuora', secrets({ key: 'two', more: 'x' }));
      await store.put('heron/zuora', secrets({ key: 'three' }));
      expect(revealed(await store.fetch('heron/zuora'))).toEqual({ key: 'three' });
      expect(revealed(await store.findPrevious('heron/zuora'))).toEqual({ key: 'two', more: 'x' });
    });

    test('secrets of different names know nothing of each other', async () => {
      const { store } = await open();
      await store.put('heron/zuora', secrets({ key: 'one' }));
      await store.put('heron/zuora2', secrets({ key: 'two' }));
      expect(revealed(await store.fetch('heron/zuora'))).toEqual({ key: 'one' });
    });
  });
}
