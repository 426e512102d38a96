import type { HttpAnswer, HttpRequest, Token } from '../../contracts/io.ts';
import type { forms } from './entities.ts';
import type { Doing } from './failures.ts';

/** A request to the endpoint, and what to call it when it fails. */
export interface Exchange {
  /** Without ids: `PUT /Invoice`. */
  readonly operation: string;
  readonly method: HttpRequest['method'];
  /** Absolute, or a path below the endpoint: `/Invoice/Credit%20Memo/CM000017`. */
  readonly path: string;
  /** `$filter` and its kind; values not yet encoded. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly what: string;
  readonly effect: Doing['effect'];
  readonly entity: keyof typeof forms;
}

export interface Sent {
  readonly answer: HttpAnswer;
  readonly token: Token;
}
