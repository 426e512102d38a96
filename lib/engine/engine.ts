import { asFailure, Failure } from '../failures.ts';
import type { Alerts } from '../ports/alerts.ts';
import type { ChangeQueue, DeadLetters } from '../ports/change-queue.ts';
import type { Clock, Ids, Random } from '../ports/clock.ts';
import type { AuditStore, LinkStore } from '../ports/link-store.ts';
import type { Log } from '../ports/log.ts';
import type { StateStore } from '../ports/state-store.ts';
import { alertOnce, alertOver } from './alerts-once.ts';
import { guarded, PortTrouble } from './guarded-ports.ts';
import { keepHouse } from './keep.ts';
import { pollFlows } from './poll.ts';
import { processMessages } from './process.ts';
import { reportNow } from './reports.ts';
import type { Engine, ReceivedMessage, RunningIntegration } from './running.ts';
import type { Desk, Shift } from './shift.ts';
import { takeIn } from './take-in.ts';

export interface EngineDeps {
  readonly integrations: readonly RunningIntegration[];
  readonly links: LinkStore;
  readonly audit: AuditStore;
  readonly state: StateStore;
  /** By name of the integration. */
  queue(integration: string): ChangeQueue;
  deadLetters(integration: string): DeadLetters;
  readonly alerts: Alerts;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly log: Log;
}

/** Time a poll or the housekeeping takes when nobody says otherwise. */
const usualShiftMs = 240_000;

/**
 * One engine for every integration of a deployment. It keeps nothing in memory between two calls: whatever stops a worker, the next one goes on
 * from links, cursors and messages.
 */
export function createEngine(deps: EngineDeps): Engine {
  const desks = new Map<string, Desk>();
  for (const { name } of deps.integrations) desks.set(name, deskOf(deps, name));
  const find = (name: string): { readonly running: RunningIntegration; readonly desk: Desk } | undefined => {
    const running = deps.integrations.find((candidate) => candidate.name === name);
    const desk = desks.get(name);
    return running === undefined || desk === undefined ? undefined : { running, desk };
  };
  const fetch = (name: string): { readonly running: RunningIntegration; readonly desk: Desk } => {
    const found = find(name);
    if (found !== undefined) return found;
    throw new Failure('ConfigurationInvalid', {
      sentence: `There is no integration ${name} in this deployment.`,
      fix: `Use one of: ${deps.integrations.map((integration) => integration.name).join(', ') || 'none is configured'}.`,
    });
  };
  const begin = async (name: string, deadline: Date | undefined): Promise<Shift> => {
    const { running, desk } = fetch(name);
    const open = await running.open();
    return {
      name,
      definition: running.definition,
      open,
      desk,
      owner: desk.ids.next(),
      deadline: deadline ?? new Date(desk.clock.now().getTime() + usualShiftMs),
    };
  };

  return {
    async receiveWebhook(integration, side, request) {
      const found = find(integration);
      return found === undefined ? { status: 404 } : takeIn({ ...found, side }, request);
    },

    async poll(integration, options = {}) {
      return pollFlows(await begin(integration, options.deadline), options);
    },

    async process(integration, messages, deadline) {
      const { desk } = fetch(integration);
      let shift: Shift;
      try {
        shift = await begin(integration, deadline);
      } catch (thrown) {
        return { failed: await cannotOpen(desk, integration, messages, thrown) };
      }
      const pollNow = async (flow: string): Promise<void> => {
        await pollFlows(shift, { flows: [flow], force: true, deadline: shift.deadline });
      };
      return { failed: await processMessages(shift, messages, pollNow) };
    },

    async keep(integration, options = {}) {
      const shift = await begin(integration, options.deadline);
      await alertOver(shift.desk, integration, 'not-open');
      return keepHouse(shift);
    },

    async report(integration, asked) {
      return reportNow(await begin(integration, undefined), asked);
    },
  };
}

function deskOf(deps: EngineDeps, name: string): Desk {
  return {
    links: guarded('the link store', deps.links),
    audit: guarded('the audit store', deps.audit),
    state: guarded('the state store', deps.state),
    queue: guarded('the queue', deps.queue(name)),
    deadLetters: guarded('the dead-letter queue', deps.deadLetters(name)),
    alerts: deps.alerts,
    clock: deps.clock,
    ids: deps.ids,
    random: deps.random,
    log: deps.log,
  };
}

/** Settings that cannot be opened stop the whole integration: one alert, and every message stays on the queue until they can. */
async function cannotOpen(
  desk: Desk,
  integration: string,
  messages: readonly ReceivedMessage[],
  thrown: unknown,
): Promise<readonly string[]> {
  desk.log.error('integration.not-open', { integration, error: String(thrown) });
  if (!(thrown instanceof PortTrouble)) {
    const { sentence, fix } = asFailure(thrown).record;
    try {
      await alertOnce(desk, { key: 'not-open', integration, sentence, ...(fix === undefined ? {} : { fix }) });
    } catch (error) {
      desk.log.error('alert.failed', { integration, error: String(error) });
    }
  }
  return messages.map(({ id }) => id);
}
