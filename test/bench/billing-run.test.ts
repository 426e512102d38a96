import { expect, test } from 'vitest';
import { runBilling } from '../../bench/billing-run.ts';
import { runSize } from '../../bench/billing-run-company.ts';
import { idleMeasures, queueMeasures, rateMeasures } from '../../bench/billing-run-measures.ts';
import { holds } from '../../bench/measure.ts';

test('a small billing run is booked within the limits of both vendors, and the polls after it list and do nothing else', async () => {
  const run = await runBilling(runSize(20));
  const booked = run.world.simulators['acumatica']?.records('payments') ?? [];
  expect(booked.filter(({ type }) => type === 'Payment')).toHaveLength(16);
  const [, fullest, refused] = rateMeasures(run);
  expect([fullest, refused].map((measure) => measure && holds(measure))).toEqual([true, true]);
  expect(queueMeasures(run)).toHaveLength(1);
  await run.count(async () => void (await run.world.pass(90 * 60_000)));
  const idle = idleMeasures({
    again: await run.count(() => run.world.poll()),
    everything: await run.count(() => run.world.poll({ backfill: true })),
  });
  expect(idle.filter((measure) => !holds(measure))).toEqual([]);
  expect(idle.find(({ measure }) => measure === 'again: list calls')?.value).toBeGreaterThan(0);
}, 60_000);
