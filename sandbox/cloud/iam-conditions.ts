type Condition = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
type Test = (expected: string, actual: string) => boolean;

/** `*` is any run of characters, `?` one. */
export const like: Test = (pattern, text) => {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`, 's').test(text);
};
const equal: Test = (expected, actual) => expected === actual;
const sameLetters: Test = (expected, actual) => expected.toLowerCase() === actual.toLowerCase();

const tests: Readonly<Record<string, { readonly test: Test; readonly negated: boolean }>> = {
  StringEquals: { test: equal, negated: false },
  StringNotEquals: { test: equal, negated: true },
  StringEqualsIgnoreCase: { test: sameLetters, negated: false },
  StringLike: { test: like, negated: false },
  StringNotLike: { test: like, negated: true },
  ArnEquals: { test: like, negated: false },
  ArnLike: { test: like, negated: false },
  ArnNotEquals: { test: like, negated: true },
  ArnNotLike: { test: like, negated: true },
  Bool: { test: sameLetters, negated: false },
};

const operatorName = (operator: string): string => operator.replace(/IfExists$/, '');

/** The first operator of a condition that is not known here. */
export function unsupportedOperator(condition: Condition | undefined): string | undefined {
  return Object.keys(condition ?? {}).find((operator) => operator !== 'Null' && tests[operatorName(operator)] === undefined);
}

/** All operators and all their keys must hold; of several values one is enough. A key the request does not have fails, unless negated or `IfExists`. */
export function conditionHolds(condition: Condition | undefined, context: Readonly<Record<string, string | undefined>>): boolean {
  const byLowerKey = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
  return Object.entries(condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const actual = byLowerKey.get(key.toLowerCase());
      const expected: readonly string[] = (Array.isArray(wanted) ? wanted : [wanted]).map(String);
      if (operator === 'Null') return expected.some((value) => (value === 'true') === (actual === undefined));
      const known = tests[operatorName(operator)];
      if (known === undefined) return false;
      if (actual === undefined) return known.negated || operator.endsWith('IfExists');
      return expected.some((value) => known.test(value, actual)) !== known.negated;
    }),
  );
}
