import * as z from 'zod';
import { defineOperation, integrationsOf, refused } from './operation.ts';
import { recordOperation } from './operator-audit.ts';

/** Looks now. With `backfill` everything since the cut-over, on the bulk queue. */
export const poll = defineOperation({
  name: 'poll',
  summary: 'List what changed now, due or not; --backfill takes everything since the cut-over.',
  input: z.strictObject({
    integration: z.string().optional(),
    flows: z.array(z.string()).optional(),
    backfill: z.boolean().default(false),
  }),
  changes: true,
  async run(connector, request, operator) {
    const reports = [];
    for (const running of integrationsOf(connector, request.integration)) {
      const known = running.definition.flows.map((flow) => flow.id);
      const unknown = (request.flows ?? []).filter((flow) => !known.includes(flow));
      if (unknown.length > 0) throw refused(`${running.name} has no flow "${unknown.join('", "')}".`, `Use one of: ${known.join(', ')}.`);
      const what = request.flows === undefined ? 'every flow' : request.flows.join(', ');
      await recordOperation(connector, {
        integration: running.name,
        operator,
        sentence: `${operator.name} asked for a ${request.backfill ? 'backfill' : 'poll'} of ${what}.`,
      });
      reports.push(
        await connector.engine.poll(running.name, {
          force: true,
          backfill: request.backfill,
          ...(request.flows === undefined ? {} : { flows: request.flows }),
        }),
      );
    }
    return { reports };
  },
});
