import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSeededRandom } from '../../../lib/memory/seeded-random.ts';
import { runDrill } from '../../../sandbox/crash/drill.ts';
import { planKills } from '../../../sandbox/crash/plan.ts';
import { judge } from '../../../sandbox/crash/verdict.ts';

test('after SIGKILL to functions and to the runner every invoice is in the books exactly once, and the audit tells how', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crash-drill-'));
  const said: string[] = [];
  try {
    const result = await runDrill({
      ...{ webhooks: 40, workerKills: 1, runnerKills: 1, latencyMs: 60, seed: 3, mostSeconds: 240, folder },
      say: (sentence) => said.push(sentence),
    });
    expect(result, said.slice(-20).join('\n')).toMatchObject({
      ...{ webhooks: 40, accepted: 40, workerKills: 1, runnerKills: 1, atRest: true },
      ...{ lost: 0, duplicates: 0, wrong: 0, unaudited: 0, examples: [] },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 360_000);

test('a seed names the same kills every time, spread over the work', () => {
  const plan = (seed: number) => planKills({ webhooks: 300, workerKills: 8, runnerKills: 3 }, createSeededRandom(seed));
  expect(plan(7)).toEqual(plan(7));
  expect(plan(7)).not.toEqual(plan(8));
  expect(
    plan(7)
      .map(({ what }) => what)
      .sort(),
  ).toEqual([...Array(3).fill('runner'), ...Array(8).fill('worker')]);
  for (const { afterReleased } of plan(7)) expect(afterReleased).toBeLessThan(270);
});

const invoice = { number: 'INV1', amount: '10.00', status: 'Posted' };
const callout = { notificationId: 'n1', objectId: 'o1', state: 'delivered', attempts: 1 };
const booked = { type: 'Invoice', ref: 'AR1', amount: '10', customerOrder: 'INV1', released: true };
const line = { record: 'acumatica-zuora.invoices|b|o1', outcome: 'posted', correlation: 'n1' };
const well = { webhooks: 1, invoices: [invoice], callouts: [callout], booked: [booked], audit: [line] };

test.each([
  ['all is well', {}, {}],
  ['a document is missing', { booked: [] }, { lost: 1 }],
  ['a document is there twice', { booked: [booked, { ...booked, ref: 'AR2' }] }, { duplicates: 1 }],
  ['a second generation is there', { booked: [booked, { ...booked, ref: 'AR2', customerOrder: 'INV1~2' }] }, { duplicates: 1 }],
  ['a document was left unreleased', { booked: [{ ...booked, released: false }] }, { wrong: 1 }],
  ['an amount differs', { booked: [{ ...booked, amount: '10.01' }] }, { wrong: 1 }],
  ['the audit says nothing of a webhook', { audit: [{ ...line, correlation: 'n2' }] }, { unaudited: 1 }],
  ['the audit does not say how it ended', { audit: [{ ...line, outcome: 'waiting' }] }, { unaudited: 1 }],
  ['a webhook was never answered 200', { callouts: [{ ...callout, state: 'failed' }] }, { accepted: 0 }],
])('the verdict when %s', (_when, change, expected) => {
  expect(judge({ ...well, ...change })).toMatchObject({ accepted: 1, lost: 0, duplicates: 0, wrong: 0, unaudited: 0, ...expected });
});
