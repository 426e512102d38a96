import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

/**
 * `npm test`: runs the suite and closes with the plain line `N passed, N failed` that any CI can read.
 * Arguments are handed to vitest: `npm test -- test/engine`.
 */
const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numFailedTestSuites: z.number(),
  success: z.boolean(),
});

const folder = mkdtempSync(join(tmpdir(), 'ml-connector-test-'));
const file = join(folder, 'report.json');
const run = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...process.argv.slice(2)],
  { stdio: 'inherit' },
);

let passed = 0;
let failed = 1;
let skipped = 0;
try {
  const result = report.parse(JSON.parse(readFileSync(file, 'utf8')));
  passed = result.numPassedTests;
  skipped = result.numPendingTests;
  // A file that cannot even be loaded fails without a failed test of its own.
  failed = result.success ? 0 : Math.max(1, result.numFailedTests);
} catch (error) {
  process.stderr.write(`The test runner left no report: ${error instanceof Error ? error.message : String(error)}\n`);
}
rmSync(folder, { recursive: true, force: true });
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed > 0 || run.status !== 0 ? 1 : 0;
