import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { isText } from '../../sandbox/rehearsal/http-api-event.ts';
import { delivered } from './honest-reader.ts';
import { honest, type RawRequest, requestsFor, type SetUp } from './hostile-requests.ts';
import { context, eventOf, Intake, previous, secretTexts, usual } from './intake-under-test.ts';

/*
 * The intake against everybody who is not Zuora. The function's own entry point is called with events of the gateway; only what it is composed of
 * is in memory. 20,000 requests in a run, 100,000 and more in CI: fast-check prints seed and path of a failing one.
 */

const { place, compared } = vi.hoisted(() => ({
  place: { intake: undefined as { connector: unknown } | undefined },
  compared: [] as (readonly [number, number])[],
}));
vi.mock('../../functions/compose.ts', async () => {
  const { Logger } = await import('@aws-lambda-powertools/logger');
  return {
    connectorFor: () => place.intake?.connector,
    flushMetrics: async () => undefined,
    logger: new Logger({ serviceName: 'intake' }),
  };
});
vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:crypto')>();
  return {
    ...original,
    timingSafeEqual: (left: Uint8Array, right: Uint8Array) => {
      compared.push([left.byteLength, right.byteLength]);
      return original.timingSafeEqual(left, right);
    },
  };
});
const { handler } = await import('../../functions/receive-webhook.ts');

async function open(setUp: SetUp): Promise<Intake> {
  const intake = await Intake.open(setUp);
  place.intake = intake;
  return intake;
}

const success = { 'content-type': 'application/json' };
/** Every answer there is; nothing else may leave, in no case. */
const answers = (mode: SetUp['mode']): Readonly<Record<number, unknown>> => ({
  200: { statusCode: 200, headers: success, body: '{"success":true}' },
  401: {
    statusCode: 401,
    headers: mode === 'basic' ? { ...success, 'www-authenticate': 'Basic realm="ml-connector"' } : success,
    body: '{"success":false}',
  },
  404: { statusCode: 404, headers: {}, body: '' },
  413: { statusCode: 413, headers: success, body: '{"success":false}' },
});

const written: string[] = [];
beforeEach(() => {
  written.length = 0;
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
  return () => vi.restoreAllMocks();
});

const collect: () => void = (() => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
})();
const heapBytes = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

/** No request may use more of the processor, whatever it is. Time on the wall says nothing where other processes use the machine too. */
const mostMs = 1_000;
/** All requests of a run; CI asks for 100,000 and more by HOSTILE_REQUESTS. */
const requests = Number(process.env['HOSTILE_REQUESTS'] ?? '20000');
const usualRequests = 100_000;
const renewEvery = 5_000;
/** Requests after which everything that is loaded once is loaded. */
const warmUp = 1_000;
let total = 0;
let accepted = 0;
afterAll(() => expect(total).toBeGreaterThanOrEqual(requests));

/** Sends one request and holds everything that happened against the honest reader. */
async function hold(intake: Intake, expectedAnswers: ReadonlyMap<number, string>, raw: RawRequest): Promise<void> {
  const request = delivered(raw, isText);
  const expected = intake.reader.judge(request);
  const begun = process.cpuUsage();
  const { answer, queued, lines } = await intake.during(() => handler(eventOf(request, raw.rawQuery), context));
  const used = process.cpuUsage(begun);
  const ms = (used.user + used.system) / 1000;
  total += 1;
  if (expected.changes.length > 0) accepted += 1;
  const answered = JSON.stringify(answer);
  if (ms > mostMs) throw new Error(`it took ${Math.round(ms)} ms`);
  if (answered !== expectedAnswers.get(expected.status)) throw new Error(`answered ${answered}, expected ${expected.status}`);
  if (queued.join() !== expected.changes.join()) throw new Error(`queued ${queued.join()}, expected ${expected.changes.join()}`);
  const told = [answered, ...lines, ...written].join('\n');
  const leaked = [...secretTexts, 'canary', 'tenantId', 'polluted'].find((text) => told.includes(text));
  if (leaked !== undefined) throw new Error(`${leaked} was told: ${told.slice(0, 400)}`);
}

