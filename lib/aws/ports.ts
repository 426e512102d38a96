import type { Logger } from '@aws-lambda-powertools/logger';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { Failure } from '../failures.ts';
import { createOrderedIds } from '../memory/ordered-ids.ts';
import { createAwsAlerts } from './alerts.ts';
import { createAwsAuditStore } from './audit-store.ts';
import { createAwsDeadLetters, createAwsQueue } from './change-queue.ts';
import { createDynamo } from './dynamo.ts';
import type { Environment } from './environment.ts';
import { createAwsLinkStore } from './link-store.ts';
import { createAwsLog } from './log.ts';
import { createAwsSecretStore } from './secret-store.ts';
import { createAwsStateStore } from './state-store.ts';
import { systemClock, systemRandom } from './system-clock.ts';

const metricsNamespace = 'ml-connector';

/**
 * Every port on AWS, for what the deployment told this function. The SDK finds region, credentials and, in a rehearsal, addresses
 * (`AWS_ENDPOINT_URL…`) in the environment by itself; SNS has no client of its own here and is given `snsEndpoint`. Call `log.flush()` at the end of an invocation.
 */
export function createAwsPorts(environment: Environment, parts: { readonly logger: Logger; readonly snsEndpoint?: string }) {
  const clock = systemClock;
  const random = systemRandom;
  const ids = createOrderedIds({ clock, random });
  const dynamo = createDynamo({ clock, random });
  const sqs = new SQSClient({});
  const audit = createAwsAuditStore({ dynamo, table: environment.auditTable, years: environment.auditYears });
  const { snsEndpoint } = parts;
  const fetch = (url: string, init: RequestInit) => globalThis.fetch(url, init);

  function urlsOf(integration: string) {
    const urls = environment.queues[integration];
    if (urls) return urls;
    throw new Failure('ConfigurationInvalid', {
      cause: 'environment',
      actor: 'us',
      sentence: `This function has no queues for the integration ${integration}.`,
      fix: 'Deploy the stack again after every change of connector.yaml.',
    });
  }

  return {
    clock,
    random,
    ids,
    log: createAwsLog({ logger: parts.logger, clock, namespace: metricsNamespace, stack: environment.stack }),
    links: createAwsLinkStore({ dynamo, table: environment.linksTable, audit, ids }),
    audit,
    state: createAwsStateStore({ dynamo, table: environment.stateTable, ids }),
    secrets: createAwsSecretStore({ client: new SecretsManagerClient({}), ids }),
    alerts: createAwsAlerts({
      topicArn: environment.alertTopic,
      credentials: () => dynamo.client.config.credentials(),
      fetch,
      clock,
      ...(snsEndpoint === undefined ? {} : { endpoint: snsEndpoint }),
    }),
    queue: (integration: string) => createAwsQueue({ client: sqs, clock, random, urls: urlsOf(integration) }),
    deadLetters: (integration: string) => createAwsDeadLetters({ client: sqs, url: urlsOf(integration).dead }),
    gauge: (integration: string) => createAwsQueue({ client: sqs, clock, random, urls: urlsOf(integration) }),
    fetch,
  };
}
