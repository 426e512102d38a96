import type { ReportLine } from '../../../contracts/integration.ts';
import type { Link } from '../../../contracts/link.ts';
import { sameText } from '../markers.ts';
import { countLine } from './lines.ts';

/** R5: every active account has its customer, and the customer is as our documents need it. Pure. */
export interface AccountInScope {
  readonly id: string;
  readonly label: string;
  readonly currency: string;
}

export interface CustomerNow {
  readonly id: string;
  readonly currency: string | undefined;
  readonly autoApply: boolean;
}

export function compareCustomers(given: {
  readonly accounts: readonly AccountInScope[];
  readonly links: ReadonlyMap<string, Link>;
  readonly customers: ReadonlyMap<string, CustomerNow>;
  /** Accounts without a document need no customer. */
  readonly onDemand: boolean;
}): readonly ReportLine[] {
  const { accounts, links, customers } = given;
  const linked = accounts.map((account) => {
    const link = links.get(account.id);
    const customer = link?.keys.a === undefined ? undefined : customers.get(link.keys.a);
    return { account, link, customer };
  });
  const wanting = linked.filter(({ link }) => !(given.onDemand && link?.state === 'filtered' && link.note === 'on-demand'));
  return [
    countLine(
      'R5',
      'active accounts with a customer',
      wanting.map(({ account, link, customer }) => ({
        a: customer === undefined ? '0' : '1',
        b: '1',
        record: account.label,
        cause: customer === undefined ? whyNot(link) : undefined,
      })),
    ),
    countLine(
      'R5',
      'customers that apply payments by themselves',
      linked.flatMap(({ account, customer }) =>
        customer?.autoApply
          ? [{ a: '1', b: '0', record: `${customer.id} ${account.label}`, cause: 'AutoApplyPayments is on in Acumatica' }]
          : [],
      ),
    ),
    countLine(
      'R5',
      'customers in another currency than their account',
      linked.flatMap(({ account, customer }) =>
        customer === undefined || sameText(customer.currency, account.currency)
          ? []
          : [
              {
                a: '1',
                b: '0',
                record: `${customer.id} ${account.label}`,
                cause: `${customer.currency ?? 'no currency'} in Acumatica, ${account.currency} in Zuora`,
              },
            ],
      ),
    ),
  ];
}

function whyNot(link: Link | undefined): string | undefined {
  if (link === undefined) return undefined;
  if (link.keys.a !== undefined) return `deleted in Acumatica: ${link.keys.a}`;
  if (link.state === 'held') return `held: ${link.trouble?.cause ?? 'unknown'}`;
  if (link.state === 'waiting') return `waiting: ${link.trouble?.cause ?? 'unknown'}`;
  if (link.state === 'filtered') return `filtered: ${link.note ?? 'unknown'}`;
  return link.state === 'new' || link.state === 'working' ? 'in flight' : undefined;
}
