import * as z from 'zod';
import { defineOperation, flowsOf, integrationName, integrationsOf, shortText } from './operation.ts';
import { recordOperation } from './operator-audit.ts';

/** A look asked for by a person ends in time for its answer; the next scheduled one goes on from there. */
export const pollMs = 20_000;

/** Looks now. With `backfill` everything since the cut-over, on the bulk queue. */
export const poll = defineOperation({
  name: 'poll',
  summary: 'List what changed now, due or not; --backfill takes everything since the cut-over.',
  input: z.strictObject({
    integration: integrationName,
    flows: z.array(shortText).min(1).max(50).optional(),
    backfill: z.boolean().default(false),
  }),
  changes: true,
  async run(connector, request, operator) {
    const chosen = (request.flows ?? [undefined]).flatMap((flow) => flowsOf(connector, request.integration, flow));
    const deadline = new Date(connector.ports.clock.now().getTime() + pollMs);
    const reports = [];
    for (const { name } of integrationsOf(connector, request.integration)) {
      const flows = [...new Set(chosen.filter(({ running }) => running.name === name).map(({ flow }) => flow.id))];
      if (flows.length === 0) continue;
      const what = request.flows === undefined ? 'every flow' : flows.join(', ');
      await recordOperation(connector, {
        integration: name,
        operator,
        ...(request.flows !== undefined && flows.length === 1 ? { flow: flows[0] } : {}),
        sentence: `${operator.name} asked for a ${request.backfill ? 'backfill' : 'poll'} of ${what}.`,
      });
      reports.push(await connector.engine.poll(name, { force: true, backfill: request.backfill, deadline, flows }));
    }
    return { reports };
  },
});
