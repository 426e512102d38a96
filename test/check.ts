import { spawnSync } from 'node:child_process';

/** `npm run check`: everything a change has to pass, in the order of how fast it tells. Runs all of them and says which failed. */
const steps = [
  { name: 'format and lint', command: ['npm', 'run', '--silent', 'lint'] },
  { name: 'types', command: ['npm', 'run', '--silent', 'types'] },
  { name: 'walls', command: ['npm', 'run', '--silent', 'walls'] },
  { name: 'dead code', command: ['npm', 'run', '--silent', 'dead-code'] },
  { name: 'synth', command: ['npm', 'run', '--silent', 'synth'] },
  { name: 'tests', command: ['npm', 'test', '--silent'] },
] as const;

const broken: string[] = [];
for (const step of steps) {
  process.stdout.write(`\n— ${step.name}\n`);
  const [program, ...args] = step.command;
  if (spawnSync(program, args, { stdio: 'inherit' }).status !== 0) broken.push(step.name);
}
process.stdout.write(broken.length === 0 ? '\nAll good.\n' : `\nBroken: ${broken.join(', ')}.\n`);
process.exitCode = broken.length === 0 ? 0 : 1;
