import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSeededRandom } from '../../lib/memory/seeded-random.ts';
import { utcDate } from '../../lib/values/calendar-date.ts';
import { machineClock } from '../cloud/clock.ts';
import { listenOnLoopback } from '../cloud/loopback.ts';
import { synthesize } from '../rehearsal/start-assembly.ts';
import { drillCompany } from './company.ts';
import { type MortalRunner, startMortalRunner } from './mortal-runner.ts';
import { letPass } from './passing-time.ts';
import { planKills } from './plan.ts';
import type { RunnerSettings } from './runner-orders.ts';
import { startVendors, type Vendors } from './vendors.ts';
import { fetchAudit, judge, type Verdict } from './verdict.ts';

export interface DrillOptions {
  readonly webhooks: number;
  readonly workerKills: number;
  readonly runnerKills: number;
  readonly latencyMs: number;
  readonly seed: number;
  /** Empty; everything the drill makes is in it. */
  readonly folder: string;
  readonly mostSeconds: number;
  readonly say: (sentence: string) => void;
}

export interface DrillResult extends Verdict {
  readonly workerKills: number;
  readonly runnerKills: number;
  readonly seed: number;
  readonly seconds: number;
  /** Minutes that were let pass beyond the machine's. */
  readonly minutesPassed: number;
  /** Everything came to rest in time. */
  readonly atRest: boolean;
}

const lookEveryMs = 400;
const tellEveryMs = 3_000;
/** Nothing moved for so long: what is left waits for time to pass. */
const stillMs = 5_000;
/** Leases of a killed worker end after six minutes, its messages return after thirty, what it may have written is looked for until eleven. */
const passMinutes = [6, 31] as const;
const mostPassesWithoutProgress = 12;
const wave = 25;
/** So many invoices may be on their way before the next ones are billed. */
const mostUnderWay = 60;

/** Kills functions and the runner for real while invoices are billed, announced and booked, and lays both systems side by side at the end. */
export async function runDrill(options: DrillOptions): Promise<DrillResult> {
  const timeFile = join(options.folder, 'passed-time');
  const today = utcDate(machineClock.now());
  const vendors = await startVendors({ today, invoices: options.webhooks, timeFile });
  const drill = new Drill(options, vendors, timeFile);
  try {
    return await drill.run(today);
  } finally {
    await drill.end();
    vendors.end();
  }
}

/** How far everything has come. */
interface Standing {
  readonly released: number;
  /** Callouts that nobody tries any more. */
  readonly failed: number;
  /** A callout waits for its answer: whatever it waits for is at work. */
  readonly isSending: boolean;
  readonly isEmpty: boolean;
  readonly text: string;
}

class Drill {
  readonly #options: DrillOptions;
  readonly #vendors: Vendors;
  readonly #timeFile: string;
  readonly #random: ReturnType<typeof createSeededRandom>;
  readonly #runners: MortalRunner[] = [];
  #runner: MortalRunner | undefined;
  #billed = 0;
  #killed = { workers: 0, runners: 0 };
  #minutesPassed = 0;
  #toldAt = 0;
  #lastReleased = { count: 0, passes: 0 };
  #still = { shape: '', since: 0 };

  constructor(options: DrillOptions, vendors: Vendors, timeFile: string) {
    this.#options = options;
    this.#vendors = vendors;
    this.#timeFile = timeFile;
    this.#random = createSeededRandom(options.seed);
  }

