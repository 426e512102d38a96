import type { FlowContext } from '../../contracts/flow.ts';
import type { IntegrationDeps } from '../../contracts/integration.ts';
import { Failure } from '../../failures.ts';
import type { CalendarDate } from '../../values/calendar-date.ts';
import type { Json } from '../../values/json.ts';
import type { AcumaticaClient } from '../../vendors/acumatica/client.ts';
import type { ZuoraClient } from '../../vendors/zuora/client.ts';
import type { Books } from './books.ts';
import { type CustomerAsk, type CustomerCard, readCustomers } from './customer-card.ts';
import { sameText } from './markers.ts';
import { yearsFor } from './periods.ts';
import * as reference from './reference.ts';
import type { Settings } from './settings.ts';

/** What the flows of this pair are given: settings, the two clients, reference data, and what was learned about the tenant. */
export interface PairContext extends FlowContext {
  readonly settings: Settings;
  readonly acumatica: AcumaticaClient;
  readonly zuora: ZuoraClient;
  /**
   * Reads reference data for documents of these days, from memory where it is young enough. That a period is closed is believed only when it was
   * read just now: somebody may have reopened it a moment ago, and asked for another look.
   */
  loadBooks(dates: readonly CalendarDate[]): Promise<Books>;
  /** The same with accounting codes of these ids among them: one that is missing was made after they were read, so they are read again. */
  booksWithCodes(ids: readonly string[]): Promise<Books>;
  /** What was loaded; for maps and decisions, which are pure. Fails with Defect before the first `loadBooks`. */
  books(): Books;
  /** Reads everything afresh unless that was done within ten minutes: before a hold for a missing mapping is decided. */
  refreshBooks(): Promise<Books>;
  /** Invoice Settlement: without it there are no memos, parts and later applications. */
  hasInvoiceSettlement(): Promise<boolean>;
  /** The tenant validates document totals on entry: learned from its first refusal. */
  validatesTotals(): Promise<boolean>;
  rememberValidatesTotals(): Promise<void>;
  /** An AR account met on a document of ours: journals must not hit it. */
  rememberArAccount(account: string): Promise<void>;
  /** Customers by CustomerID as Acumatica shows them now; a renumbered one is found by its AccountRef. Missing ones are absent. */
  customers(asks: readonly CustomerAsk[], options?: { readonly fresh?: boolean }): Promise<ReadonlyMap<string, CustomerCard>>;
}

const day = 24 * 3_600_000;
const ages = { reference: day, periods: 25 * 60_000, customers: 10 * 60_000, learned: 365 * day, refresh: 10 * 60_000, recent: 15_000 };

const kinds = ['codes', 'accounts', 'ar-accounts', 'subaccounts', 'currencies', 'methods', 'branches'] as const;

type Dated<Rows extends Json> = { readonly readAt: string; readonly rows: Rows };

