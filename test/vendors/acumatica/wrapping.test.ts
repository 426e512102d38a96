import { describe, expect, test } from 'vitest';
import { parseJson, writeJson } from '../../../lib/values/json.ts';
import { amount, unwrap, type WritableRecord, wrap } from '../../../lib/vendors/acumatica/wrapping.ts';

const wrapped: readonly (readonly [string, WritableRecord, string])[] = [
  ['a text', { Customer: 'C0001042' }, '{"Customer":{"value":"C0001042"}}'],
  ['a boolean', { Hold: false }, '{"Hold":{"value":false}}'],
  ['an amount digit for digit', { Amount: amount('12345678901234567.8900') }, '{"Amount":{"value":12345678901234567.8900}}'],
  ['a cleared field', { Terms: null }, '{"Terms":{"value":null}}'],
  ['nothing for a field left out', { Terms: undefined, Type: 'Invoice' }, '{"Type":{"value":"Invoice"}}'],
  ['an id bare', { id: '9a1d2c34', Hold: true }, '{"id":"9a1d2c34","Hold":{"value":true}}'],
  ['a date as midnight without offset', { Date: '2026-01-31' }, '{"Date":{"value":"2026-01-31T00:00:00"}}'],
  ['a text that only looks like a date', { Description: '2026-01-31' }, '{"Description":{"value":"2026-01-31"}}'],
  [
    'linked objects bare, on two levels',
    { MainContact: { Email: 'a@b.example', Address: { City: 'Kirkland' } } },
    '{"MainContact":{"Email":{"value":"a@b.example"},"Address":{"City":{"value":"Kirkland"}}}}',
  ],
  [
    'detail rows bare, after the header',
    { Details: [{ Account: '40000' }, { id: 'x', delete: true }], Customer: 'C1' },
    '{"Customer":{"value":"C1"},"Details":[{"Account":{"value":"40000"}},{"id":"x","delete":true}]}',
  ],
  [
    'custom fields with their types',
    {
      custom: {
        Document: { CuryID: 'EUR', DiscDate: '2026-02-01' },
        CurrentDocument: { DontPrint: true },
        CurrencyInfo: { SampleCuryRate: amount('1.0825') },
      },
    },
    '{"custom":{"Document":{"CuryID":{"type":"CustomStringField","value":"EUR"},"DiscDate":{"type":"CustomDateTimeField","value":"2026-02-01T00:00:00"}},' +
      '"CurrentDocument":{"DontPrint":{"type":"CustomBooleanField","value":true}},"CurrencyInfo":{"SampleCuryRate":{"type":"CustomDecimalField","value":1.0825}}}}',
  ],
];

describe('writing a record', () => {
  test.each(wrapped)('wraps %s', (_name, record, json) => {
    expect(writeJson(wrap(record))).toBe(json);
  });

  test('refuses an amount that is not a number', () => {
    expect(() => amount('1,000.00')).toThrow(/not a decimal number/);
  });
});

const unwrapped: readonly (readonly [string, string, unknown])[] = [
  ['texts and booleans as they are', '{"Type":{"value":"Invoice"},"Hold":{"value":false}}', { Type: 'Invoice', Hold: false }],
  ['numbers as their own text', '{"Amount":{"value":1071.0000},"LineNbr":{"value":1}}', { Amount: '1071.0000', LineNbr: '1' }],
  ['empty fields as absent', '{"Terms":{},"UOM":{"value":null},"Project":{"value":""}}', {}],
  [
    'system members as absent, but the id',
    '{"id":"9a","rowNumber":1,"note":{"value":"x"},"files":[],"_links":{"self":"/x"}}',
    { id: '9a' },
  ],
  ['no note at all', '{"note":null,"custom":{}}', {}],
  [
    'linked objects',
    '{"MainContact":{"id":"1","Address":{"City":{"value":"Berlin"},"custom":{}}}}',
    { MainContact: { id: '1', Address: { City: 'Berlin' } } },
  ],
  ['detail rows', '{"Details":[{"id":"a","Qty":{"value":10.000000}},{}]}', { Details: [{ id: 'a', Qty: '10.000000' }, {}] }],
  [
    'custom fields by view',
    '{"custom":{"Document":{"CuryID":{"type":"CustomStringField","value":"EUR"},"DiscDate":{"type":"CustomDateTimeField"}},"Empty":{}}}',
    { custom: { Document: { CuryID: 'EUR' } } },
  ],
];

describe('reading a record', () => {
  test.each(unwrapped)('reads %s', (_name, json, record) => {
    expect(unwrap(parseJson(json))).toEqual(record);
  });
});
