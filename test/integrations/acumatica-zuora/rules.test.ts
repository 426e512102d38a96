import { describe, expect, test } from 'vitest';
import type { Memory } from '../../../lib/contracts/flow.ts';
import type { Posting } from '../../../lib/contracts/link.ts';
import { Failure } from '../../../lib/failures.ts';
import { deltasOf, desiredFromParts, desiredFromRows, nextStep, takesBack } from '../../../lib/integrations/acumatica-zuora/applied.ts';
import { decideByContent } from '../../../lib/integrations/acumatica-zuora/flows/shared.ts';
import { generationOf, markerOf, numberOf, reversalMarkerOf } from '../../../lib/integrations/acumatica-zuora/markers.ts';
import { ownerOf } from '../../../lib/integrations/acumatica-zuora/ownership.ts';
import { settingsSchema } from '../../../lib/integrations/acumatica-zuora/settings.ts';
import { contradictions, flowsOff } from '../../../lib/integrations/acumatica-zuora/tables.ts';
import { isOutOfBalance } from '../../../lib/integrations/acumatica-zuora/targets/release.ts';
import { causeOf, settingsWith } from './examples.ts';

describe('markers', () => {
  test('generations, reversals and prefix', () => {
    expect([numberOf('EU-', ' INV1 '), markerOf('INV1', 1), markerOf('INV1', 2), reversalMarkerOf('INV1', 2)]).toEqual([
      'EU-INV1',
      'INV1',
      'INV1~2',
      'INV1~R2',
    ]);
  });
  test('36 characters fit, 37 are held', () => {
    expect(numberOf('', 'X'.repeat(36))).toHaveLength(36);
    expect(causeOf(() => numberOf('', 'X'.repeat(37)))).toBe('number-too-long');
  });
  test.each([
    ['INV1', 1],
    [' inv1 ', 1],
    ['INV1~3', 3],
    ['INV1~R1', undefined],
    ['INV10', undefined],
    ['INV1~x', undefined],
  ])('%s is generation %s of INV1', (marker, generation) => {
    expect(generationOf('INV1', marker)).toBe(generation);
  });
});

describe('who owns a transaction type', () => {
  const documents = [
    'Invoice Item',
    'InvoiceItem',
    'Taxation Item',
    'Debit Memo Item (Tax)',
    'Credit Memo Item (Charge)',
    'Electronic Payment',
    'External Refund',
    'Electronic Payment Application Item',
    'External Refund Application',
    'Credit Memo Application Item',
  ];
  test.each(documents)('%s is booked by AR documents, and by journals in gl-summary', (type) => {
    expect(ownerOf(type, { postingMode: 'ar-documents', revenue: 'zuora-journals' })).toEqual({ is: 'filtered', rule: 'owned-by-ar' });
    expect(ownerOf(type, { postingMode: 'gl-summary', revenue: 'at-billing' })).toEqual({ is: 'journal' });
  });
  test('revenue events are journals only where Zuora recognises', () => {
    expect(ownerOf('Revenue Event Item', { postingMode: 'ar-documents', revenue: 'zuora-journals' })).toEqual({ is: 'journal' });
    expect(ownerOf('Revenue Event Item', { postingMode: 'ar-documents', revenue: 'at-billing' })).toMatchObject({ is: 'filtered' });
  });
  test.each(['Invoice Item Adjustment (Invoice Item)', 'Invoice Adjustment', 'Credit Balance Adjustment (Applied from Credit Balance)'])(
    '%s has no AR document',
    (type) => {
      expect(causeOf(() => ownerOf(type, { postingMode: 'ar-documents', revenue: 'at-billing' }))).toBe('no-ar-counterpart');
    },
  );
  test.each(['ar-documents', 'gl-summary'] as const)('a new type is held in %s', (postingMode) => {
    expect(causeOf(() => ownerOf('Prepaid Thing', { postingMode, revenue: 'zuora-journals' }))).toBe('unknown-type');
  });
});

