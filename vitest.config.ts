/** Which tests need servers and which do not; how long each may take. */
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { ALIASES } from './test/simulation/aliases.mjs';
import { isLongTier, isShortTier } from './test/support/tier.js';

/** Need no server: they start in a second. Everything else is given PostgreSQL and Temporal. */
const pure = [
  ...['domain', 'fuzz', 'settings', 'gateway', 'sandbox', 'repository', 'replay', 'mutation'].map(
    (room) => `test/${room}/**/*.test.ts`,
  ),
  'test/ledger/memory.test.ts',
  'test/client/tables.test.ts',
];
/** Real workflows and activities in a world without time: modules that know real time are replaced there. */
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

/** What takes longest, longest first: begun last, it would leave the other core with nothing to do. */
const longest = [
  'soak/',
  'simulation/lifetimes-',
  'demo/demonstration.long',
  'simulation/',
  'fuzz/webhooks.',
  'fuzz/',
  'demo/demonstration.',
  'client/cli.',
  'console/console.',
  'demo/tour.',
  'api/document.',
  'ledger/postgres.',
  'servers/postgres.',
  'workflows/words.',
  'console/accessibility.',
  'webhooks/',
  'workflows/workers.',
  'api/',
].map((part) => `/test/${part}`);
/** A process goes on to the next file only where that is of the same project; another one imports everything anew. */
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
    // Half of the time a test waits for servers: two cores have something to do all the time, and a laptop can do something else as well.
    maxWorkers: 4,
    // What a file imports, which took a fifth of the time, is kept for the next one; each file has a database and a task queue of its own.
    isolate: false,
    projects: [
      {
        extends: true,
        test: { name: 'pure', include: ofTier(pure, ['test/fuzz/**/*.test.ts']), testTimeout: 30_000 },
      },
      {
        extends: true,
        resolve: { alias: replaced },
        // One world after the other is what takes the time.
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
          // Only a test that fails takes so long: a slow machine is no failure.
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      // Has servers of its own, which it kills.
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
