import { absolute, compare, type Decimal, equal, isZero, multiply, round, subtract, sum } from '../../../lib/values/decimal.ts';
import { assign, assignCustom, checkAccount, checkSelector, checkSubaccount, mergeDetails } from './assign.ts';
import { type Company, referenceKeys } from './company.ts';
import { cannotBeEmpty, cannotBeFound, type Problems } from './refusals.ts';
import { amount, customText, type Document, detailsOf, type Row, setDetails, text } from './rows.ts';
import type { Input } from './wire-read.ts';

const lineFields = [
  'TransactionDescription',
  'UOM',
  'ProjectTask',
  'CostCode',
  'Subitem',
  'Qty',
  'UnitPrice',
  'DiscountAmount',
  'Account',
  'Subaccount',
  'TaxCategory',
  'Branch',
];

/** Appends, changes and removes lines of an invoice or memo and gives every touched line its amount. */
export function mergeLines(company: Company, document: Document, inputs: readonly Input[], problems: Problems): void {
  const rows = mergeDetails(company, detailsOf(document, 'Details'), inputs, {
    problems,
    sameKey: (row, input) => input.fields.get('LineNbr') !== undefined && row.fields['LineNbr'] === input.fields.get('LineNbr'),
    fill: (row, input, inserted) => {
      if (inserted) {
        row.fields['LineNbr'] = document.nextLine;
        document.nextLine += 1;
        row.fields['Branch'] = document.fields['LinkBranch'] ?? null;
        row.fields['Account'] = company.find('CustomerClass', classOf(company, document))?.fields['SalesAccount'] ?? null;
      }
      const target = { row, problems };
      assign(company, 'InvoiceDetail', target, input, lineFields);
      assignCustom('InvoiceDetail', row, input);
      if (input.fields.get('InventoryID')) problems.add(row, 'InventoryID', cannotBeFound('Inventory ID'));
      amountsOf(company, document, row, input);
      checkLine(company, document, target);
    },
  });
  setDetails(document, 'Details', rows);
}

function classOf(company: Company, document: Document): string {
  const customer = company.customers.get(text(document, 'Customer'));
  return customer ? text(customer, 'CustomerClass') : '';
}

/**
 * Quantity and price are kept with six decimals. Where both are there, their product in the precision of the currency is the line's
 * extended price, whatever was sent for it; a sent extended price stands only when one of them is missing.
 */
function amountsOf(company: Company, document: Document, row: Row, input: Input): void {
  const quantity = round(amount(row, 'Qty'), 6);
  const sent = input.fields.get('ExtendedPrice');
  let price = round(amount(row, 'UnitPrice'), 6);
  let extended = company.inCurrency(amount(row, 'ExtendedPrice'), document.currency);
  if (typeof sent === 'string') extended = company.inCurrency(sent, document.currency);
  const product = company.inCurrency(multiply(quantity, price), document.currency);
  if (!isZero(quantity) && !isZero(price)) {
    if (!equal(product, extended)) extended = product;
  } else if (typeof sent === 'string' && compare(absolute(quantity), '1') === 0)
    price = quantity.startsWith('-') ? subtract('0', extended) : extended;
  row.fields['Qty'] = quantity;
  row.fields['UnitPrice'] = price;
  row.fields['ExtendedPrice'] = extended;
  const discount = company.inCurrency(amount(row, 'DiscountAmount'), document.currency);
  row.fields['DiscountAmount'] = discount;
  row.fields['Amount'] = subtract(extended, discount);
}

function checkLine(company: Company, document: Document, target: { readonly row: Row; readonly problems: Problems }): void {
  const { row, problems } = target;
  if (text(row, 'Account') === '') problems.add(row, 'Account', cannotBeEmpty('Account'));
  else checkAccount(company, target, { field: 'Account', currency: document.currency });
  checkSubaccount(company, target);
  checkSelector(target, 'TaxCategory', (key) => keyIn(company, 'TaxCategory', key), 'Tax Category');
  checkSelector(target, 'Branch', (key) => company.branch(key)?.id);
}

function keyIn(company: Company, entity: 'TaxCategory' | 'Tax' | 'TaxZone', key: string): string | undefined {
  const row = company.find(entity, key);
  return row ? text(row, referenceKeys[entity]) : undefined;
}

