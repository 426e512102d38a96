/**
 * The trigger conditions of custom events (JEXL), as far as they are used: comparisons of `changeType`, `Object.Field` and
 * `Object.Field_old` with literals or each other, joined by `&&`, `||`, `!` and parentheses.
 */
export type ConditionValue = string | number | boolean | null;
type Lookup = (name: string) => ConditionValue;
export type Condition = (lookup: Lookup) => ConditionValue;

const token = /\s*(?:('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(\d+(?:\.\d+)?)|(==|!=|>=|<=|&&|\|\||[()!<>])|([A-Za-z_][\w.]*))/y;
const words: Readonly<Record<string, string>> = { and: '&&', or: '||', not: '!', eq: '==', ne: '!=', gt: '>', lt: '<', ge: '>=', le: '<=' };

/** Throws with a sentence when the text is no condition, or names something that `isKnown` does not know. */
export function parseCondition(text: string, isKnown: (name: string) => boolean): Condition {
  const tokens = tokenize(text);
  let at = 0;
  const peek = (): string | undefined => tokens[at];
  const take = (): string | undefined => tokens[at++];

  function either(): Condition {
    let left = both();
    while (peek() === '||') {
      take();
      const [one, two] = [left, both()];
      left = (lookup) => Boolean(one(lookup)) || Boolean(two(lookup));
    }
    return left;
  }

  function both(): Condition {
    let left = comparison();
    while (peek() === '&&') {
      take();
      const [one, two] = [left, comparison()];
      left = (lookup) => Boolean(one(lookup)) && Boolean(two(lookup));
    }
    return left;
  }

  function comparison(): Condition {
    const left = single();
    const operator = peek();
    if (operator === undefined || !['==', '!=', '<', '>', '<=', '>='].includes(operator)) return left;
    take();
    const right = single();
    return (lookup) => compareTwo(operator, left(lookup), right(lookup));
  }

  function single(): Condition {
    const next = take();
    if (next === undefined) throw new SyntaxError('the condition ends too early');
    if (next === '!') {
      const inner = single();
      return (lookup) => !inner(lookup);
    }
    if (next === '(') {
      const inner = either();
      if (take() !== ')') throw new SyntaxError('a closing parenthesis is missing');
      return inner;
    }
    if (/^['"]/.test(next)) {
      const literal = next.slice(1, -1).replace(/\\(.)/g, '$1');
      return () => literal;
    }
    if (/^\d/.test(next)) {
      const number = Number(next);
      return () => number;
    }
    if (next === 'true' || next === 'false') return () => next === 'true';
    if (next === 'null') return () => null;
    if (!/^[A-Za-z_]/.test(next)) throw new SyntaxError(`'${next}' is not expected`);
    if (!isKnown(next)) throw new SyntaxError(`unknown name '${next}'`);
    return (lookup) => lookup(next);
  }

  const condition = either();
  if (at < tokens.length) throw new SyntaxError(`'${tokens[at]}' is not expected`);
  return condition;
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.trimEnd().length) {
    const from = token.lastIndex;
    const found = token.exec(text);
    if (!found) throw new SyntaxError(`cannot read '${text.slice(from, from + 12)}'`);
    const plain = found[1] ?? found[2] ?? found[3] ?? found[4] ?? '';
    tokens.push(found[4] === undefined ? plain : (words[plain] ?? plain));
  }
  return tokens;
}

function compareTwo(operator: string, left: ConditionValue, right: ConditionValue): boolean {
  if (operator === '==') return left === right || (left !== null && right !== null && String(left) === String(right));
  if (operator === '!=') return !compareTwo('==', left, right);
  if (left === null || right === null) return false;
  const [one, two] = typeof left === 'number' || typeof right === 'number' ? [Number(left), Number(right)] : [String(left), String(right)];
  if (operator === '<') return one < two;
  if (operator === '>') return one > two;
  return operator === '<=' ? one <= two : one >= two;
}
