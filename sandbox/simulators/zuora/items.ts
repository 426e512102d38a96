import { ControlError } from '../kit.ts';
import { accountingCodeNamed, accountingCodeOfType } from './accounts.ts';
import { add, compare, divide, equal, isZero, multiply, round, subtract, sum } from './amounts.ts';
import type { Item, TaxItem } from './rows.ts';
import { type ItemInput, processingTypes } from './shapes.ts';
import type { Table } from './table.ts';
import type { Tenant } from './tenant.ts';

export type DocumentKind = 'invoice' | 'credit-memo' | 'debit-memo';

/** Tables of the lines and of their taxes. */
export function itemTables(tenant: Tenant, kind: DocumentKind): { readonly items: Table<Item>; readonly taxes: Table<TaxItem> } {
  if (kind === 'invoice') return { items: tenant.invoiceItems, taxes: tenant.taxationItems };
  if (kind === 'credit-memo') return { items: tenant.creditMemoItems, taxes: tenant.creditTaxationItems };
  return { items: tenant.debitMemoItems, taxes: tenant.debitTaxationItems };
}

export interface ItemOwner {
  readonly kind: DocumentKind;
  readonly documentId: string;
  readonly accountId: string;
  readonly date: string;
}

export interface WrittenItems {
  readonly items: readonly Item[];
  readonly amountWithoutTax: string;
  readonly taxAmount: string;
}

function processingCode(named: ItemInput['processingType']): string {
  const position = (processingTypes as readonly string[]).indexOf(named);
  return position < 0 ? named : String(position);
}

function taxesOf(input: ItemInput): NonNullable<ItemInput['taxes']> {
  if (input.taxes !== undefined) {
    if (input.tax !== undefined && !equal(input.tax, sum(input.taxes.map((tax) => tax.amount))))
      throw new ControlError(`${input.chargeName}: tax ${input.tax} is not the sum of taxes`);
    return input.taxes;
  }
  if (input.tax === undefined || isZero(input.tax)) return [];
  return [{ amount: input.tax, name: input.taxName, accountingCode: input.taxAccountingCode }];
}

export function writeItems(
  tenant: Tenant,
  owner: ItemOwner,
  inputs: readonly ItemInput[],
  sources: readonly (string | null)[] = [],
): WrittenItems {
  const tables = itemTables(tenant, owner.kind);
  const items: Item[] = [];
  const codeId = (name: string | undefined, type: string): string | null =>
    name === undefined ? null : accountingCodeNamed(tenant, name, type).id;
  const receivable = accountingCodeOfType(tenant, 'AccountsReceivable');
  for (const [position, input] of inputs.entries()) {
    const taxes = taxesOf(input);
    const target = input.appliedToItem === undefined ? undefined : items[input.appliedToItem];
    if (input.appliedToItem !== undefined && !target) throw new ControlError(`${input.chargeName}: appliedToItem names no earlier item`);
    const quantity = input.quantity ?? '1';
    const stamp = tenant.stamp(input.id);
    // Written out, not spread: with 60,000 lines to load that is the difference between one second and three.
    const row: Item = tables.items.put({
      id: stamp.id,
      createdAt: stamp.createdAt,
      updatedAt: stamp.updatedAt,
      documentId: owner.documentId,
      accountId: owner.accountId,
      chargeName: input.chargeName,
      chargeNumber: input.chargeNumber ?? null,
      amountWithoutTax: input.amount,
      taxAmount: sum(taxes.map((tax) => tax.amount)),
      taxMode: input.taxMode,
      quantity,
      unitPrice: input.unitPrice ?? (quantity === '1' ? input.amount : isZero(quantity) ? '0' : divide(input.amount, quantity)),
      sku: input.sku ?? null,
      unitOfMeasure: input.unitOfMeasure ?? '',
      processingType: processingCode(input.processingType),
      serviceStartDate: input.serviceStartDate ?? null,
      serviceEndDate: input.serviceEndDate ?? null,
      description: input.description ?? '',
      subscriptionNumber: input.subscriptionNumber ?? null,
      accountingCode: input.accountingCode ?? null,
      recognizedRevenueAccountingCodeId: codeId(input.recognizedRevenueAccountingCode, 'SalesRevenue'),
      deferredRevenueAccountingCodeId: codeId(input.deferredRevenueAccountingCode, 'DeferredRevenue'),
      accountReceivableAccountingCodeId: receivable?.id ?? null,
      appliedToItemId: target?.id ?? null,
      sourceItemId: sources[position] ?? null,
    });
    items.push(row);
    if (input.accountingCode !== undefined) accountingCodeNamed(tenant, input.accountingCode, 'SalesRevenue');
    for (const tax of taxes) {
      tables.taxes.put({
        id: tenant.newId(),
        createdAt: stamp.createdAt,
        updatedAt: stamp.updatedAt,
        itemId: row.id,
        name: tax.name ?? 'Sales Tax',
        jurisdiction: tax.jurisdiction ?? '',
        taxCode: tax.code ?? '',
        taxRate: tax.rate ?? (isZero(input.amount) ? '0' : round(divide(tax.amount, input.amount), 6)),
        taxRateType: 'Percentage',
        taxMode: input.taxMode,
        taxDate: owner.date,
        taxAmount: tax.amount,
        taxableAmount: tax.taxable ?? input.amount,
        accountingCode: tax.accountingCode ?? null,
        salesTaxPayableAccountingCodeId: codeId(tax.accountingCode, 'SalesTaxPayable'),
      });
    }
  }
  return { items, amountWithoutTax: sum(items.map((row) => row.amountWithoutTax)), taxAmount: sum(items.map((row) => row.taxAmount)) };
}

