/** A worker that stopped for good: power, memory, a deployment. */
export class CrashedWorker extends Error {
  constructor() {
    super('this worker has stopped');
    this.name = 'CrashedWorker';
  }
}

/** Through it every effect of one worker passes, so that the worker can be stopped at any of them. */
export interface Gate {
  readonly effects: number;
  readonly crashed: boolean;
  readonly trace: readonly string[];
  wrap<Port extends object>(name: string, port: Port): Port;
}

/** `before`: the effect number `crashAt` does not happen. `after`: it happens and nobody hears the answer. */
export function createGate(options: { readonly crashAt?: number; readonly how?: 'before' | 'after' } = {}): Gate {
  let effects = 0;
  let crashed = false;
  const trace: string[] = [];
  const pass = async (name: string, effect: () => unknown): Promise<unknown> => {
    if (crashed) throw new CrashedWorker();
    effects++;
    trace.push(name);
    if (effects !== options.crashAt) return effect();
    crashed = true;
    if (options.how === 'after') await effect();
    throw new CrashedWorker();
  };
  return {
    get effects() {
      return effects;
    },
    get crashed() {
      return crashed;
    },
    trace,
    wrap(name, port) {
      return new Proxy(port, {
        get(target, member) {
          const value: unknown = Reflect.get(target, member, target);
          if (typeof value !== 'function') return value;
          return (...given: unknown[]) => pass(`${name}.${String(member)}`, () => Reflect.apply(value, target, given));
        },
      });
    },
  };
}