/**
 * The taxes of a document. With `IsTaxValid` the given rows are imported as they are; otherwise the form calculates them from the tax
 * zone of the document and the tax categories of its lines, whatever rows were sent.
 */
export function taxesOf(company: Company, document: Document, inputs: readonly Input[] | undefined, problems: Problems): void {
  if (document.fields['IsTaxValid'] === true) {
    if (inputs) importTaxes(company, document, inputs, problems);
  } else setDetails(document, 'TaxDetails', calculatedTaxes(company, document));
  document.fields['TaxTotal'] = sum(detailsOf(document, 'TaxDetails').map((row) => amount(row, 'TaxAmount')));
}

function importTaxes(company: Company, document: Document, inputs: readonly Input[], problems: Problems): void {
  const rows = mergeDetails(company, detailsOf(document, 'TaxDetails'), inputs, {
    problems,
    sameKey: (row, input) => text(row, 'TaxID').toUpperCase() === String(input.fields.get('TaxID') ?? '').toUpperCase(),
    fill: (row, input) => {
      assign(company, 'InvoiceTaxDetail', { row, problems }, input, ['TaxID', 'TaxRate', 'TaxableAmount', 'TaxAmount']);
      for (const field of ['TaxableAmount', 'TaxAmount']) row.fields[field] = company.inCurrency(amount(row, field), document.currency);
      const tax = company.find('Tax', text(row, 'TaxID'));
      if (!tax) {
        problems.add(row, 'TaxID', cannotBeFound('Tax ID'));
        return;
      }
      row.fields['TaxID'] = text(tax, 'TaxID');
      if (row.fields['TaxRate'] === undefined) row.fields['TaxRate'] = rateOf(tax);
      const zone = taxZoneOf(document);
      if (!isInZone(company, zone, text(tax, 'TaxID')))
        problems.add(row, 'TaxID', `The ${text(tax, 'TaxID')} tax does not belong to the ${zone === '' ? 'empty' : zone} tax zone.`);
    },
  });
  setDetails(document, 'TaxDetails', rows);
}

function calculatedTaxes(company: Company, document: Document): Row[] {
  const zone = company.find('TaxZone', taxZoneOf(document));
  const former = detailsOf(document, 'TaxDetails');
  const rows: Row[] = [];
  for (const applicable of zone ? detailsOf(zone, 'ApplicableTaxes') : []) {
    const tax = company.find('Tax', text(applicable, 'TaxID'));
    if (!tax) continue;
    const lines = detailsOf(document, 'Details').filter((line) => isTaxed(company, line, text(tax, 'TaxID')));
    if (lines.length === 0) continue;
    const taxable = sum(lines.map((line) => amount(line, 'Amount')));
    const rate = rateOf(tax);
    const known = former.find((row) => text(row, 'TaxID') === text(tax, 'TaxID'));
    rows.push({
      id: known?.id ?? company.newId(),
      fields: {
        TaxID: text(tax, 'TaxID'),
        TaxRate: rate,
        TaxableAmount: taxable,
        TaxAmount: company.inCurrency(multiply(taxable, multiply(rate, '0.01')), document.currency),
      },
    });
  }
  return rows;
}

function isTaxed(company: Company, line: Row, taxId: string): boolean {
  const category = company.find('TaxCategory', text(line, 'TaxCategory'));
  if (!category) return false;
  const listed = detailsOf(category, 'Details').some((row) => text(row, 'TaxID') === taxId);
  return category.fields['ExcludeListedTaxes'] === true ? !listed : listed;
}

function isInZone(company: Company, zone: string, taxId: string): boolean {
  const row = company.find('TaxZone', zone);
  return row !== undefined && detailsOf(row, 'ApplicableTaxes').some((applicable) => text(applicable, 'TaxID') === taxId);
}

function taxZoneOf(document: Row): string {
  return customText(document, 'CurrentDocument.TaxZoneID');
}

function rateOf(tax: Row): Decimal {
  const schedule = detailsOf(tax, 'TaxSchedule')[0];
  return schedule ? amount(schedule, 'TaxRate') : '0';
}
