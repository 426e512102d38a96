import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Entry, Queues } from './sqs-queue.ts';

/** Entries after which the journal is rewritten, when most of them are about messages that are gone. */
const entriesBeforeRewrite = 50_000;

/**
 * The queues and, with a folder, their journal. An entry is written to the file before anybody learns of it, in one `write` per request, so
 * that a killed process has lost nothing it acknowledged; a last line that was cut off belongs to a request nobody got an answer to.
 */
export class Journal {
  readonly queues = new Queues();
  readonly #path: string | undefined;
  #file: number | undefined;
  #written = 0;

  constructor(folder: string | undefined) {
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    this.#path = join(folder, 'queues.jsonl');
    for (const line of this.#lines()) this.queues.apply(JSON.parse(line));
    this.#rewrite();
  }

  write(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    if (this.#file !== undefined) {
      const bytes = Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
      this.#written += entries.length;
    }
    for (const entry of entries) this.queues.apply(entry);
    if (this.#written > entriesBeforeRewrite) this.#rewrite();
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #lines(): readonly string[] {
    try {
      // What stands behind the last line break is empty or a line that was cut off.
      return readFileSync(this.#path ?? '', 'utf8')
        .split('\n')
        .slice(0, -1);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
  }

  #rewrite(): void {
    if (this.#path === undefined) return;
    this.close();
    const fresh = `${this.#path}.new`;
    writeFileSync(fresh, [...this.queues.entries()].map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    renameSync(fresh, this.#path);
    this.#file = openSync(this.#path, 'a');
    this.#written = 0;
  }
}
