import { describe, expect, test } from 'vitest';
import { Failure } from '../../../lib/failures.ts';
import type { Customer } from '../../../lib/integrations/acumatica-zuora/customer.ts';
import { zuoraAccount } from '../../../lib/integrations/acumatica-zuora/lenses/zuora-account.ts';
import { mapAccount } from '../../../lib/integrations/acumatica-zuora/maps/zuora-account-to-customer.ts';
import { settingsSchema } from '../../../lib/integrations/acumatica-zuora/settings.ts';
import type { AccountSource } from '../../../lib/integrations/acumatica-zuora/sources/accounts.ts';

const account: AccountSource = {
  id: '8ad0',
  number: 'KR-10023',
  name: 'Northgate Dental Group',
  status: 'Active',
  currency: 'USD',
  updatedAt: '2026-03-02T04:15:09-08:00',
  terms: 'Net 30',
  settled: false,
  contact: {
    firstName: 'Ada',
    lastName: 'Byrne',
    address1: '12 Mill Rd',
    city: 'Dayton',
    state: 'Ohio',
    postal: '45402',
    country: 'United States',
  },
};
type Contact = NonNullable<AccountSource['contact']>;
const withContact = (contact: Partial<Contact>): AccountSource => ({ ...account, contact: { ...account.contact, ...contact } });
const settings = (more: Readonly<Record<string, unknown>> = {}) =>
  settingsSchema.parse({ startFrom: '2026-02-01', branch: 'MAIN', methods: [], ...more });
const long = (length: number) => 'x'.repeat(length);

const mapped = (source: AccountSource, more?: Readonly<Record<string, unknown>>) => mapAccount(source, settings(more));

describe('an account as a customer', () => {
  test.each<[string, AccountSource, Partial<Record<keyof Customer, unknown>>, (string | undefined)?, Readonly<Record<string, unknown>>?]>([
    ['a name is trimmed, its blanks collapsed', { ...account, name: '  North   gate ' }, { name: 'North gate' }],
    ['a name is cut at 255', { ...account, name: long(300) }, { name: long(255) }, 'name was cut to 255 characters'],
    ['a term that says its days', account, { terms: '30D' }],
    ['a term from the table', { ...account, terms: 'EOM' }, { terms: 'ME' }, undefined, { terms: { EOM: 'ME' } }],
    ['an invalid e-mail is left out', withContact({ workEmail: 'a@b' }), {}, 'the e-mail address is not valid and was left out'],
    ['the personal e-mail stands in', withContact({ personalEmail: 'ada@home.example' }), { email: 'ada@home.example' }],
    [
      'the work e-mail goes first',
      withContact({ workEmail: 'ada@work.example', personalEmail: 'x@y.example' }),
      { email: 'ada@work.example' },
    ],
    ['no e-mail is an empty one', account, { email: undefined }],
    ['attention is first and last name', account, { attention: 'Ada Byrne' }],
    ['not the name once more', withContact({ firstName: 'Northgate', lastName: 'Dental Group' }), { attention: undefined }],
    ['not the dot of a missing last name', withContact({ lastName: '.' }), { attention: 'Ada' }],
    ['a phone is cut at 50', withContact({ workPhone: long(60) }), { phone: long(50) }, 'phone was cut to 50 characters'],
    [
      'a long first address line flows into an empty second one',
      withContact({ address1: 'Building 7, Industrial Estate North, Hollis Freight Road 1400' }),
      { line1: 'Building 7, Industrial Estate North, Hollis', line2: 'Freight Road 1400' },
    ],
    ['without a blank it is cut where it must be', withContact({ address1: long(60) }), { line1: long(50), line2: long(10) }],
    [
      'what does not fit into both is cut',
      withContact({ address1: long(120) }),
      { line1: long(50), line2: long(50) },
      'address line 1 was cut to 50 characters',
    ],
    [
      'a second line that is in use stays',
      withContact({ address1: long(60), address2: 'Suite 4' }),
      { line1: long(50), line2: 'Suite 4' },
      'address line 1 was cut to 50 characters',
    ],
    [
      'city and postal code are cut',
      withContact({ city: long(60), postal: long(30) }),
      { city: long(50), postal: long(20) },
      'city was cut to 50 characters',
    ],
    ['country and state become codes', account, { country: 'US', state: 'OH' }],
    ['states of other countries are omitted', withContact({ country: 'Germany', state: 'Bayern' }), { country: 'DE', state: undefined }],
    [
      'an unknown state is left out',
      withContact({ state: 'Bavaria' }),
      { state: undefined },
      "'Bavaria' is no state of US and was left out",
    ],
    ['the connector applies money', account, { applies: 'connector' }],
    ['tax number where asked', { ...account, taxId: 'DE1' }, { taxId: 'DE1' }, undefined, { customers: { taxId: 'v1' } }],
    [
      'an active flag where asked',
      { ...account, status: 'Canceled', settled: true },
      { active: false },
      undefined,
      { customers: { onCanceled: 'inactivate' } },
    ],
    [
      'not while something is open',
      { ...account, status: 'Canceled' },
      { active: true },
      undefined,
      { customers: { onCanceled: 'inactivate' } },
    ],
    [
      'a parent where asked',
      { ...account, parent: { is: 'account', id: 'p1', number: 'KR-1' } },
      { parent: 'p1' },
      undefined,
      { hierarchy: 'parent' },
    ],
    [
      'no parent in an excluded batch',
      { ...account, parent: { is: 'excluded', number: 'KR-1' } },
      { parent: undefined },
      'its parent KR-1 is in an excluded batch, so it has none',
      { hierarchy: 'parent' },
    ],
  ])('%s', (_rule, source, expected, remark, more) => {
    const { fields, remarks } = mapped(source, more);
    expect(fields).toMatchObject(expected);
    if (remark === undefined) expect(remarks).toEqual([]);
    else expect(remarks).toContain(remark);
  });

  test('what is not wanted or not mapped is left out, not emptied', () => {
    const { fields, remarks } = mapped({
      ...account,
      terms: 'Whenever',
      taxId: 'DE1',
      parent: { is: 'account', id: 'p1', number: 'KR-1' },
    });
    for (const field of ['terms', 'taxId', 'parent', 'active']) expect(field in fields).toBe(false);
    expect(remarks).toEqual(["payment term 'Whenever' is not mapped"]);
  });

  test.each<[string, AccountSource, Readonly<Record<string, unknown>>?]>([
    ['country:Atlantis', withContact({ country: 'Atlantis' })],
    ['country:(none)', { ...account, contact: undefined }],
    ['number-too-long', { ...account, number: long(51) }],
    ['parent-chain', { ...account, parent: { is: 'endless', number: 'KR-10023' } }, { hierarchy: 'parent' }],
  ])('held: %s', (cause, source, more) => {
    try {
      mapped(source, more);
      expect.unreachable();
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(Failure);
      expect((thrown as Failure).record.cause).toBe(cause);
      expect((thrown as Failure).disposition).toBe('held');
    }
  });

  test('balances and instants are no news, a closed balance of a canceled account is', () => {
    const { describe: seen } = zuoraAccount.source;
    const { header } = seen(account);
    expect(seen({ ...account, updatedAt: '2026-04-01T00:00:00Z', settled: true }).header).toBe(header);
    expect(seen({ ...account, name: 'Other' }).header).not.toBe(header);
    const canceled = { ...account, status: 'Canceled' };
    expect(seen({ ...canceled, settled: true }).header).not.toBe(seen(canceled).header);
  });
});
