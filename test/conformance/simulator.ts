import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlError, listen, type SimulatedWorld, type Simulator } from '../../sandbox/simulators/kit.ts';

/** What the suite needs to know of one vendor to prove that its simulator can be trusted as a sparring partner. */
export interface SimulatorCase {
  readonly name: string;
  create(world: SimulatedWorld): Simulator;
  /** Initial records, the noun to read them back, and how many of it there are then. */
  readonly seed: Readonly<Record<string, unknown>>;
  readonly noun: string;
  readonly seeded: number;
  /** The same seed with a field that nobody knows. */
  readonly misspelt: Readonly<Record<string, unknown>>;
  /** An authorised read over HTTP, login included, and the name it is counted under. */
  read(url: string): Promise<Response>;
  readonly readOperation: string;
  /** An authorised write that adds one record of `noun`; repeatable calls must add another one each. */
  write(url: string): Promise<Response>;
  readonly writeOperation: string;
  /** Something a person does that the simulator refuses, with a word of the refusal. */
  readonly refused: { readonly action: Readonly<Record<string, unknown>>; readonly says: RegExp };
}

/** A clock that only moves when somebody sleeps on it: a fault of an hour takes no time. */
function testWorld(): SimulatedWorld & { readonly slept: () => number; readonly looked: () => number } {
  let nowMs = Date.parse('2026-03-02T12:00:00Z');
  let sleptMs = 0;
  let looks = 0;
  let state = 7;
  return {
    clock: {
      now() {
        looks += 1;
        return new Date(nowMs);
      },
      async sleep(ms) {
        sleptMs += ms;
        nowMs += ms;
      },
    },
    random: {
      next() {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 0x1_0000_0000;
      },
    },
    fetch: async () => new Response(null, { status: 200 }),
    slept: () => sleptMs,
    looked: () => looks,
  };
}

