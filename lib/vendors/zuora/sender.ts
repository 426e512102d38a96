import type * as z from 'zod';
import type { HttpAnswer, HttpRequest, Io } from '../../contracts/io.ts';
import { Failure } from '../../failures.ts';
import { writeJson } from '../../values/json.ts';
import { createZuoraAuth, type ZuoraAuth } from './auth.ts';
import { type Asked, bodyOf, failureOf, isSuccess, retryInstant } from './failures.ts';
import { baseUrlOf, type ZuoraConnection } from './settings.ts';

export interface Ask<Answer> {
  /** Stable name without ids: `GET /object-query/invoices`. Its first word is the method. */
  readonly operation: string;
  readonly path: string;
  readonly query?: readonly (readonly [name: string, value: string])[];
  readonly body?: unknown;
  /** For people, after "refused to": `read invoices`. */
  readonly doing: string;
  readonly effect: 'read' | 'write';
  /** Absent: the answer's body does not matter. */
  readonly answer?: z.ZodType<Answer>;
  /** POST and PATCH only: Zuora refuses it on PUT. */
  readonly idempotencyKey?: string;
}

export interface ZuoraSender {
  readonly auth: ZuoraAuth;
  /** Sends with the shared token; a refused token is renewed once. Fails as the failure table of this folder says. */
  send<Answer>(ask: Ask<Answer>): Promise<Answer>;
  /** Fetches a pre-signed file: another host, so without token and without our headers. */
  download(url: string, doing: string): Promise<string>;
}

/** Zuora cuts requests after 120 s; waiting longer is useless. */
const timeoutMs = 120_000;
/** Their sheet allows 40 (80 for object query), an older page 20, shared with everybody in the tenant. */
const mostAtOnce = 8;

