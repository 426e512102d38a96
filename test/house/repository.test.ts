import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { catalog } from '../../lib/catalog.ts';

/** Facts about the repository that no compiler checks: what documents name exists, what belongs together is together. */

const tracked = execFileSync('git', ['ls-files'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(file));
const scripts = Object.keys((JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }).scripts);
const documents = tracked.filter((file) => file.endsWith('.md'));

describe('documents', () => {
  it.each(documents)('%s names only npm scripts that exist', (file) => {
    const named = [...readFileSync(file, 'utf8').matchAll(/npm run (?:--silent )?([a-z:-]+)/g)].map(([, script = '']) => script);
    expect(named.filter((script) => !scripts.includes(script))).toEqual([]);
  });

  it.each(documents)('%s links only to files that exist', (file) => {
    const links = [...readFileSync(file, 'utf8').matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, target = '']) => target);
    expect(links.filter((target) => !existsSync(join(file, '..', target)))).toEqual([]);
  });

  it('ARCHITECTURE.md names only folders and files that exist', () => {
    const named = [
      ...readFileSync('ARCHITECTURE.md', 'utf8').matchAll(/`((?:lib|functions|infra|sandbox|cli|test|docs|scenarios|bench)\/[a-z./-]*)`/g),
    ].map(([, path = '']) => path);
    expect(named.filter((path) => !existsSync(path))).toEqual([]);
  });
});

describe('the tree', () => {
  it('holds no path of a machine and no address of a package registry', () => {
    const machine = new RegExp(['/(?:work|home|Users|root)', '/[a-z]', '|', 'registry', '\\.npmjs'].join(''));
    const texts = tracked.filter((file) => !/package-lock\.json$|\.json$/.test(file) && file !== 'test/house/repository.test.ts');
    const found = texts.filter((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .some((line) => machine.test(line)),
    );
    expect(found).toEqual([]);
  });

  it('every vendor folder has the files a newcomer looks for', () => {
    for (const vendor of Object.values(catalog.vendors)) {
      const files = ['README.md', 'vendor.ts', 'auth.ts', 'wire.ts', 'failures.ts', 'client.ts'].map(
        (file) => `lib/vendors/${vendor.key}/${file}`,
      );
      expect(files.filter((file) => !existsSync(file))).toEqual([]);
      expect(existsSync(`lib/vendors/${vendor.key}/webhooks.ts`), `${vendor.key} webhooks`).toBe(vendor.webhooks !== undefined);
    }
  });

  it('every flow is a file named as its key and a row in the README of its integration', () => {
    for (const integration of catalog.integrations) {
      const readme = readFileSync(`lib/integrations/${integration.key}/README.md`, 'utf8');
      for (const flow of integration.flows) {
        expect(existsSync(`lib/integrations/${integration.key}/flows/${flow.id}.ts`), flow.id).toBe(true);
        expect(readme).toContain(`\`${flow.id}\``);
      }
    }
  });

  it('every flow has a poll: a webhook makes it faster, only the poll makes it complete', () => {
    for (const integration of catalog.integrations) for (const flow of integration.flows) expect(flow.wakes.poll, flow.id).toBeTruthy();
  });

  it('no source file is longer than can be read in one sitting', () => {
    const long = tracked
      .filter((file) => /^(lib|functions|infra|sandbox|cli|bench)\/.*\.ts$/.test(file))
      .map((file) => [file, readFileSync(file, 'utf8').split('\n').length] as const);
    expect(long.filter(([, lines]) => lines > 401)).toEqual([]);
  });

  it('the lock file has every platform of every optional package, so that an install works where it was not made', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const missing = Object.entries(packages).flatMap(([owner, entry]) =>
      Object.keys(entry.optionalDependencies ?? {})
        .filter((name) => packages[`node_modules/${name}`] === undefined && packages[`${owner}/node_modules/${name}`] === undefined)
        .map((name) => `${owner}: ${name}`),
    );
    expect(missing).toEqual([]);
  });

  it('zod is imported as a namespace: the other form brings every language into a function', () => {
    const wrong = tracked.filter(
      (file) =>
        /\.ts$/.test(file) && /import \{[^}]*\} from 'zod'/.test(readFileSync(file, 'utf8')) && file !== 'test/house/repository.test.ts',
    );
    expect(wrong).toEqual([]);
  });
});
