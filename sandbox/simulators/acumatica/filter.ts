import { decimal } from '../../../lib/values/decimal.ts';
import { type Entity, entityOf, type FieldKind } from './contract.ts';
import { httpError, type Refusal } from './refusals.ts';

/** What a `$filter` may say, already checked against the contract. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter }
  | { readonly kind: 'compare'; readonly field: FieldRef; readonly operator: Operator; readonly value: string | boolean | null }
  | { readonly kind: 'text'; readonly function: TextFunction; readonly field: FieldRef; readonly value: string };

type Operator = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le';
type TextFunction = 'substringof' | 'startswith' | 'endswith';

/** A field of the record, of a linked object (`MainContact/Email`), of a detail row, or a custom one (`View.Field`). */
export interface FieldRef {
  readonly path: readonly string[];
  readonly custom: boolean;
  readonly kind: FieldKind;
  readonly view: string;
  /** Filtering on detail rows is not supported by the vendor. */
  readonly detail: boolean;
}

type Token =
  | { readonly is: 'name' | 'symbol'; readonly text: string }
  | { readonly is: 'literal'; readonly type: LiteralType; readonly text: string };
type LiteralType = 'string' | 'decimal' | 'integer' | 'double' | 'boolean' | 'date' | 'guid' | 'null';

const literalTypeNames: Readonly<Record<LiteralType, string>> = {
  string: 'Edm.String',
  decimal: 'Edm.Decimal',
  integer: 'Edm.Int32',
  double: 'Edm.Double',
  boolean: 'Edm.Boolean',
  date: 'Edm.DateTimeOffset',
  guid: 'Edm.Guid',
  null: 'Edm.Null',
};

const fieldTypeNames: Readonly<Record<FieldKind, string>> = {
  string: 'Edm.String',
  decimal: 'Edm.Decimal',
  integer: 'Edm.Int32',
  boolean: 'Edm.Boolean',
  date: 'Edm.DateTimeOffset',
  guid: 'Edm.Guid',
};

export function parseFilter(written: string, entity: Entity, version: number): Filter {
  const parser = new Parser(tokensOf(written), entity, version);
  return parser.whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #entity: Entity;
  readonly #version: number;
  #at = 0;

  constructor(tokens: readonly Token[], entity: Entity, version: number) {
    this.#tokens = tokens;
    this.#entity = entity;
    this.#version = version;
  }

  whole(): Filter {
    const filter = this.#or();
    if (this.#at < this.#tokens.length) throw syntaxError(`unexpected ${this.#shown()}`);
    return filter;
  }

  #or(): Filter {
    const parts = [this.#and()];
    while (this.#takesName('or')) parts.push(this.#and());
    return parts.length === 1 && parts[0] ? parts[0] : { kind: 'or', parts };
  }

  #and(): Filter {
    const parts = [this.#single()];
    while (this.#takesName('and')) parts.push(this.#single());
    return parts.length === 1 && parts[0] ? parts[0] : { kind: 'and', parts };
  }

  #single(): Filter {
    if (this.#takesName('not')) return { kind: 'not', part: this.#single() };
    if (this.#takesSymbol('(')) {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    const name = this.#name();
    if (name === 'substringof' || name === 'startswith' || name === 'endswith') return this.#textFunction(name);
    const field = name.startsWith('cf.') ? this.#customField(name.slice(3)) : fieldAt(name, this.#entity, this.#version);
    const operator = this.#name();
    if (!isOperator(operator)) throw syntaxError(`unknown operator '${operator}'`);
    return { kind: 'compare', field, operator, value: this.#literalFor(field) };
  }

  #textFunction(name: TextFunction): Filter {
    this.#expect('(');
    // substringof('x',Field), but startswith(Field,'x')
    const literalFirst = name === 'substringof' ? this.#text() : undefined;
    if (literalFirst !== undefined) this.#expect(',');
    const field = fieldAt(this.#name(), this.#entity, this.#version);
    if (field.kind !== 'string') throw incompatible(fieldTypeNames[field.kind], 'Edm.String');
    if (literalFirst === undefined) this.#expect(',');
    const value = literalFirst ?? this.#text();
    this.#expect(')');
    return { kind: 'text', function: name, field, value };
  }

  #customField(type: string): FieldRef {
    this.#expect('(');
    if (this.#name() !== 'f') throw syntaxError('cf needs f=');
    this.#expect('=');
    const path = this.#text();
    this.#expect(')');
    const kind = customKinds[type];
    if (!kind) throw syntaxError(`unknown custom type cf.${type}`);
    return { path: [path], custom: true, kind, view: path.split('.')[0] ?? '', detail: false };
  }

  #literalFor(field: FieldRef): string | boolean | null {
    const token = this.#tokens[this.#at];
    if (token?.is !== 'literal') throw syntaxError(`a literal was expected, found ${this.#shown()}`);
    this.#at += 1;
    if (token.type === 'null') return null;
    const fits = token.type === field.kind;
    if (!fits) throw incompatible(fieldTypeNames[field.kind], literalTypeNames[token.type]);
    if (token.type === 'boolean') return token.text === 'true';
    return token.type === 'decimal' || token.type === 'integer' ? decimal(token.text) : token.text;
  }

  #text(): string {
    const token = this.#tokens[this.#at];
    if (token?.is !== 'literal' || token.type !== 'string') throw syntaxError(`a text was expected, found ${this.#shown()}`);
    this.#at += 1;
    return token.text;
  }

  #name(): string {
    const token = this.#tokens[this.#at];
    if (token?.is !== 'name') throw syntaxError(`a name was expected, found ${this.#shown()}`);
    this.#at += 1;
    return token.text;
  }

  #takesName(name: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.is !== 'name' || token.text !== name) return false;
    this.#at += 1;
    return true;
  }

  #takesSymbol(symbol: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.is !== 'symbol' || token.text !== symbol) return false;
    this.#at += 1;
    return true;
  }

  #expect(symbol: string): void {
    if (!this.#takesSymbol(symbol)) throw syntaxError(`'${symbol}' was expected, found ${this.#shown()}`);
  }

  #shown(): string {
    const token = this.#tokens[this.#at];
    return token ? `'${token.text}'` : 'the end';
  }
}

