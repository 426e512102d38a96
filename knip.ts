import type { KnipConfig } from 'knip';

const config: KnipConfig = {
  entry: [
    'bench/memory-{run,surroundings}.ts', // processes of the memory measure
    'functions/*.ts!', // Lambdas, and what stands in for a part of the SDK: named by path in infra
    'sandbox/start.ts', // loaded by start.mjs, once everything it needs is known to be there
    'sandbox/crash/{main,vendors-process,runner-process}.ts', // the drill and the processes it starts
    'sandbox/crash/passing-time.mjs', // loaded into all of them
    'sandbox/rehearsal/bootstrap.mjs', // started as the process of a function
    'test/sandbox/rehearsal/sample/*.ts', // a CDK app and its functions, synthesized by a test
    'test/**/*.test.ts',
  ],
  project: ['{lib,functions,infra,cli,sandbox,bench,test}/**/*.{ts,mjs}'],
  // Types that name the parts of an exported interface are there for readers and callers, used or not.
  exclude: ['types'],
  ignoreExportsUsedInFile: true,
  ignoreBinaries: ['taskset'], // pins the suite to two processors where the machine has more
  ignoreDependencies: [
    'aws-cdk', // the CLI of `npx cdk deploy`
    '@swc/core', // the parser dependency-cruiser reads TypeScript with
  ],
};

export default config;
