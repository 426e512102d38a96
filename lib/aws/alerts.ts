import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { Failure } from '../failures.ts';
import type { Alert, Alerts } from '../ports/alerts.ts';
import type { Clock } from '../ports/clock.ts';

const timeoutMs = 10_000;
/** SNS takes 100 characters of ASCII on one line. */
const longestSubject = 100;

export interface AwsAlertsParts {
  readonly topicArn: string;
  readonly credentials: () => Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }>;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
  /** Instead of the region's own address. */
  readonly endpoint?: string;
}

/**
 * Alerts by SNS: one signed form, so that no further client is needed.
 * Fails: VendorUnavailable, ConfigurationInvalid (no topic, no right to publish).
 * Source: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html (read 2026-11-21)
 */
export function createAwsAlerts(parts: AwsAlertsParts): Alerts {
  const [, partition = 'aws', , region = ''] = parts.topicArn.split(':');
  const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  const address = new URL(parts.endpoint ?? `https://sns.${region}.${suffix}/`);
  const signer = new SignatureV4({ service: 'sns', region, credentials: parts.credentials, sha256: Sha256 });

  return {
    async raise(alert) {
      const body = new URLSearchParams({
        Action: 'Publish',
        Version: '2010-03-31',
        TopicArn: parts.topicArn,
        Subject: subjectOf(alert),
        Message: messageOf(alert),
      }).toString();
      const signed = await signer.sign(
        {
          method: 'POST',
          protocol: address.protocol,
          hostname: address.hostname,
          ...(address.port === '' ? {} : { port: Number(address.port) }),
          path: address.pathname,
          query: {},
          headers: { host: address.host, 'content-type': 'application/x-www-form-urlencoded' },
          body,
        },
        { signingDate: parts.clock.now() },
      );
      const { host: _host, ...headers } = signed.headers;
      const response = await parts.fetch(address.href, { method: 'POST', headers, body, signal: AbortSignal.timeout(timeoutMs) });
      const text = await response.text();
      if (!response.ok) throw refused(response.status, /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? '');
    },
  };
}

function subjectOf(alert: Alert): string {
  const subject = `ml-connector ${alert.integration}: ${alert.sentence}`.replace(/[^\x20-\x7E]+/g, ' ');
  return subject.length <= longestSubject ? subject : `${subject.slice(0, longestSubject - 3)}...`;
}

function messageOf(alert: Alert): string {
  return [
    alert.sentence,
    ...(alert.fix === undefined ? [] : ['', alert.fix]),
    '',
    `Integration ${alert.integration}, occasion ${alert.key}.`,
  ].join('\n');
}

function refused(status: number, code: string): Failure {
  const lasting = status >= 400 && status < 500 && status !== 429 && code !== 'Throttling' && code !== 'ThrottlingException';
  return new Failure(lasting ? 'ConfigurationInvalid' : 'VendorUnavailable', {
    cause: 'alerts',
    sentence: `SNS did not take an alert (${status} ${code}).`,
    ...(lasting ? { fix: 'Deploy the stack again: the topic or the right to publish on it is missing.' } : {}),
    code,
  });
}
