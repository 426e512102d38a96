import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import type { Io } from '../../lib/contracts/io.ts';
import { Failure } from '../../lib/failures.ts';
import { type Canned, failureOf, type Got, once, openStage, type Stage } from './vendor-stage.ts';

/** How one vendor plays the suite: its client, and what it would answer. */
export interface VendorUnderTest<Client> {
  readonly name: string;
  readonly limits?: { readonly requestsPerMinute: number; readonly burst: number; readonly lanes?: number };
  /** Opens the client on a loopback address, with credentials whose secret values are listed in `secrets`. */
  open(url: string, io: Io): Client | Promise<Client>;
  readonly secrets: readonly string[];

  readonly token: {
    isGrant(request: Got): boolean;
    /** The answer of the token endpoint, with this access token, living `lifeMs`. */
    grant(access: string): Canned;
    readonly lifeMs: number;
    /** The token a request carried. */
    carriedBy(request: Got): string | undefined;
    /** The answer to a token the vendor does not take. */
    readonly refusal: Canned;
  };
  /** A list of three pages. */
  readonly list: {
    read(client: Client): Promise<readonly string[]>;
    isPage(request: Got): boolean;
    answer(request: Got, rows: { readonly unknownField?: boolean; readonly withoutField?: boolean }): Canned;
    /** What `read` must answer, in this order. */
    readonly ids: readonly string[];
    readonly pages: number;
    /** The member that `withoutField` leaves out. */
    readonly field: string;
  };
  readonly write: {
    send(client: Client): Promise<unknown>;
    isWrite(request: Got): boolean;
    readonly answer: Canned;
  };
  /** The vendor's way of saying "wait so many seconds". */
  throttle(seconds: number): Canned;
  /** Requests beyond these that a client makes on its way (discovery). */
  other?(request: Got): Canned | undefined;
}

const html: Canned = {
  status: 200,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: '<!DOCTYPE html><html><body>Maintenance</body></html>',
};

