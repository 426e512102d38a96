import { asFailure } from '../../../failures.ts';
import { addDays } from '../../../values/calendar-date.ts';
import { decimalsOfCurrency } from '../../../values/money.ts';
import { accountNumberOf, accountOf } from '../accounts.ts';
import type { Books } from '../books.ts';
import type { ArDocument, DocumentHeader } from '../canonical.ts';
import type { PairContext } from '../context.ts';
import { codeOf } from '../lines.ts';
import { termsOf } from '../maps/zuora-document-to-ar-document.ts';
import { sameText } from '../markers.ts';
import { gatherDocuments, invoiceHeader, memoHeader } from '../sources/documents.ts';
import { amber, distinct, type Finding, red } from './found.ts';

/** P1 to P5: what Zuora bills with has its place in Acumatica. */

/** What active accounts and recent documents of Zuora use. */
export interface InUse {
  readonly currencies: readonly string[];
  readonly terms: readonly string[];
  readonly documents: readonly ArDocument[];
}

/** Enough to have met every code in use, few enough to be read in seconds. */
const enoughDocuments = 200;
const windowsDays = [7, 30, 90];

export async function readInUse(context: PairContext): Promise<InUse> {
  const { zuora } = context;
  const currencies = new Set<string>();
  const terms = new Set<string>();
  for await (const page of zuora.listChanged('accounts', { filters: ['status.EQ:Active'] })) {
    for (const account of page) {
      if (account.batch !== undefined && context.settings.customers.excludeBatches.includes(account.batch)) continue;
      currencies.add(account.currency);
      if (account.paymentTerm !== undefined) terms.add(account.paymentTerm);
    }
  }
  return { currencies: [...currencies].sort(), terms: [...terms].sort(), documents: await recentDocuments(context) };
}

/** The latest documents: the shortest window that holds enough of them. */
async function recentDocuments(context: PairContext): Promise<readonly ArDocument[]> {
  let headers: readonly DocumentHeader[] = [];
  for (const days of windowsDays) {
    headers = await documentsSince(context, addDays(context.today, -days));
    if (headers.length >= enoughDocuments) break;
  }
  const latest = headers.toSorted((left, right) => (left.date < right.date ? 1 : -1)).slice(0, enoughDocuments);
  const documents: ArDocument[] = [];
  for (const source of (await gatherDocuments(context, latest)).values()) {
    if ('document' in source && source.document !== undefined && !source.excluded) documents.push(source.document);
  }
  return documents;
}

async function documentsSince(context: PairContext, day: string): Promise<readonly DocumentHeader[]> {
  const { zuora } = context;
  const headers = (await zuora.findWhere('invoices', [`invoicedate.GE:${day}`, 'status.EQ:Posted'])).map(invoiceHeader);
  if (!(await context.hasInvoiceSettlement())) return headers;
  const filters = [`memodate.GE:${day}`, 'status.EQ:Posted'];
  const debits = (await zuora.findWhere('debit-memos', filters)).map((row) => memoHeader('debit-memo', row));
  const credits = (await zuora.findWhere('credit-memos', filters)).map((row) => memoHeader('credit-memo', row));
  return [...headers, ...debits, ...credits];
}

/** P1: every code in use leads to an account that documents may hit. */
export function findAccountTrouble(context: PairContext, books: Books, inUse: InUse): readonly Finding[] {
  const { settings } = context;
  const uses = new Map<string, { readonly code: string; readonly currency: string }>();
  for (const document of inUse.documents) {
    const codes = [...document.lines.map((line) => codeOf(line, settings.revenue)), ...document.taxes.map((tax) => tax.code)];
    for (const code of codes) if (code !== undefined) uses.set(`${code} ${document.currency}`, { code, currency: document.currency });
  }
  const given = { settings, books, use: settings.postingMode === 'gl-summary' ? 'summary' : 'document' } as const;
  const findings = [...uses.values()].flatMap(({ code, currency }) => {
    try {
      accountOf(code, currency, given);
      return [];
    } catch (thrown) {
      const number = accountNumberOf(code, currency, given) ?? '(none)';
      return [
        red(
          `Accounting code '${code}' → account ${number}: ${whyNot(books, number) ?? asFailure(thrown).message}`,
          `Add '${code}' to accountMap, or correct its G/L number in Zuora.`,
        ),
      ];
    }
  });
  return distinct(findings.map((finding) => finding.sentence)).flatMap(
    (sentence) => findings.find((each) => each.sentence === sentence) ?? [],
  );
}

