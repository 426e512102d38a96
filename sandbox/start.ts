import { resolve } from 'node:path';
import { Command } from 'commander';
import colors from 'picocolors';
import * as z from 'zod';
import { ask } from '../cli/connection.ts';
import { Failure } from '../lib/failures.ts';
import { machineClock } from './cloud/clock.ts';
import { readJsonFile, writeJsonFile } from './cloud/file-store.ts';
import { createLiveLine, untilRest } from './rehearsal/progress.ts';
import { StartError } from './rehearsal/start-error.ts';
import { openRehearsal, type Rehearsal } from './rehearsal/start-rehearsal.ts';
import { takeFigures } from './rehearsal/summary.ts';
import { summaryOf } from './rehearsal/summary-text.ts';

/** `npm start`: the rehearsal as a person sees it. */

const usualState = '.rehearsal';
/** How long the flow of documents may take before the summary is printed with what is still on the way. */
const patienceMs = 240_000;

interface Options {
  readonly fresh?: boolean;
  readonly once?: boolean;
  readonly state: string;
  readonly configuration?: string;
}

const program = new Command('npm start --')
  .description(
    'Runs the whole connector on this machine: the synthesized stack on local AWS servers, against simulated Zuora and Acumatica.',
  )
  .option('--fresh', 'forget the last run and start over')
  .option('--once', 'end after the summary; exit code 0 only if both sides agree as expected')
  .option('--state <folder>', 'where everything is kept between runs', usualState)
  .option('--configuration <file>', 'run this connector.yaml against the simulated systems')
  .showHelpAfterError('(--help shows what can be asked)');

const say = (text: string): void => void process.stdout.write(`${text}\n`);
/** Aborted by Ctrl-C: whatever is going on comes to an end, and everything is saved. */
const ending = new AbortController();

async function main(options: Options): Promise<number> {
  const state = resolve(options.state);
  const begun = machineClock.now();
  const rehearsal = await openRehearsal({
    state,
    fresh: options.fresh ?? false,
    say: (sentence) => say(colors.dim(sentence)),
    ...(options.configuration === undefined ? {} : { configuration: resolve(options.configuration) }),
  });
  try {
    welcome(rehearsal, { state, seconds: secondsSince(begun) });
    const agrees = ending.signal.aborted ? true : await letItFlow(rehearsal, { ...options, state });
    if (options.once || ending.signal.aborted) return agrees ? 0 : 1;
    say(`\n${colors.dim('Everything keeps running: schedules, webhooks, the CLI. Ctrl-C ends it and keeps the state.')}`);
    await new Promise((ended) => ending.signal.addEventListener('abort', ended, { once: true }));
    return 0;
  } finally {
    say(colors.dim('\nFinishing what is in progress, saving, ending … (Ctrl-C again leaves at once)'));
    await rehearsal.close();
  }
}

function welcome(rehearsal: Rehearsal, given: { readonly state: string; readonly seconds: number }): void {
  const { company, systems, runner, target, webhooks } = rehearsal;
  const addresses: (readonly [string, string])[] = [
    ['operations', `${target.url}/…   (signed; the CLI does it)`],
    ...webhooks.map(({ system, url }) => [`webhooks of ${system}`, url] as const),
    ...Object.entries(systems.origins).map(([system, origin]) => [`${system}`, `${origin}   (people act at ${origin}/__control)`] as const),
    ...Object.entries(runner.urls).map(([service, url]) => [service, url] as const),
    ['state and logs', `${given.state}   (logs of the functions: ${given.state}/cloud/logs)`],
  ];
  const width = Math.max(...addresses.map(([name]) => name.length));
  say(`\n${colors.bold(company.about)}`);
  say(`Ready after ${given.seconds} s.\n`);
  for (const [name, address] of addresses) say(`  ${name.padEnd(width)}  ${address}`);
  say('');
}

const lastSummary = z.object({ fingerprint: z.string(), at: z.string() });

/** Moves what there is to move, shows how it goes, and lays both sides next to each other. */
async function letItFlow(rehearsal: Rehearsal, options: Options): Promise<boolean> {
  const since = machineClock.now();
  const line = createLiveLine(process.stdout);
  let isAtRest = true;
  /** One chapter: something begins, then everything comes to rest. */
  const chapter = async (title: string, begin: () => Promise<unknown>): Promise<void> => {
    if (ending.signal.aborted) return;
    line.end();
    say(colors.bold(title));
    await begin();
    isAtRest = await untilRest(rehearsal, { line, since, mostMs: patienceMs, signal: ending.signal });
  };
  const poll = (flows?: readonly string[]) => ask(rehearsal.target, 'poll', flows === undefined ? {} : { flows });
  await chapter(rehearsal.hasMore() ? 'A first poll takes in what is there already' : 'A poll looks for changes', () => poll());
  if (rehearsal.hasMore()) {
    await chapter('The next month is billed and paid, and webhooks tell of it', async () => {
      while (!ending.signal.aborted && (await rehearsal.happenNext()));
    });
    await chapter('A last poll looks for what no webhook told of', () => poll(['payments', 'applications', 'refunds']));
  }
  line.end();
  if (ending.signal.aborted) return true;
  if (!isAtRest) say(`Not at rest after ${secondsSince(since)} s; this is how far it came.`);
  const figures = await takeFigures(rehearsal);
  const file = resolve(options.state, 'summary.json');
  const before = lastSummary.safeParse(readJsonFile(file)).data;
  const { text, agrees } = summaryOf(figures, {
    seconds: secondsSince(since),
    tries: rehearsal.company.tries,
    stateOption: options.state === resolve(usualState) ? '' : `--state ${options.state} `,
  });
  say(`\n${text}`);
  if (before?.fingerprint === figures.fingerprint) say(`\nNothing changed since ${before.at.slice(0, 16).replace('T', ' ')} UTC.`);
  else writeJsonFile(file, { fingerprint: figures.fingerprint, at: machineClock.now().toISOString() });
  return agrees;
}

const secondsSince = (instant: Date): number => Math.round((machineClock.now().getTime() - instant.getTime()) / 1000);

// SIGHUP: the terminal was closed.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (ending.signal.aborted) process.exit(130);
    ending.abort();
  });
}

// A terminal or a pipe that was closed is no reason to leave without saving.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

program.parse();
try {
  process.exitCode = await main(program.opts<Options>());
} catch (error) {
  process.exitCode = 1;
  if (error instanceof StartError) process.stderr.write(`${error.message}\n→ ${error.fix}\n`);
  else if (error instanceof Failure)
    process.stderr.write(`${error.message}\n${error.record.fix === undefined ? '' : `→ ${error.record.fix}\n`}`);
  else process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}
// Sockets that somebody keeps open must not keep the process.
process.exit();
