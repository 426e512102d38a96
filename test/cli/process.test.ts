import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { invoice, openDesk } from '../operations/kestrel-desk.ts';
import { type Console, command, openConsole, secretAccessKey } from './console.ts';

/** The command line as a process, and what it says to nonsense and to silence. */
let there: Console;
let folder: string;
const written: string[] = [];

beforeAll(async () => {
  const desk = await openDesk();
  await desk.zuora(invoice('INV00000417'));
  await desk.settle();
  there = await openConsole(desk);
  folder = mkdtempSync(join(tmpdir(), 'ml-connector-nowhere-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await there.close();
});

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  use?: (child: ChildProcess) => void,
): Promise<Ran> {
  const child = spawn('node_modules/.bin/tsx', ['cli/main.ts', ...words], {
    env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out: string[] = [];
  const err: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk.toString('utf8')));
  use?.(child);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  written.push(...out, ...err);
  return { code, out: out.join(''), err: err.join('') };
}

describe('as a process', () => {
  test('status prints a table and ends with 0; --json prints exactly what the connector answered', async () => {
    const [shown, json] = await Promise.all([
      run(['status', '--state', there.state]),
      run(['explain', 'INV00000417', '--json', '--state', there.state]),
    ]);
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toMatch(/^acumatica-zuora\nflow +mode +looks every/);
    expect(json.code).toBe(0);
    expect(JSON.parse(json.out)).toMatchObject({ stories: [{ label: 'INV00000417', state: 'synced', money: '1,225.00 USD' }] });
  });

  test('a refusal ends with 1, nonsense with 2, and neither shows a stack', async () => {
    const [refused, nonsense, nothing] = await Promise.all([
      run(['explain', 'INV99999999', '--state', there.state]),
      run(['frobnicate', '--state', there.state]),
      run([]),
    ]);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/^No record "INV99999999" is known here.*\n→ /);
    expect(nonsense.code).toBe(2);
    expect(nonsense.err).toContain("unknown command 'frobnicate'");
    expect(nothing.code).toBe(2);
    expect(`${nothing.out}${nothing.err}`).toContain('Usage: ml-connector');
    for (const { err } of [refused, nonsense, nothing]) expect(err).not.toMatch(/\n\s+at /);
  });

  test('a destructive command without a person does nothing', async () => {
    const { code, err } = await run(['unlink', 'INV00000417', '--state', there.state]);
    expect(code).toBe(1);
    expect(err).toContain('Say it again with --yes.');
    expect(there.asked.map(({ operation }) => operation)).not.toContain('unlink');
  });

  test('a reader that goes away is not an error', async () => {
    const { err } = await run(['status', '--state', there.state], {}, (child) => child.stdout?.destroy());
    expect(err).toBe('');
  });
});

const say = async (words: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const said = await command(words, { env });
  written.push(said.out, said.err);
  return said;
};
const here = (...words: readonly string[]) => say([...words, '--state', there.state]);

describe('nonsense', () => {
  test.each([
    ['explain'],
    ['explain', 'a', 'b'],
    ['mode', 'invoices'],
    ['link', 'customers', 'C0000412'],
    ['status', 'now'],
    ['status', '--frobnicate'],
    ['audit', '--limit', 'many'],
    ['audit', '--limit', '-5'],
    ['audit', '--limit', '1e9'],
    ['audit', '--limit', '0'],
    ['audit', '--limit', '2001'],
    ['audit', '--from', 'yesterday'],
    ['audit', '--from', '2026-13-45'],
    ['audit', '--from', '2026-03-02T08:00:00+01:00'],
    ['audit', '--to', ''],
    ['plans', '--limit', '3.5'],
    ['replay', 'a', 'b', 'c'],
    ['map', 'accountMap', 'EU Usage'],
    ['map', 'accountMap', '=40100'],
    ['map', 'accountMap', 'code=a', 'code=b'],
    ['map', 'accountMap', '--remove'],
    ['dlq'],
    ['dlq', 'frobnicate'],
    ['dlq', 'purge'],
    ['connect'],
    ['--url'],
  ])('%j is not understood: 2, told how it is said, nothing asked, no stack', async (...words) => {
    const before = there.asked.length;
    const { code, out, err } = await here(...words);
    expect(code).toBe(2);
    expect(`${out}${err}`).not.toBe('');
    expect(err).not.toMatch(/\n\s+at |Error:/);
    expect(there.asked.length).toBe(before);
  });

  test.each<readonly [readonly string[], string]>([
    [['mode', 'invoices', 'on'], 'mode'],
    [['mode', 'orders', 'live'], 'has no flow "orders"'],
    [['decide', 'INV00000417', 'whatever'], 'decision'],
    [['explain', 'x'.repeat(20_000)], 'longer than any name'],
    [['explain', '   '], 'must not be empty'],
    [['explain', '💥\u0000\u001b[31m'], 'No record'],
    [['map', 'accountMap', `code=${'x'.repeat(5000)}`, 'account=1'], 'code'],
    [['map', 'nonsense', 'code=1'], 'has no mapping table "nonsense"'],
    [['replay'], 'Nothing was named to replay.'],
    [['replay', 'INV1', '--held'], 'exclude each other'],
    [['dlq', 'redrive'], 'Say which'],
    [['poll', 'orders'], 'There is no flow "orders"'],
    [['report', 'profit'], 'There is no report "profit"'],
    [['status', '--integration', 'nav-zuora'], 'There is no integration "nav-zuora"'],
    [['audit', '--from', '2026-03-05', '--to', '2026-03-01'], 'lies after'],
  ])('%j is refused by the connector: 1, with what was wrong', async (words, expected) => {
    const { code, out, err } = await here(...words);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(expected);
    expect(err).not.toMatch(/\n\s+at |ZodError/);
  });
});

