import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import { catalog } from '../../lib/catalog.ts';
import { companies } from '../../sandbox/companies/companies.ts';
import { compare, isLike, nearestOf, numberFits } from '../../sandbox/scenario/matching.ts';
import { readScenarios } from '../../sandbox/scenario/read-scenarios.ts';
import { problemText, resultText } from '../../sandbox/scenario/report.ts';
import { runScenario, type ScenarioResult } from '../../sandbox/scenario/run-scenario.ts';

const plain = pc.createColors(false);
const head = 'scenario: A try\nintegration: acumatica-zuora\nstart: 2026-03-05T17:00:00Z\n';
const read = (yaml: string) => readScenarios(yaml, { file: 'try.yaml', catalog, companies });
const problems = (yaml: string): string[] => read(yaml).problems.map((problem) => problemText(problem, plain));

async function run(yaml: string): Promise<ScenarioResult> {
  const { scenarios, problems: mistakes } = read(head + yaml);
  expect(mistakes).toEqual([]);
  const [scenario] = scenarios;
  if (!scenario) throw new Error('no scenario was read');
  return runScenario(scenario, catalog);
}

const report = async (yaml: string): Promise<string> => resultText(await run(yaml), { colors: plain });

const invoice = (number: string, code = 'Usage Revenue') =>
  `{ action: create-invoice, number: ${number}, account: KR-10023, date: 2026-03-05, dueDate: 2026-04-04, items: [ { amount: 10.00, recognizedRevenueAccountingCode: ${code} } ] }`;

describe('matching', () => {
  test.each([
    ['1334.88', '1334.880', true],
    [1334.88, '1334.88', true],
    ['1334.88', '1334.87', false],
    ['12345678901234567890.01', '12345678901234567890.02', false],
    [40000, '40000', true],
    [12, '000012', false],
    ['000012', '000012', true],
    ['KR-1', 'KR-1 ', false],
    [null, '', true],
    [null, undefined, true],
    [null, '0', false],
    [false, undefined, false],
    [true, 'true', false],
    [{ $like: 'CM*' }, 'CM000011', true],
    [{ $present: true }, '', false],
    [{ a: 1 }, { a: 1, b: 2 }, true],
    [{ a: { b: null } }, { a: { b: 1 } }, false],
    [[{ a: 1 }, { a: 2 }], [{ a: 2 }, { a: 1, b: 3 }], true],
    [[{ a: 1 }], [{ a: 1 }, { a: 2 }], false],
    [[{ a: 1 }, { a: 1 }], [{ a: 1 }], false],
    [[], [], true],
    [{ count: 2, include: [{ a: 1 }] }, [{ a: 1 }, { a: 2 }], true],
    [{ where: { a: 1 }, count: 1 }, [{ a: 1 }, { a: 2 }], true],
    [{ none: [{ a: 2 }] }, [{ a: 1 }, { a: 2 }], false],
  ])('%j and %j: %s', (expected, found, agree) => {
    expect(compare(expected, found).differences.length === 0).toBe(agree);
  });

  test('a difference names the path of the field', () => {
    expect(compare({ lines: [{ account: '40000', amount: 1 }] }, { lines: [{ account: '40100', amount: 1 }] }).differences).toEqual([
      { path: 'lines[0].account', expected: '40000', found: '40100' },
    ]);
  });

  test('the nearest record is the one that agrees in most fields', () => {
    expect(nearestOf({ number: 'A', amount: 1, status: 'Open' }, [{ number: 'B' }, { number: 'A', amount: 2, status: 'Open' }])).toEqual({
      number: 'A',
      amount: 2,
      status: 'Open',
    });
  });

  test('wildcards and bounds', () => {
    expect([isLike('account-map:*', 'account-map:EU Usage'), isLike('a.c', 'abc')]).toEqual([true, false]);
    expect([numberFits('<= 2', 2), numberFits('> 2', 2), numberFits('>=3', 3), numberFits(1, 2)]).toEqual([true, false, true, false]);
  });
});

