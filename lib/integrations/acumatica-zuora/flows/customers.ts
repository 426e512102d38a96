import type { Match, MirrorFlow } from '../../../contracts/flow.ts';
import { asFailure, type Failure } from '../../../failures.ts';
import type { CustomerRow } from '../../../vendors/acumatica/wire.ts';
import type { PairContext } from '../context.ts';
import { type Customer, customerSchema } from '../customer.ts';
import { candidateOf, fetchCustomerRows, loadCustomerIndex } from '../customer-index.ts';
import { hold } from '../holds.ts';
import { acumaticaCustomer } from '../lenses/acumatica-customer.ts';
import { zuoraAccount } from '../lenses/zuora-account.ts';
import { candidatesFor, type MatchAsk, matchCustomer } from '../matching.ts';
import type { AccountSource } from '../sources/accounts.ts';
import { flowKeys } from './shared.ts';

/** Billing accounts keep the customer master current. One way: nothing is ever written to Zuora, and what users change in Acumatica stays. */
export const customers: MirrorFlow<Customer, CustomerRow, AccountSource, PairContext> = {
  id: flowKeys.customers,
  kind: 'mirror',
  summary: 'Zuora billing accounts become Acumatica customers and keep them current.',
  wakes: { webhooks: ['MlcAccountChanged', 'MlcContactChanged'], poll: 15 },
  direction: 'b-to-a',
  fields: customerSchema,
  sides: { a: acumaticaCustomer, b: zuoraAccount },
  conflict: ({ settings }) => (settings.customers.conflict === 'hold' ? 'hold' : 'b-wins'),
  onAdopt: 'fill-empty',
  marker: (_from, fields) => fields.ref,
  screen(_from, row, memory, context, { demanded }) {
    if (row === undefined || !isAccount(row)) return { is: 'go' };
    const { customers: rules } = context.settings;
    if (row.batch !== undefined && rules.excludeBatches.includes(row.batch)) return { is: 'filtered', rule: 'excluded-batch' };
    // Whoever was asked for once, or is being settled, is not left out again because nobody asks today.
    const begun = memory !== undefined && (memory.keys.a !== undefined || ['held', 'waiting', 'working'].includes(memory.state));
    if (begun || demanded) return { is: 'go' };
    if (row.status !== 'Active') return { is: 'filtered', rule: `status:${row.status}` };
    return rules.create === 'on-demand' ? { is: 'filtered', rule: 'on-demand' } : { is: 'go' };
  },
  references(_from, fields) {
    return fields.parent === undefined
      ? []
      : [{ name: 'parent', flow: flowKeys.customers, side: 'b', key: fields.parent, label: `customer:${fields.parent}`, linked: true }];
  },
  match: (context, _from, asks, taken) => matchAll(context, asks, taken),
};

const isAccount = (row: CustomerRow | AccountSource): row is AccountSource => 'number' in row;

type Ask = { readonly key: string; readonly fields: Customer; readonly decision?: string };

/** The index says whom to look at; what decides is their present state. */
async function matchAll(
  context: PairContext,
  asks: readonly Ask[],
  taken: (keys: readonly string[]) => Promise<ReadonlySet<string>>,
): Promise<ReadonlyMap<string, Match | 'none' | Failure>> {
  const { match: policy, create } = context.settings.customers;
  const index = policy === 'off' || asks.length === 0 ? { named: () => [] } : await loadCustomerIndex(context);
  const looked = asks
    .map((ask) => ({ ask, of: askOf(ask) }))
    .map((each) => ({ ...each, ids: candidatesFor(each.of, index.named, policy) }));
  const ids = [...new Set(looked.flatMap((each) => each.ids))];
  const rows = await fetchCustomerRows(context.acumatica, ids);
  const present = [...rows.values()].map(candidateOf);
  const others = await taken(present.map((candidate) => candidate.id));
  const free = present.filter((candidate) => !others.has(candidate.id));
  const answers = new Map<string, Match | 'none' | Failure>();
  for (const { ask, of } of looked) {
    try {
      const answer = matchCustomer(of, free, policy);
      if (answer === 'none' && create === 'never' && ask.decision !== 'create') throw noCustomer(ask.fields);
      answers.set(ask.key, answer);
    } catch (thrown) {
      answers.set(ask.key, asFailure(thrown));
    }
  }
  return answers;
}

const askOf = ({ fields, decision }: Ask): MatchAsk => ({ ...fields, decision });

function noCustomer(fields: Pick<Customer, 'ref' | 'name'>): Failure {
  return hold(
    `no-customer:${fields.ref}`,
    `${fields.ref} '${fields.name}' has no customer in Acumatica, and customers.create is never.`,
    `Create the customer by hand with AccountRef ${fields.ref} (AR303000), or link one; then replay.`,
  );
}
