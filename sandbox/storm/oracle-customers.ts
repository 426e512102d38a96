import { type Evidence, type Finding, isSettled } from './finding.ts';

/** One customer per account, with the account's fields, or what a person wrote there since. */
export function judgeCustomers(evidence: Evidence, edited: ReadonlyMap<string, ReadonlySet<string>>): readonly Finding[] {
  const { billing, books } = evidence.systems;
  const findings: Finding[] = [];
  for (const account of billing.accounts) {
    const link = evidence.link('customers', account.id);
    const own = books.customers.filter((customer) => customer.accountRef === account.number);
    const records = [account.number];
    if (own.length > 1)
      findings.push({ kind: 'duplicate', what: `${account.number} is ${own.map(({ id }) => id).join(' and ')}`, records });
    if (link === undefined && account.status === 'Active')
      findings.push({ kind: 'lost', what: `${account.number} is unknown to the connector`, records });
    const [customer] = own;
    if (link?.state !== 'synced') continue;
    if (!customer) {
      findings.push({ kind: 'lost', what: `${account.number} is settled and has no customer`, records });
      continue;
    }
    const contact = billing.contacts.find(({ id }) => id === account.billToId);
    const wanted = {
      name: account.name.replace(/\s+/g, ' ').trim(),
      email: contact?.workEmail || contact?.personalEmail || '',
      phone: contact?.workPhone ?? '',
      city: contact?.city ?? '',
      currency: account.currency,
    };
    for (const [field, value] of Object.entries(wanted)) {
      const there = customer[field as keyof typeof wanted] ?? '';
      if (there !== value && !edited.get(customer.guid)?.has(field))
        findings.push({ kind: 'content', what: `${account.number} as ${customer.id}: ${field} is ${there}, not ${value}`, records });
    }
  }
  const settledAccounts = new Set(billing.accounts.map(({ number }) => number));
  for (const customer of books.customers)
    if (
      customer.accountRef !== undefined &&
      !settledAccounts.has(customer.accountRef) &&
      billing.accounts.every(({ id }) => isSettled(evidence.link('customers', id)))
    )
      findings.push({
        kind: 'duplicate',
        what: `customer ${customer.id} has ${customer.accountRef}, which no account has`,
        records: [customer.accountRef],
      });
  return findings;
}
