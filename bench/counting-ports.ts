import type { Ports } from '../lib/connector.ts';
import type { ChangeQueue } from '../lib/ports/change-queue.ts';
import type { Log } from '../lib/ports/log.ts';
import type { StateStore } from '../lib/ports/state-store.ts';

/** One request to a vendor. */
export interface CountedCall {
  /** `acumatica PUT /Invoice` */
  readonly operation: string;
  readonly atMs: number;
  readonly status: number;
}

/** What a run did to the world, counted at the ports. */
export interface Counts {
  readonly calls: CountedCall[];
  /** By `<store>.<method>`; puts of the state by the first word of their partition. */
  readonly stores: Map<string, number>;
  /** Send requests at SQS. */
  sends: number;
  /** Records by `<flow> <outcome>`. */
  readonly outcomes: Map<string, number>;
}

export function emptyCounts(): Counts {
  return { calls: [], stores: new Map(), sends: 0, outcomes: new Map() };
}

const messagesPerRequest = 10;

function bump(counts: Map<string, number>, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

/** Ports that count what passes them into what `counts` answers at that moment. */
export function countingPorts(ports: Ports, counts: () => Counts, operationOf: (url: string, method: string) => string): Ports {
  return {
    ...ports,
    links: counted('links', ports.links, counts),
    audit: counted('audit', ports.audit, counts),
    state: countedState(ports.state, counts),
    queue: (integration) => countedQueue(ports.queue(integration), counts),
    log: countingLog(counts),
    async fetch(url, init) {
      const answer = await ports.fetch(url, init);
      const operation = operationOf(url, init.method ?? 'GET');
      counts().calls.push({ operation, atMs: ports.clock.now().getTime(), status: answer.status });
      return answer;
    },
  };
}

function counted<Port extends object>(name: string, port: Port, counts: () => Counts): Port {
  return new Proxy(port, {
    get(target, member) {
      const value: unknown = Reflect.get(target, member);
      if (typeof value !== 'function' || typeof member === 'symbol') return value;
      return (...args: unknown[]) => {
        bump(counts().stores, `${name}.${member}`);
        return Reflect.apply(value, target, args);
      };
    },
  });
}

function countedState(state: StateStore, counts: () => Counts): StateStore {
  const all = counted('state', state, counts);
  return {
    get: (key) => all.get(key),
    getMany: (keys) => all.getMany(keys),
    list: (partition, options) => all.list(partition, options),
    remove: (key, options) => all.remove(key, options),
    put(key, value, options) {
      bump(counts().stores, `state.put ${key.partition.split('|')[0]} ${key.name.split('|')[0]}`);
      return all.put(key, value, options);
    },
  };
}

function countedQueue(queue: ChangeQueue, counts: () => Counts): ChangeQueue {
  const request = (messages: readonly unknown[]): void => {
    counts().sends += Math.ceil(messages.length / messagesPerRequest);
  };
  return {
    send(name, messages) {
      request(messages);
      return queue.send(name, messages);
    },
    bury(messages) {
      request(messages);
      return queue.bury(messages);
    },
  };
}

/** Keeps no line: a run of this size writes hundreds of thousands. */
function countingLog(counts: () => Counts): Log {
  const nothing = (): void => undefined;
  return {
    info: nothing,
    warn: nothing,
    error: nothing,
    count(metric, value, dimensions = {}) {
      if (metric === 'records') bump(counts().outcomes, `${dimensions['flow']?.split('.')[1]} ${dimensions['outcome']}`, value);
    },
  };
}
