import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Architecture, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

export interface ConnectorFunctionProps {
  /** File in functions/, without extension. */
  readonly entry: string;
  readonly description: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeout: Duration;
  readonly memoryMb: number;
  /** The checked configuration, put beside the code as connector.json. */
  readonly configurationFile: string;
}

/** The repository: infra is run from its root, by npm scripts and by the cdk command alike. */
const root = join(import.meta.dirname, '..', '..');

/** One Lambda: an ES module with the SDK inside, which starts faster than one that loads the SDK of the runtime. */
export class ConnectorFunction extends NodejsFunction {
  constructor(scope: Construct, id: string, props: ConnectorFunctionProps) {
    super(scope, id, {
      entry: join(root, 'functions', `${props.entry}.ts`),
      projectRoot: root,
      depsLockFilePath: join(root, 'package-lock.json'),
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: props.timeout,
      memorySize: props.memoryMb,
      tracing: Tracing.ACTIVE,
      loggingFormat: LoggingFormat.JSON,
      logGroup: new LogGroup(scope, `${id}Log`, { retention: RetentionDays.THREE_MONTHS, removalPolicy: RemovalPolicy.DESTROY }),
      environment: { ...props.environment, NODE_OPTIONS: '--enable-source-maps' },
      bundling: {
        format: OutputFormat.ESM,
        target: 'node20',
        minify: true,
        sourceMap: true,
        sourcesContent: false,
        mainFields: ['module', 'main'],
        externalModules: [],
        esbuildArgs: { '--alias:@aws-sdk/credential-provider-node': join(root, 'functions', 'lambda-credentials.ts') },
        banner: "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);",
        commandHooks: {
          beforeBundling: () => [],
          beforeInstall: () => [],
          afterBundling: (_input: string, output: string) => [`cp "${props.configurationFile}" "${output}/connector.json"`],
        },
      },
    });
  }
}

/** Writes the checked configuration where the bundler picks it up: the functions read JSON and need no YAML reader. */
export function writeConfigurationFile(outputFolder: string, configuration: unknown): string {
  mkdirSync(outputFolder, { recursive: true });
  const file = join(outputFolder, 'connector.json');
  writeFileSync(file, `${JSON.stringify(configuration, null, 2)}\n`);
  return file;
}
