// What `npm start` runs. Plain JavaScript that needs nothing installed, so that it can say what is missing before anything is.
import { createRequire } from 'node:module';

const needed = [20, 19];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const require = createRequire(import.meta.url);

function missing() {
  if (major < needed[0] || (major === needed[0] && minor < needed[1]))
    return `This is Node ${process.versions.node}; the rehearsal needs ${needed.join('.')} or newer.`;
  for (const name of ['tsx', 'aws-cdk-lib', 'esbuild', 'dynalite']) {
    try {
      require.resolve(`${name}/package.json`);
    } catch {
      return `The package ${name} is not installed. Run: npm ci   (with the development packages: without --omit=dev)`;
    }
  }
  return undefined;
}

// A notice of the AWS SDK about Node 20, which is for the maintainers of this repository and not for its users.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const sentence = missing();
if (sentence === undefined) {
  const { register } = await import('tsx/esm/api');
  register();
  await import('./start.ts');
} else {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 1;
}
