import * as z from 'zod';
import { flowEditName, settingsPartition } from '../configuration/live-settings.ts';
import { flowModeSchema } from '../configuration/schema.ts';
import type { PollReport } from '../engine/running.ts';
import { defineOperation, integrationName, oneIntegration, refused, shortText } from './operation.ts';
import { recordOperation } from './operator-audit.ts';
import { pollMs } from './poll.ts';

/** Switches one flow; takes effect with the next batch. What it left out or only planned until now is listed again when it goes live. */
export const setMode = defineOperation({
  name: 'mode',
  summary: 'Switch a flow to live, preview, paused or off.',
  input: z.strictObject({ integration: integrationName, flow: shortText, mode: flowModeSchema }),
  changes: true,
  async run(connector, request, operator) {
    const running = oneIntegration(connector, request.integration);
    const id = request.flow.startsWith(`${running.name}.`) ? request.flow.slice(running.name.length + 1) : request.flow;
    const known = [...running.definition.flows, ...running.definition.reports].map((flow) => flow.id);
    if (!known.includes(id)) throw refused(`${running.name} has no flow "${request.flow}".`, `Use one of: ${known.join(', ')}.`);
    const { mode: before, reason } = (await running.open()).flow(id);
    if (before === 'off' && reason !== undefined && reason !== 'flow-off' && request.mode !== 'off')
      throw refused(`${id} cannot be switched on: ${reason}.`, 'Change the setting in connector.yaml that rules it out, and deploy.');
    const answer = { integration: running.name, flow: id, before, mode: request.mode };
    const { clock, state } = connector.ports;
    const at = clock.now().toISOString();
    await state.put({ partition: settingsPartition(running.name), name: flowEditName(id) }, { mode: request.mode, by: operator.name, at });
    if (before !== request.mode) {
      await recordOperation(connector, {
        integration: running.name,
        flow: id,
        operator,
        sentence: `${operator.name} switched ${id} from ${before} to ${request.mode}.`,
        before,
        after: request.mode,
      });
    }
    const isFlow = running.definition.flows.some((flow) => flow.id === id);
    if (!isFlow || request.mode !== 'live' || before === 'live' || before === 'paused')
      return { ...answer, notes: notesOf(id, request.mode) };
    // The cursor has passed what was planned or left out; without another listing it would never be booked.
    const listed = await connector.engine.poll(running.name, {
      flows: [id],
      backfill: true,
      force: true,
      deadline: new Date(clock.now().getTime() + pollMs),
    });
    return { ...answer, notes: backfillNotes(id, listed) };
  },
});

function notesOf(flow: string, mode: string): readonly string[] {
  if (mode === 'paused') return [`${flow} keeps its changes and goes on where it stopped.`];
  if (mode === 'off') return [`${flow} leaves out what changes from now on; what it booked stays.`];
  if (mode === 'preview') return [`${flow} writes nothing; see what it would do with: plans ${flow}`];
  return [];
}

function backfillNotes(flow: string, { flows, skipped }: PollReport): readonly string[] {
  const queued = flows.find((counts) => counts.flow === flow)?.queued ?? 0;
  const listed = `Everything since the cut-over was listed again: ${queued} record${queued === 1 ? '' : 's'} to look at.`;
  const why = skipped[flow];
  return why === undefined ? [listed] : [`Not everything could be listed (${why}). Repeat it with: poll ${flow} --backfill`];
}
