import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Credentials } from '../cloud/iam.ts';
import type { Invocation, RuntimeApi } from './runtime-api.ts';

export interface FunctionDefinition {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  /** Where the unpacked code is. */
  readonly folder: string;
  /** `index.handler` */
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly credentials: Credentials;
  readonly region: string;
  readonly reservedConcurrency?: number;
}

interface FunctionFailure {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stackTrace?: readonly string[];
}

export type InvokeResult =
  | { readonly ok: true; readonly payload: string }
  | { readonly ok: false; readonly failure: FunctionFailure; readonly throttled?: true };

export interface LogLine {
  readonly function: string;
  readonly stream: 'stdout' | 'stderr' | 'platform';
  readonly text: string;
}

interface InvokeOptions {
  /** What happens when the reserved concurrency is used up: refused as a synchronous call is, or kept waiting as an asynchronous one. */
  readonly whenFull?: 'throttle' | 'wait';
  readonly traceId?: string;
}

export interface LocalFunction {
  readonly definition: FunctionDefinition;
  invoke(payload: unknown, options?: InvokeOptions): Promise<InvokeResult>;
  /** Processes alive now. */
  workers(): number;
  /** SIGKILL to every process of the function, wherever it is; answers how many. */
  kill(): number;
  close(): Promise<void>;
}

export const mostPayloadBytes = 6 * 1024 * 1024;
/** Without reserved concurrency AWS would start up to a thousand; a laptop starts a few and lets the others wait. */
const unreservedWorkers = 8;
const initTimeoutMs = 30_000;
const idleMs = 5 * 60_000;
const returnMs = 5_000;

interface Job {
  readonly requestId: string;
  readonly payload: string;
  readonly traceId: string;
  readonly finish: (result: InvokeResult) => void;
}

interface Worker {
  readonly id: string;
  readonly child: ChildProcess;
  state: 'starting' | 'idle' | 'busy' | 'gone';
  waiting?: { hand(invocation: Invocation): void; dismiss(): void };
  job?: Job;
  timer?: NodeJS.Timeout;
  /** What the process said went wrong before it ended. */
  failure?: FunctionFailure;
}

