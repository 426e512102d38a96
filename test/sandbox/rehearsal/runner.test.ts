import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LogLine } from '../../../sandbox/rehearsal/lambda.ts';
import { type Runner, type RunnerOptions, startRunner } from '../../../sandbox/rehearsal/runner.ts';
import { HandTurnedClock } from '../cloud/hand-turned-clock.ts';

let folder = '';
let assembly = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rehearsal-'));
  assembly = join(folder, 'cdk.out');
  const synth = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'sample', 'app.ts')], {
    env: { ...process.env, CDK_OUTDIR: assembly },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  synth.stderr.on('data', (chunk) => said.push(String(chunk)));
  const [code] = await once(synth, 'close');
  if (code !== 0) throw new Error(said.join(''));
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(more: Partial<RunnerOptions> = {}): Promise<Runner> {
  const state = more.state ?? (await mkdtemp(join(folder, 'state-')));
  const runner = await startRunner({ assembly, state, ...more });
  closers.push(() => runner.stop());
  return runner;
}

/** Collects log lines; `seen` resolves with the first one, past or coming, that contains the text. */
function watch(runner: Runner): { seen(text: string): Promise<LogLine> } {
  const lines: LogLine[] = [];
  runner.log.on('line', (line) => lines.push(line));
  return {
    seen: (text) =>
      new Promise((resolve) => {
        const look = (line: LogLine) => {
          if (!line.text.includes(text)) return;
          runner.log.off('line', look);
          resolve(line);
        };
        const known = lines.find((line) => line.text.includes(text));
        if (known) return resolve(known);
        runner.log.on('line', look);
      }),
  };
}

async function keysOf(runner: Runner): Promise<readonly string[]> {
  const client = new DynamoDBClient({ endpoint: runner.urls.dynamodb, region: runner.region, credentials: runner.operator });
  const { Items } = await client.send(new ScanCommand({ TableName: runner.outputs['TableName'] }));
  client.destroy();
  return (Items ?? []).map((item) => item['pk']?.S ?? '').sort();
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

const post = (runner: { readonly apiUrl: string }, path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${runner.apiUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body),
  });
const payloadOf = async (result: ReturnType<Runner['invoke']>): Promise<unknown> => {
  const answer = await result;
  if (!answer.ok) throw new Error(`${answer.failure.errorType}: ${answer.failure.errorMessage}`);
  return JSON.parse(answer.payload);
};
const failureOf = async (result: ReturnType<Runner['invoke']>): Promise<string> => {
  const answer = await result;
  return answer.ok ? `no failure but ${answer.payload}` : `${answer.failure.errorType}: ${answer.failure.errorMessage}`;
};

describe('routes', () => {
  test('hand a request over as the gateway does and its answer back', async () => {
    const runner = await start();
    expect(runner.outputs['Url']).toBe(`${runner.apiUrl}/webhooks`);
    const json = await post(runner, '/webhooks/zu%20ora?a=1&a=2&b=', '[1.10]', { cookie: 'x=1; y=2', 'x-two': 'one' });
    expect(json.status).toBe(202);
    expect(json.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await json.json()).toEqual({
      body: '[1.10]',
      isBase64Encoded: false,
      pathParameters: { system: 'zu ora' },
      queryStringParameters: { a: '1,2', b: '' },
      cookies: ['x=1', 'y=2'],
      two: 'one',
    });
    const form = await post(runner, '/webhooks/zuora', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(await form.json()).toMatchObject({ body: Buffer.from('a=b').toString('base64'), isBase64Encoded: true });
    const bytes = await post(runner, '/webhooks/zuora', Buffer.from([0xff, 0x00, 0xfe]), { 'content-type': 'application/octet-stream' });
    expect(await bytes.json()).toMatchObject({ body: '/wD+', isBase64Encoded: true });
  });

  test('are answered by the gateway itself when there is none, the body is too large, nobody signed, or the function fails', async () => {
    const runner = await start();
    const answer = async (response: Promise<Response>) => {
      const { status } = await response;
      return [status, ((await (await response).json()) as { message: string }).message];
    };
    expect(await answer(post(runner, '/nowhere', {}))).toEqual([404, 'Not Found']);
    expect(await answer(fetch(`${runner.apiUrl}/webhooks/zuora`))).toEqual([404, 'Not Found']);
    expect(await answer(post(runner, '/webhooks/zuora', 'x'.repeat(10 * 1024 * 1024 + 1)))).toEqual([413, 'Request Entity Too Large']);
    expect(await answer(post(runner, '/operations/status', {}))).toEqual([403, 'Forbidden']);
    expect(await answer(post(runner, '/webhooks/zuora', '{ no JSON'))).toEqual([500, 'Internal Server Error']);
    const authorization = (key: string) => ({
      authorization: `AWS4-HMAC-SHA256 Credential=${key}/20260302/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=x`,
    });
    expect(await answer(post(runner, '/operations/status', {}, authorization('STRANGER')))).toEqual([403, 'Forbidden']);
    const signed = await post(runner, '/operations/status', {}, authorization(runner.operator.accessKeyId));
    expect(await signed.json()).toMatchObject({
      operation: { operation: 'status' },
      context: { authorizer: { iam: { accessKey: runner.operator.accessKeyId } }, http: { method: 'POST', path: '/operations/status' } },
    });
  });
});

describe('queues', () => {
  test('a batch loses what succeeded, what failed comes back and ends as a dead letter', async () => {
    const clock = new HandTurnedClock();
    const runner = await start({ clock });
    const { seen } = watch(runner);
    await post(runner, '/webhooks/zuora', { id: 1, outcome: 'ok' });
    await post(runner, '/webhooks/zuora', { id: 2, outcome: 'fail' });
    await seen('done 1 on delivery 1');
    await seen('failed 2 on delivery 1');
    // The first is deleted; were time to jump before that, it would be delivered again.
    await until(() => runner.sqs.depth('sample-live')?.inFlight === 1);
    await clock.turn(61_000);
    await seen('failed 2 on delivery 2');
    await clock.turn(61_000);
    await until(() => runner.sqs.depth(runner.outputs['DeadName'] ?? '')?.waiting === 1);
    expect(runner.sqs.depth('sample-live')).toEqual({ waiting: 0, inFlight: 0, delayed: 0 });
    expect(await keysOf(runner)).toEqual(['done 1', 'taken 1', 'taken 2']);
  });
});

describe('schedules', () => {
  test('invoke their function when the clock says so, with the input of the template', async () => {
    const clock = new HandTurnedClock();
    const runner = await start({ clock });
    const { seen } = watch(runner);
    expect(Object.values(runner.schedules()).map((due) => due?.toISOString())).toEqual(['2026-03-02T08:05:00.000Z']);
    await clock.turn(5 * 60_000);
    expect(await seen('tick from the schedule')).toMatchObject({ stream: 'stdout' });
  });
});

describe('functions', () => {
  test('get the template’s settings, those given for this run, and nothing else of this machine', async () => {
    const runner = await start({ environment: { '*': { EXTRA: 'for all' }, Intake: { EXTRA: 'for one' } } });
    const context = await payloadOf(runner.invoke('Intake', { do: 'context' }));
    expect(context).toMatchObject({ memory: '256', home: 'none', extra: 'for one', trace: expect.stringContaining('Root=1-') });
    expect((context as { leftMs: number }).leftMs).toBeLessThanOrEqual(2000);
    expect((context as { leftMs: number }).leftMs).toBeGreaterThan(0);
    await expect(start({ environment: { Nobody: {} } })).rejects.toThrow('no such function');
  });

  test('are killed at their timeout, and the next call gets a new process', async () => {
    const runner = await start();
    expect(await failureOf(runner.invoke('Intake', { do: 'sleep' }))).toContain('Task timed out after 2.00 seconds');
    expect(await payloadOf(runner.invoke('Intake', { do: 'context' }))).toMatchObject({ memory: '256' });
  });

  test('that throw, exit, answer too much or are killed fail their call alone', async () => {
    const runner = await start();
    const { seen } = watch(runner);
    expect(await failureOf(runner.invoke('Intake', { do: 'throw' }))).toBe('TypeError: as asked');
    expect(await failureOf(runner.invoke('Intake', { do: 'crash' }))).toContain('Runtime.ExitError');
    expect(await failureOf(runner.invoke('Intake', { do: 'big' }))).toContain('Function.ResponseSizeTooLarge');
    const running = runner.invoke('Intake', { do: 'nap', name: 'victim' });
    await seen('napping victim');
    expect(runner.kill('Intake')).toBe(1);
    expect(await failureOf(running)).toContain('signal: killed');
    expect(await payloadOf(runner.invoke('Intake', { do: 'context' }))).toMatchObject({ memory: '256' });
  });

  test('run in several processes up to their reserved concurrency, then calls are refused', async () => {
    const runner = await start();
    const [first, second, third] = await Promise.all(['1', '2', '3'].map((name) => runner.invoke('Intake', { do: 'nap', name })));
    expect(first?.ok && second?.ok && first.payload !== second.payload).toBe(true);
    expect(third).toMatchObject({ ok: false, throttled: true });
  });
});

describe('permissions', () => {
  test('are those of the synthesized roles, keys included, and every use is remembered', async () => {
    const runner = await start();
    expect(await payloadOf(runner.invoke('Intake', { do: 'secret' }))).toBe(32);
    const refused = await failureOf(runner.invoke('Intake', { do: 'read' }));
    expect(refused).toMatch(
      /AccessDeniedException.*not authorized to perform: dynamodb:GetItem on resource: arn:aws:dynamodb:.*table\/sample-Table/,
    );
    expect(await failureOf(runner.invoke('Intake', { do: 'delete' }))).toContain('dynamodb:DeleteItem');
    const made = runner.accesses().filter(({ caller }) => caller.startsWith('Intake'));
    expect(made.map(({ action, allowed }) => `${action} ${allowed}`)).toEqual([
      'secretsmanager:GetSecretValue true',
      'kms:Decrypt true',
      'dynamodb:GetItem false',
      'dynamodb:DeleteItem false',
    ]);
  });
});

describe('state', () => {
  test('is there again after a restart', async () => {
    const state = await mkdtemp(join(folder, 'state-'));
    const first = await startRunner({ assembly, state });
    await post(first, '/webhooks/zuora', { id: 7, queue: 'parked' });
    await first.stop();
    const second = await start({ state });
    expect(await keysOf(second)).toEqual(['taken 7']);
    expect(parkedDepth(second)).toMatchObject({ waiting: 1 });
  });

  test('is there again after kill -9 of everything, for whatever was answered', async () => {
    const state = await mkdtemp(join(folder, 'state-'));
    const script = join(folder, 'run.mts');
    await writeFile(
      script,
      `import { startRunner } from ${JSON.stringify(join(import.meta.dirname, '../../../sandbox/rehearsal/runner.ts'))};
      const runner = await startRunner({ assembly: ${JSON.stringify(assembly)}, state: ${JSON.stringify(state)} });
      console.log(runner.apiUrl);`,
    );
    const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', script], {
      cwd: join(import.meta.dirname, '../../..'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const [apiUrl] = await once(createInterface({ input: child.stdout ?? process.stdin }), 'line');
    const answered: string[] = [];
    for (const id of ['a', 'b', 'c']) {
      const response = await post({ apiUrl }, '/webhooks/zuora', { id, queue: 'parked' });
      if (response.status === 202) answered.push(`taken ${id}`);
    }
    child.kill('SIGKILL');
    await exited;
    const runner = await start({ state });
    expect(answered).toHaveLength(3);
    expect(await keysOf(runner)).toEqual(answered);
    expect(parkedDepth(runner)).toMatchObject({ waiting: 3 });
  });
});

function parkedDepth(runner: Runner): unknown {
  return runner.sqs.depth(runner.outputs['ParkedName'] ?? '');
}
