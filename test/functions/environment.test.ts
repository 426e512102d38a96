import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answerOf, batchOf, collectOutput, context } from './deployment.ts';

/** Functions that were deployed with less than they need: each says which variable, in its answer or in its log. */

const complete: Readonly<Record<string, string>> = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'never-shown-key',
  STACK_NAME: 'kestrel',
  LINKS_TABLE: 'l',
  AUDIT_TABLE: 'a',
  STATE_TABLE: 's',
  ALERT_TOPIC_ARN: 'arn:aws:sns:eu-central-1:000000000000:t',
  CONFIGURATION_PATH: 'connector.json',
  AUDIT_YEARS: '7',
  QUEUE_URLS: '{}',
};
let output: ReturnType<typeof collectOutput>;

beforeEach(() => {
  vi.resetModules();
  for (const [name, value] of Object.entries(complete)) vi.stubEnv(name, value);
  output = collectOutput();
});
afterEach(() => {
  output.stop();
  vi.unstubAllEnvs();
});

type Handler = (event: unknown, given: ReturnType<typeof context>) => Promise<unknown>;
const call = (handler: unknown): Handler => handler as Handler;

describe('a function without its variables', () => {
  it.each([
    ['QUEUE_URLS', undefined, 'QUEUE_URLS'],
    ['QUEUE_URLS', '{not json', 'QUEUE_URLS: is not JSON'],
    ['LINKS_TABLE', '', 'LINKS_TABLE'],
    ['AUDIT_YEARS', 'seven', 'AUDIT_YEARS'],
    ['CONFIGURATION_PATH', 'nowhere.json', 'CONFIGURATION_PATH names'],
  ])('%s = %s: the operator is told, with 500', async (name, value, told) => {
    if (value === undefined) vi.stubEnv(name, undefined);
    else vi.stubEnv(name, value);
    const { handler } = await import('../../functions/operations.ts');
    const answer = await answerOf(handler, { path: '/operations/status', parameters: { operation: 'status' }, body: '{}' });
    expect(answer.status).toBe(500);
    expect(answer.body).toContain(told);
    expect(answer.body).not.toContain('never-shown-key');
    expect(output.text()).toContain('operation.failed');
  });

  it('a vendor is told to send it again, with 503 and not a word of why; the log has the variable', async () => {
    vi.stubEnv('STATE_TABLE', undefined);
    const { handler } = await import('../../functions/receive-webhook.ts');
    expect(await answerOf(handler, { path: '/webhooks/acumatica-zuora/zuora', body: '{}' })).toEqual({
      status: 503,
      body: '{"success":false}',
    });
    expect(output.text()).toContain('STATE_TABLE');
    expect(output.text()).not.toContain('never-shown-key');
  });

  it('a worker and a poll fail as a whole, so that nothing is taken for done', async () => {
    vi.stubEnv('AUDIT_TABLE', undefined);
    const { handler: work } = await import('../../functions/process-changes.ts');
    const { handler: poll } = await import('../../functions/poll.ts');
    await expect(call(work)(batchOf('live', [{ id: 'm', body: '{}' }]), context())).rejects.toThrow('AUDIT_TABLE');
    await expect(call(poll)({ integration: 'acumatica-zuora' }, context())).rejects.toThrow('AUDIT_TABLE');
    expect(output.text()).toContain('function.failed');
  });

  it('no value of a variable is ever shown', async () => {
    vi.stubEnv('QUEUE_URLS', '{"acumatica-zuora":{"live":"token-in-here"}}');
    const { handler } = await import('../../functions/operations.ts');
    const answer = await answerOf(handler, { path: '/operations/status', parameters: { operation: 'status' }, body: '{}' });
    expect(answer.status).toBe(500);
    expect(`${answer.body}${output.text()}`).not.toContain('token-in-here');
  });
});
