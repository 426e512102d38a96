/** Time as the servers see it: the machine's, or one that a test turns by hand. Structurally the product's own clock. */
export interface CloudClock {
  now(): Date;
  /** Resolves when `ms` milliseconds of this clock have passed. */
  sleep(ms: number): Promise<void>;
}

/** The machine's clock. Its sleeps never keep the process alive. */
export const machineClock: CloudClock = {
  now: () => new Date(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms).unref()),
};
