import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { catalog } from '../lib/catalog.ts';
import { loadConfiguration } from '../lib/configuration/load.ts';
import { Failure } from '../lib/failures.ts';
import { ConnectorStack } from './connector-stack.ts';
import { bundleFunctions, writeConfigurationFile } from './parts/function-code.ts';

/**
 * The CDK app: one stack for one connector.yaml. The file is `-c configuration=PATH`, CONNECTOR_CONFIGURATION, connector.yaml here, or, so that a
 * fresh clone synthesizes, the example. A configuration with a mistake stops here, before anything is deployed.
 */
const root = join(import.meta.dirname, '..');
const output = process.env['CDK_OUTDIR'] ?? join(root, 'cdk.out');
const app = new App({ outdir: output });

const named: unknown = app.node.tryGetContext('configuration') ?? process.env['CONNECTOR_CONFIGURATION'];
const own = join(root, 'connector.yaml');
const file = typeof named === 'string' ? named : existsSync(own) ? own : join(root, 'docs', 'examples', 'acumatica-zuora.yaml');

try {
  const configuration = loadConfiguration(readFileSync(file, 'utf8'), catalog);
  const codeFolder = join(output, '.functions');
  await bundleFunctions(codeFolder);
  writeConfigurationFile(codeFolder, configuration);
  new ConnectorStack(app, configuration.stack, {
    configuration,
    codeFolder,
    webhookVendors: Object.values(catalog.vendors)
      .filter((vendor) => vendor.webhooks)
      .map((vendor) => vendor.key),
    description: 'ml-connector: keeps business systems in agreement',
    // The cdk command names both; a table with a key of the customer's own needs to know its region even without it.
    env: { ...accountOf(process.env['CDK_DEFAULT_ACCOUNT']), region: process.env['CDK_DEFAULT_REGION'] ?? 'us-east-1' },
  });
  app.synth();
} catch (error) {
  if (!(error instanceof Failure) && !(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  process.stderr.write(`${file}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function accountOf(account: string | undefined): { readonly account?: string } {
  return account === undefined ? {} : { account };
}
