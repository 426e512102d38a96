import type { SimulatedWorld, Simulator } from './simulators/kit.ts';

/** A simulator that sends webhooks of its own accord. */
export interface CallingSimulator extends Simulator {
  /** Sends what is due and answers how many that were. */
  deliverDue?(): Promise<number>;
  /** When the next webhook or retry is due. */
  nextDue?(): Date | undefined;
}

/** One system of a company: how its simulator is made, what is in it, and what happens there before the story begins. */
export interface CompanySystem {
  create(world: SimulatedWorld, options: Readonly<Record<string, unknown>>): CallingSimulator;
  readonly seed: unknown;
  /** Kinds of records worth showing at the end of a scenario. */
  readonly nouns: readonly string[];
  /** Calls that change nothing although they are not GET: sign-in, queries. `*` for any characters. */
  readonly reads: readonly string[];
  /** Actions after seeding; `{webhooks}` in a text becomes the connector's address for this system. */
  readonly acts: readonly Readonly<Record<string, unknown>>[];
}

/** A believable company: two systems with records, and the connector.yaml its consultant wrote. */
export interface Company {
  readonly name: string;
  readonly about: string;
  readonly integration: string;
  /** By vendor key. */
  readonly systems: Readonly<Record<string, CompanySystem>>;
  /** connector.yaml as data; `origins` has the address of each system's simulator. */
  configuration(origins: Readonly<Record<string, string>>): Record<string, unknown>;
  /** Secrets by name; `answers` has what each system answered to its acts, a refresh token among it. */
  secrets(answers: Readonly<Record<string, readonly unknown[]>>): Readonly<Record<string, Readonly<Record<string, string>>>>;
}