function whyNot(books: Books, number: string): string | undefined {
  const account = books.accounts.get(number.trim().toUpperCase());
  if (account === undefined) return 'not found';
  if (!account.active) return 'inactive';
  if (account.cash) return 'cash account';
  return books.arAccounts.has(account.number) ? 'AR control account' : undefined;
}

/** P2: every currency in use. */
export function findCurrencyTrouble(context: PairContext, books: Books, inUse: InUse): readonly Finding[] {
  return inUse.currencies.flatMap((currency): Finding[] => {
    const known = books.currencies.get(currency);
    if (known === undefined || !known.active)
      return [
        red(`Currency ${currency} is not active in Acumatica (CM202000)`, `Activate ${currency}, with rates loaded daily (CM301000).`),
      ];
    const decimals = decimalsOfCurrency(currency);
    if (known.decimals !== decimals)
      return [
        red(
          `Currency ${currency} has ${known.decimals} decimals in Acumatica, ${decimals} in Zuora`,
          `Correct the decimal precision of ${currency} (CM202000).`,
        ),
      ];
    return context.settings.postingMode === 'gl-summary' || hasCashAccount(context, books, currency)
      ? []
      : [red(`Currency ${currency} has no cash account in methods`, `Add a row to methods with a cash account in ${currency}.`)];
  });
}

function hasCashAccount({ settings }: PairContext, books: Books, currency: string): boolean {
  return settings.methods.some((row) => {
    const account = books.accounts.get(row.cashAccount.trim().toUpperCase());
    const own = account?.currency ?? books.baseCurrency;
    return (
      account?.cash === true && (row.currency === undefined || row.currency === currency) && (own === undefined || sameText(own, currency))
    );
  });
}

/** P3: payment terms, and revenue that belongs to later periods. */
export function findTermTrouble({ settings }: PairContext, inUse: InUse): readonly Finding[] {
  const unmapped = inUse.terms
    .filter((term) => termsOf(term, settings.terms) === undefined)
    .map((term) => amber(`Term '${term}' not mapped`, `Add it to terms; until then Acumatica gets the due date only.`));
  const long = inUse.documents.some(({ lines }) =>
    lines.some((line) => line.from !== undefined && line.to !== undefined && addDays(line.from, 35) <= line.to),
  );
  if (settings.revenue !== 'at-billing' || !long) return unmapped;
  return [
    ...unmapped,
    amber(
      'Annual items will be recognised at billing: choose revenue',
      'Set revenue to zuora-journals or acumatica-deferral, or leave it if all revenue is recognised when billed.',
    ),
  ];
}

/** P4: a production ledger is not fed from a sandbox, nor the other way round. */
export function findEnvironmentTrouble({ zuora }: PairContext, environment: 'production' | 'sandbox'): readonly Finding[] {
  const production = zuora.about.kind === 'production';
  const fix = 'Correct environment in the configuration, or the connection of Zuora.';
  if (!production && environment === 'production') return [red('Sandbox Zuora with a production integration', fix)];
  return production && environment === 'sandbox' ? [red('Production Zuora with a sandbox integration', fix)] : [];
}

/** P5: journals can be read where they are needed. That no type is booked twice is a rule of the code, proven by its own table. */
export async function findJournalTrouble({ settings, zuora }: PairContext): Promise<readonly Finding[]> {
  if (settings.postingMode === 'ar-documents' && settings.revenue !== 'zuora-journals') return [];
  const { finance } = await zuora.probeFeatures();
  return finance
    ? []
    : [
        red(
          'Zuora Finance cannot be read: journals would not arrive',
          'Give the role of the API user the Zuora Finance permissions, or choose revenue: at-billing.',
        ),
      ];
}
