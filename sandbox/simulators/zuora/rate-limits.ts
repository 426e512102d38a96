import type { Tenant } from './tenant.ts';

interface Window {
  readonly name: string;
  readonly seconds: number;
  readonly limit: number;
}

/** Calls in fixed windows of a minute, an hour and a day, counted per name. Failed calls count. */
export class CallCounter {
  readonly #counts = new Map<string, { readonly window: number; count: number }>();

  /** Counts a call and tells how each window stands after it. */
  take(name: string, windows: readonly Window[], nowMs: number): WindowState[] {
    return windows.map((window) => {
      const index = Math.floor(nowMs / (window.seconds * 1000));
      const key = `${name}|${window.name}`;
      let counted = this.#counts.get(key);
      if (counted?.window !== index) {
        counted = { window: index, count: 0 };
        this.#counts.set(key, counted);
      }
      counted.count += 1;
      const resetSeconds = Math.max(1, Math.ceil(((index + 1) * window.seconds * 1000 - nowMs) / 1000));
      return { ...window, remaining: Math.max(0, window.limit - counted.count), exceeded: counted.count > window.limit, resetSeconds };
    });
  }
}

export interface WindowState extends Window {
  readonly remaining: number;
  readonly exceeded: boolean;
  readonly resetSeconds: number;
}

export function callWindows(tenant: Tenant): Window[] {
  const { perMinute, perHour, perDay } = tenant.limits;
  return [
    { name: 'minute', seconds: 60, limit: perMinute },
    { name: 'hour', seconds: 3_600, limit: perHour },
    { name: 'day', seconds: 86_400, limit: perDay },
  ];
}

export function tokenWindows(tenant: Tenant): Window[] {
  const { tokensPerMinute, tokensPerHour, tokensPerDay } = tenant.limits;
  return [
    { name: 'minute', seconds: 60, limit: tokensPerMinute },
    { name: 'hour', seconds: 3_600, limit: tokensPerHour },
    { name: 'day', seconds: 86_400, limit: tokensPerDay },
  ];
}

export function addressWindows(tenant: Tenant): Window[] {
  return [{ name: 'minute', seconds: 60, limit: tenant.limits.tokensPerMinutePerAddress }];
}

/** The headers describe the window that is nearest to exhaustion. */
export function rateHeaders(states: readonly WindowState[]): Record<string, string> {
  const nearest = states.toSorted((left, right) => left.remaining * right.limit - right.remaining * left.limit)[0];
  if (!nearest) return {};
  const policy = states.map((state) => `${state.limit};w=${state.seconds}`).join(', ');
  return {
    'ratelimit-limit': `${nearest.limit}, ${policy}`,
    'ratelimit-remaining': String(nearest.remaining),
    'ratelimit-reset': String(nearest.resetSeconds),
  };
}

/** The plain code 70 of the rate limit: no `success`, and no Retry-After in the documented sample. */
export function rateRefusal(state: WindowState): unknown {
  return {
    reasons: [{ code: 70, message: `API Rate limit exceeded for the ${state.name}, retry after ${state.resetSeconds} seconds` }],
  };
}

export interface ConcurrencyClass {
  readonly type: string;
  readonly limit: number;
}

const highVolume = /^POST \/v1\/(accounts|orders|orders\/preview|subscriptions)$/;

export function concurrencyClass(tenant: Tenant, method: string, path: string): ConcurrencyClass {
  if (path.startsWith('/object-query/')) return { type: 'Object Query', limit: tenant.limits.concurrentObjectQuery };
  if (highVolume.test(`${method} ${path}`)) return { type: 'High-volume transactions', limit: tenant.limits.concurrentHighVolume };
  return { type: 'Default', limit: tenant.limits.concurrentDefault };
}

export const concurrencyRefusal: unknown = {
  reasons: [{ code: 50000070, message: 'The number of concurrent requests exceeded the limit, retry after 120 seconds' }],
};
