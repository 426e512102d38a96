import type { Random } from '../../lib/ports/clock.ts';

/** One kill of the drill. */
export interface PlannedKill {
  readonly what: 'worker' | 'runner';
  /** Not before so many invoices are released in the books: its moment follows the work and not the speed of the machine. */
  readonly afterReleased: number;
  /** And then so much later, which hits anywhere in a write. */
  readonly delayMs: number;
  /** Uniform in [0, 1): which function dies; whether the runner's functions die with it. */
  readonly draw: number;
  /** How long nobody is there. */
  readonly downMs: number;
}

/** Kills at random moments of the first nine tenths of the work, in order. */
export function planKills(
  given: { readonly webhooks: number; readonly workerKills: number; readonly runnerKills: number },
  random: Random,
): PlannedKill[] {
  const kill = (what: PlannedKill['what']): PlannedKill => ({
    what,
    afterReleased: Math.floor(random.next() * 0.9 * given.webhooks),
    delayMs: Math.floor(random.next() * 900),
    draw: random.next(),
    downMs: Math.floor(random.next() * 2_000),
  });
  return [
    ...Array.from({ length: given.workerKills }, () => kill('worker')),
    ...Array.from({ length: given.runnerKills }, () => kill('runner')),
  ].sort((left, right) => left.afterReleased - right.afterReleased);
}
