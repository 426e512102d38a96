import { connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { allowEverything, localPlace } from '../../sandbox/cloud/access.ts';
import { machineClock } from '../../sandbox/cloud/clock.ts';
import { startHttpApi } from '../../sandbox/rehearsal/http-api.ts';
import { isText } from '../../sandbox/rehearsal/http-api-event.ts';
import { delivered } from './honest-reader.ts';
import { address, honest, type RawRequest, requestsFor } from './hostile-requests.ts';
import { context, Intake, usual } from './intake-under-test.ts';

/** The same intake behind the gateway of the rehearsal, with bytes on a socket instead of events: what no HTTP client would send is sent as well. */

const { place } = vi.hoisted(() => ({ place: { intake: undefined as { connector: unknown } | undefined } }));
vi.mock('../../functions/compose.ts', async () => {
  const { Logger } = await import('@aws-lambda-powertools/logger');
  return {
    connectorFor: () => place.intake?.connector,
    flushMetrics: async () => undefined,
    logger: new Logger({ serviceName: 'intake' }),
  };
});
const { handler } = await import('../../functions/receive-webhook.ts');

async function openGateway() {
  const intake = await Intake.open(usual);
  place.intake = intake;
  const api = await startHttpApi({ clock: machineClock, place: localPlace, authorize: allowEverything });
  api.open({
    id: 'kestrel',
    routes: [
      {
        routeKey: `ANY ${address}`,
        signed: false,
        timeoutMs: 9_000,
        function: {
          definition: {
            ...{ logicalId: 'Intake', name: 'intake', arn: 'arn', folder: '', handler: 'index.handler', timeoutSeconds: 9, memoryMb: 256 },
            ...{ environment: {}, credentials: { accessKeyId: '', secretAccessKey: '' }, region: 'us-east-1' },
          },
          invoke: async (event) => ({
            ok: true,
            payload: JSON.stringify(await handler(JSON.parse(JSON.stringify(event)), context)),
          }),
          workers: () => 1,
          kill: () => 0,
          close: async () => undefined,
        },
      },
    ],
  });
  return { intake, api, port: Number(new URL(api.url).port) };
}

let gateway: Awaited<ReturnType<typeof openGateway>>;
beforeEach(async () => {
  gateway = await openGateway();
});
afterEach(() => gateway.api.close());

/** Sends bytes, then nothing more; answers everything that came back until the other side was done. */
function exchange(...parts: readonly (Buffer | string)[]): Promise<string> {
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = connect(gateway.port, '127.0.0.1', () => {
      for (const part of parts) socket.write(part);
      socket.end();
    });
    socket.on('data', (bytes) => received.push(bytes));
    // A connection that is cut is an answer too.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(received).toString('latin1')));
  });
}

const statusesOf = (answer: string): readonly number[] => [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));

