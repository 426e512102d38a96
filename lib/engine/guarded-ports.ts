import { Failure } from '../failures.ts';

/**
 * A port of ours did not do its work: a table throttles, a queue is away. Never a fact about the record being worked on, so it is kept apart
 * from failures of vendors and flows, also where it arrives through a client or a flow: nothing is decided, the message comes back.
 */
export class PortTrouble extends Failure {
  constructor(port: string, error: unknown) {
    super('StoreUnavailable', {
      cause: `store:${port}`,
      sentence: `${port} failed: ${error instanceof Error ? error.message : String(error)}`,
      error,
    });
    this.name = 'PortTrouble';
  }
}

/** The same port, whose unforeseen errors arrive as PortTrouble; its Failures (LeaseLost, already-linked) pass unchanged. */
export function guarded<Port extends object>(name: string, port: Port): Port {
  const rethrow = (error: unknown): never => {
    throw error instanceof Failure ? error : new PortTrouble(name, error);
  };
  return new Proxy(port, {
    get(target, member) {
      const value: unknown = Reflect.get(target, member, target);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]): unknown => {
        try {
          const answer: unknown = Reflect.apply(value, target, given);
          return answer instanceof Promise ? answer.catch(rethrow) : answer;
        } catch (error) {
          return rethrow(error);
        }
      };
    },
  });
}
