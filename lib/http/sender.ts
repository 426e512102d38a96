import type { Http, HttpAnswer, HttpRequest } from '../contracts/io.ts';
import { Failure } from '../failures.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { failureWithoutAnswer, type NoAnswer, noAnswer } from './network-failure.ts';

/** Global `fetch`, or a function in this process that answers like one. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Lets one request pass when the connection's rate budget allows it. Fails: RateLimited. */
export interface Gate {
  pass(): Promise<void>;
}

/** Largest answer that is read. Lists are paged, so a larger one is a mistake on one side. */
const largestAnswerBytes = 64 * 1024 * 1024;

/** A read without an answer is sent this many times more. */
const repeatsOfReads = 2;
const firstPauseMs = 300;
const longestPauseMs = 2000;

export interface HttpParts {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly budget: Gate;
  /** Name of the connection, for log, counting and failures. */
  readonly connection: string;
}

/** The one sender: see `Http`. */
export function createHttp(parts: HttpParts): Http {
  return {
    async send(request) {
      const host = checked(request, parts.connection);
      const attempts = request.effect === 'read' ? 1 + repeatsOfReads : 1;
      for (let attempt = 1; ; attempt += 1) {
        if (!request.unmetered) await parts.budget.pass();
        const result = await attemptOnce(parts, request, attempt);
        if ('answer' in result) return result.answer;
        if (result.failure) throw result.failure;
        if (result.missing.when === 'before' || attempt >= attempts) {
          throw failureWithoutAnswer(result.missing, { ...request, connection: parts.connection, host }, result.error);
        }
        await parts.clock.sleep(Math.min(longestPauseMs, firstPauseMs * 3 ** (attempt - 1)) * (0.5 + parts.random.next() / 2));
      }
    },
  };
}

type Attempt =
  | { readonly answer: HttpAnswer }
  /** `failure`: says more than that no answer came. */
  | { readonly missing: NoAnswer; readonly error: unknown; readonly failure?: Failure };

async function attemptOnce(parts: HttpParts, request: HttpRequest, attempt: number): Promise<Attempt> {
  const { clock, connection, log } = parts;
  const begun = clock.now().getTime();
  log.count('vendor.calls', 1, { connection, operation: request.operation });
  const line = (status: number, error?: string) => {
    const ms = clock.now().getTime() - begun;
    const fields = { connection, operation: request.operation, status, ms, attempt };
    if (error === undefined) log.info('http.sent', fields);
    else log.warn('http.sent', { ...fields, error });
  };
  try {
    const answer = await withinTime(parts, request);
    line(answer.status);
    return { answer };
  } catch (error) {
    const missing: NoAnswer =
      error instanceof TooLate
        ? { when: 'after', code: 'timeout' }
        : error instanceof TooLarge
          ? { when: 'after', code: 'answer too large' }
          : noAnswer(error);
    line(0, missing.code);
    const failure = error instanceof TooLarge && request.effect === 'read' ? tooLarge(request, connection) : undefined;
    return { missing, error, ...(failure ? { failure } : {}) };
  }
}

class TooLate extends Error {}
class TooLarge extends Error {}

/** The whole exchange, body included, or TooLate. The time limit is the injected clock's, so that a scenario can let it pass. */
async function withinTime(parts: HttpParts, request: HttpRequest): Promise<HttpAnswer> {
  const sending = new AbortController();
  const waiting = new AbortController();
  const answer = exchange(parts.fetch, request, sending.signal);
  const late = parts.clock.sleep(request.timeoutMs, waiting.signal).then(() => undefined);
  try {
    const first = await Promise.race([answer, late]);
    if (first !== undefined) return first;
    // Nobody waits for the answer any more; its end, good or bad, must not count as unhandled.
    answer.catch(() => undefined);
    sending.abort();
    throw new TooLate(`no answer within ${request.timeoutMs} ms`);
  } finally {
    waiting.abort();
  }
}

async function exchange(fetch: Fetch, request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  const response = await fetch(request.url, {
    method: request.method,
    headers: { ...request.headers },
    redirect: 'manual',
    signal,
    ...(request.body === undefined ? {} : { body: request.body }),
  });
  const text = await bodyText(response);
  const { headers, status } = response;
  return { status, text, header: (name) => headers.get(name) ?? undefined };
}

async function bodyText(response: Response): Promise<string> {
  if (!response.body) return '';
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  const parts: string[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    if (bytes > largestAnswerBytes) {
      await reader.cancel().catch(() => undefined);
      throw new TooLarge(`more than ${largestAnswerBytes} bytes`);
    }
    parts.push(decoder.decode(value, { stream: true }));
  }
  parts.push(decoder.decode());
  return parts.join('');
}

/** Refuses what could not even leave, so that it is never taken for a lost answer. Answers the host. The header's value is never shown. */
function checked(request: HttpRequest, connection: string): string {
  for (const [name, value] of Object.entries(request.headers)) {
    try {
      new Headers([[name, value]]);
    } catch {
      throw new Failure('RequestMalformed', {
        cause: `header:${connection}`,
        sentence: `The header ${name} of ${request.operation} holds a character that HTTP does not allow; nothing was sent.`,
        fix: `Check the credentials and settings of connection ${connection} for line breaks and characters outside ASCII.`,
      });
    }
  }
  try {
    return new URL(request.url).host;
  } catch {
    throw new Failure('RequestMalformed', {
      cause: `address:${connection}`,
      sentence: `The address of ${request.operation} is not a URL; nothing was sent.`,
      fix: `Check the base URL of connection ${connection}: it begins with https:// and has no spaces.`,
    });
  }
}

function tooLarge(request: HttpRequest, connection: string): Failure {
  return new Failure('ShapeUnexpected', {
    cause: `answer-too-large:${connection}`,
    sentence: `The answer to ${request.operation} is larger than ${largestAnswerBytes / 1024 / 1024} MB; it was not read.`,
    fix: 'Send the audit entry to the maintainers: this list must be read in smaller pages.',
  });
}
