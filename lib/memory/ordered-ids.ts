import type { Clock, Ids, Random } from '../ports/clock.ts';

/** Crockford's base 32: no I, L, O, U; ordered like the digits' values. */
const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const timeLength = 10;
const randomLength = 16;

/**
 * ULIDs: ten digits of time, sixteen at random. Ids of one maker are strictly growing, also within a millisecond and when its clock steps back:
 * then the random part counts up.
 */
export function createOrderedIds(parts: { readonly clock: Clock; readonly random: Random }): Ids {
  let lastMs = -1;
  let tail: number[] = [];
  return {
    next() {
      const nowMs = parts.clock.now().getTime();
      if (nowMs > lastMs) {
        lastMs = nowMs;
        tail = Array.from({ length: randomLength }, () => Math.floor(parts.random.next() * 32));
        // Room to count up, however many ids a millisecond has.
        tail[0] = (tail[0] ?? 0) % 16;
      } else {
        countUp(tail);
      }
      return timeDigits(lastMs) + tail.map((value) => digits[value]).join('');
    },
  };
}

function timeDigits(ms: number): string {
  let rest = ms;
  let text = '';
  for (let index = 0; index < timeLength; index += 1) {
    text = digits[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function countUp(tail: number[]): void {
  for (let index = tail.length - 1; index >= 0; index -= 1) {
    const value = (tail[index] ?? 0) + 1;
    tail[index] = value % 32;
    if (value < 32) return;
  }
}
