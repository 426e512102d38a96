/** Time as the servers see it: the machine's, or one that a test turns by hand. Structurally the product's own clock. */
export interface CloudClock {
  now(): Date;
  /** Resolves when `ms` milliseconds of this clock have passed, or when `signal` is aborted, whichever comes first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. Its sleeps never keep the process alive. */
export const machineClock: CloudClock = {
  now: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      // A longer timer than Node's 24 days would fire at once; the callers that wait so long look again when they are woken early.
      const timer = setTimeout(end, Math.min(ms, 2_147_483_647)).unref();
      signal?.addEventListener('abort', end, { once: true });
    }),
};
