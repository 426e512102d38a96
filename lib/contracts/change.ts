import * as z from 'zod';

export const causes = ['webhook', 'poll', 'backfill', 'replay', 'reconcile', 'dependency', 'sweep'] as const;

/** Why we look at a record. `dependency`: another record needs this one. `sweep`: a hold or wait is due for another look. */
export type Cause = (typeof causes)[number];

/** The key of a change that names no record: the worker polls the whole flow. */
export const wholeFlow = '*';

/**
 * "This record may have changed." Nothing in it is trusted beyond the key: the worker reads the present state.
 * A snapshot spares that read when the list that found the change already held the whole row and it is young enough.
 */
export const changeSchema = z.object({
  flow: z.string().min(3).max(120),
  side: z.enum(['a', 'b']),
  key: z.string().min(1).max(300),
  cause: z.enum(causes),
  /** When we learned of it (ISO, UTC). */
  at: z.iso.datetime(),
  /** The vendor's row as listed, with the instant of the listing. */
  snapshot: z.object({ row: z.json(), readAt: z.iso.datetime() }).optional(),
  /** Ties log lines, audit entries and messages of one notice together. */
  correlation: z.string().max(80).optional(),
  /** Its dead letter was taken off the queue: held again, even for the same cause, it needs a new one. */
  redriven: z.literal(true).optional(),
});
export type Change = z.infer<typeof changeSchema>;

/** What travels on the queue: changes of one integration. Old versions stay readable for as long as a message can live (14 days). */
export const changeMessageSchema = z.object({
  version: z.literal(1),
  integration: z.string().min(3).max(60),
  queue: z.enum(['live', 'bulk']),
  changes: z.array(changeSchema).min(1).max(100),
  /** How often these changes were put back for another try. */
  attempt: z.number().int().min(0).max(100_000),
});
export type ChangeMessage = z.infer<typeof changeMessageSchema>;
