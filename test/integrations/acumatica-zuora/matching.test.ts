import { describe, expect, test } from 'vitest';
import { Failure } from '../../../lib/failures.ts';
import {
  type Candidate,
  candidatesFor,
  type MatchAsk,
  type MatchPolicy,
  matchCustomer,
  plainName,
} from '../../../lib/integrations/acumatica-zuora/matching.ts';

describe('names are compared without what does not distinguish them', () => {
  test.each([
    ['Hollis Freight, Inc.', 'hollis freight'],
    ['HOLLIS   FREIGHT', 'hollis freight'],
    ['Hollis Freight LLC', 'hollis freight'],
    ['Hollis & Sons Co. Ltd.', 'hollis and sons'],
    ['Straßenbau Müller GmbH', 'strassenbau muller'],
    ['Møller Ærø ApS', 'moller aero'],
    ['Łódź Sp. z o.o.', 'lodz sp z o o'],
    ['Ｆｕｌｌ　Ｗｉｄｔｈ', 'full width'],
    ['Société Générale S.A.', 'societe generale s a'],
    ['Company', 'company'],
    ['Co. Ltd.', 'co'],
    ['AB', 'ab'],
    ['  ', ''],
    ['7-Eleven, Inc', '7 eleven'],
  ])('%s → %s', (name, plain) => expect(plainName(name)).toBe(plain));
});

const ask: MatchAsk = {
  ref: 'KR-10031',
  name: 'Hollis Freight LLC',
  currency: 'USD',
  email: 'ap@hollis.example',
  postal: '45402',
  country: 'US',
};
const customer = (id: string, more: Partial<Candidate> = {}): Candidate => ({ id, name: 'Hollis Freight, Inc.', currency: 'USD', ...more });

function outcome(asked: Partial<MatchAsk>, present: readonly Candidate[], policy: MatchPolicy = 'strong'): string {
  try {
    const match = matchCustomer({ ...ask, ...asked }, present, policy);
    return match === 'none' ? 'none' : match.key;
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown.record.cause;
    throw thrown;
  }
}

describe('match rules', () => {
  test.each<[string, string, Partial<MatchAsk>, readonly Candidate[], MatchPolicy?]>([
    ['name and e-mail, whatever its case', 'C1', {}, [customer('C1', { email: 'AP@Hollis.example' })]],
    [
      'name, postal code without blanks, and country',
      'C1',
      { postal: 'SW1A 1AA', country: 'GB' },
      [customer('C1', { postal: 'sw1a1aa', country: 'GB' })],
    ],
    ['an equal postal code in another country is weak', 'possible-duplicate', {}, [customer('C1', { postal: '45402', country: 'DE' })]],
    [
      'no postal code on either side proves nothing',
      'possible-duplicate',
      { postal: undefined as never },
      [customer('C1', { country: 'US' })],
    ],
    ['another currency is weak', 'possible-duplicate', {}, [customer('C1', { currency: 'EUR', postal: '45402', country: 'US' })]],
    ['two strong ones are ambiguous', 'ambiguous-customer', {}, ['C1', 'C2'].map((id) => customer(id, { postal: '45402', country: 'US' }))],
    ['a strong one goes before weak ones', 'C1', {}, [customer('C1', { postal: '45402', country: 'US' }), customer('C2')]],
    ['the name alone is a question', 'possible-duplicate', {}, [customer('C1')]],
    [
      'one that carries another account number does not match',
      'none',
      {},
      [customer('C1', { ref: 'KR-1', postal: '45402', country: 'US' })],
    ],
    ['another name does not match', 'none', {}, [customer('C1', { name: 'Hollis Air', email: 'ap@hollis.example' })]],
    ['nobody there', 'none', {}, []],
    ['policy hold makes a strong one a question', 'possible-duplicate', {}, [customer('C1', { email: 'ap@hollis.example' })], 'hold'],
    ['policy off looks at no names', 'none', {}, [customer('C1', { email: 'ap@hollis.example' })], 'off'],
    ['a person said create', 'none', { decision: 'create' }, [customer('C1', { email: 'ap@hollis.example' })]],
    [
      'the CustomerID in the account counts first',
      'C2',
      { customerId: 'c2' },
      [customer('C1', { postal: '45402', country: 'US' }), customer('C2', { name: 'Other' })],
    ],
    ['also when it carries this very account number', 'C2', { customerId: 'C2' }, [customer('C2', { ref: 'kr-10031' })]],
    ['not when it carries another one', 'match-field:KR-10031', { customerId: 'C2' }, [customer('C2', { ref: 'KR-9' })]],
    ['not when there is none', 'match-field:KR-10031', { customerId: 'C9' }, [customer('C2')]],
    ['not in another currency', 'currency', { customerId: 'C2' }, [customer('C2', { currency: 'EUR' })]],
    ['also with names off', 'C2', { customerId: 'C2' }, [customer('C2')], 'off'],
  ])('%s', (_rule, expected, asked, present, policy) => expect(outcome(asked, present, policy)).toBe(expected));

  test('a question names its candidates', () => {
    try {
      matchCustomer(
        ask,
        [customer('C0000412', { postal: '45402', country: 'US' }), customer('C0000977', { postal: '45402', country: 'US' })],
        'strong',
      );
      expect.unreachable();
    } catch (thrown) {
      const { record } = thrown as Failure;
      expect(record.sentence).toBe("KR-10031 'Hollis Freight LLC' looks like C0000412, C0000977: link one or choose create.");
      expect(Object.keys(record.details ?? {})).toEqual(['C0000412', 'C0000977']);
    }
  });

  test('only who may match is read live', () => {
    const named = () => [customer('C1'), customer('C2', { ref: 'KR-1' })];
    expect(candidatesFor(ask, named, 'strong')).toEqual(['C1']);
    expect(candidatesFor({ ...ask, customerId: 'C7' }, named, 'off')).toEqual(['C7']);
    expect(candidatesFor({ ...ask, decision: 'create' }, named, 'strong')).toEqual([]);
  });
});
