import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import * as z from 'zod';
import { runDrill } from './drill.ts';

/** `npm run rehearse:crash`: exit code 0 only if every record is in the books exactly once. */
const whole = z.coerce.number().int().min(0);
const optionsSchema = z.object({
  webhooks: whole.min(1),
  workerKills: whole,
  runnerKills: whole,
  latency: whole,
  seed: whole.default(() => randomInt(2 ** 31)),
  seconds: whole.min(1),
  keep: z.literal(true).optional(),
  json: z.literal(true).optional(),
});

const program = new Command('rehearse:crash --')
  .description(
    'Kills functions and the whole local cloud with SIGKILL while webhooks come in and vendors answer slowly; then compares both systems.',
  )
  .option('--webhooks <count>', 'invoices that are billed and announced', '300')
  .option('--worker-kills <count>', 'times that all processes of a function are killed', '8')
  .option('--runner-kills <count>', 'times that the runner is killed: queues, tables, gateway and all', '3')
  .option('--latency <ms>', 'how long both vendors take for an answer', '300')
  .option('--seed <number>', 'the moments of an earlier run')
  .option('--seconds <count>', 'give up after', '1800')
  .option('--keep', 'leave the folder with tables, queues and logs')
  .option('--json', 'print nothing but the result, as one line of JSON')
  .parse();

const options = optionsSchema.parse(program.opts());
const folder = mkdtempSync(join(tmpdir(), 'crash-drill-'));
const say = (sentence: string): void => {
  if (options.json !== true) process.stdout.write(`${sentence}\n`);
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
process.on('exit', () => {
  if (!options.keep) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});
if (options.keep) say(`Everything is kept in ${folder}.`);
try {
  const result = await runDrill({ ...options, latencyMs: options.latency, mostSeconds: options.seconds, folder, say });
  const { examples, ...figures } = result;
  for (const example of examples) process.stderr.write(`${example}\n`);
  const { webhooks, accepted, workerKills, runnerKills, lost, duplicates, seed, seconds, ...more } = figures;
  process.stdout.write(`${JSON.stringify({ webhooks, accepted, workerKills, runnerKills, lost, duplicates, seed, seconds, ...more })}\n`);
  const isWell = figures.atRest && accepted === webhooks && lost + duplicates + figures.wrong + figures.unaudited === 0;
  if (!isWell) process.stderr.write(`Run it again with: npm run rehearse:crash -- --seed ${result.seed} --webhooks ${webhooks} --keep\n`);
  process.exitCode = isWell ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
// A socket that somebody keeps open must not keep the process.
process.exit();
