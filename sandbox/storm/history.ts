/** What happened in one history, as lines a person can read. Only the newest are kept: a failure shows how it came to its end. */
export interface History {
  tell(at: Date, who: string, what: string): void;
  readonly lines: readonly string[];
  /** Grows with every line; equal digests of two runs mean equal histories. */
  readonly digest: string;
}

const kept = 4000;

export function createHistory(): History {
  let lines: string[] = [];
  let low = 0x811c9dc5;
  let high = 0x01000193;
  return {
    tell(at, who, what) {
      const line = `${at.toISOString().slice(5, 19).replace('T', ' ')}  ${who.padEnd(9)} ${what}`;
      for (let index = 0; index < line.length; index += 1) {
        low = Math.imul(low ^ line.charCodeAt(index), 0x01000193);
        high = Math.imul(high ^ low, 0x85ebca6b);
      }
      lines.push(line);
      if (lines.length > kept * 2) lines = lines.slice(-kept);
    },
    get lines() {
      return lines;
    },
    get digest() {
      return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
    },
  };
}
