import { createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';

/** Requests somebody hostile, broken or merely old could send to a webhook address, and what an honest reader would say of each. */

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly rawQuery: string;
  /** As on the wire: any letter case, repeated names. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

export type Mode = 'hmac' | 'basic' | 'unsigned';

export interface Credentials {
  readonly hmacSecret: string;
  readonly basicUser: string;
  readonly basicPassword: string;
  readonly pathToken: string;
}

/** How one tenant is set up. */
export interface SetUp {
  readonly mode: Mode;
  readonly algorithm: 'sha224' | 'sha256' | 'sha384' | 'sha512';
  readonly encoding: 'base64' | 'hex';
  readonly header: string;
  readonly valuePrefix: string;
  readonly current: Credentials;
  /** Still valid while a rotation lasts. */
  readonly previous: Credentials | undefined;
}

export const address = '/webhooks/acumatica-zuora/zuora';
const recordIds = fc.stringMatching(/^[0-9a-f]{32}$/);
const recordEvents = ['InvoicePosted', 'PaymentProcessed', 'CreditMemoPosted', 'DebitMemoPosted', 'MlcAccountChanged'];
const events = fc.constantFrom(...recordEvents, 'BillRunCompletion', 'PaymentRunCompletion', 'JournalRunCompletion');

/** A body as our templates write it. */
const honestBody = fc
  .record({ event: events, objectId: recordIds, canary: fc.stringMatching(/^canary-[0-9a-f]{16}$/) })
  .map(({ event, objectId, canary }) => Buffer.from(JSON.stringify({ event, tenantId: canary, objectType: 'Invoice', objectId })));

const deep = (depth: number, open: string, close: string): string => `${open.repeat(depth)}1${close.repeat(depth)}`;

/** Bodies that are wrong in their content; whoever holds the secret may still have signed them. */
const strangeBody = fc.oneof(
  fc
    .constantFrom(
      '',
      ' ',
      'null',
      '[]',
      '"InvoicePosted"',
      '{}',
      '{"event":null,"objectId":null}',
      '{"event":["InvoicePosted"]}',
      '{"event":{"toString":"InvoicePosted"}}',
      '{"event":"invoiceposted","objectId":"8ad08aef9385f2b60193a1b2c3d40001"}',
      '{"event":"InvoicePosted "}',
      '{"event":"InvoicePosted\\u0000"}',
      '{"event":"__proto__"}',
      '{"event":"constructor"}',
      '{"event":"toString"}',
      '{"event":"hasOwnProperty","objectId":"8ad08aef9385f2b60193a1b2c3d40001"}',
      '{"__proto__":{"event":"InvoicePosted","objectId":"8ad08aef9385f2b60193a1b2c3d40001","polluted":true}}',
      '{"constructor":{"prototype":{"event":"InvoicePosted","polluted":true}}}',
      '{"event":"InvoicePosted","__proto__":{"objectId":"8ad08aef9385f2b60193a1b2c3d40001","polluted":true}}',
      '{"event":"InvoicePosted","event":"PaymentProcessed","objectId":"8ad08aef9385f2b60193a1b2c3d40001"}',
      '{"event":"InvoicePosted","objectId":"8ad08aef9385f2b60193a1b2c3d40001","objectId":"8ad08aef9385f2b60193a1b2c3d40002"}',
      '{"event":"InvoicePosted","objectId":1e400}',
      '{"event":"InvoicePosted","objectId":12345678901234567890123456789012}',
      '{"event":"InvoicePosted","objectId":"*"}',
      '{"event":"InvoicePosted","objectId":"../../8ad08aef9385f2b60193a1b2c3d4"}',
      '{"event":"InvoicePosted","objectId":"8ad08aef9385f2b60193a1b2c3d40001\\n"}',
      '{"event":"InvoicePosted","objectId":"8ad08aef9385f2b60193a1b2c3d4000\u0661"}',
      '{"event":"InvoicePosted","objectId":"8AD08AEF9385F2B60193A1B2C3D40001"}',
      "{'event':'InvoicePosted'}",
      '{"event":"InvoicePosted",}',
      '{"event":"InvoicePosted"} {"event":"InvoicePosted"}',
      'event=InvoicePosted&objectId=8ad08aef9385f2b60193a1b2c3d40001',
      '<event>InvoicePosted</event>',
      `{"event":${'9'.repeat(5000)}}`,
      deep(2000, '[', ']'),
      deep(20_000, '[', ']'),
      deep(8_000, '{"a":', '}'),
      `{"event":"InvoicePosted","objectId":"8ad08aef9385f2b60193a1b2c3d40001","x":${deep(20_000, '[', ']')}}`,
    )
    .map((text) => Buffer.from(text)),
  honestBody.map((body) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body])),
  honestBody.map((body) => Buffer.from(body.toString('utf8'), 'utf16le')),
  honestBody.map((body) => Buffer.concat([body, Buffer.from([0x00])])),
  honestBody.map((body) => Buffer.from(body.toString('utf8').replace('canary', 'caf\u00e9'), 'latin1')),
  honestBody.map((body) => gzipSync(body, { level: 1 })),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((text) => Buffer.from(text)),
  fc
    .record({ event: fc.oneof(events, fc.string()), objectId: fc.oneof(recordIds, fc.string(), fc.integer(), fc.constant(null)) })
    .map((value) => Buffer.from(JSON.stringify(value))),
);

