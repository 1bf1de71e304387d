/** Which tests need servers and which do not; how long each may take. */
import { defineConfig } from 'vitest/config';

/** Need no server: they start in a second. Everything else is given PostgreSQL and Temporal. */
const pure = ['domain', 'settings', 'gateway', 'sandbox', 'simulation', 'house'].map(
  (room) => `test/${room}/**/*.test.ts`,
);

export default defineConfig({
  test: {
    pool: 'forks',
    // Two cores are enough for a laptop that does something else as well.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'pure', include: pure, testTimeout: 30_000 } },
      {
        extends: true,
        test: {
          name: 'servers',
          include: ['test/**/*.test.ts'],
          exclude: [...pure, 'test/soak/**'],
          globalSetup: ['test/support/servers.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
