import * as z from 'zod';
import type { Connector } from '../connector.ts';
import type { CheckResult } from '../contracts/vendor.ts';
import { asFailure } from '../failures.ts';
import { defineOperation, integrationName, integrationsOf } from './operation.ts';

export interface CheckedPart {
  readonly integration: string;
  /** The connection, or the pair itself. */
  readonly part: string;
  readonly results: readonly CheckResult[];
}

/** Is everything ready to write: both connections, then what the pair needs of them. The pair is asked only when both connections work. */
export const check = defineOperation({
  name: 'check',
  summary: 'Is every connection ready, and if not, who does what.',
  input: z.strictObject({ integration: integrationName }),
  changes: false,
  async run(connector, request) {
    const parts: CheckedPart[] = [];
    for (const running of integrationsOf(connector, request.integration)) parts.push(...(await checkPair(connector, running)));
    const levels = parts.flatMap((part) => part.results.map((result) => result.level));
    const level: CheckResult['level'] = levels.includes('red') ? 'red' : levels.includes('amber') ? 'amber' : 'green';
    return { level, parts };
  },
});

async function checkPair(connector: Connector, running: Connector['integrations'][number]): Promise<readonly CheckedPart[]> {
  const integration = running.name;
  let open: Awaited<ReturnType<typeof running.open>>;
  try {
    open = await running.open();
  } catch (error) {
    return [{ integration, part: integration, results: [redOf(error)] }];
  }
  const sides = await Promise.all(
    (['a', 'b'] as const).map(async (side) => {
      const { name, vendor, client } = open.connection(side);
      return { integration, part: name, results: await safely(() => vendor.check(client)) };
    }),
  );
  const usable = sides.every(({ results }) => results.every((result) => result.level !== 'red'));
  if (!usable) return sides;
  const { environment } = connector.configuration;
  return [
    ...sides,
    { integration, part: integration, results: await safely(() => running.definition.check(open.context, { environment })) },
  ];
}

async function safely(results: () => Promise<readonly CheckResult[]>): Promise<readonly CheckResult[]> {
  try {
    return await results();
  } catch (error) {
    return [redOf(error)];
  }
}

function redOf(error: unknown): CheckResult {
  const { record } = asFailure(error);
  return { id: record.kind, level: 'red', sentence: record.sentence, ...(record.fix === undefined ? {} : { fix: record.fix }) };
}
