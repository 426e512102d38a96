import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { GrantedToken } from '../../lib/contracts/io.ts';
import { Failure } from '../../lib/failures.ts';
import { createTokenVault } from '../../lib/http/token-vault.ts';
import { Secret } from '../../lib/values/secret.ts';
import { createWorld, finish } from './world.ts';

const hourMs = 3_600_000;

/** A vendor that rotates refresh tokens strictly: each is good for one grant. */
function strictVendor(world: ReturnType<typeof createWorld>) {
  let serial = 0;
  let live = 'refresh-0';
  let running = 0;
  const grants: string[] = [];
  return {
    grants,
    most: 0,
    async grant(carry: Readonly<Record<string, Secret>> | undefined, takesMs = 300): Promise<GrantedToken> {
      running += 1;
      this.most = Math.max(this.most, running);
      try {
        const used = carry?.['refresh']?.reveal() ?? 'refresh-0';
        grants.push(used);
        if (used !== live) throw new Failure('CredentialRefused', { sentence: `refresh token ${grants.length} was used twice` });
        serial += 1;
        live = `refresh-${serial}`;
        const access = `access-${serial}`;
        const carried = live;
        await world.clock.sleep(takesMs);
        return { access: new Secret(access), expiresInMs: hourMs, carry: { refresh: new Secret(carried) } };
      } finally {
        running -= 1;
      }
    },
  };
}

const vaultOf = (world: ReturnType<typeof createWorld>) => createTokenVault({ ...world, connection: 'heron' });

