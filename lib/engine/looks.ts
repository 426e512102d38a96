/**
 * After an unknown outcome the target is looked at at fixed times after sending. Answers when to look next, or undefined when a look made at
 * `lookedAt` was the last one: only then was nothing written. The clock belongs to the link, so every worker obeys the same one.
 */
export function nextLook(sentAt: string, looksAfterMs: readonly number[], lookedAt: Date): Date | undefined {
  const sent = Date.parse(sentAt);
  const after = [...looksAfterMs].sort((left, right) => left - right).find((ms) => sent + ms > lookedAt.getTime());
  return after === undefined ? undefined : new Date(sent + after);
}
