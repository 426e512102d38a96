import * as z from 'zod';
import type { CheckResult } from '../contracts/vendor.ts';
import { asFailure } from '../failures.ts';
import { defineOperation, integrationsOf } from './operation.ts';

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
  input: z.strictObject({ integration: z.string().optional() }),
  changes: false,
  async run(connector, request) {
    const parts: CheckedPart[] = [];
    for (const running of integrationsOf(connector, request.integration)) {
      const open = await running.open();
      const sides = await Promise.all(
        (['a', 'b'] as const).map(async (side) => {
          const { name, vendor, client } = open.connection(side);
          return { integration: running.name, part: name, results: await safely(() => vendor.check(client)) };
        }),
      );
      parts.push(...sides);
      const usable = sides.every(({ results }) => results.every((result) => result.level !== 'red'));
      if (usable)
        parts.push({
          integration: running.name,
          part: running.name,
          results: await safely(() => running.definition.check(open.context, { environment: connector.configuration.environment })),
        });
    }
    const levels = parts.flatMap((part) => part.results.map((result) => result.level));
    const level: CheckResult['level'] = levels.includes('red') ? 'red' : levels.includes('amber') ? 'amber' : 'green';
    return { level, parts };
  },
});

async function safely(results: () => Promise<readonly CheckResult[]>): Promise<readonly CheckResult[]> {
  try {
    return await results();
  } catch (error) {
    const { record } = asFailure(error);
    return [{ id: record.kind, level: 'red', sentence: record.sentence, ...(record.fix === undefined ? {} : { fix: record.fix }) }];
  }
}
