import { describe, expect, it } from 'vitest';
import { parseCondition } from '../../../../sandbox/simulators/zuora/notifications/condition.ts';

const values: Readonly<Record<string, string | number | null>> = {
  changeType: 'UPDATE',
  'Account.Name': 'Northgate',
  'Account.Name_old': 'Northgate Inc',
  'Account.Balance': '12.50',
  'Account.ParentId': null,
};

describe('trigger conditions', () => {
  it.each([
    ["changeType == 'UPDATE'", true],
    ['changeType == "INSERT"', false],
    ["changeType == 'INSERT' || Account.Name != Account.Name_old", true],
    ["changeType == 'UPDATE' && (Account.Balance > 5.0 && Account.Balance <= 12.5)", true],
    ["!(changeType == 'UPDATE')", false],
    ['Account.ParentId == null', true],
    ["Account.ParentId != '8ad0'", true],
    ["changeType eq 'UPDATE' and not (Account.Balance lt 5)", true],
  ])('%s is %s', (text, expected) => {
    const condition = parseCondition(text, (name) => name in values);
    expect(Boolean(condition((name) => values[name] ?? null))).toBe(expected);
  });

  it.each(["changeType = 'x'", "(changeType == 'x'", "Contact.City == 'x'", '', "changeType == 'x' changeType"])(
    '%s is refused',
    (text) => {
      expect(() => parseCondition(text, (name) => name in values)).toThrow(SyntaxError);
    },
  );
});
