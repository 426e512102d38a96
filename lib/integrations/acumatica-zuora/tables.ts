import type { AutoRelease, MappingTable } from '../../contracts/integration.ts';
import { calendarDate } from '../../values/calendar-date.ts';
import type { Settings } from './settings.ts';

/** Tables that operators edit in place, and the holds an edit releases. */
export const tables: readonly MappingTable[] = [
  { name: 'accountMap', shape: 'rows', key: ['code', 'currency'], releases: ['account-map:'] },
  { name: 'reasonAccounts', shape: 'entries', key: ['reason'], releases: ['account-map:'] },
  { name: 'methods', shape: 'rows', key: ['gateway', 'methodType', 'currency'], releases: ['method-map:'] },
  { name: 'terms', shape: 'entries', key: ['term'], releases: ['verify:DueDate'] },
  { name: 'tax.ids', shape: 'entries', key: ['name'], releases: ['tax-map:'] },
];

/** Holds that end when somebody acts in Acumatica: looked at again by themselves. */
export const autoRelease: readonly AutoRelease[] = [
  { causePrefix: 'period:', everyMinutes: 30 },
  { causePrefix: 'rate:', everyMinutes: 60 },
  { causePrefix: 'unapply:', everyMinutes: 360 },
  { causePrefix: 'refund-needs-unapply', everyMinutes: 360 },
];

const arFlows = ['invoices', 'credit-memos', 'payments', 'applications', 'refunds'] as const;

/** In `gl-summary` everything arrives as journals: an AR document beside them would be booked twice. */
export function flowsOff(settings: Settings): Readonly<Record<string, string>> {
  if (settings.postingMode !== 'gl-summary') return {};
  return Object.fromEntries(
    arFlows.map((flow) => [flow, 'postingMode gl-summary books journals only; an AR document would book the same twice']),
  );
}

export interface Contradiction {
  readonly path: string;
  readonly reason: string;
  readonly fix: string;
}

export function contradictions(settings: Settings): readonly Contradiction[] {
  const found: Contradiction[] = [];
  const say = (path: string, reason: string, fix: string) => found.push({ path, reason, fix });
  if (settings.postingMode === 'ar-documents') {
    if (settings.methods.length === 0)
      say('methods', 'payments need a payment method and a cash account', 'Add at least one row: paymentMethod and cashAccount.');
    if (settings.tax.exemptCategory === undefined)
      say(
        'tax.exemptCategory',
        'lines need an exempt tax category, or Acumatica adds tax of its own',
        'Name one from Tax Categories (TX205500).',
      );
    if (settings.customers.class === undefined && settings.customers.create !== 'never')
      say('customers.class', 'new customers need a class', 'Set customers.class.default, or customers.create: never.');
  }
  if (settings.tax.mode === 'detail') {
    if (settings.tax.taxableCategory === undefined)
      say('tax.taxableCategory', 'mode detail needs it for taxed lines', 'Name the taxable category.');
    if (settings.tax.zone === undefined) say('tax.zone', 'mode detail needs a tax zone', 'Name a zone from Tax Zones (TX206000).');
    if (Object.keys(settings.tax.ids).length === 0)
      say('tax.ids', 'mode detail needs a TaxID per Zuora tax', 'Add rows: Zuora tax name → TaxID.');
  }
  if (settings.revenue === 'acumatica-deferral' && !settings.accountMap.some((row) => row.deferralCode !== undefined))
    say(
      'accountMap',
      'revenue acumatica-deferral needs deferral codes',
      'Add deferralCode to the rows whose revenue is deferred in Acumatica.',
    );
  if (settings.postingMode === 'gl-summary' && settings.revenue === 'acumatica-deferral')
    say('revenue', 'gl-summary books journals, which carry no deferral schedule', 'Choose at-billing or zuora-journals.');
  if (settings.postingMode === 'gl-summary' && !calendarDate(settings.startFrom).endsWith('-01'))
    say('startFrom', 'with gl-summary it separates two ways of booking in time', 'Use the first day of a period.');
  for (const [path, rows] of [
    ['accountMap', settings.accountMap.map((row) => `${row.code} ${row.currency ?? ''}`)],
    ['methods', settings.methods.map((row) => `${row.gateway ?? ''} ${row.methodType ?? ''} ${row.currency ?? ''}`)],
  ] as const) {
    const twice = repeated(rows);
    if (twice !== undefined) say(path, `two rows apply to the same: ${twice}`, 'Keep one of them.');
  }
  return found;
}

function repeated(texts: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const text of texts.map((each) => each.trim().toLowerCase())) {
    if (seen.has(text)) return text === '' ? '(no condition)' : text;
    seen.add(text);
  }
  return undefined;
}
