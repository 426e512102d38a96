import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import type { HttpRequest } from '../../lib/contracts/io.ts';
import { noAnswer } from '../../lib/http/network-failure.ts';
import { createHttp, type Fetch } from '../../lib/http/sender.ts';
import { createWorld, finish, serve } from './world.ts';

const globalFetch: Fetch = (url, init) => fetch(url, init);
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function server(answer: Parameters<typeof serve>[0]) {
  const started = await serve(answer);
  closers.push(started.close);
  return started;
}

function setUp(fetchWith: Fetch = globalFetch) {
  const world = createWorld();
  let passed = 0;
  const budget = {
    pass: async () => {
      passed += 1;
    },
  };
  return { ...world, passed: () => passed, http: createHttp({ ...world, fetch: fetchWith, budget, connection: 'heron' }) };
}

function read(url: string, more: Partial<HttpRequest> = {}): HttpRequest {
  return {
    operation: 'GET /things',
    method: 'GET',
    url,
    headers: { authorization: 'Bearer s3cret' },
    timeoutMs: 30_000,
    effect: 'read',
    ...more,
  };
}

const write = (url: string, more: Partial<HttpRequest> = {}): HttpRequest =>
  read(url, { operation: 'POST /things', method: 'POST', effect: 'write', body: '{"a":1}', ...more });

