import { problemsOf, problemsText } from '../configuration/problem.ts';
import type { Connector } from '../connector.ts';
import { audit } from './audit.ts';
import { check } from './check.ts';
import { listDeadLetters, purgeDeadLetters, redriveDeadLetters } from './dead-letters.ts';
import { explain } from './explain.ts';
import { holds, waiting } from './holds.ts';
import { decide, linkRecords, unlinkRecords } from './links.ts';
import { mappings, setMapping } from './mappings.ts';
import { setMode } from './modes.ts';
import { type Operation, type Operator, refused } from './operation.ts';
import { plans } from './plans.ts';
import { poll } from './poll.ts';
import { register } from './register.ts';
import { replay } from './replay.ts';
import { report, reports } from './reports.ts';
import { status } from './status.ts';

/** Everything a person may ask, by name. */
export const operations: readonly Operation[] = [
  audit,
  check,
  decide,
  explain,
  holds,
  linkRecords,
  listDeadLetters,
  mappings,
  plans,
  poll,
  purgeDeadLetters,
  redriveDeadLetters,
  register,
  replay,
  report,
  reports,
  setMapping,
  setMode,
  status,
  unlinkRecords,
  waiting,
];

/** Runs one operation on input of any kind. Fails with ConfigurationInvalid that says what was wrong with the request. */
export async function runOperation(connector: Connector, name: string, input: unknown, operator: Operator): Promise<unknown> {
  const operation = operations.find((candidate) => candidate.name === name);
  if (!operation)
    throw refused(
      `There is no operation "${name.slice(0, 60)}".`,
      `Use one of: ${operations.map((candidate) => candidate.name).join(', ')}.`,
    );
  const parsed = operation.input.safeParse(input);
  if (!parsed.success)
    throw refused(
      `The request for ${name} cannot be read: ${problemsText(problemsOf(parsed.error)).slice(0, 2000)}`,
      'Correct the request; nothing was changed.',
    );
  try {
    return await operation.run(connector, parsed.data, operator);
  } finally {
    for (const integration of connector.integrations) await connector.release(integration.name).catch(() => undefined);
  }
}
