import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

/**
 * Runs the README: every block marked `sh`, in order, against a rehearsal in a folder of its own. Blocks marked `console` are for an AWS account,
 * or would run this test again; that their scripts exist is checked in repository.test.ts.
 */
const run = promisify(execFile);
const readme = readFileSync('README.md', 'utf8');
const blocksOf = (language: string): readonly string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text.trim());
const [install = '', ...tour] = blocksOf('sh');
const scripts = (JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }).scripts;

const state = mkdtempSync(join(tmpdir(), 'readme-'));
let rehearsal: ChildProcess;
let said = '';
let ended: Promise<unknown> = Promise.resolve();
let ports: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  const [program = '', ...words] = (scripts['start'] ?? '').split(' ');
  rehearsal = spawn(program, [...words, '--state', state], { stdio: ['ignore', 'pipe', 'pipe'] });
  ended = once(rehearsal, 'close');
  await new Promise<void>((resolve, reject) => {
    for (const stream of [rehearsal.stdout, rehearsal.stderr]) {
      stream?.on('data', (text) => {
        said += String(text);
        if (said.includes('Everything keeps running')) resolve();
      });
    }
    void ended.then(() => reject(new Error(`the rehearsal ended:\n${said}`)));
  });
  ports = Object.fromEntries(
    [...said.matchAll(/^ {2}(\w+) +http:\/\/127\.0\.0\.1:(\d+) {3}\(people/gm)].map(([, name = '', port = '']) => [name, port]),
  );
}, 300_000);

afterAll(async () => {
  rehearsal.kill('SIGINT');
  await ended;
  rmSync(state, { recursive: true, force: true });
}, 30_000);

/** As it stands in the README, for the folder and the ports of this rehearsal. */
function here(block: string): string {
  return block
    .replaceAll(/npm run (--silent )?cli -- /g, `npm run --silent cli -- --state ${state} `)
    .replaceAll('127.0.0.1:7101', `127.0.0.1:${ports['acumatica']}`)
    .replaceAll('127.0.0.1:7102', `127.0.0.1:${ports['zuora']}`);
}

/** A look is repeated until it answers, as a person repeats it while a webhook is on its way. */
const isLook = (block: string): boolean => block.split('\n').every((line) => /^npm run cli -- (explain|audit|status|holds)/.test(line));

async function execute(block: string): Promise<string> {
  for (;;) {
    try {
      return (await run('sh', ['-e', '-c', here(block)])).stdout;
    } catch (error) {
      if (!isLook(block)) throw error;
    }
  }
}

async function until(record: string, outcome: string): Promise<void> {
  while (!(await execute(`npm run cli -- audit ${record} --outcome ${outcome} --json`)).includes(`"outcome":"${outcome}"`));
}

test('the first block installs and starts with what package.json has', () => {
  expect(install).toBe('npm ci\nnpm start');
  expect(existsSync('package-lock.json')).toBe(true);
});

test('the figures it shows are those of the rehearsal', () => {
  for (const line of blocksOf('text').flatMap((block) => block.split('\n'))) expect(said).toContain(line.trim());
});

test('slow: every command of the tour works, in order, and repairs what was broken', async () => {
  for (const block of tour) {
    await execute(block);
    if (block.includes('create-invoice')) await until('INV00000700', 'held');
    if (block.includes('map accountMap')) await until('INV00000700', 'posted');
  }
  await until('INV00000499', 'posted');
  await until('INV00000599', 'posted');
  expect(await execute('npm run cli -- holds --json')).not.toMatch(/account-map:|period:/);
}, 180_000);