describe('token vault', () => {
  test('ten calls of four workers at once make one grant', async () => {
    const world = createWorld();
    const vendor = strictVendor(world);
    const vaults = Array.from({ length: 4 }, () => vaultOf(world));
    const calls = vaults.flatMap((vault) => Array.from({ length: 10 }, () => vault.current((carry) => vendor.grant(carry))));
    const tokens = await finish(world.clock, Promise.all(calls));
    expect(vendor.grants).toHaveLength(1);
    expect(new Set(tokens.map((token) => `${token.generation} ${token.access.reveal()}`))).toEqual(new Set(['1 access-1']));
  });

  test('a token is renewed five minutes before its end, with the carry of the grant before', async () => {
    const world = createWorld();
    const vendor = strictVendor(world);
    const vault = vaultOf(world);
    await finish(
      world.clock,
      vault.current((carry) => vendor.grant(carry)),
    );
    await world.clock.pass(hourMs - 5 * 60_000 - 1000);
    expect((await vault.current((carry) => vendor.grant(carry))).generation).toBe(1);
    await world.clock.pass(1000);
    expect(
      (
        await finish(
          world.clock,
          vault.current((carry) => vendor.grant(carry)),
        )
      ).generation,
    ).toBe(2);
    expect(vendor.grants).toEqual(['refresh-0', 'refresh-1']);
  });

  test('a short token is renewed in its last tenth', async () => {
    const world = createWorld();
    let grants = 0;
    const vault = vaultOf(world);
    const grant = async () => {
      grants += 1;
      return { access: new Secret(`access-${grants}`), expiresInMs: 100_000 };
    };
    await vault.current(grant);
    await world.clock.pass(89_000);
    await vault.current(grant);
    expect(grants).toBe(1);
    await world.clock.pass(1000);
    await vault.current(grant);
    expect(grants).toBe(2);
  });

  test('a rotated refresh token is stored before anyone gets the access token', async () => {
    const world = createWorld();
    const vendor = strictVendor(world);
    const order: string[] = [];
    const state: typeof world.state = {
      ...world.state,
      put: async (key, value, options) => {
        const put = await world.state.put(key, value, options);
        if (key.name === 'token') order.push(`stored ${JSON.stringify(value).includes('refresh-1')}`);
        return put;
      },
    };
    const vault = createTokenVault({ ...world, state, connection: 'heron' });
    await finish(
      world.clock,
      vault.current((carry) => vendor.grant(carry)).then(() => order.push('used')),
    );
    expect(order).toEqual(['stored true', 'used']);
  });

  test('a grant that fails leaves token and carry as they were, and the next one may try', async () => {
    const world = createWorld();
    const vendor = strictVendor(world);
    await finish(
      world.clock,
      vaultOf(world).current((carry) => vendor.grant(carry)),
    );
    await world.clock.pass(hourMs);
    const before = await world.state.get({ partition: 'connection|heron', name: 'token' });
    const vault = vaultOf(world);
    const down = async () => {
      throw new Failure('VendorUnavailable', { sentence: 'down' });
    };
    await expect(vault.current(down)).rejects.toMatchObject({ kind: 'VendorUnavailable' });
    expect(await world.state.get({ partition: 'connection|heron', name: 'token' })).toEqual(before);
    expect(
      (
        await finish(
          world.clock,
          vault.current((carry) => vendor.grant(carry)),
        )
      ).generation,
    ).toBe(2);
  });

  test('while a token still lives, an outage of the token endpoint stops nobody', async () => {
    const world = createWorld();
    const vendor = strictVendor(world);
    const vault = vaultOf(world);
    await finish(
      world.clock,
      vault.current((carry) => vendor.grant(carry)),
    );
    await world.clock.pass(hourMs - 60_000);
    let asked = 0;
    const down = async () => {
      asked += 1;
      throw new Failure('VendorUnavailable', { sentence: 'down' });
    };
    expect((await vault.current(down)).generation).toBe(1);
    expect((await vault.current(down)).generation).toBe(1);
    expect(asked).toBe(1);
    await world.clock.pass(60_000);
    await expect(vault.current(down)).rejects.toMatchObject({ kind: 'VendorUnavailable' });
  });

  test('a refused token is replaced once, however many report it and however late', async () => {
    const world = createWorld();
    const vendor = strictVendor(world);
    const one = vaultOf(world);
    const other = vaultOf(world);
    const grant = (carry: Readonly<Record<string, Secret>> | undefined) => vendor.grant(carry);
    await finish(world.clock, Promise.all([one.current(grant), other.current(grant)]));
    await Promise.all([one.refused(1), one.refused(1), other.refused(1)]);
    const tokens = await finish(world.clock, Promise.all([one.current(grant), other.current(grant)]));
    expect(tokens.map((token) => token.generation)).toEqual([2, 2]);
    await one.refused(1);
    expect((await other.current(grant)).generation).toBe(2);
    expect(vendor.grants).toEqual(['refresh-0', 'refresh-1']);
  });

  test('a worker that died while granting is overtaken after its deadline', async () => {
    const world = createWorld();
    const vendor = strictVendor(world);
    void vaultOf(world).current(() => new Promise(() => undefined));
    await world.clock.pass(1000);
    const token = await finish(
      world.clock,
      vaultOf(world).current((carry) => vendor.grant(carry)),
    );
    expect(token.generation).toBe(1);
    expect(world.clock.now().getTime() - Date.parse('2026-03-02T08:00:00Z')).toBeLessThan(70_000);
  });

  test('over a day of renewals by three workers no refresh token is used twice', async () => {
    const world = createWorld(9);
    const vendor = strictVendor(world);
    const vaults = [vaultOf(world), vaultOf(world), vaultOf(world)];
    const seen: number[] = [];
    const loop = async (vault: (typeof vaults)[number]) => {
      for (let count = 0; count < 200; count += 1) {
        const token = await vault.current((carry) => vendor.grant(carry));
        expect(token.expiresAt.getTime()).toBeGreaterThan(world.clock.now().getTime());
        seen.push(token.generation);
        if (world.random.next() < 0.05) await vault.refused(token.generation);
        await world.clock.sleep(world.random.next() * 800_000);
      }
    };
    await finish(world.clock, Promise.all(vaults.map(loop)));
    expect(vendor.most).toBe(1);
    expect(new Set(vendor.grants).size).toBe(vendor.grants.length);
    expect(Math.max(...seen)).toBe(vendor.grants.length);
  });

  test('the token refuses to print and is not in the log', async () => {
    const world = createWorld();
    const vendor = strictVendor(world);
    const token = await finish(
      world.clock,
      vaultOf(world).current((carry) => vendor.grant(carry)),
    );
    expect(JSON.stringify(token) + inspect(token) + JSON.stringify(world.log.lines)).not.toMatch(/access-1|refresh-1/);
  });
});
