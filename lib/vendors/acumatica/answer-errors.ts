import { parseJson } from '../../values/json.ts';

/**
 * What an answer says went wrong, read from every shape Acumatica has: the record itself with `error` members at any depth, the HttpError of
 * ASP.NET with nested exceptions, OAuth's `{"error": …}`, an HTML page, IIS's bare text. Stack traces are never read.
 */
export interface AnswerErrors {
  /** Error text by path: `Details[0].Account`; `` (empty) is the record as a whole. */
  readonly fields: ReadonlyMap<string, string>;
  /** Message of an HttpError, innermost exceptions included, or the text of a page. */
  readonly message: string;
  /** Exception types, outermost first: `PX.Data.PXException`. */
  readonly types: readonly string[];
  readonly json: boolean;
}

const longestPage = 300;

export function parseAnswerErrors(body: string): AnswerErrors {
  const trimmed = body.trim();
  if (trimmed === '') return { fields: new Map(), message: '', types: [], json: false };
  try {
    const parsed = parseJson(trimmed);
    if (typeof parsed === 'string') return { fields: new Map(), message: tidy(parsed), types: [], json: true };
    const fields = new Map<string, string>();
    collect(parsed, '', fields);
    const { messages, types } = exceptions(parsed);
    return { fields, message: messages.join(' '), types, json: true };
  } catch {
    return { fields: new Map(), message: tidy(withoutMarkup(trimmed)).slice(0, longestPage), types: [], json: false };
  }
}

/** Texts for people: no `<NEW>`, no padded keys (`'TES2323T  '`), no code locations, one line. */
function tidy(text: string): string {
  return text
    .replace(/\s*--->[\s\S]*$/, '')
    .replace(/\r?\n\s+at [\s\S]*$/, '')
    .replaceAll(/'?<NEW>'?/g, 'the new document')
    .replaceAll(/'([^']*?)\s+'/g, (whole, key: string) => (/\s/.test(key) || key === '' ? whole : `'${key}'`))
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** Members of an HttpError are not fields of a record. */
const httpErrorMembers = new Set([
  'message',
  'exceptionMessage',
  'exceptionType',
  'stackTrace',
  'innerException',
  'messageDetail',
  'modelState',
]);

function collect(part: unknown, path: string, found: Map<string, string>): void {
  if (Array.isArray(part)) {
    for (const [index, row] of part.entries()) collect(row, `${path}[${index}]`, found);
    return;
  }
  if (part === null || typeof part !== 'object') return;
  for (const [name, inner] of Object.entries(part)) {
    if (name === 'error') {
      if (typeof inner === 'string' && inner.trim() !== '') found.set(path, tidy(inner));
    } else if (!httpErrorMembers.has(name)) {
      collect(inner, path === '' ? name : `${path}.${name}`, found);
    }
  }
}

/** Says nothing by itself; the exception beside it does. */
const generic = /^(An error has occurred\.?|The request is invalid\.?)$/i;

function exceptions(parsed: unknown): { messages: string[]; types: string[] } {
  const messages: string[] = [];
  const types: string[] = [];
  for (let part = parsed; part !== null && typeof part === 'object'; part = memberOf(part, 'innerException')) {
    const type = memberOf(part, 'exceptionType');
    if (typeof type === 'string') types.push(type);
    for (const name of ['exceptionMessage', 'message', 'messageDetail', 'error_description']) {
      const text = memberOf(part, name);
      if (typeof text !== 'string' || generic.test(text.trim())) continue;
      const sentence = tidy(text);
      if (sentence !== '' && !messages.includes(sentence)) messages.push(sentence);
    }
    const state = memberOf(part, 'modelState');
    if (state !== null && typeof state === 'object') {
      for (const [name, texts] of Object.entries(state))
        for (const text of Array.isArray(texts) ? texts : [texts])
          messages.push(tidy(name === '' ? String(text) : `${name}: ${String(text)}`));
    }
    if (messages.length > 5) break;
  }
  return { messages, types };
}

function memberOf(part: object, name: string): unknown {
  return Object.entries(part).find(([member]) => member === name)?.[1];
}

function withoutMarkup(page: string): string {
  return page
    .replaceAll(/<(script|style)[\s\S]*?<\/\1>/gi, ' ')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&nbsp;', ' ');
}
