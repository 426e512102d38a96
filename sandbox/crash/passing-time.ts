import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CloudClock } from '../cloud/clock.ts';

/** Variables of a process that lives in the drill's time; `file` holds how many milliseconds have been let pass. */
export function timeVariables(file: string): Readonly<Record<'NODE_OPTIONS' | 'PASSED_TIME_FILE', string>> {
  const hook = pathToFileURL(join(import.meta.dirname, 'passing-time.mjs')).href;
  return { NODE_OPTIONS: `--enable-source-maps --import ${hook}`, PASSED_TIME_FILE: file };
}

/** Lets time pass for every process that reads the file. */
export function letPass(file: string, ms: number): void {
  const passed = passedSoFar(file) + ms;
  writeFileSync(`${file}.new`, String(passed));
  renameSync(`${file}.new`, file);
}

function passedSoFar(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}

const lookAgainMs = 100;

/** The clock of the servers in a process that lives in the drill's time: its sleeps end when their time has passed, by itself or by a jump. */
export const passingClock: CloudClock = {
  now: () => new Date(),
  async sleep(ms, signal) {
    const end = Date.now() + ms;
    for (let left = ms; left > 0 && signal?.aborted !== true; left = end - Date.now()) {
      await new Promise<void>((resolve) => {
        const stop = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', stop);
          resolve();
        };
        const timer = setTimeout(stop, Math.min(left, lookAgainMs)).unref();
        signal?.addEventListener('abort', stop, { once: true });
      });
    }
  },
};
