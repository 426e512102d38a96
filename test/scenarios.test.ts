import { relative } from 'node:path';
import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import { catalog } from '../lib/catalog.ts';
import { companies } from '../sandbox/companies/companies.ts';
import { findFiles, readFile } from '../sandbox/scenario/read-scenarios.ts';
import { problemText, resultText } from '../sandbox/scenario/report.ts';
import { runScenario } from '../sandbox/scenario/run-scenario.ts';

/** Every scenario file of the repository, as `npm run scenario -- scenarios` runs them. */
const { files } = findFiles(['scenarios']);
const plain = pc.createColors(false);

describe('scenarios', () => {
  test.each(files.map((file) => [relative('scenarios', file), file]))('%s', async (_name, file) => {
    const { scenarios, problems } = readFile(file, { catalog, companies });
    expect(problems.map((problem) => problemText(problem, plain))).toEqual([]);
    for (const scenario of scenarios) {
      const result = await runScenario(scenario, catalog);
      expect(result.failures.length === 0 ? '' : resultText(result, { colors: plain })).toBe('');
    }
  });
});
