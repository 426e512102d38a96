import type { KnipConfig } from 'knip';

const config: KnipConfig = {
  entry: [
    'functions/*.ts!', // Lambdas, and what stands in for a part of the SDK: named by path in infra
    'infra/app.ts',
    'cli/main.ts',
    'sandbox/start.ts',
    'sandbox/scenario/main.ts',
    'bench/main.ts',
    'test/run.ts',
    'test/check.ts',
    'test/**/*.test.ts',
  ],
  project: ['{lib,functions,infra,cli,sandbox,bench,test}/**/*.{ts,mjs}'],
  ignoreDependencies: [
    'aws-cdk', // the CLI of `npx cdk deploy`
    '@swc/core', // the parser dependency-cruiser reads TypeScript with
  ],
};

export default config;