/** The list every vendor client must pass. A newcomer learns the house from it. */
export function describeVendor<Client>(vendor: VendorUnderTest<Client>): void {
  describe(`${vendor.name} as every vendor`, () => {
    const stages: Stage[] = [];
    afterEach(async () => {
      await Promise.all(stages.splice(0).map((stage) => stage.close()));
    });

    async function play(rows: { readonly unknownField?: boolean; readonly withoutField?: boolean } = {}) {
      let grants = 0;
      const stage: Stage = await openStage((request) => {
        if (vendor.token.isGrant(request)) {
          grants += 1;
          return vendor.token.grant(accessOf(grants));
        }
        const carried = vendor.token.carriedBy(request);
        const other = vendor.other?.(request);
        if (other) return other;
        if (!carried?.startsWith('access-')) return vendor.token.refusal;
        if (vendor.write.isWrite(request)) return vendor.write.answer;
        if (vendor.list.isPage(request)) return vendor.list.answer(request, rows);
        return { status: 404, body: '' };
      }, vendor.limits);
      stages.push(stage);
      const client = await vendor.open(stage.url, stage.io);
      const count = (matches: (request: Got) => boolean): number => stage.got.filter(matches).length;
      return { stage, client, grants: () => grants, count };
    }

    test('ten parallel calls share one token', async () => {
      const { client, grants } = await play();
      const answers = await Promise.all(Array.from({ length: 10 }, () => vendor.list.read(client)));
      expect(answers).toEqual(Array.from({ length: 10 }, () => vendor.list.ids));
      expect(grants()).toBe(1);
    });

    test('a token is renewed before it ends', async () => {
      const { stage, client, grants } = await play();
      await vendor.list.read(client);
      stage.clock.advance(vendor.token.lifeMs - 1_000);
      await vendor.list.read(client);
      expect(grants()).toBe(2);
      expect(vendor.token.carriedBy(stage.got.at(-1) as Got)).toBe(accessOf(2));
    });

    test('a token that is refused once is replaced and the call goes on', async () => {
      const { stage, client, grants } = await play();
      stage.interrupt(once(vendor.list.isPage, vendor.token.refusal));
      expect(await vendor.list.read(client)).toEqual(vendor.list.ids);
      expect(grants()).toBe(2);
    });

    test('a second refusal with a new token is a refused credential, and asks no further', async () => {
      const { stage, client, grants, count } = await play();
      stage.interrupt((request) => (vendor.list.isPage(request) ? vendor.token.refusal : undefined));
      const failure = await failureOf(vendor.list.read(client));
      expect(failure.kind).toBe('CredentialRefused');
      expect(failure.disposition).toBe('broken');
      expect(failure.record.fix).toBeTruthy();
      expect(grants()).toBe(2);
      expect(count(vendor.list.isPage)).toBe(2);
    });

    test('a throttled vendor is left alone for as long as it said', async () => {
      const { stage, client } = await play();
      await vendor.list.read(client);
      const from = stage.got.length;
      stage.interrupt(once(vendor.list.isPage, vendor.throttle(5)));
      expect(await afterThrottle(stage, () => vendor.list.read(client))).toEqual(vendor.list.ids);
      const [refused, next] = stage.got.slice(from).filter(vendor.list.isPage);
      expect((next as Got).at.getTime() - (refused as Got).at.getTime()).toBeGreaterThanOrEqual(5_000);
    });

    test('paging brings every row once and ends', async () => {
      const { client, count } = await play();
      expect(await vendor.list.read(client)).toEqual(vendor.list.ids);
      expect(count(vendor.list.isPage)).toBe(vendor.list.pages);
    });

    test('members nobody knows are ignored', async () => {
      const { client } = await play({ unknownField: true });
      expect(await vendor.list.read(client)).toEqual(vendor.list.ids);
    });

    test('a member that is missing is named', async () => {
      const { client } = await play({ withoutField: true });
      const failure = await failureOf(vendor.list.read(client));
      expect(failure.kind).toBe('ShapeUnexpected');
      expect(failure.message).toContain(vendor.list.field);
    });

    test.each(['hang', 'drop'] as const)('a write whose answer is lost (%s) is uncertain and is sent once', async (act) => {
      const { stage, client, count } = await play();
      stage.interrupt(once(vendor.write.isWrite, act));
      const failure = await failureOf(vendor.write.send(client));
      expect(failure.kind).toBe('WriteUncertain');
      expect(count(vendor.write.isWrite)).toBe(1);
    });

    test.each([200, 502, 503])('a web page with status %i in place of an answer is an unavailable vendor', async (status) => {
      const { stage, client } = await play();
      stage.interrupt((request) => (vendor.list.isPage(request) ? { ...html, status } : undefined));
      const failure = await failureOf(vendor.list.read(client));
      expect(failure.kind).toBe('VendorUnavailable');
      expect(failure.disposition).toBe('retryable');
    });

    test('nothing secret is printed: not in the log, not in a failure, not by looking at the client', async () => {
      const { stage, client } = await play();
      await vendor.list.read(client);
      await vendor.write.send(client);
      stage.interrupt((request) => (vendor.list.isPage(request) ? vendor.token.refusal : undefined));
      const refusedToken = await failureOf(vendor.list.read(client));
      stage.interrupt((request) => (vendor.token.isGrant(request) ? { status: 401, body: `invalid ${request.body}` } : undefined));
      const refusedGrant = await failureOf(vendor.list.read(client));
      const printed = [
        stage.printed(),
        inspect(client, { depth: 6 }),
        ...[refusedToken, refusedGrant].map((failure) => `${inspect(failure)}${JSON.stringify(failure.record)}`),
      ].join('\n');
      for (const secret of [...vendor.secrets, accessOf(1), accessOf(2)]) expect(printed).not.toContain(secret);
      for (const secret of vendor.secrets) expect(printed).not.toContain(encodeURIComponent(secret));
    });
  });
}

const accessOf = (grant: number): string => `access-${grant}-f00d`;

/** A client may wait itself or fail with the instant at which it may come back: both are waiting. */
async function afterThrottle<Result>(stage: Stage, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'RateLimited' || error.record.at === undefined) throw error;
    stage.clock.advance(Date.parse(error.record.at) - stage.clock.now().getTime());
    return work();
  }
}
