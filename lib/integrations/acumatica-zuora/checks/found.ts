import type { CheckResult } from '../../../contracts/vendor.ts';
import { asFailure } from '../../../failures.ts';

/** How checks of the pair answer: everything that is wrong, or one green line. A check that could not be made is red with its own reason. */

export type Finding = Omit<CheckResult, 'id'>;

export const red = (sentence: string, fix: string): Finding => ({ level: 'red', sentence, fix });
export const amber = (sentence: string, fix: string): Finding => ({ level: 'amber', sentence, fix });

export async function found(id: string, green: string, look: () => Promise<readonly Finding[]>): Promise<readonly CheckResult[]> {
  try {
    const findings = await look();
    return findings.length === 0 ? [{ id, level: 'green', sentence: green }] : findings.map((finding) => ({ id, ...finding }));
  } catch (thrown) {
    const { sentence, fix } = asFailure(thrown).record;
    return [{ id, ...red(sentence, fix ?? 'Try again; if it stays, send the sentence to the maintainers.') }];
  }
}

/** Each text once, in order of first appearance. */
export const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)];
