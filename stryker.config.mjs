// Mutation testing of `domain/` and the gateway's code table: finds wrong decisions about money that no test catches. `npm run test:mutation`, see docs/internals/testing.md.

export default {
  // Minutes instead of hours; `--testRunner vitest` asks the same tests under the framework itself, as a second opinion.
  testRunner: 'one-process',
  vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
  plugins: ['./test/mutation/one-process.mjs', '@stryker-mutator/vitest-runner'],
  mutate: ['domain/**/*.ts', 'gateway/oppwa/{read-code,result-codes,transaction}.ts'],
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // A machine that does something else as well must not make a mutant look as if it ran for ever.
  timeoutMS: 30_000,
  incremental: true,
  incrementalFile: 'reports/mutation/incremental.json',
  reporters: ['clear-text', 'progress-append-only', 'html', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  thresholds: { high: 95, low: 90, break: 90 },
  tempDirName: '.stryker-tmp',
  ignorePatterns: ['.data', 'dist', 'reports', 'docs/**/*.png', 'deploy', 'examples'],
};