const customKinds: Readonly<Record<string, FieldKind>> = {
  String: 'string',
  Decimal: 'decimal',
  Int: 'integer',
  Boolean: 'boolean',
  DateTime: 'date',
  Guid: 'guid',
};

/** Finds a field by its path, refusing names the contract does not have. */
function fieldAt(path: string, entity: Entity, version: number): FieldRef {
  const segments = path.split('/');
  let place = entity;
  let view = '';
  let detail = false;
  for (const [index, segment] of segments.entries()) {
    if (index === segments.length - 1) {
      const field = place.scalars.get(segment);
      if (!field || field.since > version) break;
      return { path: segments, custom: false, kind: field.kind, view: view === '' ? field.view : view, detail };
    }
    const nested = place.nested.get(segment);
    if (!nested || nested.since > version) break;
    detail ||= nested.many;
    view = `${view}${segment}/`;
    place = entityOf(nested.of);
  }
  throw httpError(
    500,
    'Microsoft.Data.OData.ODataException',
    `Could not find a property named '${path}' on type 'Default.${entity.name}'.`,
  );
}

const tokenPattern =
  /\s*(?:(?<prefix>datetimeoffset|datetime|guid|date)?'(?<quoted>(?:[^']|'')*)'|(?<number>-?\d+(?:\.\d+)?)(?<suffix>[MmDdFfLl])?(?![\w.])|(?<name>[A-Za-z_$][\w.$]*(?:\/[A-Za-z_$][\w$]*)*)|(?<symbol>[(),=]))/y;

function tokensOf(written: string): readonly Token[] {
  const tokens: Token[] = [];
  const text = written.trimEnd();
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const position = tokenPattern.lastIndex;
    const found = tokenPattern.exec(text)?.groups;
    if (!found) throw syntaxError(`unexpected character at position ${position}`);
    tokens.push(tokenOf(found));
  }
  return tokens;
}

function tokenOf(found: Readonly<Record<string, string | undefined>>): Token {
  if (found['quoted'] !== undefined) return quotedToken(found['prefix'], found['quoted'].replaceAll("''", "'"));
  if (found['number'] !== undefined) {
    const suffix = (found['suffix'] ?? '').toLowerCase();
    const type = suffix === 'm' ? 'decimal' : suffix === '' && !found['number'].includes('.') ? 'integer' : 'double';
    return { is: 'literal', type, text: found['number'] };
  }
  const name = found['name'];
  if (name === 'true' || name === 'false') return { is: 'literal', type: 'boolean', text: name };
  if (name === 'null') return { is: 'literal', type: 'null', text: name };
  if (name !== undefined) return { is: 'name', text: name };
  return { is: 'symbol', text: found['symbol'] ?? '' };
}

function quotedToken(prefix: string | undefined, content: string): Token {
  if (prefix === undefined) return { is: 'literal', type: 'string', text: content };
  if (prefix === 'guid') return { is: 'literal', type: 'guid', text: content.toLowerCase() };
  // Date-only fields come with contract 5; the served contracts have none, and `datetime` is another type than DateTimeOffset.
  if (prefix !== 'datetimeoffset') throw syntaxError(`unrecognized literal ${prefix}'${content}'`);
  // A plus sign that was not encoded arrives as a blank.
  const withZone = /^\d{4}-\d{2}-\d{2}$/.test(content)
    ? `${content}T00:00:00Z`
    : /(Z|[+-]\d{2}:\d{2})$/i.test(content)
      ? content
      : `${content}Z`;
  const instant = Date.parse(withZone);
  if (Number.isNaN(instant)) throw syntaxError(`unrecognized 'Edm.DateTimeOffset' literal '${content}'`);
  return { is: 'literal', type: 'date', text: new Date(instant).toISOString() };
}

function isOperator(text: string): text is Operator {
  return text === 'eq' || text === 'ne' || text === 'gt' || text === 'ge' || text === 'lt' || text === 'le';
}

function syntaxError(message: string): Refusal {
  return httpError(500, 'Microsoft.Data.OData.ODataException', `Syntax error in $filter: ${message}.`);
}

function incompatible(left: string, right: string): Refusal {
  return httpError(
    500,
    'Microsoft.Data.OData.ODataException',
    `A binary operator with incompatible types was detected. Found operand types '${left}' and '${right}' for operator kind 'Equal'.`,
  );
}
