import type { Ports } from '../../lib/connector.ts';
import type { OutgoingMessage } from '../../lib/ports/change-queue.ts';
import type { StateStore } from '../../lib/ports/state-store.ts';
import { parseJson, writeJson } from '../../lib/values/json.ts';
import type { Draws } from './draws.ts';

/**
 * What the world does to a connector besides crashes and vendors' faults: tables that throttle or answer too late to be believed, queues that deliver
 * twice, a clock that is wrong, a process that stands still, lists that show a row a while after it changed.
 */
export class Weather {
  /** Share of calls to tables and queues that fail; half of them after the work was done. */
  tableTrouble = 0;
  /** Share of messages that are delivered twice. */
  doubles = 0;
  /** How far our clock is from the vendors'. */
  skewMs = 0;
  /** Longest time after which the billing system's lists show what changed. */
  listLagMs = 0;
  /** The next call to a table stands still that long, with whoever called. */
  stallMs = 0;
  stallsAtWrites = false;
  /** So many documents the ERP stores with another account than it was sent. */
  tampering = 0;
  /** Messages handed to the queue. */
  sent = 0;
  /** What happened, by name. */
  readonly counts: Record<string, number> = {};
  /** Credentials that came over the wire: none may be readable anywhere. */
  readonly tokens = new Set<string>();
  readonly #draws: Draws;

  constructor(draws: Draws) {
    this.#draws = draws;
  }

  count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  /** The ports as this weather lets them be. */
  around(ports: Ports): Ports {
    const { clock } = ports;
    const queues = new Map<string, ReturnType<Ports['queue']>>();
    return {
      ...ports,
      clock: {
        now: () => (this.skewMs === 0 ? clock.now() : new Date(clock.now().getTime() + this.skewMs)),
        sleep: (ms, signal) => clock.sleep(ms, signal),
      },
      links: this.#troubled('links', ports.links, ports),
      audit: this.#troubled('audit', ports.audit, ports),
      state: this.#conflicting(this.#troubled('state', ports.state, ports)),
      queue: (name) => {
        const known = queues.get(name) ?? this.#doubling(this.#troubled('queue', ports.queue(name), ports));
        queues.set(name, known);
        return known;
      },
      fetch: async (url, init) => {
        const response = await ports.fetch(url, this.#tampered(url, init));
        if (/\/(token|oauth\/token)$/.test(new URL(url).pathname)) await this.#noteTokens(response);
        return this.listLagMs > 0 ? this.#lagging(url, init, response, ports) : response;
      },
    };
  }

  #troubled<Port extends object>(name: string, port: Port, { clock }: Ports): Port {
    return new Proxy(port, {
      get: (target, member) => {
        const value: unknown = Reflect.get(target, member, target);
        if (typeof value !== 'function' || typeof member === 'symbol') return value;
        return async (...given: unknown[]): Promise<unknown> => {
          if (this.stallMs > 0 && this.#reaches(name, member)) {
            const ms = this.stallMs;
            this.stallMs = 0;
            await clock.sleep(ms);
          }
          const fails = this.tableTrouble > 0 && this.#draws.chance(this.tableTrouble);
          if (fails && this.#draws.chance(0.5)) {
            this.count('table-throttled');
            throw new Error(`${name}.${member}: throughput exceeded`);
          }
          const answer: unknown = await Reflect.apply(value, target, given);
          if (!fails) return answer;
          this.count('table-answer-lost');
          throw new Error(`${name}.${member}: socket hang up`);
        };
      },
    });
  }

  /** Where a process stands still hurts most: right before it writes a link. */
  #reaches(name: string, member: string): boolean {
    return !this.stallsAtWrites || (name === 'links' && (member === 'save' || member === 'commit'));
  }

  /** A conditional write whose answer was lost on the way is sent again by the client of the table, which then meets its own first write. */
  #conflicting(state: StateStore): StateStore {
    return new Proxy(state, {
      get: (target, member) => {
        const value: unknown = Reflect.get(target, member, target);
        if (member !== 'put' || typeof value !== 'function') return value;
        return async (...given: Parameters<StateStore['put']>) => {
          const answer = await target.put(...given);
          if (given[2]?.expect === undefined || this.tableTrouble === 0 || !this.#draws.chance(this.tableTrouble)) return answer;
          this.count('table-own-conflict');
          return 'conflict';
        };
      },
    });
  }

  #doubling(queue: ReturnType<Ports['queue']>): ReturnType<Ports['queue']> {
    return {
      bury: (messages) => queue.bury(messages),
      send: async (name, messages) => {
        this.sent += messages.length;
        await queue.send(name, messages);
        if (this.doubles === 0) return;
        const again = messages.flatMap((message): readonly OutgoingMessage[] =>
          this.#draws.chance(this.doubles) ? [{ ...message, delaySeconds: this.#draws.oneOf(0, 1, 40, 600) }] : [],
        );
        for (const _message of again) this.count('message-twice');
        if (again.length > 0) await queue.send(name, again);
      },
    };
  }

  /** A default or a script of the tenant that nobody told us about. */
  #tampered(url: string, init: RequestInit): RequestInit {
    if (this.tampering === 0 || init.method !== 'PUT' || !url.includes('/Invoice') || typeof init.body !== 'string') return init;
    const body = init.body.replace(/("Account"\s*:\s*\{\s*"value"\s*:\s*)"40000"/, '$1"40100"');
    if (body === init.body) return init;
    this.tampering -= 1;
    this.count('stored-otherwise');
    return { ...init, body };
  }

  async #noteTokens(response: Response): Promise<void> {
    const text = await response.clone().text();
    for (const [, token] of text.matchAll(/"(?:access_token|refresh_token)":"([^"]+)"/g)) if (token !== undefined) this.tokens.add(token);
  }

  /** Lists leave out rows that changed a moment ago; reads by id only those that were made a moment ago. */
  async #lagging(url: string, init: RequestInit, response: Response, { clock }: Ports): Promise<Response> {
    const { pathname, searchParams } = new URL(url);
    if ((init.method ?? 'GET') !== 'GET' || !pathname.includes('/object-query/') || response.status !== 200) return response;
    const text = await response.text();
    const answer = parseJson(text) as { data?: readonly Record<string, unknown>[] };
    const isList = searchParams.getAll('filter[]').some((filter) => /^updateddate/i.test(filter));
    const now = clock.now().getTime();
    const shown = answer.data?.filter((row) => {
      const changed = Date.parse(String(row[isList ? 'updatedDate' : 'createdDate'] ?? ''));
      // Each row has a lag of its own, so that a younger one may be listed before an older one.
      const lagMs = this.listLagMs * share(`${String(row['id'])}${changed}`);
      return Number.isNaN(changed) || changed + lagMs <= now;
    });
    const { status, headers } = response;
    if (shown === undefined || shown.length === answer.data?.length) return new Response(text, { status, headers });
    this.count('list-lag');
    return new Response(writeJson({ ...answer, data: shown } as never), { status, headers });
  }
}

/** A number in [0, 1) that belongs to a text. */
function share(text: string): number {
  let hash = 2166136261;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 16777619) >>> 0;
  return hash / 4294967296;
}