describe('applications', () => {
  const row = (docId: string, amount: string, date?: string) => ({ docId, amount, ...(date === undefined ? {} : { date }) });
  test('listed rows are summed per document when they prove themselves', () => {
    expect(
      desiredFromRows({ rows: [row('b', '10', '2026-03-02'), row('a', '5'), row('b', '1', '2026-03-05')], applied: '16.00', amount: '20' }),
    ).toEqual([
      { docId: 'a', amount: '5' },
      { docId: 'b', amount: '11', date: '2026-03-05' },
    ]);
  });
  test.each([
    ['a negative row', { rows: [row('a', '10'), row('a', '-10')], applied: '0', amount: '10' }],
    ['a sum that is not the applied amount', { rows: [row('a', '10')], applied: '5', amount: '10' }],
    ['no applied amount', { rows: [], amount: '10' }],
    ['a list that may be cut', { rows: Array.from({ length: 99 }, () => row('a', '1')), applied: '99', amount: '99' }],
  ])('%s is not believed', (_name, source) => {
    expect(desiredFromRows(source)).toBeUndefined();
  });
  test('parts give the amounts, the latest row of the document the date', () => {
    expect(
      desiredFromParts(
        [
          { docId: 'a', amount: '7' },
          { docId: undefined, amount: '3' },
        ],
        [row('a', '10', '2026-03-02'), row('a', '-3', '2026-03-09')],
      ),
    ).toEqual([{ docId: 'a', amount: '7', date: '2026-03-09' }]);
  });
  const wanted = (ref: string, amount: string, date = '2026-03-09') => ({ docType: 'Invoice', ref, number: ref, amount, date });
  const there = (ref: string, booked: string, pending = '0') => ({ docType: 'Invoice', ref, booked, pending });
  test.each([
    ['agreed', [wanted('A', '10')], [there('A', '10.00')], []],
    ['agreed with a pending row', [wanted('A', '10')], [there('A', '4', '6')], []],
    ['a reversed row nets to nothing', [], [there('A', '0')], []],
    ['more', [wanted('A', '10')], [there('A', '4')], ['A 6']],
    ['new', [wanted('A', '10')], [], ['A 10']],
    ['taken back', [wanted('A', '10')], [there('A', '15')], ['A -5']],
    ['moved', [wanted('B', '10')], [there('A', '10')], ['B 10', 'A -10']],
  ])('%s', (_name, desired, stands, expected) => {
    const deltas = deltasOf(desired, stands);
    expect(deltas.map((delta) => `${delta.ref} ${delta.delta}`)).toEqual(expected);
    expect(takesBack(deltas).length).toBe(expected.filter((text) => text.includes('-')).length);
  });
  test('steps follow the dates', () => {
    const deltas = deltasOf([wanted('B', '1', '2026-03-15'), wanted('A', '1', '2026-03-10'), wanted('C', '1', '2026-03-10')], []);
    expect(nextStep(deltas)).toMatchObject({ date: '2026-03-10', rows: [{ ref: 'A' }, { ref: 'C' }] });
  });
});

describe('settings', () => {
  const parse = (more: Readonly<Record<string, unknown>>) => settingsSchema.safeParse({ startFrom: '2026-02-01', branch: 'MAIN', ...more });
  test('only cut-over and branch have no default', () => {
    expect(parse({}).success).toBe(true);
    expect(settingsSchema.safeParse({}).error?.issues.map((issue) => issue.path.join('.'))).toEqual(['startFrom', 'branch']);
  });
  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['a date that does not exist', { startFrom: '2026-02-30' }],
    ['a tolerance above 0.05', { rounding: { tolerance: '0.06', account: '1' } }],
    ['a tolerance without account', { rounding: { tolerance: '0.01' } }],
    ['a prefix of seven', { markerPrefix: 'ABCDEFG' }],
    ['a misspelt option', { postingmode: 'gl-summary' }],
  ])('%s is refused', (_name, more) => {
    expect(parse(more).success).toBe(false);
  });
  test('contradictions are all named at once', () => {
    const settings = settingsSchema.parse({
      startFrom: '2026-02-01',
      branch: 'MAIN',
      tax: { mode: 'detail' },
      revenue: 'acumatica-deferral',
      accountMap: [
        { code: 'A', account: '1' },
        { code: ' a', account: '2' },
      ],
    });
    expect(contradictions(settings).map((each) => each.path)).toEqual([
      'methods',
      'tax.exemptCategory',
      'customers.class',
      'tax.taxableCategory',
      'tax.zone',
      'tax.ids',
      'accountMap',
      'accountMap',
    ]);
    expect(contradictions(settingsWith())).toEqual([]);
  });
  test('gl-summary needs only cut-over and branch, and switches the document flows off', () => {
    const settings = settingsSchema.parse({ startFrom: '2026-02-01', branch: 'MAIN', postingMode: 'gl-summary' });
    expect(contradictions(settings)).toEqual([]);
    expect(Object.keys(flowsOff(settings))).toEqual(['invoices', 'credit-memos', 'payments', 'applications', 'refunds']);
    expect(flowsOff(settingsWith())).toEqual({});
  });
});

