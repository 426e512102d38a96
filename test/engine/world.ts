import type { Cause } from '../../lib/contracts/change.ts';
import type { Integration } from '../../lib/contracts/integration.ts';
import type { Link } from '../../lib/contracts/link.ts';
import { createEngine } from '../../lib/engine/engine.ts';
import type { Engine, FlowMode, PollOptions, PollReport, RunningIntegration } from '../../lib/engine/running.ts';
import { createMemoryQueues, type MemoryQueues } from '../../lib/memory/change-queue.ts';
import { createCollectingAlerts } from '../../lib/memory/collecting-alerts.ts';
import { createCollectingLog } from '../../lib/memory/collecting-log.ts';
import { createMemoryDatabase } from '../../lib/memory/database.ts';
import { createHandTurnedClock } from '../../lib/memory/hand-turned-clock.ts';
import { createOrderedIds } from '../../lib/memory/ordered-ids.ts';
import { createSeededRandom } from '../../lib/memory/seeded-random.ts';
import { createMemoryStateStore } from '../../lib/memory/state-store.ts';
import type { Side } from '../../lib/values/record-ref.ts';
import { Abacus } from './abacus.ts';
import { createGate, type Gate } from './gate.ts';
import { Quill } from './quill.ts';
import { type Ctx, quillAbacus, type Settings, type Wellness } from './quill-abacus.ts';

export const integration = 'quill-abacus';
export const notesFlow = `${integration}.notes`;
export const peopleFlow = `${integration}.people`;

export interface Worker {
  readonly engine: Engine;
  readonly gate: Gate;
}

/** The invented pair, one engine and time turned by hand. */
export class World {
  readonly clock = createHandTurnedClock(new Date('2026-03-02T08:00:00Z'));
  readonly random = createSeededRandom(7);
  readonly ids = createOrderedIds({ clock: this.clock, random: this.random });
  readonly log = createCollectingLog();
  readonly alerts = createCollectingAlerts();
  readonly database = createMemoryDatabase();
  readonly state = createMemoryStateStore({ clock: this.clock });
  readonly queues: MemoryQueues = createMemoryQueues({ clock: this.clock, ids: this.ids });
  readonly quill = new Quill(this.clock);
  readonly abacus = new Abacus(this.clock);
  readonly settings: Settings = {
    accounts: { FEE: '4000' },
    conflict: 'a-wins',
    onAdopt: 'fill-empty',
    direction: 'both',
    additive: false,
    marked: true,
  };
  readonly wellness: Wellness = { a: true, b: true };
  readonly modes: Record<string, FlowMode> = {};
  /** What a connection that gives itself to one worker at a time says. */
  readonly ready: Partial<Record<Side, () => Promise<void>>> = {};
  readonly pollEvery: Record<string, number | string> = {};
  readonly extra: Partial<Pick<Integration, 'reference' | 'reports' | 'autoRelease' | 'flows'>> = {};
  readonly worker: Worker;

  constructor(settings: Partial<Settings> = {}) {
    Object.assign(this.settings, settings);
    this.worker = this.hire();
  }

  /** A worker whose every effect passes a gate. */
  hire(gate: Gate = createGate()): Worker {
    const quill = gate.wrap('quill', this.quill);
    const abacus = gate.wrap('abacus', this.abacus);
    const definition = quillAbacus(this.settings, this.wellness, this.extra);
    const running: RunningIntegration = {
      name: integration,
      definition: definition as never,
      open: async () => {
        const now = this.clock.now();
        const context: Ctx = {
          now,
          today: now.toISOString().slice(0, 10),
          cached: async (_name, _age, load) => load(),
          forget: async () => {},
          quill,
          abacus,
          settings: structuredClone(this.settings),
        };
        return {
          context,
          settings: this.settings,
          flow: (id) => ({ mode: this.modes[id] ?? 'live', poll: this.pollEvery[id] ?? 15 }),
          connection: (side: Side) => ({
            name: side === 'a' ? 'our-quill' : 'our-abacus',
            vendor: definition.sides[side] as never,
            client: undefined,
            ready: async () => this.ready[side]?.(),
            connection: {
              name: side === 'a' ? 'our-quill' : 'our-abacus',
              settings: {},
              credentials: async () => ({}),
              previousCredentials: async () => undefined,
            },
          }),
        };
      },
    };
    const engine = createEngine({
      integrations: [running],
      links: gate.wrap('links', this.database.links),
      audit: gate.wrap('audit', this.database.audit),
      state: gate.wrap('state', this.state),
      queue: () => gate.wrap('queue', { send: this.queues.send, bury: this.queues.bury }),
      deadLetters: () => gate.wrap('letters', this.queues.deadLetters),
      alerts: this.alerts,
      clock: this.clock,
      ids: this.ids,
      random: this.random,
      log: this.log,
    });
    return { engine, gate };
  }