  async run(today: string): Promise<DrillResult> {
    const { options, vendors } = { options: this.#options, vendors: this.#vendors };
    const company = drillCompany(today, options.webhooks);
    const configurationFile = join(options.folder, 'connector.yaml');
    // JSON is YAML.
    writeFileSync(configurationFile, JSON.stringify(company.configuration(vendors.origins)));
    const assembly = join(options.folder, 'assembly');
    await synthesize(configurationFile, assembly, options.say);
    const settings = { assembly, state: join(options.folder, 'cloud'), timeFile: this.#timeFile, ports: await freePorts() };
    mkdirSync(settings.state, { recursive: true });
    const secrets = company.secrets(
      await this.#openCompany(company.systems, `http://127.0.0.1:${settings.ports.api}/webhooks/acumatica-zuora/zuora`),
    );
    await this.#start({ ...settings, secrets: plainTexts(secrets) });
    await vendors.setLatency(options.latencyMs);
    options.say(`${options.webhooks} invoices, answers after ${options.latencyMs} ms, seed ${options.seed}.`);

    const begun = machineClock.now().getTime();
    const seconds = (): number => Math.round((machineClock.now().getTime() - begun) / 1000);
    const plan = planKills(options, this.#random);
    let isComplete = false;
    let polledAfterwards = false;
    while (seconds() < options.mostSeconds) {
      const stand = await this.#stand();
      const next = plan[0];
      if (next !== undefined && stand.released >= next.afterReleased) {
        await machineClock.sleep(next.delayMs);
        const done = next.what === 'worker' ? await this.#killWorker(next.draw) : await this.#killRunner(next, { company, settings });
        if (done) plan.shift();
        continue;
      }
      if (this.#billed < options.webhooks && this.#billed - stand.released < mostUnderWay) await this.#bill(company);
      if (stand.failed > 0) await this.#resendFailed();
      const still = stand.isSending ? 0 : this.#stillFor(stand.text);
      this.#tell(`${seconds()} s: ${stand.text}`);
      const isDone = this.#billed === options.webhooks && plan.length === 0 && stand.isEmpty && stand.released >= options.webhooks;
      if (still >= stillMs) {
        if (isDone && polledAfterwards) {
          isComplete = true;
          break;
        }
        // Everything is there: the polls that come now must find that nothing is left to do.
        polledAfterwards = isDone;
        if (!isDone && this.#isStuck(stand.released)) break;
        this.#pass(passMinutes[Math.floor(this.#random.next() * passMinutes.length)] ?? passMinutes[1]);
      }
      await machineClock.sleep(lookEveryMs);
    }
    return await this.#result({ seconds: seconds(), atRest: isComplete });
  }

  async end(): Promise<void> {
    for (const runner of this.#runners) await runner.killAll();
  }

  /** What people do in both systems before the connector runs; answers what they were given: a refresh token among it. */
  async #openCompany(systems: ReturnType<typeof drillCompany>['systems'], webhooks: string): Promise<Record<string, unknown[]>> {
    const answers: Record<string, unknown[]> = {};
    for (const [name, system] of Object.entries(systems)) {
      answers[name] = [];
      for (const act of system.acts) {
        const placed = Object.entries(act).map(([member, value]) => [member, value === '{webhooks}' ? webhooks : value]);
        answers[name].push(await this.#vendors.act(name, Object.fromEntries(placed)));
      }
    }
    // Zuora tries five times at most; a minute apart instead of thirty.
    await this.#vendors.act('zuora', { action: 'set-limits', calloutAttempts: 5, calloutSpacingMinutes: 1 });
    return answers;
  }

  async #start(settings: RunnerSettings): Promise<void> {
    this.#runner = await startMortalRunner(settings);
    this.#runners.push(this.#runner);
  }

  #running(): MortalRunner {
    if (this.#runner === undefined) throw new Error('no runner is running');
    return this.#runner;
  }

  async #bill({ bills }: ReturnType<typeof drillCompany>): Promise<void> {
    const some = bills.slice(this.#billed, this.#billed + wave);
    if (some.length === 0) return;
    await this.#vendors.act('zuora', { action: 'bill-run', invoices: some.map(({ input }) => input) });
    this.#billed += some.length;
  }

  async #killWorker(draw: number): Promise<boolean> {
    const { functions } = this.#running().ready;
    const kinds = ['ProcessChanges', 'ProcessChanges', 'ProcessChanges', 'ReceiveWebhook', 'Poll'];
    for (const kind of [kinds[Math.floor(draw * kinds.length)] ?? '', 'ProcessChanges']) {
      const logicalId = functions.find((name) => name.includes(kind));
      const processes = logicalId === undefined ? 0 : await this.#running().killFunction(logicalId);
      if (processes === 0) continue;
      this.#killed.workers += 1;
      this.#options.say(`SIGKILL to ${processes} processes of ${kind}`);
      return true;
    }
    return false;
  }

  /** More invoices are billed right before, so that the intake has work when it dies. */
  async #killRunner(
    kill: { readonly draw: number; readonly downMs: number },
    { company, settings }: { readonly company: ReturnType<typeof drillCompany>; readonly settings: RunnerSettings },
  ): Promise<boolean> {
    await this.#bill(company);
    await machineClock.sleep(1_000 + kill.draw * 400);
    // In turn, so that two kills show both.
    const alone = (this.#options.seed + this.#killed.runners) % 2 === 0;
    await (alone ? this.#running().killAlone() : this.#running().killAll());
    this.#killed.runners += 1;
    this.#options.say(`SIGKILL to the runner${alone ? '; its functions live on without it' : ' and to all of its functions'}`);
    await machineClock.sleep(kill.downMs);
    await this.#start(settings);
    this.#options.say('The runner is started again on what it left.');
    return true;
  }

  /** Callouts that ran out of attempts while nobody was there: an administrator sends them again, under their old ids. */
  async #resendFailed(): Promise<void> {
    const callouts = await this.#vendors.callouts();
    const others = new Set(callouts.filter(({ state }) => state !== 'failed').map(({ notificationId }) => notificationId));
    for (const { notificationId, objectId } of callouts)
      if (!others.has(notificationId)) {
        await this.#vendors.act('zuora', { action: 'repeat-callouts', number: objectId });
        others.add(notificationId);
      }
  }

  async #stand(): Promise<Standing> {
    const queues = ['live', 'bulk', 'dead'].map((kind) => `kestrel-acumatica-zuora-${kind}`);
    const [{ calls, released, callouts }, depths] = await Promise.all([this.#vendors.stand(), this.#running().depths(queues)]);
    const [live = 0, bulk = 0, dead = 0] = depths.map((depth) =>
      depth === undefined ? 0 : depth.waiting + depth.inFlight + depth.delayed,
    );
    const { delivered = 0, waiting = 0, sending = 0, failed = 0 } = callouts;
    return {
      released,
      failed,
      isSending: sending > 0,
      isEmpty: live + bulk + waiting + sending === 0,
      text: `billed ${this.#billed}, accepted ${delivered}, released ${released}, queues ${live} + ${bulk}, held ${dead}, calls ${calls}`,
    };
  }

  /** How far it has come, now and then. */
  #tell(text: string): void {
    const now = machineClock.now().getTime();
    if (now - this.#toldAt < tellEveryMs) return;
    this.#toldAt = now;
    this.#options.say(text);
  }

  #stillFor(shape: string): number {
    const now = machineClock.now().getTime();
    if (shape !== this.#still.shape) this.#still = { shape, since: now };
    return now - this.#still.since;
  }

  /** Hours were let pass and not one invoice more is in the books: waiting longer changes nothing. */
  #isStuck(released: number): boolean {
    if (released !== this.#lastReleased.count) this.#lastReleased = { count: released, passes: 0 };
    this.#lastReleased.passes += 1;
    return this.#lastReleased.passes > mostPassesWithoutProgress;
  }

  #pass(minutes: number): void {
    this.#options.say(`Nothing moves: ${minutes} minutes pass.`);
    letPass(this.#timeFile, minutes * 60_000);
    this.#minutesPassed += minutes;
    this.#still = { shape: '', since: 0 };
  }

  async #result(given: { readonly seconds: number; readonly atRest: boolean }): Promise<DrillResult> {
    await this.#vendors.setLatency(0);
    const [invoices, callouts, booked, audit] = await Promise.all([
      this.#vendors.invoices(),
      this.#vendors.callouts(),
      this.#vendors.booked(),
      fetchAudit(this.#running().ready),
    ]);
    const verdict = judge({ webhooks: this.#options.webhooks, invoices, callouts, booked, audit });
    return {
      ...verdict,
      ...{ workerKills: this.#killed.workers, runnerKills: this.#killed.runners, seed: this.#options.seed },
      ...{ minutesPassed: this.#minutesPassed, ...given },
    };
  }
}

/** Ports that nobody has, for services that come back at the same address. */
async function freePorts(): Promise<RunnerSettings['ports']> {
  const probe = () => listenOnLoopback(0, () => Promise.resolve());
  const servers = { api: await probe(), dynamodb: await probe(), sqs: await probe(), secretsManager: await probe(), sns: await probe() };
  const portOf = ({ url }: { readonly url: string }): number => Number(new URL(url).port);
  const ports = {
    ...{ api: portOf(servers.api), dynamodb: portOf(servers.dynamodb), sqs: portOf(servers.sqs) },
    ...{ secretsManager: portOf(servers.secretsManager), sns: portOf(servers.sns) },
  };
  await Promise.all(Object.values(servers).map((server) => server.close()));
  return ports;
}

const plainTexts = (secrets: Readonly<Record<string, Readonly<Record<string, string>>>>): Record<string, Record<string, string>> =>
  Object.fromEntries(Object.entries(secrets).map(([name, fields]) => [name, { ...fields }]));
