import type { Io } from '../contracts/io.ts';
import type { QueueName } from '../ports/change-queue.ts';
import type { Clock, Ids, Random } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { StateStore } from '../ports/state-store.ts';
import { createLane, openLane } from './lane.ts';
import { createNotes } from './notes.ts';
import { createRateBudget } from './rate-budget.ts';
import { createHttp, type Fetch } from './sender.ts';
import { createTokenVault } from './token-vault.ts';

export interface ConnectionIoParts {
  /** Name of the connection in connector.yaml: what is shared between workers is kept under it. */
  readonly connection: string;
  /** As the vendor's `limits(settings)` answers them. */
  readonly limits: { readonly requestsPerMinute: number; readonly burst: number; readonly lanes?: number };
  readonly ports: {
    readonly state: StateStore;
    readonly clock: Clock;
    readonly random: Random;
    readonly ids: Ids;
    readonly log: Log;
  };
  readonly fetch: Fetch;
  /** Bulk work gives way to live work in a vendor's single session. */
  readonly queue: QueueName;
}

/**
 * Everything a client of one connection needs of the world. One per worker and connection, for as long as the process lives: tokens and leased
 * slots are kept in it. `release` gives the lane back at the end of a batch; the Io stays usable.
 */
export function createIo(parts: ConnectionIoParts): { readonly io: Io; release(): Promise<void> } {
  const { connection, fetch, limits, queue } = parts;
  const { clock, ids, log, random, state } = parts.ports;
  const rate = createRateBudget({
    state,
    clock,
    random,
    log,
    connection,
    requestsPerMinute: limits.requestsPerMinute,
    burst: limits.burst,
  });
  const lane =
    limits.lanes === undefined ? openLane : createLane({ state, clock, random, ids, log, connection, capacity: limits.lanes, queue });
  const io: Io = {
    clock,
    random,
    ids,
    log,
    http: createHttp({ fetch, clock, random, log, budget: rate.gate, connection }),
    budget: rate.budget,
    tokens: createTokenVault({ state, clock, random, ids, log, connection }),
    lane,
    notes: createNotes({ state, clock, connection }),
  };
  return { io, release: () => lane.release() };
}
