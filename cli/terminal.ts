import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';

/** What the commands need of the person and the machine: handed in, so that a test is a person as well. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Somebody sits there who can answer a question. */
  readonly isInteractive: boolean;
  confirm(question: string): Promise<boolean>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly user: string;
}

export function processTerminal(): Terminal {
  // A pipe that was closed by its reader (`| head -1`) is not an error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exitCode = 0;
  });
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    async confirm(question) {
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
      } finally {
        lines.close();
      }
    },
    env: process.env,
    user: userInfo().username,
  };
}
