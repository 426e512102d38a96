import { createSeededRandom } from '../../lib/memory/seeded-random.ts';

/** Everything a history draws comes from here, so that the seed says it all. */
export interface Draws {
  next(): number;
  chance(probability: number): boolean;
  /** Both inclusive. */
  between(least: number, most: number): number;
  /** One of them; undefined when there are none. */
  pick<Value>(values: readonly Value[]): Value | undefined;
  /** One of at least one. */
  oneOf<Value>(first: Value, ...others: readonly Value[]): Value;
  /** One of a table of weights. */
  weighted<Value extends { readonly weight: number }>(values: readonly Value[]): Value | undefined;
}

/** `stream` keeps the draws of one purpose apart from those of another: a fault more does not change the workload. */
export function createDraws(seed: number, stream: number): Draws {
  const random = createSeededRandom(seed * 64 + stream);
  const index = (length: number): number => Math.min(length - 1, Math.floor(random.next() * length));
  const pick = <Value>(values: readonly Value[]): Value | undefined => (values.length === 0 ? undefined : values[index(values.length)]);
  return {
    next: () => random.next(),
    chance: (probability) => random.next() < probability,
    between: (least, most) => least + index(most - least + 1),
    pick,
    oneOf: (first, ...others) => pick([first, ...others]) ?? first,
    weighted(values) {
      let left = random.next() * values.reduce((total, { weight }) => total + weight, 0);
      return values.find(({ weight }) => {
        left -= weight;
        return left < 0;
      });
    },
  };
}