/** One Lambda function: processes that are started when needed, one invocation at a time each, killed at their timeout. */
export function createFunction(definition: FunctionDefinition, runtime: RuntimeApi, log: (line: LogLine) => void): LocalFunction {
  const workers = new Set<Worker>();
  const queue: Job[] = [];
  let closed = false;
  const most = definition.reservedConcurrency ?? unreservedWorkers;
  const say = (text: string): void => log({ function: definition.logicalId, stream: 'platform', text });

  function dispatch(): void {
    for (const worker of workers) {
      if (worker.state !== 'idle') continue;
      const job = queue.shift();
      if (job === undefined) return;
      hand(worker, job);
    }
    // Those that start and those that have answered and are about to ask for more.
    const coming = [...workers].filter(
      (worker) => worker.state === 'starting' || (worker.state === 'busy' && worker.job === undefined),
    ).length;
    if (!closed && queue.length > coming && workers.size < most) {
      start();
      dispatch();
    }
  }

  function hand(worker: Worker, job: Job): void {
    clearTimeout(worker.timer);
    worker.state = 'busy';
    worker.job = job;
    const timeoutMs = definition.timeoutSeconds * 1000;
    worker.timer = setTimeout(() => {
      const failure = {
        errorType: 'Sandbox.Timedout',
        errorMessage: `RequestId: ${job.requestId} Error: Task timed out after ${definition.timeoutSeconds.toFixed(2)} seconds`,
      };
      say(failure.errorMessage);
      end(worker, failure);
    }, timeoutMs);
    const { waiting } = worker;
    delete worker.waiting;
    waiting?.hand({
      requestId: job.requestId,
      payload: job.payload,
      deadlineMs: Date.now() + timeoutMs,
      functionArn: definition.arn,
      traceId: job.traceId,
    });
  }

  function start(): void {
    const id = randomUUID();
    const address = runtime.join(id, {
      ready(waiting) {
        clearTimeout(worker.timer);
        worker.waiting = waiting;
        worker.state = 'idle';
        worker.timer = setTimeout(() => end(worker), idleMs).unref();
        dispatch();
      },
      responded(requestId, body) {
        if (worker.job?.requestId !== requestId) return;
        finish(worker, Buffer.byteLength(body) > mostPayloadBytes ? tooLarge(body) : { ok: true, payload: body });
      },
      failed(requestId, text) {
        const failure = parseFailure(text);
        if (requestId === undefined) worker.failure = failure;
        else if (worker.job?.requestId === requestId) finish(worker, { ok: false, failure });
      },
    });
    const child = spawn(
      process.execPath,
      [`--max-old-space-size=${Math.max(64, Math.floor(definition.memoryMb * 0.9))}`, join(import.meta.dirname, 'bootstrap.mjs')],
      { cwd: definition.folder, env: environmentOf(definition, address), stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const worker: Worker = { id, child, state: 'starting' };
    workers.add(worker);
    worker.timer = setTimeout(
      () =>
        end(worker, { errorType: 'Sandbox.Timedout', errorMessage: `the function did not start within ${initTimeoutMs / 1000} seconds` }),
      initTimeoutMs,
    );
    for (const stream of ['stdout', 'stderr'] as const) {
      createInterface({ input: child[stream] ?? process.stdin, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (text) =>
        log({ function: definition.logicalId, stream, text }),
      );
    }
    child.once('error', (error) => end(worker, { errorType: 'Runtime.SpawnFailed', errorMessage: error.message }));
    child.once('exit', (code, signal) => end(worker, worker.failure ?? exitFailure(code, signal)));
  }

  function finish(worker: Worker, result: InvokeResult): void {
    clearTimeout(worker.timer);
    const { job } = worker;
    delete worker.job;
    // A process that does not come back for more is of no use.
    if (worker.state !== 'gone') worker.timer = setTimeout(() => end(worker), returnMs).unref();
    job?.finish(result);
  }

  /** The process is over, or is made to be. A failure belongs to its invocation; before its first one, to whoever waits longest. */
  function end(worker: Worker, failure?: FunctionFailure): void {
    if (worker.state === 'gone') return;
    const wasStarting = worker.state === 'starting';
    worker.state = 'gone';
    clearTimeout(worker.timer);
    workers.delete(worker);
    worker.waiting?.dismiss();
    runtime.leave(worker.id);
    worker.child.kill('SIGKILL');
    if (failure !== undefined) {
      if (worker.job !== undefined) finish(worker, { ok: false, failure });
      else if (wasStarting) queue.shift()?.finish({ ok: false, failure });
    }
    dispatch();
  }

  return {
    definition,
    invoke(payload, options = {}) {
      const text = JSON.stringify(payload) ?? 'null';
      if (closed) return Promise.resolve(refused('Runner.Stopped', 'the rehearsal has ended'));
      if (Buffer.byteLength(text) > mostPayloadBytes) {
        return Promise.resolve(
          refused('RequestTooLargeException', `Request must be smaller than ${mostPayloadBytes} bytes for the InvokeFunction operation`),
        );
      }
      const inUse = queue.length + [...workers].filter((worker) => worker.job !== undefined).length;
      if (options.whenFull !== 'wait' && definition.reservedConcurrency !== undefined && inUse >= definition.reservedConcurrency) {
        return Promise.resolve({ ...refused('TooManyRequestsException', 'Rate Exceeded.'), throttled: true });
      }
      return new Promise((finished) => {
        queue.push({ requestId: randomUUID(), payload: text, traceId: options.traceId ?? newTraceId(), finish: finished });
        dispatch();
      });
    },
    workers: () => workers.size,
    kill() {
      const alive = [...workers];
      for (const worker of alive) worker.child.kill('SIGKILL');
      return alive.length;
    },
    async close() {
      closed = true;
      for (const job of queue.splice(0)) job.finish(refused('Runner.Stopped', 'the rehearsal has ended'));
      const exits = [...workers].map((worker) => new Promise((resolve) => worker.child.once('close', resolve)));
      for (const worker of [...workers]) end(worker, { errorType: 'Runner.Stopped', errorMessage: 'the rehearsal has ended' });
      await Promise.all(exits);
    },
  };
}

const refused = (errorType: string, errorMessage: string) => ({ ok: false, failure: { errorType, errorMessage } }) as const;

const tooLarge = (body: string): InvokeResult =>
  refused(
    'Function.ResponseSizeTooLarge',
    `Response payload size (${Buffer.byteLength(body)} bytes) exceeded maximum allowed payload size (${mostPayloadBytes} bytes).`,
  );

function exitFailure(code: number | null, signal: NodeJS.Signals | null): FunctionFailure {
  const how = signal === null ? `exit status ${code}` : `signal: ${signal === 'SIGKILL' ? 'killed' : signal}`;
  return { errorType: 'Runtime.ExitError', errorMessage: `Error: Runtime exited with error: ${how}` };
}

function parseFailure(text: string): FunctionFailure {
  try {
    return JSON.parse(text) as FunctionFailure;
  } catch {
    return { errorType: 'Runtime.Unknown', errorMessage: text };
  }
}

export function newTraceId(): string {
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  return `Root=1-${seconds}-${randomBytes(12).toString('hex')};Parent=${randomBytes(8).toString('hex')};Sampled=0`;
}

/** The template's variables and Lambda's own; of the machine's environment only the search path gets in. */
function environmentOf(definition: FunctionDefinition, runtimeApi: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    AWS_REGION: definition.region,
    AWS_DEFAULT_REGION: definition.region,
    AWS_ACCESS_KEY_ID: definition.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: definition.credentials.secretAccessKey,
    AWS_SESSION_TOKEN: 'local',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: definition.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${definition.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    // Settings of the person at this machine must not reach a function: in the cloud they would not be there.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    LAMBDA_TASK_ROOT: definition.folder,
    LAMBDA_RUNTIME_DIR: import.meta.dirname,
    ...definition.environment,
    _HANDLER: definition.handler,
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
  };
}
