import { describe, expect, test } from 'vitest';
import { findRoute, type Route, replyOf } from '../../../sandbox/rehearsal/http-api.ts';
import { isText } from '../../../sandbox/rehearsal/http-api-event.ts';
import type { LocalFunction } from '../../../sandbox/rehearsal/lambda.ts';

const unused: LocalFunction = {
  definition: {
    logicalId: 'F',
    name: 'f',
    arn: 'arn',
    folder: '',
    handler: 'index.handler',
    timeoutSeconds: 3,
    memoryMb: 128,
    environment: {},
    credentials: { accessKeyId: '', secretAccessKey: '' },
    region: 'us-east-1',
  },
  invoke: async () => ({ ok: true, payload: 'null' }),
  workers: () => 0,
  kill: () => 0,
  close: async () => undefined,
};
const routes = ['GET /a/{id}', 'ANY /a/{proxy+}', 'GET /a/b', 'ANY /a/b', 'POST /a/{id}/c', '$default'].map(
  (routeKey): Route => ({ routeKey, function: unused, signed: false, timeoutMs: 1000 }),
);

test.each([
  ['GET', '/a/b', 'GET /a/b', {}],
  ['PUT', '/a/b', 'ANY /a/b', {}],
  ['GET', '/a/x%2Fy', 'GET /a/{id}', { id: 'x/y' }],
  ['PUT', '/a/x', 'ANY /a/{proxy+}', { proxy: 'x' }],
  ['GET', '/a/x/y/z', 'ANY /a/{proxy+}', { proxy: 'x/y/z' }],
  ['POST', '/a/x/c', 'POST /a/{id}/c', { id: 'x' }],
  ['GET', '/b', '$default', {}],
  ['GET', '/a', '$default', {}],
  ['GET', '/a/', '$default', {}],
])('%s %s goes to %s', (method, path, routeKey, parameters) => {
  const found = findRoute(routes, method, path);
  expect([found?.route.routeKey, found?.parameters]).toEqual([routeKey, parameters]);
});

test('without $default nothing is found', () => {
  expect(findRoute(routes.slice(0, -1), 'GET', '/b')).toBeUndefined();
});

test.each([
  ['application/json', undefined, true],
  ['application/json; charset=utf-8', undefined, true],
  ['Text/Plain', undefined, true],
  ['application/xml', undefined, true],
  ['application/javascript', undefined, true],
  ['application/json', 'gzip', false],
  ['application/problem+json', undefined, false],
  ['application/x-www-form-urlencoded', undefined, false],
  ['application/octet-stream', undefined, false],
  [undefined, undefined, false],
])('a body of type %s and encoding %s is text: %s', (type, encoding, text) => {
  expect(isText(type, encoding)).toBe(text);
});

describe('the answer of a function', () => {
  test.each<[string, unknown, number, string, string]>([
    ['an object without status code', { a: 1 }, 200, 'application/json', '{"a":1}'],
    ['a text', 'hello', 200, 'application/json', 'hello'],
    ['a status alone', { statusCode: 204 }, 204, 'text/plain;charset=UTF-8', ''],
    ['with headers', { statusCode: '201', headers: { 'Content-Type': 'text/csv', 'X-N': 1 }, body: 'a,b' }, 201, 'text/csv', 'a,b'],
    ['base64', { statusCode: 200, body: 'aGk=', isBase64Encoded: true }, 200, 'text/plain;charset=UTF-8', 'hi'],
  ])('%s', (_, result, status, type, body) => {
    const reply = replyOf(JSON.stringify(result));
    expect([reply?.status, Object.fromEntries(reply?.headers ?? [])['content-type'], reply?.body.toString()]).toEqual([status, type, body]);
  });

  test.each([['{"statusCode":"many"}'], ['{"statusCode":200,"body":{"a":1}}'], ['{"statusCode":99}'], ['not JSON']])(
    '%s is none',
    (payload) => {
      expect(replyOf(payload)).toBeUndefined();
    },
  );
});