describe('a file that cannot be used', () => {
  test('every mistake is listed with line, path, reason and fix', () => {
    const yaml = `${head}workers: 20
config:
  settings: { closedPeriod: sometimes }
when:
  - pol: all
  - pass: a while
  - until: { holds: {} }
then:
  sytems: {}
`;
    expect(problems(yaml).join('\n')).toMatchInlineSnapshot(`
      "✗ try.yaml:4: workers: Too big: expected number to be <=8. Choose a value inside the limits.
      ✗ try.yaml:8: when[0].pol: is not a setting here. Remove it, or correct its spelling: the JSON Schema lists what may stand here.
      ✗ try.yaml:8: when[0]: exactly one thing per step: act, seed, poll, backfill, work, pass, jump, until, webhooks, request, fault, faults, crash, operator, configure, resetCalls, expect. Correct it; the commented example shows a value that works.
      ✗ try.yaml:9: when[1].pass: a number and a unit: "15 minutes". Correct it; the commented example shows a value that works.
      ✗ try.yaml:10: when[2]: \`until\` needs \`within\`, and the other way round. Correct it; the commented example shows a value that works.
      ✗ try.yaml:12: then.sytems: is not a setting here. Remove it, or correct its spelling: the JSON Schema lists what may stand here."
    `);
  });

  test('systems, companies and settings are checked against what there is', () => {
    expect(
      problems(`${head}config:
  settings: { closedPeriod: sometimes, startFrom: 2026-02-30 }
  flows: { bills: live }
when:
  - act: { salesforce: { action: x } }
then:
  systems: { sap: { invoices: [] } }
`).join('\n'),
    ).toMatchInlineSnapshot(`
      "✗ try.yaml:8: when[0].act.salesforce: kestrel has no system "salesforce". Use one of: acumatica, zuora.
      ✗ try.yaml:10: then.systems.sap: kestrel has no system "sap". Use one of: acumatica, zuora.
      ✗ try.yaml:6: config.flows.bills: acumatica-zuora has no flow "bills". Use one of: customers, invoices, credit-memos, payments, applications, refunds, journals, reconcile.
      ✗ try.yaml:5: config.settings.startFrom: must be a date written YYYY-MM-DD. Correct it; the commented example shows a value that works.
      ✗ try.yaml:5: config.settings.closedPeriod: Invalid option: expected one of "hold"|"next-open". Use one of: hold, next-open."
    `);
    expect(problems(head.replace('acumatica-zuora', 'nav-bill'))[0]).toContain('there is no company with the integration "nav-bill"');
    expect(problems(`${head}given: { company: acme }`)[0]).toContain('Use one of: kestrel.');
    expect(problems(`${head}config: { from: nowhere.yaml }`)[0]).toContain('cannot be read (ENOENT)');
  });

  test('broken YAML and empty files say so', () => {
    expect(problems('scenario: [')[0]).toContain('try.yaml:1');
    expect(problems('# nothing')[0]).toContain('holds no scenario');
  });

  test('several documents in one file are several scenarios', () => {
    expect(read(`${head}---\n${head}`).scenarios).toHaveLength(2);
  });
});

