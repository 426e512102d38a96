import { problemsOf, problemsText } from '../configuration/problem.ts';
import type { Connector } from '../connector.ts';
import { audit } from './audit.ts';
import { check } from './check.ts';
import { listDeadLetters, purgeDeadLetters, redriveDeadLetters } from './dead-letters.ts';
import { explain } from './explain.ts';
import { holds } from './holds.ts';
import { decide, linkRecords, unlinkRecords } from './links.ts';
import { type Operation, type Operator, refused } from './operation.ts';
import { poll } from './poll.ts';
import { replay } from './replay.ts';
import { setMapping, setMode } from './settings.ts';
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
  poll,
  purgeDeadLetters,
  redriveDeadLetters,
  replay,
  setMapping,
  setMode,
  status,
  unlinkRecords,
];

/** Runs one operation on input of any kind. Fails with ConfigurationInvalid that says what was wrong with the request. */
export async function runOperation(connector: Connector, name: string, input: unknown, operator: Operator): Promise<unknown> {
  const operation = operations.find((candidate) => candidate.name === name);
  if (!operation)
    throw refused(`There is no operation "${name}".`, `Use one of: ${operations.map((candidate) => candidate.name).join(', ')}.`);
  const parsed = operation.input.safeParse(input);
  if (!parsed.success)
    throw refused(
      `The request for ${name} cannot be read: ${problemsText(problemsOf(parsed.error))}`,
      'Correct the request; nothing was changed.',
    );
  return operation.run(connector, parsed.data, operator);
}
