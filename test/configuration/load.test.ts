import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { catalog } from '../../lib/catalog.ts';
import { checkConfiguration, configurationJsonSchema, loadConfiguration } from '../../lib/configuration/load.ts';

const example = readFileSync('docs/examples/acumatica-zuora.yaml', 'utf8');

function problems(text: string) {
  const result = checkConfiguration(text, catalog);
  return 'problems' in result ? result.problems : [];
}

describe('connector.yaml', () => {
  it('the commented example is right', () => {
    expect(problems(example)).toEqual([]);
  });

  it('reports every mistake at once, each with line, path, reason and fix', () => {
    const broken = example
      .replace('vendor: acumatica', 'vendor: akumatica')
      .replace('b: billing', 'b: biling')
      .replace('startFrom: 2026-02-01', 'startFrom: 1.2.2026')
      .replace('journals: off', 'jornals: off');
    const found = problems(broken);
    expect(found.map((problem) => problem.path)).toEqual([
      'connections.erp.vendor',
      'integrations.acumatica-zuora.a',
      'integrations.acumatica-zuora.b',
      'integrations.acumatica-zuora.flows.jornals',
      'integrations.acumatica-zuora.settings.startFrom',
    ]);
    for (const problem of found) {
      expect(problem.line).toBeGreaterThan(1);
      expect(problem.reason).not.toBe('');
      expect(problem.fix).not.toBe('');
    }
  });

  const cases: readonly (readonly [string, (text: string) => string, { path: string; reason: RegExp }])[] = [
    ['a tab where YAML wants blanks', (text) => text.replace('stack:', '\tstack:'), { path: '', reason: /tab/i }],
    ['a key written twice', (text) => `${text}\nversion: 1\n`, { path: '', reason: /unique/i }],
    ['an unknown setting', (text) => `${text}\ncolour: blue\n`, { path: 'colour', reason: /not a setting/ }],
    [
      'a credential in place of the name of a secret',
      (text) => text.replace('secret: kestrel/erp ', 'secret: "p@ss word!" '),
      { path: 'connections.erp.secret', reason: /name of a secret/ },
    ],
    [
      'an address of http',
      (text) => text.replace('https://erp.kestrel.example/kestrel', 'http://erp.kestrel.example/kestrel'),
      { path: 'connections.erp.settings.url', reason: /https/ },
    ],
    [
      'a version that is not served anywhere',
      (text) => text.replace('24.200.001', '26.200.001'),
      { path: 'connections.erp.settings.version', reason: /contract 5/ },
    ],
    [
      'a region that does not exist',
      (text) => text.replace('us-production-cloud1', 'us-production'),
      { path: 'connections.billing.settings.environment', reason: /must be one of/ },
    ],
    [
      'a poll every minute',
      (text) => text.replace('poll: 15', 'poll: 1'),
      { path: 'integrations.acumatica-zuora.flows.invoices.poll', reason: /5 minutes/ },
    ],
    [
      'connections swapped',
      (text) => text.replace('a: erp', 'a: billing').replace('b: billing', 'b: erp'),
      { path: 'integrations.acumatica-zuora.a', reason: /side a of acumatica-zuora is acumatica/ },
    ],
    [
      'a mode that does not exist',
      (text) => text.replace('mode: preview', 'mode: test'),
      { path: 'integrations.acumatica-zuora.mode', reason: /live/ },
    ],
    [
      'an alert address without https',
      (text) => text.replace('https: []', 'https: ["http://x.example"]'),
      { path: 'alerts.https[0]', reason: /https/ },
    ],
  ];

  it.each(cases)('refuses %s', (_name, change, expected) => {
    const found = problems(change(example));
    expect(found.find((problem) => problem.path === expected.path)?.reason, JSON.stringify(found)).toMatch(expected.reason);
  });

  it('shows no value of a setting that might be a secret', () => {
    expect(() => loadConfiguration(example.replace('secret: kestrel/erp ', 'secret: "hunter 2" '), catalog)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hunter 2') }),
    );
  });

  it('the JSON Schema for editors is current: npm run schema', () => {
    expect(JSON.parse(readFileSync('docs/connector.schema.json', 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(configurationJsonSchema(catalog))),
    );
  });
});
