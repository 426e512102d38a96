import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { flowsOfStorm } from './oracle.ts';
import { reportOf, summaryLine, Totals } from './report.ts';
import { sabotages } from './sabotage.ts';
import { runStorm, type StormResult } from './storm.ts';

/** `npm run storm -- --seeds 500 [--seed 1] [--changes 200] [--flow payments] [--sabotage dedupe] [--json]` */

const usage = 'npm run storm -- --seeds N [--seed S] [--changes M] [--flow F] [--sabotage NAME] [--fair] [--workers N] [--json]';
/** A process is replaced after so many seeds, so that no seed runs in another one's memory for long. */
const seedsPerProcess = 200;
/** Failing seeds told in full; of more, only their numbers. */
const toldInFull = 3;

interface Asked {
  readonly seeds: number;
  readonly first: number;
  readonly changes: number;
  readonly flow: string | undefined;
  readonly sabotage: string | undefined;
  readonly fair: boolean;
  readonly workers: number;
  readonly json: boolean;
}

function asked(): Asked {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      changes: { type: 'string', default: '200' },
      flow: { type: 'string' },
      sabotage: { type: 'string' },
      fair: { type: 'boolean', default: false },
      workers: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'boolean', default: false },
    },
  });
  const { flow, sabotage } = values;
  if (flow !== undefined && !flowsOfStorm.includes(flow)) throw new Error(`there is no flow ${flow}: ${flowsOfStorm.join(', ')}`);
  if (sabotage !== undefined && !sabotages.some(({ name }) => name === sabotage))
    throw new Error(`there is no sabotage ${sabotage}: ${sabotages.map(({ name }) => name).join(', ')}`);
  return {
    seeds: whole('seeds', values.seeds),
    first: whole('seed', values.seed),
    changes: whole('changes', values.changes),
    flow,
    sabotage,
    fair: values.fair,
    workers: whole('workers', values.workers),
    json: values.json,
  };
}

function whole(name: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new Error(`--${name} wants a whole number above 0, not "${text}"; ${usage}`);
}

const optionsFor = (ask: Asked, seed: number) => {
  const sabotage = sabotages.find(({ name }) => name === ask.sabotage);
  const { changes, fair, flow } = ask;
  return { seed, changes, fair, ...(flow === undefined ? {} : { flow }), ...(sabotage === undefined ? {} : { sabotage }) };
};

/** A child process: seeds come as messages, results go back. */
function serve(ask: Asked): void {
  process.on('message', (seed: number) => {
    void runStorm(optionsFor(ask, seed)).then(({ history, ...result }) =>
      process.send?.({ ...result, history: result.findings.length > 0 ? history : [] }),
    );
  });
}

async function main(ask: Asked): Promise<number> {
  const totals = new Totals();
  let next = ask.first;
  const end = ask.first + ask.seeds;
  const take = (): number | undefined => (next < end ? next++ : undefined);
  const note = (result: StormResult): void => {
    totals.add(result);
    if (result.findings.length > 0 && totals.failed.length <= toldInFull)
      process.stderr.write(reportOf(result, commandFor(ask, result.seed)));
    else if (result.findings.length > 0) process.stderr.write(`seed ${result.seed}: ${commandFor(ask, result.seed)}\n`);
  };
  if (ask.seeds === 1 || ask.workers === 1) {
    for (let seed = take(); seed !== undefined; seed = take()) note(await runStorm(optionsFor(ask, seed)));
  } else {
    await Promise.all(Array.from({ length: Math.min(ask.workers, ask.seeds) }, () => drive(take, note)));
  }
  process.stdout.write(ask.json ? `${JSON.stringify(totals.line())}\n` : `${summaryLine(totals)}\n`);
  return totals.failed.length === 0 ? 0 : 1;
}

/** Feeds child processes one after another until no seed is left. */
async function drive(take: () => number | undefined, note: (result: StormResult) => void): Promise<void> {
  for (let seed = take(); seed !== undefined; ) {
    const first = seed;
    seed = await new Promise<number | undefined>((resolve, reject) => {
      const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), { env: { ...process.env, STORM_CHILD: '1' } });
      let done = 0;
      let current = first;
      child.on('message', (result: StormResult) => {
        note(result);
        done += 1;
        const following = take();
        if (following === undefined || done >= seedsPerProcess) {
          child.disconnect();
          resolve(following);
        } else {
          current = following;
          child.send(following);
        }
      });
      child.on('exit', (code) => reject(new Error(`the process of seed ${current} ended with ${code} before its history did`)));
      child.send(first);
    });
  }
}

function commandFor(ask: Asked, seed: number): string {
  const more = [
    ...(ask.flow === undefined ? [] : [`--flow ${ask.flow}`]),
    ...(ask.sabotage === undefined ? [] : [`--sabotage ${ask.sabotage}`]),
    ...(ask.fair ? ['--fair'] : []),
  ];
  return ['npm run storm -- --seeds 1', `--seed ${seed}`, `--changes ${ask.changes}`, ...more].join(' ');
}

try {
  const ask = asked();
  if (process.env['STORM_CHILD'] === '1') serve(ask);
  else process.exitCode = await main(ask);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`);
  process.exitCode = 2;
}
