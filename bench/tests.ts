import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Measure } from './measure.ts';

/** The whole suite as `npm test` runs it, on two cores at most. */
export async function measureTests(): Promise<readonly Measure[]> {
  const begun = performance.now();
  const command = ['--import', 'tsx', 'test/run.ts'];
  const pinned = availableParallelism() > 2 ? spawnSync('taskset', ['-c', '0,1', process.execPath, ...command]) : undefined;
  const run = pinned?.error === undefined && pinned !== undefined ? pinned : spawnSync(process.execPath, command);
  const seconds = (performance.now() - begun) / 1000;
  return [
    { measure: 'npm test', value: seconds, unit: 's', limit: { atMost: 300 }, about: 'The whole suite on two cores.' },
    { measure: 'npm test exit code', value: run.status ?? 1, unit: '', limit: { atMost: 0 } },
  ];
}
