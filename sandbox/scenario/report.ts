import pc from 'picocolors';
import type { Miss } from './expectations.ts';
import type { FileProblem } from './read-scenarios.ts';
import type { FailedPlace, ScenarioResult } from './run-scenario.ts';

/** One line for a scenario, and what went wrong below it. */
export function resultText(result: ScenarioResult, options: { readonly verbose?: boolean } = {}): string {
  const { ok, file, scenario, ms, state } = result;
  const head = `${ok ? pc.green('✓') : pc.red('✗')} ${file}  ${scenario} ${pc.dim(`(${ms} ms)`)}`;
  const story = options.verbose ? state.audit.map((entry) => `    ${pc.dim(entry.at)} ${entry.outcome} ${entry.sentence}`) : [];
  return [head, ...result.failures.map(placeText), ...story].join('\n');
}

function placeText({ at, misses, story }: FailedPlace): string {
  const told = story.length === 0 ? [] : [`    ${pc.dim('what the connector did:')}`, ...story.map((line) => `      ${pc.dim(line)}`)];
  return [`  ${pc.bold(at)}`, ...misses.map(missText), ...told].join('\n');
}

function missText({ what, expected, found, differences }: Miss): string {
  const head = [
    `    ${what}`,
    `      expected  ${expected}`,
    `      ${differences.length === 0 ? 'found   ' : 'nearest '}  ${pc.red(found)}`,
  ];
  const width = Math.max(0, ...differences.map(({ path }) => path.length));
  const fields = differences.map(
    (one) => `        ${pc.red('≠')} ${one.path.padEnd(width)}  expected ${pc.green(one.expected)}, found ${pc.red(one.found)}`,
  );
  return [...head, ...fields].join('\n');
}

/** Why a file cannot be used: every mistake on a line of its own. */
export function problemText({ file, line, path, reason, fix }: FileProblem): string {
  return `${pc.red('✗')} ${file}${line === undefined ? '' : `:${line}`}: ${path === '' ? '' : `${path}: `}${reason}. ${fix}`;
}

export function totalText(results: readonly ScenarioResult[]): string {
  const failed = results.filter(({ ok }) => !ok).length;
  const passed = results.length - failed;
  return `${passed} passed, ${failed} failed`;
}