/** A few kilobytes that inflate to tens of megabytes, and bodies around and far above the limit. */
const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024));
const padded = (bytes: number): Buffer => {
  const head = '{"event":"InvoicePosted","objectId":"8ad08aef9385f2b60193a1b2c3d40001","x":"';
  return Buffer.from(`${head}${'x'.repeat(bytes - head.length - 2)}"}`);
};
const largeBody = fc.constantFrom(bomb, padded(64 * 1024 - 1), padded(64 * 1024), padded(64 * 1024 + 1), padded(300 * 1024));

function base64Url(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

const signed = (setUp: SetUp, body: Buffer, secret: string): Buffer => createHmac(setUp.algorithm, secret).update(body).digest();

/** The request an honest Zuora makes of a body. */
export function honest(setUp: SetUp, body: Buffer, credentials: Credentials = setUp.current): RawRequest {
  const request = { method: 'POST', path: address, rawQuery: '', body };
  const plain: [string, string] = ['Content-Type', 'application/json'];
  switch (setUp.mode) {
    case 'hmac': {
      const signature = signed(setUp, body, credentials.hmacSecret).toString(setUp.encoding);
      return { ...request, headers: [plain, [setUp.header, `${setUp.valuePrefix}${signature}`]] };
    }
    case 'basic': {
      const pair = Buffer.from(`${credentials.basicUser}:${credentials.basicPassword}`).toString('base64');
      return { ...request, headers: [plain, ['Authorization', `Basic ${pair}`]] };
    }
    case 'unsigned':
      return { ...request, headers: [plain], rawQuery: `token=${encodeURIComponent(credentials.pathToken)}` };
  }
}

type Mutation = (request: RawRequest, setUp: SetUp) => RawRequest;

const withHeader = (request: RawRequest, name: string, value: string): RawRequest => ({
  ...request,
  headers: [...request.headers, [name, value]],
});
/** Every value that could be a proof: of the signature header, of Authorization, of the token. */
const proofs = (request: RawRequest, setUp: SetUp, change: (proof: string) => string): RawRequest => ({
  ...request,
  headers: request.headers.map(([name, value]) =>
    [setUp.header.toLowerCase(), 'authorization'].includes(name.toLowerCase()) ? [name, change(value)] : [name, value],
  ),
  rawQuery: request.rawQuery.replace(
    /token=(.*)/,
    (_all, token: string) => `token=${encodeURIComponent(change(decodeURIComponent(token)))}`,
  ),
});
const flipped = (body: Buffer, at: number, bit: number): Buffer => {
  const copy = Buffer.from(body);
  const index = copy.length === 0 ? 0 : at % copy.length;
  if (copy.length > 0) copy[index] = (copy[index] ?? 0) ^ (1 << bit);
  return copy;
};
const reserialised = (body: Buffer): Buffer => {
  try {
    return Buffer.from(JSON.stringify(JSON.parse(body.toString('utf8')), null, 1));
  } catch {
    return Buffer.from(`${body.toString('utf8')}\n`);
  }
};

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(7)).map(
    ([at, bit]): Mutation =>
      (request) => ({ ...request, body: flipped(request.body, at, bit) }),
  ),
  fc.nat(500).map(
    (cut): Mutation =>
      (request) => ({ ...request, body: request.body.subarray(0, Math.max(0, request.body.length - 1 - cut)) }),
  ),
  fc.constant<Mutation>((request) => ({ ...request, body: reserialised(request.body) })),
  fc.constantFrom('\n', ' ', '\u0000').map(
    (end): Mutation =>
      (request) => ({ ...request, body: Buffer.concat([request.body, Buffer.from(end)]) }),
  ),
  fc
    .constantFrom<(proof: string) => string>(
      (proof) => proof.toUpperCase(),
      (proof) => proof.toLowerCase(),
      (proof) => ` ${proof}\t`,
      (proof) => proof.slice(0, -1),
      (proof) => proof.slice(0, -4),
      (proof) => `${proof}=`,
      (proof) => `${proof}A`,
      (proof) => `${proof},${proof}`,
      (proof) => `${proof} ${proof}`,
      (proof) => proof.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      (proof) => proof.replace(/^Basic /, 'basic   '),
      (proof) => proof.replace(/^Basic /, 'Bearer '),
      (proof) => base64Url(proof),
      () => '',
      () => '=',
      () => 'Basic',
      () => 'Basic Og==',
      () => 'Basic =',
      () => 'undefined',
      () => '\u0130'.repeat(32),
      () => 'x'.repeat(20_000),
      (proof) => `%00${proof}`,
    )
    .map(
      (change): Mutation =>
        (request, setUp) =>
          proofs(request, setUp, change),
    ),
  fc.constant<Mutation>((request, setUp) => ({
    ...request,
    headers: request.headers.filter(([name]) => name !== setUp.header && name !== 'Authorization'),
  })),
  fc.constant<Mutation>((request) => ({ ...request, headers: request.headers.map(([name, value]) => [name.toUpperCase(), value]) })),
  fc.constant<Mutation>((request) => ({ ...request, headers: [...request.headers, ...request.headers] })),
  fc
    .constantFrom(
      ['Content-Encoding', 'gzip'],
      ['Content-Encoding', 'identity'],
      ['Content-Type', 'text/plain; charset=utf-16'],
      ['Content-Type', 'multipart/form-data; boundary=x'],
      ['Transfer-Encoding', 'chunked, gzip'],
      ['Content-Length', '-1'],
      ['X-Http-Method-Override', 'GET'],
      ['X-Forwarded-For', '127.0.0.1'],
      ['__proto__', 'polluted'],
      ['constructor', 'polluted'],
      ['toString', 'polluted'],
      ['Cookie', 'token=x; __proto__=y'],
      ['Zuora-Notification-Id', ''],
      ['Zuora-Notification-Id', '__proto__'],
      ['Zuora-Notification-Id', 'x'.repeat(10_000)],
      ['Zuora-Notification-Id', '\u0000'],
      ['Zuora-Notification-Id', 'a|b#c'],
      ['X-Long', 'y'.repeat(60_000)],
    )
    .map(
      ([name = '', value = '']): Mutation =>
        (request) =>
          withHeader(request, name, value),
    ),
  fc.nat(400).map(
    (many): Mutation =>
      (request) => ({
        ...request,
        headers: [...request.headers, ...Array.from({ length: many }, (_, index): [string, string] => [`X-${index}`, 'z'])],
      }),
  ),
  // The secret as a part of the path, where an operator's own route may have it.
  fc.constant<Mutation>((request, { current }) => ({
    ...request,
    path: `${request.path}/${encodeURIComponent(current.pathToken)}`,
    rawQuery: '',
  })),
  fc.constantFrom('GET', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'post', 'TRACE').map(
    (method): Mutation =>
      (request) => ({ ...request, method }),
  ),
  fc
    .constantFrom(
      `${address}/`,
      `/prod${address}`,
      `${address}/t-wrong`,
      '/webhooks/acumatica-zuora/acumatica',
      '/webhooks/acumatica-zuora/../zuora',
      '/webhooks/__proto__/zuora',
      '/webhooks/constructor/constructor',
      '/webhooks/acumatica-zuora%00/zuora',
      '/webhooks/acumatica-zuora/%7Auora',
      '/webhooks//zuora',
      '/',
      '//',
      `/webhooks/${'x'.repeat(5000)}/zuora`,
      '/webhooks/%E0%A4%A/zuora',
    )
    .map(
      (path): Mutation =>
        (request) => ({ ...request, path }),
    ),
  fc
    .constantFrom(
      'token=',
      'token',
      'token[]=x',
      '__proto__=x',
      '__proto__[token]=x',
      'constructor=x',
      '%00=%00',
      '%E0%A4%A',
      `q=${'x'.repeat(8000)}`,
      'token=x&token=y',
    )
    .map(
      (query): Mutation =>
        (request) => ({ ...request, rawQuery: request.rawQuery === '' ? query : `${query}&${request.rawQuery}` }),
    ),
);

