/** Sorts the tests into those that need servers and those that do not; sets their time limits and their order. */
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { ALIASES } from './test/simulation/aliases.mjs';
import { isLongTier, isShortTier } from './test/support/tier.js';

/** Tests without a server: they start in a second. All others share one PostgreSQL and one Temporal server. */
const pure = [
  ...['codec', 'domain', 'fuzz', 'settings', 'gateway', 'sandbox', 'repository', 'replay', 'mutation'].map(
    (folder) => `test/${folder}/**/*.test.ts`,
  ),
  'test/ledger/memory.test.ts',
  'test/client/tables.test.ts',
  'test/leaks/forms.test.ts',
];
const pureLong = pure
  .filter((files) => files.includes('*'))
  .map((files) => files.replace('*.test', '*.long.test'));
/** Real workflows and activities on virtual time: the modules that read the real clock are replaced. */
const simulation = ['test/simulation/**/*.test.ts'];
/** The files of the tier that runs: see test/support/tier.ts. */
const ofTier = (short: readonly string[], long: readonly string[]): string[] => [
  ...(isLongTier ? long : short),
];
const notInTier = isShortTier ? ['test/**/*.long.test.ts'] : [];
const replaced = Object.entries(ALIASES).map(([name, replacement]) => ({
  find: new RegExp(`^${name}$`),
  replacement,
}));

/** Files that take longest, longest first: one that started last would leave the other core idle. */
const longest = [
  'soak/',
  'simulation/runs-',
  'demo/demonstration.',
  'demo/start.',
  'simulation/',
  'demo/tour.',
  'fuzz/webhooks.',
  'fuzz/',
  'ledger/postgres.',
  'client/cli.',
  'console/console.',
  'api/document.',
  'servers/postgres.',
  'workflows/operator-notes.',
  'console/accessibility.',
  'console/operators.',
  'client/cli-',
  'conformance/',
  'events/',
  'webhooks/',
  'workflows/',
  'api/',
].map((part) => `/test/${part}`);
/** A process keeps its imports for the next file only within one project. */
const projects = ['soak', 'simulation', 'pure', 'servers'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const byProject = ({ project }: TestSpecification): number => projects.indexOf(project.name);
    const byLength = ({ moduleId }: TestSpecification): number => {
      const index = longest.findIndex((part) => moduleId.includes(part));
      return index === -1 ? longest.length : index;
    };
    return (await super.sort(files)).sort((a, b) => byProject(a) - byProject(b) || byLength(a) - byLength(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    pool: 'forks',
    // A test waits for servers half of the time: four processes keep two cores busy.
    maxWorkers: 4,
    // Imports are reused by the next file: importing again would take a fifth of the time. Each file has its own database and task queue.
    isolate: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ofTier(pure, ['test/fuzz/**/*.test.ts', ...pureLong]),
          exclude: notInTier,
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        resolve: { alias: replaced },
        // One test runs thousands of simulated runs.
        test: {
          name: 'simulation',
          include: ofTier(simulation, ['test/simulation/**/*.long.test.ts']),
          exclude: notInTier,
          testTimeout: 3_600_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'servers',
          include: ofTier(['test/**/*.test.ts'], ['test/**/*.long.test.ts']),
          exclude: [...pure, ...simulation, 'test/soak/**', ...notInTier],
          globalSetup: ['test/support/servers.ts'],
          // Far above what a test takes: a slow machine is no failure.
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      // Starts its own servers, because it kills them.
      {
        extends: true,
        test: {
          name: 'soak',
          include: ['test/soak/**/*.test.ts'],
          exclude: notInTier,
          testTimeout: 60_000,
        },
      },
    ],
  },
});
