import type { Lens } from '../../../contracts/flow.ts';
import { fingerprint } from '../../../values/json.ts';
import { instantOf } from '../../../vendors/zuora/wire.ts';
import type { PairContext } from '../context.ts';
import type { Customer } from '../customer.ts';
import { mapAccount } from '../maps/zuora-account-to-customer.ts';
import { type AccountSource, accountFeed, accountSourceSchema, contactFeed, fetchAccountSources } from '../sources/accounts.ts';
import { named } from '../sources/by-number.ts';

/** Zuora is read only: billing accounts are made and changed there by people. */
export const zuoraAccount: Lens<Customer, AccountSource, PairContext> = {
  source: {
    feeds: () => [accountFeed, contactFeed],
    rows: fetchAccountSources,
    named: named('accounts'),
    row: accountSourceSchema,
    describe: (account) => ({ key: account.id, label: `${account.number} ${account.name}`, header: headerOf(account) }),
  },
  read: (account, context) => mapAccount(account, context.settings).fields,
  remarks: (account, context) => mapAccount(account, context.settings).remarks,
  changedAt: (account) => instantOf(account.updatedAt),
};

/** Balances and instants move with every document: they are no part of it. Whether the balance is zero counts for canceled accounts only. */
function headerOf({ updatedAt: _updated, settled, ...account }: AccountSource): string {
  return fingerprint({ ...account, ...(account.status === 'Canceled' ? { settled } : {}) });
}
