// The program inside a function's process: loads the handler and asks the Lambda Runtime API for one invocation after the other.
// It imports nothing of ours, as the runtime of AWS does not: what a function can do here is what is in its bundle.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;

async function post(path, value) {
  const response = await fetch(`${api}/${path}`, { method: 'POST', body: JSON.stringify(value) ?? 'null' });
  await response.arrayBuffer();
}

function describe(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), stackTrace: [] };
  return { errorType: error.name, errorMessage: error.message, stackTrace: (error.stack ?? '').split('\n') };
}

async function loadHandler() {
  const named = process.env._HANDLER ?? '';
  const dot = named.lastIndexOf('.');
  const path = join(process.env.LAMBDA_TASK_ROOT ?? '', named.slice(0, dot));
  const file = ['.mjs', '.js', '.cjs'].map((ending) => path + ending).find((candidate) => existsSync(candidate));
  if (file === undefined)
    throw Object.assign(new Error(`Cannot find module '${named.slice(0, dot)}'`), { name: 'Runtime.ImportModuleError' });
  const loaded = await import(pathToFileURL(file).href);
  const handler = loaded[named.slice(dot + 1)] ?? loaded.default?.[named.slice(dot + 1)];
  if (typeof handler !== 'function') {
    throw Object.assign(new Error(`${named} is undefined or not exported`), { name: 'Runtime.HandlerNotFound' });
  }
  if (handler.length >= 3) {
    throw Object.assign(new Error('AWS Lambda has removed support for callback-based function handlers starting with Node.js 24.'), {
      name: 'Runtime.CallbackHandlerDeprecated',
    });
  }
  return handler;
}

function contextOf(headers) {
  const requestId = headers.get('lambda-runtime-aws-request-id');
  const deadlineMs = Number(headers.get('lambda-runtime-deadline-ms'));
  return {
    awsRequestId: requestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: headers.get('lambda-runtime-invoked-function-arn'),
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

let current;
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, async (error) => {
    console.error(error);
    await post(current === undefined ? 'init/error' : `invocation/${current}/error`, describe(error)).catch(() => undefined);
    process.exit(129);
  });
}

// Ctrl-C in a terminal reaches every process; the runner decides when its functions end, so that work in progress is put down in order.
process.on('SIGINT', () => {});

// A runner that was killed cannot end its functions. They end themselves, as their machine would have.
const runner = process.ppid;
setInterval(() => {
  if (process.ppid !== runner) process.exit(137);
}, 500).unref();

let handler;
try {
  handler = await loadHandler();
} catch (error) {
  console.error(error);
  await post('init/error', describe(error));
  process.exit(1);
}
for (;;) {
  const next = await fetch(`${api}/invocation/next`).catch(() => undefined);
  // The runner is gone or has let this process go.
  if (next?.status !== 200) process.exit(0);
  const payload = await next.json();
  const context = contextOf(next.headers);
  process.env._X_AMZN_TRACE_ID = next.headers.get('lambda-runtime-trace-id') ?? '';
  current = context.awsRequestId;
  try {
    const result = await handler(payload, context);
    await post(`invocation/${current}/response`, result);
  } catch (error) {
    console.error(error);
    await post(`invocation/${current}/error`, describe(error));
  }
  current = undefined;
}
