import { describe, expect, test } from 'vitest';
import type { ArDocument } from '../../../lib/integrations/acumatica-zuora/canonical.ts';
import { buildLines, chunksOf } from '../../../lib/integrations/acumatica-zuora/lines.ts';
import { sum } from '../../../lib/values/decimal.ts';
import { books, causeOf, document, line, netDocument, settingsWith } from './examples.ts';

const built = (of: ArDocument, settings = settingsWith(), turned = false) => buildLines(of, turned, settings, books);
const shape = (of: ArDocument, settings = settingsWith(), turned = false) =>
  built(of, settings, turned).lines.map((each) => `${each.account} ${each.qty}×${each.price}=${each.amount}`);

describe('lines of a document', () => {
  test.each<[string, ArDocument, Parameters<typeof settingsWith>[0], readonly string[]]>([
    ['plain, with tax as a line', document(), {}, ['40000 25×49=1225', '23000 1×109.88=109.88']],
    [
      'revenue: zuora-journals credits the deferred account',
      document(),
      { revenue: 'zuora-journals' },
      ['24000 25×49=1225', '23000 1×109.88=109.88'],
    ],
    ['a discount is a negative line', netDocument(['100.00', '-90.00'], '10.00'), {}, ['40000 1×100=100', '40000 1×-90=-90']],
    ['items of nothing are dropped', netDocument(['100.00', '0.00'], '100.00'), {}, ['40000 1×100=100']],
    [
      'price with more than six decimals',
      document({ lines: [line({ price: '49.0000001' })] }),
      {},
      ['40000 1×1225=1225', '23000 1×109.88=109.88'],
    ],
    [
      'quantity and price that give another amount',
      document({ lines: [line({ qty: '24' })] }),
      {},
      ['40000 1×1225=1225', '23000 1×109.88=109.88'],
    ],
    [
      'a memo price with the wrong sign',
      document({ lines: [line({ price: '-49.00' })] }),
      {},
      ['40000 1×1225=1225', '23000 1×109.88=109.88'],
    ],
    [
      'rounded half up to the currency',
      netDocument(['10.01'], '10.01', { lines: [line({ qty: '3', price: '3.335', net: '10.01', tax: '0' })] }),
      {},
      ['40000 3×3.335=10.01'],
    ],
    ['summed per account', netDocument(['60.00', '40.00', '-10.00'], '90.00'), { lines: 'by-account' }, ['40000 1×90=90']],
    [
      'a mapping row goes before the G/L number',
      document(),
      { accountMap: [{ code: ' subscription revenue ', account: '40100' }] },
      ['40100 25×49=1225', '23000 1×109.88=109.88'],
    ],
    [
      'a row for the currency goes before one without',
      document(),
      {
        accountMap: [
          { code: 'Subscription Revenue', account: '66000' },
          { code: 'Subscription Revenue', account: '40100', currency: 'USD' },
        ],
      },
      ['40100 25×49=1225', '23000 1×109.88=109.88'],
    ],
    [
      'a write-off memo hits its own account, its tax does not',
      document({ object: 'credit-memo', reason: 'Write-off' }),
      { reasonAccounts: { 'write-off': '66000' } },
      ['66000 25×49=1225', '23000 1×109.88=109.88'],
    ],
    [
      'no code at all: the fallback account',
      netDocument(['5.00'], '5.00', { lines: [{ key: 'i', text: 'x', net: '5.00', tax: '0' }] }),
      { fallbackAccount: '40990' },
      ['40990 1×5=5'],
    ],
    [
      'a rounding line within the tolerance',
      netDocument(['33.33', '33.33', '33.33'], '100.00'),
      { rounding: { tolerance: '0.05', account: '40990' } },
      ['40000 1×33.33=33.33', '40000 1×33.33=33.33', '40000 1×33.33=33.33', '40990 1×0.01=0.01'],
    ],
  ])('%s', (_name, of, more, expected) => {
    expect(shape(of, settingsWith(more))).toEqual(expected);
  });

  test('a negative document is turned: lines are positive and sum to the absolute total', () => {
    const negative = document({
      total: '-1334.88',
      lines: [line({ net: '-1225.00', qty: '-25', tax: '-109.88' })],
      taxes: [{ lineKey: 'i1', name: 'Ohio', code: 'Sales Tax Payable', amount: '-109.88' }],
    });
    expect(shape(negative, settingsWith(), true)).toEqual(['40000 25×49=1225', '23000 1×109.88=109.88']);
  });

  test('imported tax details: taxable amount and tax per TaxID, no tax line', () => {
    const settings = settingsWith({
      tax: { mode: 'detail', exemptCategory: 'EXEMPT', taxableCategory: 'TAXABLE', zone: 'EXTERNAL', ids: { ohio: 'OHTAX' } },
    });
    const result = built(document(), settings);
    expect(result.taxDetails).toEqual([{ taxId: 'OHTAX', taxable: '1225', amount: '109.88' }]);
    expect([result.taxTotal, result.lines.map((each) => each.taxCategory)]).toEqual(['109.88', ['TAXABLE']]);
  });

  test('text names charge and service dates, is cut to 256, and keeps a quantity that could not be sent', () => {
    const [first] = built(document({ lines: [line({ qty: '24' })] })).lines;
    expect(first?.text).toBe('Pro plan 2026-03-02–2026-04-01 (qty 24 Each)');
    const [long] = built(document({ lines: [line({ text: 'x'.repeat(400) })] })).lines;
    expect([long?.text.length, long?.text.endsWith('…')]).toEqual([256, true]);
  });

  test('deferral code and service dates go with the line', () => {
    const settings = settingsWith({
      revenue: 'acumatica-deferral',
      accountMap: [{ code: 'Subscription Revenue', account: '24000', deferralCode: 'DEF12' }],
    });
    expect(built(document(), settings).lines[0]?.deferral).toEqual({ code: 'DEF12', from: '2026-03-02', to: '2026-04-01' });
  });

  test('what is sent always sums to the total', () => {
    const result = built(document());
    expect(sum(result.lines.map((each) => each.amount))).toBe('1334.88');
  });
});

