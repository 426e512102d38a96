import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Architecture, Code, Function as LambdaFunction, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { FunctionEntry } from './function-code.ts';

export interface ConnectorFunctionProps {
  readonly entry: FunctionEntry;
  readonly description: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeout: Duration;
  readonly memoryMb: number;
  /** Folder with the bundled functions and connector.json: one asset for all of them. */
  readonly codeFolder: string;
}

/** One Lambda: an ES module of the common code folder. */
export class ConnectorFunction extends LambdaFunction {
  constructor(scope: Construct, id: string, props: ConnectorFunctionProps) {
    super(scope, id, {
      code: Code.fromAsset(props.codeFolder),
      handler: `${props.entry}.handler`,
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: props.timeout,
      memorySize: props.memoryMb,
      tracing: Tracing.ACTIVE,
      loggingFormat: LoggingFormat.JSON,
      logGroup: new LogGroup(scope, `${id}Log`, { retention: RetentionDays.THREE_MONTHS, removalPolicy: RemovalPolicy.DESTROY }),
      environment: { ...props.environment, NODE_OPTIONS: '--enable-source-maps' },
    });
  }
}
