import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Compared } from '../../sandbox/companies/kestrel-comparison.ts';
import { kestrelMonth } from '../../sandbox/companies/kestrel-month.ts';
import type { Absence, Figures } from '../../sandbox/rehearsal/summary.ts';
import { summaryOf } from '../../sandbox/rehearsal/summary-text.ts';

const folder = mkdtempSync(join(tmpdir(), 'start-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(...words: readonly string[]): Promise<{ readonly code: unknown; readonly said: string }> {
  const child = spawn(process.execPath, ['sandbox/start.mjs', '--state', join(folder, 'state'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
  const [code] = await once(child, 'close');
  return { code, said };
}

test('slow: a fresh company is moved, both sides agree, and the next start finds nothing changed', async () => {
  const first = await start('--once');
  expect(first.said).toContain('Both sides agree: every difference above is explained.');
  expect(first.said).not.toContain('Not as it should be');
  for (const cause of ['account-map:EU Usage', 'period:', 'possible-duplicate']) expect(first.said).toContain(cause);
  expect(first.code).toBe(0);
  const second = await start('--once');
  expect(second.said).toContain('Nothing changed since');
  expect(second.code).toBe(0);
}, 400_000);

describe('what goes wrong at the start is said in a sentence', () => {
  test('a configuration with mistakes names each of them', async () => {
    const file = join(folder, 'connector.yaml');
    writeFileSync(file, 'version: 1\nstack: x\nconnections: {}\nintegrations: { acumatica-zuora: { a: erp, b: billing } }\n');
    const { code, said } = await start('--configuration', file);
    expect(said).toMatch(/connector\.yaml has \d+ problem/);
    expect(said).toContain('→ Correct the file');
    expect(said).not.toContain('    at ');
    expect(code).toBe(1);
  }, 60_000);

  test('a configuration that is not there', async () => {
    const { code, said } = await start('--configuration', join(folder, 'none.yaml'));
    expect(said).toContain('There is no file');
    expect(code).toBe(1);
  }, 60_000);
});

const document = (number: string, amount: string, booked: Compared['booked']): Compared => ({
  ...{ kind: 'Invoices', number, account: 'KR-10023', currency: 'USD', date: '2026-03-02', amount, effect: amount, booked },
});

function figures(documents: readonly Compared[], absences: readonly Absence[], receivables: { billed: string; booked: string }): Figures {
  return {
    comparison: {
      documents,
      customers: { accounts: 1, customers: 1, missing: [] },
      receivables: new Map([['USD', receivables]]),
      others: 0,
    },
    absences,
    differences: documents.filter(({ booked, amount }) => booked.length > 1 || booked.some((there) => there.amount !== amount)),
    holds: { groups: [] },
    calls: { acumatica: { reads: 1, writes: 2 } },
    fingerprint: 'x',
  };
}

describe('the summary', () => {
  const there = document('INV1', '1334.88', [{ target: 'Invoice AR004701', amount: '1334.88' }]);
  const absent = document('INV2', '100.00', []);
  const run = { seconds: 1, tries: [], stateOption: '' };

  test('a document that is held on purpose is a difference that is explained, to the cent of the receivables', () => {
    const held: Absence = { document: absent, state: 'held', because: 'no account', isExpected: true };
    const { agrees, text } = summaryOf(figures([there, absent], [held], { billed: '1434.88', booked: '1334.88' }), run);
    expect(agrees).toBe(true);
    expect(text).toMatch(/Invoices +USD +2 +1,434\.88 +1 +1,334\.88 +100\.00 +1 held/);
    expect(text).toMatch(/Receivables +USD +1,434\.88 +1,334\.88 +100\.00 +the documents above, to 0\.00/);
  });

  test.each<readonly [string, Figures, string]>([
    [
      'a document nobody meant to be missing',
      figures([there, absent], [{ document: absent, state: 'unknown', because: 'the connector never saw it', isExpected: false }], {
        billed: '1434.88',
        booked: '1334.88',
      }),
      'INV2 100.00 USD is not in Acumatica: the connector never saw it',
    ],
    [
      'a document with another amount',
      figures([document('INV1', '1334.88', [{ target: 'Invoice AR004701', amount: '1334.87' }])], [], {
        billed: '1334.88',
        booked: '1334.87',
      }),
      'INV1 is 1,334.88 USD in Zuora and 1,334.87 as Invoice AR004701 in Acumatica',
    ],
    [
      'a document that was posted twice',
      figures(
        [
          document('INV1', '5', [
            { target: 'Invoice A', amount: '5' },
            { target: 'Invoice B', amount: '5' },
          ]),
        ],
        [],
        { billed: '5', booked: '10' },
      ),
      '5.00 as Invoice A and 5.00 as Invoice B',
    ],
    [
      'receivables that differ by more than what is missing',
      figures([there], [], { billed: '1334.88', booked: '1300' }),
      'the receivables in USD differ',
    ],
  ])('%s is no agreement, and is named', (_name, given, sentence) => {
    const { agrees, text } = summaryOf(given, run);
    expect(agrees).toBe(false);
    expect(text).toContain(sentence);
  });
});

describe('the company', () => {
  test.each(['2025-01-31', '2026-11-21', '2028-02-29'])('on %s it has the documents a finance person expects of two months', (today) => {
    const { systems, story, heldOnPurpose } = kestrelMonth(today);
    const seed = systems['zuora']?.seed as Readonly<Record<string, readonly { readonly number: string; readonly date?: string }[]>>;
    const billed = story[0]?.action['invoices'] as readonly { readonly number: string; readonly date: string }[];
    const invoices = [...(seed['invoices'] ?? []), ...billed];
    expect([seed['accounts']?.length, invoices.length, seed['creditMemos']?.length]).toEqual([40, 119, 10]);
    expect(new Set(invoices.map(({ number }) => number)).size).toBe(invoices.length);
    expect(invoices.every(({ date }) => date !== undefined && date < today)).toBe(true);
    for (const record of Object.keys(heldOnPurpose))
      expect([...invoices, ...(seed['accounts'] ?? [])].map(({ number }) => number)).toContain(record);
  });
});