describe('holds instead of lines', () => {
  const only = (code: string | undefined) =>
    netDocument(['5.00'], '5.00', {
      lines: [{ key: 'i', text: 'x', net: '5.00', tax: '0', ...(code === undefined ? {} : { recognisedCode: code }) }],
    });
  test.each<[string, ArDocument, Parameters<typeof settingsWith>[0], string]>([
    ['a code without account', only('EU Usage'), {}, 'account-map:EU Usage'],
    ['an unknown code', only('Brand New'), { fallbackAccount: '40990' }, 'account-map:Brand New'],
    ['no code and no fallback', only(undefined), {}, 'account-map:(none)'],
    ['a cash account', only('Bank'), {}, 'account-map:Bank'],
    ['an AR control account', only('Receivables'), {}, 'account-map:Receivables'],
    ['an inactive account', only('Old Revenue'), {}, 'account-map:Old Revenue'],
    ['an account that does not exist', only('Nowhere'), {}, 'account-map:Nowhere'],
    ['an account of another currency', only('Euro Revenue'), {}, 'account-map:Euro Revenue'],
    ['a write-off memo without an account', document({ object: 'credit-memo', reason: 'Write-off' }), {}, 'account-map:Write-off'],
    ['items that do not sum', netDocument(['33.33', '33.33', '33.33'], '100.00'), {}, 'items-do-not-sum'],
    [
      'a difference above the tolerance',
      netDocument(['99.94'], '100.00'),
      { rounding: { tolerance: '0.05', account: '40990' } },
      'items-do-not-sum',
    ],
    [
      'an unmapped tax',
      document(),
      { tax: { mode: 'detail', exemptCategory: 'EXEMPT', taxableCategory: 'T', zone: 'Z', ids: { VAT: 'V' } } },
      'tax-map:Ohio',
    ],
    ['decimals the currency does not have', netDocument(['10.50'], '10.50', { currency: 'JPY' }), {}, 'precision:JPY'],
  ])('%s', (_name, of, more, cause) => {
    expect(causeOf(() => built(of, settingsWith(more)))).toBe(cause);
  });
});

test.each([
  [1, [1]],
  [500, [500]],
  [501, [250, 250, 1]],
  [620, [250, 250, 120]],
])('%i lines are written as %j', (count, expected) => {
  expect(chunksOf(count)).toEqual(expected);
});
