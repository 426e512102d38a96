import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Logger } from '@aws-lambda-powertools/logger';
import { parseEnvironment } from '../lib/aws/environment.ts';
import { createAwsPorts } from '../lib/aws/ports.ts';
import { type Configuration, configurationSchema } from '../lib/configuration/schema.ts';
import { type Connector, createConnector } from '../lib/connector.ts';
import { Failure } from '../lib/failures.ts';
import type { QueueName } from '../lib/ports/change-queue.ts';

/**
 * The one composition root on AWS: environment → ports → catalog → connector. Made at the first call and not at import, so that tests import a
 * function freely and a function that lacks a variable says so in its answer.
 */
export const logger = new Logger({ serviceName: process.env['STACK_NAME'] ?? 'ml-connector' });

let ports: ReturnType<typeof createAwsPorts> | undefined;
const connectors = new Map<QueueName, Connector>();

/** The connector for live work, or for bulk work, which gives way to it where a vendor allows one session only. */
export async function connectorFor(queue: QueueName = 'live'): Promise<Connector> {
  const known = connectors.get(queue);
  if (known) return known;
  const environment = parseEnvironment(process.env);
  const snsEndpoint = process.env['AWS_ENDPOINT_URL_SNS'];
  ports ??= createAwsPorts(environment, { logger, ...(snsEndpoint === undefined ? {} : { snsEndpoint }) });
  const configuration = readConfiguration(join(process.env['LAMBDA_TASK_ROOT'] ?? '.', environment.configurationPath));
  // A file of its own in the deployment: a function starts without the vendors and flows, and a missing variable is told before they are loaded.
  const { catalog } = await import('../lib/catalog.ts');
  const connector = createConnector({ configuration, catalog, ports, queue });
  connectors.set(queue, connector);
  return connector;
}

/** Checked in full by the synthesis; here only its shape, so that a function starts fast. */
function readConfiguration(file: string): Configuration {
  try {
    return configurationSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new Failure('ConfigurationInvalid', {
      cause: 'environment',
      actor: 'us',
      sentence: `The function was deployed with a configuration that cannot be read (CONFIGURATION_PATH names ${file}).`,
      fix: 'Deploy the stack again; the file is part of the deployment and never edited by hand.',
      error,
    });
  }
}

export async function flushMetrics(): Promise<void> {
  ports?.log.flush();
}
