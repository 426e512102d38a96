import { describe, expect, test } from 'vitest';
import { type Environment, environmentRecord, parseEnvironment } from '../../lib/aws/environment.ts';

const environment: Environment = {
  stack: 'ml-connector-kestrel',
  linksTable: 'links',
  auditTable: 'audit',
  stateTable: 'state',
  alertTopic: 'arn:aws:sns:eu-central-1:123456789012:alerts',
  configurationPath: 'connector.json',
  auditYears: 10,
  queues: {
    'acumatica-zuora': {
      live: 'https://sqs.eu-central-1.amazonaws.com/123456789012/live',
      bulk: 'https://sqs.eu-central-1.amazonaws.com/123456789012/bulk',
      dead: 'http://127.0.0.1:4100/123456789012/dead',
    },
  },
};

describe('environment of a function', () => {
  test('what the deployment writes is what the function reads', () => {
    expect(parseEnvironment({ ...environmentRecord(environment), PATH: '/usr/bin' })).toEqual(environment);
  });

  test.each(Object.keys(environmentRecord(environment)))('without %s the failure names it', (name) => {
    const { [name]: _left, ...rest } = environmentRecord(environment) as Record<string, string>;
    expect(() => parseEnvironment(rest)).toThrow(
      expect.objectContaining({ kind: 'ConfigurationInvalid', message: expect.stringContaining(name) }),
    );
  });

  test('every mistake is named at once', () => {
    const wrong = { ...environmentRecord(environment), AUDIT_YEARS: 'many', QUEUE_URLS: '{"half":', STACK_NAME: '' };
    expect(() => parseEnvironment(wrong)).toThrow(/STACK_NAME.*AUDIT_YEARS.*QUEUE_URLS: is not JSON/);
  });
});
