import { readFileSync } from 'node:fs';
import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import { catalog } from '../../lib/catalog.ts';
import { companies } from '../../sandbox/companies/companies.ts';
import { scenarioJsonSchema } from '../../sandbox/scenario/json-schema.ts';
import { readScenarios } from '../../sandbox/scenario/read-scenarios.ts';
import { problemText, resultText } from '../../sandbox/scenario/report.ts';
import { runScenario } from '../../sandbox/scenario/run-scenario.ts';
import { expectationSchema, scenarioSchema, stepSchema } from '../../sandbox/scenario/schema.ts';

const file = 'docs/scenarios.md';
const text = readFileSync(file, 'utf8');
const plain = pc.createColors(false);

/** The examples, with the lines they begin at. Those without a head are completed with one. */
const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => ({
  line: text.slice(0, match.index).split('\n').length + 1,
  yaml: match[1] ?? '',
}));
const head = 'scenario: An example of the page\nintegration: acumatica-zuora\nstart: 2026-03-05T17:00:00Z\n';

describe('docs/scenarios.md', () => {
  test.each(examples.map(({ line, yaml }) => [line, yaml]))('the example at line %i runs', async (_line, yaml) => {
    const whole = /^scenario:/m.test(yaml) ? yaml : head + yaml;
    const { scenarios, problems } = readScenarios(whole, { file, catalog, companies });
    expect(problems.map((problem) => problemText(problem, plain))).toEqual([]);
    for (const scenario of scenarios) {
      const result = await runScenario(scenario, catalog);
      expect(result.failures.length === 0 ? '' : resultText(result, { colors: plain })).toBe('');
    }
  });

  const members = {
    scenario: Object.keys(scenarioSchema.shape).filter((member) => member !== '$schema'),
    step: Object.keys(stepSchema.shape),
    expectation: Object.keys(expectationSchema.shape),
    operator: Object.keys(stepSchema.shape.operator.unwrap().shape),
  };
  test.each(Object.entries(members))('every member of a %s stands in an example', (_name, names) => {
    const used = examples.map(({ yaml }) => yaml).join('\n');
    expect(names.filter((name) => !new RegExp(`(^|[\\s{-])${name}:`, 'm').test(used) && !new RegExp(`\`${name}`).test(text))).toEqual([]);
  });

  test('every company is described', () => {
    expect(companies.filter(({ name }) => !text.includes(`| \`${name}\` |`)).map(({ name }) => name)).toEqual([]);
  });
});

test('docs/scenario.schema.json is the schema in force; print it with: npm run --silent scenario -- --schema > docs/scenario.schema.json', () => {
  expect(readFileSync('docs/scenario.schema.json', 'utf8')).toBe(scenarioJsonSchema());
});
