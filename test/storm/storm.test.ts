import { describe, expect, it } from 'vitest';
import { runStory, stories } from '../../sandbox/storm/crash-points.ts';
import { sabotages } from '../../sandbox/storm/sabotage.ts';
import { runStorm, type StormResult } from '../../sandbox/storm/storm.ts';
import { regressions } from './regressions.ts';

const told = ({ findings }: StormResult): readonly string[] => findings.map(({ kind, what }) => `${kind}: ${what}`);

describe('the storm', () => {
  it.each(regressions)(
    '$name (seed $seed)',
    async ({ seed, changes, fair = false }) => {
      expect(told(await runStorm({ seed, changes, fair }))).toEqual([]);
    },
    60_000,
  );

  it('the same seed is the same history, to the letter', async () => {
    const [one, other] = [await runStorm({ seed: 5, changes: 40 }), await runStorm({ seed: 5, changes: 40 })];
    expect(other.digest).toBe(one.digest);
    expect(other.faults).toEqual(one.faults);
    expect(await runStorm({ seed: 6, changes: 40 })).not.toMatchObject({ digest: one.digest });
  }, 60_000);

  it.each(['invoices', 'payments', 'customers'])(
    'can be confined to what gives work to %s',
    async (flow) => {
      const result = await runStorm({ seed: 1, changes: 30, flow });
      expect(told(result)).toEqual([]);
      expect(result.records).toBeGreaterThan(5);
    },
    60_000,
  );
});

describe('a guard that is switched off is noticed', () => {
  const quick = sabotages.filter(({ within }) => within <= 2);

  it.each(quick)(
    '$name: $about',
    async (sabotage) => {
      const failed: number[] = [];
      for (let seed = sabotage.from; seed < sabotage.from + sabotage.within && failed.length === 0; seed += 1)
        if ((await runStorm({ seed, changes: 100, sabotage })).findings.length > 0) failed.push(seed);
      expect(failed, `none of the seeds ${sabotage.from} to ${sabotage.from + sabotage.within - 1} noticed`).not.toEqual([]);
    },
    120_000,
  );
});

describe('a worker loses the answer of any effect', () => {
  it.each(stories)(
    '$name',
    async (story) => {
      const whole = await runStory(story);
      expect(whole.findings).toEqual([]);
      expect(whole.counted).toBeGreaterThan(50);
      for (const [index, manner] of (['lost', 'late', 'error'] as const).entries()) {
        const at = Math.floor((whole.counted * (index + 1)) / 4);
        const end = await runStory(story, { at, manner });
        expect(end.findings, `${end.effect} (${at}) ${manner}`).toEqual([]);
      }
    },
    60_000,
  );
});
