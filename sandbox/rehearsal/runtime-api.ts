import type { IncomingMessage, ServerResponse } from 'node:http';
import { type LoopbackServer, listenOnLoopback, readBody } from '../cloud/loopback.ts';

export interface Invocation {
  readonly requestId: string;
  /** JSON text. */
  readonly payload: string;
  readonly deadlineMs: number;
  readonly functionArn: string;
  readonly traceId: string;
}

/** What a worker process tells through the Runtime API. */
interface WorkerEnd {
  /** It waits for its next invocation; answered by `hand`, or by `dismiss` when there will be none. */
  ready(waiting: { hand(invocation: Invocation): void; dismiss(): void }): void;
  responded(requestId: string, body: string): void;
  failed(requestId: string | undefined, error: string): void;
}

export interface RuntimeApi {
  /** Value of AWS_LAMBDA_RUNTIME_API for one worker; until it leaves. */
  join(workerId: string, end: WorkerEnd): string;
  leave(workerId: string): void;
  close(): Promise<void>;
}

/** Long: a worker may wait an hour for its next invocation. Responses above 6 MB are judged by the pool, so a little more must arrive. */
const mostBytes = 8 * 1024 * 1024;

/** The Lambda Runtime API for every worker of a rehearsal; each worker has its own path on one server. */
export async function startRuntimeApi(): Promise<RuntimeApi> {
  const workers = new Map<string, WorkerEnd>();

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const [, workerId, path] = /^\/([^/]+)\/2018-06-01\/runtime\/(.+)$/.exec(incoming.url ?? '') ?? [];
    const worker = workers.get(workerId ?? '');
    const end = (status: number): void => {
      outgoing.writeHead(status, { 'content-type': 'application/json' });
      outgoing.end('{"status":"OK"}');
    };
    if (worker === undefined || path === undefined) return end(403);
    if (incoming.method === 'GET' && path === 'invocation/next') {
      worker.ready({
        hand(invocation) {
          outgoing.writeHead(200, {
            'content-type': 'application/json',
            'lambda-runtime-aws-request-id': invocation.requestId,
            'lambda-runtime-deadline-ms': String(invocation.deadlineMs),
            'lambda-runtime-invoked-function-arn': invocation.functionArn,
            'lambda-runtime-trace-id': invocation.traceId,
          });
          outgoing.end(invocation.payload);
        },
        dismiss: () => end(410),
      });
      return;
    }
    const body = (await readBody(incoming, mostBytes))?.toString('utf8');
    const [, requestId, kind] = /^invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    if (path === 'init/error') worker.failed(undefined, body ?? '{}');
    else if (kind === 'response' && requestId !== undefined) worker.responded(requestId, body ?? ' '.repeat(mostBytes));
    else if (kind === 'error' && requestId !== undefined) worker.failed(requestId, body ?? '{}');
    else return end(404);
    end(202);
  }

  const server: LoopbackServer = await listenOnLoopback(0, serve);
  return {
    join(workerId, worker) {
      workers.set(workerId, worker);
      return `127.0.0.1:${server.port}/${workerId}`;
    },
    leave: (workerId) => void workers.delete(workerId),
    close: () => server.close(),
  };
}
