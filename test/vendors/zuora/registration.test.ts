import { afterEach, describe, expect, test } from 'vitest';
import { calloutEvents } from '../../../lib/vendors/zuora/callout-events.ts';
import { openZuora } from '../../../lib/vendors/zuora/client.ts';
import { type Act, type Got, json, openStage, type Stage } from '../../conformance/vendor-stage.ts';
import { accountRow, connectionAt } from './fixtures.ts';

const stages: Stage[] = [];
afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage.close()));
});

type Thing = Record<string, unknown>;
const families = ['/notifications/callout-templates', '/notifications/notification-definitions', '/events/event-triggers'];
const profiles = ['8ad08c9f8c0000018c0000000aa00010', '8ad08c9f8c0000018c0000000aa00020'];

/** A Zuora that keeps what is registered, two at a page, and hides secrets. */
async function play(settings: Readonly<Record<string, unknown>> = {}) {
  const kept = new Map<string, Thing[]>(families.map((family) => [family, []]));
  let next = 0;
  const answer = (request: Got): Act => {
    if (request.path === '/oauth/token') return json({ access_token: 'token-1', expires_in: 3598 });
    if (request.path === '/object-query/accounts') {
      const left = profiles.filter((profile) => !request.query.getAll('filter[]').includes(`communicationprofileid.NE:${profile}`));
      return json({ data: left.slice(0, 1).map((communicationProfileId) => ({ ...accountRow, communicationProfileId })) });
    }
    const family = families.find((path) => request.path.startsWith(path)) ?? '';
    const things = kept.get(family) ?? [];
    if (request.method === 'GET') {
      const start = Number(request.query.get('start') ?? '0');
      const data = things.slice(start, start + 2).map(({ hmacSecret: _hidden, ...shown }) => shown);
      return json({ data, next: start + 2 < things.length ? `/notifications/x?start=${start + 2}&limit=2` : null });
    }
    const body = JSON.parse(request.body) as Thing;
    if (request.method === 'POST') {
      next += 1;
      const made = { ...body, id: `id-${next}` };
      things.push(made);
      return json(made);
    }
    const found = things.find((thing) => thing['id'] === request.path.split('/').at(-1));
    return found ? json(Object.assign(found, body)) : json({ code: 'ObjectNotFound', message: 'gone' }, 404);
  };
  const stage = await openStage(answer);
  stages.push(stage);
  const client = openZuora(connectionAt(stage.url, { settings }), stage.io);
  const writes = () => stage.got.filter((request) => request.method !== 'GET' && request.path !== '/oauth/token');
  return { stage, client, kept, writes, of: (family: string) => kept.get(families.find((path) => path.endsWith(family)) ?? '') ?? [] };
}

const ask = { integration: 'acumatica-zuora', url: 'https://hooks.mlconnector.example/zuora/kestrel-billing' };