describe('sender', () => {
  test('an answer comes with status, headers in any letter case, and text, whatever the status is', async () => {
    const vendor = await server((_request, response) => {
      response.writeHead(500, { 'X-Request-Id': 'r1', 'content-type': 'application/json' }).end('{"ok":"ü"}');
    });
    const { http } = setUp();
    const answer = await http.send(read(vendor.url));
    expect([answer.status, answer.text, answer.header('x-request-id'), answer.header('X-REQUEST-ID'), answer.header('absent')]).toEqual([
      500,
      '{"ok":"ü"}',
      'r1',
      'r1',
      undefined,
    ]);
    expect(vendor.calls()).toBe(1);
  });

  test('a redirect is an answer and is not followed', async () => {
    const vendor = await server((_request, response) => {
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    const answer = await setUp().http.send(read(vendor.url));
    expect([answer.status, answer.header('location'), vendor.calls()]).toEqual([302, '/elsewhere', 1]);
  });

  test('a packed answer is unpacked', async () => {
    const vendor = await server((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('plain'));
    });
    expect((await setUp().http.send(read(vendor.url))).text).toBe('plain');
  });

  test('a read whose connection is dropped is sent again, twice at most', async () => {
    const vendor = await server((request, response, count) => {
      if (count < 3) request.socket.destroy();
      else response.end('third');
    });
    const world = setUp();
    expect((await finish(world.clock, world.http.send(read(vendor.url)))).text).toBe('third');
    expect(vendor.calls()).toBe(3);
    expect(world.passed()).toBe(3);
    expect(world.clock.now().getTime() - Date.parse('2026-03-02T08:00:00Z')).toBeLessThanOrEqual(4000);
  });

  test('a read that never gets an answer is VendorUnavailable after three tries', async () => {
    const vendor = await server((request) => request.socket.destroy());
    const world = setUp();
    await expect(finish(world.clock, world.http.send(read(vendor.url)))).rejects.toMatchObject({ kind: 'VendorUnavailable' });
    expect(vendor.calls()).toBe(3);
  });

  test('a write whose connection is dropped is WriteUncertain and never sent again', async () => {
    const vendor = await server((request) => {
      request.resume();
      request.on('end', () => request.socket.destroy());
    });
    const world = setUp();
    await expect(finish(world.clock, world.http.send(write(vendor.url)))).rejects.toMatchObject({ kind: 'WriteUncertain' });
    expect(vendor.calls()).toBe(1);
  });

  test('half an answer is none: WriteUncertain for a write', async () => {
    const vendor = await server((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"half":', () => response.destroy());
    });
    const world = setUp();
    await expect(finish(world.clock, world.http.send(write(vendor.url)))).rejects.toMatchObject({ kind: 'WriteUncertain' });
  });

  test('half an answer to a read is asked for again', async () => {
    const vendor = await server((_request, response, count) => {
      response.writeHead(200, { 'content-length': '8' });
      if (count === 1) response.write('{"ha', () => response.destroy());
      else response.end('{"ha":1}');
    });
    const world = setUp();
    expect((await finish(world.clock, world.http.send(read(vendor.url)))).text).toBe('{"ha":1}');
  });

  test.each([
    ['read' as const, 'VendorUnavailable', 3],
    ['write' as const, 'WriteUncertain', 1],
  ])('a %s that takes longer than its limit is %s; its connection is ended', async (effect, kind, calls) => {
    const signals: AbortSignal[] = [];
    const world = setUp((_url, init) => {
      if (init.signal) signals.push(init.signal);
      return new Promise(() => undefined);
    });
    const request = effect === 'read' ? read('https://vendor.example/things') : write('https://vendor.example/things');
    await expect(finish(world.clock, world.http.send(request))).rejects.toMatchObject({ kind });
    expect(signals.map((signal) => signal.aborted)).toEqual(Array(calls).fill(true));
    expect(world.clock.nextWakeAt()).toBeUndefined();
  });

  test('an answer in time leaves nobody waiting on the clock', async () => {
    const world = setUp(async () => new Response('done'));
    expect((await world.http.send(read('https://vendor.example/'))).text).toBe('done');
    expect(world.clock.nextWakeAt()).toBeUndefined();
  });

  test('nobody listening is Unreachable for reads and writes, and nothing is repeated', async () => {
    const closed = await serve(() => undefined);
    await closed.close();
    const world = setUp();
    await expect(world.http.send(read(closed.url))).rejects.toMatchObject({ kind: 'Unreachable', record: { code: 'ECONNREFUSED' } });
    await expect(world.http.send(write(closed.url))).rejects.toMatchObject({ kind: 'Unreachable' });
    expect(world.log.total('vendor.calls')).toBe(2);
  });

  test.each([
    [{ code: 'ENOTFOUND', syscall: 'getaddrinfo' }, 'before'],
    [{ code: 'EAI_AGAIN' }, 'before'],
    [{ code: 'ETIMEDOUT', syscall: 'connect' }, 'before'],
    [{ code: 'ETIMEDOUT', syscall: 'read' }, 'after'],
    [{ code: 'EHOSTUNREACH', syscall: 'connect' }, 'before'],
    [{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'before'],
    [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'before'],
    [{ code: 'UND_ERR_CONNECT_TIMEOUT' }, 'before'],
    [{ code: 'UND_ERR_HEADERS_TIMEOUT' }, 'after'],
    [{ code: 'UND_ERR_SOCKET' }, 'after'],
    [{ code: 'ECONNRESET', syscall: 'read' }, 'after'],
    [{}, 'after'],
  ])('%j is known to come %s the first byte', (members, when) => {
    expect(noAnswer(new TypeError('fetch failed', { cause: Object.assign(new Error('inner'), members) })).when).toBe(when);
  });

  test('several addresses that all refuse are one refusal', () => {
    const refuse = () => Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' });
    const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET', syscall: 'read' });
    expect(noAnswer(new TypeError('fetch failed', { cause: new AggregateError([refuse(), refuse()]) })).when).toBe('before');
    expect(noAnswer(new TypeError('fetch failed', { cause: new AggregateError([refuse(), reset]) })).when).toBe('after');
  });

  test('more than 64 MB is not read', async () => {
    const piece = new Uint8Array(8 * 1024 * 1024);
    const world = setUp(
      async () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              controller.enqueue(piece);
            },
          }),
        ),
    );
    await expect(world.http.send(read('https://vendor.example/'))).rejects.toMatchObject({ kind: 'ShapeUnexpected' });
    await expect(world.http.send(write('https://vendor.example/'))).rejects.toMatchObject({ kind: 'WriteUncertain' });
  });

  test('a credential with a line break never leaves and is not quoted', async () => {
    const world = setUp(async () => new Response(''));
    const failure = await world.http
      .send(write('https://vendor.example/', { headers: { authorization: 'Bearer s3cret\nhalf' } }))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: 'RequestMalformed' });
    expect(JSON.stringify(failure) + String(failure)).not.toContain('s3cret');
    expect(world.log.total('vendor.calls')).toBe(0);
  });

  test('every request is one log line and one count, without address, headers or bodies', async () => {
    const vendor = await server((request, response, count) => {
      if (count === 1) request.socket.destroy();
      else response.end('private');
    });
    const world = setUp();
    await finish(world.clock, world.http.send(read(`${vendor.url}/things?name=Northgate`)));
    expect(world.log.lines.map((line) => [line.event, line.fields['operation'], line.fields['status'], line.fields['attempt']])).toEqual([
      ['http.sent', 'GET /things', 0, 1],
      ['http.sent', 'GET /things', 200, 2],
    ]);
    expect(world.log.total('vendor.calls', { connection: 'heron', operation: 'GET /things' })).toBe(2);
    expect(JSON.stringify(world.log.lines)).not.toMatch(/Northgate|s3cret|private/);
  });

  test('what is unmetered does not ask the budget', async () => {
    const world = setUp(async () => new Response(''));
    await world.http.send(read('https://vendor.example/', { unmetered: true }));
    expect(world.passed()).toBe(0);
  });
});