describe('what is to be done', () => {
  const posting = (more: Partial<Posting> = {}): Posting => ({
    generation: 1,
    kind: 'post',
    marker: 'X',
    stage: 'posted',
    target: 'Invoice/1',
    draft: { content: 'a' },
    ...more,
  });
  const trouble = { kind: 'NeedsPerson', cause: 'voided-in-acumatica', sentence: '', actor: 'customer' } as const;
  const decide = (memory: Partial<Memory>, more: { counts?: boolean; content?: string; corrections?: 'auto' | 'hold' } = {}) =>
    decideByContent({
      label: 'X',
      memory: { state: 'synced', keys: {}, ...memory },
      corrections: more.corrections ?? 'auto',
      counts: more.counts ?? true,
      status: more.counts === false ? 'Draft' : 'Posted',
      content: more.content ?? 'a',
      changedOn: '2026-03-15',
      never: 'status:Draft',
      settled: () => ({ do: 'settle', outcome: 'unchanged' }),
      contentOf: (draft) => (draft as { content?: string } | undefined)?.content,
    });

  test.each<[string, Partial<Memory>, Parameters<typeof decide>[1], unknown]>([
    ['never seen', {}, {}, { do: 'post', generation: 1 }],
    ['never posted and a draft', {}, { counts: false }, { do: 'filter', rule: 'status:Draft' }],
    ['posted and the same', { postings: [posting()] }, {}, { do: 'settle', outcome: 'unchanged' }],
    ['half written and the same', { postings: [posting({ stage: 'prepared' })] }, {}, { do: 'post', generation: 1 }],
    [
      'announced: keeps its generation even when the content changed',
      { postings: [{ generation: 1, kind: 'post', marker: 'X', stage: 'announced' }] },
      { content: 'b' },
      { do: 'post', generation: 1 },
    ],
    [
      'posted and changed',
      { postings: [posting()] },
      { content: 'b' },
      { do: 'reverse', generation: 1, on: '2026-03-15', because: 'changed in Zuora' },
    ],
    [
      'posted and unposted',
      { postings: [posting()] },
      { counts: false },
      { do: 'reverse', generation: 1, on: '2026-03-15', because: 'Draft in Zuora' },
    ],
    ['reversed and posted again', { postings: [posting({ stage: 'reversed' })] }, {}, { do: 'post', generation: 2 }],
    [
      'reversed and still a draft',
      { postings: [posting({ stage: 'reversed' })] },
      { counts: false },
      { do: 'settle', outcome: 'reversed', note: 'draft' },
    ],
    [
      'a person said ignore',
      { postings: [posting()], decision: 'ignore' },
      { content: 'b' },
      { do: 'settle', outcome: 'noted', note: 'ignored' },
    ],
    ['a person said next-generation', { postings: [posting()], decision: 'next-generation', trouble }, {}, { do: 'post', generation: 2 }],
    [
      'the answer counts once',
      { postings: [posting(), posting({ generation: 2 })], decision: 'next-generation' },
      {},
      { do: 'settle', outcome: 'unchanged' },
    ],
  ])('%s', (_name, memory, more, expected) => {
    expect(decide(memory, more)).toEqual(expected);
  });

  test('corrections: hold asks a person', () => {
    expect(causeOf(() => decide({ postings: [posting()] }, { content: 'b', corrections: 'hold' }))).toBe('correction');
  });
});

test('only an out-of-balance refusal makes us send the total', () => {
  const refusal = (said: string) => new Failure('RequestRejected', { sentence: 'Acumatica refused to create an Invoice.', said });
  expect([isOutOfBalance(refusal('The document is out of the balance.')), isOutOfBalance(refusal('Account is inactive.'))]).toEqual([
    true,
    false,
  ]);
});
