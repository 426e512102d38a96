import { afterAll, describe, expect, test } from 'vitest';
import { createAwsAlerts } from '../../lib/aws/alerts.ts';
import { createHandTurnedClock } from '../../lib/memory/hand-turned-clock.ts';
import { startSns } from '../../sandbox/cloud/sns.ts';

const clock = createHandTurnedClock(new Date('2026-03-02T08:00:00.000Z'));
const sns = await startSns({ clock, topics: [{ name: 'alerts' }], place: { region: 'eu-central-1', accountId: '123456789012' } });
afterAll(() => sns.close());

function alertsFor(topic: string, sent: { authorization?: string | null } = {}) {
  return createAwsAlerts({
    topicArn: `arn:aws:sns:eu-central-1:123456789012:${topic}`,
    credentials: async () => ({ accessKeyId: 'AKIDTEST', secretAccessKey: 's3cret' }),
    fetch: (url, init) => {
      sent.authorization = new Headers(init.headers).get('authorization');
      return fetch(url, init);
    },
    clock,
    endpoint: sns.url,
  });
}

describe('alerts by SNS', () => {
  test('a person gets sentence and fix; the subject is one short line of ASCII', async () => {
    const sent: { authorization?: string | null } = {};
    await alertsFor('alerts', sent).raise({
      key: 'circuit|kestrel-erp',
      integration: 'acumatica-zuora',
      sentence: `Acumatica refuses the password of “kestrel-erp”.\n${'Everything waits. '.repeat(10)}`,
      fix: 'Enter the new password.',
    });
    const [published] = sns.published();
    expect(published?.message).toMatch(/refuses the password of “kestrel-erp”[\s\S]*Enter the new password\.[\s\S]*circuit\|kestrel-erp/);
    expect(published?.subject).toMatch(/^ml-connector acumatica-zuora: Acumatica refuses [\x20-\x7E]+\.\.\.$/);
    expect(sent.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDTEST\/20260302\/eu-central-1\/sns\/aws4_request, /);
  });

  test('a topic that does not exist is a matter of the deployment', async () => {
    await expect(alertsFor('nobody').raise({ key: 'x', integration: 'acumatica-zuora', sentence: 'x' })).rejects.toMatchObject({
      kind: 'ConfigurationInvalid',
      record: { code: 'NotFound' },
    });
  });
});
