import { webcrypto } from 'node:crypto';
import type { Clock, Random } from '../ports/clock.ts';

/** The machine's time. */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep(ms, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, Math.max(0, ms));
      signal?.addEventListener('abort', end, { once: true });
    });
  },
};

/** The machine's randomness: ids made of it cannot be guessed. */
export const systemRandom: Random = {
  next: () => (webcrypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 4_294_967_296,
};
