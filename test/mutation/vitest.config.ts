/** The tests that mutants of `domain/` have to get past: its own, with chance taken out of them, so that a score can be compared. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/domain/**/*.test.ts', 'test/mutation/loads.test.ts'],
    setupFiles: ['test/mutation/same-chance.ts'],
    // One after the other in one thread: with a thread for each file most of the time would go into starting them.
    isolate: false,
    testTimeout: 60_000,
  },
});
