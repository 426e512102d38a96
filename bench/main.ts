import { Command } from 'commander';
import { measureBundles } from './bundles.ts';
import { holds, limitText, type Measure, measureLine, rounded } from './measure.ts';
import { measureMemory } from './memory.ts';
import { measureBillingRun, measureDynamoUnits } from './run-measures.ts';
import { measureTests } from './tests.ts';

/** `npm run bench`: measures what the product promises about cost, speed and size. Exit code 1 when a measure is over its limit. */
const benchmarks: Readonly<Record<string, (options: { readonly quick: boolean }) => Promise<readonly Measure[]>>> = {
  run: measureBillingRun,
  units: measureDynamoUnits,
  memory: measureMemory,
  bundles: measureBundles,
  tests: measureTests,
};
/** Not part of a run of all: it is the suite that runs anyway. */
const onlyWhenAsked = new Set(['tests']);

const program = new Command('bench')
  .description('Benchmarks of the connector: calls, units, rate, memory, bundles.')
  .option('--json', 'one line of JSON per measure')
  .option('--only <name>', `one of ${Object.keys(benchmarks).join(', ')}`)
  .option('--quick', 'a tenth of the size')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();
const options = program.opts<{ json?: true; only?: string; quick?: true }>();
if (options.only !== undefined && !Object.hasOwn(benchmarks, options.only))
  program.error(`There is no benchmark "${options.only}": choose one of ${Object.keys(benchmarks).join(', ')}.`);

const names = options.only === undefined ? Object.keys(benchmarks).filter((name) => !onlyWhenAsked.has(name)) : [options.only];
let failed = false;
for (const name of names) {
  const measures = (await benchmarks[name]?.({ quick: options.quick === true })) ?? [];
  failed ||= !measures.every(holds);
  process.stdout.write(options.json ? measures.map((measure) => `${measureLine(measure)}\n`).join('') : tableOf(name, measures));
}
process.exitCode = failed ? 1 : 0;

function tableOf(name: string, measures: readonly Measure[]): string {
  const rows = measures.map((measure) => ({
    ok: holds(measure) ? 'ok' : 'OVER',
    measure: measure.measure,
    value: `${rounded(measure.value)} ${measure.unit}`,
    limit: limitText(measure.limit),
    about: measure.about ?? '',
  }));
  const width = (member: 'measure' | 'value' | 'limit'): number => Math.max(...rows.map((row) => row[member].length));
  const [measureWidth, valueWidth, limitWidth] = [width('measure'), width('value'), width('limit')];
  const lines = rows.map((row) =>
    `${row.ok.padEnd(5)}${row.measure.padEnd(measureWidth + 2)}${row.value.padStart(valueWidth)}  ${row.limit.padEnd(limitWidth)}  ${row.about}`.trimEnd(),
  );
  return `${name}\n${lines.join('\n')}\n\n`;
}
