#!/usr/bin/env -S npx tsx
import { runCli } from './program.ts';
import { processTerminal } from './terminal.ts';

/** `ml-connector`: the operations of a running connector from a terminal. Tables for people, `--json` for programs. */
process.exitCode = await runCli(process.argv.slice(2), processTerminal());