export function createZuoraSender(connection: ZuoraConnection, io: Io): ZuoraSender {
  const { settings } = connection;
  const base = baseUrlOf(settings);
  const host = new URL(base).host;
  const auth = createZuoraAuth(connection, io);
  const gate = createGate(mostAtOnce);

  async function attempt<Answer>(ask: Ask<Answer>, access: string): Promise<HttpAnswer> {
    const [method] = ask.operation.split(' ');
    const query = (ask.query ?? []).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
    const request: HttpRequest = {
      operation: ask.operation,
      method: method as HttpRequest['method'],
      url: `${base}${ask.path}${query === '' ? '' : `?${query}`}`,
      headers: {
        authorization: `Bearer ${access}`,
        accept: 'application/json',
        'zuora-version': settings.version,
        'zuora-track-id': io.ids.next(),
        ...(ask.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(ask.idempotencyKey === undefined ? {} : { 'idempotency-key': ask.idempotencyKey }),
        ...(settings.entityId === undefined ? {} : { 'zuora-entity-ids': settings.entityId }),
        ...(settings.orgIds.length === 0 ? {} : { 'zuora-org-ids': settings.orgIds.join(',') }),
      },
      ...(ask.body === undefined ? {} : { body: writeJson(ask.body) }),
      timeoutMs,
      effect: ask.effect,
    };
    const answer = await io.http.send(request);
    await noteLimits(answer, io);
    return answer;
  }

  async function send<Answer>(ask: Ask<Answer>): Promise<Answer> {
    const asked: Asked = { doing: ask.doing, effect: ask.effect, host };
    let renewed = false;
    for (let throttled = 0; ; ) {
      const token = await auth.token();
      const answer = await attempt(ask, token.access.reveal());
      const body = bodyOf(answer);
      if (isSuccess(answer, body)) return read(ask, body, answer, asked);
      const failure = failureOf(answer, asked, () => retryInstant(answer, io.clock.now(), io.random.next()));
      if (failure.kind === 'TokenExpired') {
        await auth.refused(token.generation);
        if (renewed) throw twiceRefused(failure, host);
        renewed = true;
      } else if (failure.kind === 'RateLimited') {
        // Nothing happened there. The budget stops every worker of this connection; the next send waits with them or says until when.
        await io.budget.throttled(new Date(failure.record.at ?? io.clock.now()));
        throttled += 1;
        if (throttled > 2) throw failure;
      } else throw failure;
    }
  }

  return {
    auth,
    send: (ask) => gate(() => send(ask)),
    async download(url, doing) {
      const target = URL.canParse(url) ? new URL(url) : undefined;
      const allowed = target?.protocol === 'https:' || (target?.protocol === 'http:' && new URL(base).protocol === 'http:');
      if (!allowed)
        throw new Failure('ShapeUnexpected', {
          sentence: `Zuora named no https address for the file when asked to ${doing}.`,
          cause: 'download:zuora',
        });
      const answer = await gate(() =>
        io.http.send({ operation: 'GET data-file', method: 'GET', url, headers: {}, timeoutMs, effect: 'read', unmetered: true }),
      );
      if (answer.status !== 200)
        throw new Failure(answer.status >= 500 ? 'VendorUnavailable' : 'RecordGone', {
          cause: 'download:zuora',
          sentence: `The file that Zuora prepared to ${doing} could not be fetched (status ${answer.status}). It is asked for again by itself.`,
        });
      return answer.text;
    },
  };
}

function read<Answer>(ask: Ask<Answer>, body: unknown, answer: HttpAnswer, asked: Asked): Answer {
  if (!ask.answer) return undefined as Answer;
  if (body === undefined) throw failureOf(answer, asked, () => new Date(0));
  const parsed = ask.answer.safeParse(body);
  if (parsed.success) return parsed.data;
  throw misfit(ask.operation, ask.doing, parsed.error);
}

/** Names the first members that do not fit and how many more there are; never their values. */
export function misfit(operation: string, doing: string, error: z.ZodError): Failure {
  const named = error.issues.map((issue) => `${fieldOf(issue.path) || 'the answer'} ${issue.message}`);
  const field = fieldOf(error.issues[0]?.path ?? []);
  return new Failure('ShapeUnexpected', {
    cause: `shape:zuora:${operation}:${field}`,
    sentence: `Zuora's answer does not have the form its documents describe when asked to ${doing}: ${named.slice(0, 3).join('; ')}${named.length > 3 ? ` and ${named.length - 3} more` : ''}.`,
    fix: 'Look at this record in Zuora; if the field is filled there, send the audit entry to the maintainers of ml-connector.',
  });
}

/** `paymentApplications.applyAmount`: without positions in lists, so that equal causes are equal texts. */
const fieldOf = (path: readonly PropertyKey[]): string =>
  path
    .filter((step) => typeof step !== 'number')
    .map(String)
    .join('.');

/** `ratelimit-*` describe the window nearest to exhaustion. Source: https://developer.zuora.com/docs/guides/rate-limits/ (read 2026-01-20) */
async function noteLimits(answer: HttpAnswer, io: Io): Promise<void> {
  const remaining = answer.header('ratelimit-remaining')?.trim();
  const reset = answer.header('ratelimit-reset')?.trim();
  if (remaining === undefined || reset === undefined || !/^\d+$/.test(remaining) || !/^\d+$/.test(reset)) return;
  await io.budget.observed({ remaining: Number(remaining), resetMs: Number(reset) * 1000 });
}

function twiceRefused(failure: Failure, host: string): Failure {
  return new Failure('CredentialRefused', {
    cause: `CredentialRefused:zuora:${host}`,
    sentence: `Zuora at ${host} refused a token it had just handed out.`,
    fix: 'Check that the API user is active and its OAuth client not deleted, and that `environment` names the host of this tenant.',
    ...(failure.record.code === undefined ? {} : { code: failure.record.code }),
    ...(failure.record.said === undefined ? {} : { said: failure.record.said }),
  });
}

/** Lets `width` pieces of work run at once, in the order they came. */
function createGate(width: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let free = width;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
