import Big from 'big.js';
import { type Decimal, normal } from '../../../lib/values/decimal.ts';

export { add, compare, equal, isZero, multiply, round, subtract, sum } from '../../../lib/values/decimal.ts';

/** Unit prices carry more decimals than amounts: nine are enough for every currency. */
export function divide(left: Decimal, right: Decimal): Decimal {
  return normal(new Big(left).div(right).round(9, Big.roundHalfUp).toFixed());
}