describe('a scenario that fails', () => {
  test('shows the nearest record with the differing fields, and what the connector did', async () => {
    const text = await report(`when:
  - act: { zuora: ${invoice('INV1')} }
  - webhooks: deliver
  - expect:
      systems:
        acumatica:
          invoices: [ { reference: INV1, amount: 10.01, lines: [ { account: "40000" } ] } ]
`);
    expect(text).toContain('step 3 (line 7): expect');
    expect(text).toContain('nearest   Invoice AR004701 INV1');
    expect(text).toMatch(/≠ amount +expected 10\.01, found 10\n/);
    expect(text).toMatch(/≠ lines\[0\]\.account +expected 40000, found 40100/);
    expect(text).toContain('INV1 posted as Invoice/AR004701');
  });

  test.each([
    ['an unlisted hold', `when:\n  - act: { zuora: ${invoice('INV1', 'EU Usage')} }\n  - webhooks: deliver`, 'account-map:EU Usage: INV1'],
    ['a hold that is not there', 'then: { holds: { "period:*": 1 } }', 'period:*: 1'],
    [
      'a link in another state',
      'when:\n  - poll: all\nthen: { links: [ { record: KR-10023, state: held } ] }',
      'expected held, found synced',
    ],
    ['an audit entry too many', 'when:\n  - poll: all\nthen: { audit: [ { outcome: created, count: 2 } ] }', '3 such entries'],
    ['calls', 'when:\n  - poll: [customers]\nthen: { calls: { acumatica: { PUT /Customer: 1 } } }', 'calls acumatica PUT /Customer'],
    ['writes', 'when:\n  - poll: [customers]\nthen: { writes: { acumatica: 0 } }', 'PUT /Customer 3×'],
    ['webhooks', 'then: { webhooks: { accepted: 1 } }', 'webhooks accepted'],
    ['alerts', 'then: { alerts: [ { sentence: paused } ] }', 'raised: none'],
    ['connections', 'then: { connections: { zuora: paused } }', 'connection zuora'],
    ['outcomes', 'then: { outcomes: { invoices: { posted: 1 } } }', 'outcomes invoices posted'],
    ['dead letters', 'then: { deadLetters: 2 }', 'dead letters'],
    ['a wait in vain', 'when:\n  - until: { deadLetters: 1 }\n    within: 2 minutes', 'step 1 (line 5): until'],
    ['an action nobody knows', 'when:\n  - act: { zuora: { action: explode } }', 'unknown action "explode"'],
    ['an action that is not refused', 'when:\n  - poll: all\n    refused: nonsense', 'it was not refused'],
    [
      'a reference that finds nothing',
      'when:\n  - act: { acumatica: { action: approve, type: Invoice, ref: { $find: invoices, where: { reference: X }, take: ref } } }',
      '0 of the acumatica invoices match',
    ],
    ['a crash nobody reaches', 'when:\n  - crash: { before: acumatica PUT /Nothing }', '1 crash never happened'],
    [
      'a fault that hits no call',
      'when:\n  - fault: { system: zuora, operation: GET /nothing, kind: drop-before }',
      'drop-before on GET /nothing of zuora never happened',
    ],
    ['a forged request that is let in', 'when:\n  - request: { path: /webhooks/acumatica-zuora/zuora, expectStatus: 200 }', '401'],
    ['a check that is redder', 'when:\n  - operator: { check: { level: green } }', 'check'],
  ])('%s', async (_name, yaml, words) => {
    const result = await run(yaml);
    expect(result.ok).toBe(false);
    expect(resultText(result, { colors: plain })).toContain(words);
  });

  test('a story that ends in the middle is not quiet, unless it says so', async () => {
    const yaml = `when:
  - poll: all
  - act: { zuora: { action: update-contact, account: KR-10023, workPhone: +1 937 555 0142 } }
`;
    const text = await report(yaml);
    expect(text).toContain('a full poll after the end');
    expect(text).toContain('KR-10023 Northgate Dental Group updated: phone');
    expect((await run(`${yaml}quiet: false`)).ok).toBe(true);
  });
});

test('the same seed replays the same history', async () => {
  const yaml = `seed: 7\nworkers: 3\nwhen:\n  - act: { zuora: { $times: 8, of: ${invoice('"INV{n}"')} } }\n  - fault: { system: acumatica, kind: status, status: 503, skip: 3, times: 4 }\n  - webhooks: deliver\n  - pass: 20 minutes\n`;
  const [first, second] = [await run(yaml), await run(yaml)];
  expect(first.failures).toEqual([]);
  expect(first.state.audit).toHaveLength(second.state.audit.length);
  expect(second.state).toEqual(first.state);
});

test('--json holds records, links, audit, holds, dead letters, alerts and calls', async () => {
  const { state } = await run(`when:\n  - act: { zuora: ${invoice('INV1')} }\n  - webhooks: deliver`);
  expect(Object.keys(state)).toEqual(['at', 'systems', 'links', 'audit', 'holds', 'waiting', 'deadLetters', 'alerts', 'calls', 'writes']);
  expect(JSON.parse(JSON.stringify(state.systems['acumatica']?.['invoices']))).toMatchObject([{ reference: 'INV1', amount: '10' }]);
});
