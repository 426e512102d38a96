import pc from 'picocolors';
import type { Miss } from './expectations.ts';
import type { FileProblem } from './read-scenarios.ts';
import type { FailedPlace, ScenarioResult } from './run-scenario.ts';

type Colors = Pick<typeof pc, 'green' | 'red' | 'dim' | 'bold'>;

/** One line for a scenario, and what went wrong below it; with `verbose` also everything the connector did. */
export function resultText(result: ScenarioResult, options: { readonly verbose?: boolean; readonly colors?: Colors } = {}): string {
  const { ok, file, scenario, ms, story } = result;
  const { colors = pc } = options;
  const head = `${ok ? colors.green('✓') : colors.red('✗')} ${file}  ${scenario} ${colors.dim(`(${ms} ms)`)}`;
  const told = options.verbose ? story.map((line) => `    ${colors.dim(line)}`) : [];
  return [head, ...result.failures.map((place) => placeText(place, colors)), ...told].join('\n');
}

function placeText({ at, misses, story }: FailedPlace, colors: Colors): string {
  const told =
    story.length === 0 ? [] : [`    ${colors.dim('what the connector did:')}`, ...story.map((line) => `      ${colors.dim(line)}`)];
  return [`  ${colors.bold(at)}`, ...misses.map((miss) => missText(miss, colors)), ...told].join('\n');
}

function missText({ what, expected, found, differences }: Miss, colors: Colors): string {
  const head = [
    `    ${what}`,
    `      expected  ${expected}`,
    `      ${differences.length === 0 ? 'found   ' : 'nearest '}  ${colors.red(found)}`,
  ];
  const width = Math.max(0, ...differences.map(({ path }) => path.length));
  const fields = differences.map(
    (one) => `        ${colors.red('≠')} ${one.path.padEnd(width)}  expected ${colors.green(one.expected)}, found ${colors.red(one.found)}`,
  );
  return [...head, ...fields].join('\n');
}

/** Why a file cannot be used: every mistake on a line of its own. */
export function problemText({ file, line, path, reason, fix }: FileProblem, colors: Colors = pc): string {
  return `${colors.red('✗')} ${file}${line === undefined ? '' : `:${line}`}: ${path === '' ? '' : `${path}: `}${reason}. ${fix}`;
}

export function totalText(results: readonly ScenarioResult[]): string {
  const failed = results.filter(({ ok }) => !ok).length;
  return `${results.length - failed} passed, ${failed} failed`;
}
