import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const head = 'scenario: A try\nintegration: acumatica-zuora\nstart: 2026-03-05T17:00:00Z\n';
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scenarios-'));
  writeFileSync(join(folder, 'good.yaml'), `${head}when:\n  - poll: all\n`);
  writeFileSync(join(folder, 'bad.yaml'), `${head}then: { deadLetters: 1 }\n---\n${head}`);
  writeFileSync(join(folder, 'broken.yaml'), `${head}whne: []\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The command as a person runs it, from another directory. */
function scenario(...args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const tsx = resolve('node_modules/tsx/dist/cli.mjs');
  return spawnSync(process.execPath, [tsx, resolve('sandbox/scenario/main.ts'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
}

describe('npm run scenario (slow: a process each)', () => {
  test('runs files anywhere on disk and ends with 0 when everything holds', () => {
    const { status, stdout } = scenario('good.yaml', '--seed', '5');
    expect(stdout).toMatch(/^✓ good\.yaml {2}A try \(\d+ ms\)\n1 passed, 0 failed\n$/);
    expect(status).toBe(0);
  });

  test('ends with 1 when something does not hold, and prints end states as JSON', () => {
    const { status, stdout } = scenario('--json', 'bad.yaml');
    const { results } = JSON.parse(stdout) as { results: { ok: boolean; failures: { at: string }[]; state: object }[] };
    expect(results.map(({ ok, failures }) => [ok, failures.map(({ at }) => at)])).toEqual([
      [false, ['then']],
      [true, []],
    ]);
    expect(status).toBe(1);
  });

  test('runs nothing and ends with 2 when one file of a directory cannot be used', () => {
    const { status, stdout, stderr } = scenario('.');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('broken.yaml:4: whne: is not a setting here.');
  });

  test.each([
    ['no file', []],
    ['a file that is not there', ['nowhere.yaml']],
    ['an option nobody knows', ['--fast', 'good.yaml']],
    ['a seed that is none', ['--seed', 'x', 'good.yaml']],
  ])('%s ends with 2', (_name, args) => {
    expect(scenario(...args).status).toBe(2);
  });
});
