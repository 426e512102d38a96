import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import * as z from 'zod';
import type { Terminal } from './terminal.ts';

/** Something the person at the terminal can act on: printed as it is, without a stack. */
export class CliError extends Error {
  readonly fix: string | undefined;

  constructor(sentence: string, fix?: string) {
    super(sentence);
    this.fix = fix;
  }
}

/** Where the operations of a connector are reached, and as whom. */
export interface Target {
  readonly url: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
}

const rehearsalFile = z.object({ operationsUrl: z.url(), region: z.string(), accessKeyId: z.string(), secretAccessKey: z.string() });

/** Written by a running rehearsal into its state folder. */
export const endpointFileName = 'endpoint.json';

/** A deployment by URL with the credentials of the environment, or the rehearsal that is running in this folder. */
export function findTarget(options: { readonly url?: string; readonly state?: string }, env: Terminal['env'] = process.env): Target {
  if (options.url !== undefined) return deployment(options.url, env);
  const file = join(options.state ?? '.rehearsal', endpointFileName);
  if (!existsSync(file)) {
    throw new CliError(
      'No rehearsal is running here.',
      'Start one with: npm start   or name a deployment: --url https://….execute-api.….amazonaws.com/operations',
    );
  }
  const parsed = rehearsalFile.safeParse(readJson(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new CliError(`${file} cannot be read.`, 'Start the rehearsal again: npm start');
  const { operationsUrl, region, accessKeyId, secretAccessKey } = parsed.data;
  return { url: operationsUrl, region, credentials: { accessKeyId, secretAccessKey } };
}

const copyIt = 'Copy OperationsUrl from the outputs of the stack.';

function deployment(text: string, env: Terminal['env']): Target {
  if (!URL.canParse(text)) throw new CliError(`"${text.slice(0, 100)}" is not a URL.`, copyIt);
  const url = new URL(text);
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal))
    throw new CliError('The address of a deployment begins with https.', copyIt);
  if (url.username !== '' || url.password !== '') throw new CliError('An address with a user name or password in it is not used.', copyIt);
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = env;
  if (!accessKeyId || !secretAccessKey) {
    throw new CliError(
      'There are no AWS credentials in the environment.',
      'Put them there: eval "$(aws configure export-credentials --profile NAME --format env)"',
    );
  }
  const region = /\.execute-api\.([a-z0-9-]+)\./.exec(url.hostname)?.[1] ?? env['AWS_REGION'] ?? 'us-east-1';
  return {
    url: `${url.origin}${url.pathname}`.replace(/\/+$/, ''),
    region,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
  };
}

const errorAnswer = z.object({ error: z.object({ sentence: z.string(), fix: z.string().optional() }) });
/** The gateway gives up after half a minute. */
const timeoutMs = 60_000;

/** Asks one operation and answers its result. Fails with CliError in the connector's own words. */
export async function ask(target: Target, operation: string, input: unknown, as: { readonly user?: string } = {}): Promise<unknown> {
  const url = new URL(`${target.url}/${operation}`);
  const body = JSON.stringify(input);
  const signer = new SignatureV4({ service: 'execute-api', region: target.region, credentials: target.credentials, sha256: Sha256 });
  const signed = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port ? { port: Number(url.port) } : {}),
    path: url.pathname,
    query: {},
    headers: { host: url.host, 'content-type': 'application/json', 'x-operator': encodeURIComponent(as.user ?? userInfo().username) },
    body,
  });
  const { status, ok, text } = await send(url, { method: 'POST', headers: signed.headers, body, signal: AbortSignal.timeout(timeoutMs) });
  const result = readJson(text);
  if (ok && result !== undefined) return result;
  const parsed = errorAnswer.safeParse(result);
  if (parsed.success) throw new CliError(parsed.data.error.sentence, parsed.data.error.fix);
  if (ok || status === 404) throw new CliError(`${url.origin} answers, but not as a connector does (${status}).`, copyIt);
  throw new CliError(`The connector answered ${status}.`, hintOf(status));
}

async function send(url: URL, init: RequestInit): Promise<{ readonly status: number; readonly ok: boolean; readonly text: string }> {
  try {
    const answer = await fetch(url, { ...init, redirect: 'error' });
    return { status: answer.status, ok: answer.ok, text: await answer.text() };
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError')
      throw new CliError(
        `${url.origin} gave no answer within a minute.`,
        'What was asked may have been done: look with status or audit before you repeat it.',
      );
    throw new CliError(`Nothing answers at ${url.origin}.`, 'Is the rehearsal (npm start) or the deployment still there?');
  }
}

function hintOf(status: number): string | undefined {
  if (status === 403) return 'These credentials may not call the operations of this stack.';
  if (status === 503 || status === 504)
    return 'It took longer than half a minute, or the function failed: look with status, then at its log.';
  return undefined;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