const differently: readonly ((setUp: SetUp, body: Buffer) => RawRequest)[] = [
  // Signed with what was valid before the last rotation, or before the one before it, or with other keys of ours.
  (setUp, body) => honest(setUp, body, setUp.previous ?? setUp.current),
  (setUp, body) => honest(setUp, body, { hmacSecret: 'retired', basicUser: 'retired', basicPassword: 'retired', pathToken: 'retired' }),
  (setUp, body) => honest(setUp, body, { ...setUp.current, hmacSecret: setUp.current.basicPassword, pathToken: setUp.current.hmacSecret }),
  // The right proof of another way of proving.
  (setUp, body) => honest({ ...setUp, mode: setUp.mode === 'hmac' ? 'basic' : 'hmac' }, body),
  (setUp, body) => honest({ ...setUp, mode: setUp.mode === 'unsigned' ? 'basic' : 'unsigned' }, body),
  (setUp, body) => honest({ ...setUp, algorithm: setUp.algorithm === 'sha256' ? 'sha512' : 'sha256' }, body),
  (setUp, body) => honest({ ...setUp, encoding: setUp.encoding === 'hex' ? 'base64' : 'hex' }, body),
  (setUp, body) => honest({ ...setUp, valuePrefix: `${setUp.valuePrefix}v1=` }, body),
  // The signature of nothing, of another body, of the text instead of the bytes.
  (setUp, body) => ({ ...honest(setUp, Buffer.alloc(0)), body }),
  (setUp, body) => ({ ...honest(setUp, reserialised(body)), body }),
  (setUp, body) => ({ ...honest(setUp, Buffer.from(body.toString('latin1'), 'utf8')), body }),
];

/** Any request: honest ones, honest ones with strange bodies, and all of them bent once or twice. */
export function requestsFor(setUp: SetUp): fc.Arbitrary<RawRequest> {
  const bodies = fc.oneof(
    { weight: 120, arbitrary: honestBody },
    { weight: 78, arbitrary: strangeBody },
    { weight: 2, arbitrary: largeBody },
  );
  const proven = fc.oneof(
    { weight: 4, arbitrary: bodies.map((body) => honest(setUp, body)) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...differently), bodies).map(([make, body]) => make(setUp, body)) },
  );
  return fc
    .tuple(
      proven,
      fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 3, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 2 }) }),
    )
    .map(([request, mutations]) => mutations.reduce<RawRequest>((bent, mutate) => mutate(bent, setUp), request));
}