  /** Hands one batch to the worker and removes what it is done with, unless it died. Answers whether there was anything. */
  async deliver(worker: Worker = this.worker, limit = 10): Promise<boolean> {
    for (const queue of ['live', 'bulk'] as const) {
      const messages = await this.queues.receive(queue, { limit, visibilityMs: 900_000 });
      if (messages.length === 0) continue;
      const deadline = new Date(this.clock.now().getTime() + 120_000);
      let failed: readonly string[] = messages.map(({ id }) => id);
      try {
        failed = (await worker.engine.process(integration, messages, deadline)).failed;
      } catch {
        // It died: nothing is acknowledged.
      }
      if (worker.gate.crashed) return true;
      const done = messages.filter(({ id }) => !failed.includes(id)).map(({ handle }) => handle);
      await this.queues.remove(queue, done);
      return true;
    }
    return false;
  }

  /** Everything deliverable now. */
  async drain(worker: Worker = this.worker): Promise<void> {
    for (let turn = 0; turn < 200 && !worker.gate.crashed; turn++) {
      if (!(await this.deliver(worker))) return;
    }
  }

  /** Lets time pass until nothing is on the queue and the housekeeping finds nothing more. */
  async settle(worker: Worker = this.worker, options: { readonly forMs?: number } = {}): Promise<void> {
    const end = this.clock.now().getTime() + (options.forMs ?? 48 * 3_600_000);
    for (let turn = 0; turn < 600 && !worker.gate.crashed; turn++) {
      await this.drain(worker);
      if (worker.gate.crashed) return;
      const next = ['live', 'bulk'].flatMap((queue) => this.queues.nextVisibleAt(queue as 'live' | 'bulk') ?? []);
      const first = next.sort((left, right) => left.getTime() - right.getTime())[0];
      if (first !== undefined) {
        if (first.getTime() > end) return;
        const ms = Math.max(0, first.getTime() - this.clock.now().getTime());
        await this.clock.pass(ms);
        if (ms >= 300_000) await worker.engine.keep(integration).catch(() => {});
        continue;
      }
      await worker.engine.keep(integration).catch(() => {});
      if (!(await this.hasWork())) return;
    }
    if (!worker.gate.crashed) throw new Error('the world does not come to rest');
  }

  async hasWork(): Promise<boolean> {
    return this.queues.nextVisibleAt('live') !== undefined || this.queues.nextVisibleAt('bulk') !== undefined;
  }

  async change(
    flow: string,
    key: string,
    options: { side?: Side; cause?: Cause; delaySeconds?: number; attempt?: number } = {},
  ): Promise<void> {
    const { side = 'a', cause = 'webhook', delaySeconds = 0, attempt = 0 } = options;
    const at = this.clock.now().toISOString();
    const body = { version: 1 as const, integration, queue: 'live' as const, changes: [{ flow, side, key, cause, at }], attempt };
    await this.queues.send('live', [{ body, delaySeconds }]);
  }

  poll(options: PollOptions = {}, worker: Worker = this.worker): Promise<PollReport> {
    return worker.engine.poll(integration, options);
  }

  async webhook(
    event: string,
    options: { object?: string; id?: string; side?: Side; proof?: string; worker?: Worker } = {},
  ): Promise<number> {
    const { object, id = this.ids.next(), side = 'a', proof = 'right', worker = this.worker } = options;
    const body = new TextEncoder().encode(JSON.stringify({ event, id, ...(object === undefined ? {} : { object }) }));
    const headers = { 'x-proof': proof };
    return (await worker.engine.receiveWebhook(integration, side, { method: 'POST', path: '/', query: {}, headers, body })).status;
  }

  async link(flow: string, key: string, side: Side = 'a'): Promise<Link | undefined> {
    return [...(await this.database.links.findMany([{ flow, side, key }])).values()][0];
  }

  async links(flow: string): Promise<readonly Link[]> {
    return (await this.database.links.list(flow, { limit: 1_000 })).links;
  }

  async outcomes(flow: string, key: string, side: Side = 'a'): Promise<readonly string[]> {
    const { entries } = await this.database.audit.query({ integration, record: `${flow}|${side}|${key}`, limit: 1_000 });
    return entries.map(({ outcome }) => outcome);
  }

  /** What counts in the books, by mark. */
  posted(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.abacus.pages.filter(({ status }) => status === 'posted').map(({ mark, amount }) => [mark, amount]));
  }

  /** The person a note is for is there on both sides. */
  async withPerson(id = 'c1'): Promise<void> {
    this.quill.contact({ id, name: `Person ${id}` });
    await this.change(peopleFlow, id);
    await this.settle();
  }
}
