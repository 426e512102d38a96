/**
 * The places where a process can die: before and after every effect on the world. A dead process never goes on: whatever it awaited never answers,
 * so not even a `finally` of its runs, as after kill -9.
 */
export interface CrashPlan {
  /** Effect to die at, `*` for any characters: `links.commit`, `acumatica PUT /Invoice`. */
  readonly effect: string;
  readonly when: 'before' | 'after';
  /** Pass this many matching effects first. */
  readonly skip?: number;
}

export interface CrashGate {
  /** Runs one effect of the process this gate belongs to. */
  through<Result>(effect: string, act: () => Promise<Result>): Promise<Result>;
  /** All calls of a port as effects `<name>.<method>`. */
  around<Port extends object>(name: string, port: Port): Port;
  /** Resolves when the process dies. */
  readonly death: Promise<void>;
  isDead(): boolean;
}

/** The plans of a world, shared by its processes: whoever reaches the place first dies there. */
export class CrashPlans {
  #plans: { readonly plan: CrashPlan; readonly pattern: RegExp; left: number }[] = [];
  /** Every effect so far, for enumerating crash points. */
  readonly #seen: string[] = [];
  #struck = 0;

  add(plan: CrashPlan): void {
    const pattern = new RegExp(`^${plan.effect.split('*').map(escaped).join('.*')}$`);
    this.#plans.push({ plan, pattern, left: plan.skip ?? 0 });
  }

  clear(): void {
    this.#plans = [];
  }

  get pending(): number {
    return this.#plans.length;
  }

  /** Processes that died so far. */
  get struck(): number {
    return this.#struck;
  }

  seen(): readonly string[] {
    return this.#seen;
  }

  /** Whether the process at this place dies now; the plan is used up. */
  strikes(effect: string, when: 'before' | 'after'): boolean {
    if (when === 'before') this.#seen.push(effect);
    for (const entry of this.#plans) {
      if (entry.plan.when !== when || !entry.pattern.test(effect)) continue;
      if (entry.left > 0) {
        entry.left -= 1;
        continue;
      }
      this.#plans = this.#plans.filter((other) => other !== entry);
      this.#struck += 1;
      return true;
    }
    return false;
  }
}

export function createCrashGate(plans: CrashPlans): CrashGate {
  let dead = false;
  let die: () => void = () => undefined;
  const death = new Promise<void>((resolve) => {
    die = resolve;
  });
  const never = <Result>(): Promise<Result> => new Promise<Result>(() => undefined);

  async function through<Result>(effect: string, act: () => Promise<Result>): Promise<Result> {
    if (dead) return never();
    if (plans.strikes(effect, 'before')) {
      dead = true;
      die();
      return never();
    }
    try {
      return await act();
    } finally {
      if (!dead && plans.strikes(effect, 'after')) {
        dead = true;
        die();
      }
      // Another branch of the same process may have died meanwhile.
      if (dead) await never();
    }
  }

  function around<Port extends object>(name: string, port: Port): Port {
    return new Proxy(port, {
      get(target, member) {
        const value: unknown = Reflect.get(target, member);
        if (typeof value !== 'function' || typeof member === 'symbol') return value;
        return (...args: unknown[]) => through(`${name}.${member}`, async () => Reflect.apply(value, target, args));
      },
    });
  }

  return { through, around, death, isDead: () => dead };
}

function escaped(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
}
