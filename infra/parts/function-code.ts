import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

/** The repository: infra is run from its root, by npm scripts and by the cdk command alike. */
const root = join(import.meta.dirname, '..', '..');

/** Files in functions/, without extension: one Lambda each. */
export const functionEntries = ['receive-webhook', 'poll', 'process-changes', 'renew-channels', 'operations'] as const;
export type FunctionEntry = (typeof functionEntries)[number];

/**
 * Bundles all functions into one folder, with the SDK inside: that starts faster than the SDK of the runtime. Each function is a small file; what
 * several share is in files of its own, and what is imported when it is needed is loaded when it is needed.
 */
export async function bundleFunctions(folder: string): Promise<Metafile> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: functionEntries.map((entry) => join('functions', `${entry}.ts`)),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'shared/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    mainFields: ['module', 'main'],
    alias: { '@aws-sdk/credential-provider-node': join(root, 'functions', 'lambda-credentials.ts') },
    banner: { js: "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);" },
    plugins: [versionsOnly],
    metafile: true,
    logLevel: 'warning',
  });
  return metafile;
}

/** Clients of the SDK import their package.json for the version in it; the rest of it has no business in a function. */
const versionsOnly: Plugin = {
  name: 'versions-only',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]node_modules[/\\]@aws-sdk[/\\][^/\\]+[/\\]package\.json$/ }, ({ path }) => {
      const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

/** Puts the checked configuration beside the code: the functions read JSON and need no YAML reader. */
export function writeConfigurationFile(folder: string, configuration: unknown): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'connector.json'), `${JSON.stringify(configuration, null, 2)}\n`);
}
