import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../cli/program.ts';
import { answerOperation } from '../../lib/operations/answer.ts';
import type { Desk } from '../operations/kestrel-desk.ts';

/** Nothing that is printed may hold these. */
export const secretAccessKey = 'wJalrXUtnFEMI-never-printed';

export interface Console {
  readonly url: string;
  /** A folder in which the rehearsal's endpoint file points at the server. */
  readonly state: string;
  /** Requests by operation, as the server took them. */
  readonly asked: readonly { readonly operation: string; readonly input: unknown; readonly headers: Readonly<Record<string, unknown>> }[];
  close(): Promise<void>;
}

/** The operations of a world behind an address, as the API of a deployment. `answer` replaces them for one path. */
export async function openConsole(
  desk: Desk | undefined,
  answers: Readonly<Record<string, { readonly status: number; readonly body: string }>> = {},
): Promise<Console> {
  const asked: { operation: string; input: unknown; headers: Readonly<Record<string, unknown>> }[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const operation = (request.url ?? '').split('/').at(-1) ?? '';
      asked.push({ operation, input: JSON.parse(body.toString('utf8')), headers: request.headers });
      const canned = answers[operation];
      const operator = { name: decodeURIComponent(String(request.headers['x-operator'])) };
      const reply =
        canned ?? (desk && (await desk.world.time.run(answerOperation(() => desk.world.operator, { operation, body, operator }))));
      response.writeHead(reply?.status ?? 404, { 'content-type': 'application/json' }).end(reply?.body ?? 'Not Found');
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/operations`;
  const state = mkdtempSync(join(tmpdir(), 'ml-connector-cli-'));
  writeFileSync(
    join(state, 'endpoint.json'),
    JSON.stringify({ operationsUrl: url, region: 'eu-central-1', accessKeyId: 'AKIDEXAMPLE', secretAccessKey }),
  );
  return {
    url,
    state,
    asked,
    async close() {
      rmSync(state, { recursive: true, force: true });
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Questions that were put to the person. */
  readonly questions: readonly string[];
}

/** One command line in this process; `says` makes it one at which a person sits and answers. */
export async function command(
  words: readonly string[],
  given: { readonly says?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const questions: string[] = [];
  const code = await runCli(words, {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    isInteractive: given.says !== undefined,
    async confirm(question) {
      questions.push(question);
      return given.says === true;
    },
    env: given.env ?? {},
    user: 'anna',
  });
  return { code, out: plain(out), err: plain(err), questions };
}

const colour = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
/** Some machines ask for colours where no terminal is. */
const plain = (texts: readonly string[]): string => texts.join('\n').replace(colour, '');
