import { Command, InvalidArgumentError } from 'commander';
import { catalog } from '../../lib/catalog.ts';
import { companies } from '../companies/companies.ts';
import { scenarioJsonSchema } from './json-schema.ts';
import { findFiles, readFile } from './read-scenarios.ts';
import { problemText, resultText, totalText } from './report.ts';
import { runScenario } from './run-scenario.ts';

/** `npm run scenario -- FILE…`: exit code 0 when all hold, 1 when one does not, 2 when a file cannot be used; then none is run. */
const program = new Command('scenario')
  .description('Runs scenarios, each in a fresh world with virtual time.')
  .argument('[files...]', 'scenario files, or directories with some; anywhere on disk')
  .option('--json', 'print results and end states as JSON')
  .option('--verbose', 'print the audit of every scenario')
  .option('--seed <number>', 'run with this seed in place of that of the file', wholeNumber)
  .option('--schema', 'print the JSON Schema of scenario files')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .action(run);

interface Options {
  readonly json?: true;
  readonly verbose?: true;
  readonly schema?: true;
  readonly seed?: number;
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A seed is a whole number.');
}

async function run(names: readonly string[], options: Options): Promise<void> {
  if (options.schema) {
    process.stdout.write(scenarioJsonSchema());
    return;
  }
  if (names.length === 0) program.error('Name at least one scenario file or directory: npm run scenario -- scenarios', { exitCode: 2 });
  const found = findFiles(names);
  const read = found.files.map((file) => readFile(file, { catalog, companies }));
  const problems = [...found.problems, ...read.flatMap((one) => one.problems)];
  if (problems.length > 0) {
    if (options.json) process.stdout.write(`${JSON.stringify({ problems }, null, 2)}\n`);
    else process.stderr.write(`${problems.map((problem) => problemText(problem)).join('\n')}\nNothing was run.\n`);
    process.exitCode = 2;
    return;
  }
  const results = [];
  for (const scenario of read.flatMap((one) => one.scenarios)) {
    const result = await runScenario(scenario, catalog, options.seed === undefined ? {} : { seed: options.seed });
    results.push(result);
    if (!options.json) process.stdout.write(`${resultText(result, { verbose: options.verbose === true })}\n`);
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ results }, null, 2)}\n`);
  else process.stdout.write(`${totalText(results)}\n`);
  process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
}

await program.parseAsync();
