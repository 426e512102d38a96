import type * as z from 'zod';
import type { Connector } from '../connector.ts';
import { Failure } from '../failures.ts';

/** Who asks: shown in the audit of everything that changes something. */
export interface Operator {
  readonly name: string;
}

/**
 * One thing a person may ask of a connector. The CLI, the console and the sandbox all come through here, so none of them grows logic of its own.
 * Input is checked by its schema before `run`; output is plain JSON.
 */
export interface Operation<Input = unknown, Output = unknown> {
  /** `dlq-list`: path of the operations API and name in the CLI. */
  readonly name: string;
  readonly summary: string;
  readonly input: z.ZodType<Input>;
  /** Changes something: asked for confirmation by the CLI, and written to the audit. */
  readonly changes: boolean;
  run(connector: Connector, input: Input, operator: Operator): Promise<Output>;
}

/** Keeps input and output typed where an operation is defined, and lets a list hold operations of any. */
export function defineOperation<Input, Output>(operation: Operation<Input, Output>): Operation<Input, Output> {
  return operation;
}

/** A request nobody can carry out: what was wrong, and an example that works. */
export function refused(sentence: string, fix: string): Failure {
  return new Failure('ConfigurationInvalid', { sentence, fix });
}

/** The integrations a request is about: the named one, or all. */
export function integrationsOf(connector: Connector, name: string | undefined): Connector['integrations'] {
  if (name === undefined) return connector.integrations;
  const found = connector.integrations.filter((integration) => integration.name === name);
  if (found.length > 0) return found;
  throw refused(
    `There is no integration "${name}" in this deployment.`,
    `Name one of: ${connector.integrations.map((integration) => integration.name).join(', ')}.`,
  );
}