describe('where nothing answers', () => {
  const keys = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: secretAccessKey };

  test('no rehearsal, a broken endpoint file, and one whose rehearsal has gone', async () => {
    expect(await say(['status', '--state', folder])).toMatchObject({
      code: 1,
      err: expect.stringContaining('No rehearsal is running here.'),
    });
    writeFileSync(join(folder, 'endpoint.json'), '{"operationsUrl":');
    expect(await say(['status', '--state', folder])).toMatchObject({ code: 1, err: expect.stringContaining('cannot be read') });
    writeFileSync(
      join(folder, 'endpoint.json'),
      JSON.stringify({ operationsUrl: 'http://127.0.0.1:9/operations', region: 'x', accessKeyId: 'a', secretAccessKey }),
    );
    expect(await say(['status', '--state', folder])).toMatchObject({
      code: 1,
      err: expect.stringContaining('Nothing answers at http://127.0.0.1:9.'),
    });
  });

  test.each([
    ['nonsense', 'is not a URL'],
    ['ftp://example.test/operations', 'begins with https'],
    ['http://example.test/operations', 'begins with https'],
    ['https://anna:hunter2@example.test/operations', 'user name or password'],
  ])('--url %s', async (url, expected) => {
    const { code, err } = await say(['status', '--url', url], keys);
    expect(code).toBe(1);
    expect(err).toContain(expected);
    expect(err).not.toContain('hunter2');
  });

  test('credentials are asked for before anything leaves', async () => {
    expect(await say(['status', '--url', 'https://example.test/operations'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('There are no AWS credentials'),
    });
  });

  test.each([
    [200, '<html>Welcome</html>', 'answers, but not as a connector does'],
    [200, '{"flows":"none"}', 'an answer this command line cannot read'],
    [200, 'null', 'an answer this command line cannot read'],
    [403, '{"message":"Forbidden"}', 'These credentials may not call the operations of this stack.'],
    [404, '{"message":"Not Found"}', 'Copy OperationsUrl from the outputs of the stack.'],
    [500, '', 'The connector answered 500.'],
    [503, '{"message":"Service Unavailable"}', 'longer than half a minute'],
    [502, '{"error":{"sentence":"Zuora is down.","fix":"Wait."}}', 'Zuora is down.\n→ Wait.'],
  ])('an answer %i %s', async (status, body, expected) => {
    const strange = await openConsole(undefined, { status: { status, body } });
    try {
      const { code, out, err } = await say(['status', '--url', strange.url], keys);
      expect([code, out]).toEqual([1, '']);
      expect(err).toContain(expected);
    } finally {
      await strange.close();
    }
  });

  test('what a terminal would obey is taken out of the texts of strangers', async () => {
    const letter = {
      id: 'L1',
      records: [],
      sentAt: '2026-03-02T08:00:00Z',
      receiveCount: 1,
      body: '\u001b[2J\u001b]0;owned\u0007\u202eevil\r',
    };
    const strange = await openConsole(undefined, { 'dlq-list': { status: 200, body: JSON.stringify({ letters: [letter], others: 0 }) } });
    try {
      for (const words of [
        ['dlq', 'list'],
        ['dlq', 'show', 'L1'],
      ]) {
        const { out } = await say([...words, '--url', strange.url], keys);
        expect(out).toContain('evil');
        expect(out).not.toContain(String.fromCharCode(27));
        expect(out).not.toContain(String.fromCharCode(7));
        expect(out).not.toContain('\u202e');
      }
    } finally {
      await strange.close();
    }
  });
});

test('nothing that was printed holds a secret', () => {
  const everything = written.join('\n');
  expect(everything.length).toBeGreaterThan(3000);
  for (const secret of [secretAccessKey, 'simulated-acumatica-secret', 'kT9+xQ=/y0mZ', 'hunter2']) expect(everything).not.toContain(secret);
});
