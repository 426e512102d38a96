import type { AuditEntry } from '../contracts/audit.ts';
import type { Leased, Link } from '../contracts/link.ts';
import type { RecordRef } from '../values/record-ref.ts';

export interface LinkPage {
  readonly links: readonly Link[];
  readonly next?: string;
}

/**
 * Links, leases and the audit entries that belong to them.
 *
 * Guarantees. A record has at most one link, whichever side it is looked up from. At any moment at most one worker holds the lease of a link, and
 * a worker whose lease was taken over can no longer write it: `save`, `commit` and `release` fail with LeaseLost when the fence is not the
 * newest. `commit` writes link, pointers and audit entries together or not at all. Reads by record are strongly consistent; lists by state
 * may lag by seconds.
 */
export interface LinkStore {
  /** Links by either side's key. Missing ones are absent from the map, which is keyed by `refText` of what was asked for. */
  findMany(records: readonly RecordRef[]): Promise<ReadonlyMap<string, Link>>;
  /**
   * Takes the record for this worker until `until`, creating the link in state `new` when there is none. An expired lease is taken over with a
   * higher fence. `busy` tells when the present lease ends. Keyed by `refText` of what was asked for.
   */
  lease(
    records: readonly RecordRef[],
    lease: { readonly owner: string; readonly until: Date; readonly now: Date },
  ): Promise<ReadonlyMap<string, Leased | { readonly busy: Date }>>;
  /** Stores an intent or progress under the lease and keeps it, with a new deadline when `until` is given. Fails with LeaseLost. */
  save(leased: Leased, options?: { readonly until?: Date }): Promise<void>;
  /**
   * Stores the link with its audit entries and ends the lease, atomically. A key that appears in `link.keys` for the first time gets its pointer in
   * the same transaction; when that key already belongs to another link the commit fails with NeedsPerson `already-linked`, and nothing is written.
   * Another link of that key that is still `new` (the echo of our own create, being looked at) gives way: whoever holds its lease gets LeaseLost.
   */
  commit(leased: Leased, audit: readonly AuditEntry[]): Promise<void>;
  /** Ends the lease and changes nothing else; removes the link when it is still `new`, so that a look that decided nothing leaves no trace. */
  release(leased: readonly Leased[]): Promise<void>;
  /** Removes link and pointers (operator's `unlink`). Needs the lease. */
  remove(leased: Leased, audit: readonly AuditEntry[]): Promise<void>;
  /** Held links of an integration, ordered by cause. */
  listHeld(integration: string, options?: { readonly cause?: string; readonly after?: string; readonly limit?: number }): Promise<LinkPage>;
  /** Waiting links; with `dependency` only those that wait for that record (`refText`). */
  listWaiting(
    integration: string,
    options?: { readonly dependency?: string; readonly after?: string; readonly limit?: number },
  ): Promise<LinkPage>;
  /** Links in state `working`, for the sweep that finds abandoned writes. */
  listWorking(integration: string, options?: { readonly after?: string; readonly limit?: number }): Promise<LinkPage>;
  /** Links of an integration whose label is `label` or begins with `label` and a blank, in any letter case; for `explain INV00000417`. May lag by seconds. */
  findByLabel(integration: string, label: string): Promise<readonly Link[]>;
  /** Every link of a flow, ordered by side and key; for reconciliation. */
  list(flow: string, options?: { readonly after?: string; readonly limit?: number }): Promise<LinkPage>;
}

export interface AuditQuery {
  readonly integration: string;
  /** `refText`; with it the answer is that record's whole story. */
  readonly record?: string;
  /** Both inclusive. */
  readonly from?: Date;
  readonly to?: Date;
  readonly after?: string;
  readonly limit?: number;
}

/** The audit beyond what `LinkStore.commit` writes: reading it, and entries that belong to no link (a refused webhook, an operator's act). */
export interface AuditStore {
  append(entries: readonly AuditEntry[]): Promise<void>;
  /** Oldest first. */
  query(query: AuditQuery): Promise<{ readonly entries: readonly AuditEntry[]; readonly next?: string }>;
}
