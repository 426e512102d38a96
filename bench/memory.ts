import { spawn } from 'node:child_process';
import { join } from 'node:path';
import * as z from 'zod';
import type { Measure } from './measure.ts';
import type { Taken } from './memory-messages.ts';

const takenSchema = z.object({ liveBytes: z.number(), residentBytes: z.number() });
const megabyte = 1024 * 1024;
/** What a run twenty times as large may take more: warm caches and compiled code, not records. */
const growthPercent = 15;

/** Peak memory of the connector in a small run and in one twenty times as large. */
export async function measureMemory({ quick }: { readonly quick: boolean }): Promise<readonly Measure[]> {
  const [small, large] = quick ? [100, 2_000] : [1_000, 20_000];
  const few = await runOf(small);
  const many = await runOf(large);
  const growth = (measure: string, of: (taken: Taken) => number, atMost: number, about: string): Measure => ({
    measure,
    value: 100 * (of(many) / of(few) - 1),
    unit: '%',
    limit: { atMost },
    about,
  });
  const peak = (invoices: number, taken: Taken): readonly Measure[] => [
    { measure: `heap alive, ${invoices} invoices`, value: taken.liveBytes / megabyte, unit: 'MB' },
    { measure: `resident, ${invoices} invoices`, value: taken.residentBytes / megabyte, unit: 'MB' },
  ];
  return [
    ...peak(small, few),
    ...peak(large, many),
    growth('heap growth', (taken) => taken.liveBytes, growthPercent, 'Most alive at once, measured after collecting garbage.'),
    growth('resident growth', (taken) => taken.residentBytes, 2 * growthPercent, 'Garbage that was not collected yet included.'),
  ];
}

/** The connector alone in a process; vendors, stores and queues are in another one. */
async function runOf(invoices: number): Promise<Taken> {
  const child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', join(import.meta.dirname, 'memory-run.ts'), String(invoices)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the run of ${invoices} invoices for the memory measure ended with ${String(code)}`);
  return takenSchema.parse(JSON.parse(printed));
}
