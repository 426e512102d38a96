import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

const root = join(import.meta.dirname, '..', '..');
/** Everything a synthesis reads besides the configuration. */
const inputs = ['lib', 'functions', 'infra', 'cdk.json', 'package-lock.json', 'tsconfig.json'];
const hashFile = 'inputs.sha256';

/**
 * The CDK app synthesized for a configuration file, in `folder`. Takes seconds, so it is done again only when the code, the packages or the
 * configuration differ from last time.
 */
export async function synthesize(configurationFile: string, folder: string, say: (sentence: string) => void): Promise<void> {
  const hash = hashOf(configurationFile);
  const kept = join(folder, hashFile);
  if (existsSync(kept) && readFileSync(kept, 'utf8') === hash)
    return say('The template is the one of last time: neither code nor configuration changed.');
  say('Synthesizing the template of the stack …');
  rmSync(folder, { recursive: true, force: true });
  const synthesis = spawn(process.execPath, ['--import', 'tsx', join('infra', 'app.ts')], {
    cwd: root,
    env: { ...process.env, CDK_OUTDIR: folder, CONNECTOR_CONFIGURATION: configurationFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  for (const stream of [synthesis.stdout, synthesis.stderr]) stream.on('data', (text) => said.push(String(text)));
  const [code] = await once(synthesis, 'close');
  if (code !== 0)
    throw new StartError(`The template could not be synthesized:\n${telling(said.join(''))}`, 'Correct this, then start again.');
  writeFileSync(kept, hash);
}

/** What a bundler says while all goes well is left out. */
function telling(text: string): string {
  const lines = text.split('\n').filter((line) => !/^(Bundling asset|npm warn|⚡| *\.\.\.|\s*$)/.test(line));
  return lines.slice(0, 40).join('\n');
}

function hashOf(configurationFile: string): string {
  const hash = createHash('sha256').update(process.version).update(readFileSync(configurationFile));
  for (const input of inputs)
    for (const file of filesOf(input))
      hash
        .update(file)
        .update('\0')
        .update(readFileSync(join(root, file)))
        .update('\0');
  return hash.digest('hex');
}

function filesOf(input: string): readonly string[] {
  const path = join(root, input);
  if (!existsSync(path)) return [];
  if (/\.[a-z]+$/.test(input)) return [input];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}
