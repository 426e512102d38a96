import { asFailure } from '../../../failures.ts';
import type { AcumaticaClient } from '../../../vendors/acumatica/client.ts';
import type { PaymentMethodRow } from '../../../vendors/acumatica/wire.ts';
import { subaccountKey } from '../accounts.ts';
import type { Books } from '../books.ts';
import type { PairContext } from '../context.ts';
import { sameText } from '../markers.ts';
import type { Settings } from '../settings.ts';
import { amber, distinct, type Finding, red } from './found.ts';

/** A7 to A9: what the settings name exists in Acumatica and may be used. */

/** A7: payment methods and their cash accounts. */
export async function findMethodTrouble(context: PairContext): Promise<readonly Finding[]> {
  const { settings, acumatica } = context;
  if (settings.postingMode === 'gl-summary') return [];
  const methods = await listAll(acumatica.list('PaymentMethod', { expand: ['AllowedCashAccounts'] }));
  return distinctFindings(settings.methods.flatMap((row) => methodTrouble(row, methods)));
}

function methodTrouble(wanted: Settings['methods'][number], methods: readonly PaymentMethodRow[]): readonly Finding[] {
  const { paymentMethod, cashAccount } = wanted;
  const method = methods.find((row) => sameText(row.PaymentMethodID, paymentMethod));
  const fix = 'Correct it in Payment Methods (CA204000), or the row in methods.';
  if (method === undefined) return [red(`Payment method ${paymentMethod} not found`, fix)];
  if (method.UseInAR === false) return [red(`Payment method ${paymentMethod} is not used in AR (CA204000)`, fix)];
  const allowed = method.AllowedCashAccounts?.find((row) => sameText(row.CashAccount, cashAccount));
  if (allowed === undefined || allowed.UseInAR === false)
    return [red(`Cash account ${cashAccount} is not allowed for AR in payment method ${paymentMethod} (CA204000)`, fix)];
  if (method.IntegratedProcessing === true)
    return [
      red(
        `Payment method ${paymentMethod} has integrated processing: Acumatica would charge the card again`,
        'Use a plain method (Cash/Check or Direct Deposit) in methods.',
      ),
    ];
  return [];
}

/** A8: every other code in the settings, and the period of today. */
export async function findCodeTrouble(context: PairContext, books: Books): Promise<readonly Finding[]> {
  const { settings, acumatica } = context;
  const { customers, tax } = settings;
  const documents = settings.postingMode === 'ar-documents';
  const missing: Finding[] = [];
  const want = async (
    kind: string,
    fix: string,
    codes: readonly (string | undefined)[],
    known: () => Promise<readonly string[]>,
  ): Promise<void> => {
    const wanted = distinct(codes.filter((code) => code !== undefined));
    if (wanted.length === 0) return;
    const there = await known();
    missing.push(
      ...wanted.filter((code) => !there.some((one) => sameText(one, code))).map((code) => red(`${kind} ${code} not found`, fix)),
    );
  };
  const classes = customers.class === undefined ? [] : [customers.class.default, ...Object.values(customers.class.byCurrency)];
  await want('Customer class', 'Correct customers.class, or create it (AR201000).', classes, () =>
    codesOf(acumatica, 'CustomerClass', 'ClassID'),
  );
  if (documents) {
    await want('Tax category', 'Correct tax, or create it (TX205500).', [tax.exemptCategory, tax.taxableCategory], () =>
      codesOf(acumatica, 'TaxCategory', 'TaxCategoryID'),
    );
    await want('Tax zone', 'Correct tax.zone, or create it (TX206000).', [tax.zone], () => codesOf(acumatica, 'TaxZone', 'TaxZoneID'));
    await want('Tax', 'Correct tax.ids, or create it (TX205000).', Object.values(tax.ids), () => codesOf(acumatica, 'Tax', 'TaxID'));
  }
  await want('Ledger', 'Correct ledger, or create it (GL201500).', [settings.ledger], () => codesOf(acumatica, 'Ledger', 'LedgerID'));
  const accounts = [
    ...settings.accountMap.map((row) => row.account),
    ...Object.values(settings.reasonAccounts),
    settings.fallbackAccount,
    settings.rounding.account,
  ];
  await want('Account', 'Correct the settings, or create it (GL202500).', accounts, async () => [...books.accounts.keys()]);
  const { subaccounts } = books;
  if (subaccounts !== undefined) {
    const wanted = [settings.subaccount, ...settings.accountMap.map((row) => row.subaccount)];
    await want('Subaccount', 'Correct the settings, or create it (GL203000).', wanted, async () =>
      wanted.filter((code) => code !== undefined && subaccounts.has(subaccountKey(code))).map(String),
    );
  }
  return [...missing, ...(documents ? periodTrouble(context, books) : [])];
}

function periodTrouble(context: PairContext, books: Books): readonly Finding[] {
  const { today } = context;
  const period = books.periods.find((candidate) => candidate.start <= today && today <= candidate.end);
  if (period === undefined)
    return [red(`Financial period of ${today} not found`, 'Generate the calendar of the year (GL201100, or GL201000).')];
  const shown = `${period.id.slice(4)}-${period.id.slice(0, 4)}`;
  return period.openForAr
    ? []
    : [amber(`Period ${shown} is closed for AR`, 'Open it (AR509000 closes it), or set closedPeriod: next-open.')];
}

/** A9: the hierarchy can be read at all. */
export async function findHierarchyTrouble({ settings, acumatica }: PairContext): Promise<readonly Finding[]> {
  if (settings.hierarchy === 'off') return [];
  try {
    await listAll(acumatica.list('Customer', { top: 1, select: ['ParentRecord'] }));
    return [];
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.disposition !== 'held') throw failure;
    return [amber('Parent-Child Customer Relationship looks off (CS100000)', 'Enable the feature, or set hierarchy: off.')];
  }
}

type Coded = {
  readonly CustomerClass: 'ClassID';
  readonly TaxCategory: 'TaxCategoryID';
  readonly TaxZone: 'TaxZoneID';
  readonly Tax: 'TaxID';
  readonly Ledger: 'LedgerID';
};

async function codesOf<Name extends keyof Coded>(acumatica: AcumaticaClient, entity: Name, field: Coded[Name]): Promise<readonly string[]> {
  const rows: readonly Readonly<Record<string, unknown>>[] = await listAll(acumatica.list(entity, { select: [field] }));
  return rows.map((row) => String(row[field]));
}

async function listAll<Row>(pages: AsyncIterable<readonly Row[]>): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

function distinctFindings(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter((finding, index) => findings.findIndex((other) => other.sentence === finding.sentence) === index);
}
