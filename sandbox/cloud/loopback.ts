import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface LoopbackServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

export type Handler = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>;

/** An HTTP server on 127.0.0.1; `port` 0 takes a free one. */
export async function listenOnLoopback(port: number, handler: Handler): Promise<LoopbackServer> {
  const server = createServer((incoming, outgoing) => {
    handler(incoming, outgoing).catch((error: unknown) => {
      process.stderr.write(`local cloud: ${error instanceof Error ? error.stack : String(error)}\n`);
      outgoing.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The whole body, or undefined when it is longer than `limitBytes`; the rest is read and thrown away so that an answer can be sent. */
export async function readBody(incoming: IncomingMessage, limitBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size <= limitBytes) chunks.push(bytes);
  }
  return size > limitBytes ? undefined : Buffer.concat(chunks);
}

/** The key id in a Signature Version 4 header; the signature itself is not recomputed. */
export function accessKeyIdOf(authorization: string | undefined): string | undefined {
  return /^AWS4-\S+ .*Credential=([^/,\s]+)\//.exec(authorization ?? '')?.[1];
}

export const newRequestId = (): string => randomUUID();
