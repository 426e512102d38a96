/** Time is handed in. In production it is the machine's; in the sandbox it is turned by hand. */
export interface Clock {
  now(): Date;
  /**
   * Resolves when `ms` milliseconds of this clock have passed, or at once (it never rejects) when `signal` is aborted: a time limit that
   * is no longer needed must not keep the process, or a hand-turned clock, waiting. Never sleep long inside a Lambda: requeue instead.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Randomness and ids are handed in as well, so that a seed replays a history. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}

export interface Ids {
  /** A new unique id, ordered by time of creation when compared as text (ULID-like), `[0-9A-Z]{26}`. */
  next(): string;
}
