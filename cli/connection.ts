import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import * as z from 'zod';

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
export function findTarget(options: { readonly url?: string; readonly state?: string }): Target {
  if (options.url !== undefined) return deployment(options.url);
  const file = join(options.state ?? '.rehearsal', endpointFileName);
  if (!existsSync(file)) {
    throw new CliError(
      'No rehearsal is running here.',
      'Start one with: npm start   or name a deployment: --url https://….execute-api.….amazonaws.com/operations',
    );
  }
  const parsed = rehearsalFile.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new CliError(`${file} cannot be read.`, 'Start the rehearsal again: npm start');
  const { operationsUrl, region, accessKeyId, secretAccessKey } = parsed.data;
  return { url: operationsUrl, region, credentials: { accessKeyId, secretAccessKey } };
}

function deployment(text: string): Target {
  if (!URL.canParse(text)) throw new CliError(`"${text}" is not a URL.`, 'Copy OperationsUrl from the outputs of the stack.');
  const url = new URL(text);
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = process.env;
  if (!accessKeyId || !secretAccessKey) {
    throw new CliError(
      'There are no AWS credentials in the environment.',
      'Put them there: eval "$(aws configure export-credentials --profile NAME --format env)"',
    );
  }
  const region = /\.execute-api\.([a-z0-9-]+)\./.exec(url.hostname)?.[1] ?? process.env['AWS_REGION'] ?? 'us-east-1';
  return {
    url: text.replace(/\/+$/, ''),
    region,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
  };
}

const errorAnswer = z.object({ error: z.object({ sentence: z.string(), fix: z.string().optional() }) });

/** Asks one operation and answers its result. Fails with CliError in the connector's own words. */
export async function ask(target: Target, operation: string, input: unknown): Promise<unknown> {
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
    headers: { host: url.host, 'content-type': 'application/json', 'x-operator': userInfo().username },
    body,
  });
  const answer = await fetch(url, { method: 'POST', headers: signed.headers, body }).catch((error: unknown) => {
    throw new CliError(
      `Nothing answers at ${url.origin}: ${error instanceof Error ? error.message : String(error)}`,
      'Is the rehearsal (npm start) or the deployment still there?',
    );
  });
  const text = await answer.text();
  const result = readJson(text);
  if (answer.ok) return result;
  const parsed = errorAnswer.safeParse(result);
  if (parsed.success) throw new CliError(parsed.data.error.sentence, parsed.data.error.fix);
  throw new CliError(
    `The connector answered ${answer.status}${text === '' ? '' : `: ${text.slice(0, 300)}`}`,
    answer.status === 403 ? 'These credentials may not call the operations of this stack.' : undefined,
  );
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
