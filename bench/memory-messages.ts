import type { FailureRecord } from '../lib/failures.ts';

/** What the measured process is told first: connector.yaml and the credentials in it. */
export interface Setting {
  readonly configuration: string;
  readonly secrets: Record<string, Record<string, string>>;
}

/** A call of a port, or of a vendor, at an instant of the measured process's clock. */
export interface Ask {
  readonly id: number;
  readonly nowMs: number;
  readonly part: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

export type Told =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: FailureRecord }
  | { readonly id: number; readonly error: string };

/** What a run took, in bytes. */
export interface Taken {
  /** Most that was alive at once: measured after collecting garbage, again and again during the run. */
  readonly liveBytes: number;
  /** Most the process had of the machine. */
  readonly residentBytes: number;
}