function bytesOf({ method, path, rawQuery, headers, body }: RawRequest): Buffer {
  const target = rawQuery === '' ? path : `${path}?${rawQuery}`;
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: connector.example', 'Connection: close', `Content-Length: ${body.length}`];
  const head = [...lines, ...headers.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

const body = Buffer.from('{"event":"InvoicePosted","objectId":"8ad08aef9385f2b60193a1b2c3d40001"}');
const signedHead = (length: number | string, more: readonly string[] = []): string => {
  const [, signature] = honest(usual, body).headers;
  const lines = [
    `POST ${address} HTTP/1.1`,
    'Host: connector.example',
    'Content-Type: application/json',
    `${signature?.join(': ')}`,
    `Content-Length: ${length}`,
  ];
  return [...lines, ...more, '', ''].join('\r\n');
};

/** What the parser of HTTP refuses by itself. */
const unreadable = new Set([400, 431]);

test('bent requests on a socket are answered as the honest reader says, or refused as no HTTP', async () => {
  let seen = 0;
  // What may not stand in a request line or header, or says another length than the one that is sent, is for the tests below.
  const framing = new Set(['content-length', 'transfer-encoding']);
  const sendable = requestsFor(usual).filter(({ headers }) => headers.every(([name]) => !framing.has(name.toLowerCase())));
  await fc.assert(
    fc.asyncProperty(sendable, async (raw) => {
      const { intake } = gateway;
      const onTheWire = {
        ...raw,
        headers: raw.headers.map(([name, value]): [string, string] => [name, Buffer.from(value.trim(), 'latin1').toString('latin1')]),
      };
      const { answer, queued } = await intake.during(() => exchange(bytesOf(raw)));
      const [status = 0, ...more] = statusesOf(answer);
      expect(more).toEqual([]);
      if (unreadable.has(status)) {
        expect(queued).toEqual([]);
        return;
      }
      const expected = raw.path === address ? intake.reader.judge(delivered(onTheWire, isText)) : { status: 404, changes: [] };
      expect({ status, queued }).toEqual({ status: expected.status, queued: expected.changes });
      if (status === 200) seen += 1;
    }),
    { numRuns: 1_500, endOnFailure: true },
  );
  expect(seen).toBeGreaterThan(100);
}, 120_000);

describe('what is no proper HTTP queues nothing and harms nobody who comes after', () => {
  const forged = bytesOf({ ...honest(usual, body), headers: [['X-Zuora-Signature', 'AAAA']] });
  test.each<readonly [string, readonly (Buffer | string)[]]>([
    ['nothing at all', ['']],
    ['noise', [Buffer.from(Array.from({ length: 4_000 }, (_, index) => (index * 7919) % 256))]],
    ['a TLS greeting', [Buffer.from('1603010200010001fc0303', 'hex')]],
    ['half a head', [signedHead(body.length).slice(0, 60)]],
    ['a body that ends early', [signedHead(body.length), body.subarray(0, 20)]],
    ['a body announced longer than it is', [signedHead(body.length + 1_000), body]],
    ['a length that is no number', [signedHead('7a'), body]],
    ['a negative length', [signedHead('-1'), body]],
    ['two lengths', [signedHead(body.length, ['Content-Length: 3']), body]],
    ['a length and chunks', [signedHead(body.length, ['Transfer-Encoding: chunked']), body]],
    [
      'a chunk of sixteen exabytes',
      [signedHead(0, []).replace('Content-Length: 0', 'Transfer-Encoding: chunked'), 'FFFFFFFFFFFFFFFF\r\nx'],
    ],
    ['a header of a megabyte', [signedHead(body.length, [`X-Long: ${'y'.repeat(1_000_000)}`]), body]],
    [
      'ten thousand headers',
      [
        signedHead(
          body.length,
          Array.from({ length: 10_000 }, (_, index) => `X-${index}: z`),
        ),
        body,
      ],
    ],
    ['a null in a header', [signedHead(body.length, ['X-Null: a\u0000b']), body]],
    [
      'a header folded over two lines',
      [signedHead(body.length, ['X-Folded: a', ' b']).replace('X-Zuora-Signature: ', 'X-Zuora-Signature:\r\n '), body],
    ],
    ['a path of a hundred kilobytes', [`POST ${address}${'/x'.repeat(50_000)} HTTP/1.1\r\nHost: a\r\n\r\n`]],
    ['another protocol', [`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`]],
    ['eleven megabytes, signed', [signedHead(11 * 1024 * 1024), Buffer.alloc(11 * 1024 * 1024, 0x20)]],
  ])('%s', async (_name, parts) => {
    const { answer, queued } = await gateway.intake.during(() => exchange(...parts));
    expect(queued).toEqual([]);
    expect(statusesOf(answer).filter((status) => status < 400 || status >= 500)).toEqual([]);
    const after = await gateway.intake.during(() => exchange(bytesOf(honest(usual, body))));
    expect([statusesOf(after.answer), after.queued]).toEqual([[200], ['acumatica-zuora.invoices 8ad08aef9385f2b60193a1b2c3d40001']]);
  });

  test('of two requests on one connection each is judged by its own proof', async () => {
    const keptOpen = Buffer.from(forged.toString('latin1').replace('Connection: close\r\n', ''), 'latin1');
    const { answer, queued } = await gateway.intake.during(() => exchange(keptOpen, bytesOf(honest(usual, body))));
    expect(statusesOf(answer)).toEqual([401, 200]);
    expect(queued).toEqual(['acumatica-zuora.invoices 8ad08aef9385f2b60193a1b2c3d40001']);
  });
});
