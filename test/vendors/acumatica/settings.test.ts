import { describe, expect, test } from 'vitest';
import { acumatica } from '../../../lib/vendors/acumatica/vendor.ts';

const parse = (more: Readonly<Record<string, unknown>>) =>
  acumatica.settings.safeParse({ url: 'https://erp.example.com/kestrel/', tenant: 'ACME', ...more });

describe('settings of a connection', () => {
  test('need an address and a tenant, and have a default for the rest', () => {
    expect(parse({}).data).toEqual({
      url: 'https://erp.example.com/kestrel',
      endpoint: 'Default',
      version: '24.200.001',
      tenant: 'ACME',
      grant: 'authorization-code',
      refreshTokens: { absoluteDays: 30 },
      requestsPerMinute: 45,
      sessions: 1,
    });
  });

  test.each([
    ['http to another machine', { url: 'http://erp.example.com' }, /https/],
    ['something that is no URL', { url: 'erp.example.com' }, /not a URL/],
    ['an address below the tenant', { url: 'https://erp.example.com/acme/entity/Default' }, /too deep/],
    ['a password in the address', { url: 'https://a:b@erp.example.com' }, /credentials/],
    ['contract 5', { version: '26.200.001' }, /contract 5/],
    ['a version that never was', { version: '21.200.001' }, /not supported/],
    ['more than one session', { sessions: 2 }, /only 1/],
    ['a misspelt setting', { tennant: 'ACME' }, /tennant/],
  ])('refuse %s', (_name, more, message) => {
    expect(parse(more).error?.message).toMatch(message);
  });

  test('allow http on this machine', () => {
    expect(parse({ url: 'http://127.0.0.1:4711/acme' }).success).toBe(true);
  });
});
