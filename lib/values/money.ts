import { add, type Decimal, readable } from './decimal.ts';

/** ISO 4217 code, upper case. */
export type Currency = string;

/** An amount that knows its currency. Adding two currencies is a mistake, never a conversion. */
export interface Money {
  readonly amount: Decimal;
  readonly currency: Currency;
}

/** Digits after the point of the currencies that do not have two; every other currency has two (ISO 4217). */
const unusualDecimals: Readonly<Record<Currency, number>> = {
  BHD: 3,
  BIF: 0,
  CLF: 4,
  CLP: 0,
  DJF: 0,
  GNF: 0,
  IQD: 3,
  ISK: 0,
  JOD: 3,
  JPY: 0,
  KMF: 0,
  KRW: 0,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  PYG: 0,
  RWF: 0,
  TND: 3,
  UGX: 0,
  UYI: 0,
  VND: 0,
  VUV: 0,
  XAF: 0,
  XOF: 0,
  XPF: 0,
};

export function decimalsOfCurrency(currency: Currency): number {
  return unusualDecimals[currency] ?? 2;
}

export function addMoney(left: Money, right: Money): Money {
  if (left.currency !== right.currency) throw new RangeError(`cannot add ${left.currency} and ${right.currency}`);
  return { amount: add(left.amount, right.amount), currency: left.currency };
}

/** `1,334.88 USD` */
export function readableMoney(money: Money): string {
  return `${readable(money.amount, decimalsOfCurrency(money.currency))} ${money.currency}`;
}
