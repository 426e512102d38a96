import { describe, expect, test } from 'vitest';
import { compareDocuments, type DocumentEvidence } from '../../../lib/integrations/acumatica-zuora/reports/documents.ts';
import type { Booking, Entry, ZuoraDocument } from '../../../lib/integrations/acumatica-zuora/reports/evidence.ts';
import { compareJournals } from '../../../lib/integrations/acumatica-zuora/reports/journals.ts';
import { countLine, moneyLine } from '../../../lib/integrations/acumatica-zuora/reports/lines.ts';
import { parsePeriod } from '../../../lib/integrations/acumatica-zuora/reports/period.ts';
import type { Standing } from '../../../lib/integrations/acumatica-zuora/reports/read-acumatica.ts';

const march = { id: '202603', start: '2026-03-01', end: '2026-03-31', openForAr: true, openForGl: true };
const february = { id: '202602', start: '2026-02-01', end: '2026-02-28', openForAr: false, openForGl: true };
const now = new Date('2026-03-20T12:00:00Z');

const document: ZuoraDocument = {
  key: 'z1',
  kind: 'invoice',
  number: 'INV1',
  accountId: 'acc',
  batch: undefined,
  date: '2026-03-02',
  currency: 'USD',
  amount: '100',
  open: '100',
  updatedAt: new Date('2026-03-02T00:00:00Z'),
  gateway: undefined,
  methodType: undefined,
};
const booked: Booking = {
  target: 'Invoice/AR1',
  type: 'Invoice',
  ref: 'AR1',
  marker: 'INV1',
  amount: '100',
  currency: 'USD',
  date: '2026-03-02',
  period: undefined,
  document: undefined,
  cashAccount: undefined,
};
const entry: Entry = {
  key: 'z1',
  flow: 'invoices',
  label: 'INV1',
  state: 'synced',
  note: undefined,
  trouble: undefined,
  accountId: 'acc',
  booked,
  pairs: [],
};
const standing: Standing = {
  target: 'Invoice/AR1',
  status: 'Open',
  amount: '100',
  open: '100',
  currency: 'USD',
  customer: 'C1',
  marker: 'INV1',
  period: '202603',
};

interface Case {
  readonly documents?: readonly ZuoraDocument[];
  readonly entry?: Partial<Entry> | null;
  readonly standing?: Partial<Standing> | null;
  readonly stray?: Partial<ZuoraDocument & { counts: boolean }>;
  readonly voided?: readonly string[];
}

function compared(given: Case): string {
  const evidence: DocumentEvidence = {
    period: march,
    periods: [february, march],
    documents: given.documents ?? [document],
    entries: given.entry === null ? new Map() : new Map([['z1', { ...entry, ...given.entry }]]),
    standing: given.standing === null ? new Map() : new Map([['Invoice/AR1', { ...standing, ...given.standing }]]),
    strays: given.stray === undefined ? new Map() : new Map([['z1', { ...document, counts: true, ...given.stray }]]),
    voided: new Set(given.voided),
    rules: { now, startFrom: '2026-02-01', excludeBatches: ['Batch7'] },
  };
  const line = compareDocuments(evidence).find(({ label }) => label === 'invoice USD');
  return line === undefined ? 'no line' : `${line.result} ${line.difference} ${line.causes.map(({ cause }) => cause).join()}`.trim();
}

const without = { booked: undefined };

