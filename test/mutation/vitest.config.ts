/** The tests that mutants of `domain/` and the code table have to get past: its own, with chance taken out of them, so that a score can be compared. */
import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Read a table row by row: they start at once. The properties and the drawn page, which take nearly all of the time, come last. */
const QUICK = [
  'loads',
  'read-code',
  'reconciliation',
  'original',
  'people',
  'notification',
  'result-codes',
  'money',
  'request',
];
const SLOW = ['next-step', 'outcome', 'credit-guard', 'states'];

/** A mutant dies at the first test that fails, so the order decides how long a table of constants takes. */
class QuickFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const name = basename(moduleId, '.test.ts');
      return QUICK.includes(name) ? QUICK.indexOf(name) : QUICK.length + 1 + SLOW.indexOf(name);
    };
    return Promise.resolve([...files].sort((a, b) => rank(a) - rank(b)));
  }
}

export default defineConfig({
  test: {
    include: [
      'test/domain/**/*.test.ts',
      'test/gateway/{read-code,result-codes}.test.ts',
      'test/mutation/loads.test.ts',
    ],
    setupFiles: ['test/mutation/same-chance.ts'],
    sequence: { sequencer: QuickFirst },
    // One after the other in one thread: with a thread for each file most of the time would go into starting them.
    isolate: false,
    testTimeout: 60_000,
  },
});
