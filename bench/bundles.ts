import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { bundleFunctions, functionEntries } from '../infra/parts/function-code.ts';
import type { Measure } from './measure.ts';

const startKilobytes = 600;
const initMs = 100;
const starts = 5;

/** What each function reads before it can take its first call, how long that takes, and what comes with the first call. */
export async function measureBundles(): Promise<readonly Measure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ml-connector-bundles-'));
  try {
    const metafile = await bundleFunctions(folder);
    const catalog = outputNamed(metafile, /\/shared\/catalog-[A-Z0-9]+\.mjs$/);
    return functionEntries.flatMap((entry): readonly Measure[] => {
      const start = outputNamed(metafile, new RegExp(`/${entry}\\.mjs$`));
      const atStart = loadedWith(metafile, [start]);
      const later = [...loadedWith(metafile, [catalog])].filter((file) => !atStart.has(file));
      const init = medianInitMs(join(process.cwd(), start), join(process.cwd(), catalog));
      return [
        {
          measure: `${entry}: loaded at start`,
          value: bytesOf(metafile, atStart) / 1000,
          unit: 'KB',
          limit: { atMost: startKilobytes },
          about: 'Minified files the function imports before its first call, shared ones included.',
        },
        {
          measure: `${entry}: loaded with the first call`,
          value: bytesOf(metafile, later) / 1000,
          unit: 'KB',
          limit: { atMost: startKilobytes },
          about: 'Vendors and flows.',
        },
        {
          measure: `${entry}: cold start`,
          value: init.start,
          unit: 'ms',
          limit: { atMost: initMs },
          about: 'Importing the function in a fresh Node process: milliseconds of processor, median of five.',
        },
        {
          measure: `${entry}: cold start with the first call`,
          value: init.whole,
          unit: 'ms',
          about: 'Vendors and flows imported as well.',
        },
      ];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function outputNamed({ outputs }: Metafile, name: RegExp): string {
  const found = Object.keys(outputs).find((file) => name.test(file));
  if (found === undefined) throw new Error(`the bundle has no file ${String(name)}`);
  return found;
}

/** These files and whatever they import unconditionally. */
function loadedWith({ outputs }: Metafile, files: readonly string[]): ReadonlySet<string> {
  const loaded = new Set<string>();
  const waiting = [...files];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (loaded.has(file)) continue;
    loaded.add(file);
    for (const { path, kind, external } of outputs[file]?.imports ?? []) if (kind === 'import-statement' && !external) waiting.push(path);
  }
  return loaded;
}

const bytesOf = ({ outputs }: Metafile, files: Iterable<string>): number =>
  [...files].reduce((sum, file) => sum + (outputs[file]?.bytes ?? 0), 0);

/** Time of the processor: the clock on the wall would also measure whoever else uses this machine. */
const initScript = `
const begun = process.cpuUsage();
const ms = () => { const { user, system } = process.cpuUsage(begun); return (user + system) / 1000; };
await import(process.argv[1]);
const start = ms();
await import(process.argv[2]);
console.log(start, ms());
process.exit();
`;

function medianInitMs(start: string, catalog: string): { readonly start: number; readonly whole: number } {
  const runs = Array.from({ length: starts }, () =>
    execFileSync(process.execPath, ['--input-type=module', '-e', initScript, start, catalog], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .split(/\s+/)
      .map(Number),
  );
  const median = (place: number): number =>
    runs.map((run) => run[place] ?? 0).sort((left, right) => left - right)[Math.floor(starts / 2)] ?? 0;
  return { start: median(0), whole: median(1) };
}