async function storm(setUp: SetUp, runs: number): Promise<void> {
  const intake = await open(setUp);
  const expectedAnswers = new Map(Object.entries(answers(setUp.mode)).map(([status, answer]) => [Number(status), JSON.stringify(answer)]));
  let sent = 0;
  let early = 0;
  await fc.assert(
    fc.asyncProperty(requestsFor(setUp), async (raw) => {
      if (sent % renewEvery === 0) {
        await intake.renew();
        compared.length = 0;
      }
      if (sent === warmUp) early = heapBytes();
      sent += 1;
      await hold(intake, expectedAnswers, raw);
    }),
    { numRuns: Math.ceil((runs * requests) / usualRequests), endOnFailure: true },
  );
  await intake.renew();
  compared.length = 0;
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect('polluted' in {}).toBe(false);
  expect(heapBytes() - early, 'bytes kept since the first requests').toBeLessThan(16 * 1024 * 1024);
}

const hex: SetUp = { ...usual, algorithm: 'sha512', encoding: 'hex', header: 'X-Kestrel', valuePrefix: 'v1=' };
const body = Buffer.from('{"event":"InvoicePosted","objectId":"8ad08aef9385f2b60193a1b2c3d40001"}');

describe('every request to the webhook address is answered by the table of the vendor and moves nothing unless it is proven', () => {
  test.each([
    ['signed, BASE64', usual, 24_000],
    ['signed, HEX with a prefix and another header and algorithm', hex, 20_000],
    ['signed, during a rotation', { ...usual, previous }, 20_000],
    ['with user and password', { ...usual, mode: 'basic', previous }, 20_000],
    ['unsigned with a secret token', { ...usual, mode: 'unsigned', previous }, 20_000],
  ] as const)('%s', async (_name, setUp, runs) => storm(setUp, runs), 180_000);

  test('the storm is not empty: a good part of it is accepted', () => {
    expect(accepted).toBeGreaterThan(total / 20);
  });
});

describe('a proof is compared in constant time, and one of another length is refused like any other', () => {
  const proofOf = (setUp: SetUp): string => {
    const request = honest(setUp, body);
    return setUp.mode === 'unsigned' ? setUp.current.pathToken : (request.headers.at(-1)?.[1] ?? '').replace(/^(Basic |v1=)/, '');
  };
  const withProof = (setUp: SetUp, proof: string): RawRequest => {
    const request = honest(setUp, body);
    if (setUp.mode === 'unsigned') return { ...request, rawQuery: `token=${encodeURIComponent(proof)}` };
    const prefix = setUp.mode === 'basic' ? 'Basic ' : setUp.valuePrefix;
    return { ...request, headers: [...request.headers.slice(0, -1), [request.headers.at(-1)?.[0] ?? '', `${prefix}${proof}`]] };
  };
  test.each([
    ['BASE64', usual],
    ['HEX', hex],
    ['user and password', { ...usual, mode: 'basic' }],
    ['token', { ...usual, mode: 'unsigned' }],
  ] as const)('%s', async (_name, setUp) => {
    const intake = await open(setUp);
    const send = async (proof: string): Promise<unknown> => {
      const request = delivered(withProof(setUp, proof), isText);
      return intake.during(() => handler(eventOf(request, ''), context));
    };
    const right = proofOf(setUp);
    for (let length = 0; length <= right.length * 2; length += 1) {
      const proof = right.slice(0, Math.min(length, right.length - 2)).padEnd(length, 'A');
      if (proof === right) continue;
      expect(await send(proof), `${length} characters`).toMatchObject({ answer: { statusCode: 401 }, queued: [] });
    }
    compared.length = 0;
    // Wrong in its last character only: decided by the comparison and by nothing before it.
    const wrong =
      setUp.mode === 'basic' ? `${right.slice(0, -4)}AAAA` : right.replace(/.(=*)$/, (last, end) => `${last[0] === '0' ? '4' : '0'}${end}`);
    expect(await send(wrong)).toMatchObject({ answer: { statusCode: 401 }, queued: [] });
    expect(compared.length).toBeGreaterThan(0);
    expect(compared.filter(([left, other]) => left !== other)).toEqual([]);
    expect(await send(right)).toMatchObject({
      answer: { statusCode: 200 },
      queued: ['acumatica-zuora.invoices 8ad08aef9385f2b60193a1b2c3d40001'],
    });
  });
});

test('fifty deliveries of one notice at the same moment put one change on the queue', async () => {
  const intake = await open(usual);
  const request = delivered(honest(usual, body), isText);
  const { answer, queued } = await intake.during(() =>
    Promise.all(Array.from({ length: 50 }, () => handler(eventOf(request, ''), context))),
  );
  expect(queued).toHaveLength(1);
  // Those that came while the first one was being taken in are to be sent again.
  for (const one of answer) expect(one).toSatisfy((reply: { statusCode: number }) => [200, 503].includes(reply.statusCode));
});