export function pairContext({ base, settings, a, b }: IntegrationDeps<Settings, AcumaticaClient, ZuoraClient>): PairContext {
  let present: Books | undefined;
  const years = new Set<number>();

  const kept = async <Rows extends Json>(name: string, maxAgeMs: number, load: () => Promise<Rows>): Promise<Dated<Rows>> =>
    base.cached<Dated<Rows>>(`books:${name}`, maxAgeMs, async () => ({ readAt: base.now.toISOString(), rows: await load() }));

  const codes = () => kept('codes', ages.reference, () => reference.readCodes(b));
  const accounts = () => kept('accounts', ages.reference, () => reference.readAccounts(a));
  const arAccounts = () => kept('ar-accounts', ages.reference, () => reference.readArAccounts(a));
  const subaccounts = () => kept('subaccounts', ages.reference, () => reference.readSubaccounts(a));
  const currencies = () => kept('currencies', ages.reference, () => reference.readCurrencies(a));
  const methods = () => kept('methods', ages.reference, () => reference.readMethods(a));
  const branches = () => kept('branches', ages.reference, () => reference.readBranches(a));
  const periods = (company: string | undefined, year: number) =>
    kept(`periods:${year}`, ages.periods, () => reference.readPeriods(a, company, year));
  const metArAccounts = () => base.cached<readonly string[]>('met-ar-accounts', ages.learned, async () => []);

  const read = async (): Promise<Books> => {
    const home = (await branches()).rows.find((row) => sameText(row.branch, settings.branch));
    const calendars = [];
    for (const year of [...years].sort()) calendars.push(...(await periods(home?.company, year)).rows);
    present = reference.booksOf({
      codes: (await codes()).rows,
      accounts: (await accounts()).rows,
      arAccounts: [...(await arAccounts()).rows, ...(await metArAccounts())],
      subaccounts:
        settings.subaccount === undefined && !settings.accountMap.some((row) => row.subaccount !== undefined)
          ? null
          : (await subaccounts()).rows,
      currencies: (await currencies()).rows,
      methods: settings.postingMode === 'gl-summary' ? [] : (await methods()).rows,
      periods: calendars,
      baseCurrency: home?.currency,
    });
    return present;
  };

  const context: PairContext = {
    ...base,
    cached: (name, maxAgeMs, load) => base.cached(name, maxAgeMs, load),
    forget: (name) => base.forget(name),
    settings,
    acumatica: a,
    zuora: b,
    async loadBooks(dates) {
      const wanted = yearsFor([base.today, ...dates]).flatMap((year) =>
        settings.closedPeriod === 'next-open' ? [year, year + 1] : [year],
      );
      const more = wanted.filter((year) => !years.has(year));
      for (const year of more) years.add(year);
      const loaded = present !== undefined && more.length === 0 ? present : await read();
      const shut = loaded.periods.filter(
        ({ start, end, openForAr, openForGl }) => !(openForAr && openForGl) && dates.some((date) => start <= date && date <= end),
      );
      let isOld = false;
      for (const year of new Set(shut.map(({ id }) => Number(id.slice(0, 4))))) {
        const { readAt } = await kept<readonly reference.PeriodRow[]>(`periods:${year}`, ages.periods, async () => []);
        if (base.now.getTime() - Date.parse(readAt) < ages.recent) continue;
        await base.forget(`books:periods:${year}`);
        isOld = true;
      }
      return isOld ? read() : loaded;
    },
    async booksWithCodes(ids) {
      const { rows, readAt } = await codes();
      const isComplete = ids.every((id) => rows.some((row) => row.id === id));
      // An id that Zuora itself does not list must not cause a read for every batch.
      if (isComplete || base.now.getTime() - Date.parse(readAt) < ages.recent) return context.loadBooks([]);
      await base.forget('books:codes');
      return read();
    },
    books() {
      if (present === undefined) throw new Failure('Defect', { sentence: 'Reference data was asked for before it was loaded.' });
      return present;
    },
    async refreshBooks() {
      const readAt = (await codes()).readAt;
      if (base.now.getTime() - Date.parse(readAt) > ages.refresh) {
        for (const kind of kinds) await base.forget(`books:${kind}`);
      }
      for (const year of years) {
        const calendar = await kept<readonly reference.PeriodRow[]>(`periods:${year}`, ages.periods, async () => []);
        if (calendar.rows.length === 0 || base.now.getTime() - Date.parse(calendar.readAt) > ages.refresh)
          await base.forget(`books:periods:${year}`);
      }
      return read();
    },
    hasInvoiceSettlement: async () =>
      (
        await base.cached<{ readonly is: boolean }>('invoice-settlement', day, async () => ({
          is: (await b.probeFeatures()).invoiceSettlement,
        }))
      ).is,
    validatesTotals: () => base.cached<boolean>('validates-totals', ages.learned, async () => false),
    async rememberValidatesTotals() {
      await base.forget('validates-totals');
      await base.cached<boolean>('validates-totals', ages.learned, async () => true);
    },
    async rememberArAccount(account) {
      const known = await metArAccounts();
      if (known.includes(account) || present?.arAccounts.has(account)) return;
      await base.forget('met-ar-accounts');
      await base.cached<readonly string[]>('met-ar-accounts', ages.learned, async () => [...known, account]);
    },
    async customers(asks, options) {
      const unique = [...new Map(asks.map((ask) => [ask.customerId, ask])).values()];
      if (options?.fresh) for (const ask of unique) await base.forget(`customer:${ask.customerId}`);
      let loading: Promise<ReadonlyMap<string, CustomerCard>> | undefined;
      const load = () => {
        loading ??= readCustomers(a, unique);
        return loading;
      };
      const cards = new Map<string, CustomerCard>();
      for (const ask of unique) {
        const card = await base.cached<CustomerCard | null>(
          `customer:${ask.customerId}`,
          ages.customers,
          async () => (await load()).get(ask.customerId) ?? null,
        );
        if (card !== null) cards.set(ask.customerId, card);
      }
      return cards;
    },
  };
  return context;
}