export function deleteItems(tenant: Tenant, kind: DocumentKind, documentId: string): void {
  const tables = itemTables(tenant, kind);
  for (const item of tables.items.by('documentId', documentId)) {
    for (const tax of tables.taxes.by('itemId', item.id)) tables.taxes.delete(tax.id);
    tables.items.delete(item.id);
  }
}

export interface CopiedItems {
  readonly items: ItemInput[];
  /** The line each was made from. */
  readonly sources: string[];
}

/**
 * The lines of a document as input for a memo over `amount` of it: all of it, or its lines in order until the amount is used up,
 * the last one cut, tax in proportion.
 */
export function copyItems(tenant: Tenant, kind: DocumentKind, documentId: string, amount: string): CopiedItems {
  const tables = itemTables(tenant, kind);
  const rows = tables.items.by('documentId', documentId);
  const whole = sum(rows.map((row) => add(row.amountWithoutTax, row.taxAmount)));
  const copied: CopiedItems = { items: [], sources: [] };
  let left = amount;
  for (const row of rows) {
    const gross = add(row.amountWithoutTax, row.taxAmount);
    const partial = !equal(whole, amount);
    if (partial && (isZero(left) || compare(gross, '0') <= 0)) continue;
    const taken = partial && compare(gross, left) > 0 ? left : gross;
    left = subtract(left, taken);
    const share = equal(taken, gross) ? '1' : divide(taken, gross);
    const taxes = tables.taxes.by('itemId', row.id).map((tax) => ({ tax, amount: round(multiply(tax.taxAmount, share), 2) }));
    const codeName = (id: string | null): string | undefined => (id === null ? undefined : tenant.accountingCodes.get(id)?.name);
    copied.items.push({
      chargeName: row.chargeName,
      amount: subtract(taken, sum(taxes.map((tax) => tax.amount))),
      taxMode: row.taxMode === 'TaxInclusive' ? 'TaxInclusive' : 'TaxExclusive',
      taxes: taxes.map(({ tax, amount: shared }) => ({
        name: tax.name,
        amount: shared,
        rate: tax.taxRate,
        accountingCode: tax.accountingCode ?? undefined,
      })),
      quantity: row.quantity,
      unitPrice: row.unitPrice,
      sku: row.sku ?? undefined,
      unitOfMeasure: row.unitOfMeasure,
      processingType: processingTypes[Number(row.processingType)] ?? 'Charge',
      serviceStartDate: row.serviceStartDate ?? undefined,
      serviceEndDate: row.serviceEndDate ?? undefined,
      subscriptionNumber: row.subscriptionNumber ?? undefined,
      chargeNumber: row.chargeNumber ?? undefined,
      accountingCode: row.accountingCode ?? undefined,
      recognizedRevenueAccountingCode: codeName(row.recognizedRevenueAccountingCodeId),
      deferredRevenueAccountingCode: codeName(row.deferredRevenueAccountingCodeId),
    });
    copied.sources.push(row.id);
  }
  return copied;
}