describe('R1: every difference has exactly one cause', () => {
  test.each<[string, Case, string]>([
    ['equal', {}, 'tied 0.00'],
    ['a negative invoice stands as a credit memo', { documents: [{ ...document, amount: '-100' }] }, 'tied 0.00'],
    ['held', { entry: { ...without, state: 'held', trouble: 'account-map:X' } }, 'explained -100.00 held: account-map:X'],
    ['waiting', { entry: { ...without, state: 'waiting', trouble: 'missing:customer' } }, 'explained -100.00 waiting: missing:customer'],
    ['in flight', { entry: { ...without, state: 'working' } }, 'explained -100.00 in flight'],
    ['filtered', { entry: { ...without, state: 'filtered', note: 'flow-off' } }, 'explained -100.00 filtered: flow-off'],
    ['older than the cut-over', { entry: { ...without, state: 'filtered', note: 'before-start' } }, 'explained -100.00 before startFrom'],
    ['gone', { entry: { ...without, state: 'gone' } }, 'explained -100.00 source-vanished'],
    ['never seen, just made', { entry: null, documents: [{ ...document, updatedAt: now }] }, 'explained -100.00 in flight'],
    [
      'never seen, of an excluded batch',
      { entry: null, documents: [{ ...document, batch: 'Batch7' }] },
      'explained -100.00 filtered: excluded-batch',
    ],
    ['never seen, and nothing explains it', { entry: null }, 'open -100.00 unexplained'],
    ['deleted', { standing: null }, 'explained -100.00 deleted in Acumatica: Invoice/AR1'],
    ['voided', { standing: { status: 'Voided' } }, 'explained -100.00 voided in Acumatica: Invoice/AR1'],
    ['voided by us for its refund', { standing: { status: 'Voided' }, voided: ['Invoice/AR1'] }, 'tied 0.00'],
    ['edited', { standing: { amount: '99.99' } }, 'explained -0.01 edited in Acumatica: Invoice/AR1'],
    ['posted into another period', { standing: { period: '202604' } }, 'explained -100.00 other period: 202604'],
    [
      'changed in Zuora and held',
      { documents: [{ ...document, amount: '120' }], entry: { state: 'held', trouble: 'correction' } },
      'explained -20.00 held: correction',
    ],
    ['changed in Zuora long ago, and nothing explains it', { documents: [{ ...document, amount: '120' }] }, 'open -20.00 unexplained'],
    ['of another period there', { documents: [], stray: { date: '2026-02-02' } }, 'explained 100.00 other period: 202602'],
    ['no longer in Zuora', { documents: [] }, 'explained 100.00 source-vanished'],
    [
      'unposted in Zuora and held',
      { documents: [], stray: { counts: false }, entry: { state: 'held', trouble: 'correction' } },
      'explained 100.00 held: correction',
    ],
    ['unposted in Zuora long ago', { documents: [], stray: { counts: false } }, 'open 100.00 unexplained'],
  ])('%s', (_case, given, expected) => expect(compared(given)).toBe(expected));
});

test('causes of one line add up to its difference', () => {
  const line = moneyLine('R1', 'x', 'USD', [
    { a: '10', b: '10', record: 'A', cause: 'never shown: nothing differs' },
    { a: '0', b: '7.5', record: 'B', cause: 'held: x' },
    { a: '0', b: '2.5', record: 'C', cause: 'held: x' },
    { a: '1', b: '0', record: 'D', cause: undefined },
  ]);
  expect(line).toMatchObject({
    difference: '-9.00',
    result: 'open',
    causes: [
      { cause: 'held: x', amount: '-10.00', records: ['B', 'C'] },
      { cause: 'unexplained', amount: '1.00', records: ['D'] },
    ],
  });
  expect(countLine('R1', 'x', [{ a: '0', b: '100', record: 'A', cause: 'held: x' }])).toMatchObject({ a: 0, b: 1, difference: '-1' });
});

test.each([
  ['202603', '202603'],
  ['2026-03', '202603'],
  ['2026-03-31', '202603'],
  ['03-2026', '202603'],
  ['032026', '202603'],
  ['2026-13', '202613'],
  ['March', undefined],
  ['2026', undefined],
])('the period %s is %s', (text, period) => expect(parsePeriod(text)).toBe(period));

describe('R6: journals against their batches', () => {
  const draft = {
    marker: 'ZUORA JE-1|',
    number: 'JE-1',
    run: 'JR-1',
    description: 'x',
    branch: 'MAIN',
    date: '2026-03-31',
    currency: 'USD',
    lines: [
      { account: '24000', debit: '1225', credit: '0', text: 'x' },
      { account: '40000', debit: '0', credit: '1225', text: 'x' },
    ],
    content: 'x',
  };
  const link = {
    origin: { flow: 'acumatica-zuora.journals', side: 'b' as const, key: 'JE-1' },
    keys: { b: 'JE-1' },
    state: 'synced' as const,
    updatedAt: '2026-03-31T00:00:00Z',
    postings: [{ generation: 1, kind: 'post' as const, marker: draft.marker, stage: 'posted' as const, target: 'GL/1', draft }],
  };
  test.each([
    ['equal', new Map([['GL/1', '1225']]), 'tied 0.00'],
    ['edited', new Map([['GL/1', '1200']]), 'explained -25.00 edited in Acumatica'],
    ['deleted', new Map<string, string>(), 'explained -1,225.00 deleted in Acumatica: GL/1'],
  ])('%s', (_case, batches, expected) => {
    const line = compareJournals({ links: [link], period: march, batches }).find(({ label }) => label === 'journals USD');
    expect(`${line?.result} ${line?.difference} ${line?.causes.map(({ cause }) => cause).join()}`.trim()).toBe(expected);
  });
  test('a journal of another period is not looked at', () => {
    expect(compareJournals({ links: [link], period: february, batches: new Map() })).toEqual([]);
  });
});