describe('registering callouts', () => {
  test('makes a template, a definition on every profile, and triggers for events Zuora does not have', async () => {
    const { client, of, writes } = await play();
    const done = await client.registerCallouts(ask);
    expect(of('callout-templates')).toHaveLength(calloutEvents.length);
    expect(of('callout-templates').find((template) => template['eventCategory'] === 2720)).toMatchObject({
      name: 'mlc acumatica-zuora CreditMemoPosted',
      calloutBaseurl: ask.url,
      httpMethod: 'POST',
      active: true,
      calloutRetry: true,
      useCustomRequestBody: true,
      customRequestBody: '{"event":"CreditMemoPosted","objectId":"{{DataSource.CreditMemo.Id}}"}',
      hmacAlgorithm: 'SHA-256',
      hmacOutputFormat: 'BASE64',
      hmacSecret: 'ml-Hmac_s3cret/2026+Zuora=',
      hmacData: '{{Request.Body}}',
      hmacKey: 'X-Zuora-Signature',
      hmacValue: '{{Request.HMAC.Signed}}',
    });
    expect(of('notification-definitions')[0]).toMatchObject({
      name: 'mlc acumatica-zuora InvoicePosted',
      eventCategory: 1110,
      active: true,
      calloutActive: true,
      emailActive: false,
      communicationProfileIds: profiles,
      calloutTemplateIds: [of('callout-templates')[0]?.['id']],
    });
    expect(of('event-triggers').map((trigger) => trigger['baseObject'])).toEqual(['Account', 'Contact']);
    expect(JSON.stringify(of('event-triggers')[0])).toContain('Account.Name != Account.Name_old');
    expect(
      writes().every((request) => request.method !== 'POST' || /^mlc-[0-9A-Z]{26}$/.test(request.headers['idempotency-key'] ?? '')),
    ).toBe(true);
    expect(done.join(' ')).not.toContain('ml-Hmac_s3cret');
  });

  test('a second time writes nothing', async () => {
    const { client, writes } = await play();
    await client.registerCallouts(ask);
    const before = writes().length;
    expect(await client.registerCallouts(ask)).toEqual(['Everything is registered already.']);
    expect(writes()).toHaveLength(before);
  });

  test('repairs what a person changed, attaches new profiles, and says so', async () => {
    const { client, of } = await play();
    await client.registerCallouts(ask);
    Object.assign(of('callout-templates')[0] ?? {}, { active: false, httpMethod: 'GET' });
    Object.assign(of('notification-definitions')[1] ?? {}, { calloutActive: false });
    Object.assign(of('notification-definitions')[2] ?? {}, { communicationProfileIds: [profiles[0]] });
    Object.assign(of('event-triggers')[0] ?? {}, { active: false });
    const done = await client.registerCallouts(ask);
    expect(done).toEqual([
      'Repaired callout template “mlc acumatica-zuora InvoicePosted” (active, httpMethod).',
      'Repaired notification definition “mlc acumatica-zuora BillRunCompletion”.',
      'Repaired notification definition “mlc acumatica-zuora PaymentProcessed”: now on 2 profiles.',
      'Repaired event trigger “MlcAccountChanged”.',
    ]);
    expect(await client.registerCallouts(ask)).toEqual(['Everything is registered already.']);
  });

  test('a new secret is written on request, because Zuora does not show the old one', async () => {
    const { client, of } = await play();
    await client.registerCallouts({ ...ask, events: ['InvoicePosted'] });
    Object.assign(of('callout-templates')[0] ?? {}, { hmacSecret: 'old' });
    expect(await client.registerCallouts({ ...ask, events: ['InvoicePosted'], rewriteSecrets: true })).toEqual([
      'Repaired callout template “mlc acumatica-zuora InvoicePosted” (secrets).',
    ]);
    expect(of('callout-templates')[0]?.['hmacSecret']).toBe('ml-Hmac_s3cret/2026+Zuora=');
  });

  test('without permission it answers the instructions, and never the secret', async () => {
    const { client, stage } = await play();
    stage.interrupt((request) =>
      request.path.startsWith('/notifications')
        ? json({ success: false, reasons: [{ code: 53100010, message: 'No access' }] }, 403)
        : undefined,
    );
    const done = (await client.registerCallouts({ ...ask, events: ['InvoicePosted', 'MlcAccountChanged'] })).join('\n');
    expect(done).toContain('standard event 1110; body {"event":"InvoicePosted","objectId":"{{DataSource.Invoice.Id}}"}');
    expect(done).toContain('custom event MlcAccountChanged on Account');
    expect(done).toContain('header X-Zuora-Signature');
    expect(done).not.toContain('ml-Hmac_s3cret');
  });

  test('user and password, or a path token, take the place of the signature', async () => {
    const basic = await play({ callouts: { mode: 'basic' } });
    await basic.client.registerCallouts({ ...ask, events: ['InvoicePosted'] });
    expect(basic.of('callout-templates')[0]).toMatchObject({
      requiredAuth: true,
      calloutAuth: { username: 'zuora-callout', password: 'b4sic:Pass', preemptive: true },
    });
    const unsigned = await play({ callouts: { mode: 'unsigned' } });
    await unsigned.client.registerCallouts({ ...ask, events: ['InvoicePosted'] });
    expect(unsigned.of('callout-templates')[0]).toMatchObject({ calloutBaseurl: `${ask.url}?token=t-7f3a9c21d4e8` });
    expect(unsigned.of('callout-templates')[0]).not.toHaveProperty('hmacKey');
  });

  test('inspection names what would arrive by poll only', async () => {
    const { client, of } = await play();
    const two = { ...ask, events: ['InvoicePosted', 'PaymentProcessed'] };
    expect((await client.inspectCallouts(two)).map((result) => result.level)).toEqual(['amber', 'amber']);
    await client.registerCallouts(two);
    expect(await client.inspectCallouts(two)).toMatchObject([{ id: 'Z6', level: 'green' }]);
    Object.assign(of('notification-definitions')[0] ?? {}, { communicationProfileIds: [profiles[0]] });
    expect(await client.inspectCallouts(two)).toMatchObject([
      { id: 'Z6', level: 'amber', sentence: expect.stringContaining(`Communication profile ${profiles[1]}`) },
    ]);
  });
});
