import * as z from 'zod';
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
  /** Changes something, and writes that to the audit. */
  readonly changes: boolean;
  run(connector: Connector, input: Input, operator: Operator): Promise<Output>;
}

/** Keeps input and output typed where an operation is defined, and lets a list hold operations of any. */
export function defineOperation<Input, Output>(operation: Operation<Input, Output>): Operation<Input, Output> {
  return operation;
}

/** What a person types: bounded, so that a pasted file is refused with a sentence and not carried around. */
export const shortText = z.string().trim().min(1, 'must not be empty').max(300, 'is longer than any name here');

/** Which integration an operation is about; all of them when nobody says. */
export const integrationName = shortText.optional();

/** A request nobody can carry out: what was wrong, and an example that works. */
export function refused(sentence: string, fix: string): Failure {
  return new Failure('ConfigurationInvalid', { sentence, fix });
}

type Running = Connector['integrations'][number];

/** The integrations a request is about: the named one, or all. */
export function integrationsOf(connector: Connector, name: string | undefined): readonly Running[] {
  if (name === undefined) return connector.integrations;
  const found = connector.integrations.filter((integration) => integration.name === name);
  if (found.length > 0) return found;
  throw refused(
    `There is no integration "${name}" in this deployment.`,
    `Name one of: ${connector.integrations.map((integration) => integration.name).join(', ')}.`,
  );
}

/** For what can only be done to one integration. */
export function oneIntegration(connector: Connector, name: string | undefined): Running {
  const [first, ...others] = integrationsOf(connector, name);
  if (first && others.length === 0) return first;
  throw refused(
    'This deployment has several integrations.',
    `Add one: --integration ${connector.integrations.map((running) => running.name).join(' | ')}`,
  );
}

/** Whether a full flow key is the flow a person means by `invoices` or `acumatica-zuora.invoices`; nothing means any. */
export function isFlow(flow: string, meant: string | undefined): boolean {
  return meant === undefined || flow === meant || flow.slice(flow.indexOf('.') + 1) === meant;
}

export interface NamedFlow {
  readonly running: Running;
  readonly flow: Running['definition']['flows'][number];
  /** Full key. */
  readonly key: string;
}

/** The flows a request is about: those a person means by a name, or all. A name nobody has is refused with those there are. */
export function flowsOf(connector: Connector, integration: string | undefined, meant: string | undefined): readonly NamedFlow[] {
  const all = integrationsOf(connector, integration).flatMap((running) =>
    running.definition.flows.map((flow): NamedFlow => ({ running, flow, key: `${running.name}.${flow.id}` })),
  );
  const found = all.filter(({ key }) => isFlow(key, meant));
  if (found.length > 0) return found;
  throw refused(`There is no flow "${meant ?? ''}".`, `Use one of: ${[...new Set(all.map(({ flow }) => flow.id))].join(', ')}.`);
}

/** Every item of a list that comes in pages. */
export async function everyPage<Item>(
  read: (after: { readonly after?: string }) => Promise<{ readonly items: readonly Item[]; readonly next?: string | undefined }>,
): Promise<Item[]> {
  const all: Item[] = [];
  let after: string | undefined;
  do {
    const page = await read(after === undefined ? {} : { after });
    all.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return all;
}
