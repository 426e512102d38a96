import { inspect } from 'node:util';

const hidden = '(secret)';

/** A text that refuses to print: logs, JSON, templates and inspection all show `(secret)`. `reveal` is the only way out. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return hidden;
  }

  toJSON(): string {
    return hidden;
  }

  [inspect.custom](): string {
    return hidden;
  }
}
