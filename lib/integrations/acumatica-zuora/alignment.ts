import { asFailure } from '../../failures.ts';
import type { Json } from '../../values/json.ts';
import { accountOf } from './accounts.ts';
import type { Books } from './books.ts';
import type { Settings } from './settings.ts';

/** Which account every active accounting code leads to, and what is wrong with it: kept for `status`. */
export function alignmentReport(books: Books, settings: Settings): Json {
  const currency = books.baseCurrency ?? '';
  return {
    codes: books.codes
      .filter((code) => code.active)
      .map((code) => {
        try {
          const { account, subaccount } = accountOf(code.name, currency, {
            settings,
            books,
            use: settings.postingMode === 'gl-summary' ? 'summary' : 'document',
          });
          return { code: code.name, account, subaccount, status: 'ok' };
        } catch (thrown) {
          return { code: code.name, status: asFailure(thrown).message };
        }
      }),
    currencies: [...books.currencies].map(([currencyCode, fact]) => ({
      currency: currencyCode,
      active: fact.active,
      decimals: fact.decimals,
    })),
    periods: books.periods.map(({ id, openForAr }) => ({ period: id, openForAr })),
  };
}