export function describeSimulator(simulated: SimulatorCase): void {
  describe(`the ${simulated.name} simulator`, () => {
    let world: ReturnType<typeof testWorld>;
    let simulator: Simulator;
    let server: Awaited<ReturnType<typeof listen>>;

    beforeEach(async () => {
      world = testWorld();
      simulator = simulated.create(world);
      server = await listen(simulator);
      await simulator.seed(simulated.seed);
    });
    afterEach(() => server.close());

    const count = (): number => simulator.records(simulated.noun).length;
    const control = (path: string, method = 'GET', body?: unknown): Promise<Response> =>
      fetch(`${server.url}/__control${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

    describe('control', () => {
      it('says its name', async () => {
        expect(await (await control('')).json()).toEqual({ name: simulator.name });
      });

      it('seeds and shows records over HTTP', async () => {
        const fresh = simulated.create(testWorld());
        const other = await listen(fresh);
        try {
          const seeded = await fetch(`${other.url}/__control/seed`, { method: 'POST', body: JSON.stringify(simulated.seed) });
          expect(seeded.status).toBe(200);
          const shown = (await (await fetch(`${other.url}/__control/records/${simulated.noun}`)).json()) as { records: unknown[] };
          expect(shown.records).toHaveLength(simulated.seeded);
        } finally {
          await other.close();
        }
      });

      it('refuses a seed with an unknown field and names the field', async () => {
        const answer = await control('/seed', 'POST', simulated.misspelt);
        expect(answer.status).toBe(400);
        const { error } = (await answer.json()) as { error: string };
        expect(error.length).toBeGreaterThan(10);
        expect(count()).toBe(simulated.seeded);
      });

      it('refuses an unknown noun, an unknown action and text that is no JSON', async () => {
        expect((await control('/records/flying-saucers')).status).toBe(400);
        expect((await control('/act', 'POST', { action: 'levitate' })).status).toBe(400);
        expect((await fetch(`${server.url}/__control/act`, { method: 'POST', body: '{' })).status).toBe(400);
      });

      it('refuses an action that the vendor would refuse, with a sentence', async () => {
        await expect(async () => simulator.act(simulated.refused.action)).rejects.toThrow(ControlError);
        const answer = await control('/act', 'POST', simulated.refused.action);
        expect(answer.status).toBe(400);
        expect(((await answer.json()) as { error: string }).error).toMatch(simulated.refused.says);
      });
    });

    describe('counting', () => {
      it('counts vendor calls by operation, not control calls', async () => {
        await simulated.read(server.url);
        simulator.resetCalls();
        await simulated.read(server.url);
        await control('/calls');
        const { calls, log } = (await (await control('/calls')).json()) as {
          calls: Record<string, number>;
          log: { operation: string; status: number }[];
        };
        expect(calls[simulated.readOperation]).toBe(1);
        expect(Object.keys(calls).filter((operation) => operation.includes('__control'))).toEqual([]);
        expect(log.at(-1)).toMatchObject({ operation: simulated.readOperation, status: 200 });
      });

      it('forgets the counts on demand', async () => {
        await simulated.read(server.url);
        await control('/calls', 'DELETE');
        expect(simulator.calls()).toEqual({});
        expect(simulator.callLog()).toEqual([]);
      });
    });

    describe('faults', () => {
      it('drop-before closes the connection and does nothing', async () => {
        simulator.addFault({ operation: simulated.writeOperation, kind: 'drop-before' });
        await expect(simulated.write(server.url)).rejects.toThrow();
        expect(count()).toBe(simulated.seeded);
        expect(simulator.callLog().at(-1)).toMatchObject({ operation: simulated.writeOperation, status: 0 });
      });

      it('drop-after closes the connection when the work is done', async () => {
        simulator.addFault({ operation: simulated.writeOperation, kind: 'drop-after' });
        await expect(simulated.write(server.url)).rejects.toThrow();
        expect(count()).toBe(simulated.seeded + 1);
      });

      it('status answers what it is told and does nothing', async () => {
        const fault = {
          operation: simulated.writeOperation,
          kind: 'status',
          status: 503,
          headers: { 'retry-after': '7' },
          body: '<html>down</html>',
        };
        expect((await control('/faults', 'POST', fault)).status).toBe(200);
        const answer = await simulated.write(server.url);
        expect([answer.status, answer.headers.get('retry-after'), await answer.text()]).toEqual([503, '7', '<html>down</html>']);
        expect(count()).toBe(simulated.seeded);
      });

      it('status-after answers what it is told when the work is done', async () => {
        simulator.addFault({ operation: simulated.writeOperation, kind: 'status-after', status: 500 });
        expect((await simulated.write(server.url)).status).toBe(500);
        expect(count()).toBe(simulated.seeded + 1);
      });

      it('truncate does the work and answers half', async () => {
        simulator.addFault({ operation: simulated.writeOperation, kind: 'truncate' });
        const answer = await simulated.write(server.url);
        await expect(answer.text().then((text) => JSON.parse(text))).rejects.toThrow(SyntaxError);
        expect(count()).toBe(simulated.seeded + 1);
      });

      it('delay answers late on the clock it was given', async () => {
        await simulated.read(server.url);
        const before = world.slept();
        simulator.addFault({ operation: simulated.readOperation, kind: 'delay', ms: 3_000 });
        expect((await simulated.read(server.url)).status).toBe(200);
        expect(world.slept() - before).toBeGreaterThanOrEqual(3_000);
      });

      it('a fault skips, repeats and ends as it was told', async () => {
        simulator.addFault({ operation: simulated.readOperation, kind: 'status', status: 599, skip: 1, times: 2 });
        const statuses: number[] = [];
        for (let call = 0; call < 4; call += 1) statuses.push((await simulated.read(server.url)).status);
        expect(statuses).toEqual([200, 599, 599, 200]);
      });

      it('a misspelt fault is refused, not ignored', async () => {
        expect((await control('/faults', 'POST', { kind: 'drop' })).status).toBe(400);
        expect((await control('/faults', 'POST', { kind: 'delay', millis: 5 })).status).toBe(400);
        expect((await control('/latency', 'PUT', { seconds: 1 })).status).toBe(400);
      });

      it('faults can be cleared', async () => {
        simulator.addFault({ kind: 'drop-before', times: 1_000 });
        expect((await control('/faults', 'DELETE')).status).toBe(200);
        expect((await simulated.read(server.url)).status).toBe(200);
      });
    });

    describe('state', () => {
      it('survives a round trip through JSON into a fresh simulator', async () => {
        await simulated.write(server.url);
        const saved: unknown = JSON.parse(JSON.stringify(simulator.snapshot()));
        const fresh = simulated.create(testWorld());
        fresh.restore(saved);
        expect(fresh.records(simulated.noun)).toEqual(simulator.records(simulated.noun));
        expect(JSON.parse(JSON.stringify(fresh.snapshot()))).toEqual(saved);
      });

      it('goes on after a restart over HTTP, and a later change is undone by the older snapshot', async () => {
        const saved: unknown = await (await control('/snapshot')).json();
        await simulated.write(server.url);
        expect(count()).toBe(simulated.seeded + 1);
        expect((await control('/snapshot', 'PUT', saved)).status).toBe(200);
        expect(count()).toBe(simulated.seeded);
        expect((await simulated.write(server.url)).ok).toBe(true);
        expect(count()).toBe(simulated.seeded + 1);
      });
    });

    describe('time', () => {
      it('comes from the clock that was injected', async () => {
        const before = world.looked();
        await simulated.write(server.url);
        expect(world.looked()).toBeGreaterThan(before);
      });

      it('latency is spent on that clock, on every call', async () => {
        const before = world.slept();
        expect((await control('/latency', 'PUT', { ms: 250 })).status).toBe(200);
        await simulated.read(server.url);
        expect(world.slept() - before).toBeGreaterThanOrEqual(250);
      });

      it('two simulators with equal worlds give equal histories', async () => {
        const twin = simulated.create(testWorld());
        await twin.seed(simulated.seed);
        expect(JSON.stringify(twin.records(simulated.noun))).toBe(JSON.stringify(simulator.records(simulated.noun)));
      });
    });
  });
}
