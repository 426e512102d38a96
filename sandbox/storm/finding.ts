import type { Link } from '../../lib/contracts/link.ts';
import type { Decimal } from '../../lib/values/decimal.ts';
import type { Systems } from './systems.ts';

/** Something that must never be. */
export interface Finding {
  readonly kind: 'lost' | 'duplicate' | 'content' | 'balance' | 'loop' | 'audit' | 'secret' | 'defect' | 'forged' | 'unrest';
  readonly what: string;
  /** Numbers or keys by which the history can be searched. */
  readonly records: readonly string[];
  /** Money that nothing explains. */
  readonly cents?: Decimal;
}

/** What the settings of a history make the oracle expect; its own reading of them. */
export interface Expected {
  readonly startFrom: string;
  readonly deferred: boolean;
  readonly journals: boolean;
  readonly preCutover: string;
}

export interface Evidence {
  readonly systems: Systems;
  readonly expected: Expected;
  /** The connector's memory of a record: only where it admits to be behind, and to prove that it does. */
  link(flow: string, key: string): Link | undefined;
  links(): readonly Link[];
  /** Whether the audit says so of a record. */
  isNoted(key: string, remark: string): boolean;
}

export const isSettled = (link: Link | undefined): boolean => link?.state === 'synced' || link?.state === 'filtered';
/** A number, or one of its later generations and reversals. */
export const isOf = (number: string, reference: string | undefined): boolean =>
  reference === number || reference?.startsWith(`${number}~`) === true;
