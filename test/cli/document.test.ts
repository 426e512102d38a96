import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from '../../cli/program.ts';
import { operations } from '../../lib/operations/operations.ts';
import { openDesk } from '../operations/kestrel-desk.ts';
import { type Console, command, openConsole } from './console.ts';

/** docs/commands.md and the command line say the same. */

const text = readFileSync('docs/commands.md', 'utf8');
const documented = [...text.matchAll(/^### `([^`]+)`$/gm)].map(([, name = '']) => name);
const examples = [...text.matchAll(/^\$ npm run cli -- (.+)$/gm)].map(([, line = '']) => line);

function leaves(program: Command, before = ''): readonly string[] {
  return program.commands.flatMap((one) => (one.commands.length > 0 ? leaves(one, `${before}${one.name()} `) : [`${before}${one.name()}`]));
}
const terminal = { out: () => undefined, err: () => undefined, isInteractive: false, confirm: async () => false, env: {}, user: 'anna' };
const commands = leaves(createProgram(terminal, { exit: 0 }));

/** `map accountMap "code=EU Usage" account=40100` as a shell takes it apart. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

let there: Console;
beforeAll(async () => {
  there = await openConsole(await openDesk());
});
afterAll(() => there.close());

describe('docs/commands.md', () => {
  test('has every command and no other', () => {
    expect([...documented].sort()).toEqual([...commands].sort());
  });

  test('has one example for every command, in its place', () => {
    expect(examples.map((line) => documented.find((name) => line === name || line.startsWith(`${name} `)))).toEqual(documented);
  });

  test.each(examples)('%s is understood', async (line) => {
    const { code, err } = await command([...wordsOf(line), '--state', there.state]);
    expect(code, err).not.toBe(2);
    // The connector may have nothing to do it with, but it reads the request.
    expect(err).not.toContain('cannot be read');
  });

  test('names every option that a command has', () => {
    const options = (program: Command): readonly string[] => [
      ...program.options.map((option) => option.long ?? ''),
      ...program.commands.flatMap(options),
    ];
    const missing = [...new Set(options(createProgram(terminal, { exit: 0 })))].filter((name) => !text.includes(name));
    expect(missing).toEqual([]);
  });
});

test('every operation is reached by a command', async () => {
  const reached = new Set(there.asked.map(({ operation }) => operation));
  await command(['map', '--state', there.state]);
  await command(['dlq', 'purge', '--all', '--yes', '--state', there.state]);
  for (const { operation } of there.asked) reached.add(operation);
  expect([...operations.map(({ name }) => name)].filter((name) => !reached.has(name))).toEqual([]);
});
