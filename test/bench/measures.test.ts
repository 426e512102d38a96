import { describe, expect, test } from 'vitest';
import { runSize } from '../../bench/billing-run-company.ts';
import { rateMeasures } from '../../bench/billing-run-measures.ts';
import { acumaticaTotal, callBudgets, zuoraBudget } from '../../bench/call-budget.ts';
import { emptyCounts } from '../../bench/counting-ports.ts';
import { holds, type Measure, measureLine } from '../../bench/measure.ts';

describe('a measure', () => {
  test.each<[string, Measure, boolean, number | null]>([
    ['at its limit holds', { measure: 'm', value: 5, unit: 's', limit: { atMost: 5 } }, true, 5],
    ['over its limit does not', { measure: 'm', value: 5.01, unit: 's', limit: { atMost: 5 } }, false, 5],
    ['below what it must reach does not', { measure: 'm', value: 89.9, unit: '%', limit: { atLeast: 90 } }, false, 90],
    ['without limit always holds', { measure: 'm', value: 1e9, unit: 's' }, true, null],
  ])('%s, and its line says so', (_what, measure, ok, limit) => {
    expect(holds(measure)).toBe(ok);
    expect(JSON.parse(measureLine(measure))).toEqual({ measure: 'm', value: measure.value, unit: measure.unit, limit, ok });
  });
});

describe('the budget of calls', () => {
  const size = runSize(1_000);

  test('a run keeps the proportions of 10,000 invoices, 8,000 payments, 500 memos and 2,000 accounts', () => {
    expect(runSize(10_000)).toEqual({ invoices: 10_000, payments: 8_000, creditMemos: 500, accounts: 2_000 });
  });

  test('every endpoint has a sentence, and writes are one call per record', () => {
    for (const { about } of callBudgets) expect(about).toMatch(/\w.*[.]$/);
    const calls = (operation: string) => callBudgets.find(({ operations }) => operations.includes(operation))?.calls(size);
    expect(['PUT /Customer', 'PUT /Invoice', 'PUT /Payment'].map(calls)).toEqual([200, 1_050, 850]);
  });

  test('the endpoints together stay within what the pair allows for the whole run', () => {
    const sum = callBudgets.reduce((total, budget) => total + budget.calls(size), 0);
    expect(acumaticaTotal(size)).toBeCloseTo(3.4 * 1_800 + 6.7 * 50 + 1.01 * 200 + 0.4);
    expect(sum).toBeLessThan(1.1 * acumaticaTotal(size));
    expect(zuoraBudget.calls(size, 0)).toBeLessThan(zuoraBudget.calls(size, 3));
  });
});

test('the fullest minute is found wherever it begins, and refusals are counted', () => {
  const counts = emptyCounts();
  const at = (seconds: number, status = 200): void => {
    counts.calls.push({ operation: 'acumatica PUT /Invoice', atMs: seconds * 1000, status });
  };
  // Thirty in the second half of one minute, thirty in the first half of the next.
  for (let call = 0; call < 60; call += 1) at(31 + call);
  at(600, 429);
  const [used, fullest, refused] = rateMeasures({ counts, begunMs: 31_000, endedMs: 600_000 });
  expect([fullest?.value, refused?.value]).toEqual([60, 1]);
  expect([used, fullest, refused].map((measure) => measure && holds(measure))).toEqual([false, false, false]);
});
